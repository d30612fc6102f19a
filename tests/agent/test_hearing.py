"""What people answer reaches the report and the analyzers of a running agent, and only what has changed does."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from agent.analyzers.ledger import Ranges
from agent.answering import Answering
from agent.config.load import read
from agent.reporter import Reporter
from agent.running import Running
from contract.topics import AgentTopics
from readiness.plant import ControlLoop
from tests.answers.given import raw
from tests.support.site import SMALLEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agent.config.model import AgentConfig

TOPICS = AgentTopics("hanil", "edge-1")
SIGNALS = "{id: sp, address: 'holding:0', type: float32}, {id: pv, address: 'holding:2', type: float32}"
DEVICE = (
    "devices: [{id: plc, type: modbus, machine: press-1, host: 127.0.0.1, groups: [{every: 1s, signals: "
    f"[{SIGNALS}]}}]}}]\n"
)
HEAT = {"machine": "press-1", "name": "heat", "sp": "sp", "pv": "pv", "band": 1.5}
LOOP = ControlLoop(machine="press-1", name="heat", sp="sp", pv="pv", band=1.5)


class Spool:
    """Goes over at once, or takes nothing."""

    def __init__(self) -> None:
        self.takes, self.changes = True, 0

    def change(self, birth: Any, sources: Any, applied: Callable[[], None], *, ring_rows: int) -> bool:
        assert birth.sources
        assert sources
        assert ring_rows > 0
        if self.takes:
            self.changes += 1
            applied()
        return self.takes


class Rig:
    """An agent without devices, disk and network."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "answers.yaml"
        text = SMALLEST.format(folder=folder, port=1883) + f"readiness: {{answers: {self.file}}}\n" + DEVICE
        found, problems = read(text.encode())
        assert found is not None, problems
        config: AgentConfig = found
        self.put(1)
        self.begun: list[Any] = []
        self.spool = Spool()
        disk: Any = self.spool
        self.answering = Answering(config, folder, TOPICS, lambda: 0)
        nothing: Any = SimpleNamespace()
        uplink: Any = SimpleNamespace(on_request=lambda *_: None)
        past: Any = SimpleNamespace(told=dict, leave_out=lambda _machines: None)
        self.reporter = Reporter(config, past, uplink, TOPICS, nothing, self.answering.sets)
        evidence: Any = SimpleNamespace(begin=lambda sources, *said: self.begun.append((len(sources), *said)))
        others: Any = dict.fromkeys(("fleet", "latest", "fingerprints", "maintenance", "sender"))
        self.running = Running(
            config, b"", None, nothing, spool=disk, evidence=evidence, reporter=self.reporter,
            answering=self.answering, **others,
        )  # fmt: skip

    def put(self, serial: int, **parts: Any) -> None:
        """Write a file of answers."""
        self.file.write_text(json.dumps(raw(serial=serial, **parts)), "utf-8")

    def hear(self) -> None:
        """Do what the agent does when something has come."""
        asyncio.run(self.running.hear())


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_loops_and_ranges_reach_the_analyzers_between_two_commits(rig: Rig) -> None:
    rig.put(
        2, loops=[HEAT], signals=[{"id": "press-1/pv", "limits": [0, 9]}, {"id": "press-1/sp", "usual": [1, 2]}]
    )
    rig.hear()
    ranges = {"press-1/pv": Ranges((0, 9), None), "press-1/sp": Ranges(None, (1, 2))}
    assert rig.begun == [(1, (LOOP,), ranges)]
    assert rig.reporter.joined.plant.loops == (LOOP,)


def test_answers_that_only_the_report_needs_touch_nothing_else(rig: Rig) -> None:
    rig.put(2, bills=[{"month": "2026-10", "kwh": 3}])
    rig.hear()
    assert [bill.kwh for bill in rig.reporter.joined.plant.bills] == [3]
    assert rig.spool.changes == 0
    rig.hear()
    assert rig.begun == []


def test_a_disk_that_takes_nothing_is_tried_again(rig: Rig) -> None:
    rig.spool.takes = False
    rig.put(2, loops=[HEAT])
    rig.hear()
    rig.hear()
    assert rig.begun == []
    owed = [rig.running.owes]
    assert rig.reporter.joined.plant.loops == (LOOP,), "the report knows already"
    rig.spool.takes = True
    rig.hear()
    assert rig.begun == [(1, (LOOP,), {})]
    owed.append(rig.running.owes)
    assert owed == [True, False]
    rig.hear()
    assert len(rig.begun) == 1
