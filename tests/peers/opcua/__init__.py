"""An OPC UA server on node-opcua: shares no code with the agent's client; told what to do over a loopback port.

    with opcua_server(folder, sequence={"nodes": 500, "log": str(log)}) as plant:
        ... plant.endpoint ...
        plant.tell("start", period=200)

Its packages come from npm (`tests.support.npm`).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.npm import installed
from tests.support.processes import Child, free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


class Plant(Child):
    """The server; `stop`, `kill`, `restart` and `send` act on its process.

    Args:
        folder: For its log and its certificates.
        options: As server.js lists them.
    """

    def __init__(self, folder: Path, **options: Any) -> None:
        node = shutil.which("node") or shutil.which("nodejs")
        assert node, "node is not installed: run `make test`, it installs what the tests need"
        folder.mkdir(parents=True, exist_ok=True)
        self.opcua_port = free_port()
        self.endpoint = f"opc.tcp://127.0.0.1:{self.opcua_port}/plant"
        control = free_port()
        arguments = {"port": self.opcua_port, "control": control, "pki": str(folder / "pki"), **options}
        server = installed(HERE, "opcua-peer") / "server.js"
        # a module finds its packages from its own folder, so the current text is put beside them
        for name in ("server.js", "press.js", "press.xml"):
            fresh = server.parent / f"{name}.{os.getpid()}"
            fresh.write_bytes((HERE / name).read_bytes())
            fresh.replace(server.parent / name)
        super().__init__([node, server, json.dumps(arguments)], log=folder / "opcua.log", port=control)

    def tell(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Give one command of server.js and return its answer."""
        assert self.port is not None
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as link:
            link.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            with link.makefile("rb") as lines:
                answer: dict[str, Any] = json.loads(lines.readline())
        assert answer.pop("ok"), f"{do}: {answer['error']}"
        return answer


@contextlib.contextmanager
def opcua_server(folder: Path, **options: Any) -> Iterator[Plant]:
    """Run a server for the block."""
    plant = Plant(folder, **options)
    with running(plant):
        yield plant
