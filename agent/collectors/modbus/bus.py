"""One connection for all units behind a host and port or on a serial line, and what silence on it means.

`Bus` owns the connection; `Unit` is one device of the configuration, as its collector asks it. Units take turns,
first come, first served; each has at most one request waiting, so none is passed over. The first that needs the
connection opens it, the last that leaves closes it. What happens when no answer comes:

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
import contextlib
import logging
import ssl
from typing import TYPE_CHECKING

from agent.collectors.budget import Meter
from agent.collectors.modbus import faults, tls
from agent.collectors.modbus.dial import dial
from agent.collectors.modbus.link import (
    LinkGarbled,
    LinkLost,
    LinkSilent,
    ModbusRefusal,
    nothing_owed,
    size,
)
from agent.collectors.modbus.plan import Span
from agent.errors import Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from agent.collectors.base import Box
    from agent.collectors.budget import Pace
    from agent.collectors.modbus.config import ModbusDevice
    from agent.collectors.modbus.link import ReadLink
    from agent.frame import Json

logger = logging.getLogger(__name__)

PATIENCE_LEAST_NS = 250_000_000
WHOLE_PATIENCE_EVERY = 5
COLD_STARTS = 2
"""So many connections in a row whose first request was ignored are no accident."""
_WARMUP = "the first request after connecting is ignored: write warmup: 500ms, or longer if that does not help"
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
            link = await self._open(unit, seen)
            unit.meter.idle_reconnects += 1
            return await self._send(link, unit, span, small=small)

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
        if gap := max(self._gap, unit.gap_ns):
            await self._sleep_until(self._ended + gap)
        wire = unit.wire_ns(span) / 1e9
        sent = self._clock.monotonic()
        try:
            if small:
                patience = self._patience_ns(unit) / 1e9
                answer = await link.probe(unit.device, unit.number, span, patience + wire)
            else:
                answer = await link.read(unit.device, unit.number, span, unit.timeout_ns / 1e9 + wire)
        except LinkLost:
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
            logger.warning("%s (%s): %s", unit.device, unit.config.place, _WARMUP)

    def _patience_ns(self, unit: Unit) -> int:
        if not self._slowest or unit.missed % WHOLE_PATIENCE_EVERY == WHOLE_PATIENCE_EVERY - 1:
            return unit.timeout_ns
        return min(unit.timeout_ns, max(PATIENCE_LEAST_NS, 4 * self._slowest))

    def _others_live(self, unit: Unit) -> bool:
        return any(not user.missed and user.met for user in self.users if user is not unit)

    async def _sleep_until(self, moment: int) -> None:
        if (wait := moment - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait / 1e9)


class Unit:
    """One device of the configuration, as its collector asks it; used by one task.

    It counts what goes over the wire, its own small questions included, so its collector must not.

    Args:
        config: Of the device.
        box: Holds what is shared: the bus.
        meter: Counts requests, refusals, timeouts and connections.
        pace: When given, every request waits until it may leave.

    Attributes:
        missed: Answers in a row that did not come.
        met: Whether it has ever answered.
        resting: Between two readings.
    """

    def __init__(
        self, config: ModbusDevice, box: Box, meter: Meter | None = None, pace: Pace | None = None
    ) -> None:
        self.config = config
        self.meter = meter or Meter()
        self._pace = pace
        self._clock = box.clock
        self._bus = box.shared(
            ("modbus", config.transport, config.place, config.serial, config.tls, config.source_address),
            lambda: Bus(box),
        )
        first = config.groups[0].signals[0].span()
        self.anywhere = Span(first.table, first.start, 1)
        self.device = config.id
        self.number = config.unit
        self.timeout_ns = config.timeout
        self.gap_ns = max(config.request_gap, self._silence_ns())
        self.missed = 0
        self.met = False
        self._served = False
        self.resting = True

    async def open(self) -> None:
        """Connect, and make sure that a unit that was silent is there again.

        Raises:
            Unreachable: no connection or no answer within the timeout; the text says what to look at.
            Refused: a certificate; a person must act.
        """
        with self._explained(self.anywhere):
            try:
                await self._bus.join(self)
                if self.missed:
                    await self._paced()
                    await self._bus.probe(self)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Leave the connection; harmless when it was not open."""
        self._bus.leave(self)

    def rest(self) -> None:
        """Say that a reading is over: with `connection: per_cycle` the connection is closed."""
        if self.config.connection == "per_cycle":
            self._bus.rest(self)

    async def ask(self, span: Span) -> tuple[int, bytes | ModbusRefusal]:
        """Send one request; return the monotonic time at which it went out, and the answer.

        Raises:
            Unreachable: there was no answer, or not to this question.
            Refused: the connection had to be opened again, and that needs a person.
        """
        with self._explained(span):
            await self._paced()
            if self._bus.owes(self):
                await self._bus.request(self, self.anywhere, small=True)
                await self._paced()
            try:
                return await self._bus.request(self, span)
            except LinkSilent:
                pass
            except LinkGarbled:
                if self.config.transport in {"tcp", "tls"}:
                    raise
            await self._paced()
            await self._bus.request(self, self.anywhere, small=True)
            await self._paced()
            return await self._bus.request(self, span)

    @property
    def learned(self) -> dict[str, Json]:
        """What was learned about the connection, in words."""
        if not self._bus.cold:
            return {}
        return {"warmup": _WARMUP}

    def facts(self) -> dict[str, Json]:
        """Return what the fact "connection" says about the session in use."""
        config = self.config
        body: dict[str, Json] = {
            "protocol": "modbus-rtu" if config.serial is not None else f"modbus-{config.transport}",
            "security": "none",
            "mode": "None",
            "policy": "None",
            "peer_authenticated": False,
            "unit": config.unit,
        }
        if config.serial is not None:
            return body | {"serial": config.place, "baudrate": config.serial.baudrate}
        body |= {"host": config.host, "port": config.port}
        link = self._bus.link
        if config.tls is not None and link is not None and link.transport is not None:
            body |= tls.described(link.transport.get_extra_info("ssl_object"), config.tls)
        return body

    def wire_ns(self, span: Span) -> int:
        """Return how long question and answer are on a serial line; elsewhere 0."""
        return 0 if self.config.serial is None else round((13 + size(span)) * self._character_ns())

    # What the bus tells

    def answered(self, sent: int, now: int, span: Span, answer: bytes | ModbusRefusal) -> None:
        """Take note of an answer."""
        self.missed = 0
        self.met = True
        if not self._served and isinstance(answer, bytes):
            self._served = True
            self.anywhere = Span(span.table, span.start, 1)  # some devices ignore what they do not have
        self.meter.answered(sent, now, exception=isinstance(answer, ModbusRefusal))
        if self._pace is not None:
            self._pace.answered(sent, now, self.wire_ns(span))

    def silent(self, sent: int, now: int) -> None:
        """Take note of an answer that did not come."""
        self.missed += 1
        self.meter.silent(sent, now)
        if self._pace is not None:
            self._pace.silent(now)

    def _character_ns(self) -> float:
        line = self.config.serial
        assert line is not None
        return (9 + (line.parity != "none") + line.stop_bits) * 1e9 / line.baudrate

    def _silence_ns(self) -> int:
        """The silence between frames of a serial line: 3.5 characters, above 19,200 baud 1.75 ms."""
        line = self.config.serial
        if line is None:
            return 0
        return 1_750_000 if line.baudrate > 19_200 else round(3.5 * self._character_ns())

    async def _paced(self) -> None:
        while self._pace is not None and (wait := self._pace.wait_ns(self._clock.monotonic())) > 0:
            await self._clock.sleep(wait / 1e9)

    @contextlib.contextmanager
    def _explained(self, span: Span) -> Iterator[None]:
        try:
            yield
        except (LinkLost, LinkSilent, LinkGarbled) as exc:
            raise Unreachable(faults.no_answer(self.config, exc, span)) from exc
        except OSError as exc:
            raise Unreachable(faults.no_connection(self.config, exc)) from exc
        except Refused as exc:
            raise Refused(faults.at(self.config, exc.text)) from exc


@contextlib.asynccontextmanager
async def open_unit(config: ModbusDevice, box: Box) -> AsyncIterator[Unit]:
    """Connect to one device for the length of the block, for tools: no schedule, no supervisor.

    Raises:
        Unreachable, Refused: as `Unit.open`.
    """
    unit = Unit(config, box)
    await unit.open()
    try:
        yield unit
    finally:
        unit.close()
