"""The payload of Sparkplug B 3.0, chapter 6: metrics with their types, properties and times, as protobuf.

The message types are made from the field numbers of the specification when this module is loaded. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from agent.errors import WireError
from agent.frame import DataType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent.frame import Value

NAMESPACE = "spBv1.0"
LIMIT = 256 * 1024
INT32, INT64, UINT64, DOUBLE, BOOLEAN, STRING = 3, 4, 8, 10, 11, 12
TYPES = {
    DataType.BOOL: 11,
    DataType.INT16: 2,
    DataType.UINT16: 6,
    DataType.INT32: 3,
    DataType.UINT32: 7,
    DataType.INT64: 4,
    DataType.UINT64: 8,
    DataType.FLOAT32: 9,
    DataType.FLOAT64: 10,
    DataType.STRING: 12,
    DataType.TIMESTAMP: 13,
}
"""Of a signal to Sparkplug's; a DateTime is milliseconds since 1970."""
GOOD, STALE, BAD = 192, 500, 0
"""The three values that the specification allows for the property `Quality`."""
NO_SEQ = -1

_F = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "tsq.sparkplug"


def _field(name: str, number: int, kind: int, *, many: bool = False, of: str = "") -> _F:
    label = _F.LABEL_REPEATED if many else _F.LABEL_OPTIONAL
    made = _F(name=name, number=number, type=cast("Any", kind), label=label)
    if of:
        made.type_name = f".{_PACKAGE}.{of}"
    return made


def _types() -> dict[str, Any]:
    number, wide = _F.TYPE_UINT32, _F.TYPE_UINT64
    values = [
        ("int_value", number), ("long_value", wide), ("float_value", _F.TYPE_FLOAT),
        ("double_value", _F.TYPE_DOUBLE), ("boolean_value", _F.TYPE_BOOL), ("string_value", _F.TYPE_STRING),
    ]  # fmt: skip
    messages = {
        "PropertyValue": [
            _field("type", 1, number), _field("is_null", 2, _F.TYPE_BOOL),
            *(_field(name, at, kind) for at, (name, kind) in enumerate(values, 3)),
        ],
        "PropertySet": [
            _field("keys", 1, _F.TYPE_STRING, many=True),
            _field("values", 2, _F.TYPE_MESSAGE, many=True, of="PropertyValue"),
        ],
        "Metric": [
            _field("name", 1, _F.TYPE_STRING), _field("timestamp", 3, wide), _field("datatype", 4, number),
            _field("is_historical", 5, _F.TYPE_BOOL), _field("is_null", 7, _F.TYPE_BOOL),
            _field("properties", 9, _F.TYPE_MESSAGE, of="PropertySet"),
            *(_field(name, at, kind) for at, (name, kind) in enumerate(values, 10)),
        ],
        "Payload": [
            _field("timestamp", 1, wide), _field("metrics", 2, _F.TYPE_MESSAGE, many=True, of="Metric"),
            _field("seq", 3, wide),
        ],
    }  # fmt: skip
    file = descriptor_pb2.FileDescriptorProto(name="tsq/sparkplug.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        if name in {"PropertyValue", "Metric"}:  # one of the values at most
            message.oneof_decl.add(name="value")
            for field in fields:
                if field.name.endswith("_value"):
                    field.oneof_index = 0
        message.field.extend(fields)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in messages
    }


_MESSAGES = _types()


class Property(NamedTuple):
    """A property of a metric: its name, its Sparkplug type, and the value."""

    key: str
    kind: int
    value: bool | float | str


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a payload.

    Attributes:
        name: Levels are parted by `/`.
        time_ms: UTC.
        kind: Sparkplug's data type.
        value: None for null.
        historical: Whether it is older than what was sent before.
        properties: Of a birth, and `Quality` where it is not what it was.
    """

    name: str
    time_ms: int
    kind: int
    value: Value = None
    historical: bool = False
    properties: Sequence[Property] = ()


def encode(metrics: Iterable[Metric], time_ms: int, seq: int = NO_SEQ) -> bytes:
    """Return a payload.

    Args:
        metrics: In their order.
        time_ms: When it is sent, UTC.
        seq: 0 to 255, or `NO_SEQ` for a death.
    """
    payload = _MESSAGES["Payload"](timestamp=time_ms)
    if seq != NO_SEQ:
        payload.seq = seq
    for metric in metrics:
        made = payload.metrics.add(name=metric.name, timestamp=metric.time_ms)
        made.datatype = metric.kind
        if metric.historical:
            made.is_historical = True
        if metric.value is None:
            made.is_null = True
        else:
            _put(made, metric.kind, metric.value)
        for key, kind, value in metric.properties:
            made.properties.keys.append(key)
            _put(made.properties.values.add(type=kind), kind, value)
    raw: bytes = payload.SerializeToString()
    return raw


def _put(message: Any, kind: int, value: Value) -> None:
    """Set the field that a data type is carried in; negative integers in two's complement of their width."""
    match kind:
        case 1 | 2 | 3 | 5 | 6 | 7:
            message.int_value = int(cast("int", value)) & 0xFFFF_FFFF
        case 4 | 8:
            message.long_value = int(cast("int", value)) & 0xFFFF_FFFF_FFFF_FFFF
        case 13:
            message.long_value = max(0, int(cast("int", value)) // 10**6)
        case 9:
            message.float_value = float(cast("float", value))
        case 10:
            message.double_value = float(cast("float", value))
        case 11:
            message.boolean_value = bool(value)
        case _:
            message.string_value = str(value).encode("utf-8", "replace").decode("utf-8")


class Command(NamedTuple):
    """A metric of a command: its name and value; the value is None where it is no bool."""

    name: str
    value: bool | None


def commands(raw: bytes) -> list[Command]:
    """Return the metrics of an NCMD or DCMD, of which only booleans mean anything to us.

    Raises:
        WireError: not a payload, or larger than any command is.
    """
    if len(raw) > LIMIT:
        raise WireError(f"{len(raw)} bytes in a command")
    payload = _MESSAGES["Payload"]()
    try:
        payload.ParseFromString(raw)
    except DecodeError as exc:
        raise WireError(f"not a Sparkplug payload: {exc}") from exc
    return [
        Command(metric.name, metric.boolean_value if metric.WhichOneof("value") == "boolean_value" else None)
        for metric in payload.metrics
    ]
