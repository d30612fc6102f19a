"""A Modbus server on npm modbus-serial, which shares no code with our client; see `server.js`.

The packages are installed once, by `npm ci` from the lock file, into `build/` (git ignores it).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.peers.serial_line import Station

HERE = Path(__file__).parent
BUILD = HERE.parents[2] / "build"


def installed() -> Path:
    """Return a folder with server.js and its packages; install them when this lock file is new."""
    manifest = [HERE / "package.json", HERE / "package-lock.json"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in manifest)).hexdigest()[:12]
    folder = BUILD / f"modbus-serial-peer-{digest}"
    if not folder.exists():
        npm = shutil.which("npm")
        assert npm, "npm is not installed: run `make test`, it installs what the tests need"
        BUILD.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=BUILD, prefix="modbus-serial-peer-new-"))
        for path in manifest:
            shutil.copy(path, fresh)
        done = subprocess.run(  # the serial port's library brings its compiled part along
            [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=fresh, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"npm ci failed:\n{done.stderr[-4000:]}"
        try:
            fresh.rename(folder)
        except OSError:  # another test run was faster
            shutil.rmtree(fresh)
    return folder


class ModbusSerial(Station):
    """The server; on a serial line when `serial` names its device file, else on TCP `port`."""

    def __init__(self, folder: Path, *, port: int | None = None, serial: str | None = None) -> None:
        node = shutil.which("node") or shutil.which("nodejs")
        assert node, "node is not installed: run `make test`, it installs what the tests need"
        folder.mkdir(parents=True, exist_ok=True)
        server = installed() / "server.js"
        # a module finds its packages from its own folder, so the current text is put beside them
        fresh = server.with_suffix(f".{os.getpid()}")
        fresh.write_bytes((HERE / "server.js").read_bytes())
        fresh.replace(server)
        options = {"port": port} if serial is None else {"serial": serial}
        super().__init__([node, server, json.dumps(options)], log=folder / "modbus-serial.log", port=port)
