"""A Modbus server on npm modbus-serial, which shares no code with our client; see `server.js`."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from tests.peers.serial_line import Station
from tests.support.npm import installed

HERE = Path(__file__).parent


class ModbusSerial(Station):
    """The server; on a serial line when `serial` names its device file, else on TCP `port`."""

    def __init__(self, folder: Path, *, port: int | None = None, serial: str | None = None) -> None:
        node = shutil.which("node") or shutil.which("nodejs")
        assert node, "node is not installed: run `make test`, it installs what the tests need"
        folder.mkdir(parents=True, exist_ok=True)
        server = installed(HERE, "modbus-serial-peer") / "server.js"
        # a module finds its packages from its own folder, so the current text is put beside them
        fresh = server.with_suffix(f".{os.getpid()}")
        fresh.write_bytes((HERE / "server.js").read_bytes())
        fresh.replace(server)
        options = {"port": port} if serial is None else {"serial": serial}
        super().__init__([node, server, json.dumps(options)], log=folder / "modbus-serial.log", port=port)
