"""Word to the service manager: sd_notify(3) without its library.

Each message is one datagram to the socket that the manager names in `NOTIFY_SOCKET`; without one nothing happens.
The watchdog is fed by whoever knows that the process still does its work, never by a timer of its own: a process
whose timer runs and whose data stand still must be restarted.
"""

from __future__ import annotations

import contextlib
import os
import socket


class Notifier:
    """The way to the service manager.

    Args:
        address: Of its socket; `@` begins an abstract one. None reads `NOTIFY_SOCKET`.
    """

    def __init__(self, address: str | None = None) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "") if address is None else address

    def ready(self, text: str = "") -> None:
        """Say that the service has started."""
        self._send("READY=1", text)

    def feed(self, text: str = "") -> None:
        """Say that the work goes on; `text` is shown by `systemctl status`."""
        self._send("WATCHDOG=1", text)

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1", "")

    def _send(self, state: str, text: str) -> None:
        if not self._address:
            return
        message = f"{state}\nSTATUS={text.replace(chr(10), ' ')}" if text else state
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        # a manager that does not listen must not end the work; the watchdog tells it in its own way
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto(message.encode(), address)


def watchdog_s() -> float | None:
    """Return after how many seconds of silence the service manager ends this process, None when it does not."""
    micros, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not micros.isdecimal() or not int(micros) or (pid.isdecimal() and int(pid) != os.getpid()):
        return None
    return int(micros) / 1e6
