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
    score: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    n: int = 0  # production days; for a census the number of things looked at
    n_eff: float | None = None  # independent days that they are worth
    coverage: Share = 0.0  # of the declared weight, or of a machine's planned time
    quality: Quality | None = None
    reason: Reason | None = None
    roles: dict[str, int] = {}  # signals by how their role is known; only where the value depends on roles


class Levels(msgspec.Struct, frozen=True):
    """Evidence level between `low` (undetermined gates fail) and `high` (they pass). Never an official level."""

    low: int
    high: int


class Machine(msgspec.Struct, frozen=True):
    """One declared machine: `gates` has one letter per entry of the report's `conditions`.

    P passed, F failed, U undetermined.
    """

    id: Id
    weight: float
    level: Levels
    gates: str


class Missing(msgspec.Struct, frozen=True, omit_defaults=True):
    """Evidence that is missing for a gate: why, and for which machines (empty: for all)."""

    metric: Id
    reason: Reason
    machines: list[Id] = []


class Window(msgspec.Struct, frozen=True):
    """Production days `first` to `last`; `production_days` of them had planned time and evidence."""

    first: Date
    last: Date
    zone: str
    production_days: int


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


class ReportRequest(msgspec.Struct, frozen=True):
    """Body of `report.get`: nothing for the plant, or one machine."""

    machine: Id | None = None


class Refusal(msgspec.Struct, frozen=True):
    """Answer to a request that cannot be served."""

    error: Error
    message: str
