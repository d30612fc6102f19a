"""A serial line made of two pseudo-terminals, or of one and a TCP port as a serial server has it.

What goes over it can be lost or broken; there are no bauds: bytes arrive at once.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
import tty
from typing import Self

from tests.support.processes import Child


class Station(Child):
    """A process that prints `ready` when it serves."""

    def start(self) -> None:
        """Start it and wait until it serves."""
        begun = self.output().count("ready") if self.log.exists() else 0
        super().start()
        assert self.process is not None
        deadline = time.monotonic() + 30
        while self.output().count("ready") == begun:
            assert self.process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.02)


class SerialLine:
    """Both ends of a line for the length of a `with`.

    Attributes:
        ours: Device file of the client's end.
        theirs: Device file of the other end.
        port: TCP port of a serial server whose serial end is the line's client side; 0 without one.
        cut: While true, nothing is passed on.
        noise: Put before the next bytes that reach the client, once.
        echo: Whether the client hears what it sends, as with a simple RS-485 adapter.
    """

    def __init__(self, *, tcp: bool = False) -> None:
        self.cut = False
        self.noise = b""
        self.echo = False
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self.port = 0
        self._near, near = os.openpty()
        self._far, far = os.openpty()
        self._held = (near, far)  # held open, or a line whose last user leaves hangs up
        for end in (*self._held, self._near, self._far):
            tty.setraw(end)
        self.ours, self.theirs = os.ttyname(near), os.ttyname(far)
        if tcp:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.port = self._listener.getsockname()[1]
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._pump, name="serial line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join(5)
        for end in (self._near, self._far, *self._held, self._stop_read, self._stop_write):
            with contextlib.suppress(OSError):
                os.close(end)
        for each in (self._listener, self._client):
            if each is not None:
                each.close()

    def unplug(self) -> None:
        """Pull the adapter out of the client's computer."""
        os.close(self._held[0])
        os.close(self._near)
        self._near = -1

    def _pump(self) -> None:
        while True:
            ends = [end for end in (self._near, self._far, self._stop_read, self._listener, self._client)
                    if end is not None and end != -1]  # fmt: skip
            ready, _, _ = select.select(ends, [], [], 0.2)
            if self._stop_read in ready:
                return
            with contextlib.suppress(OSError):
                if self._far in ready:
                    self._to_client(os.read(self._far, 1024))
                if self._near in ready and self._near != -1:
                    self._from_client(os.read(self._near, 1024))
                if self._listener in ready and self._listener is not None:
                    self._client = self._listener.accept()[0]
                if self._client in ready and self._client is not None:
                    data = self._client.recv(1024)
                    if data:
                        self._from_client(data)
                    else:
                        self._client.close()
                        self._client = None

    def _from_client(self, data: bytes) -> None:
        if self.cut:
            return
        if self.echo:
            self._to_client(data)
        os.write(self._far, data)

    def _to_client(self, data: bytes) -> None:
        if self.cut:
            return
        data, self.noise = self.noise + data, b""
        if self._listener is None:
            os.write(self._near, data)
        elif self._client is not None:
            self._client.sendall(data)
