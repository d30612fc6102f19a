"""Real time-series databases for tests: Debian's InfluxDB 1.6 and VictoriaMetrics, on loopback."""

from __future__ import annotations

import json
import shutil
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.processes import Child, free_port

if TYPE_CHECKING:
    from pathlib import Path

_PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"


def _binary(name: str) -> str:
    binary = shutil.which(name, path=_PATH)
    assert binary, f"{name} is not installed: run `make test`, it installs what the tests need"
    return binary


@dataclass(frozen=True, slots=True)
class Database:
    """A database server; `child` is killed and started like any other."""

    child: Child
    port: int

    @property
    def url(self) -> str:
        """Address of its HTTP API."""
        return f"http://127.0.0.1:{self.port}"

    def request(self, path: str, body: bytes | None = None, /, **query: str) -> bytes:
        """Ask it past our own code: what is in it is judged by its own answers.

        Args:
            path: Below `url`.
            body: Sent as POST; None means GET.
            query: Parameters of the address.
        """
        address = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(urllib.request.Request(address, data=body), timeout=30) as answer:
            content: bytes = answer.read()
            return content

    def start(self) -> None:
        """Start it and wait until it answers, which is later than it listens."""
        self.child.start()
        deadline = time.monotonic() + 30
        while True:
            try:
                self.request("/ping")
            except OSError:
                if time.monotonic() > deadline:
                    raise AssertionError(self.child.output()[-4000:]) from None
                time.sleep(0.02)
            else:
                return

    def restart(self) -> None:
        """SIGKILL it and start it again."""
        self.child.kill()
        self.start()

    def kill(self) -> None:
        """SIGKILL."""
        self.child.kill()

    def stop(self) -> None:
        """End it."""
        self.child.stop()


def influxdb1(folder: Path, port: int | None = None, *, max_body: int = 25_000_000) -> Database:
    """Return an InfluxDB 1.6 without databases that reports to no one; create one with `create_database`.

    It is started with `start` and ended with `stop`; its data lies in `folder` and survives both.

    Args:
        folder: Configuration, log and data.
        port: Of its HTTP API; a free one by default.
        max_body: Largest request in bytes, uncompressed.
    """
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "influxdb.conf"
    config.write_text(
        f"""reporting-disabled = true
bind-address = "127.0.0.1:{free_port()}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "inmem"
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-body-size = {max_body}
[monitor]
  store-enabled = false
[continuous_queries]
  enabled = false
"""
    )
    return Database(Child([_binary("influxd"), "-config", config], log=folder / "influxd.log", port=port), port)


def create_database(database: Database, name: str) -> None:
    """Create a database of an InfluxDB 1.x."""
    database.request("/query", b"", q=f'CREATE DATABASE "{name}"')


def victoria_metrics(folder: Path, port: int | None = None) -> Database:
    """Return a VictoriaMetrics whose data lies in `folder`; it keeps a point for a hundred years."""
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    child = Child(
        [
            _binary("victoria-metrics"),
            f"-storageDataPath={folder}/data",
            f"-httpListenAddr=127.0.0.1:{port}",
            "-retentionPeriod=100y",
            "-memory.allowedBytes=67108864",
        ],
        log=folder / "victoria-metrics.log",
        port=port,
    )
    return Database(child, port)


def exported(database: Database) -> list[dict[str, Any]]:
    """Return every series of a VictoriaMetrics: `metric` (labels), `values`, `timestamps` in ms."""
    database.request("/internal/force_flush")
    lines = database.request("/api/v1/export", None, **{"match[]": '{__name__!=""}'}).splitlines()
    return [json.loads(line) for line in lines]
