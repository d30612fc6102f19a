"""The table of validity: for each indicator the fault, the machine, and how near to the truth it has to come.

Shares and other numbers between 0 and 1 come within 0.01 of what really happened. Numbers of another kind come
within a share of it that follows from the sketch (2 %) and the interval of reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from readiness.combine import measure as interval_of
from readiness.indicators import REGISTRY
from readiness.indicators.base import Buckets, Census, Events, Given, Missing, Rates, Sample
from readiness.outcomes import outcome
from readiness.sketch import quantile, value
from readiness.stats import Interval

if TYPE_CHECKING:
    from readiness.indicators.base import Indicator, Outcome
    from readiness.view import View

TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        id: Of the indicator.
        machine: Where it is struck.
        fault: What goes wrong.
        relative: Error allowed in proportion to the truth; 0 for numbers between 0 and 1.
        exact: It is a count of things that were all looked at: nothing may differ.
        process: The truth is the process's, not the window's: its interval has to hold it.
        few: So few things are counted that one that nobody could see is more than a hundredth: the interval may say
            so instead.
    """

    id: str
    machine: str
    fault: str
    relative: float = 0.0
    exact: bool = False
    process: bool = False
    few: bool = False

    @property
    def indicator(self) -> Indicator:
        """The entry that is tried."""
        return REGISTRY[self.id]


ROWS = (
    Row("C01", "lathe-1", "device off on whole days", exact=True),
    Row("C02", "line-1", "nodes of a vendor's own model", exact=True),
    Row("C03", "robot-1", "link lost, polled"),
    Row("C03", "cnc-1", "session lost, subscribed"),
    Row("C04", "line-1", "addresses typed by hand", exact=True),
    Row("X01", "robot-1", "link lost for so long", relative=0.06),
    Row("A01", "robot-1", "link lost, polled"),
    Row("A01", "cnc-1", "session lost, subscribed"),
    Row("A01", "press-1", "bad status of single signals"),
    Row("A02", "mill-1", "a tone that aliases", relative=0.05),
    Row("A03", "saw-1", "bits too short to be seen"),
    Row("A04", "pump-1", "entries come late", relative=0.03),
    Row("A05", "cnc-1", "the device's clock is wrong", relative=0.03),
    Row("A06", "saw-1", "uneven polls", relative=0.03),
    Row("Q01", "press-1", "bad status"),
    Row("Q02", "press-1", "values out of range"),
    Row("Q03", "press-1", "frozen value"),
    Row("Q04", "mill-1", "few steps of the converter", relative=0.06),
    # of forty spikes at the lowest level two may be others: a value out of range (Q02) that one reading has seen
    Row("Q05", "press-1", "spikes of single readings", relative=0.06),
    Row("Q06", "cnc-1", "rows twice or in another order"),
    Row("Q07", "mill-1", "counter goes back"),
    Row("Q08", "press-1", "good and reject are not the total"),
    Row("Q09", "line-1", "signals without a description", exact=True),
    Row("V01", "cnc-1", "state unknown while the session is lost", exact=True),
    Row("V02", "cnc-1", "counter loses pieces", exact=True),
    Row("V03", "press-1", "counter of good pieces bad"),
    Row("V04", "mill-1", "pieces two at a time"),
    Row("V05", "press-1", "stops without a reason"),
    Row("R01", "oven-1", "inputs fail on whole days", exact=True),
    Row("R02", "press-1", "too few values known at once"),
    Row("R03", "pump-1", "alarms that stand, alarms without a text"),
    Row("U01", "press-1", "work by hand"),
    Row("U02", "press-1", "buttons pressed", relative=0.02),
    Row("U03", "oven-1", "loops out of their band", exact=True),
    Row("U04", "press-1", "parameters turned one by one", few=True),  # forty changeovers
    Row("E01", "oven-1", "load that nobody measures"),
    Row("E02", "oven-1", "energy that follows nothing"),
    Row("T01", "press-1", "invalid ids"),
    Row("T02", "press-1", "work without an order"),
    Row("T03", "press-1", "critical value missing"),
    Row("S01", "line-1", "plain sessions", exact=True),
    Row("S02", "line-1", "anonymous endpoints", exact=True),
    Row("S03", "line-1", "weak certificates", exact=True),
    Row("S04", "line-1", "nodes that could be written", exact=True),
    Row("L01", "pump-1", "dead points", exact=True),
    Row("L02", "oven-1", "set points not followed"),
    Row("L03", "oven-1", "alerts without an answer", process=True),
    Row("L04", "pump-1", "days without use", exact=True),
)


def number(found: Outcome) -> float | None:
    """Return the value of what a formula found, None where nothing was."""
    if isinstance(found, Missing):
        return None
    if isinstance(found, Census | Given):
        return found.value
    if isinstance(found, Sample):
        return float(np.median(found.values))
    if isinstance(found, Buckets):
        whole: dict[int, int] = {}
        for day in found.days:
            for bucket, count in day.items():
                whole[bucket] = whole.get(bucket, 0) + count
        return value(quantile(whole, found.quantile))
    per = found.per if isinstance(found, Rates) else 1.0
    return float(per * found.num.sum() / found.den.sum())


@dataclass(frozen=True, slots=True)
class Result:
    """What one run gave for one row."""

    row: Row
    truth: float
    found: float | None
    reason: str
    flags: tuple[str, ...]
    limits: tuple[float, float] | None = None

    @property
    def error(self) -> float:
        """Distance from the truth, in proportion to it where that is how it is judged; infinite if missing.

        A truth that is no number means that too little has happened for one: to say so is no error, all else is.
        """
        if np.isnan(self.truth):
            return 0.0 if self.reason == "NA_FEW_EVENTS" else float("inf")
        if self.found is None:
            return float("inf")
        off = abs(self.found - self.truth)
        return off / abs(self.truth) if self.row.relative and self.truth else off

    @property
    def passes(self) -> bool:
        """Return whether it is near enough."""
        if self.row.process:
            return self.limits is not None and self.limits[0] <= self.truth <= self.limits[1]
        if self.row.few and self.limits is not None and self.limits[0] <= self.truth <= self.limits[1]:
            return True
        return self.error <= (1e-9 if self.row.exact else self.row.relative or TOLERANCE)


def measure(view: View, row: Row, truth: float) -> Result:
    """Return what a formula finds on a view."""
    found = outcome(view, row.indicator, row.machine)
    limits = (found.lo, found.hi) if isinstance(found, Given) else None
    if row.few and isinstance(found, Events):
        interval = interval_of([found], np.ones(1), 0)
        limits = (interval.lo, interval.hi) if isinstance(interval, Interval) else None
    reason = found.reason if isinstance(found, Missing) else ""
    flags = () if isinstance(found, Missing) else found.flags
    return Result(row, truth, number(found), reason, flags, limits)
