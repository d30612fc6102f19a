"""A Modbus server built from libmodbus, which shares no code with our client; see `server.c`."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.peers.serial_line import Station
from tests.support.processes import Child, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SOURCE = Path(__file__).with_name("server.c")
PAIRS_FROM = 32768
"""In sequence mode, registers from here on form uint32 pairs."""


@functools.cache
def build() -> Path:
    """Compile the server once per process; return the program."""
    folder = Path(tempfile.mkdtemp(prefix="tsq-modbus-peer-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libmodbus"], check=True, capture_output=True, text=True
    ).stdout.split()
    program = folder / "server"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", SOURCE, "-o", program, *flags], check=True)
    return program


def server(
    folder: Path, *options: str | int, port: int | None = None, log: Path | None = None, sequence: bool = False
) -> Child:
    """Return a server on loopback; start it with `tests.support.processes.running`.

    Args:
        folder: For what it prints.
        options: Of `server.c`, such as "--illegal", "8-9".
        port: A free one when absent.
        log: File that gets one line per request, see `read_log`.
        sequence: Serve sequence numbers instead of addresses.
    """
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [build(), "--port", str(port), *map(str, options)]
    if log is not None:
        command += ["--log", log]
    if sequence:
        command.append("--sequence")
    return Child(command, log=folder / f"modbus-{port}.log", port=port)


def station(folder: Path, device: str, *options: str | int) -> Station:
    """Return a station on a serial line; `tests.support.processes.running` starts it.

    Args:
        folder: For what it prints.
        device: The line's device file.
        options: Of `server.c`, such as "--station", 3.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return Station([build(), "--rtu", device, *map(str, options)], log=folder / "modbus-rtu.log")


@dataclass(frozen=True, slots=True)
class Served:
    """One request as the server logged it just before it answered."""

    time_ns: int  # wall clock
    function: int
    start: int
    count: int
    sequence: int  # 0 without sequence mode or when refused
    exception: int  # 0 when served

    def uint16(self, address: int) -> int:
        """Return what sequence mode served for a register below `PAIRS_FROM`."""
        assert self.start <= address < min(self.start + self.count, PAIRS_FROM)
        return (self.sequence + 7919 * address) % 65536

    def uint32(self, address: int) -> int:
        """Return what sequence mode served for the pair (ABCD) at an even address from `PAIRS_FROM` on."""
        assert address % 2 == 0
        assert max(PAIRS_FROM, self.start) <= address < self.start + self.count - 1
        return (7919 * address) % 65536 << 16 | self.sequence % 65536


def read_log(path: Path) -> Sequence[Served]:
    """Return every logged request, in order."""
    return list(_parsed(path.read_text("ascii").splitlines()))


def _parsed(lines: Sequence[str]) -> Iterator[Served]:
    for line in lines:
        yield Served(*(int(word) for word in line.split()))
