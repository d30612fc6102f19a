"""What lies between a collector's request and the wire.

Anything but an answer is `Unreachable`. One case is mended here without a word: a connection that has served
before and is found closed is opened again and asked once more, because devices close idle connections as a matter
of course.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from agent.collectors.modbus.link import LinkGarbled, LinkLost, LinkSilent, open_link
from agent.errors import Unreachable

if TYPE_CHECKING:
    from agent.collectors.base import Box
    from agent.collectors.modbus.config import ModbusDevice
    from agent.collectors.modbus.link import ModbusRefusal, ReadLink
    from agent.collectors.modbus.plan import Span


class Unit:
    """One device of the configuration, as its collector asks it; used by one task.

    Attributes:
        idle_reconnects: Connections that the device had closed and that were opened again without loss.
    """

    def __init__(self, config: ModbusDevice, box: Box) -> None:
        self._config = config
        self._clock = box.clock
        self._link: ReadLink | None = None
        self.idle_reconnects = 0

    async def ask(self, span: Span) -> tuple[int, bytes | ModbusRefusal]:
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
                self.close()
                link = await self.open()
                return self._clock.monotonic(), await link.read(span)
        except (LinkLost, LinkSilent, LinkGarbled) as exc:
            raise Unreachable(self._explain(exc, span)) from exc

    async def open(self) -> ReadLink:
        """Connect.

        Raises:
            Unreachable: no connection within the timeout; the text says what to look at.
        """
        config = self._config
        try:
            self._link = await open_link(
                config.host or "",
                config.port,
                unit=config.unit,
                timeout_s=config.timeout / 1e9,
                source_address=config.source_address,
            )
        except OSError as exc:
            raise Unreachable(f"{self._where()}: {_no_connection(exc, config)}") from exc
        return self._link

    def close(self) -> None:
        """Close the connection, if there is one."""
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
