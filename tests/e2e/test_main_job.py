"""Every value that the servers served is in the database exactly once, while broker and gateway are killed.

The sources are a libmodbus server and a node-opcua server that log what they serve; what is in InfluxDB is read by
its own HTTP API. The test counts each value of each signal, it does not sample.
TSQ_E2E_SECONDS sets the length (60).
"""

from __future__ import annotations

import collections
import contextlib
import json
import logging
import os
import sqlite3
import time
from typing import TYPE_CHECKING, Any

import pytest

from gateway.stores.embedded import EmbeddedStore
from tests.e2e.rig import Rig, running, until
from tests.peers.modbus import PAIRS_FROM, read_log
from tests.peers.modbus import server as modbus_server
from tests.peers.opcua import opcua_server
from tests.support.databases import Database, create_database, influxdb1
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

logger = logging.getLogger(__name__)

SECONDS = float(os.environ.get("TSQ_E2E_SECONDS", "60"))
WORDS, PAIRS, NODES = 600, 200, 500  # 600 + 2 x 200 = 1,000 registers
PERIOD_MS = 500
LATEST_NS = 10**9
CLOCK_NS = 5_000_000  # the servers read the wall clock, the agent an anchored monotonic one

Series = dict[str, list[tuple[int, Any]]]  # signal id -> (time, value), by time


def _devices(modbus_port: int, endpoint: str) -> list[dict[str, Any]]:
    words = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in range(WORDS)]
    pairs = [
        {"id": f"p{a}", "address": f"holding:{a}", "type": "uint32"}
        for a in range(PAIRS_FROM, PAIRS_FROM + 2 * PAIRS, 2)
    ]
    nodes = [{"id": f"n{i}", "node": f"ns=1;s=seq-{i}", "type": "uint32"} for i in range(NODES)]
    plc = {
        "id": "plc", "type": "modbus", "machine": "press", "host": "127.0.0.1", "port": modbus_port,
        "timeout": "900ms",
        "groups": [
            {"id": "words", "every": "1s", "signals": words},
            {"id": "pairs", "every": "1s", "signals": pairs},
        ],
    }  # fmt: skip
    cnc = {
        "id": "cnc", "type": "opcua", "machine": "cnc", "endpoint": endpoint, "security": "None",
        "groups": [{"id": "main", "every": f"{PERIOD_MS}ms", "sampling": "100ms", "signals": nodes}],
    }  # fmt: skip
    return [plc, cnc]


def _story(folder: Path, store: Mapping[str, Any] | None) -> tuple[Rig, Path, Path]:
    """Run the whole story; return the rig and the two servers' logs."""
    modbus_log, opcua_log = folder / "modbus.requests", folder / "opcua.rounds"
    plc = modbus_server(folder / "plc", log=modbus_log, sequence=True)
    with (
        child_running(plc),
        opcua_server(folder / "cnc", sequence={"nodes": NODES, "log": str(opcua_log)}) as cnc,
    ):
        assert plc.port is not None
        machines: list[dict[str, Any]] = [{"id": "press", "weight": 2}, {"id": "cnc"}, {"id": "lathe"}]
        rig = Rig(folder, devices=_devices(plc.port, cnc.endpoint), machines=machines, store=store)
        with running(rig):
            rig.wait_for_state("plc", "up")
            rig.wait_for_state("cnc", "up")
            until(lambda: rig.status()["devices"]["cnc"]["rows"] >= NODES, 20, "no first values", rig)
            cnc.tell("start", period=PERIOD_MS)
            begin = time.monotonic()
            _sleep_until(begin + SECONDS * 0.3)
            rig.broker.restart()
            _sleep_until(begin + SECONDS * 0.6)
            rig.gateway.restart()
            _sleep_until(begin + SECONDS)
            last = cnc.tell("stop")["number"]
            until(lambda: rig.status()["devices"]["cnc"]["rows"] >= NODES * (last + 1), 20, "late values", rig)
            plc.stop()
            rig.wait_for_state("plc", "down")
            rig.drain()
            gaps = [line for line in rig.agent.output().splitlines() if "Traceback" in line]
            assert not gaps, rig.agent.output()[-6000:]
    assert rig.agent.process is not None
    assert rig.agent.process.returncode == 0, rig.agent.output()[-4000:]
    with contextlib.closing(sqlite3.connect(folder / "agent" / "spool.db")) as spool:
        waiting = spool.execute("SELECT count(*) FROM entry WHERE state = 0").fetchone()[0]
    assert waiting == 0, "an agent that is stopped has its last words confirmed"
    return rig, modbus_log, opcua_log


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _expected(modbus_log: Path, opcua_log: Path) -> Series:
    expected: Series = collections.defaultdict(list)
    for served in read_log(modbus_log):
        assert served.exception == 0
        for address in range(served.start, served.start + served.count):
            if address < WORDS:
                expected[f"w{address}"].append((served.time_ns, served.uint16(address)))
            elif address >= PAIRS_FROM and address % 2 == 0:
                expected[f"p{address}"].append((served.time_ns, served.uint32(address)))
    for line in opcua_log.read_text("ascii").splitlines():
        time_ns, number = (int(word) for word in line.split())
        for node in range(NODES):
            expected[f"n{node}"].append((time_ns, number))
    return expected


def _judge(expected: Series, found: Mapping[str, Sequence[tuple[int, Any]]]) -> int:
    """Compare each series value by value; return how many values there were."""
    count = 0
    for signal, served in expected.items():
        stored = [row for row in found[f"{signal}_i"] if not (signal.startswith("n") and row[1] == 0)]
        assert [type(value) for _, value in stored] == [int] * len(stored), signal
        assert [value for _, value in stored] == [value for _, value in served], signal
        late = [t - at for (t, _), (at, _) in zip(stored, served, strict=True)]
        assert min(late) >= -CLOCK_NS, (signal, min(late))
        assert max(late) <= LATEST_NS, (signal, max(late))
        count += len(served)
    others = {name for name in found if not name.endswith(("_q", "_src"))} - {f"{signal}_i" for signal in expected}
    assert not others, "fields that nobody served"
    logger.info("%d values, each once", count)
    return count


def test_every_value_served_is_in_influxdb_exactly_once(tmp_path: Path) -> None:
    database = influxdb1(tmp_path / "influxdb")
    database.start()
    try:
        create_database(database, "plant")
        store = {"type": "influxdb1", "url": database.url, "database": "plant"}
        _, modbus_log, opcua_log = _story(tmp_path, store)
        found = {**_influx_series(database, "press"), **_influx_series(database, "cnc")}
    finally:
        database.stop()
    count = _judge(_expected(modbus_log, opcua_log), found)
    assert count >= (WORDS + PAIRS + 2 * NODES) * (SECONDS - 10) * 0.9, "the story was too quiet to mean anything"


def _influx_series(database: Database, measurement: str) -> Series:
    """Read all fields of a measurement by the database's own query API."""
    answer = json.loads(database.request("/query", db="plant", epoch="ns", q=f'SELECT * FROM "{measurement}"'))
    series: Series = collections.defaultdict(list)
    for table in answer["results"][0].get("series", []):
        names = table["columns"]
        for row in table["values"]:
            for name, value in zip(names[1:], row[1:], strict=True):
                if value is not None and name not in {"factory", "site", "source"}:
                    series[name].append((row[0], value))
    return series


def test_every_value_served_is_in_the_embedded_store_exactly_once(tmp_path: Path) -> None:
    rig, modbus_log, opcua_log = _story(tmp_path, None)
    store = EmbeddedStore(rig.store_path, read_only=True)
    found: Series = collections.defaultdict(list)
    for machine in ("press", "cnc"):
        for point in store.read(machine, 0, 2**63 - 1):
            for name, value in point.fields.items():
                found[name].append((point.time_ns, value))
    store.close()
    for rows in found.values():
        rows.sort(key=lambda row: row[0])
    count = _judge(_expected(modbus_log, opcua_log), found)
    assert count >= (WORDS + PAIRS + 2 * NODES) * (SECONDS - 10) * 0.9, "the story was too quiet to mean anything"


pytestmark = pytest.mark.timeout(240)
