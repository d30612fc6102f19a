"""TCP lines through which our processes reach one another, and what a bad line does to them.

cut     nothing passes and nothing is closed: a cable is out
slow    small pieces, each after a pause, through small windows
reset   half of the next piece passes, then both ends are reset: a packet torn in the middle
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

PIECE = 65536
SLOW_PIECE = 600
WINDOW = 16384


class Line:
    """One relay: who connects to `address` reaches `target`.

    Attributes:
        address: Host and port to connect to.
        target: Host and port behind it.
        cut: While true nothing passes.
        pause_s: Before each piece, when positive, and pieces are small.
    """

    def __init__(self, name: str, host: str, target: tuple[str, int]) -> None:
        self.name = name
        self.target = target
        self.cut = False
        self.pause_s = 0.0
        self._tear = 0  # how many connections are to be torn at their next piece
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._socket = socket.create_server((host, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        self.address: tuple[str, int] = self._socket.getsockname()[:2]

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._accept, sock=self._socket, limit=PIECE)

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    def tear(self) -> None:
        """Reset each open connection in the middle of its next piece."""
        self._tear = len(self._open)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target, limit=PIECE)
        except OSError:
            _reset(writer)
            return
        self._open |= {writer, far_writer}
        pumps = [
            asyncio.ensure_future(self._pump(reader, far_writer)),
            asyncio.ensure_future(self._pump(far_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            torn = any(pump.done() and not pump.cancelled() and pump.result() for pump in pumps)
            for pump in pumps:
                pump.cancel()
            self._open -= {writer, far_writer}
            for each in (writer, far_writer):
                _reset(each) if torn else each.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Pass on what comes; return whether the line was torn."""
        with contextlib.suppress(OSError):
            while data := await reader.read(SLOW_PIECE if self.pause_s else PIECE):
                if self.pause_s:
                    await asyncio.sleep(self.pause_s)
                while self.cut:  # noqa: ASYNC110 - told from another thread
                    await asyncio.sleep(0.02)
                if self._tear:
                    self._tear -= 1
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    return True
                writer.write(data)
                await writer.drain()
        return False


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, as a router does that has forgotten a connection."""
    link = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Lines:
    """All lines, in a thread of their own.

    Args:
        lines: By name.
    """

    def __init__(self, lines: Mapping[str, Line]) -> None:
        self.by_name = dict(lines)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        for line in self.by_name.values():
            self._loop.run_until_complete(line.start())
        self._ready.set()
        self._loop.run_forever()
        for line in self.by_name.values():
            line.stop()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()
