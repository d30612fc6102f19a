"""Cycles: how often a machine's cycle signal has begun, and how long a cycle takes.

The signal of role `cycle` is a bit that is true for a part of each cycle, or a number that grows with each. A
beginning is a change to true from a known false; one behind a hole is none, because nobody saw it begin. Of a day
on which the track was cut, beginnings of true parts shorter than a minute come as a number per quarter hour, and
those of longer ones are counted whatever lies before them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from readiness.records import QUARTER_NS
from readiness.sketch import quantile, value
from readiness.spans import Spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from readiness.counting import Counted
    from readiness.seen import Labelled
    from readiness.view import View

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SECOND = 1_000_000_000
TALL = 4
"""A quarter hour with at least as many beginnings tells a cycle time, where single ones are not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Cycles:
    """Cycles by one signal over the window.

    Attributes:
        name: The signal.
        at: int64[n] quarter hours in which cycles began, increasing; `begun` [n] how many in each.
        begun: See `at`.
        begins: int64[k] beginnings that are known one by one; empty for a number.
        dwell: Per day sketch (ns) of how long a bit stayed true or false; empty for a number.
        p50_ns: Median time from one beginning to the next, None where it cannot be told.
        others: Further signals of the role.
    """

    name: str
    at: Ints
    begun: Floats
    begins: Ints
    dwell: Sequence[Mapping[int, int]]
    p50_ns: float | None
    others: tuple[str, ...] = ()

    def within(self, inside: Spans) -> Floats:
        """Return [n] the cycles of each quarter hour that lies wholly in `inside`, 0 for others."""
        whole = inside.within(Spans(self.at, self.at + QUARTER_NS)) == QUARTER_NS
        return np.where(whole, self.begun, 0.0)


def cycles_of(view: View, machine: str, executing: Spans, counted: Mapping[str, Counted]) -> Cycles | None:
    """Return the cycles by the machine's first cycle signal that has evidence, None if there is none.

    Args:
        view: Of the window.
        machine: Its id.
        executing: When the machine executed.
        counted: What signals of the role that are numbers counted, by signal.
    """
    names = view.signals(machine, "cycle")
    for name in names:
        others = tuple(other for other in names if other != name)
        if (track := view.seen.track(name)) is not None:
            return _of_bit(view, name, track, executing, others)
        if name in counted:
            number = counted[name]
            return Cycles(
                name, number.at, number.pieces, np.empty(0, np.int64), (), median_ns(number), (*others,)
            )  # fmt: skip
    return None


def median_ns(counted: Counted) -> float | None:
    """Return the median time per piece by a counter's pace, within 2 %; None if it never counted."""
    whole: dict[int, int] = {}
    for day in counted.pace:
        for bucket, number in day.items():
            whole[bucket] = whole.get(bucket, 0) + number
    return value(quantile(whole, 0.5)) * SECOND / counted.each if whole else None


def _of_bit(view: View, name: str, track: Labelled, executing: Spans, others: tuple[str, ...]) -> Cycles:
    true = np.array([bool(label) for label in track.label], np.bool_)
    seen = np.zeros(len(true), np.bool_)
    seen[1:] = (track.start[1:] == track.end[:-1]) & ~true[:-1]
    rough = np.isin(view.seen.day_of(track.start), sorted(track.cut))
    begins = track.start[true & (seen | rough)]
    at, begun = np.unique(view.seen.quarters(begins), return_counts=True)
    per: dict[int, float] = dict(zip(at.tolist(), begun.astype(float).tolist(), strict=True))
    for short in track.rest:
        if short.label and short.begins:
            per[short.at_ns] = per.get(short.at_ns, 0.0) + short.begins
    quarters = np.array(sorted(per), np.int64)
    numbers = np.array([per[t] for t in sorted(per)], np.float64)
    # Between two beginnings nothing may be unknown, else a cycle was missed there.
    holes = track.start[1:][track.start[1:] > track.end[:-1]]
    same = np.searchsorted(holes, begins[1:], side="right") == np.searchsorted(holes, begins[:-1], side="right")
    p50 = None
    if track.cut:
        full = executing.within(Spans(quarters, quarters + QUARTER_NS)) == QUARTER_NS
        tall = full & (numbers >= TALL)
        if tall.any():
            p50 = float(np.median(np.repeat(QUARTER_NS / numbers[tall], numbers[tall].astype(np.int64))))
    elif same.any():
        p50 = float(np.median(np.diff(begins)[same]))
    return Cycles(name, quarters, numbers, begins, tuple(track.dwell), p50, others)
