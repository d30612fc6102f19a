"""Two running agents and a broker: killed at any moment, each day of evidence arrives, and is signed once."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from agent.spool import Limits, Spool
from agent.spool.days import unpacked
from contract.codec import digest
from readiness.evidence import dump, load
from tests.agent.platform.factory import config_of, evidence_of
from tests.agent.test_uplink import eventually
from tests.e2e.rig import tool
from tests.readiness.plant import CALENDAR
from tests.support.brokers import mosquitto
from tests.support.processes import Child, running

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 4


def box(folder: Path, port: int, agent: str, machines: list[str], **readiness: Any) -> Child:
    """Return an agent whose spool has closed some days; the last one ended yesterday or the day before."""
    config = config_of(folder, port, agent, machines, report_every="10s", **readiness)
    today = CALENDAR.day_of(time.time_ns())
    recent = {}
    for back, raw in enumerate(reversed(evidence_of(config, DAYS).values()), 1):
        date = today - timedelta(days=back)
        start, end = CALENDAR.bounds(date)
        recent[date.isoformat()] = dump(replace(load(raw), day=date.isoformat(), start=str(start), end=str(end)))
    spool = Spool(
        config.storage.directory,
        birth=config.birth(),
        sources=config.sources(),
        limits=Limits(min_free_bytes=10**6),
    )
    with spool._using() as journal:
        journal.checkpoint(b"", recent)
    spool.stop()
    return Child([tool("tsq-agent"), "run", "--config", folder / "agent.yaml"], log=folder / "agent.log")


def show(folder: Path, language: str) -> str:
    """Return what `tsq-agent reporter show` prints."""
    command: list[str | Path] = [
        tool("tsq-agent"),
        "reporter",
        "show",
        "--config",
        folder / "agent.yaml",
        "--lang",
        language,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout


def test_each_day_arrives_and_is_signed_once_whoever_is_killed_meanwhile(tmp_path: Path) -> None:
    broker = mosquitto(tmp_path / "broker")
    assert broker.port is not None
    one, two = tmp_path / "one", tmp_path / "two"
    waiting, taken = two / "state" / "outbox", one / "state" / "evidence" / "edge-2"
    with running(broker):
        other = box(two, broker.port, "edge-2", ["lathe"], reporter="edge-1")
        with running(other):
            eventually(lambda: len([*waiting.glob("*.zst")]) == DAYS, 60)
            other.kill()
            packed = {path.name: path.read_bytes() for path in waiting.glob("*.zst")}
            other.start()
            reporter = box(one, broker.port, "edge-1", ["press-1"], agents=["edge-2"])
            with running(reporter):
                eventually(lambda: bool([*taken.glob("*.zst")]), 90)
                reporter.kill()
                other.kill()
                reporter.start()
                other.start()
                eventually(lambda: not [*waiting.glob("*.zst")], 90)
                found = {path.name: path.read_bytes() for path in taken.glob("*.zst")}
                assert found == packed
                assert {name.split(".")[1] for name in found} == {digest(unpacked(raw)) for raw in found.values()}
                eventually(lambda: len([*(one / "state" / "days").glob("*.json")]) == DAYS, 90)
                signed = [json.loads(path.read_bytes()) for path in sorted((one / "state" / "days").glob("*.json"))]
                records = [json.loads(each["record"]) for each in signed]
                assert [record["number"] for record in records] == list(range(1, DAYS + 1))
                assert [record.get("absent", []) for record in records] == [[]] * DAYS
                assert {machine["id"] for machine in records[-1]["machines"]} == {"press-1", "lathe"}
                assert f"edge-2: {DAYS} days" in show(one, "en")
                assert f"edge-2: {DAYS}일 받음" in show(one, "ko")
                assert "edge-1 reports for this factory: 0 days wait for it" in show(two, "en")
                assert "대표 에이전트 edge-1" in show(two, "ko")
        assert not (two / "state" / "days").exists()
