"""What a person chooses a signal from: one node as found, and whether and how it can be one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agent.collectors.opcua.about import fields, natural
from agent.collectors.opcua.convert import converter, row, type_name
from agent.collectors.opcua.decode import Opaque
from agent.collectors.opcua.structures import (
    EXTENSION_OBJECT,
    VARIANT,
    BuiltIn,
    Misfit,
    Structure,
    opened,
)
from agent.errors import WireError
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.collectors.opcua.about import About
    from agent.collectors.opcua.decode import NodeKey, Sample
    from agent.collectors.opcua.structures import DataTypeKind
    from agent.frame import DataType, Value

_SHOWN: Final = 200  # characters of a value that is no signal as it stands


@dataclass(frozen=True, slots=True)
class Node:
    """A node in one place of the tree, before anything was asked about it."""

    key: NodeKey
    path: str
    name: str
    node_class: str
    browse_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One node of a server, in one place of its tree.

    Attributes:
        node: As it is written under `node:`; with `nsu=URI;`, which survives a server update.
        path: Browse names from `Objects` on, joined by `/`; a `/` inside a name is written `%2F`.
        name: Display name.
        node_class: Object, Variable or View; only a Variable has what follows.
        dtype: `type:` to write for it, None where it cannot be a signal as it stands.
        why_not: Why it cannot, and what to write instead.
        data_type: Name of the server's own type, `Double`, `AxisState`.
        rank: Value rank: -1 a scalar, 1 an array, 2 a table, -2 and -3 undetermined.
        length: Elements of the array that is there now, None for no array.
        element: `type:` of one element, to write with `index:`.
        fields: Of a structure (or of an array of them): what to write under `field:`, with its `type:`.
        readable: Whether anybody may read it, and whether this user may.
        writable: Likewise; the agent never writes, it is shown because it says who could.
        unit: Engineering unit that the server declares.
        eu_range: Range of normal operation that it declares.
        instrument_range: What it says the instrument can return.
        labels: Of an enumeration: (number, name).
        value: Current value as the signal would have it; a short text for what cannot be one, None when bad.
        status: Status code of the value.
        description: As the server gives it.
    """

    node: str
    path: str
    name: str
    node_class: str
    dtype: DataType | None = None
    why_not: Text | None = None
    data_type: str | None = None
    rank: int | None = None
    length: int | None = None
    element: DataType | None = None
    fields: tuple[tuple[str, DataType], ...] = ()
    readable: tuple[bool, bool] = (False, False)
    writable: tuple[bool, bool] = (False, False)
    unit: str | None = None
    eu_range: tuple[float, float] | None = None
    instrument_range: tuple[float, float] | None = None
    labels: tuple[tuple[int, str], ...] = ()
    value: Value = None
    status: int = 0
    description: str | None = None


def found(
    node: Node, written: str, said: tuple[About, Sample] | None, types: Mapping[NodeKey, DataTypeKind]
) -> Found:
    """Return a node with what the server says about it, and what of it can be a signal.

    Args:
        node: Where it stands.
        written: Its node id as the configuration writes it.
        said: Of a variable: what the server says, and its current value.
        types: The data types that are known.
    """
    if said is None:
        return Found(
            node=written,
            path=node.path,
            name=node.name,
            node_class=node.node_class,
            why_not=Text(f"{node.node_class}: has no value", f"{node.node_class}: 값이 없는 노드입니다"),
        )
    it, sample = said
    kind = _kind(it.kind, sample, types)
    array = sample.array or (it.value_rank is not None and it.value_rank >= 1)
    one = natural(kind)
    inside = fields(kind, types)
    refusal = _why_not(it, sample, kind, inside, array=array, one=one)
    access, user = it.access_level or 0, it.user_access_level or 0
    dtype = one if refusal is None else None
    return Found(
        node=written,
        path=node.path,
        name=node.name,
        node_class=node.node_class,
        dtype=dtype,
        why_not=refusal,
        data_type=it.data_type,
        rank=it.value_rank,
        length=len(sample.value) if sample.array and isinstance(sample.value, list) else None,
        element=one if array else None,
        fields=inside,
        readable=(bool(access & 1), bool(user & 1)),
        writable=(bool(access & 2), bool(user & 2)),
        unit=it.unit,
        eu_range=it.eu_range,
        instrument_range=it.instrument_range,
        labels=it.labels,
        value=row(converter(dtype), sample)[0] if dtype is not None else shown(sample, types),
        status=sample.status,
        description=it.description,
    )


def _kind(kind: DataTypeKind | None, sample: Sample, types: Mapping[NodeKey, DataTypeKind]) -> DataTypeKind | None:
    """Return what a value is where its variable only says that it is a number, a structure, or anything."""
    first = sample.value[0] if isinstance(sample.value, list) and sample.value else sample.value
    if isinstance(first, Opaque) and not isinstance(kind, Structure):
        return types.get(first.type, kind)
    anything = kind is None or (isinstance(kind, BuiltIn) and kind.vtype == VARIANT)
    if anything and sample.vtype not in {0, EXTENSION_OBJECT}:
        return BuiltIn(type_name(sample.vtype), sample.vtype)
    return kind


def _why_not(
    it: About,
    sample: Sample,
    kind: DataTypeKind | None,
    inside: tuple[tuple[str, DataType], ...],
    *,
    array: bool,
    one: DataType | None,
) -> Text | None:
    if it.user_access_level is not None and not it.user_access_level & 1:
        return Text("this user may not read it", "이 사용자에게는 읽기 권한이 없습니다")
    name = it.data_type or type_name(sample.vtype)
    if inside:
        return _write_field(name, inside[0][0], array=array)
    if isinstance(kind, Structure) or sample.vtype == EXTENSION_OBJECT:
        return Text(
            f"structure {name}, which the server does not describe so that it could be read",
            f"구조체 {name}: 서버가 정의를 제공하지 않아 읽을 수 없습니다",
        )
    if one is None:
        return Text(f"no signal can be a {name}", f"{name} 자료형은 태그로 쓸 수 없습니다")
    return _write_index(name, sample) if array else None


def _write_field(name: str, first: str, *, array: bool) -> Text:
    if array:
        return Text(
            f"array of {name}: write index: 0 and field: {first}",
            f"구조체({name}) 배열: index: 0과 field: {first} 처럼 쓰십시오",
        )
    return Text(f"structure {name}: write field: {first}", f"구조체({name}): field: {first} 처럼 쓰십시오")


def _write_index(name: str, sample: Sample) -> Text:
    count = len(sample.value) if isinstance(sample.value, list) else 0
    if count < 2:
        return Text(f"array of {name}: write index: 0", f"배열({name}): index: 0을 쓰십시오")
    return Text(
        f"array of {count} {name}: write index: 0 to {count - 1}",
        f"배열({name} {count}개): 원소마다 index: 0~{count - 1}을 쓰십시오",
    )


def shown(sample: Sample, types: Mapping[NodeKey, DataTypeKind]) -> str | None:
    """Return a short text of a value of any kind, None for a bad one."""
    if sample.status >> 31 or sample.vtype == 0:
        return None
    text = _text(sample.value, types, 0)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _text(value: Any, types: Mapping[NodeKey, DataTypeKind], depth: int) -> str:
    if depth > 4:
        return "…"
    if isinstance(value, list):
        return "[" + ", ".join(_text(each, types, depth + 1) for each in value[:_SHOWN]) + "]"
    if isinstance(value, Opaque):
        try:
            value = opened(value, types)
        except (Misfit, WireError):
            return "?"
    if isinstance(value, dict):
        parts = (f"{name}: {_text(each, types, depth + 1)}" for name, (_, _, each) in value.items())
        return "{" + ", ".join(parts) + "}"
    return value.hex() if isinstance(value, bytes) else str(value)
