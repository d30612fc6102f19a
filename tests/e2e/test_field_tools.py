"""Maintenance, a changed device, a recording: what a technician does at a machine, with real processes."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from agent.control import ask
from gateway.stores.embedded import EmbeddedStore
from tests.e2e.rig import Rig, running, tool, until
from tests.peers.modbus import server as modbus_server
from tests.peers.opcua import opcua_server
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)
UNCERTAIN = 1 << 30


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    plc = modbus_server(tmp_path / "plc", "--illegal", "100-199", sequence=True)
    device = {
        "id": "press", "type": "modbus", "machine": "press", "host": "127.0.0.1", "port": plc.port,
        "timeout": "450ms",
        "groups": [{
            "id": "main", "every": "500ms",
            "signals": [
                {"id": "level", "address": "holding:7", "type": "uint16"},
                {"id": "program", "address": "holding:32768", "type": "uint16", "canary": True},
            ],
        }],
    }  # fmt: skip
    with child_running(plc), running(Rig(tmp_path, devices=[device], machines=[{"id": "press"}])) as one:
        one.wait_for_state("press", "up")
        yield one


def verb(rig: Rig, name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a verb of `tsq-agent` with the rig's file."""
    command: list[str | Path] = [tool("tsq-agent"), "--lang", "ko", name, *words, "--config", rig.config]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def stored(rig: Rig, measurement: str) -> list[dict[str, Any]]:
    store = EmbeddedStore(rig.store_path, read_only=True)
    try:
        points = sorted(store.read(measurement, 0, 2**63 - 1), key=lambda p: p.time_ns)
        return [{"time": p.time_ns, **dict(p.tags), **p.fields} for p in points]
    finally:
        store.close()


def events(rig: Rig, kind: str) -> list[dict[str, Any]]:
    return [e | {"body": json.loads(str(e["body_s"]))} for e in stored(rig, "tsq_event") if e["kind"] == kind]


def test_maintenance_is_stored_with_its_author_and_goes_on_after_a_restart(rig: Rig) -> None:
    said = verb(rig, "maintenance", "start", "--device", "press", "--author", "김정비", "--reason", "오일 교환")
    assert "점검 시작(집계 제외): press" in said.stdout
    assert rig.status()["devices"]["press"]["maintenance"]["author"] == "김정비"
    assert "점검 중(집계 제외) 0분째, 작업자 김정비: 오일 교환" in verb(rig, "status").stdout
    rig.agent.restart()
    rig.wait_for_state("press", "up")
    assert rig.status()["devices"]["press"]["maintenance"]["reason"] == "오일 교환"
    assert "점검 종료: press" in verb(rig, "maintenance", "stop").stdout
    assert rig.status()["devices"]["press"]["maintenance"] is None

    def ended() -> bool:
        told = [e for e in events(rig, "gap") if e["body"]["cause"] == "maintenance"]
        return bool(told) and "to_i" in told[-1]

    until(ended, 20, "the gap is not closed in the store", rig)
    gaps = [e for e in events(rig, "gap") if e["body"]["cause"] == "maintenance"]
    assert len({e["body"]["gap_id"] for e in gaps}) == 1, "one span, over the restart"
    assert {e["source_s"] for e in gaps} == {"press.main"}
    assert events(rig, "maintenance")[-1]["body"]["author"] == "김정비"
    rows = [r["time"] for r in stored(rig, "press") if "level_i" in r]
    assert [t for t in rows if gaps[-1]["from_i"] < t < gaps[-1]["to_i"]], "what was read meanwhile is stored"


def test_a_device_with_another_program_is_uncertain_until_confirmed(rig: Rig) -> None:
    identity = rig.folder / "agent" / "learned" / "press.json"
    until(lambda: identity.exists() and "program" in identity.read_text("utf-8"), 20, "not remembered", rig)
    rig.agent.stop()
    known = json.loads(identity.read_text("utf-8"))
    accepted = known["topics"]["identity"]["accepted"]
    assert len(accepted) == 1
    accepted.update(dict.fromkeys(accepted, 4711))  # what the old program held
    identity.write_text(json.dumps(known), "utf-8")
    rig.agent.start()
    rig.wait_for_state("press", "up")
    until(lambda: rig.status()["devices"]["press"]["changed"], 10, "the change is not seen", rig)
    assert "tsq-agent confirm press" in verb(rig, "status").stdout
    until(lambda: events(rig, "device_changed"), 20, "no event", rig)
    (change,) = events(rig, "device_changed")[0]["body"]["changes"].values()
    assert change["old"] == 4711
    until(lambda: any(r.get("level_q") == UNCERTAIN for r in stored(rig, "press")), 20, "not uncertain", rig)
    assert "4711" in verb(rig, "confirm", "press", "--author", "kim").stdout
    assert rig.status()["devices"]["press"]["changed"] is None
    until(lambda: len(events(rig, "device_changed")) == 2, 20, "the confirmation is not stored", rig)
    at = events(rig, "device_changed")[1]["time"]
    until(lambda: any(r["time"] > at and "level_i" in r for r in stored(rig, "press")), 20, "no value", rig)
    assert not [r for r in stored(rig, "press") if r["time"] > at + 10**9 and "level_q" in r]


def test_a_recording_made_at_the_machine_is_played_at_the_desk(rig: Rig) -> None:
    file = rig.folder / "press.jsonl"
    assert file.name in verb(rig, "record", "press", "--for", "3s", "--out", file).stdout
    head = json.loads(file.read_text("utf-8").splitlines()[0])
    assert (head["device"], head["protocol"], head["config"]["machine"]) == ("press", "modbus", "press")
    rig.agent.stop()
    done = subprocess.run(
        [tool("tsq-agent"), "--lang", "en", "replay", file], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "level" in done.stdout
    assert "0 not in the recording" in done.stdout


def test_the_inventory_tells_how_addresses_were_found(rig: Rig) -> None:
    until(lambda: events(rig, "facts.inventory"), 20, "no inventory", rig)
    facts = events(rig, "facts.inventory")[0]["body"]
    assert (facts["signals"], facts["found"]) == (2, {"manual": 2})
    assert len(ask(rig.folder / "agent", "values", "press")["signals"]) == 2  # type: ignore[arg-type]


def test_an_opc_ua_server_is_recorded_from_its_session_on_and_played(tmp_path: Path) -> None:
    with opcua_server(tmp_path / "cnc", sequence={"nodes": 3, "log": str(tmp_path / "rounds")}) as plant:
        device = {
            "id": "cnc", "type": "opcua", "machine": "cnc", "endpoint": plant.endpoint, "security": "None",
            "groups": [{
                "id": "main", "every": "500ms",
                "signals": [{"id": f"n{i}", "node": f"ns=1;s=seq-{i}", "type": "uint32"} for i in range(3)],
            }],
        }  # fmt: skip
        with running(Rig(tmp_path, devices=[device], machines=[{"id": "cnc"}])) as one:
            one.wait_for_state("cnc", "up")
            plant.tell("start", period=300)
            file = tmp_path / "cnc.jsonl"
            verb(one, "record", "cnc", "--for", "5s", "--out", file)
    command: list[str | Path] = [tool("tsq-agent"), "--lang", "en", "replay", file, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    good = [row["value"] for row in rows if row["signal"] == "n0" and row["status"] == 0]
    assert len(good) >= 3, done.stdout + done.stderr
    assert good == sorted(good)
    assert done.returncode == 0, done.stderr
