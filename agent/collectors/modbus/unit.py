"""One device of the configuration as its collector asks it, whatever else shares the connection (`bus`)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from agent.collectors.budget import Meter
from agent.collectors.modbus import faults, tls
from agent.collectors.modbus.bus import WARMUP, Bus
from agent.collectors.modbus.link import LinkGarbled, LinkLost, LinkSilent, ModbusRefusal, size
from agent.collectors.modbus.plan import Span
from agent.errors import Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from agent.collectors.base import Box
    from agent.collectors.budget import Pace
    from agent.collectors.modbus.config import ModbusDevice
    from agent.frame import Json


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
                    await self.paced()
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
            await self.paced()
            if self._bus.owes(self):
                await self._bus.request(self, self.anywhere, small=True)
                await self.paced()
            try:
                return await self._bus.request(self, span)
            except LinkSilent:
                pass
            except LinkGarbled:
                if self.config.transport in {"tcp", "tls"}:
                    raise
            await self.paced()
            await self._bus.request(self, self.anywhere, small=True)
            await self.paced()
            return await self._bus.request(self, span)

    @property
    def learned(self) -> dict[str, Json]:
        """What was learned about the connection, in words."""
        if not self._bus.cold:
            return {}
        return {"warmup": WARMUP}

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
        if config.source_address is not None:
            body["source_address"] = config.source_address
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

    def lost(self, sent: int, now: int) -> None:
        """Take note of a request of which nobody will know whether it was answered: it counts as one."""
        self.meter.lost(sent, now)
        if self._pace is not None:
            self._pace.silent(now)

    async def paced(self) -> None:
        """Wait until the budget lets the next request leave."""
        while self._pace is not None and (wait := self._pace.wait_ns(self._clock.monotonic())) > 0:
            await self._clock.sleep(wait / 1e9)

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
    """Connect to one device for the length of the block, without schedule and supervisor.

    Raises:
        Unreachable, Refused: as `Unit.open`.
    """
    unit = Unit(config, box)
    await unit.open()
    try:
        yield unit
    finally:
        unit.close()
