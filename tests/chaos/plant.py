"""The plant of a chaos run: two devices, an agent, a broker, two workers, a database, and lines between them."""

from __future__ import annotations

import collections
import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

from agent.control import NotRunning, ask
from gateway.stores import open_store
from gateway.stores.settings import InfluxDb1Settings
from settings.kernelclock import DOUBLE
from tests.chaos.lines import Line, Lines
from tests.chaos.load import Load
from tests.chaos.places import Disk, Net
from tests.chaos.sums import Served
from tests.e2e.rig import agent_yaml, tool
from tests.peers.modbus import PAIRS_FROM, read_log
from tests.peers.modbus import server as modbus_server
from tests.peers.opcua import Plant as OpcUaServer
from tests.support.brokers import mosquitto
from tests.support.databases import create_database, influxdb1
from tests.support.processes import Child

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.stores.base import Point, Store

WORDS, PAIRS, NODES = 40, 10, 20
INTERVALS_NS = {"plc.words": 500_000_000, "plc.pairs": 1_000_000_000, "cnc.main": 500_000_000}
PERIOD_MS = 250
DATABASE = "plant"
FOREVER = 2**63 - 1
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
WORKERS = ("worker-1", "worker-2")


class Plant:
    """Everything that runs; `running` starts and ends it.

    Args:
        folder: Logs, configurations, and the disks.
        net: Where the agent lives.
        workers: How many of the gateway.

    Attributes:
        children: Processes of ours and of others, by the name that faults call them.
        wanted: Names of those that are to run: who has ended by itself is started again, as a service manager does.
        ended: What has ended by itself: (name, exit code, when).
        lines: By name, as faults call them.
        disks: By name, as faults call them.
        load: Writes down when one of those that read or are read got no processor.
    """

    def __init__(self, folder: Path, net: Net, workers: int = 2) -> None:
        self.folder = folder
        self.net = net
        self.wanted: set[str] = set()
        self.ended: list[tuple[str, int, int]] = []
        self.lock = threading.RLock()
        self.logs = folder / "plc.requests", folder / "cnc.rounds"
        self.disks = {
            "agent": Disk(folder / "agent", 48),
            "letters": Disk(folder / "letters", 4),
            "database": Disk(folder / "influx", 96),
        }
        self.mounted = contextlib.ExitStack()
        for disk in self.disks.values():
            self.mounted.enter_context(disk)
        names = WORKERS[:workers]
        self.children: dict[str, Child] = {}
        self.broker = mosquitto(folder / "broker", persistent=True)
        self._broker_starts = 0
        self.database = influxdb1(folder / "influx")
        self.plc = modbus_server(folder / "plc", log=self.logs[0], sequence=True)
        self.cnc = OpcUaServer(folder / "cnc", sequence={"nodes": NODES, "log": str(self.logs[1])})
        broker = ("127.0.0.1", self.broker.port or 0)
        office, factory = net.host("office"), net.host("factory")
        self.lines = {
            "agent": Line("agent", office, broker),
            "plc": Line("plc", factory, ("127.0.0.1", self.plc.port or 0)),
            "cnc": Line("cnc", factory, ("127.0.0.1", self.cnc.opcua_port)),
            "database": Line("database", "127.0.0.1", ("127.0.0.1", self.database.port)),
            **{name: Line(name, "127.0.0.1", broker) for name in names},
        }
        self._clock, self._kernel = folder / "agent.clock", folder / "agent.kernel"
        self._boot = 0
        self.set_clock(0.0)
        self.set_kernel(synchronised=True)
        self.children = {
            "broker": self.broker, "database": self.database.child, "plc": self.plc, "cnc": self.cnc,
            **{name: self._worker(name) for name in names},
            "agent": self._agent(),
        }  # fmt: skip
        self.load = Load(self._pids)

    def _pids(self) -> dict[str, int]:
        processes = {name: self.children[name].process for name in ("agent", "plc", "cnc")}
        return {name: one.pid for name, one in processes.items() if one is not None}

    # Configuration

    def _agent(self) -> Child:
        host, port = self.lines["agent"].address
        self.config = agent_yaml(
            self.folder,
            port,
            self._devices(),
            [{"id": "press"}, {"id": "cnc"}],
            time={"zone": "Asia/Seoul"},
            uplink={"site": {"host": host, "port": port}},
        )
        environment = {
            "LD_PRELOAD": FAKETIME, "FAKETIME_TIMESTAMP_FILE": str(self._clock), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", DOUBLE: str(self._kernel),
        }  # fmt: skip
        command: list[str | Path] = [*self.net.prefix, tool("tsq-agent"), "run", "--config", self.config]
        return Child(command, log=self.folder / "agent.log", env=environment)

    def _devices(self) -> list[dict[str, Any]]:
        words = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in range(WORDS)]
        pairs = [
            {"id": f"p{a}", "address": f"holding:{a}", "type": "uint32"}
            for a in range(PAIRS_FROM, PAIRS_FROM + 2 * PAIRS, 2)
        ]
        nodes = [{"id": f"n{i}", "node": f"ns=1;s=seq-{i}", "type": "uint32"} for i in range(NODES)]
        (plc_host, plc_port), (cnc_host, cnc_port) = self.lines["plc"].address, self.lines["cnc"].address
        plc = {
            "id": "plc", "type": "modbus", "machine": "press", "host": plc_host, "port": plc_port,
            "timeout": "450ms", "request_gap": "50ms",
            "groups": [
                {"id": "words", "every": "500ms", "signals": words},
                {"id": "pairs", "every": "1s", "signals": pairs},
            ],
        }  # fmt: skip
        cnc = {
            "id": "cnc", "type": "opcua", "machine": "cnc", "endpoint": f"opc.tcp://{cnc_host}:{cnc_port}/plant",
            "security": "None",
            "groups": [{"id": "main", "every": "500ms", "sampling": "100ms", "signals": nodes}],
        }  # fmt: skip
        return [plc, cnc]

    def _worker(self, name: str) -> Child:
        (host, port), (database, database_port) = self.lines[name].address, self.lines["database"].address
        config = {
            "worker": name,
            "trust_local_clock": True,
            "mqtt": {"host": host, "port": port},
            "store": {
                "type": "influxdb1", "url": f"http://{database}:{database_port}", "database": DATABASE,
            },
            "dead_letters": {"directory": str(self.folder / "letters" / name), "max_size": "1MB"},
        }  # fmt: skip
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps(config, indent=1), "utf-8")
        return Child([tool("tsq-gateway"), "run", "--config", path], log=self.folder / f"{name}.log")

    def set_clock(self, offset_s: float) -> None:
        """Set the agent's wall clock so far ahead of the true time."""
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(f"{offset_s:+f}\n", "ascii")
        fresh.replace(self._clock)

    def set_kernel(self, *, synchronised: bool, boot: bool = False) -> None:
        """Say what the agent's kernel says of its clock, and whether the machine has started anew."""
        self._boot += boot
        told = {"synchronised": synchronised, "max_error_us": 1000, "boot": f"boot-{self._boot}"}
        fresh = self._kernel.with_suffix(".new")
        fresh.write_text(json.dumps(told), "ascii")
        fresh.replace(self._kernel)

    # Running

    def start(self, name: str) -> None:
        """Start a process unless it runs, and expect it to run."""
        with self.lock:
            self.wanted.add(name)
            process = self.children[name].process
            if process is not None and process.poll() is None:  # two faults met it, and the other has mended it
                return
            if name == "plc":
                served = len(read_log(self.logs[0])) if self.logs[0].exists() else 0
                command = self.plc.command
                del command[command.index("--first") if "--first" in command else len(command) :]
                command += ["--first", str(served + 1)]
            if name == "broker":
                self._broker_starts += 1
                if self._broker_starts % 2:  # each second time it has forgotten everything
                    (self.folder / "broker" / "mosquitto.db").unlink(missing_ok=True)
            if name == "database":
                self.database.start()
            else:
                self.children[name].start()
            if name == "cnc" and (rounds := self._rounds()):
                self.cnc.tell("start", period=PERIOD_MS, number=rounds[-1][1])

    def begin(self) -> None:
        """Have the OPC UA server change its values from now on."""
        self.cnc.tell("start", period=PERIOD_MS)

    def end(self, name: str, *, kill: bool) -> None:
        """End a process, politely or not."""
        with self.lock:
            self.wanted.discard(name)
            if kill:
                self.children[name].kill()
            else:
                self.children[name].stop()

    def keep(self) -> None:
        """Start what has ended by itself again."""
        with self.lock:
            for name in sorted(self.wanted):
                process = self.children[name].process
                if process is not None and (code := process.poll()) is not None:
                    self.ended.append((name, code, time.time_ns()))
                    with contextlib.suppress(AssertionError):  # it could not, and is tried again
                        self.start(name)

    def status(self) -> dict[str, Any] | None:
        """Return what the agent says of itself, None when it says nothing."""
        try:
            return dict(ask(self.folder / "agent", "status"))
        except (NotRunning, OSError, ValueError):
            return None

    # What came of it

    def _rounds(self) -> list[tuple[int, int]]:
        if not self.logs[1].exists():
            return []
        lines = self.logs[1].read_text("ascii").splitlines()
        return [(int(time_ns), int(number)) for time_ns, number in (line.split() for line in lines)]

    def served(self) -> list[Served]:
        """Return every value that a device gave out, by its own log."""
        found = []
        for request in read_log(self.logs[0]):
            if request.exception:
                continue
            for address in range(request.start, request.start + request.count):
                if address < WORDS:
                    found.append(Served("plc.words", f"w{address}", request.time_ns, request.uint16(address)))
                elif address >= PAIRS_FROM and address % 2 == 0:
                    found.append(Served("plc.pairs", f"p{address}", request.time_ns, request.uint32(address)))
        for time_ns, number in self._rounds():
            found += [Served("cnc.main", f"n{node}", time_ns, number) for node in range(NODES)]
        return found

    def store(self) -> Store:
        """Open the database, past lines and workers."""
        settings = {"type": "influxdb1", "url": self.database.url, "database": DATABASE}
        return open_store(InfluxDb1Settings.model_validate(settings))


class Stored:
    """What the database holds.

    Attributes:
        values: Signal -> value -> times.
        rows: Source -> times of its rows, in order.
        good: Likewise, of those with a value.
        events: Of `tsq_event`.
    """

    def __init__(self, store: Store) -> None:
        self.values: dict[str, dict[int, list[int]]] = collections.defaultdict(
            lambda: collections.defaultdict(list)
        )
        rows: dict[str, set[int]] = collections.defaultdict(set)
        good: dict[str, set[int]] = collections.defaultdict(set)
        for machine in ("press", "cnc"):
            for point in store.read(machine, 0, FOREVER):
                self._take(point, rows, good)
        self.rows: Mapping[str, list[int]] = {name: sorted(times) for name, times in rows.items()}
        self.good: Mapping[str, list[int]] = {name: sorted(times) for name, times in good.items()}
        self.events = list(store.read("tsq_event", 0, FOREVER))

    def _take(self, point: Point, rows: dict[str, set[int]], good: dict[str, set[int]]) -> None:
        source = dict(point.tags)["source"]
        rows[source].add(point.time_ns)
        for name, value in point.fields.items():
            if name.endswith("_i"):
                self.values[name[:-2]][int(value)].append(point.time_ns)
                good[source].add(point.time_ns)


@contextlib.contextmanager
def running(folder: Path, workers: int = 2) -> Iterator[Plant]:
    """Run a plant; all of it has ended at the end of the block."""
    with contextlib.ExitStack() as stack:
        plant = Plant(folder, stack.enter_context(Net()), workers)
        stack.enter_context(plant.mounted)
        stack.enter_context(Lines(plant.lines))
        stack.enter_context(plant.load)
        stop = threading.Event()

        def keep() -> None:
            while not stop.wait(1.0):
                plant.keep()

        def end() -> None:
            stop.set()
            keeper.join()
            for name in ("agent", *WORKERS[:workers], "broker", "database", "plc", "cnc"):
                plant.end(name, kill=False)

        keeper = threading.Thread(target=keep, name="keeper", daemon=True)
        stack.callback(end)
        keeper.start()
        for name in ("database", "broker", "plc", "cnc"):
            plant.start(name)
        create_database(plant.database, DATABASE)
        for name in (*WORKERS[:workers], "agent"):
            plant.start(name)
        yield plant
