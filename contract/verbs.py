"""Requests of the platform and their answers, beside `report.get` and `day.get`.

Nothing here writes to a machine. Dates are production days, both ends included. An answer that cannot be given is a
`contract.report.Refusal`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract.consent import Scope
from contract.day import Digest, Kind
from contract.payload import Checksum, Nanoseconds
from contract.report import Date, Hash, Id, Reason, Share

DAY_S = 86_400
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$(?!\n)")]
Signature = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9+/]{86}==$")]


class WindowRequest(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """Body of `window.get`: one metric of the plant or of a machine, in steps of whole days."""

    metric: Id
    from_: Date
    to: Date
    machine: Id | None = None
    step_s: Annotated[int, msgspec.Meta(ge=1, le=366 * DAY_S)] = DAY_S


class Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step. Without a `value` nothing that counts is known of it; `num` and `den` of one machine's ratio."""

    first: Date
    last: Date
    days: int  # with a value
    value: float | None = None
    num: float | None = None
    den: float | None = None


class Series(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answer to `window.get`, from the signed records only. `formulas` lists the versions that it was made with."""

    metric: Id
    unit: str
    kind: Kind
    step_s: int
    points: list[Point]
    formulas: list[str]
    machine: Id | None = None


class Need(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that a solution needs of a machine: a metric within limits. `id` is the supplier's name for it."""

    id: Word
    metric: Id
    min: float | None = None
    max: float | None = None


class Solution(msgspec.Struct, frozen=True):
    """A registered version of a solution; `fit.check` takes only what the platform has signed as registered."""

    solution: Word
    version: Word
    needs: Annotated[list[Need], msgspec.Meta(min_length=1, max_length=50)]


class FitRequest(msgspec.Struct, frozen=True):
    """Body of `fit.check`.

    `registered` is JSON of a `Solution` as text; `signature` is base64 of Ed25519, by the key that also signs the
    mentor's answers, over the UTF-8 bytes of `tsq/1/fit`, a line feed and that text. Whoever could ask with needs
    of his own could find out each value by halving: hence the register, and few questions.
    """

    registered: Annotated[str, msgspec.Meta(min_length=2, max_length=65_536)]
    key: Checksum
    signature: Signature
    machine: Id | None = None
    audience: Literal["supplier", "owner", "mentor"] = "supplier"


Verdict = Literal["pass", "fail", "unknown"]


class Lacking(msgspec.Struct, frozen=True, omit_defaults=True):
    """A need that is not met, or of which it is not known why (`reason`)."""

    need: Word
    machine: Id
    verdict: Verdict
    reason: Reason | None = None


class Fit(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answer to `fit.check`: of one machine, or the best of the plant's; `missing` for owner and mentor only."""

    solution: Word
    version: Word
    verdict: Verdict
    machine: Id | None = None
    missing: list[Lacking] = []


class MdeRequest(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """Body of `mde.get`: how restless a metric is, day by day, which says how small a change can be seen."""

    metric: Id
    from_: Date
    to: Date
    machines: Annotated[list[Id], msgspec.Meta(max_length=1000)] = []


class Estimate(msgspec.Struct, frozen=True):
    """A number between its limits, at the confidence of the answer."""

    value: float
    lo: float
    hi: float


class Mde(msgspec.Struct, frozen=True):
    """Answer to `mde.get`: standard deviation and correlation with the day before, pooled over machines.

    `n` machine-days of `machines` machines; the levels of machines do not count, only their days around their own
    mean.
    """

    metric: Id
    unit: str
    kind: Kind
    machines: int
    n: int
    sd: Estimate
    rho: Estimate
    confidence: float


class BaselineRequest(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """Body of `baseline.freeze`: these machines and metrics, over these days, are what is compared with later."""

    project: Word
    from_: Date
    to: Date
    metrics: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=50)]
    treated: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=1000)]
    controls: Annotated[list[Id], msgspec.Meta(max_length=1000)] = []


class FrozenDay(msgspec.Struct, frozen=True):
    """A record that the baseline rests on, by its place in the chain."""

    date: Date
    hash: Digest


class Baseline(msgspec.Struct, frozen=True):
    """What was frozen, and when; it rests on records by their hashes, so that none of them can be exchanged."""

    factory: Id
    agent: Id
    project: Word
    frozen_at: Nanoseconds
    metrics: list[Id]
    treated: list[Id]
    controls: list[Id]
    days: list[FrozenDay]


class SignedBaseline(msgspec.Struct, frozen=True):
    """Answer to `baseline.freeze`, and event `baseline_frozen`: like a `SignedDay`, over that event's topic."""

    baseline: Annotated[str, msgspec.Meta(min_length=2)]
    key: Checksum
    signature: Signature


class ExitCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that the factory keeps when it leaves us, looked at just now."""

    id: Word
    ok: bool
    n: int = 0


class Exit(msgspec.Struct, frozen=True):
    """Answer to `exit.test`: what stays with the factory without the platform and without us, tried out.

    `chain`: every record is there, whole, and verifies by the public key alone (`n` records). `evidence`: days that
    can be computed anew. `answers`: sets of answers. `consent`: entries of its history. `key`: it is on the box,
    readable by its user only.
    """

    ok: bool
    checks: list[ExitCheck]
    key: Checksum
    scopes: list[Scope]
    evidence: Hash
    coverage: Share  # of the days between the first record and the last that have one
