"""Payloads of the site uplink: data, birth, stored, need_birth, status.

Each type is its own specification: the JSON Schemas in `contract/schemas` are made from these, and unknown
fields are ignored, missing ones refused. Times are nanoseconds UTC as decimal strings; `steps` are
differences to the row before, so that a time column is a few small numbers.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Integer = int | str
"""An integer; beyond 2^53 a decimal string."""
Value = bool | int | float | str | None
Json = Any
"""Any JSON value."""
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16,64}$")]
Seq = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Checksum = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
Nanoseconds = Annotated[str, msgspec.Meta(pattern="^-?[0-9]{1,30}$")]
EVENTS = "tsq_event"
"""Where a store keeps events beside the machines; so no machine may have this id."""
EntryRef = tuple[Seq, Checksum]
"""`[seq, crc]`: a commit of the spool and the 64-bit checksum over its content."""


class Times(msgspec.Struct, frozen=True):
    """A column of times in ns: the first, UTC, then the difference of each row to the row before (at first 0)."""

    first: str
    steps: list[Integer]


class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rows of one source from one entry.

    `signal` indexes the signals of the source in the birth. A `status` is an OPC UA StatusCode, whatever the
    protocol: below 2^30 good, below 2^31 uncertain, from there on bad; `status` empty means all good. `value` is
    null exactly where it is bad. 64-bit integers beyond 2^53 and text are strings; the birth's data type tells
    which. `source_time` is source minus acquisition time in ns, null for none, and empty when no row has one;
    `server_time` likewise. `round_trips` are `[acquisition time minus time.first, duration, status]`, times in ns.
    """

    seq: Seq
    source: Id
    signal: list[Annotated[int, msgspec.Meta(ge=0)]]
    time: Times
    value: list[Value]
    status: list[Annotated[int, msgspec.Meta(ge=0, lt=2**32)]] = []
    source_time: list[Integer | None] = []
    server_time: list[Integer | None] = []
    round_trips: list[tuple[Integer, Integer, int]] = []


class WireEvent(msgspec.Struct, frozen=True, omit_defaults=True, rename={"from_": "from"}):
    """What happened: link changes, refusals, gaps, clock steps, configuration changes.

    `time`, `from` and `to` are ns UTC; an open span has no `to`. A gap has `gap_id` and `cause` in its body, and
    the latest event of a `gap_id` says how it stands.
    """

    seq: Seq
    kind: Id
    time: str
    body: dict[str, Json] = {}
    source: Id | None = None
    machine: Id | None = None
    from_: str | None = None
    to: str | None = None


class WireFacts(msgspec.Struct, frozen=True):
    """Slow knowledge about a device, a machine or the agent; `time` is ns UTC."""

    seq: Seq
    kind: Id
    time: str
    subject: Id
    body: dict[str, Json]


class Data(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whole entries of one spool under one birth. `historical` marks a backlog.

    Without entries and blocks it asks for the time: the answer is a `Stored` without entries, whose `committed_at`
    lies between the question and the answer. An agent asks so while nothing else vouches for its clock.
    """

    spool: Id
    entries: list[EntryRef]
    birth: Hash
    blocks: list[Block]
    events: list[WireEvent] = []
    facts: list[WireFacts] = []
    historical: bool = False


class BirthAlarm(msgspec.Struct, frozen=True):
    """What a signal of the role `alarm` means while it is true; `priority` is low, medium, high or urgent."""

    text: str
    priority: str


class BirthSignal(msgspec.Struct, frozen=True, omit_defaults=True):
    """One tag of the dictionary.

    `wide` marks an unsigned 64-bit signal whose declared range reaches beyond 2^63 - 1: it is stored as text.
    `labels` says what the numbers of an enumeration mean. A `dtype` of `timestamp` is nanoseconds since 1970, UTC.
    """

    id: Id
    machine: Id
    name: str
    dtype: str
    unit: str | None = None
    description: str | None = None
    role: str | None = None
    role_confirmed: bool = False
    wide: bool = False
    labels: dict[str, str] = {}
    alarm: BirthAlarm | None = None


class BirthSource(msgspec.Struct, frozen=True):
    """One source; `signal` of a block indexes `signals`."""

    id: Id
    device: Id
    protocol: str
    mode: str
    interval_ns: int
    signals: list[BirthSignal]


class Birth(msgspec.Struct, frozen=True):
    """The tag dictionary that entries refer to by its hash; the same configuration has the same hash."""

    factory: Id
    site: Id
    agent: Id
    sources: list[BirthSource]


class Rejected(msgspec.Struct, frozen=True, array_like=True):
    """Lines of an entry that the database refuses for ever: `[seq, crc, reason, [[source, first, last, rows]]]`."""

    seq: Seq
    crc: Checksum
    reason: str
    rows: list[tuple[Id, Nanoseconds, Nanoseconds, Annotated[int, msgspec.Meta(ge=0, le=2**53)]]]


class Stored(msgspec.Struct, frozen=True, omit_defaults=True):
    """Gateway to agent, after the write: entries that the spool may free, by (seq, crc) alone."""

    spool: Id
    stored: list[EntryRef]
    committed_at: Nanoseconds
    clock_trusted: bool
    worker: Id
    rejected: list[Rejected] = []


class NeedBirth(msgspec.Struct, frozen=True):
    """Gateway to agent: publish this birth again, then send again."""

    birth: Hash


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """Retained; the will sets `online` to false.

    `time` is when it was written and `oldest` when the oldest of `depth` entries that wait was committed, ns UTC.
    `devices` says of each device `starting`, `up`, `down`, `refused` or `faulty`; more words may come.
    `clock` tells what vouches for the agent's time: `kernel`, `gateway`, `local` (the configuration says so) or
    `none`. `counters` are totals since the start, by the names of the Prometheus endpoint.
    """

    online: bool
    boot: Id
    time: str
    version: str
    spool: Id | None = None
    depth: int = 0
    oldest: str | None = None
    devices: dict[str, str] = {}
    clock: str = ""
    counters: dict[str, int] = {}


class Worker(msgspec.Struct, frozen=True, omit_defaults=True):
    """Retained presence of a gateway worker since this moment, ns UTC.

    `factory` is the only one that it serves, when it serves only one.
    """

    worker: Id
    since: str
    version: str
    factory: str = ""


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request under MQTT 3.1.1, which has no properties: where to answer, what to repeat, and the request itself.

    Under MQTT 5 response topic and correlation data are properties, and the payload is the body. Whoever asks
    without a response topic in the properties asks like this, and is answered by a `Response`.
    """

    response_topic: str
    correlation: Annotated[str, msgspec.Meta(max_length=256)]
    body: Json = None


class Response(msgspec.Struct, frozen=True):
    """The answer to a `Request`."""

    correlation: str
    body: Json


class SignedAnswers(msgspec.Struct, frozen=True):
    """A set of the mentor's answers, retained for one agent.

    `answers` is JSON as text. `signature` is base64 of Ed25519 over the UTF-8 bytes of the topic, a line feed and
    that text; `key` is BLAKE2b-64 of the public key's 32 bytes, as hex.
    """

    answers: Annotated[str, msgspec.Meta(min_length=2)]
    key: Checksum
    signature: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9+/]{86}==$")]
