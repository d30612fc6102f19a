"""What a database refuses is in a gap to the row; mended and replayed, it is in the database and in no gap.

Real device, agent, broker, gateway and InfluxDB; every value that the device has served is counted.
"""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.rig import Rig, running, tool, until
from tests.peers.modbus import read_log
from tests.peers.modbus import server as modbus_server
from tests.support.databases import Database, create_database, influxdb1
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from pathlib import Path

WORDS = 10


def test_a_mended_database_gets_every_refused_row_and_the_gaps_close(tmp_path: Path) -> None:
    log = tmp_path / "modbus.requests"
    database = influxdb1(tmp_path / "influxdb")
    database.start()
    try:
        create_database(database, "plant")
        wrong = f"press,factory=x w0_i=1.5 {time.time_ns()}\n".encode()  # somebody's float where integers belong
        database.request("/write", wrong, db="plant")
        with child_running(modbus_server(tmp_path / "plc", log=log, sequence=True)) as plc:
            assert plc.port is not None
            words = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in range(WORDS)]
            device = {
                "id": "plc", "type": "modbus", "machine": "press", "host": "127.0.0.1", "port": plc.port,
                "groups": [{"id": "main", "every": "200ms", "signals": words}],
            }  # fmt: skip
            store = {"type": "influxdb1", "url": database.url, "database": "plant"}
            rig = Rig(tmp_path, devices=[device], machines=[{"id": "press"}], store=store)
            with running(rig):
                until(lambda: rig.status()["spool"]["rejected_rows"] >= 2 * WORDS, 60, "nothing is refused", rig)
                database.request("/query", b"", db="plant", q='DROP MEASUREMENT "press"')
                until(lambda: len(_stored(database)) > 5, 30, "nothing is stored", rig)
                plc.stop()
                rig.drain()
                served = [one.uint16(0) for one in read_log(log)]
                before, gaps = _stored(database), _gaps(database)
                missing = sum(body["rows"] for body in gaps.values())
                assert len(before) + missing // WORDS == len(served)
                assert missing % WORDS == 0
                assert set(before) < set(served)
                done = _dead_letters(tmp_path, "replay", "--all")
                assert done.returncode == 0, done.stdout + done.stderr
                assert f"{missing} rows stored, 0 refused again" in done.stdout
                assert sorted(_stored(database)) == served
                after = _gaps(database)
                assert after.keys() == gaps.keys()
                assert {body["rows"] for body in after.values()} == {0}
                assert "0 dead letters in" in _dead_letters(tmp_path, "list").stdout
    finally:
        database.stop()


def _dead_letters(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [
        tool("tsq-gateway"),
        "--lang",
        "en",
        "dead-letters",
        *words,
        "--config",
        folder / "gateway.yaml",
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _rows(database: Database, query: str) -> list[dict[str, Any]]:
    answer = json.loads(database.request("/query", db="plant", epoch="ns", q=query))
    found = []
    for series in answer["results"][0].get("series", []):
        found += [dict(zip(series["columns"], values, strict=True)) for values in series["values"]]
    return found


def _stored(database: Database) -> list[int]:
    """Return the values of the first word."""
    return [row["w0_i"] for row in _rows(database, "SELECT w0_i FROM press WHERE factory = 'hanil'")]


def _gaps(database: Database) -> dict[str, dict[str, Any]]:
    """Return the state of each gap `rejected`: what says `replayed` counts before the agent's own word."""
    found: dict[str, dict[str, Any]] = {}
    for row in _rows(database, "SELECT body_s FROM tsq_event WHERE kind = 'gap'"):
        body = json.loads(row["body_s"])
        old = found.get(body["gap_id"], {})
        if body["cause"] == "rejected" and not ("replayed" in old and "replayed" not in body):
            found[body["gap_id"]] = body
    return found


pytestmark = pytest.mark.timeout(180)
