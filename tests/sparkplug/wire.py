"""Reads Sparkplug payloads by the field numbers of the specification; shares no code with what writes them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Fields = dict[int, list[int | bytes]]


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(raw: bytes) -> Fields:
    found: Fields = {}
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        value: int | bytes
        match key & 7:
            case 0:
                value, at = _varint(raw, at)
            case 1:
                value, at = raw[at : at + 8], at + 8
            case 5:
                value, at = raw[at : at + 4], at + 4
            case 2:
                size, at = _varint(raw, at)
                value, at = raw[at : at + size], at + size
            case other:
                raise AssertionError(f"wire type {other}")
        found.setdefault(key >> 3, []).append(value)
    return found


def _value(fields: Fields, first: int) -> object:
    """Return a value that begins at field `first`: int, long, float, double, boolean, string; None for none."""
    readers = (
        lambda v: v, lambda v: v, lambda v: struct.unpack("<f", v)[0], lambda v: struct.unpack("<d", v)[0],
        bool, lambda v: v.decode(),
    )  # fmt: skip
    present = [(at, fields[first + at][0]) for at in range(6) if first + at in fields]
    assert len(present) <= 1, "more than one value"
    return readers[present[0][0]](present[0][1]) if present else None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as it came; `alias` must never be there."""

    name: str
    time: int
    kind: int | None
    historical: bool
    null: bool
    value: object
    properties: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload as it came."""

    time: int
    seq: int | None
    metrics: list[Metric]


def _text(value: int | bytes) -> str:
    assert isinstance(value, bytes)
    return value.decode()


def _metrics(payload: Fields) -> Iterator[Metric]:
    for raw in payload.get(2, []):
        assert isinstance(raw, bytes)
        fields = _fields(raw)
        assert 2 not in fields, "an alias"
        properties = {}
        if 9 in fields:
            assert isinstance(fields[9][0], bytes)
            inside = _fields(fields[9][0])
            for key, value in zip(inside[1], inside[2], strict=True):
                assert isinstance(value, bytes)
                properties[_text(key)] = _value(_fields(value), 3)
        yield Metric(
            name=_text(fields[1][0]),
            time=int(fields[3][0]),
            kind=int(fields[4][0]) if 4 in fields else None,
            historical=bool(fields.get(5, [0])[0]),
            null=bool(fields.get(7, [0])[0]),
            value=_value(fields, 10),
            properties=properties,
        )


def read(raw: bytes) -> Payload:
    """Return what a payload says."""
    fields = _fields(raw)
    seq = int(fields[3][0]) if 3 in fields else None
    return Payload(int(fields[1][0]), seq, list(_metrics(fields)))
