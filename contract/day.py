"""The daily record: what one production day was, signed by the agent and chained to the record before it.

Suppliers are judged by these numbers, so nobody may change one afterwards, neither here nor there. Each record says
under which formulas, anchors, configuration and answers it was computed. A day is the finest step there is; there
is no person in it, and nothing of a signal.

Columns: of a metric, `num[i]` and `den[i]` belong to `machines[i]`, indices into the machines of the record.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract.payload import Checksum, Nanoseconds
from contract.report import Date, Hash, Id, Reason, Share

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Number = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Index = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Kind = Literal["ratio", "state"]
"""ratio: num / den (times `per`) of this very day; sums over days are the ratio over them. state: `num` is what
held over the report's window that ends with this day (a quantile, a regression, a census), `den` is 1: it cannot be
added up, and the latest one counts."""


class DayMachine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A declared machine, its share in the plant, and how much of the day's planned time counts for it, ns."""

    id: Id
    weight: float
    counted: Nanoseconds


class MetricDay(msgspec.Struct, frozen=True, omit_defaults=True):
    """One metric on one day, machine by machine; `apart` lists those that are not assessed, by reason.

    Machines that stand in neither have nothing that counts on this day. `whole`: one number of all machines
    together, which stands with the first. `held`: those of `machines` whose number held over the report's window,
    beside others whose numbers are of this day: of them the latest counts, and nothing is added up.
    """

    metric: Id
    unit: str
    kind: Kind
    machines: list[Index] = []
    num: list[float] = []
    den: list[float] = []
    per: float = 1.0
    whole: bool = False
    apart: dict[Reason, list[Index]] = {}
    held: list[Index] = []


class Absent(msgspec.Struct, frozen=True):
    """An agent of the factory whose evidence of this day was not there in time."""

    agent: Id


class Late(msgspec.Struct, frozen=True):
    """Evidence that came when its day was signed already: `evidence` is the hash of what came.

    The record of that day stays as it is. Reports, and records of the days after this one, look at what came.
    """

    agent: Id
    date: Date
    evidence: Hash


class Day(msgspec.Struct, frozen=True, omit_defaults=True):
    """The content that is signed; see `contract.signing`."""

    factory: Id
    site: Id
    agent: Id
    date: Date
    zone: str
    start: Nanoseconds
    end: Nanoseconds
    number: Number  # 1 for the first record of this chain
    made_at: Nanoseconds  # data time
    key: Checksum
    formulas: str
    model: Hash
    config: Hash
    plant: Hash
    evidence: Hash  # over the day's canonical evidence
    simulated: Share
    machines: list[DayMachine]
    metrics: list[MetricDay]
    prev: Digest | None = None  # head of the chain before this record; none for the first
    absent: list[Absent] = []
    late: list[Late] = []


class SignedDay(msgspec.Struct, frozen=True):
    """A daily record as it travels: `record` is the JSON of a `Day` as text, so that nobody has to write it anew.

    `signature` is base64 of Ed25519 over the UTF-8 bytes of the topic, a line feed and that text; `key` is
    BLAKE2b-64 of the public key's 32 bytes, as hex. The head of the chain is BLAKE2b-256 over the same bytes.
    """

    record: Annotated[str, msgspec.Meta(min_length=2)]
    key: Checksum
    signature: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9+/]{86}==$")]


class DayRequest(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """Body of `day.get`: records of these dates, both included."""

    from_: Date
    to: Date


class Days(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answer to `day.get`, in order of the chain. `next` is where to go on when not all fitted into one answer."""

    days: list[SignedDay]
    next: Date | None = None
