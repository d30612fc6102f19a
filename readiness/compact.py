"""Closed days in little memory: the same numbers, and of old days what a report still looks at.

A report looks back 400 days. As it is read, a day of 1,000 signals takes 13 MB, nearly all of it integers that
stand one by one in lists. In arrays, with what is equal stored once, it takes a third and says the same.

    age in days     what is looked at
    28              everything
    28 + 90         how long values stood still (Q03, Q01), what was counted, tracks, spans (V01, V02)
    400             what was counted and said by whatever has few values, spans (R01, E01, E02)
"""

from __future__ import annotations

import contextlib
from array import array
from typing import TYPE_CHECKING, TypeVar, cast

from msgspec.structs import fields, replace

from readiness.records import Count, Track, Values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from readiness.evidence import DayEvidence, SignalDay, SourceDay

T = TypeVar("T", Track, Count, Values)

WINDOW, RESTS = 28, 28 + 90
MARGIN = 4
"""Days that are kept whole beyond: production days may begin at another hour than they did."""
WHOLE, RESTED, FAR = 0, 1, 2


def level(age_days: int) -> int:
    """Return how much of a day is looked at that lies so far before the end of the window."""
    return WHOLE if age_days < WINDOW + MARGIN else RESTED if age_days < RESTS + MARGIN else FAR


class Compact:
    """Makes days compact; what is equal on several days is stored once for all that one of these has made."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._signals: dict[SignalDay, SignalDay] = {}

    def day(self, day: DayEvidence, much: int) -> DayEvidence:
        """Return a day as far as `much` says (`level`)."""
        return replace(
            day,
            sources=[self._source(part, much) for part in day.sources],
            native=day.native if much == WHOLE else {},
        )

    def _source(self, part: SourceDay, much: int) -> SourceDay:
        names, same = self._names, self._signals
        signals = {names.setdefault(n, n): same.setdefault(s, s) for n, s in part.signals.items()}
        values: Mapping[str, Values] = part.values if much < FAR else {}
        if much == RESTED:
            values = {name: _rested(one) for name, one in values.items()}
        return replace(
            part,
            spans=[_packed(spans) for spans in part.spans],
            signals=signals,
            tracks={
                names.setdefault(n, n): _dense(one if much < FAR else _said(one)) for n, one in part.tracks.items()
            },
            counts={
                names.setdefault(n, n): _dense(one if much < FAR else _counted(one))
                for n, one in part.counts.items()
            },
            values={names.setdefault(n, n): _dense(one) for n, one in values.items()},
            jitter=_packed(part.jitter) if much == WHOLE else [],
        )


def _rested(one: Values) -> Values:
    return replace(one, spread=[], steps=[], changed=[], spikes=[], outside=[], beyond=[])


def _said(one: Track) -> Track:
    return replace(one, changed=[], dwell=[])


def _counted(one: Count) -> Count:
    return replace(one, single=[], still=[])


def _dense(one: T) -> T:
    """Return a record with arrays for its lists of integers; labels, which may be anything, stay."""
    found = {
        field.name: _packed(value)
        for field in fields(one)
        if field.name != "labels" and isinstance(value := getattr(one, field.name), list) and value
    }
    return replace(one, **found)


def _packed(numbers: list[int]) -> list[int]:
    """Return integers as an array, which reads like a list; as they are where one is too wide, or no integer."""
    for width in "iq":
        with contextlib.suppress(OverflowError, TypeError):
            return cast("list[int]", array(width, numbers))
    return numbers
