"""Payloads of the readiness report and of the requests for it.

The retained report holds the plant's values and, per machine, only its level and the state of each gate; the values
of one machine come by the request `report.get`. What is the same for all values stands once, in the report's head.
Absent fields mean "none"; a value that is not assessed has no `value` and says why in `reason`, never a zero.
Fractions are rounded to six digits.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16,64}$")]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Score = Annotated[float, msgspec.Meta(ge=0, le=100)]
Date = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Nanoseconds = Annotated[str, msgspec.Meta(pattern=r"^-?\d{1,20}$")]
Json = Any
Reason = Literal[
    "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_NO_SCHEDULE", "NA_NO_INVENTORY", "NA_ROLE_UNCONFIRMED", "NA_NO_BURST",
    "NA_SELF_FAULT", "NA_CLOCK", "NA_FEW_EVENTS", "NA_ASSUME_EXPOSED", "NA_METERS_DISAGREE",
    "NA_NO_VARIATION", "NA_UNDERSAMPLED", "NA_NOT_IN_SOURCE", "NOT_APPLICABLE",
]  # fmt: skip
"""Why something is not assessed. NOT_APPLICABLE leaves the denominator, the others are missing evidence.

NA_FEW_EVENTS: what is counted has happened too seldom for a number. NA_ASSUME_EXPOSED: the protocol has no rights
that could be asked for, so whoever reaches the device may have to be taken for somebody who can write to it.
NA_METERS_DISAGREE: sub-meters count more than the main meter, so one of them is wired or set up wrong.
NA_NO_VARIATION: what should explain the value hardly varied. NA_UNDERSAMPLED: reading is too slow to tell.
NA_NOT_IN_SOURCE: assessed from files or a database, which cannot tell (`agent.assess.provable`)."""
Quality = Literal["measured", "derived", "edge-only", "partial", "mixed", "census"]
"""How a value came about. derived: the protocol has no status codes; edge-only: the device has no clock of its own;
partial: only a part of the definition could be looked at; census: everything was looked at, so there is no
interval."""
Error = Literal["no_consent", "no_data", "too_fine", "busy", "unknown_verb", "bad_request"]
Omitted = Literal["contradictions", "trend.machines", "missing.machines", "machines", "settle.machines"]
STANDS_S = 8 * 86_400
"""How long the broker keeps a retained report, under MQTT 5: one that nobody renews any more is no report."""
NOTE = "anchors are design values, not calibrated"


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """One indicator of the plant, or of `machine`."""

    metric: Id
    unit: str
    evidence: Hash
    machine: Id | None = None
    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    score: Score | None = None
    n: int = 0  # production days; for a census the number of things looked at
    n_eff: float | None = None  # independent days that they are worth
    coverage: Share = 0.0  # of the declared weight, or of a machine's planned time
    quality: Quality | None = None
    reason: Reason | None = None
    roles: dict[str, int] = {}  # signals by how their role is known; only where the value depends on roles
    cap: Score | None = None  # the score is at most this; of a plant the mean over machines, whose losses it shares
    flags: list[Id] = []  # guards that have struck, see docs/indicators.md
    shown: dict[
        str, float | int | str | None
    ] = {}  # further numbers beside the value; of several machines how many were assessed, and how many say yes


class Levels(msgspec.Struct, frozen=True):
    """Evidence level between `low` (undetermined gates fail) and `high` (they pass). Never an official level."""

    low: int
    high: int


class Machine(msgspec.Struct, frozen=True):
    """One declared machine: `gates` has one letter per entry of the report's `conditions`.

    P passed (or not applicable to it by nature), F failed, U undetermined. Of a condition `U03|U04` one suffices.
    """

    id: Id
    weight: float
    level: Levels
    gates: str


class Missing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Evidence that is missing for a gate: why, and for which machines.

    None named means all of them, unless the report's `omitted` says that they were left out.
    """

    metric: Id
    reason: Reason
    machines: list[Id] = []


class Bounds(msgspec.Struct, frozen=True):
    """A number that lies between these, because some evidence is missing: it is not imputed."""

    low: float
    high: float


class Dimension(msgspec.Struct, frozen=True, omit_defaults=True):
    """A dimension: mean score of its assessed indicators, or why there is none.

    `lo` and `hi` are what sampling leaves open, `least` and `most` enclose 90 % of random weightings of the same
    indicators. `missing` names indicators that apply and are not assessed. `reason`: `coverage` for too few,
    `gate` for one that a level rests on, `not_applicable` when none applies.
    """

    id: Id
    assessed: int
    applicable: int
    coverage: Share = 0.0  # assessed / applicable
    score: Score | None = None
    lo: Score | None = None
    hi: Score | None = None
    least: Score | None = None
    most: Score | None = None
    reason: Literal["coverage", "gate", "not_applicable"] | None = None
    missing: list[Id] = []


class Chance(msgspec.Struct, frozen=True):
    """Share of resampled windows in which the plant has at least this level: missing evidence fails, or passes."""

    level: int
    low: Share
    high: Share


class Index(msgspec.Struct, frozen=True, omit_defaults=True):
    """Geometric mean of the assessed dimensions, for one plant over time and never between plants.

    `low` and `high` are what it could be if dimensions that are not assessed were 1, or 100.
    """

    dimensions: int  # how many it is made of
    low: Score
    high: Score
    value: Score | None = None


class Band(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the evidence supports at most on a scale of another model, from 0 to `of`; never a rating by that model.

    Missing evidence fails at `low` and passes at `high`; above `measurable` only a person can say. `missing` names
    what is open.
    """

    id: Id
    low: int
    high: int
    measurable: int
    of: int
    missing: list[Id] = []


class Contradiction(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer that does not fit to another one, to the configuration, or to what was measured. Both are shown.

    `code` is one of docs/answers.md. Who has said it stays in the factory.
    """

    code: Id
    subject: str
    said: str
    seen: str
    when: str
    machine: Id | None = None


class Window(msgspec.Struct, frozen=True):
    """Production days `first` to `last`; `production_days` of them had planned time and evidence."""

    first: Date
    last: Date
    zone: str
    production_days: int


class Away(msgspec.Struct, frozen=True):
    """An agent of the factory, and of how many days of the window its evidence has not come, of those that any has.

    Its machines have no numbers of these days: they are missing in `coverage`, and never 0.
    """

    agent: Id
    days: int


class Measured(msgspec.Struct, frozen=True):
    """What the window rests on.

    `planned_s` is planned time by the calendar, once for the plant. `known` is the share of it in which values were
    known, over all signals of a machine and all declared machines by weight: a machine that is not connected and
    our own outages count as not known. It is no score.
    """

    machines: int  # declared
    reached: int  # with a production day that counts
    signals: int  # read at declared machines; bursts apart
    planned_s: int
    known: Share


class Standing(msgspec.Struct, frozen=True, omit_defaults=True):
    """The level that stands: another takes its place when two windows say so that share no day.

    `since` is the first day of the window with which it was first seen, `waiting` what this window says instead.
    """

    level: Levels
    since: Date
    windows: int  # that were looked at, this one too
    waiting: Levels | None = None


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the score of a dimension or an indicator has changed, in points, on the machines of both windows.

    It is called only if its 90 % interval excludes 0 and it is five points or more. `total` is the change over all
    machines, those too that only one window has.
    """

    id: Id
    before: Score
    after: Score
    lo: float
    hi: float
    called: Literal["better", "worse", "none"]
    total: float | None = None

    @property
    def d(self) -> float:
        """After less before."""
        return round(self.after - self.before, 1)


class Trend(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has changed since the window of `first` to `last`, which shares no day with the report's.

    `changes` has every dimension that both windows assess, and the indicators whose change is called. `added` and
    `gone` are machines that only one window knows; they are not compared.
    """

    first: Date
    last: Date
    panel: int  # machines that are compared
    changes: list[Change]
    added: list[Id] = []
    gone: list[Id] = []


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """A readiness report of a plant, or of `machine`."""

    factory: Id
    site: Id
    agent: Id
    made_at: Nanoseconds  # data time
    window: Window
    formulas: str
    model: Hash
    evidence: Hash
    confidence: float
    simulated: Share  # of the window's evidence that was replayed and not measured
    note: str
    values: list[Value]
    machine: Id | None = None
    level: Levels | None = None
    conditions: list[Id] = []
    machines: list[Machine] = []
    missing: list[Missing] = []
    settle: list[Missing] = []  # the least evidence with which the level is one number, whatever it says
    chances: list[Chance] = []
    cascade: Bounds | None = None  # 0-3: how much of levels 1 to 3 is passed by weight, none without those below
    dimensions: list[Dimension] = []
    index: Index | None = None
    siri: list[Band] = []
    acatech: Band | None = None
    answers: list[str] = []  # sets of answers that were used: source, serial, hash
    contradictions: list[Contradiction] = []
    absent: list[Away] = []  # where several agents make one report
    measured: Measured | None = None
    standing: Standing | None = None  # while earlier windows are still being looked at: none
    trend: Trend | None = None
    broken: Date | None = None  # evidence kept of days before was measured differently: nothing is compared with it
    omitted: list[Omitted] = []  # did not fit into the retained report and is not none: `report.get` has it


class ReportRequest(msgspec.Struct, frozen=True):
    """Body of `report.get`: nothing for the plant, or one machine."""

    machine: Id | None = None


class Refusal(msgspec.Struct, frozen=True):
    """Answer to a request that cannot be served."""

    error: Error
    message: str
