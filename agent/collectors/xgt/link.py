"""One TCP connection to a PLC's XGT server, that can only read.

One request is under way at a time: the PLC serves a connection in turn, and an answer that does not fit its request
then has no excuse. After a timeout the connection is given up, because a late answer would confuse the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from agent.collectors.xgt.frame import Reader, answer, request
from agent.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.collectors.xgt.frame import Ask, Frame, Refusal, Reply, Station

_CHUNK = 65536


class LinkLost(Exception):  # noqa: N818 - reads as what happened
    """The connection is closed, by the PLC or by the network; `served` tells whether it ever served a request."""

    def __init__(self, text: str, *, served: bool) -> None:
        super().__init__(text)
        self.served = served


class LinkSilent(Exception):  # noqa: N818
    """No whole answer within the timeout; `begun` tells whether a part of one came."""

    def __init__(self, *, begun: bool) -> None:
        super().__init__("half an answer" if begun else "no answer")
        self.begun = begun


class LinkGarbled(Exception):  # noqa: N818
    """What came is no answer to the request."""


class XgtLink:
    """An open connection. Make one with `open_link`; used by one task at a time.

    Args:
        reader: Of the connection.
        writer: Of the connection.
        station: What stands in each header.
        tap: Takes each frame as it went over the line, while somebody records.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        station: Station,
        tap: Callable[[str, bytes], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._station = station
        self._tap = tap
        self._frames = Reader()
        self._invoke = 0
        self.answered = False  # whether this connection has ever served a request

    @property
    def active(self) -> bool:
        """Whether a request can be sent, as far as is known."""
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def ask(self, ask: Ask, timeout_s: float) -> Reply | Refusal:
        """Send one request; return the PLC's data, or its refusal.

        Raises:
            LinkLost: the connection is closed.
            LinkSilent: no answer in time.
            LinkGarbled: an answer to something else, or no answer at all.
        """
        if not self.active:
            raise LinkLost("closed by the PLC", served=self.answered)
        self._invoke = self._invoke % 0xFFFF + 1
        sent = request(ask, self._invoke, self._station)
        try:
            async with asyncio.timeout(timeout_s):
                self._tap("sent", sent)
                self._writer.write(sent)
                await self._writer.drain()
                frame = await self._receive()
            got = answer(frame, ask, self._invoke)
        except TimeoutError as exc:
            raise LinkSilent(begun=self._frames.rest > 0) from exc
        except OSError as exc:
            raise LinkLost(f"closed while an answer was awaited ({exc})", served=self.answered) from exc
        except WireError as exc:
            raise LinkGarbled(str(exc)) from exc
        self.answered = True
        return got

    async def _receive(self) -> Frame:
        while (frame := self._frames.next()) is None:
            data = await self._reader.read(_CHUNK)
            if not data:
                raise LinkLost("closed while an answer was awaited", served=self.answered)
            self._tap("received", data)
            self._frames.feed(data)
        if self._frames.rest:
            raise WireError(f"{self._frames.rest} bytes that nobody asked for after the answer")
        return frame

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        with contextlib.suppress(RuntimeError):  # the event loop is gone: so is the connection
            self._writer.close()


async def open_link(
    host: str,
    port: int,
    *,
    station: Station,
    timeout_s: float,
    source_address: str | None,
    tap: Callable[[str, bytes], None],
) -> XgtLink:
    """Connect and return the link.

    Raises:
        OSError: the connection was refused, or there is no way to the host, or no such name.
        TimeoutError: nobody answered (a kind of OSError).
    """
    local = (source_address, 0) if source_address else None
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(host, port, local_addr=local)
    return XgtLink(reader, writer, station, tap)
