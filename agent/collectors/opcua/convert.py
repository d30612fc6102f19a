"""What a server sends, as rows: values by configured type, and status codes. Pure.

The server's own type of a value must fit the configured one; nothing is rounded or cut to make it fit. The
numbers of the built-in types are those of OPC UA Part 6, 5.1.2; bits of a status code as in Part 4, 7.38.1.
"""

from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING, Any, Final

from agent.collectors.opcua.decode import TICKS_1970, TICKS_NEVER
from agent.frame import SIGNED, DataType, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.collectors.opcua.decode import NodeKey, Sample
    from agent.frame import Json, Value

BOOLEAN: Final = 1
INTEGERS: Final = range(2, 10)  # SByte, Byte, Int16, UInt16, Int32, UInt32, Int64, UInt64
FLOATS: Final = (10, 11)  # Float, Double
QUALIFIED: Final = 20  # QualifiedName
TEXTS: Final = (12, 16, QUALIFIED, 21)  # String, XmlElement, QualifiedName, LocalizedText
DATE_TIME: Final = 13
GUID: Final = 14
BYTES: Final = 15
NODES: Final = (17, 18)  # NodeId, ExpandedNodeId

NATURAL: Final = {
    BOOLEAN: DataType.BOOL, 2: DataType.INT16, 3: DataType.UINT16, 4: DataType.INT16, 5: DataType.UINT16,
    6: DataType.INT32, 7: DataType.UINT32, 8: DataType.INT64, 9: DataType.UINT64, 10: DataType.FLOAT32,
    11: DataType.FLOAT64, DATE_TIME: DataType.TIMESTAMP,
    **dict.fromkeys((*TEXTS, GUID, BYTES, *NODES), DataType.STRING),
}  # fmt: skip
"""By built-in type: the configured type that takes all of its values."""

TYPE_NAMES: Final = (
    "Null", "Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double",
    "String", "DateTime", "Guid", "ByteString", "XmlElement", "NodeId", "ExpandedNodeId", "StatusCode",
    "QualifiedName", "LocalizedText", "ExtensionObject", "DataValue", "Variant", "DiagnosticInfo",
)  # fmt: skip

OVERFLOW_MASK: Final = 0x0C80  # info type (bits 10-11) and overflow (bit 7)
OVERFLOW: Final = 0x0480  # info type "data value", overflow set

_EXACT: Final = 2**53  # integers beyond it are not exact as a float

_LIMITS: Final = {
    DataType.INT16: (-(2**15), 2**15 - 1),
    DataType.UINT16: (0, 2**16 - 1),
    DataType.INT32: (-(2**31), 2**31 - 1),
    DataType.UINT32: (0, 2**32 - 1),
    DataType.INT64: (-(2**63), 2**63 - 1),
    DataType.UINT64: (0, 2**64 - 1),
}


def overflowed(status: int) -> bool:
    """Whether the server dropped older values of this item before this one."""
    return status & OVERFLOW_MASK == OVERFLOW


def type_name(vtype: int, *, array: bool = False) -> str:
    """Return the name of a built-in type, for people."""
    name = TYPE_NAMES[vtype] if 0 <= vtype < len(TYPE_NAMES) else f"type {vtype}"
    return f"array of {name}" if array else name


def converter(dtype: DataType) -> Callable[[int, Any], tuple[Value, int]]:
    """Return a function (built-in type, value) -> (value, status) for scalars of one configured type.

    The status is Good, or says why the value cannot stand for the signal; the value is None then.
    """
    if dtype is DataType.BOOL:
        return _bool
    if dtype is DataType.STRING:
        return _string
    if dtype is DataType.TIMESTAMP:
        return _timestamp
    if dtype in _LIMITS:
        low, high = _LIMITS[dtype]

        def integer(vtype: int, value: Any) -> tuple[Value, int]:
            if vtype not in INTEGERS:
                return None, Status.BAD_TYPE_MISMATCH
            return (value, Status.GOOD) if low <= value <= high else (None, Status.BAD_OUT_OF_RANGE)

        return integer
    return _float


def _bool(vtype: int, value: Any) -> tuple[Value, int]:
    return (value, Status.GOOD) if vtype == BOOLEAN else (None, Status.BAD_TYPE_MISMATCH)


def _float(vtype: int, value: Any) -> tuple[Value, int]:
    if vtype in FLOATS:
        return value, Status.GOOD
    if vtype not in INTEGERS:
        return None, Status.BAD_TYPE_MISMATCH
    return (float(value), Status.GOOD) if -_EXACT <= value <= _EXACT else (None, Status.BAD_OUT_OF_RANGE)


def _timestamp(vtype: int, value: Any) -> tuple[Value, int]:
    if vtype != DATE_TIME:
        return None, Status.BAD_TYPE_MISMATCH
    if value <= 0 or value >= TICKS_NEVER:  # how OPC UA writes "no time"
        return None, Status.BAD
    ns = (value - TICKS_1970) * 100
    return (ns, Status.GOOD) if -SIGNED <= ns <= SIGNED else (None, Status.BAD_OUT_OF_RANGE)


def _string(vtype: int, value: Any) -> tuple[Value, int]:
    if vtype in _AS_TEXT:
        value = _AS_TEXT[vtype](value)
    elif vtype not in TEXTS:
        return None, Status.BAD_TYPE_MISMATCH
    if value is None:  # a null string; OPC UA does not tell it from an empty one
        return "", Status.GOOD
    try:
        value.encode()
    except UnicodeEncodeError:  # not UTF-8 on the wire, kept as surrogates; no JSON could carry it
        return None, Status.BAD_DATA_ENCODING_INVALID
    return value, Status.GOOD


def legible(said: Json) -> Json:
    """Return what a server has said, with a `?` for each byte that was no UTF-8: no JSON could carry it."""
    if isinstance(said, str):
        return said.encode("utf-8", "replace").decode("utf-8")
    if isinstance(said, list):
        return [legible(each) for each in said]
    if isinstance(said, dict):
        return {str(legible(key)): legible(each) for key, each in said.items()}
    return said


def node_text(node: NodeKey) -> str:
    """Return a node id as OPC UA writes it, with the number of its namespace."""
    namespace, identifier = node
    match identifier:
        case int():
            text = f"i={identifier}"
        case bytes():
            text = "b=" + base64.b64encode(identifier).decode("ascii")
        case uuid.UUID():
            text = f"g={identifier}"
        case _:
            text = f"s={identifier or ''}"
    return f"ns={namespace};{text}" if namespace else text


_AS_TEXT: Final[dict[int, Callable[[Any], str | None]]] = {
    GUID: str,
    BYTES: lambda value: (value or b"").hex(),
    QUALIFIED: lambda value: None if value is None else str(value),  # encoders know plain texts only
    **dict.fromkeys(NODES, node_text),
}


def row(convert: Callable[[int, Any], tuple[Value, int]], sample: Sample) -> tuple[Value, int]:
    """Turn what the server sends of one signal into (value, status).

    Args:
        convert: From `converter`, for the signal's configured type.
        sample: The server's.
    """
    status = sample.status
    if status >> 31:
        return None, status
    if sample.array:
        return None, Status.BAD_TYPE_MISMATCH
    if sample.vtype == 0:  # good or uncertain, but without any value
        return None, Status.BAD
    value, problem = convert(sample.vtype, sample.value)
    return (None, problem) if problem else (value, status)
