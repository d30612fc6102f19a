"""Points as InfluxDB line protocol. Pure.

    machine,factory=f1,site=main,source=plc1.fast temp_f=21.5,count_i=7i,open_b=t 1700000000000000001

The series part and each field's key are escaped once and kept, because building lines is most of what a
write costs. A kept key comes with its type, so a value of another type never reaches the line.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.stores.base import Refusal
from gateway.stores.rules import field_type, point_problem, series_problem, value_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.stores.base import Point

_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_NAME = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_INF = float("inf")


def encode(points: Sequence[Point]) -> tuple[list[bytes], list[int], list[Refusal]]:
    """Return one line per point that can be stored.

    Returns:
        Lines without newline at the end; the index in `points` of each line; and the refused points.
    """
    lines: list[bytes] = []
    places: list[int] = []
    refusals: list[Refusal] = []
    for index, point in enumerate(points):
        text = _line(point)
        if text is None:
            refusals.append(Refusal(index, point_problem(point) or "the point cannot be written as a line"))
        else:
            lines.append(text.encode())
            places.append(index)
    return lines, places, refusals


def _line(point: Point) -> str | None:
    prefix = _prefix(point.measurement, point.tags)
    if prefix is None or not point.fields:
        return None
    parts = []
    for name, value in point.fields.items():
        known = _key(name)
        if known is None or value.__class__ is not known[1]:
            return None
        key, kind = known
        if kind is float:
            if not -_INF < value < _INF:  # type: ignore[operator]  # its class is float
                return None
            parts.append(f"{key}{value!r}")
        elif kind is bool:
            parts.append(f"{key}t" if value else f"{key}f")
        else:
            if value_problem(name, value):
                return None
            if kind is int:
                parts.append(f"{key}{value}i")
            else:
                assert isinstance(value, str)
                quoted = value.replace("\\", "\\\\").replace('"', '\\"')
                parts.append(f'{key}"{quoted}"')
    if not -(2**63) + 2 <= point.time_ns <= 2**63 - 2:
        return None
    return f"{prefix}{','.join(parts)} {point.time_ns}"


@lru_cache(maxsize=65536)
def _prefix(measurement: str, tags: tuple[tuple[str, str], ...]) -> str | None:
    """Return the line up to its first field, or None when the series cannot be stored."""
    if series_problem(measurement, tags):
        return None
    pairs = "".join(f",{k.translate(_NAME)}={v.translate(_NAME)}" for k, v in tags)
    return f"{measurement.translate(_MEASUREMENT)}{pairs} "


@lru_cache(maxsize=65536)
def _key(name: str) -> tuple[str, type] | None:
    """Return a field's escaped key with its equals sign, and its type, or None when it cannot be stored."""
    kind = field_type(name)
    return None if kind is None else (f"{name.translate(_NAME)}=", kind)
