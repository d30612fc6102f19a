"""Reads one LS ELECTRIC PLC: the schedule, the readings, and what to do when the PLC says no.

When the groups are read is `agent.collectors.schedule`; how often the PLC is asked at most,
`agent.collectors.budget`; what to do with a refusal, `agent.collectors.xgt.group`. Looking for the value to blame
may take one poll interval (at least 3 s) of a reading; it goes on in the next one. What lies between a request and
the wire is `agent.collectors.xgt.line`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from agent.collectors.budget import Meter, Pace
from agent.collectors.schedule import Grid
from agent.collectors.xgt.frame import Refusal
from agent.collectors.xgt.group import Group
from agent.collectors.xgt.learned import TOPIC
from agent.collectors.xgt.line import Where, line
from agent.collectors.xgt.signal import ERROR, STATE
from agent.frame import Facts, Watermark

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent.collectors.base import Box, Read, Reading, Stats
    from agent.collectors.xgt.config import XgtDevice, XgtGroup
    from agent.collectors.xgt.frame import PlcInfo, Reply
    from agent.collectors.xgt.group import Block
    from agent.frame import FrameBlock, Json, Source
    from settings.language import Text

SEARCH_NS = 3_000_000_000
_TOLD = {STATE: "state", ERROR: "error"}


class XgtCollector:
    """Implements `agent.collectors.base.Collector` for one PLC."""

    def __init__(self, config: XgtDevice, box: Box) -> None:
        self._config = config
        self._box = box
        self._clock = box.clock
        self._where = Where(
            device=config.id,
            host=config.host,
            port=config.port,
            station=config.station,
            timeout_s=config.timeout / 1e9,
            source_address=config.source_address,
        )
        self._line = line(box, self._where)
        self._sources = config.sources()
        self._learned = config.learned(box.memory)
        self._groups = [
            self._group(source, group) for source, group in zip(self._sources, config.groups, strict=True)
        ]
        self._grid = Grid(config.id, config.groups)
        self._pace = box.shared(  # a collector that is made anew inherits what the PLC was just asked
            ("xgt pace", config.id, config.host, config.port, config.budget), lambda: Pace(config.budget)
        )
        self._meter = Meter()
        self._connected = False
        self._news: list[Facts] = []
        self._known: PlcInfo | None = None
        self._forget = False
        self._wake = asyncio.Event()

    def _group(self, source: Source, group: XgtGroup) -> Group:
        return Group(
            source,
            [signal.value() for signal in group.signals],
            [signal.kind(self._config.word_order) for signal in group.signals],
            {i: _TOLD[s.address] for i, s in enumerate(group.signals) if s.address in _TOLD},
            self._config.limits,
            self._learned,
        )

    @property
    def device(self) -> str:
        """Id of the device in the configuration."""
        return self._config.id

    @property
    def sources(self) -> tuple[Source, ...]:
        """One per group."""
        return self._sources

    @property
    def stats(self) -> Stats:
        """What it has done so far."""
        return self._meter.stats(
            self._clock.monotonic(),
            skipped=self._grid.skipped.total(),
            late=self._grid.late,
            slowdown=self._pace.slowdown,
            learned=self._learned.words(),
        )

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Read]:
        """Open the connection for the length of the block; each group is due at once.

        Raises:
            Unreachable: no connection within the timeout; the text says what to look at.
        """
        await self._line.join(self._where)
        try:
            self._meter.reconnects += self._connected
            self._connected = True
            self._news = [self._connection()]
            self._known = None
            self._grid.connected(self._clock.monotonic())
            yield self._read
        finally:
            self._line.leave()

    def failed(self, time_ns: int, status: int) -> Sequence[FrameBlock]:
        """Return one bad frame per source, after what an interrupted reading has left."""
        for group in self._groups:
            group.fail_all(time_ns, status)
        return [group.take() for group in self._groups]

    def refused(self) -> Sequence[Text]:
        """Return a text for each signal, or block of signals, that the PLC refuses now."""
        return [text for group in self._groups for text in group.texts()]

    def retry(self) -> None:
        """Ask for everything again: groups with refusals at once, the others at their next slot."""
        self._forget = True
        self._grid.retry(i for i, group in enumerate(self._groups) if group.texts())
        self._wake.set()

    async def _read(self) -> Sequence[Reading]:
        """Wait for the group that is due first and read it."""
        position = await self._next()
        group = self._groups[position]
        answered = await self._read_group(position)
        self._grid.finished(position, self._clock.monotonic())
        if self._learned.news:
            self._learned.news = False
            self._box.memory.remember(self._config.id, TOPIC, self._learned.body())
        readings: list[Reading] = [*self._news, group.take()]
        self._news = []
        if answered is not None:
            readings.append(Watermark(group.source.id, answered))
        return readings

    async def _next(self) -> int:
        """Return the position of the group to read now, as soon as there is one."""
        while True:
            self._wake.clear()
            position, wait = self._grid.due(self._clock.monotonic())
            if wait <= 0:
                return position
            await self._clock.wait(self._wake, wait / 1e9)

    async def _read_group(self, position: int) -> int | None:
        """Ask for every value of a group once; return when the last answer came, None if nothing was asked."""
        group, every = self._groups[position], self._config.groups[position].every
        now = self._clock.monotonic()
        if self._forget:
            self._forget = False
            self._learned.forget()
            for each in self._groups:
                each.forget()
        self._learned.retest(now)
        stop: int | None = None  # the first refusal is always followed, or a slow PLC is never settled
        todo = group.begin(now)
        answered: int | None = None
        while todo:
            block = todo.popleft()
            reply, sent = await self._ask(block, position, first=answered is None)
            answered, received = self._clock.now(), self._clock.monotonic()
            if isinstance(reply, Refusal):
                group.round_trip(answered, received - sent, reply)
                pieces = group.refuse(block, reply, answered, search=stop is None or received < stop)
                todo.extend(pieces)  # after the blocks that may be sound: those do not wait for the search
                if pieces and stop is None:
                    stop = received + max(every, SEARCH_NS)
            else:
                group.round_trip(answered, received - sent, None)
                group.serve(block, reply, answered)
        group.end(self._clock.monotonic(), self._clock.now() if answered is None else answered)
        if answered is None:
            self._grid.started(position, now)
        return answered

    async def _ask(self, block: Block, position: int, *, first: bool) -> tuple[Reply | Refusal, int]:
        """Send one request within the budget; return the answer, and the monotonic time at which it was sent.

        Raises:
            Unreachable: there was no answer, or not to this question.
        """
        if self._config.request_gap:
            await self._clock.sleep(self._config.request_gap / 1e9)
        await self._paced()
        got = await self._line.ask(self._where, block.request.ask, self._given_up, self._paced)
        if first:
            self._grid.started(position, got.sent)
        self._meter.answered(got.sent, got.received, exception=isinstance(got.reply, Refusal))
        self._pace.answered(got.sent, got.received)
        if got.reopened:
            self._meter.reconnects += 1
            self._meter.idle_reconnects += 1
        self._learn_who(got.reply.info)
        return got.reply, got.sent

    async def _paced(self) -> None:
        """Wait until the budget lets the next request leave."""
        while wait := self._pace.wait_ns(self._clock.monotonic()):
            await self._clock.sleep(wait / 1e9)

    def _given_up(self, sent: int, *, silent: bool) -> None:
        """Take a request that left and got no answer: nobody knows whether the PLC has taken it."""
        now = self._clock.monotonic()
        (self._meter.silent if silent else self._meter.lost)(sent, now)
        self._pace.silent(now)

    def _learn_who(self, info: PlcInfo) -> None:
        """Tell who answers, once a session and when it changes: another CPU, another program, another meaning."""
        known = self._known
        if known is not None and (known.cpu, known.raw & 0x7F, known.company) == (
            info.cpu, info.raw & 0x7F, info.company,
        ):  # fmt: skip
            return
        self._known = info
        body: dict[str, Json] = {
            "series": info.series,
            "cpu_type": info.cpu_type,
            "redundant_slave": info.slave,
            "company": info.company,
        }
        self._news.append(Facts(kind="fingerprint", time_ns=self._clock.now(), subject=self._config.id, body=body))

    def _connection(self) -> Facts:
        config = self._config
        body: dict[str, Json] = {
            "protocol": "xgt-fenet",
            "security": "none",
            "mode": "None",
            "policy": "None",
            "peer_authenticated": False,
            "host": config.host,
            "port": config.port,
            "cpu": config.cpu,
            "base": config.base,
            "slot": config.slot,
        }
        return Facts(kind="connection", time_ns=self._clock.now(), subject=config.id, body=body)
