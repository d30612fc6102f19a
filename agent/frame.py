"""The types that flow through the agent: what a device said, when, and how well we know it.

    collector --Frame--> pipeline --Entry (blocks, events, facts, watermarks)--> spool --> uplink
                                                   |
                                                   +--> analyzers --> evidence

A `Signal` is one configured tag; a `Source` is what is read together, (device, poll group) or
(device, subscription), fixed by the configuration. A `Frame` is one reading of one source, in columns;
a `FrameBlock` is consecutive frames of one source. Blocks are what analyzers, encoder and replay work
on: the result must not depend on where a stream of frames is cut into blocks.

Time is UTC in integer nanoseconds. The last three digits of an acquisition time hold the number of the
clock epoch (modulo 1000), the rest is cut to microseconds; within a source and an epoch a signal's times strictly
increase. `Rows` guarantees both. A clock that is set back begins an epoch of earlier times: they are not bent.

Status is one 32-bit number in the OPC UA convention, whatever the protocol: the two highest bits are the
quality (0 good, 1 uncertain, 2 or 3 bad), the rest says why. Collectors for protocols without status codes
translate into the constants below and keep the raw exception code in the lowest byte. A value is None
exactly when its status is bad: an old value never travels under a new time.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

import enum
import math
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

Value = bool | int | float | str | None
Json = bool | int | float | str | None | list["Json"] | dict[str, "Json"]


class Quality(enum.IntEnum):
    """Quality of a value, as OPC UA orders it in the two highest bits of a status code."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Status:
    """Status codes that we set ourselves; numbers and names of OPC UA Part 6, Annex A."""

    GOOD = 0x0000_0000
    UNCERTAIN = 0x4000_0000
    UNCERTAIN_ENGINEERING_UNITS_EXCEEDED = 0x4094_0000
    BAD = 0x8000_0000
    BAD_COMMUNICATION_ERROR = 0x8005_0000
    BAD_TIMEOUT = 0x800A_0000
    BAD_NO_COMMUNICATION = 0x8031_0000
    BAD_NODE_ID_UNKNOWN = 0x8034_0000
    BAD_OUT_OF_RANGE = 0x803C_0000
    BAD_NOT_SUPPORTED = 0x803D_0000
    BAD_USER_ACCESS_DENIED = 0x801F_0000
    BAD_TYPE_MISMATCH = 0x8074_0000
    BAD_CONFIGURATION_ERROR = 0x8089_0000
    BAD_NOT_CONNECTED = 0x808A_0000
    BAD_DEVICE_FAILURE = 0x808B_0000
    BAD_DATA_ENCODING_INVALID = 0x8038_0000
    BAD_CONNECTION_REJECTED = 0x80AC_0000
    BAD_WAITING_FOR_INITIAL_DATA = 0x8032_0000


def quality(status: int) -> Quality:
    """Quality of a status code (severity 3 is reserved and counts as bad)."""
    return Quality(min(status >> 30, 2))


class DataType(enum.StrEnum):
    """Type of a signal's value, fixed by configuration; it never varies from sample to sample."""

    BOOL = "bool"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    STRING = "string"
    TIMESTAMP = "timestamp"
    """A date and time as integer nanoseconds since 1970, UTC."""


SIGNED = 2**63 - 1
"""Largest integer of the stores."""

Role = Literal[
    "state", "count_total", "count_good", "count_reject", "cycle", "mode", "alarm", "sp", "pv", "op",
    "energy", "lot", "order", "product", "recipe", "reason", "intervention", "power",
]  # fmt: skip
"""What a signal means for the machine. `reason` is the code of a stop's reason, `intervention` is true while an
operator presses a button or acts otherwise, `power` shows by its movement that the machine works."""


Found = Literal["manual", "probe", "browse", "import", "profile"]
"""How the address of a signal was found: typed by hand, or by which tool."""


Priority = Literal["low", "medium", "high", "urgent"]
"""Of an alarm, as ISA-18.2 orders them."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a bool of the role `alarm` means while it is true."""

    text: str
    priority: Priority = "medium"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One configured tag of one machine. Topics, measurements and fields use ids only."""

    id: str  # [a-z0-9_-]{1,48}, unique on its machine, stable across imports
    machine: str  # id of the machine, also the measurement in the store
    name: str  # any Unicode in NFC, shown everywhere
    dtype: DataType
    unit: str | None = None
    description: str | None = None
    role: Role | None = None
    role_confirmed: bool = False  # a role written without `guess: true`
    instrument_range: tuple[float, float] | None = None  # what the instrument can return
    eu_range: tuple[float, float] | None = None  # what is likely in normal operation
    path: str | None = None  # ISA-95 equipment path, where configured
    labels: tuple[tuple[int, str], ...] = ()  # of an enumeration: what each number is called
    alarm: Alarm | None = None
    canary: bool = False  # never changes unless somebody changes the program of the PLC
    found: Found = "manual"
    burst_of: str | None = None  # read in bursts: the signal of the same machine that it is of

    @property
    def wide(self) -> bool:
        """Whether values may exceed a signed 64-bit integer, by what is declared: stores then keep them as text."""
        ranges = (self.instrument_range, self.eu_range)
        return self.dtype is DataType.UINT64 and any(r is not None and r[1] > SIGNED for r in ranges)


Mode = Literal["poll", "subscription", "burst"]
"""`burst` polls fast in short windows, agreed with the owner of the machine; between them nothing is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is read together. `id` is `{device}.{group}` and never changes when a read plan heals."""

    id: str
    device: str
    protocol: str  # "modbus", "opcua", "xgt", "replay"
    mode: Mode
    interval_ns: int  # poll interval, or the requested publishing interval of a subscription
    signals: tuple[Signal, ...]

    def machines(self) -> tuple[str, ...]:
        """Return the ids of the machines that its signals belong to, sorted."""
        return tuple(sorted({s.machine for s in self.signals}))


class RoundTrip(NamedTuple):
    """One request of a reading: when its answer (or failure) came, and how long it took."""

    time_ns: int  # acquisition time of its rows
    rtt_ns: int
    status: int = Status.GOOD


@dataclass(frozen=True, slots=True, eq=False)
class FrameBlock:
    """Consecutive frames of one source, in columns of equal length n. A Frame is the smallest block.

    Attributes:
        source: What was read.
        signal: int32[n], index into `source.signals`.
        time_ns: int64[n], acquisition time; strictly increasing per signal and clock epoch.
        value: n Python natives (64-bit integers stay exact); None exactly where the status is bad.
        status: uint32[n].
        source_ns: int64[n] with 0 for "none", or None where the protocol has no source time.
        server_ns: likewise for the server's time.
        round_trips: of the requests that the rows came from.
    """

    source: Source
    signal: NDArray[np.int32]
    time_ns: NDArray[np.int64]
    value: Sequence[Value]
    status: NDArray[np.uint32]
    source_ns: NDArray[np.int64] | None = None
    server_ns: NDArray[np.int64] | None = None
    round_trips: tuple[RoundTrip, ...] = ()

    def __len__(self) -> int:
        return len(self.value)

    @property
    def quality(self) -> NDArray[np.uint8]:
        """uint8[n], members of `Quality`."""
        severity: NDArray[np.uint32] = np.minimum(self.status >> np.uint32(30), np.uint32(2))
        return severity.astype(np.uint8)

    def problem(self) -> str | None:
        """Return what breaks the promises of this class, or None: for tests and for the spool's gate."""
        n = len(self.value)
        lengths = {len(c) for c in (self.signal, self.time_ns, self.status)}
        lengths |= {len(c) for c in (self.source_ns, self.server_ns) if c is not None}
        if lengths != {n}:
            return "columns differ in length"
        signals = self.signal.tolist()
        if n and not (min(signals) >= 0 and max(signals) < len(self.source.signals)):
            return "a signal index lies outside its source"
        bad = (self.quality == Quality.BAD).tolist() if self.status.any() else [False] * n
        if [v is None for v in self.value] != bad:
            return "a value is None exactly when its status is bad"
        if len(set(signals)) == n:  # a reading: each signal once
            return None
        order = np.lexsort((np.arange(n), self.signal))
        same = np.diff(self.signal[order]) == 0
        steps = np.diff(self.time_ns[order])[same]
        if np.any((steps <= 0) & (steps % 1000 == 0)):  # of one epoch
            return "times of a signal do not strictly increase"
        return None


Frame = FrameBlock
"""One reading of one source: a block that a collector made in one go."""


def concat(blocks: Sequence[FrameBlock]) -> FrameBlock:
    """Join consecutive blocks of one source into one."""
    first = blocks[0]
    if len(blocks) == 1:
        return first

    def joined(name: str) -> NDArray[np.int64] | None:
        columns = [getattr(b, name) for b in blocks]
        if all(c is None for c in columns):
            return None
        return np.concatenate(
            [np.zeros(len(b), np.int64) if c is None else c for b, c in zip(blocks, columns, strict=True)]
        )

    return FrameBlock(
        source=first.source,
        signal=np.concatenate([b.signal for b in blocks]),
        time_ns=np.concatenate([b.time_ns for b in blocks]),
        value=[v for b in blocks for v in b.value],
        status=np.concatenate([b.status for b in blocks]),
        source_ns=joined("source_ns"),
        server_ns=joined("server_ns"),
        round_trips=tuple(r for b in blocks for r in b.round_trips),
    )


class Rows:
    """Collects the rows of one source and keeps the promises of `FrameBlock`.

    One per source for the life of a collector: it remembers each signal's last time, so that a value that
    arrives together with its predecessor is stamped one microsecond after it. NaN, infinities and integers beyond
    what the signal declares (see `Signal.wide`) become None with a bad status here, before anything encodes them.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._last = [0] * len(source.signals)
        self._latest = 0  # of all of them, in this epoch
        self._wide = [s.wide for s in source.signals]
        self._clear()

    def _clear(self) -> None:
        self._signal = array("i")
        self._time = array("q")
        self._value: list[Value] = []
        self._status = array("I")
        self._source = array("q")
        self._server = array("q")
        self._trips: list[RoundTrip] = []

    def __len__(self) -> int:
        return len(self._value)

    def add(
        self, signal: int, time_ns: int, value: Value, status: int = 0, source_ns: int = 0, server_ns: int = 0
    ) -> None:
        """Append one row.

        Args:
            signal: Index into `source.signals`.
            time_ns: Acquisition time from `Clock.now`.
            value: Anything but None when the status is good or uncertain.
            status: 32-bit status code; a bad one drops the value.
            source_ns: The device's time of the value, 0 for none.
            server_ns: The server's time of the value, 0 for none.
        """
        if status >> 31:
            value = None
        elif value is None:
            status = Status.BAD
        elif (value.__class__ is float and not -np.inf < value < np.inf) or (
            value.__class__ is int and value > SIGNED and not self._wide[signal]
        ):
            value, status = None, Status.BAD_OUT_OF_RANGE
        last = self._last[signal]
        if time_ns <= last and (last - time_ns) % 1000 == 0:  # of one epoch
            time_ns = last + 1000
        self._last[signal] = time_ns
        if time_ns > self._latest or (self._latest - time_ns) % 1000:
            self._latest = time_ns
        self._signal.append(signal)
        self._time.append(time_ns)
        self._value.append(value)
        self._status.append(status)
        self._source.append(source_ns)
        self._server.append(server_ns)

    def add_numbers(self, signals: Sequence[int], time_ns: int, values: Sequence[object]) -> bool:
        """Append a good row for each of several signals when no value needs a second look.

        It does what `add` would do, for what nearly every answer is: finite numbers and bools, each of another
        signal, later than all before; in a fifth of the time.

        Args:
            signals: Indices, each at most once.
            time_ns: Acquisition time of all.
            values: One for each.

        Returns:
            Whether the rows were added; if not, none was, and `add` has to look at each.
        """
        if time_ns <= self._latest or not values:
            return False
        numbers: Sequence[float] = values  # type: ignore[assignment]  # or there is no sum
        try:
            total = sum(numbers)
        except TypeError:
            return False
        if not math.isfinite(total) or max(numbers) > SIGNED:
            return False
        self._latest = time_ns
        for signal in signals:
            self._last[signal] = time_ns
        none = array("q", (0,)) * len(numbers)
        self._signal.extend(signals)
        self._time += array("q", (time_ns,)) * len(numbers)
        self._value += numbers
        self._status += array("I", (0,)) * len(numbers)
        self._source += none
        self._server += none
        return True

    def fail_all(self, time_ns: int, status: int) -> None:
        """Append a bad row for each signal: a reading that failed as a whole."""
        for index in range(len(self._last)):
            self.add(index, time_ns, None, status)

    def round_trip(self, time_ns: int, rtt_ns: int, status: int = Status.GOOD) -> None:
        """Record one request of this reading."""
        self._trips.append(RoundTrip(time_ns, rtt_ns, status))

    def take(self) -> Frame:
        """Return the rows so far as a Frame and start anew."""
        source_ns, server_ns = np.array(self._source, np.int64), np.array(self._server, np.int64)
        frame = FrameBlock(
            source=self.source,
            signal=np.array(self._signal, np.int32),
            time_ns=np.array(self._time, np.int64),
            value=self._value,
            status=np.array(self._status, np.uint32),
            source_ns=source_ns if source_ns.any() else None,
            server_ns=server_ns if server_ns.any() else None,
            round_trips=tuple(self._trips),
        )
        self._clear()
        return frame


EventKind = Literal[
    "link_up", "link_down", "refused", "gap", "clock_step", "clock_correction", "config_change", "device_changed",
    "agent_start", "agent_stop", "maintenance", "alarm",
]  # fmt: skip

GapCause = Literal[
    "device_off", "link_down", "refused", "waiting", "agent_off", "clock", "overflow", "rejected", "config",
    "maintenance", "birth_lost",
]  # fmt: skip
"""Why samples are missing. `waiting`, `agent_off`, `clock`, `overflow`, `rejected`, `config`, `maintenance` and
`birth_lost` are not the factory's fault and are censored by readiness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened otherwise. A gap is an event of kind "gap" with `gap_id` and `cause` in its body.

    An open gap has `to_ns` None; a later event with the same `gap_id` closes, shrinks or removes it. The gateway
    closes a gap `rejected` when dead letters are replayed: its word has `replayed` in the body and counts first.
    """

    kind: EventKind
    time_ns: int
    source: str | None = None  # id of a Source; None concerns the whole agent
    machine: str | None = None
    from_ns: int | None = None
    to_ns: int | None = None
    body: Mapping[str, Json] = field(default_factory=dict)


def gap_event(
    gap_id: str, cause: GapCause, source: str | None, time_ns: int, from_ns: int, to_ns: int | None, **more: Json
) -> Event:
    """Return the event that tells of a gap as it stands; `more` goes into its body."""
    body: dict[str, Json] = {"gap_id": gap_id, "cause": cause, **more}
    return Event(kind="gap", time_ns=time_ns, source=source, from_ns=from_ns, to_ns=to_ns, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Slow knowledge, sent on change and daily: endpoints, certificates, catalogue, the agent's own health."""

    kind: Literal["connection", "catalog", "inventory", "fingerprint", "health", "clock", "access"]
    time_ns: int
    subject: str  # id of the device or machine it is about; "agent" for ourselves
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Watermark:
    """Data time of one source has reached `time_ns`, and its link was alive then."""

    source: str
    time_ns: int


Item = FrameBlock | Event | Facts | Watermark
"""What may be put into the pipeline; nothing else flows."""
