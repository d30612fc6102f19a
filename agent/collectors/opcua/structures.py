"""Values inside values: elements of arrays, fields of structures, as the server describes its types. Pure.

A server describes a structure by the attribute DataTypeDefinition of its data type (Part 3, 8.48 and 8.49); the
bytes follow Part 6, 5.2.6 to 5.2.8. `datatypes.py` reads the descriptions; here they are decoded and applied.
A way into a value is written `Axes[2].Position`: names of fields, and numbers of elements from 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agent.collectors.opcua.decode import NodeKey, Opaque, Reader, shaped, wire
from agent.frame import Status
from settings.language import Complaint, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

STRUCTURE_DEFINITION: Final = 122  # encoding ids, Part 6, Annex A
ENUM_DEFINITION: Final = 123
ENUM_VALUE: Final = 8251
RANGE: Final = 886
EU_INFORMATION: Final = 889

VARIANT: Final = 24
EXTENSION_OBJECT: Final = 22
INT32: Final = 6
ABSTRACT: Final = (24, 26, 27, 28)  # BaseDataType, Number, Integer, UInteger: a Variant on the wire
ENUMERATION: Final = 29

OPTIONAL, UNION, SUBTYPED, SUBTYPED_UNION = 1, 2, 3, 4  # StructureType; 0 is a plain one

BAD_INDEX_RANGE_NO_DATA: Final = 0x8037_0000
BAD_NO_MATCH: Final = 0x806F_0000

_STEP: Final = re.compile(r"(?P<name>[^.\[\]]+)|\[(?P<index>\d{1,9})\]")

Way = tuple[str | int, ...]
Found = tuple[int, bool, Any]
"""Built-in type, whether an array, value: as in `decode.Sample`."""


@dataclass(frozen=True, slots=True)
class StructField:
    """One field of a structure; `rank` is -1 for a scalar, else its number of dimensions."""

    name: str
    type: NodeKey
    rank: int = -1
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Structure:
    """A structured data type; `kind` as its StructureType says, `encoding` is the id that values carry."""

    name: str
    kind: int
    fields: tuple[StructField, ...]
    encoding: NodeKey


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A data type whose values are numbers with names."""

    name: str
    labels: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A data type that goes over the wire as a built-in one."""

    name: str
    vtype: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A data type that the server does not describe."""

    name: str


DataTypeKind = Structure | Enumeration | BuiltIn | Unknown


class Misfit(Exception):  # noqa: N818 - no error of the program: a value that the configuration does not fit
    """A way leads nowhere in a value; with the status of the row and what to write instead."""

    def __init__(self, status: int, en: str, ko: str) -> None:
        super().__init__(en)
        self.status = status
        self.text = Text(en, ko)


def way(text: str) -> Way:
    """Read a way into a value.

    Raises:
        Complaint: with what to write instead.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        if text[at] == "." and steps:
            at += 1
            match = _STEP.match(text, at)
            match = match if match and match["name"] else None
        else:
            match = _STEP.match(text, at)
            if match and match["name"] and steps:
                match = None
        if match is None:
            raise Complaint(
                "write a field as Position, Axis.Position or Axes[2].Position",
                "field는 Position, Axis.Position, Axes[2].Position 형식으로 쓰십시오",
            )
        steps.append(match["name"] or int(match["index"]))
        at = match.end()
    return tuple(steps)


def definition(name: str, value: object) -> DataTypeKind | None:
    """Read the value of a DataTypeDefinition attribute; None for what is no such thing.

    Raises:
        WireError: the bytes are none.
    """
    if not isinstance(value, Opaque) or value.body is None or value.type[0] != 0:
        return None
    reader = Reader(value.body)
    with wire():
        if value.type[1] == ENUM_DEFINITION:
            return Enumeration(name, tuple(_enum_field(reader) for _ in range(reader.count())))
        if value.type[1] != STRUCTURE_DEFINITION:
            return None
        encoding = reader.node_id()
        reader.node_id()  # base type: its fields stand among these
        kind = reader.number(INT32)
        return Structure(name, kind, tuple(_struct_field(reader) for _ in range(reader.count())), encoding)


def _enum_field(reader: Reader) -> tuple[int, str]:
    number = reader.number(8)
    shown = reader.localized_text()
    reader.localized_text()  # description
    name = reader.text()
    return int(number), shown or name or str(number)


def _struct_field(reader: Reader) -> StructField:
    name = reader.text() or ""
    reader.localized_text()
    data_type = reader.node_id()
    rank = reader.number(INT32)
    for _ in range(reader.count()):
        reader.skip(4)
    reader.skip(4)
    return StructField(name, data_type, int(rank), reader.byte() != 0)


def enum_values(values: object) -> tuple[tuple[int, str], ...]:
    """Read the property EnumValues: labels that need not start at 0."""
    found = []
    for value in values if isinstance(values, list) else ():
        if isinstance(value, Opaque) and value.type == (0, ENUM_VALUE) and value.body is not None:
            with wire():
                reader = Reader(value.body)
                found.append((int(reader.number(8)), reader.localized_text() or ""))
    return tuple(found)


def eu_range(value: object) -> tuple[float, float] | None:
    """Read a Range."""
    if isinstance(value, Opaque) and value.type == (0, RANGE) and value.body is not None:
        with wire():
            reader = Reader(value.body)
            low, high = reader.number(11), reader.number(11)
            return (low, high) if -1e300 < low < high < 1e300 else None  # NaN and infinities compare as none
    return None


def unit(value: object) -> str | None:
    """Read the display name of an EUInformation, the unit as people write it."""
    if isinstance(value, Opaque) and value.type == (0, EU_INFORMATION) and value.body is not None:
        with wire():
            reader = Reader(value.body)
            reader.text()
            reader.skip(4)
            return reader.localized_text() or None
    return None


def pick(found: Found, steps: Way, types: Mapping[NodeKey, DataTypeKind]) -> Found:
    """Follow a way into a value.

    Raises:
        Misfit: it leads nowhere.
        WireError: the bytes are not what the server's description says.
    """
    vtype, array, value = found
    for step in steps:
        if vtype == EXTENSION_OBJECT and not array and isinstance(value, Opaque) and isinstance(step, str):
            value = opened(value, types)
        if isinstance(step, int):
            if not array:
                raise Misfit(
                    Status.BAD_TYPE_MISMATCH,
                    "the server gives no array here: remove index or [..]",
                    "서버 값이 배열이 아닙니다. index 또는 [..]를 지우십시오",
                )
            if step >= len(value):
                raise Misfit(
                    BAD_INDEX_RANGE_NO_DATA,
                    f"the array has {len(value)} elements, numbered from 0: there is no {step}",
                    f"배열 원소가 {len(value)}개(0부터)라서 {step}번이 없습니다",
                )
            value = value[step]
            array = isinstance(value, list)
            if vtype == VARIANT and not array:
                vtype, array, value = value
            continue
        if not isinstance(value, dict):
            raise Misfit(
                Status.BAD_TYPE_MISMATCH,
                f"the server gives no structure here: there is no field {step}",
                f"서버 값이 구조체가 아니어서 {step} 필드가 없습니다",
            )
        if step not in value:
            have = ", ".join(value) or "-"
            raise Misfit(
                BAD_NO_MATCH,
                f"there is no field {step}, the structure has: {have[:300]}",
                f"{step} 필드가 없습니다. 구조체의 필드: {have[:300]}",
            )
        vtype, array, value = value[step]
    return vtype, array, value


def opened(value: Opaque, types: Mapping[NodeKey, DataTypeKind]) -> dict[str, Found]:
    """Return the fields of a structure.

    Raises:
        Misfit: the server does not describe it, or not in a way that can be read.
        WireError: the bytes are not what the description says.
    """
    kind = types.get(value.type)
    if value.body is None or not isinstance(kind, Structure):
        raise Misfit(
            Status.BAD_NOT_SUPPORTED,
            "the server does not describe this structure (no DataTypeDefinition): name variables inside it instead",
            "서버가 이 구조체의 정의(DataTypeDefinition)를 제공하지 않습니다. 구조체 안의 개별 변수를 쓰십시오",
        )
    reader = Reader(value.body)
    with wire():
        return _structure(reader, kind, types)


def _structure(reader: Reader, kind: Structure, types: Mapping[NodeKey, DataTypeKind]) -> dict[str, Found]:
    def fields() -> dict[str, Found]:
        if kind.kind in {UNION, SUBTYPED_UNION}:
            chosen = reader.uint32()
            if not 0 < chosen <= len(kind.fields):
                return {}
            return {kind.fields[chosen - 1].name: _field(reader, kind.fields[chosen - 1], kind, types)}
        mask = reader.uint32() if kind.kind == OPTIONAL else 0
        values: dict[str, Found] = {}
        bit = 0
        for each in kind.fields:
            if kind.kind == OPTIONAL and each.optional:
                present = mask >> bit & 1
                bit += 1
                if not present:
                    values[each.name] = (0, False, None)
                    continue
            values[each.name] = _field(reader, each, kind, types)
        return values

    result: dict[str, Found] = reader.nested(fields)
    return result


def _field(reader: Reader, each: StructField, of: Structure, types: Mapping[NodeKey, DataTypeKind]) -> Found:
    kind = types.get(each.type, Unknown("?"))
    if of.kind in {SUBTYPED, SUBTYPED_UNION} and each.optional and isinstance(kind, Structure):
        kind = BuiltIn("Structure", EXTENSION_OBJECT)  # any subtype may stand here, so each says what it is
    if each.rank <= -1:
        return _one(reader, kind, types, each.name)
    if each.rank > 1:
        sizes = [reader.number(INT32) for _ in range(reader.count())]
        total = 1
        for size in sizes:
            total *= max(0, size)
        reader.expect(total)
        flat = [_one(reader, kind, types, each.name) for _ in range(total)]
    else:
        sizes = []
        flat = [_one(reader, kind, types, each.name) for _ in range(reader.count())]
    vtype = flat[0][0] if flat else 0
    if isinstance(kind, BuiltIn) and kind.vtype == VARIANT:
        return VARIANT, True, flat
    return vtype, True, shaped([value for _, _, value in flat], sizes)


def _one(reader: Reader, kind: DataTypeKind, types: Mapping[NodeKey, DataTypeKind], name: str) -> Found:
    if isinstance(kind, Structure):
        return EXTENSION_OBJECT, False, _structure(reader, kind, types)
    if isinstance(kind, Enumeration):
        return INT32, False, reader.number(INT32)
    if isinstance(kind, BuiltIn):
        if kind.vtype == VARIANT:
            found: Found = reader.nested(reader.variant)
            return found
        return kind.vtype, False, reader.scalar(kind.vtype)
    raise Misfit(
        Status.BAD_NOT_SUPPORTED,
        f"the server does not describe the type of the field {name} ({kind.name}), so the structure cannot be read",
        f"{name} 필드의 자료형({kind.name}) 정의를 서버가 제공하지 않아 구조체를 읽을 수 없습니다",
    )
