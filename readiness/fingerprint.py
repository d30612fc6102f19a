"""A hash over what people and configuration say, whatever the order of sets and mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, time
from enum import Enum
from typing import TYPE_CHECKING

from contract.codec import checksum, encode

if TYPE_CHECKING:
    from readiness.catalog import Link, Tag

TAG = (
    "id", "machine", "name", "dtype", "unit", "description", "role", "role_confirmed", "instrument_range",
    "eu_range", "path", "found", "burst_of",
)  # fmt: skip


def canonical(thing: object) -> object:
    """Return plain lists and scalars that are equal when two things are equal.

    Raises:
        TypeError: something that no type of `readiness` holds.
    """
    if isinstance(thing, Enum):
        return canonical(thing.value)
    if isinstance(thing, date | time):
        return thing.isoformat()
    if thing is None or isinstance(thing, str | bool | int | float):
        return thing
    return _composed(thing)


def _composed(thing: object) -> object:
    if is_dataclass(thing):
        return [type(thing).__name__, [[f.name, canonical(getattr(thing, f.name))] for f in fields(thing)]]
    if isinstance(thing, Mapping):
        return sorted(([canonical(key), canonical(value)] for key, value in thing.items()), key=encode)
    if isinstance(thing, AbstractSet):
        return sorted((canonical(each) for each in thing), key=encode)
    if isinstance(thing, Sequence):
        return [canonical(each) for each in thing]
    raise TypeError(f"no canonical form for {type(thing).__name__}")


def fingerprint(*things: object) -> str:
    """Return 64 bits over things, as hex."""
    return checksum(encode([canonical(thing) for thing in things]))


def of_link(link: Link) -> list[object]:
    """Return what readiness sees of a configured source."""
    return [
        link.id,
        link.device,
        link.protocol,
        link.mode,
        link.interval_ns,
        [_of_tag(tag) for tag in link.signals],
    ]


def _of_tag(tag: Tag) -> list[object]:
    alarm = None if tag.alarm is None else [tag.alarm.text, tag.alarm.priority]
    return [*(getattr(tag, name) for name in TAG), alarm]
