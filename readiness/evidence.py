"""What a production day leaves behind: exact integers from which every indicator is computed.

Spans are stored in absolute time over the whole day (as offsets from its start, in nanoseconds), not clipped to
planned time, so calendar, inventory, weights, roles and anchors can change afterwards and be applied to old days.
Sets of spans that several signals of a source share are stored once.

    known      a good or uncertain value is known           (A01)
    uncertain  part of `known` where it is only uncertain   (Q01)
    bad        the device answered, but with a bad status   (Q01)
    live       the link to the device was alive             (C03)
    service    the source was configured and the agent had begun to read it
    censored   our own fault, or declared maintenance: not held against the factory

Everything is a function of the items fed to the analyzers; equal evidence is equal bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from contract.codec import checksum, encode
from contract.errors import WireError
from readiness.records import (
    Access,
    Burst,
    Certificate,
    Condition,
    Count,
    Ids,
    Loop,
    Offer,
    Skew,
    Sparse,
    Track,
    Values,
)
from readiness.spans import EMPTY, Spans

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = 2
EVERYTHING = "*"
"""Key of censored spans that concern all sources."""
CENSORED = frozenset(
    {"agent_off", "waiting", "clock", "overflow", "rejected", "config", "maintenance", "birth_lost"}
)
"""Causes of gaps that are not the factory's fault."""
Packed = list[int]
"""[offset from the day's start, length, ...] in nanoseconds, as `Spans.pack` writes it."""
_DAMAGED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class SignalDay(msgspec.Struct, frozen=True, array_like=True):
    """One signal on one day: indices into the source's `spans` (-1 for none), and numbers of readings."""

    known: int
    uncertain: int
    bad: int
    good_reads: int
    uncertain_reads: int
    bad_reads: int
    lost_reads: int  # the link failed: no answer about this signal at all


class SourceDay(msgspec.Struct, frozen=True, omit_defaults=True):
    """One source on one day; signals by `{machine}/{signal}`.

    Attributes:
        tracks: What signals with few values said.
        counts: What counters counted.
        values: Statistics of signals with many values.
        ids: Ids of signals that showed too many for a track.
        jitter: Of a poll, sketch of |time between two readings - interval| in thousandths of the interval.
        with_source_time: Rows for which the device stated a time of its own, of `rows`.
        rows: Good and uncertain ones.
        repeated: Rows whose source time and value are those of the row before: the device said them twice. Of a
            poll, rows whose source time is that of the row before: its times stand still.
        disordered: Rows whose source time is earlier than that of the row before.
    """

    source: str
    device: str
    protocol: str
    mode: str
    interval_ns: int
    service: Packed
    live: Packed
    spans: list[Packed]
    signals: dict[str, SignalDay]
    requests: dict[str, int]  # outcome ("ok" or the first 16 bits of the status, in hex) -> number
    late: int  # rows that came behind their closed day: in the store, not in here
    tracks: dict[str, Track] = {}
    counts: dict[str, Count] = {}
    values: dict[str, Values] = {}
    ids: dict[str, Ids] = {}
    jitter: Sparse = []
    with_source_time: int = 0
    rows: int = 0
    repeated: int = 0
    disordered: int = 0


class Connection(msgspec.Struct, frozen=True, omit_defaults=True):
    """The session in use with a device."""

    protocol: str
    mode: str  # "None", "Sign", "SignAndEncrypt"; "TLS" where the protocol runs inside it
    policy: str
    peer_authenticated: bool
    time: str
    namespaces: list[str] = []  # URIs that the device lists; empty where the protocol has none
    place: str = ""  # host and port at which it answers, and the local address that it is reached from; "" unknown


class DayEvidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One production day of one agent.

    Attributes:
        loops: By name of the loop, `{machine}/{loop}`.
        bursts: By signal.
        skews: By device.
        offers: By device, what it offers now.
        certificates: By device.
        access: By device.
        alarms: Conditions that a server has told of, by the name of their track, `{machine}/alarm:{condition}`.
    """

    version: int
    day: str
    zone: str
    start: str  # UTC nanoseconds, as all absolute times
    end: str
    sources: list[SourceDay]
    censored: dict[str, dict[str, Packed]]  # cause -> source id or "*" -> spans
    connections: dict[str, Connection]  # device -> the latest known before the day's end
    native: dict[str, list[str]]  # `{source}/{signal}` -> what the device itself declares about it
    simulated: Packed
    late_events: int
    loops: dict[str, Loop] = {}
    bursts: dict[str, list[Burst]] = {}
    skews: dict[str, list[Skew]] = {}
    offers: dict[str, list[Offer]] = {}
    certificates: dict[str, Certificate] = {}
    access: dict[str, Access] = {}
    alarms: dict[str, Condition] = {}

    @property
    def start_ns(self) -> int:
        """Start of the day, UTC nanoseconds."""
        return int(self.start)

    @property
    def end_ns(self) -> int:
        """End of the day, UTC nanoseconds."""
        return int(self.end)

    def spans(self, packed: Packed) -> Spans:
        """Return packed spans of this day in absolute time."""
        return Spans.unpack(packed, self.start_ns) if packed else EMPTY


def dump(day: DayEvidence) -> bytes:
    """Return the canonical bytes of a day."""
    return encode(day)


class _SourceApart(SourceDay, frozen=True):
    values: msgspec.Raw = msgspec.Raw()  # type: ignore[assignment]  # passed over, which takes a fifth of the time


class _DayApart(DayEvidence, frozen=True):
    sources: list[_SourceApart]  # type: ignore[assignment]


def load(raw: bytes, *, values: bool = True) -> DayEvidence:
    """Read the canonical bytes of a day.

    Args:
        raw: Its bytes.
        values: Whether the statistics of signals with many values are asked for: most of a day is these.

    Raises:
        WireError: not a day's evidence, or of a version that this release does not know.
    """
    try:
        day = msgspec.json.decode(raw, type=DayEvidence if values else _DayApart)
    except _DAMAGED as exc:
        raise WireError(f"not a day's evidence: {exc}") from exc
    if day.version != VERSION:
        raise WireError(f"evidence of version {day.version}; this release reads version {VERSION}")
    return day


def without_values(day: DayEvidence) -> DayEvidence:
    """Return a day that was read without the statistics of values as one that has none."""
    return msgspec.structs.replace(day, sources=[msgspec.structs.replace(one, values={}) for one in day.sources])


class _Version(msgspec.Struct):
    version: int


def current(raw: bytes) -> bool:
    """Return whether a day was written by a release with this version of evidence; damaged bytes count as such.

    A day of another version says nothing to this one: what lies before an update is not computed anew from it, but
    from the store as far as that reaches.
    """
    try:
        return msgspec.json.decode(raw, type=_Version).version == VERSION
    except _DAMAGED:
        return True


class Recorded(NamedTuple):
    """A closed day that was read, and 64 bits over its bytes, as hex."""

    day: DayEvidence
    checksum: str


class Checked(Protocol):
    """A closed day, as far as its identity goes."""

    @property
    def checksum(self) -> str:
        """64 bits over its bytes, as hex."""


def read(raw: bytes) -> Recorded:
    """Read the canonical bytes of a day.

    Raises:
        WireError: see `load`.
    """
    return Recorded(load(raw), checksum(raw))


def digest(days: Iterable[Checked]) -> str:
    """Return the hash of a sequence of days, 64 bits as hex."""
    return checksum("".join(day.checksum for day in days).encode())
