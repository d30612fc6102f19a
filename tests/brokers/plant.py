"""One PLC that logs each value that it serves, an agent, gateways by name and a store; any broker."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from typing import TYPE_CHECKING, Any

from gateway.stores.base import StoreUnavailable
from gateway.stores.embedded import EmbeddedStore
from tests.e2e.rig import agent_yaml, tool
from tests.peers.modbus import read_log
from tests.peers.modbus import server as modbus_server
from tests.support.databases import create_database, influxdb1
from tests.support.processes import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.support.databases import Database

logger = logging.getLogger(__name__)

SIGNALS = 20
EVERY_MS = 250
MACHINE = "press"
Series = dict[str, list[int]]  # signal -> values in order of time


def until(condition: Callable[[], bool], seconds: float, text: str, *children: Child) -> float:
    """Poll a condition; return after how many seconds it held, or fail with what the processes have said."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        if condition():
            return time.monotonic() - begin
        time.sleep(0.05)
    raise AssertionError(f"{text} after {seconds} s\n" + "\n".join(child.output()[-4000:] for child in children))


class Plant:
    """Everything but the broker, which stands at `port`.

    Args:
        folder: For all files.
        port: The broker's.
        login: `user` and `password` of both, as their files write them.
        influx: Store in an InfluxDB 1.6 of its own, which several gateways may share; else in the embedded store.
    """

    def __init__(
        self, folder: Path, port: int, login: Mapping[str, str] | None = None, *, influx: bool = False
    ) -> None:
        self.folder = folder
        self._broker = {"host": "127.0.0.1", "port": port, **(login or {})}
        self.served = folder / "requests"
        self.plc = modbus_server(folder / "plc", log=self.served, sequence=True)
        signals = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in range(SIGNALS)]
        device = {
            "id": "plc", "type": "modbus", "machine": MACHINE, "host": "127.0.0.1", "port": self.plc.port,
            "timeout": f"{EVERY_MS}ms", "groups": [{"id": "main", "every": f"{EVERY_MS}ms", "signals": signals}],
        }  # fmt: skip
        config = agent_yaml(folder, port, [device], [{"id": MACHINE}], uplink={"site": self._broker})
        self.agent = Child([tool("tsq-agent"), "run", "--config", config], log=folder / "agent.log")
        self.status_command = [str(tool("tsq-agent")), "status", "--json", "--config", str(config)]
        self.database: Database | None = influxdb1(folder / "influxdb") if influx else None
        self._store: dict[str, Any] = {"type": "embedded", "path": str(folder / "store.db")}
        if self.database is not None:
            self._store = {"type": "influxdb1", "url": self.database.url, "database": "plant"}

    def gateway(
        self, name: str, *, port: int | None = None, url: str | None = None, worker: str | None = None
    ) -> Child:
        """Return a worker; it writes into the plant's store.

        Args:
            name: Of its files.
            port: Where it finds the broker, when there is something in between.
            url: Where it finds the store.
            worker: Its id, when that is not its name.
        """
        config = self.folder / f"{name}.yaml"
        content = {
            "worker": worker or name,
            "trust_local_clock": True,
            "mqtt": self._broker | ({} if port is None else {"port": port}),
            "store": self._store | ({} if url is None else {"url": url}),
            "dead_letters": {"directory": str(self.folder / f"letters-{name}")},
        }
        config.write_text(json.dumps(content))
        return Child([tool("tsq-gateway"), "run", "--config", config], log=self.folder / f"{name}.log")

    @contextlib.contextmanager
    def working(self) -> Iterator[Plant]:
        """Run the PLC, the agent and the database."""
        with contextlib.ExitStack() as stack:
            if self.database is not None:
                stack.callback(self.database.stop)
                self.database.start()
                create_database(self.database, "plant")
            for child in (self.plc, self.agent):
                stack.callback(child.stop)
                child.start()
            yield self

    def read_so_far(self) -> int:
        """Return how many requests the PLC has answered."""
        return len(self.served.read_bytes().splitlines()) if self.served.exists() else 0

    def reads(self, count: int) -> None:
        """Wait until the PLC has answered this many requests more."""
        goal = self.read_so_far() + count
        until(lambda: self.read_so_far() >= goal, 30 + count, "the agent does not read", self.agent)

    def stored(self) -> Series:
        """Return what is in the store, past our own code where it is a database."""
        if self.database is None:
            return self._embedded()
        query = f'SELECT * FROM "{MACHINE}"'
        answer = json.loads(self.database.request("/query", db="plant", epoch="ns", q=query))
        found: Series = {}
        for table in answer["results"][0].get("series", []):
            for row in sorted(table["values"]):
                for name, value in zip(table["columns"], row, strict=True):
                    if name.endswith("_i") and value is not None:
                        found.setdefault(name.removesuffix("_i"), []).append(value)
        return found

    def _embedded(self) -> Series:
        try:
            store = EmbeddedStore(self.folder / "store.db", read_only=True)
        except StoreUnavailable:  # it is being made
            return {}
        found: Series = {}
        for point in store.read(MACHINE, 0, 2**63 - 1):
            for name, value in point.fields.items():
                if name.endswith("_i"):
                    assert isinstance(value, int)
                    found.setdefault(name.removesuffix("_i"), []).append(value)
        store.close()
        return found

    def expected(self) -> Series:
        """Return what the PLC has served."""
        found: Series = {}
        for served in read_log(self.served):
            for address in range(served.start, served.start + served.count):
                found.setdefault(f"w{address}", []).append(served.uint16(address))
        return found

    def caught_up(self, seconds: float, *said: Child) -> float:
        """Wait until everything served up to now is in the store; return how long that took."""
        goal = self._count(self.expected())
        took = until(lambda: self._count(self.stored()) >= goal, seconds, "not all is stored", *said)
        logger.info("%d values are there after %.1f s", goal, took)
        return took

    def settle(self, seconds: float = 60, *said: Child) -> float:
        """Silence the PLC, wait until everything that it served is in the store; return how long that took.

        The store must hold each value exactly once, in the order of serving. Then the agent ends.
        """
        self.plc.stop()
        expected = self.expected()
        took = until(
            lambda: self._count(self.stored()) >= self._count(expected), seconds, "not all is stored", *said
        )
        assert self.stored() == expected
        assert self.agent.stop() == 0, self.agent.output()[-4000:]
        return took

    @staticmethod
    def _count(series: Series) -> int:
        return sum(map(len, series.values()))
