"""Points as InfluxDB line protocol. Pure.

    machine,factory=f1,site=main,source=plc1.fast temp_f=21.5,count_i=7i,open_b=true 1700000000000000001

Building lines is most of what a write costs, and the points of a source look alike. So what can be said of a
point without its values (the escaped series and keys, the types, what no store takes) is kept as its shape; numbers
become text all at once, as JSON writes them, which the protocol reads too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gateway.stores.base import Refusal
from gateway.stores.rules import field_type, point_problem, series_problem, time_fits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.stores.base import FieldValue, Point

_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_NAME = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_SHORT = 18  # characters of an integer that certainly fits
_SHORT_TEXT = 1_000  # bytes of a text that certainly fits
_numbers = msgspec.json.Encoder().encode


class _Shape(NamedTuple):
    """What all points of one series with the same fields have in common.

    Attributes:
        kinds: Type of each field, by its name.
        line: The line with a %b for each value and a %d for the time.
        whole: Places of the integers.
        texts: Places of the texts.
    """

    kinds: tuple[type, ...]
    line: bytes
    whole: tuple[int, ...]
    texts: tuple[int, ...]


def encode(points: Sequence[Point]) -> tuple[list[bytes], list[int], list[Refusal]]:
    """Return one line per point that can be stored.

    Returns:
        Lines without newline at the end; the index in `points` of each line; and the refused points.
    """
    lines: list[bytes] = []
    places: list[int] = []
    refusals: list[Refusal] = []
    for index, point in enumerate(points):
        line = _quick(point)
        if line is None:
            if problem := point_problem(point):
                refusals.append(Refusal(index, problem))
                continue
            fields = ",".join([f"{_key(name)}{_value(value)}" for name, value in point.fields.items()])
            line = f"{_prefix(point.measurement, point.tags)}{fields} {point.time_ns}".encode()
        lines.append(line)
        places.append(index)
    return lines, places, refusals


def _quick(point: Point) -> bytes | None:
    """Return the line of a point in which nothing is unusual, None when it needs a closer look."""
    values: Sequence[FieldValue] = tuple(point.fields.values())
    shape = _shape(point.measurement, point.tags, tuple(point.fields))
    if shape is None or tuple(map(type, values)) != shape.kinds or not time_fits(point.time_ns):
        return None
    texts = []
    if shape.texts:
        texts = [_text(str(values[place])).encode("utf-8", "replace") for place in shape.texts]
        if any(len(text) > _SHORT_TEXT or b"?" in text for text in texts):
            return None
        values = [value for value in values if value.__class__ is not str]
    raw = _numbers(values)
    if b"n" in raw:  # null: it is no number
        return None
    parts = raw[1:-1].split(b",") if values else []
    for place, text in zip(shape.texts, texts, strict=True):
        parts.insert(place, text)
    for place in shape.whole:
        if len(parts[place]) > _SHORT:
            return None
    return shape.line % (*parts, point.time_ns)


@lru_cache(maxsize=16384)
def _shape(measurement: str, tags: tuple[tuple[str, str], ...], names: tuple[str, ...]) -> _Shape | None:
    """Return the shape of points, None when no store takes it."""
    kinds = tuple(kind for name in names if (kind := field_type(name)) is not None)
    if not names or len(kinds) < len(names) or series_problem(measurement, tags):
        return None
    fixed = [_prefix(measurement, tags), *(f",{_key(name)}" for name in names)]
    fixed[1] = fixed[1][1:]
    head, *keys = (text.replace("%", "%%") for text in fixed)
    fields = "".join(f"{key}%b{'i' if kind is int else ''}" for key, kind in zip(keys, kinds, strict=True))
    return _Shape(kinds, f"{head}{fields} %d".encode(), _of(int, kinds), _of(str, kinds))


def _of(wanted: type, kinds: tuple[type, ...]) -> tuple[int, ...]:
    return tuple(place for place, kind in enumerate(kinds) if kind is wanted)


def _value(value: FieldValue) -> str:
    if isinstance(value, str):
        return _text(value)
    text = _numbers(value).decode()
    return f"{text}i" if value.__class__ is int else text


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@lru_cache(maxsize=65536)
def _prefix(measurement: str, tags: tuple[tuple[str, str], ...]) -> str:
    """Return the line up to its first field."""
    pairs = "".join(f",{k.translate(_NAME)}={v.translate(_NAME)}" for k, v in tags)
    return f"{measurement.translate(_MEASUREMENT)}{pairs} "


@lru_cache(maxsize=65536)
def _key(name: str) -> str:
    """Return a field's escaped key with its equals sign."""
    return f"{name.translate(_NAME)}="
