"""The demo's child processes: started by the launcher, ended by it, and gone when it is gone."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TETHER = Path(__file__).with_name("tether.py")


class ChildFailed(Exception):  # noqa: N818 - reads as what happened
    """A process that the demo needs has ended or does not answer; the text ends with its last words."""


def free_ports(count: int) -> list[int]:
    """Return TCP ports of the loopback address that nothing listens on now, all different."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


class Children:
    """All child processes of one launcher, each with its log file.

    Start them from the main thread only: the kernel ends a child when the thread that started it ends.

    Args:
        logs: Folder of the log files; it exists.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str | Path]) -> None:
        """Start a process; its output goes to `{name}.log`."""
        tethered = [sys.executable, "-S", "-E", str(TETHER), str(os.getpid()), *map(str, command)]
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own commands
                tethered,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the launcher alone; it ends them in order
            )

    def check(self) -> None:
        """Return if all are running.

        Raises:
            ChildFailed: one has ended by itself.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ChildFailed(f"{name} ended with {process.returncode}\n{self.last_words(name)}")

    def wait_for_port(self, name: str, port: int, seconds: float) -> None:
        """Wait until a child accepts connections on a port.

        Raises:
            ChildFailed: it has ended, or the time is over.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.check()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
                return
            time.sleep(0.02)
        raise ChildFailed(f"{name} does not listen on port {port} after {seconds:g} s\n{self.last_words(name)}")

    def last_words(self, name: str) -> str:
        """Return the end of a child's log."""
        lines = (self._logs / f"{name}.log").read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-15:])

    def stop(self, name: str, seconds: float = 8) -> int | None:
        """End a child: SIGTERM, and SIGKILL after `seconds`; return its exit code, None if it never ran."""
        process = self._running.pop(name, None)
        if process is None:
            return None
        process.terminate()
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def stop_all(self, seconds: float = 3) -> None:
        """End all children, the last started first, within `seconds` and a little."""
        for process in self._running.values():
            process.terminate()
        deadline = time.monotonic() + seconds
        for process in reversed(self._running.values()):
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
