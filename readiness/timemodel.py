"""Time elements of ISO 22400-2 per production day: exclusive, and adding up to planned busy time exactly.

    PBT   planned busy time: planned, as far as we ourselves did not fail to look (the rest is `censored`)
    APT   actual production time: executing
    AUST  actual unit setup time: setup
    ADET  actual unit delay time: fault
    ADOT  actual unit down time: standby, available and not executing
    off, unknown   beside them: the machine was switched off; nothing says what it did

    AUPT = APT + AUST,   AUBT = APT + AUST + ADET,   PBT = AUBT + ADOT + off + unknown

`TERMS` has the names and semantic ids of the submodel IDTA 02066-1-0 "Process Variables for Manufacturing KPI
Calculation". There are none for off and unknown, and none for the KPIs: it holds what they are made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from readiness.plant import STATES
from readiness.records import QUARTER_NS
from readiness.spans import Spans, difference, intersection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from readiness.plant import State
    from readiness.states import States
    from readiness.view import View

    Ints = NDArray[np.int64]

_ISO = "http://www.w3id.org/hsu-aut/ISO22400-2#"
TERMS = {
    "PBT": ("PlannedBusyTime", f"{_ISO}PlannedBusyTime"),
    "APT": ("ActualProductionTime", f"{_ISO}ActualProductionTime"),
    "AUST": ("ActualUnitSetupTime", f"{_ISO}ActualSetupTime"),
    "ADET": ("ActualUnitDelayTime", f"{_ISO}ActualUnitDelayTime"),
    "ADOT": ("ActualUnitDownTime", f"{_ISO}ActualUnitDownTime"),
    "AUPT": ("ActualUnitProcessingTime", f"{_ISO}ActualUnitProcessingTime"),
    "AUBT": ("ActualUnitBusyTime", f"{_ISO}ActualUnitBusyTime"),
    "PRI": ("PlannedRuntimePerItem", f"{_ISO}PlannedRuntimePerUnit"),
    "PQ": ("ProducedQuantity", f"{_ISO}ProducedQuantity"),
    "GQ": ("GoodQuantity", f"{_ISO}GoodQuantity"),
    "SQ": ("ScrapQuantity", f"{_ISO}ScrapQuantity"),
}
"""Abbreviation -> (idShort, semantic id) of IDTA 02066-1-0, where the ids of AUST and PRI differ from the names."""


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """[days] each, nanoseconds.

    Attributes:
        planned: Planned time of the calendar.
        pbt: The part of it that counts.
        states: Per state; they and `unknown` add up to `pbt`.
        unknown: Nothing says what the machine did.
    """

    planned: Ints
    pbt: Ints
    states: Mapping[State, Ints]
    unknown: Ints

    @property
    def censored(self) -> Ints:
        """Planned time that does not count: we did not look, or not yet."""
        return self.planned - self.pbt

    @property
    def apt(self) -> Ints:
        """Actual production time."""
        return self.states["executing"]

    @property
    def aust(self) -> Ints:
        """Actual unit setup time."""
        return self.states["setup"]

    @property
    def adet(self) -> Ints:
        """Actual unit delay time."""
        return self.states["fault"]

    @property
    def adot(self) -> Ints:
        """Actual unit down time."""
        return self.states["standby"]

    @property
    def aupt(self) -> Ints:
        """Actual unit processing time."""
        return self.apt + self.aust

    @property
    def aubt(self) -> Ints:
        """Actual unit busy time."""
        return self.aupt + self.adet


def times_of(view: View, states: States, domain: Spans) -> Times:
    """Return the time elements of a machine per day of the window, of the time that counts for its state."""
    pbt = view.per_day(domain).astype(np.int64)
    found = {state: view.per_day(intersection(states.spans[state], domain)).astype(np.int64) for state in STATES}
    for state, row in _brief_by_day(view, states, domain).items():
        found[state] = found[state] + row
    return Times(
        planned=view.planned.astype(np.int64),
        pbt=pbt,
        states=found,
        unknown=pbt - np.sum(list(found.values()), axis=0),
    )


def _brief_by_day(view: View, states: States, domain: Spans) -> dict[State, Ints]:
    """Return the time of short segments that lies in `domain`, as near as their quarter hour tells.

    They lie where no long segment does. Of a quarter hour that has such time on both sides, both get a part.
    """
    rows = {state: np.zeros(len(view.dates), np.int64) for state in STATES}
    if not states.brief:
        return rows
    at = np.array([brief.at_ns for brief in states.brief], np.int64)
    unique, index = np.unique(at, return_inverse=True)
    quarters = Spans(unique, unique + QUARTER_NS)
    room = difference(Spans.of(zip(unique.tolist(), (unique + QUARTER_NS).tolist(), strict=True)), states.placed)
    free, inside = room.within(quarters), intersection(room, domain).within(quarters)
    day = view.seen.day_of(unique)
    for brief, quarter in zip(states.brief, index.tolist(), strict=True):
        if free[quarter] and 0 <= day[quarter] < len(view.dates):
            part = brief.length_ns * int(inside[quarter]) // int(free[quarter])
            rows[brief.state][day[quarter]] += part
    return rows
