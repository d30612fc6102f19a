"""Closed days in little memory: the same numbers, and of old days what a report still looks at.

A report looks back 400 days:

    age in days     what is looked at
    28              everything
    28 + 90         how long values stood still (Q03, Q01), what was counted, tracks, ids, spans (V01, V02,
                    T03)
    400             when what has few values said what, what was counted by quarter hour, spans (R01, E01, E02)

Roles are given and corrected later, and old days are looked at with them; so nothing is left out by role.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec.msgpack import Decoder
from msgspec.structs import replace

from readiness.evidence import SignalDay
from readiness.packed import Packed
from readiness.records import Count, Track, Values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from readiness.evidence import DayEvidence, SourceDay
    from readiness.evidence import Packed as Spans

T = TypeVar("T", Track, Count, Values, SignalDay)

WINDOW, RESTS = 28, 28 + 90
MARGIN = 4
"""Days that are kept whole beyond: production days may begin at another hour than they did."""
WHOLE, RESTED, FAR = 0, 1, 2
NOTHING: dict[str, Any] = {}
NONE: list[int] = []
"""One for all, never written to."""
SHORT, SAME = 4, 20_000
"""Spans of so many numbers at most are worth being found again; of so many at most it is remembered."""
_TRACK, _COUNT, _VALUES, _SIGNAL = Decoder(Track), Decoder(Count), Decoder(Values), Decoder(SignalDay)


def level(age_days: int) -> int:
    """Return how much of a day is looked at that lies so far before the end of the window."""
    return WHOLE if age_days < WINDOW + MARGIN else RESTED if age_days < RESTS + MARGIN else FAR


class Compact:
    """Makes days compact; what is equal on several days is stored once for all that one of these has made."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, ...], dict[str, int]] = {}
        self._signals: dict[tuple[tuple[str, int, int, int], ...], dict[str, SignalDay]] = {}
        self._texts: dict[str, str] = {}
        self._spans: dict[tuple[int, ...], Spans] = {}
        self._sets: dict[tuple[int, ...], list[Spans]] = {}

    def day(self, day: DayEvidence, much: int) -> DayEvidence:
        """Return a day as far as `much` says (`level`)."""
        less = replace(day, sources=[self._source(part, much) for part in day.sources])
        if much > WHOLE:
            less = replace(less, native={})
        if much == FAR:
            less = replace(
                less, connections={}, loops={}, bursts={}, skews={}, offers={}, certificates={}, access={}
            )
        return less

    def _source(self, part: SourceDay, much: int) -> SourceDay:
        whole, far, text = much == WHOLE, much == FAR, self._texts
        return replace(
            part,
            source=text.setdefault(part.source, part.source),
            device=text.setdefault(part.device, part.device),
            protocol=text.setdefault(part.protocol, part.protocol),
            mode=text.setdefault(part.mode, part.mode),
            service=self._same(part.service),
            live=self._same(part.live),
            spans=self._same_sets([self._same(spans) for spans in part.spans]),
            signals=self._of_signals(part) if far else self._packed(part.signals, None, _SIGNAL),
            requests=NOTHING if far else part.requests,
            tracks=self._packed(part.tracks, _said if far else None, _TRACK),
            counts=self._packed(part.counts, _counted if far else None, _COUNT),
            values=NOTHING if far else self._packed(part.values, None if whole else _rested, _VALUES),
            ids=NOTHING if far else part.ids,
            jitter=part.jitter if whole else NONE,
        )

    def _same(self, spans: Spans) -> Spans:
        """Return spans; those of a whole day or of hardly any outage are the same on many days."""
        if len(self._spans) > SAME:
            self._spans.clear()
        return self._spans.setdefault(tuple(spans), spans) if len(spans) <= SHORT else spans

    def _same_sets(self, sets: list[Spans]) -> list[Spans]:
        """Return sets of spans; one set that is found again makes a list that is."""
        if len(sets) != 1 or len(sets[0]) > SHORT:
            return sets
        if len(self._sets) > SAME:
            self._sets.clear()
        return self._sets.setdefault(tuple(sets[0]), sets)

    def _of_signals(self, part: SourceDay) -> dict[str, SignalDay]:
        """Return signals; how often they were read counts far back only where rows came late (R01)."""
        if part.late:
            return self._packed(part.signals, None, _SIGNAL)
        rows = tuple((name, one.known, one.uncertain, one.bad) for name, one in part.signals.items())
        if len(self._signals) > SAME:
            self._signals.clear()
        if rows not in self._signals:
            less = iter([SignalDay(known, uncertain, bad, 0, 0, 0, 0) for _, known, uncertain, bad in rows])
            self._signals[rows] = self._packed(part.signals, lambda _one: next(less), _SIGNAL)
        return self._signals[rows]

    def _packed(self, records: Mapping[str, T], less: Callable[[T], T] | None, decoder: Decoder[T]) -> dict[str, T]:
        if not records:
            return NOTHING
        names = tuple(records)
        at = self._at.get(names)
        if at is None:
            at = self._at[names] = {name: number for number, name in enumerate(names)}
        rows = list(records.values() if less is None else map(less, records.values()))
        try:
            return cast("dict[str, T]", Packed(at, rows, decoder))
        except OverflowError:  # an integer of more than 64 bits, which these bytes cannot say
            return dict(zip(names, rows, strict=True))


def _rested(one: Values) -> Values:
    return replace(one, spread=[], steps=[], changed=[], spikes=[], outside=[], beyond=[])


def _said(one: Track) -> Track:
    return replace(one, changed=[], dwell=[])


def _counted(one: Count) -> Count:
    return replace(one, single=[], still=[], pace=[])
