"""Points as InfluxDB line protocol. Pure.

    machine,factory=f1,site=main,source=plc1.fast temp_f=21.5,count_i=7i,open_b=t 1700000000000000001

The series part and each field's key are escaped once and kept, because building lines is most of what a
write costs.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.stores.base import Refusal
from gateway.stores.rules import point_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.stores.base import FieldValue, Point

_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_NAME = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})


def encode(points: Sequence[Point]) -> tuple[list[bytes], list[int], list[Refusal]]:
    """Return one line per point that can be stored.

    Returns:
        Lines without newline at the end; the index in `points` of each line; and the refused points.
    """
    lines: list[bytes] = []
    places: list[int] = []
    refusals: list[Refusal] = []
    for index, point in enumerate(points):
        if problem := point_problem(point):
            refusals.append(Refusal(index, problem))
        else:
            fields = ",".join([f"{_key(name)}{_value(value)}" for name, value in point.fields.items()])
            lines.append(f"{_prefix(point.measurement, point.tags)}{fields} {point.time_ns}".encode())
            places.append(index)
    return lines, places, refusals


def _value(value: FieldValue) -> str:
    if value.__class__ is float:
        return repr(value)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return f"{value}i"
    assert isinstance(value, str)
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
