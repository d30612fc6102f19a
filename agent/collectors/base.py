"""The contract between a collector and its supervisor, and what the collectors of one box share.

A collector knows how to connect to one device and how to read it. It does not retry, wait between
retries, log its own failures or know about MQTT: `agent.supervise` does that for all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from agent.frame import Event, Facts, FrameBlock, Watermark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

    from agent.clock import Clock
    from agent.frame import Json, Source
    from settings.language import Text

Reading = FrameBlock | Event | Facts | Watermark
Read = Callable[[], Awaitable[Sequence[Reading]]]
T = TypeVar("T")


class Memory(Protocol):
    """What the box has learned about its devices; it survives restarts and may be lost without harm.

    Both return at once: nothing waits for a disk.
    """

    def recall(self, device: str, topic: str) -> Json:
        """Return what was remembered last, or None."""

    def remember(self, device: str, topic: str, body: Json) -> None:
        """Keep `body` in the place of what was remembered; written to disk soon."""


class Forgetful:
    """A memory for the length of a process: dry runs and tests."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Json] = {}

    def recall(self, device: str, topic: str) -> Json:
        """Return what was remembered last, or None."""
        return self._known.get((device, topic))

    def remember(self, device: str, topic: str, body: Json) -> None:
        """Keep `body`."""
        self._known[device, topic] = body


class Tap(Protocol):
    """Takes the raw frames of `tsq-agent record`; never waits."""

    def __call__(self, device: str, direction: Literal["sent", "received", "note"], data: bytes) -> None:
        """Take one frame as it went over the line, without what encrypts it; a note is UTF-8 text."""


@dataclass(slots=True)
class Box:
    """What the collectors of one agent share.

    Attributes:
        clock: Stamps and schedules.
        memory: What was learned.
        tap: Takes raw frames while somebody records; None costs nothing.
        pki: Path of the folder of certificates; None where nobody has one, and then no connection that needs it.
    """

    clock: Clock
    memory: Memory = field(default_factory=Forgetful)
    tap: Tap | None = None
    pki: str | None = None
    _shared: dict[object, object] = field(default_factory=dict)

    def shared(self, key: object, make: Callable[[], T]) -> T:
        """Return what several collectors have in common, such as a gateway's one connection, made once."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What a collector has done since it was made; for `status` and `watch`. Durations are nanoseconds.

    Attributes:
        requests: Sent.
        exceptions: Answers that were a refusal.
        timeouts: Requests without an answer.
        reconnects: Connections opened after the first.
        idle_reconnects: Of these, the ones that the device had closed while idle and that cost nothing.
        skipped: Slots that were passed over because an earlier reading took too long.
        late: Slots whose first request left more than 50 ms after its time.
        rtt_ns: Round trip, smoothed; None before the first answer.
        rtt_p95_ns: 95 % of the last hundred or so were faster.
        busy: Share of the last minute in which a request was under way, 0 to 1.
        per_second: Requests a second, over the last minute.
        slowdown: 1 normally; by how much the pace is stretched now, because the device answers slowly.
        backoff_ns: How long the device is still left alone after it was silent.
        learned: What was learned of the device, in words: limits, holes.
    """

    requests: int = 0
    exceptions: int = 0
    timeouts: int = 0
    reconnects: int = 0
    idle_reconnects: int = 0
    skipped: int = 0
    late: int = 0
    rtt_ns: int | None = None
    rtt_p95_ns: int | None = None
    busy: float = 0.0
    per_second: float = 0.0
    slowdown: float = 1.0
    backoff_ns: int = 0
    learned: Mapping[str, Json] = field(default_factory=dict)


class Collector(Protocol):
    """One configured connection to one device.

    `connect` opens on entry and closes on exit, also when cancelled at any await. The `read` that it yields
    waits for the next slot of any of its sources (polled) or for the next change or keep-alive
    (subscriptions) and returns what came: one Frame per source that was due, Watermarks of sources whose link
    is alive, Facts when they are new. It is called again at once after its result was handed on, which
    never blocks.

    Raises (from connect and from read):
        Unreachable: trying again may help.
        Refused: a person must act (login, certificate). A refusal that concerns single signals (an unknown
            node, an illegal address) is not raised: those signals become bad rows, the others go on; they
            are tried again every 60 s and at once after `retry`.

    Anything else that is raised is taken for a bug. Every network call inside has a timeout.
    """

    @property
    def device(self) -> str:
        """Id of the device in the configuration."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources it reads, fixed for its life."""

    @property
    def stats(self) -> Stats:
        """What it has done so far."""

    def connect(self) -> AbstractAsyncContextManager[Read]:
        """Open the connection; the yielded `read` is used by one task only."""

    def failed(self, time_ns: int, status: int) -> Sequence[FrameBlock]:
        """Return one bad Frame per source: what the supervisor stores when an attempt has failed.

        It comes from the same `Rows` as the readings, so that times keep increasing.
        """

    def refused(self) -> Sequence[Text]:
        """Return a text for each single signal that the device refuses now: for logs and `status`.

        The supervisor calls it after each read and logs only changes: one line going, one coming.
        """

    def retry(self) -> None:
        """Try refused signals again at the next read (`tsq-agent retry`)."""
