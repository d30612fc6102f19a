"""What a diagnosis is made of: machine-days as measured, rates as told, and losses by bucket.

A planned second of a machine lies in exactly one bucket, named as in ISO 22400-2 where it has a name:

    good      ideal time of good pieces            PRI GQ
    scrap     ideal time of the other pieces       PRI (PQ - GQ)
    speed     production slower than ideal         APT - PRI PQ
    setup     AUST
    fault     ADET   interrupted by a malfunction
    standby   ADOT   it could run and does not (no order, no material, nobody there)
    off       planned, and switched off
    unknown   planned, and nothing is known

Where a product has no ideal cycle, or nobody counts rejects, `good`, `scrap` and `speed` cannot be told apart: they
are one bucket `production`, which is no loss and says so. Energy is a ledger of its own: kilowatt-hours beside the
time, not a part of it.

    machine-days -> accounts (what share of planned time lies in which bucket) -> losses (what it costs)

Answers enter as accounts as well, with wide spans, so one ledger prices what was measured, counted and said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from techsquare.span import Span

Bucket = Literal["good", "scrap", "speed", "setup", "standby", "fault", "off", "unknown", "production"]
LOSSES: tuple[Bucket, ...] = ("scrap", "speed", "setup", "standby", "fault", "off")
Source = Literal["measured", "counted", "answered"]
"""measured: from signed records. counted: hand counts and meters read, by form. answered: the owner's own word."""
Tell = Literal["yes", "no", "unknown"]
Lacking = Literal[
    "contribution", "pieces", "ideal_cycle", "rejects", "scrap_piece", "avoidable_hour", "tariff_kwh",
]  # fmt: skip
"""What a loss in won would need. `rejects`: nobody counts them, and nobody has said which share is good."""
Flag = Literal["faster_than_ideal", "mixed_formulas", "simulated", "counted_days", "no_split"]
"""faster_than_ideal: pieces were made in less time than ideal, so the ideal cycle is wrong. mixed_formulas: records
of several formula versions. no_split: `good`, `scrap` and `speed` cannot be told apart at all."""
Confidence = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class MachineDay:
    """One machine on one production day, as the signed record says it; seconds, pieces and kWh.

    None is what the record does not assess, with the reason in `reasons` (metric -> reason code). `planned_s` has
    only what may be held against the factory: our own outages are out of it.
    """

    machine: str
    day: date
    planned_s: float
    known_s: float
    production_s: float | None = None
    setup_s: float | None = None
    fault_s: float | None = None
    standby_s: float | None = None
    off_s: float | None = None
    ideal_s: float | None = None  # PRI PQ over the part of APT that `priced_s` is
    priced_s: float | None = None
    good_s: float | None = None  # PRI GQ over the part of `ideal_s` that `checked_s` is
    checked_s: float | None = None
    pieces: float | None = None
    energy_kwh: float | None = None
    source: Source = "measured"
    reasons: Mapping[str, str] = field(default_factory=dict)
    formulas: str = ""
    simulated: float = 0.0


@dataclass(frozen=True, slots=True)
class Year:
    """What a year has: production days by the calendar, and planned hours of a machine on one where it says so.

    Machines that `hours` does not name have as many as their days had on average.
    """

    production_days: float
    hours: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rates:
    """What a second, a piece and a kilowatt-hour are worth, as owner or mentor say; won. None: nobody has said it.

    `limits` says of each machine whether it limits output, `orders_wait` whether there is work for more of it: lost
    time costs contribution only where both are so, avoidable cost otherwise, and lies between where it is unknown.
    `avoidable_hour` holds people; without it they are all that is known to be avoidable. `good_share` is the share
    of pieces that is good, where nobody counts rejects.
    """

    contribution_piece: Span | None = None
    scrap_piece: Span | None = None  # material of a piece that is thrown away
    staff_hour: Span | None = None
    avoidable_hour: Span | None = None  # what an idle machine-hour costs that would not be paid otherwise
    tariff_kwh: Span | None = None
    good_share: Span | None = None
    limits: Mapping[str, Tell] = field(default_factory=dict)
    orders_wait: Tell = "unknown"
    attended: Mapping[str, float] = field(default_factory=dict)  # machine -> persons beside it


@dataclass(frozen=True, slots=True)
class Account:
    """What one machine does with its planned time.

    Attributes:
        machine: Its id.
        planned_hours: In a year.
        time_us: Microseconds in the window by bucket: whole numbers, so that they add up to planned time exactly.
        shares: Of planned time by bucket, at 0.90, with what unknown time leaves open.
        made_hour: Pieces in an hour of production; None where nobody counts.
        ideal_hour: Pieces in an hour of ideal time; None without an ideal cycle.
        good: Share of pieces that is good, None where nobody counts rejects.
        coverage: Share of planned time of which anything is known.
        days: Production days that it rests on.
        source: The weakest of what it rests on.
        flags: What limits it.
        hours: By bucket in a year, where it was told as hours: a share times planned hours would count what is not
            known of planned time twice. Absent: share times planned hours.
        pieces: By bucket in a year, likewise: pieces that were not made or thrown away. Absent: hours times pieces
            an hour.
    """

    machine: str
    planned_hours: Span
    time_us: Mapping[Bucket, int]
    shares: Mapping[Bucket, Span]
    made_hour: Span | None
    ideal_hour: Span | None
    good: Span | None
    coverage: float
    days: int
    source: Source
    flags: tuple[Flag, ...] = ()
    hours: Mapping[Bucket, Span] = field(default_factory=dict)
    pieces: Mapping[Bucket, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loss:
    """A bucket of a machine over the window, and by the year at the same pace.

    `won_year` is None where a rate is missing; `lacking` names it. `share` is of planned time. `coverage` is the
    share of planned time of which anything is known. Intervals are at 0.90 and hold the days' own unrest, the
    unknown time and the spans of the rates.

    `middle` is won a year of what was seen of it, by the middle of each rate: what a plan counts on. The middle of
    `won_year` would not do, for unknown time lies in the span of every bucket: all together they would lose more
    than the machine is planned.
    """

    machine: str
    bucket: Bucket
    share: Span
    hours_year: Span
    won_year: Span | None
    lacking: Sequence[Lacking]
    coverage: float
    days: int
    source: Source
    flags: tuple[Flag, ...] = ()
    middle: float | None = None


@dataclass(frozen=True, slots=True)
class Energy:
    """A machine's electricity by the year: all of it, and the base load that is drawn whatever is made.

    `base_year` is None where readiness has no baseline. `days` are those with a reading; `rest` says whether days
    without planned time are among them, or were taken to use the base load at least and a production day at most.
    """

    machine: str
    kwh_year: Span
    base_year: Span | None
    won_year: Span | None
    base_won_year: Span | None
    lacking: Sequence[Lacking]
    days: int
    rest: bool
    source: Source


@dataclass(frozen=True, slots=True)
class Gap:
    """Something worth mending: a loss, or a dimension that keeps losses from being seen.

    `confidence` is low, medium or high by coverage, days and source; an answer alone is never more than low. `why`
    are codes with their subject, `code` or `code:subject`; words belong to pages.
    """

    id: str
    dimension: str
    machine: str | None
    bucket: Bucket | None
    won_year: Span | None
    hours_year: Span | None
    confidence: Confidence
    why: Sequence[str]
