"""Where the processes of a chaos run live: network namespaces and small disks of its own.

The run itself goes into a new network namespace, with the broker, the workers, the database and the devices; the
agent lives in a second one. Two cables lead there, `office` (broker) and `factory` (devices); each can be pulled.
Nothing of the machine's own network is touched, and all of it is gone when the run ends. Where namespaces or mounts
are not allowed, the run says so and does without.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

CABLES = {"office": "10.99.1", "factory": "10.99.2"}
_CLONE_NEWNET = 0x4000_0000
_HERE, _THERE = 1, 2


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


class Net:
    """Our side and the agent's side of the two cables; without namespaces both are loopback."""

    def __init__(self) -> None:
        self._holder: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
            return self
        _ip("link", "set", "lo", "up")
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo ready; exec sleep 1000000"], stdout=subprocess.PIPE
        )
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self._there("ip", "link", "set", "lo", "up")
        for name, prefix in CABLES.items():
            _ip("link", "add", name, "type", "veth", "peer", "name", name, "netns", str(self._holder.pid))
            _ip("addr", "add", f"{prefix}.{_HERE}/24", "dev", name)
            _ip("link", "set", name, "up")
            self._there("ip", "addr", "add", f"{prefix}.{_THERE}/24", "dev", name)
            self._there("ip", "link", "set", name, "up")
        return self

    def __exit__(self, *_: object) -> None:
        if self._holder is not None:
            self._holder.kill()
            self._holder.wait()

    @property
    def apart(self) -> bool:
        """Whether the agent has a namespace of its own."""
        return self._holder is not None

    @property
    def prefix(self) -> list[str]:
        """What a command of the agent's side begins with; the process keeps its id."""
        return [] if self._holder is None else ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--"]

    def _there(self, *words: str) -> None:
        subprocess.run([*self.prefix, *words], check=True, capture_output=True, timeout=20)

    def host(self, cable: str) -> str:
        """Return our address on a cable."""
        return f"{CABLES[cable]}.{_HERE}" if self.apart else "127.0.0.1"

    def pull(self, cable: str) -> None:
        """Pull a cable out."""
        _ip("link", "set", cable, "down")

    def plug(self, cable: str) -> None:
        """Put it in again."""
        _ip("link", "set", cable, "up")


class Disk:
    """A small disk in memory, to be filled.

    Args:
        folder: Where it is mounted; made when missing.
        megabytes: Its size.

    Attributes:
        own: Whether it could be mounted; if not, it is an ordinary folder and never full.
    """

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._megabytes = megabytes
        self._ballast = folder / "somebody-elses-file"
        self.own = False

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={self._megabytes}m,mode=0755", "tmpfs", str(self.folder)]
        self.own = os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0
        return self

    def __exit__(self, *_: object) -> None:
        if self.own:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False, capture_output=True)

    def fill(self) -> None:
        """Write until nothing fits any more, and go on taking what becomes free."""
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))

    def clear(self) -> None:
        """Let go of all that `fill` has taken."""
        self._ballast.unlink(missing_ok=True)
