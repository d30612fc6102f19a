"""Drain a filled spool through mosquitto and a gateway into InfluxDB 1.6, while a live source goes on at 1 s."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import time as clock_time
from typing import TYPE_CHECKING

from agent.analyzers.latency import Latency
from agent.clock import SystemClock
from agent.frame import FrameBlock
from agent.sender import Sender
from agent.spool import Spool
from agent.uplink import Uplink
from contract.payload import Status
from contract.topics import AgentTopics
from readiness.schedule import Calendar
from settings.broker import Broker
from tests.e2e.rig import gateway_yaml, tool
from tests.outage.fill import AGENT, FACTORY, LIMITS, birth
from tests.support.brokers import mosquitto
from tests.support.databases import Database, create_database, influxdb1
from tests.support.plant import Plant
from tests.support.processes import Child

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from agent.frame import Item

DATABASE = "plant"
SECOND = 1_000_000_000
CALENDAR = Calendar("Asia/Seoul", clock_time(8))
BRANCH = AgentTopics(FACTORY, AGENT)


@dataclass(slots=True)
class Latencies:
    """Seconds from acquisition to the moment when the database had it, of each block of live data."""

    since_ns: int
    found: list[float] = field(default_factory=list)
    counted: Latency = field(default_factory=lambda: Latency(CALENDAR))

    def account(
        self,
        items: Sequence[Item],
        committed_at_ns: int,
        clean: bool,  # noqa: FBT001 - as the spool calls it
    ) -> Mapping[tuple[str, str], Mapping[int, int]]:
        """Look at an entry that was confirmed, and count what the agent counts."""
        for item in items:
            if isinstance(item, FrameBlock) and len(item) and int(item.time_ns[0]) >= self.since_ns:
                self.found.append((committed_at_ns - int(item.time_ns[0])) / 1e9)
        return self.counted(items, committed_at_ns, clean)

    def quantile(self, share: float) -> float:
        """Return a quantile."""
        return sorted(self.found)[min(len(self.found) - 1, int(share * len(self.found)))]


@dataclass(frozen=True, slots=True)
class Drained:
    """How a backlog went.

    Attributes:
        samples: Of the backlog.
        took_s: From the first connection until none of it was left.
        live: Latencies of what was read meanwhile.
        values: Of the backlog and the live data, that have been put.
        stored: Values that the database counts at the end.
        cpu_s: Of the agent's side, the broker, the gateway and the database.
    """

    samples: int
    took_s: float
    live: Latencies
    values: int
    stored: int
    cpu_s: Mapping[str, float]

    def rate(self) -> float:
        """Samples a second."""
        return self.samples / self.took_s


def drain(folder: Path, spooled: Path, backlog: Plant, values: int, timeout_s: float) -> Drained:
    """Drain a spool.

    Args:
        folder: For broker, gateway and database.
        spooled: The spool's folder.
        backlog: What has filled it.
        values: Values in it.
        timeout_s: After which it is given up.
    """
    plant = Plant(backlog.kind, start_ns=time.time_ns() // SECOND * SECOND, hours=timeout_s / 3600 + 1)
    live = Latencies(time.time_ns())
    spool = Spool(
        spooled, birth=birth(plant), sources=plant.sources, limits=LIMITS, fingerprint=lambda: "box",
        account=live.account,
    )  # fmt: skip
    clock = SystemClock(spool.epoch, trusted=True)
    samples = spool.stats().rows
    with _servers(folder) as (broker, gateway, database):
        spool.start(clock)
        port = broker.port or 0
        uplink = Uplink(Broker(host="127.0.0.1", port=port), BRANCH, _status)
        sender = Sender(spool, uplink, BRANCH, clock, lambda: uplink.largest, 10**9)
        stopping = threading.Event()
        put: list[int] = []
        source = threading.Thread(target=_live, args=(plant, spool, stopping, put), daemon=True)
        begun, own = time.monotonic(), time.process_time()
        before = {name: _cpu(child) for name, child in _named(broker, gateway, database)}
        sender.start()
        uplink.start()
        source.start()
        try:
            while spool.stats().rows > 3_000:  # all but the last seconds of live data
                _see(gateway, spool, time.monotonic() - begun < timeout_s)
                time.sleep(0.1)
            took = time.monotonic() - begun
            used = {name: _cpu(child) - before[name] for name, child in _named(broker, gateway, database)}
            used["agent"] = time.process_time() - own
        finally:
            stopping.set()
            source.join()
        while spool.stats().entries or spool.stats().ring_rows:
            _see(gateway, spool, time.monotonic() - begun < timeout_s + 30)
            time.sleep(0.1)
        sender.stop()
        uplink.stop()
        spool.stop()
        stored = count(database)
    return Drained(samples, took, live, values + sum(put), stored, used)


def count(database: Database) -> int:
    """Return how many values are in the database, by its own count."""
    total = 0
    names = json.loads(database.request("/query", db=DATABASE, q="SHOW MEASUREMENTS"))["results"][0]
    for (name,) in names["series"][0]["values"]:
        answer = json.loads(database.request("/query", db=DATABASE, q=f'SELECT count(*) FROM "{name}"'))
        series = answer["results"][0]["series"][0]
        for column, found in zip(series["columns"], series["values"][0], strict=True):
            if name != "tsq_event" and column.endswith(("_f", "_i", "_s", "_b")):
                total += found
    return total


@contextlib.contextmanager
def _servers(folder: Path) -> Iterator[tuple[Child, Child, Database]]:
    broker = mosquitto(folder / "broker")
    database = influxdb1(folder / "influx")
    started: list[Child | Database] = []
    try:
        broker.start()
        started.append(broker)
        database.start()
        started.append(database)
        create_database(database, DATABASE)
        store = {"type": "influxdb1", "url": database.url, "database": DATABASE}
        config = gateway_yaml(folder, broker.port or 0, store)
        gateway = Child([tool("tsq-gateway"), "run", "--config", config], log=folder / "gateway.log")
        gateway.start()
        started.append(gateway)
        yield broker, gateway, database
    finally:
        for child in reversed(started):
            child.stop()


def _live(plant: Plant, spool: Spool, stopping: threading.Event, put: list[int]) -> None:
    """Read the plant once a second, with the machine's own time."""
    for items in plant.seconds(10**6):
        for item in items:
            if isinstance(item, FrameBlock):
                wait = (int(item.time_ns[0]) - time.time_ns()) / 1e9
                if stopping.wait(max(0.0, wait)):
                    return
                put.append(len(item) - sum(value is None for value in item.value))
            spool.put(item)


def _see(gateway: Child, spool: Spool, goes: bool) -> None:  # noqa: FBT001 - a check of one caller
    assert gateway.process is not None
    alive = gateway.process.poll() is None
    assert goes, f"{spool.stats()}\n{gateway.output()[-3000:]}"
    assert alive, gateway.output()[-3000:]


def _named(broker: Child, gateway: Child, database: Database) -> list[tuple[str, Child]]:
    return [("broker", broker), ("gateway", gateway), ("database", database.child)]


def _cpu(child: Child) -> float:
    """Return the processor time of a process so far, in seconds."""
    assert child.process is not None
    with open(f"/proc/{child.process.pid}/stat", encoding="ascii") as file:  # noqa: PTH123 - a line of the kernel's
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _status(online: bool) -> Status:  # noqa: FBT001 - as the uplink calls it
    return Status(online=online, boot="outage", time=str(time.time_ns()), version="0")
