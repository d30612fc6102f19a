"""What the reporter hands to an assessment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import agent.reporter
import readiness.report
from agent.config.load import load
from agent.platform.past import Past
from agent.reporter import Reporter
from contract.topics import AgentTopics
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from agent.frame import Source

CONFIG = """
version: 1
factory: hanil
agent: edge-1
name: 공장
time: {zone: Asia/Seoul, trust_local_clock: true}
machines: [{id: press-1}]
uplink: {site: {host: 127.0.0.1, port: 1883}}
devices:
  - id: plc
    name: 프레스 PLC
    type: modbus
    machine: press-1
    host: 127.0.0.1
    port: 502
    groups:
      - id: main
        every: 1s
        signals: [{id: current, name: 모터 전류, address: "holding:0", type: float32, role: pv}]
      - id: fast
        every: 100ms
        burst: {length: 60s, per: 1h, agreed_by: 김 반장, agreed_on: 2026-01-05}
        signals: [{id: current-fast, name: 모터 전류, address: "holding:0", type: float32, role: pv}]
"""


class Spool:
    """Keeps nothing yet."""

    def dates(self) -> list[str]:
        """Return no days."""
        return []

    def tallies(self) -> dict[tuple[str, str], dict[int, int]]:
        """Return no counts."""
        return {}


class Uplink:
    """Nobody asks."""

    def on_request(self, verb: str, handler: Callable[[bytes], bytes]) -> None:
        """Take who answers."""


def test_bursts_are_assessed_and_nobody_is_asked_what_they_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(CONFIG, "utf-8")
    config = load(path)
    catalogs: list[tuple[Source, ...]] = []
    assess = readiness.report.assess

    def watched(days: Any, tallies: Any, catalog: Any, *more: Any) -> Any:
        catalogs.append(tuple(catalog))
        return assess(days, tallies, catalog, *more)

    monkeypatch.setattr(agent.reporter, "assess", watched)
    made: Any = Reporter
    spool: Any = Spool()
    one: Reporter = made(config, Past(spool, "edge-1"), Uplink(), AgentTopics("hanil", "edge-1"), FakeClock())
    assert one.contradictions() == []
    assert [(s.id, s.mode) for s in catalogs[0]] == [("plc.main", "poll"), ("plc.fast", "burst")]
    assert list(one.joined.plant.meanings) == ["press-1/current"]
