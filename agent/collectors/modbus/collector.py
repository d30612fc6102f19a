"""Reads one Modbus device: its groups on their grids, within its budget.

Schedule     `agent.collectors.schedule`: which group is read when.
Reading      `agent.collectors.modbus.group`: what is asked for, and what a refusal means.
Connection   `agent.collectors.modbus.bus`: what lies between a request and the wire, the budget's pace included.
             Anything but an answer ends the connection as `Unreachable`; the supervisor opens the next.

Looking for the value to blame, and asking again for what was refused, may take nine tenths of a group's interval,
leaves off when another group is due, and gets three seconds in any case, or a slow device would never be settled.

What is learned of the device goes into the box's memory at the end of the reading in which it was.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from agent.collectors.budget import Meter, Pace
from agent.collectors.modbus.cost import LinkCost, assumed, differs
from agent.collectors.modbus.explained import recalled
from agent.collectors.modbus.group import Group
from agent.collectors.modbus.learned import TOPIC
from agent.collectors.modbus.link import ModbusRefusal
from agent.collectors.modbus.unit import Unit
from agent.collectors.schedule import Grid
from agent.frame import Facts, Watermark

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent.collectors.base import Box, Read, Reading, Stats
    from agent.collectors.modbus.config import ModbusDevice
    from agent.frame import FrameBlock, Json, Source
    from settings.language import Text

SEARCH_LEAST_NS = 3_000_000_000
REMEMBER_COST_NS = 600_000_000_000
COST_KNOWN = 100
"""Round trips after which the measured cost is worth keeping."""


class ModbusCollector:
    """Implements `agent.collectors.base.Collector` for one device."""

    def __init__(self, config: ModbusDevice, box: Box) -> None:
        self._config = config
        self._box = box
        self._clock = box.clock
        self._sources = config.sources()
        self._learned = recalled(config, box.memory, self._clock.monotonic())
        self._remembered = self._learned.version
        self._cost_remembered_at = self._clock.monotonic()
        self._cost = LinkCost(self._learned.cost or assumed(config), config.request_gap)
        self._groups = [
            Group(
                source,
                [signal.span() for signal in group.signals],
                [signal.kind(config.word_order) for signal in group.signals],
                config.limits,
                self._learned,
                self._cost,
            )
            for source, group in zip(self._sources, config.groups, strict=True)
        ]
        self._grid = Grid(config.id, config.groups)
        self._pace = box.shared(  # a collector that is made anew inherits what the device was just asked
            ("modbus pace", config.id, config.place, config.unit, config.budget), lambda: Pace(config.budget)
        )
        self._unit = Unit(config, box, Meter(), self._pace)
        self._news: list[Facts] = []
        self._wake = asyncio.Event()

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
            self._clock.monotonic(),
            skipped=self._grid.skipped.total(),
            late=self._grid.late,
            slowdown=self._pace.slowdown,
            learned={**self._unit.learned, **self._learned.words()},
        )

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Read]:
        """Open the connection for the length of the block; each group is due at once.

        Raises:
            Unreachable: no connection within the timeout; the text says what to look at.
            Refused: a certificate; a person must act.
        """
        await self._unit.open()
        self._news = [self._connection_facts()]
        self._grid.connected(self._clock.monotonic())
        try:
            yield self._read
        finally:
            self._unit.close()

    def failed(self, time_ns: int, status: int) -> Sequence[FrameBlock]:
        """Return one bad frame per source, after what an interrupted reading has left."""
        for group in self._groups:
            group.fail_all(time_ns, status)
        return [group.take() for group in self._groups]

    def refused(self) -> Sequence[Text]:
        """Return a text for each signal, or row of signals, that the device refuses now."""
        return [text for group in self._groups for text in group.texts()]

    def retry(self) -> None:
        """Ask at once again for all that was refused; where nothing was, at the next slot."""
        self._learned.retry()
        for group in self._groups:
            group.retry()
        self._grid.retry(position for position, group in enumerate(self._groups) if group.refuses)
        self._wake.set()

    async def _read(self) -> Sequence[Reading]:
        """Wait for the group that is due first and read it."""
        position = await self._next()
        group = self._groups[position]
        answered = await self._read_group(position, group)
        self._unit.rest()
        self._grid.finished(position, self._clock.monotonic())
        self._remember()
        readings: list[Reading] = [*self._news, group.take()]
        self._news = []
        if answered is not None:
            readings.append(Watermark(group.source.id, answered))
        return readings

    async def _next(self) -> int:
        """Return the position of the group to read now, as soon as there is one."""
        while True:
            position, wait = self._grid.due(self._clock.monotonic())
            if not wait:
                return position
            self._wake.clear()
            await self._clock.wait(self._wake, wait / 1e9)

    async def _read_group(self, position: int, group: Group) -> int | None:
        """Ask for every value of a group once; return when the last answer came, None if nothing was asked."""
        begun = now = self._clock.monotonic()
        interval = group.source.interval_ns
        until = begun + max(SEARCH_LEAST_NS, self._idle_ns(position, begun, interval * 9 // 10))
        answered: int | None = None
        group.begin(begun)
        while (block := group.next(now + self._pace.wait_ns(now), until)) is not None:
            span = block.span
            sent, reply = await self._unit.ask(span)
            if answered is None:
                self._grid.started(position, sent)
            answered, now = self._clock.now(), self._clock.monotonic()
            if isinstance(reply, ModbusRefusal):
                group.round_trip(answered, now - sent, reply.code)
                group.refuse(block, reply.code, now, answered)
            else:
                group.round_trip(answered, now - sent, None)
                group.serve(block, reply, answered)
                self._cost.observe(span.count / 16 if span.table.bits else span.count, now - sent)
        group.end(self._clock.now() if answered is None else answered)
        return answered

    def _idle_ns(self, position: int, now: int, most: int) -> int:
        """Return how long nobody else needs the device, at most `most`."""
        others = self._grid.others_due(position)
        return most if others is None else min(most, others - now)

    def _remember(self) -> None:
        """Keep what is new."""
        now, known, measured = self._clock.monotonic(), self._learned.cost, self._cost.measured
        if known is None:
            new = self._cost.observed >= COST_KNOWN
        else:
            new = now - self._cost_remembered_at > REMEMBER_COST_NS and differs(measured, known)
        if not new and self._remembered == self._learned.version:
            return
        if new:
            self._learned.cost, self._cost_remembered_at = measured, now
        self._remembered = self._learned.version
        self._box.memory.remember(self.device, TOPIC, self._learned.body())

    def _connection_facts(self) -> Facts:
        body: dict[str, Json] = self._unit.facts()
        body["plan"] = {
            group.source.id: {
                "requests": len(group.planned),
                "addresses": sum(block.span.count for block in group.planned),
                "signals": len(group.source.signals),
            }
            for group in self._groups
        }
        return Facts(kind="connection", time_ns=self._clock.now(), subject=self._config.id, body=body)
