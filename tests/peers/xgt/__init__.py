"""An XGT FEnet server that shares no code with our client; see `server.py`."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.processes import Child, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = Path(__file__).with_name("server.py")


class XgtPlc(Child):
    """The server's process, and a line to its control port."""

    def __init__(self, folder: Path, *options: str | int, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = port or free_port()
        self.control = free_port()
        self.requests = folder / f"requests-{port}"
        command: list[str | Path] = [sys.executable, SCRIPT, "--port", str(port), "--control", str(self.control)]
        command += ["--log", self.requests, *map(str, options)]
        super().__init__(command, log=folder / f"xgt-{port}.log", port=port)

    @property
    def where(self) -> int:
        """Its port."""
        assert self.port is not None
        return self.port

    def tell(self, *lines: str) -> str:
        """Send orders, see `server.py`; return the answer to the last."""
        with socket.create_connection(("127.0.0.1", self.control), timeout=5) as line:
            stream = line.makefile("rw")
            for order in lines:
                stream.write(order + "\n")
                stream.flush()
                answer = stream.readline().strip()
        return answer

    def counts(self) -> tuple[int, int, int]:
        """Return how many requests and writes came, and how many connections are open."""
        requests, writes, connections = self.tell("counts").split()
        return int(requests), int(writes), int(connections)

    def served(self) -> Sequence[Served]:
        """Return every request that came, in order."""
        if not self.requests.exists():
            return []
        return [Served.of(line) for line in self.requests.read_text("ascii").splitlines()]


@dataclass(frozen=True, slots=True)
class Served:
    """One request as the server logged it."""

    command: int
    type: int
    code: int  # 0 when it was served
    count: int  # bytes of a continuous read
    names: tuple[str, ...]

    @classmethod
    def of(cls, line: str) -> Served:
        """Read one line of the log."""
        command, kind, code, count, *names = line.split()
        return cls(int(command, 16), int(kind, 16), int(code, 16), int(count), tuple(names))
