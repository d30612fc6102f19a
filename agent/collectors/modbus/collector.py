"""Reads one Modbus TCP device: the schedule, the readings, and what to do when the device says no.

Schedule. Each group has a fixed grid on the monotonic clock that begins when the connection opens. All groups
share the connection; the one that is due first goes first, among equals the one unread for longest. After a
reading the next slot is the first one that still lies ahead; those before it are skipped and counted, so that a
slow device is read less often instead of ever later.

Refusals. What to do when the device says no to a request is decided in `agent.collectors.modbus.group`. Looking
for the value to blame may take one poll interval (at least 3 s) of a reading; it goes on in the next one.

Connection. Anything but an answer ends the connection as `Unreachable`; the supervisor opens the next. One case
is mended here without a word: a connection that has served before and is found closed is opened again and asked
once more, because devices close idle connections as a matter of course.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.collectors.base import Stats
from agent.collectors.modbus.group import Group
from agent.collectors.modbus.link import LinkGarbled, LinkLost, LinkSilent, ModbusRefusal, open_link
from agent.errors import Unreachable
from agent.frame import Facts, Watermark
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent.collectors.base import Box, Read, Reading
    from agent.collectors.modbus.config import ModbusDevice
    from agent.collectors.modbus.link import ReadLink
    from agent.collectors.modbus.plan import Span
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
        idle_reconnects: Connections that the device had closed and that were opened again without loss.
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
        self._link: ReadLink | None = None
        self._news: list[Facts] = []
        self._wake = asyncio.Event()
        self.skipped: Counter[str] = Counter()
        self.idle_reconnects = 0

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
        return Stats(idle_reconnects=self.idle_reconnects, skipped=self.skipped.total())

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Read]:
        """Open the connection for the length of the block; each group is due at once.

        Raises:
            Unreachable: no connection within the timeout; the text says what to look at.
        """
        await self._open()
        self._news = [self._connection_facts()]
        now = self._clock.monotonic()
        for poll in self._polls:
            poll.due = now
        try:
            yield self._read
        finally:
            self._close()

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
            sent, reply = await self._ask(block.span)
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

    async def _ask(self, span: Span) -> tuple[int, bytes | ModbusRefusal]:
        """Send one request; return the monotonic time at which it went out, and the answer.

        Raises:
            Unreachable: there was no answer, or not to this question.
        """
        if self._config.request_gap:
            await self._clock.sleep(self._config.request_gap / 1e9)
        assert self._link is not None
        try:
            try:
                return self._clock.monotonic(), await self._link.read(span)
            except LinkLost:
                if not self._link.answered:
                    raise
                self.idle_reconnects += 1
                self._close()
                link = await self._open()
                return self._clock.monotonic(), await link.read(span)
        except (LinkLost, LinkSilent, LinkGarbled) as exc:
            raise Unreachable(self._explain(exc, span)) from exc

    async def _open(self) -> ReadLink:
        config = self._config
        try:
            self._link = await open_link(
                config.host,
                config.port,
                unit=config.unit,
                timeout_s=config.timeout / 1e9,
                source_address=config.source_address,
            )
        except OSError as exc:
            raise Unreachable(f"{self._where()}: {_no_connection(exc, config)}") from exc
        return self._link

    def _close(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _where(self) -> str:
        return f"{self._config.id} ({self._config.host}:{self._config.port}, unit {self._config.unit})"

    def _explain(self, exc: Exception, span: Span) -> str:
        if isinstance(exc, LinkSilent):
            return (
                f"{self._where()}: connected, but no answer within {self._config.timeout / 1e9:g} s to reading "
                f"{span}: check the unit id, that no other master keeps the device busy, and timeout"
            )
        if isinstance(exc, LinkLost):
            return (
                f"{self._where()}: {exc} while reading {span}: check that the device runs and has a free connection"
            )
        return f"{self._where()}: wrong answer to reading {span} ({exc}): check the unit id"

    def _connection_facts(self) -> Facts:
        config = self._config
        return Facts(
            kind="connection",
            time_ns=self._clock.now(),
            subject=config.id,
            body={
                "protocol": "modbus-tcp",
                "security": "none",
                "mode": "None",
                "policy": "None",
                "peer_authenticated": False,
                "host": config.host,
                "port": config.port,
                "unit": config.unit,
            },
        )


def _no_connection(exc: OSError, config: ModbusDevice) -> str:
    """Say why no connection came about and what to look at; the system's words come last."""
    if isinstance(exc, TimeoutError):
        return f"no connection within {config.timeout / 1e9:g} s: check power, cable, address and firewall"
    if isinstance(exc, socket.gaierror):
        return f"the name is not known: check host, or write the IP address ({exc.strerror})"
    if exc.errno == errno.ECONNREFUSED:
        return f"connection refused: check that the device's Modbus server is on and the port is right ({exc})"
    if exc.errno == errno.EADDRNOTAVAIL:
        return f"cannot connect from {config.source_address}: check source_address and the network card ({exc})"
    return f"no connection: check cable, address and gateway ({exc})"
