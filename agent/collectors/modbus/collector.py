"""Reads one Modbus TCP device: the schedule, the readings, and what to do when the device says no.

Schedule. Each group has a fixed grid on the monotonic clock that begins when the connection opens. All groups
share the connection; the one that is due first goes first, among equals the one unread for longest. After a
reading the next slot is the first one that still lies ahead; those before it are skipped and counted, so that a
slow device is read less often instead of ever later.

Refusals. What to do when the device says no to a request is decided in `agent.collectors.modbus.group`. Looking
for the value to blame may take one poll interval (at least 3 s) of a reading; it goes on in the next one.

Connection. Anything but an answer ends the connection as `Unreachable`; the supervisor opens the next. What lies
between a request and the wire stands in `agent.collectors.modbus.bus`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.collectors.modbus.bus import Unit
from agent.collectors.modbus.group import Group
from agent.collectors.modbus.link import ModbusRefusal
from agent.frame import Facts, Watermark
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent.collectors.base import Box, Read, Reading, Stats
    from agent.collectors.modbus.config import ModbusDevice
    from agent.frame import FrameBlock, Source

HALVING_NS = 3_000_000_000


@dataclass(slots=True)
class _Poll:
    """A group on its grid."""

    group: Group
    interval: int
    due: int = 0
    begun: int = 0  # start of its last reading
    again: bool = False  # asked by `retry` to read out of turn and forget refusals


class ModbusCollector:
    """Implements `agent.collectors.base.Collector` for one device.

    Attributes:
        skipped: Slots that were skipped because an earlier reading took too long, per source id.
    """

    def __init__(self, config: ModbusDevice, box: Box) -> None:
        self._config = config
        self._box = box
        self._clock = box.clock
        self._sources = config.sources()
        self._polls = [
            _Poll(
                Group(
                    source,
                    [signal.span() for signal in group.signals],
                    [signal.kind(config.word_order) for signal in group.signals],
                    config.limits,
                ),
                group.every,
            )
            for source, group in zip(self._sources, config.groups, strict=True)
        ]
        self._unit = Unit(config, box)
        self._news: list[Facts] = []
        self._wake = asyncio.Event()
        self.skipped: Counter[str] = Counter()

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
        return self._unit.meter.stats(
            self._clock.monotonic(), skipped=self.skipped.total(), learned=self._unit.learned
        )

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Read]:
        """Open the connection for the length of the block; each group is due at once.

        Raises:
            Unreachable: no connection within the timeout; the text says what to look at.
        """
        await self._unit.open()
        self._news = [self._connection_facts()]
        now = self._clock.monotonic()
        for poll in self._polls:
            poll.due = now
        try:
            yield self._read
        finally:
            self._unit.close()

    def failed(self, time_ns: int, status: int) -> Sequence[FrameBlock]:
        """Return one bad frame per source, after what an interrupted reading has left."""
        for poll in self._polls:
            poll.group.fail_all(time_ns, status)
        return [poll.group.take() for poll in self._polls]

    def refused(self) -> Sequence[Text]:
        """Return a text for each signal, or block of signals, that the device refuses now."""
        return [Text(text, text) for poll in self._polls for text in poll.group.texts()]

    def retry(self) -> None:
        """Ask for everything again: groups with refusals at once, the others at their next slot."""
        for poll in self._polls:
            poll.again = True
        self._wake.set()

    async def _read(self) -> Sequence[Reading]:
        """Wait for the group that is due first and read it."""
        poll = await self._next()
        in_turn = self._clock.monotonic() >= poll.due
        answered = await self._read_group(poll)
        self._unit.rest()
        if in_turn:
            slots = max(1, -(-(self._clock.monotonic() - poll.due) // poll.interval))  # rounded up
            poll.due += slots * poll.interval
            if slots > 1:
                self.skipped[poll.group.source.id] += slots - 1
        readings: list[Reading] = [*self._news, poll.group.take()]
        self._news = []
        if answered is not None:
            readings.append(Watermark(poll.group.source.id, answered))
        return readings

    async def _next(self) -> _Poll:
        """Return the group to read now, as soon as there is one."""
        while True:
            for poll in self._polls:
                if poll.again and poll.group.texts():
                    return poll
            poll = min(self._polls, key=lambda p: (p.due, p.begun))
            wait = poll.due - self._clock.monotonic()
            if wait <= 0:
                return poll
            self._wake.clear()
            await self._clock.wait(self._wake, wait / 1e9)

    async def _read_group(self, poll: _Poll) -> int | None:
        """Ask for every value of a group once; return when the last answer came, None if nothing was asked."""
        group = poll.group
        if poll.again:
            poll.again = False
            group.forget()
        poll.begun = self._clock.monotonic()
        stop_halving: int | None = None  # the first refusal is always followed, or a slow device is never settled
        todo = group.begin(poll.begun)
        answered: int | None = None
        while todo:
            block = todo.popleft()
            sent, reply = await self._unit.ask(block.span)
            answered, received = self._clock.now(), self._clock.monotonic()
            if isinstance(reply, ModbusRefusal):
                group.round_trip(answered, received - sent, reply.code)
                halve = stop_halving is None or received < stop_halving
                pieces = group.refuse(block, reply.code, answered, halve=halve)
                todo.extend(pieces)  # after the blocks that may be sound: those do not wait for the search
                if pieces and stop_halving is None:
                    stop_halving = received + max(poll.interval, HALVING_NS)
            else:
                group.round_trip(answered, received - sent, None)
                group.serve(block, reply, answered)
        group.end(self._clock.monotonic(), self._clock.now() if answered is None else answered)
        return answered

    def _connection_facts(self) -> Facts:
        return Facts(kind="connection", time_ns=self._clock.now(), subject=self._config.id, body=self._unit.facts())
