"""One connection for all units behind a host and port or on a serial line, and what silence on it means.

`Bus` owns the connection; a `Unit` is one device of the configuration. Units take turns, first come, first served;
each has at most one request waiting, so none is passed over. The first that needs the connection opens it, the
last that leaves closes it. What happens when no answer comes:

    one answer lost        The unit is asked for something small. If that is answered, only a frame was lost: the
                           request is repeated and nobody hears of it. Otherwise the unit is `Unreachable`, and its
                           supervisor leaves it alone for a growing time of at most 3 s.
    one unit silent        The connection stays. When its supervisor comes back, the small question goes first,
                           with a patience of four times the longest round trip seen here (every fifth time the
                           whole timeout). While others are alive, silent units are asked one at a time and get
                           at most a third of the bus.
    everybody silent       When two units that have answered on this connection fall silent with no answer in
                           between, or there is nobody else and the second question in a row is in vain, it is
                           closed, and opened by whoever comes next. Units known to be off prove nothing
                           against it. A serial port stays open.
    connection closed      One that has served before is opened again and the request is sent once more, because
                           devices close idle connections as a matter of course. One that has not is `Unreachable`.
    no connection          All who were waiting for it learn so at once instead of trying one after the other.

A refusal (exception) is an answer, also one of a gateway that cannot reach the unit (10, 11): no reason for any of
this.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import TYPE_CHECKING

from agent.collectors.modbus import tls
from agent.collectors.modbus.dial import dial
from agent.collectors.modbus.link import LinkGarbled, LinkLost, LinkSilent, nothing_owed
from agent.errors import Refused

if TYPE_CHECKING:
    from agent.collectors.base import Box
    from agent.collectors.modbus.link import ModbusRefusal, ReadLink
    from agent.collectors.modbus.plan import Span
    from agent.collectors.modbus.unit import Unit

logger = logging.getLogger(__name__)

PATIENCE_LEAST_NS = 250_000_000
WHOLE_PATIENCE_EVERY = 5
COLD_STARTS = 2
"""So many connections in a row whose first request was ignored are no accident."""
WARMUP = "the first request after connecting is ignored: write warmup: 500ms, or longer if that does not help"
_NOT_CONNECTED = (OSError, Refused)


class Bus:
    """The connection. Made by `Box.shared` for the first unit that belongs there."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._clock = box.clock
        self._turn = asyncio.Lock()
        self._link: ReadLink | None = None
        self._owed = nothing_owed()
        self._attempts = 0
        self._failure: tuple[int, Exception] = (0, OSError())  # number of the attempt
        self._gap = 0  # the largest of all users
        self._ended = 0  # monotonic time of the last traffic
        self._opened = 0  # connections so far
        self._live: set[Unit] = set()  # who answers on this connection
        self._doubtful: set[Unit] = set()  # those of them who have not answered since the last answer of any
        self._in_vain = 0  # questions since then
        self._slowest = 0  # longest round trip of late
        self._fresh = False  # nobody has been answered on this connection
        self._ignored: Unit | None = None  # whose first request on it was not answered
        self._cold = 0
        self._probing = asyncio.Lock()
        self._probe_from = 0
        self.users: set[Unit] = set()

    @property
    def link(self) -> ReadLink | None:
        """The connection, if there is one."""
        return self._link

    @property
    def cold(self) -> bool:
        """Whether the device seems to ignore the first request after connecting."""
        return self._cold >= COLD_STARTS

    def owes(self, unit: Unit) -> bool:
        """Whether an answer of the unit may still come that fits another question."""
        return bool(self._owed[unit.number])

    async def join(self, unit: Unit) -> None:
        """Let a unit in, and connect if nobody has."""
        self.users.add(unit)
        self._gap = max(user.gap_ns for user in self.users)
        unit.resting = False
        seen = self._attempts
        async with self._turn:
            if self._link is None:
                await self._open(unit, seen)

    def leave(self, unit: Unit) -> None:
        """Let a unit go; the last one closes the connection."""
        self.users.discard(unit)
        self._gap = max((user.gap_ns for user in self.users), default=0)
        if unit not in self._doubtful:
            self._live.discard(unit)
        self.rest(unit)

    def rest(self, unit: Unit) -> None:
        """Close the connection if nobody needs it now."""
        unit.resting = True
        if not self._turn.locked() and all(user.resting for user in self.users):
            self._drop()

    async def request(self, unit: Unit, span: Span, *, small: bool = False) -> tuple[int, bytes | ModbusRefusal]:
        """Send a request when it is the unit's turn; return when it went out, and the answer.

        Args:
            unit: Who asks.
            span: What to read.
            small: Ask for as little as possible there, and wait no longer than usual.

        Raises:
            LinkLost, LinkSilent, LinkGarbled: no answer.
            OSError, Refused: no connection.
        """
        seen = self._attempts
        unit.resting = False
        async with self._turn:
            link = self._link or await self._open(unit, seen)
            try:
                return await self._send(link, unit, span, small=small)
            except LinkLost:
                if not link.answered:
                    raise
        await unit.paced()  # the request that was lost may have reached the device
        async with self._turn:
            if self._link is None:
                await self._open(unit, seen)
                unit.meter.idle_reconnects += 1
            assert self._link is not None
            return await self._send(self._link, unit, span, small=small)

    async def probe(self, unit: Unit) -> None:
        """Ask a unit that was silent whether it is there; returns when anything was answered.

        Raises:
            as `request`.
        """
        async with self._probing:
            if self._others_live(unit):
                await self._sleep_until(self._probe_from)
            begun = self._clock.monotonic()
            try:
                await self.request(unit, unit.anywhere, small=True)
            except LinkSilent:
                now = self._clock.monotonic()
                self._probe_from = now + 2 * (now - begun)
                raise

    async def _send(
        self, link: ReadLink, unit: Unit, span: Span, *, small: bool
    ) -> tuple[int, bytes | ModbusRefusal]:
        if gap := max(self._gap, unit.gap_ns, link.gap_ns):
            await self._sleep_until(self._ended + gap)
        wire = unit.wire_ns(span) / 1e9
        leaves = link.active
        sent = self._clock.monotonic()
        try:
            if small:
                patience = self._patience_ns(unit) / 1e9
                answer = await link.probe(unit.device, unit.number, span, patience + wire)
            else:
                answer = await link.read(unit.device, unit.number, span, unit.timeout_ns / 1e9 + wire)
        except asyncio.CancelledError:
            unit.lost(sent, self._clock.monotonic())
            raise
        except LinkLost:
            if leaves:
                unit.lost(sent, self._clock.monotonic())
            self._drop()
            if unit.config.tls is not None and isinstance(link.cause, ssl.SSLError):
                raise Refused(tls.explain(link.cause, str(unit.config.host))) from link.cause
            raise
        except (LinkSilent, LinkGarbled) as exc:
            self._ended = self._clock.monotonic()
            unit.silent(sent, self._ended)
            if isinstance(exc, LinkSilent):
                self._silent(unit)
            elif not link.active:
                self._drop()
            raise
        self._ended = self._clock.monotonic()
        unit.answered(sent, self._ended, span, answer)
        self._answered(unit, self._ended - sent)
        return sent, answer

    async def _open(self, unit: Unit, seen: int) -> ReadLink:
        """Connect; `seen` is the number of attempts when the caller began to wait."""
        number, failure = self._failure
        if number > seen:
            raise failure
        self._attempts += 1
        number = self._attempts
        try:
            self._link = await dial(unit.config, self._box, self._owed)
        except _NOT_CONNECTED as exc:
            self._failure = (number, exc)
            raise
        self._failure = (0, OSError())
        unit.meter.reconnects += self._opened > 0
        self._opened += 1
        self._live.clear()
        self._doubtful.clear()
        self._in_vain = 0
        self._fresh, self._ignored = True, None
        if warmup := max(user.config.warmup for user in (unit, *self.users)):
            await self._clock.sleep(warmup / 1e9)
        return self._link

    def _drop(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _silent(self, unit: Unit) -> None:
        if self._fresh and self._ignored is None:
            self._ignored = unit
        self._in_vain += 1
        if unit in self._live:
            self._doubtful.add(unit)
        nobody_else = self._in_vain > 1 and self._live == self._doubtful
        if (nobody_else or len(self._doubtful) > 1) and unit.config.serial is None:
            self._drop()

    def _answered(self, unit: Unit, rtt: int) -> None:
        self._live -= self._doubtful  # the connection is sound: they are off
        self._live.add(unit)
        self._doubtful.clear()
        self._in_vain = 0
        self._slowest = max(rtt, self._slowest - self._slowest // 256)
        if not self._fresh:
            return
        self._fresh = False
        self._cold = self._cold + 1 if self._ignored is unit else 0
        if self._cold == COLD_STARTS:
            logger.warning("%s (%s): %s", unit.device, unit.config.place, WARMUP)

    def _patience_ns(self, unit: Unit) -> int:
        if not self._slowest or unit.missed % WHOLE_PATIENCE_EVERY == WHOLE_PATIENCE_EVERY - 1:
            return unit.timeout_ns
        return min(unit.timeout_ns, max(PATIENCE_LEAST_NS, 4 * self._slowest))

    def _others_live(self, unit: Unit) -> bool:
        return any(not user.missed and user.met for user in self.users if user is not unit)

    async def _sleep_until(self, moment: int) -> None:
        if (wait := moment - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait / 1e9)
