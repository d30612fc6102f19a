"""The retry loop around every collector: one owner of reconnection, back-off and the words about both.

A collector reads; this decides what a failure means. `Unreachable` is tried again after at most 3 s, because
our own waiting must not look like the factory's outage; `Refused` every 60 s or at once by `retry`, because only
a person can mend it; anything else is a bug in the collector: its neighbours go on, it is tried again slowly.

That a device has no power cannot be told from a cable that is out, so an outage is `device_off` only while another
device says so (`power_signal`); else it is `link_down`.

Each failed attempt is stored as one bad frame per source, and each outage as a gap from the last proof of life to
the first after it. When exactly the device went and came, nobody knows: the body of the gap says that it went until
`from_until_ns`, when the first attempt had failed, and came from `to_since_ns` on, when the last attempt that
failed had begun. From the end of that attempt to the first reading we were waiting ourselves: a gap `waiting` of
its own lies inside the other one, and readiness holds it against nobody.

A reading that comes later than it should, although the link stands, leaves a hole that is ours (`agent.overrun`).
While the agent itself has stood still, nobody else was down either (`agent.standstill`). Moments are kept on the
monotonic clock beside their stamps: a gap during which the clock is set has both its ends told by the new one.

A socket that stands proves nothing. A collector that neither returns anything nor asks its device anything for a
minute, or for five of its intervals when they are longer, is connected anew.

No collector or library needs a broad `except` for its failures: the one here takes what is left for a bug.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from agent.errors import Refused, SpoolFailed, Unreachable
from agent.frame import Event, FrameBlock, GapCause, Quality, Status, Watermark, gap_event
from agent.overrun import Overrun
from agent.standstill import NEVER, Moment, Times
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from agent.clock import Clock
    from agent.collectors.base import Collector, Reading, Stats
    from agent.frame import Item, Json
    from agent.health import Health
    from agent.standstill import Standstill

logger = logging.getLogger(__name__)

FIRST_S = 0.5
MOST_S = 3.0
REFUSED_S = 60.0
FAULT_S = 30.0
SILENT_S = 60.0
SILENT_INTERVALS = 5


class Sink(Protocol):
    """Where readings go; `put` never blocks and never fails for a device's sake."""

    def put(self, item: Item) -> None:
        """Take one item."""


class _Open(NamedTuple):
    """A gap whose end is not known yet."""

    id: str
    begun: Moment
    until: Moment


@dataclass(slots=True)
class _Link:
    """What is remembered of a device between attempts: since when it is silent, and under which gaps."""

    alive: dict[str, Moment] = field(default_factory=dict)  # source id -> last moment known alive
    awake: Moment | None = None  # end of the last standstill of the agent
    begun: Moment = NEVER  # when the present attempt began
    failed: Moment = NEVER  # end of the last failed attempt
    since: Moment = NEVER  # its beginning
    back: Moment | None = None  # the first row or keep-alive after it
    cause: GapCause | None = None
    gaps: dict[str, _Open] = field(default_factory=dict)  # source id -> its gap


class Supervisor:
    """Runs one collector until cancelled.

    Args:
        collector: What to run.
        sink: Takes what it reads, and the events about it.
        health: Told of every state; it does the logging.
        clock: Stamps events and does the waiting.
        jitter: Returns 0..1; spreads the attempts of devices that died together.
        since: When a new configuration has brought this collector: source id -> since when nothing is known of it.
        standstill: Says whether the agent has stood still; None where nobody beats.
        off: Says whether there is evidence beside the line that the device has no power.
    """

    def __init__(
        self,
        collector: Collector,
        sink: Sink,
        health: Health,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
        since: Mapping[str, Moment] | None = None,
        standstill: Standstill | None = None,
        off: Callable[[], bool] = lambda: False,
    ) -> None:
        self._collector = collector
        self._sink = sink
        self._health = health
        self._clock = clock
        self._jitter = jitter
        self._standstill = standstill
        self._off = off
        self._times = Times(clock)
        self._overruns = {s.id: Overrun(s, self._times) for s in collector.sources if s.mode == "poll"}
        self._link = _Link()
        self._wake = asyncio.Event()
        self._start: Moment | None = self._times.now()
        self._since = since
        self._progress = 0
        expected = [
            s.interval_ns for s in collector.sources if s.mode != "burst"
        ]  # a burst may be silent for hours
        self._silent_s = max(SILENT_S, SILENT_INTERVALS * min(expected) / 1e9) if expected else 2.0 * 86400

    @property
    def collector(self) -> Collector:
        """What it runs."""
        return self._collector

    @property
    def device(self) -> str:
        """Id of the device."""
        return self._collector.device

    @property
    def stats(self) -> Stats:
        """What its collector has done."""
        return self._collector.stats

    def retry(self) -> None:
        """Try at once: the device itself when we are waiting, and its refused signals."""
        self._collector.retry()
        self._wake.set()

    @property
    def alive_ns(self) -> int | None:
        """When any source was last known alive, None before the first time."""
        alive = max(self._link.alive.values(), key=_monotonic, default=None)
        return None if alive is None else alive.ns

    def begin(self, start: Moment) -> None:
        """Take that until then the agent is told to have been off: what is missing after it is ours."""
        if self._start is not None and self._since is None:
            self._start = start

    def retire(self) -> dict[str, Moment]:
        """Close what is open, after `run` has been cancelled; return since when nothing is known of each source."""
        now = self._times.now()
        since = {}
        for source in self._collector.sources:
            closed = self._close_gap(source.id, now)
            unheard = now if self._start is None else (self._since or {}).get(source.id, self._start)
            known = self._known(source.id)
            since[source.id] = now if closed is not None else unheard if known is None else known
        self._tell_overruns(now=True)
        return since

    def stood_still(self, begun: Moment, end: Moment) -> None:
        """Take that the agent has stood still: until its end, nothing is held against the device."""
        self._link.awake = end
        for overrun in self._overruns.values():
            overrun.explained(end)
        for source, gap in list(self._link.gaps.items()):
            cause = self._link.cause
            if cause is not None and self._close_gap(source, begun) is not None:
                self._open_gap(source, cause, end, end, gap.until)
        if self._start is not None:  # nothing was read before it either
            self._begin(begun)
            self._start, self._since = end, None if self._since is None else {}

    def clock_set(self) -> None:
        """Tell by the new clock since when gaps are open: who is killed now leaves their ends to be told by it."""
        now = self._times.now()
        for source, gap in self._link.gaps.items():
            if self._link.cause is not None:
                self._tell_open(source, self._link.cause, gap, now)

    def _known(self, source: str) -> Moment | None:
        """Return until when there is an account of a source without an open gap, None for not yet."""
        alive, awake = self._link.alive.get(source), self._link.awake
        if alive is None or awake is None:
            return alive
        return max(alive, awake, key=_monotonic)

    async def run(self) -> None:
        """Connect and read for ever.

        Raises:
            SpoolFailed: the process must end; no device is to blame.
        """
        attempt = 0
        while True:
            self._link.begun = self._times.now()
            try:
                async with self._watched(), self._collector.connect() as read:
                    while True:
                        readings = await read()
                        for reading in readings:
                            self._take(reading)
                        if readings:
                            attempt = 0
                            self._progress += 1
                            self._up()
            except SpoolFailed:
                raise
            except Unreachable as exc:
                cause: GapCause = "device_off" if self._off() else "link_down"
                self._down("down", cause, Status.BAD_NO_COMMUNICATION, exc.text)
                delay = min(MOST_S, FIRST_S * 2 ** min(attempt, 8))
            except Refused as exc:
                self._down("refused", "refused", Status.BAD_CONNECTION_REJECTED, exc.text)
                delay = REFUSED_S
            except Exception as exc:  # a bug in one collector must not stop its neighbours
                bug = f"{type(exc).__name__}: {exc}"
                if self._down("faulty", "link_down", Status.BAD, Text(bug, bug)):
                    logger.exception("%s: this is a bug, please report it", self.device)
                delay = FAULT_S
            attempt += 1
            await self._clock.wait(self._wake, delay * (0.5 + self._jitter() / 2))
            self._wake.clear()

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """End what runs inside when nothing comes and nothing is asked for too long.

        Raises:
            Unreachable: that was so.
        """
        loop = asyncio.get_running_loop()
        before = (-1, -1)
        timer: asyncio.TimerHandle

        def look() -> None:
            nonlocal before, timer
            now = (self._progress, self._collector.stats.requests)
            if now == before and not (self._standstill is not None and self._standstill.look()):
                limit.reschedule(loop.time())
            else:
                before, timer = now, loop.call_later(self._silent_s, look)

        timer = loop.call_later(self._silent_s, look)
        try:
            async with asyncio.timeout(None) as limit:
                yield
        except TimeoutError as exc:
            if not limit.expired():
                raise
            silent = f"{self._silent_s:g}"
            raise Unreachable(
                Text(
                    f"{self.device}: connected, but nothing has come for {silent} s: it is connected anew",
                    f"{self.device}: 접속은 되어 있으나 {silent}초 동안 값이 없어 다시 접속합니다",
                )
            ) from exc
        finally:
            timer.cancel()

    def _begin(self, first: Moment) -> None:
        """Record, once, that nothing was read between our start and the first word of the device."""
        if self._start is None:
            return
        cause: GapCause = "agent_off" if self._since is None else "config"
        for source in self._collector.sources:
            start = self._times.stamp((self._since or {}).get(source.id, self._start))
            now, end = self._clock.now(), max(self._times.stamp(first), start)
            self._sink.put(gap_event(uuid.uuid4().hex, cause, source.id, now, start, end))
        self._start = None

    def _take(self, reading: Reading) -> None:
        if isinstance(reading, FrameBlock):
            bad = int((reading.quality == Quality.BAD).sum())
            self._health.count(self.device, len(reading), bad)
            if len(reading):
                first, last = int(reading.time_ns[0]), int(reading.time_ns[-1])
                if self._standstill is not None:
                    self._standstill.look(last)
                self._alive(reading.source.id, first, last)
                if self._link.cause is None and reading.source.id in self._overruns:
                    for event in self._overruns[reading.source.id].events():
                        self._sink.put(event)  # before it: a kill must not leave a reading behind an untold hole
        elif isinstance(reading, Watermark):
            self._alive(reading.source, reading.time_ns, reading.time_ns)
        self._sink.put(reading)

    def _alive(self, source: str, first_ns: int, last_ns: int) -> None:
        first, last = self._times.of(first_ns), self._times.of(last_ns)
        self._link.alive[source] = last
        if self._link.back is None:
            self._link.back = first
        if source in self._overruns:
            if self._link.cause is not None:  # until now it was an outage
                self._overruns[source].explained(first)
            self._overruns[source].reading(first, last)

    def _tell_overruns(self, *, now: bool = False) -> None:
        for overrun in self._overruns.values():
            for event in overrun.events(now=now):
                self._sink.put(event)

    def _up(self) -> None:
        self._health.refusals(self.device, self._collector.refused())
        if not self._health.set(self.device, "up", self._clock.now()):
            self._tell_overruns()
            return
        back = self._link.back or self._times.now()
        self._begin(back)
        for source in self._collector.sources:
            self._sink.put(Event(kind="link_up", time_ns=self._clock.now(), source=source.id))
            gap = self._close_gap(source.id, back, to_since=self._link.since)
            if gap is not None:  # whether the device was back before we asked again, nobody knows: that is ours
                start = self._times.stamp(max(self._link.failed, gap.begun, key=_monotonic))
                name, end = uuid.uuid4().hex, max(start, self._times.stamp(back))
                self._sink.put(gap_event(name, "waiting", source.id, self._clock.now(), start, end, inside=gap.id))
            if source.id in self._overruns:
                self._overruns[source.id].explained(back)
        self._link.cause = None

    def _down(self, state: Literal["down", "refused", "faulty"], cause: GapCause, status: int, text: Text) -> bool:
        """Store a failed attempt; return whether it is the first of its kind in a row."""
        if self._standstill is not None:
            self._standstill.look()
        now = self._link.failed = self._times.now()
        self._link.since = self._link.begun
        self._link.back = None
        self._begin(now)
        self._tell_overruns(now=True)
        first = self._health.set(self.device, state, now.ns, text)
        for frame in self._collector.failed(now.ns, status):
            self._health.count(self.device, len(frame), len(frame))
            self._sink.put(frame)
        if self._link.cause != cause:
            kind: Literal["refused", "link_down"] = "refused" if cause == "refused" else "link_down"
            for source in self._collector.sources:
                closed = self._close_gap(source.id, now)
                start = (self._known(source.id) or now) if closed is None else now
                self._sink.put(
                    Event(kind=kind, time_ns=now.ns, source=source.id, body={"text": text.en, "text_ko": text.ko})
                )
                self._open_gap(source.id, cause, start, now, now)
            self._link.cause = cause
        return first

    def _open_gap(self, source: str, cause: GapCause, begun: Moment, now: Moment, until: Moment) -> None:
        gap = self._link.gaps[source] = _Open(uuid.uuid4().hex, begun, until)
        self._tell_open(source, cause, gap, now)

    def _tell_open(self, source: str, cause: GapCause, gap: _Open, now: Moment) -> None:
        start, until_ns = self._times.stamp(gap.begun), self._times.stamp(max(gap.begun, gap.until, key=_monotonic))
        self._sink.put(gap_event(gap.id, cause, source, now.ns, start, None, from_until_ns=str(until_ns)))

    def _close_gap(self, source: str, to: Moment, *, to_since: Moment | None = None) -> _Open | None:
        """Close the source's open gap at `to`; return what it was, or None if none was open."""
        if source not in self._link.gaps or self._link.cause is None:
            return None
        gap = self._link.gaps.pop(source)
        start = self._times.stamp(gap.begun)
        end = max(self._times.stamp(to), start)
        since = end if to_since is None else min(max(self._times.stamp(to_since), start), end)
        until = max(self._times.stamp(gap.until), start)
        body: dict[str, Json] = {"from_until_ns": str(until), "to_since_ns": str(since)}
        event = gap_event(gap.id, self._link.cause, source, self._clock.now(), start, end, **body)
        self._sink.put(event)
        return gap


def _monotonic(moment: Moment) -> int:
    return moment.monotonic
