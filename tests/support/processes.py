"""Child processes of the tests: started on free loopback ports, awaited, and ended by their own id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


_GIVEN: set[int] = set()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on now, and another one each time."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in _GIVEN:  # the kernel gives the same one twice now and then
            _GIVEN.add(port)
            return port


def wait_for_port(port: int, seconds: float = 15, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until something accepts on the port; fail at once when the process has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise AssertionError(f"{process.args!r} ended with {process.returncode} before it listened")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port} after {seconds} s")


class Child:
    """A process that can be killed and started again with the same command.

    Attributes:
        patience: Seconds until it must listen.
    """

    patience: float = 15

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        port: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.command = [str(part) for part in command]
        self.log = log
        self.port = port
        self.env = {**os.environ, **(env or {})}
        self._log_file: IO[bytes] | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until its port accepts."""
        self._log_file = self.log.open("ab")
        self.process = subprocess.Popen(  # its own session, so that a signal meets it alone
            self.command, stdout=self._log_file, stderr=subprocess.STDOUT, env=self.env, start_new_session=True
        )
        if self.port is not None:
            try:
                wait_for_port(self.port, self.patience, self.process)
            except AssertionError as exc:
                self.stop()
                raise AssertionError(f"{exc}\n{self.output()[-4000:]}") from None

    def send(self, number: int) -> None:
        """Send a signal to this process only."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        self._end(signal.SIGKILL, 10)

    def stop(self, seconds: float = 10) -> int:
        """SIGTERM, then SIGKILL after `seconds`; return the exit code."""
        return self._end(signal.SIGTERM, seconds)

    def _end(self, number: int, seconds: float) -> int:
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._log_file is not None:
            self._log_file.close()
            self._log_file = None
        return self.process.returncode

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def output(self) -> str:
        """Return everything it has printed."""
        return self.log.read_text("utf-8", "replace")


@contextlib.contextmanager
def running(child: Child) -> Iterator[Child]:
    """Start a child and end it at the end of the block."""
    child.start()
    try:
        yield child
    finally:
        child.stop()
