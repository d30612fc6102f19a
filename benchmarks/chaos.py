"""Kills or freezes our processes at random, then counts: what was served is once in the store or inside a gap.

    python -m benchmarks.chaos --seconds 120 --seed 1 [--influx] [--freeze] [--victims agent,agent-term,broker]

The servers of `tests/peers` log what they serve. What is missing from the store must lie in a gap of its source or
of the agent, as the store's own events tell it; what is in the store must have been served, and be there once.
Prints one JSON line and ends with 1 when the sum of DESIGN 6 does not come out. `agent-term` is a stop in order.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.stores import open_store
from gateway.stores.settings import EmbeddedSettings, InfluxDb1Settings
from tests.e2e.rig import Rig, running, until
from tests.peers.modbus import PAIRS_FROM, read_log
from tests.peers.modbus import server as modbus_server
from tests.peers.opcua import opcua_server
from tests.support.databases import create_database, influxdb1
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.stores.base import Store
    from tests.peers.opcua import Plant
    from tests.support.processes import Child

WORDS, PAIRS, NODES = 300, 20, 30
FROZEN_S = 20
CLOCK_NS = 5_000_000  # the servers read the wall clock, the agent an anchored monotonic one
HELD_NS = 500_000_000  # a publishing interval: what the OPC UA server still holds back nobody has read
FOREVER = 2**63 - 1


class Served(NamedTuple):
    """A value that a server gave out or, for OPC UA, took over from its process."""

    source: str
    signal: str
    time_ns: int
    value: int


def _devices(port: int, endpoint: str) -> list[dict[str, Any]]:
    words = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in range(WORDS)]
    pairs = [
        {"id": f"p{a}", "address": f"holding:{a}", "type": "uint32"}
        for a in range(PAIRS_FROM, PAIRS_FROM + 2 * PAIRS, 2)
    ]
    nodes = [{"id": f"n{i}", "node": f"ns=1;s=seq-{i}", "type": "uint32"} for i in range(NODES)]
    plc = {
        "id": "plc", "type": "modbus", "machine": "press", "host": "127.0.0.1", "port": port, "timeout": "450ms",
        "request_gap": "50ms",  # a reading takes a while: what it has stamped waits to be handed on
        "groups": [
            {"id": "words", "every": "500ms", "signals": words},
            {"id": "pairs", "every": "1s", "signals": pairs},
        ],
    }  # fmt: skip
    cnc = {
        "id": "cnc", "type": "opcua", "machine": "cnc", "endpoint": endpoint, "security": "None",
        "groups": [{"id": "main", "every": "500ms", "sampling": "100ms", "signals": nodes}],
    }  # fmt: skip
    return [plc, cnc]


def _torment(rig: Rig, store: Child | None, args: argparse.Namespace) -> dict[str, int]:
    """Kill or freeze for `args.seconds`; return who was met how often."""
    dice = random.Random(args.seed)
    children = {"agent": rig.agent, "agent-term": rig.agent, "gateway": rig.gateway, "broker": rig.broker}
    if store is not None:
        children["store"] = store
    names = [name for name in args.victims.split(",") if name in children]
    met: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.3, args.pause))
        name = dice.choice(names)
        met[name] += 1
        child = children[name]
        if args.freeze:
            child.send(signal.SIGSTOP)
            time.sleep(FROZEN_S)
            child.send(signal.SIGCONT)
            continue
        if name == "agent-term":
            child.stop()
        else:
            child.kill()
        time.sleep(dice.choice([0, 0, 0.5, 3]))
        child.start()
    return dict(met)


def _story(rig: Rig, plc: Child, cnc: Plant, store: Child | None, args: argparse.Namespace) -> dict[str, int]:
    rig.wait_for_state("plc", "up")
    rig.wait_for_state("cnc", "up")
    until(lambda: rig.status()["devices"]["cnc"]["rows"] >= NODES, 20, "no first values", rig)
    cnc.tell("start", period=200)
    met = _torment(rig, store, args)
    rig.wait_for_state("plc", "up", 30)
    rig.wait_for_state("cnc", "up", 30)
    time.sleep(3)
    cnc.tell("stop")
    time.sleep(3)
    plc.stop()
    rig.wait_for_state("plc", "down")
    rig.drain(90)
    time.sleep(3)  # the last gaps are events, which `drain` does not wait for
    return met


@contextlib.contextmanager
def _store(folder: Path, *, influx: bool) -> Iterator[tuple[dict[str, Any], Child | None]]:
    """Yield the settings of a store, and its process if it has one."""
    if not influx:
        yield {"type": "embedded", "path": str(folder / "store.db")}, None
        return
    database = influxdb1(folder / "influx")
    database.start()
    try:
        create_database(database, "plant")
        yield {"type": "influxdb1", "url": database.url, "database": "plant"}, database.child
    finally:
        database.stop()


def _served(modbus_log: Path, opcua_log: Path) -> list[Served]:
    found = []
    for request in read_log(modbus_log):
        for address in range(request.start, request.start + request.count):
            if address < WORDS:
                found.append(Served("plc.words", f"w{address}", request.time_ns, request.uint16(address)))
            elif address >= PAIRS_FROM and address % 2 == 0:
                found.append(Served("plc.pairs", f"p{address}", request.time_ns, request.uint32(address)))
    for line in opcua_log.read_text("ascii").splitlines():
        time_ns, number = (int(word) for word in line.split())
        found += [Served("cnc.main", f"n{node}", time_ns, number) for node in range(NODES)]
    return found


def _gaps(store: Store) -> dict[str | None, list[tuple[int, int]]]:
    """Return the spans of gaps by source, each as its last event tells it."""
    latest: dict[str, tuple[str | None, int, int]] = {}
    for point in sorted(store.read("tsq_event", 0, FOREVER), key=lambda p: p.time_ns):
        if dict(point.tags)["kind"] == "gap":
            gap_id = json.loads(str(point.fields["body_s"]))["gap_id"]
            source = point.fields.get("source_s")
            span = int(point.fields["from_i"]), int(point.fields.get("to_i", FOREVER))
            latest[gap_id] = (None if source is None else str(source), *span)
    spans: dict[str | None, list[tuple[int, int]]] = collections.defaultdict(list)
    for name, start, end in latest.values():
        spans[name].append((start, end))
    return spans


def judge(store: Store, served: list[Served]) -> dict[str, Any]:
    """Count where each served value is."""
    found: dict[str, dict[int, list[int]]] = collections.defaultdict(lambda: collections.defaultdict(list))
    for machine in ("press", "cnc"):
        for point in store.read(machine, 0, FOREVER):
            for name, value in point.fields.items():
                if name.endswith("_i"):
                    found[name[:-2]][int(value)].append(point.time_ns)
    spans = _gaps(store)
    counts: collections.Counter[str] = collections.Counter()
    lost: collections.Counter[str] = collections.Counter()
    known: dict[str, set[int]] = collections.defaultdict(set)
    for source, name, time_ns, value in served:
        known[name].add(value)
        times = found[name].get(value, [])
        slack = HELD_NS if source == "cnc.main" else CLOCK_NS
        if times:
            counts["stored"] += 1
            # an OPC UA value that stands when a session begins is told of again
            counts["twice"] += len(times) > 1 and source != "cnc.main"
            counts["late"] += not -CLOCK_NS <= times[0] - time_ns <= 10**9
        elif any(a - slack <= time_ns <= b + CLOCK_NS for a, b in spans[source] + spans[None]):
            counts["in_gap"] += 1
        else:
            lost[source] += 1
    counts["invented"] = sum(
        value not in known[name] and not (name[0] == "n" and value == 0)
        for name, values in found.items()
        for value in values
    )
    return {"served": len(served), **counts, "lost": dict(lost)}


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pause", type=float, default=6, help="longest time between two blows, in s")
    parser.add_argument("--influx", action="store_true", help="InfluxDB 1.x instead of the embedded store")
    parser.add_argument("--freeze", action="store_true", help="SIGSTOP for 20 s instead of SIGKILL")
    parser.add_argument("--victims", default="agent,agent-term,gateway,broker,store")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tsq-chaos-"))
    opcua_log, modbus_log = folder / "opcua.rounds", folder / "modbus.requests"
    plc = modbus_server(folder / "plc", log=modbus_log, sequence=True)
    assert plc.port is not None
    with _store(folder, influx=args.influx) as (settings, child):
        with (
            child_running(plc),
            opcua_server(folder / "cnc", sequence={"nodes": NODES, "log": str(opcua_log)}) as cnc,
        ):
            machines: list[dict[str, Any]] = [{"id": "press"}, {"id": "cnc"}]
            rig = Rig(folder, devices=_devices(plc.port, cnc.endpoint), machines=machines, store=settings)
            with running(rig):
                met = _story(rig, plc, cnc, child, args)
        kind = InfluxDb1Settings if args.influx else EmbeddedSettings
        store = open_store(kind.model_validate(settings))
        result = judge(store, _served(modbus_log, opcua_log))
        store.close()
    said = rig.agent.output() + rig.gateway.output()
    result |= {"met": met, "tracebacks": said.count("Traceback"), "folder": str(folder)}
    print(json.dumps(result))
    wrong = [result.get(name) for name in ("lost", "twice", "late", "invented", "tracebacks")]
    return 1 if any(wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
