"""What no store takes, so that all of them refuse the same points for the same reasons.

A point that passes here can be written exactly by every store's own format. Pure.

A field's name says its type, so two writers can never make one field two types. Names go into the line
protocol of InfluxDB, which has no way to write some of them: a newline ends a line whatever stands before
it, a backslash before a comma, space or equals sign (or at the end) reads as an escape, `#` begins a comment,
and `time` is the time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.stores.base import FieldValue, Point

_TYPES: dict[str, type[FieldValue]] = {"f": float, "i": int, "s": str, "b": bool, "q": int, "src": int}
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f]|\\(?=[,= ]|$)")
_INF = float("inf")
_INT_LIMIT = 2**63
# InfluxDB keeps its two lowest and its highest nanosecond for itself.
_FIRST_NS, _LAST_NS = -(2**63) + 2, 2**63 - 2
NAME_LIMIT = 256
"""Longest measurement, tag key, tag value or field name, in characters."""
TEXT_LIMIT = 512 * 1024
"""Longest text value, in bytes of UTF-8: no message of the wire holds a longer one. InfluxDB documents 64 kB, but
1.6 keeps this much exactly; a server that does not refuses the point itself."""


def _name_problem(what: str, name: object) -> str | None:
    if not isinstance(name, str) or not name:
        return f"the {what} is empty"
    if len(name) > NAME_LIMIT:
        return f"the {what} {name[:40]!r}... is longer than {NAME_LIMIT} characters"
    if _UNWRITABLE.search(name) or not _encodable(name):
        return f"the {what} {name!r} holds a character that no store can keep"
    return None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=65536)
def series_problem(measurement: str, tags: tuple[tuple[str, str], ...]) -> str | None:
    """Return why no point of this series can be stored, or None."""
    if problem := _name_problem("measurement", measurement):
        return problem
    if measurement.startswith("#"):
        return f"the measurement {measurement!r} begins like a comment"
    for key, value in tags:
        problem = _name_problem("tag key", key) or _name_problem(f"value of the tag {key!r}", value)
        if problem:
            return problem
        if key == "time" or key.startswith("_"):
            return f"a tag must not be named {key!r}"
    keys = [key for key, _ in tags]
    return None if keys == sorted(set(keys)) else "the tags are not sorted by key, or a key stands there twice"


@lru_cache(maxsize=65536)
def field_type(name: str) -> type[FieldValue] | None:
    """Return the type that a field's name says, or None when the name cannot be stored."""
    if _name_problem("field name", name):
        return None
    head, _, suffix = name.rpartition("_")
    return _TYPES.get(suffix) if head else None


def _value_problem(name: str, value: FieldValue) -> str | None:
    kind = field_type(name)
    if kind is None:
        return f"the field name {name[:80]!r} does not end in a type (_f _i _s _b _q _src) or cannot be written"
    if value.__class__ is not kind:
        return f"the field {name!r} takes {kind.__name__}, not {type(value).__name__}"
    if isinstance(value, str):
        return _text_problem(name, value)
    if kind is float and not -_INF < value < _INF:
        return f"the field {name!r} is {value}: neither NaN nor infinity can be stored"
    if kind is int and not -_INT_LIMIT <= value < _INT_LIMIT:
        return f"the field {name!r} is {value}, which does not fit 64 bits signed"
    return None


def _text_problem(name: str, text: str) -> str | None:
    if not _encodable(text):
        return f"the text of the field {name!r} is no valid Unicode"
    if len(text.encode()) > TEXT_LIMIT:
        return f"the text of the field {name!r} is longer than {TEXT_LIMIT} bytes"
    return None


def time_fits(time_ns: int) -> bool:
    """Return whether a store can hold this time."""
    return _FIRST_NS <= time_ns <= _LAST_NS


def point_problem(point: Point) -> str | None:
    """Return why no store can take a point, or None."""
    if problem := series_problem(point.measurement, point.tags):
        return problem
    if not time_fits(point.time_ns):
        return f"the time {point.time_ns} ns does not fit 64 bits signed"
    if not point.fields:
        return "the point has no field"
    for name, value in point.fields.items():
        # Most fields are finite floats of the right name: this line is what the check costs.
        if value.__class__ is float and field_type(name) is float and -_INF < value < _INF:
            continue
        if problem := _value_problem(name, value):
            return problem
    return None
