"""What the reporter hands to an assessment."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

import agent.reporter
import readiness.report
from agent.config.load import load
from agent.platform.past import Past
from agent.reporter import Reporter
from contract.codec import decode, encode
from contract.report import STANDS_S, Report, ReportRequest
from contract.topics import AgentTopics
from readiness.compact import level
from readiness.evidence import read
from readiness.past import Past as Earlier
from tests.e2e.rig import until
from tests.readiness.plant import DAY, MINUTE, SITE, START
from tests.readiness.plant import Plant as SmallPlant
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


HISTORY = CONFIG.replace("every: 1s", "every: 60s").replace(
    "machines:", 'schedule: {planned: [{days: mon-fri, from: "08:00", to: "20:00"}]}\nmachines:'
)


class Closed(Spool):
    """Keeps what a plant has closed, and a day of an older release where there is one."""

    def __init__(self, days: dict[str, bytes], old: str | None = None) -> None:
        self._days = {**days, **({} if old is None else {old: b'{"version":1}'})}

    def dates(self) -> list[str]:
        """Return their dates."""
        return sorted(self._days)

    def day(self, date: str) -> bytes | None:
        """Return one."""
        return self._days.get(date)


class Broker(Uplink):
    """Keeps what was published."""

    def __init__(self) -> None:
        self.published: list[bytes] = []

    def publish_retained(self, topic: str, payload: bytes, expiry: int | None = None) -> None:
        """Take a report."""
        assert expiry == STANDS_S
        del topic
        self.published.append(payload)


def plant(tmp_path: Path, old: str | None = None) -> tuple[Reporter, Broker]:
    """Return a reporter that knows eight weeks of a machine, of which much more was lost in the first four."""
    path = tmp_path / "agent.yaml"
    path.write_text(HISTORY, "utf-8")
    config = load(path)

    def lost(_source: Source, _number: int, times: Any) -> Any:
        day, minute = (times - START) // DAY, (times - START) % DAY // MINUTE
        return np.where(minute < np.where(day < 28, 40 + 5 * (day % 5), 6 + day % 3), 0x8031_0000, 0)

    source = next(s for s in config.sources() if s.mode == "poll")
    days = SmallPlant([source], days=56, status=lost).evidence()
    made: Any = Reporter
    clock, broker = FakeClock(START + 56 * DAY), Broker()
    spool: Any = Closed(days, old)
    one: Reporter = made(config, Past(spool, "edge-1"), broker, AgentTopics("hanil", "edge-1"), clock)
    return one, broker


def test_what_earlier_windows_say_follows_the_first_report_at_once(tmp_path: Path) -> None:
    one, broker = plant(tmp_path)
    one.start()
    until(lambda: len(broker.published) >= 2, 60, "the second report does not come")
    one.stop()
    first, second = (decode(raw, Report) for raw in broker.published)
    assert (first.trend, first.standing) == (None, None)
    assert second.trend is not None
    assert second.standing is not None
    assert {c.id: c.called for c in second.trend.changes}["C03"] == "better"
    assert second.standing.windows == 5
    assert first.values == second.values
    whole = {day: read(raw) for day in one.past.own() if (raw := one.past.raw(day)) is not None}
    joined, now_ns = one.joined, int(second.made_at)
    assert any(level((date.fromisoformat(max(whole)) - date.fromisoformat(day)).days) for day in whole)
    alike = readiness.report.assess(
        whole, {}, one.config.sources(), joined.plant, joined.calendar, now_ns, one.model, SITE
    )  # fmt: skip
    alike.past = Earlier()
    while alike.past.step(alike):
        pass
    assert encode(alike.plant()) == encode(
        second
    )  # old days are compact, and whole for the windows that they lie in
    answered = decode(one.respond(ReportRequest()), Report)
    assert answered.trend == second.trend
    assert b"no machine" in one.respond(ReportRequest("nobody"))


def test_days_of_another_release_break_the_line(tmp_path: Path) -> None:
    old, following = "2026-10-25", "2026-10-26"
    one, _ = plant(tmp_path, old)
    assert one.assessment().plant().broken == following
    one, _ = plant(tmp_path)
    assert one.assessment().plant().broken is None


def test_a_day_that_the_disk_has_damaged_keeps_no_other_from_the_report(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one, _ = plant(tmp_path)
    days = one.past._spool._days  # type: ignore[attr-defined]
    torn = sorted(days)[-3]
    days[torn] = days[torn][:500]
    report = one.assessment().plant()
    assert report.window.production_days == 19, "of twenty"
    assert report.broken is None
    assert torn not in one.past.own()
    assert one.past.whole(torn) is None
    one.assessment(0)
    assert caplog.text.count(f"the evidence of {torn} is damaged and left out of the report") == 1


def test_what_was_computed_stands_while_nothing_has_changed(tmp_path: Path) -> None:
    one, _ = plant(tmp_path)
    clock = one._clock
    assert isinstance(clock, FakeClock)
    first = one.assessment()
    values = encode(first.plant().values)
    clock.advance(60)
    later = one.assessment()
    assert later is not first
    assert later.outcomes("A01") is first.outcomes("A01")
    assert int(later.plant().made_at) - int(first.plant().made_at) == 60 * 10**9
    assert encode(later.plant().values) == values
    clock.advance(86_400)
    assert one.assessment().outcomes("A01") is not first.outcomes("A01"), "another window"
    changed = one.config
    one.change(changed, changed.sources())
    assert one.assessment().outcomes("A01") is not later.outcomes("A01")


def test_what_an_earlier_window_looks_at_is_read_for_it_and_not_kept(tmp_path: Path) -> None:
    one, _ = plant(tmp_path)
    dict(one.past.days())
    before = {day: kept.much for day, kept in one.past._read.items()}
    assert set(before.values()) == {0, 1}
    earlier = date.fromisoformat(min(before)) + timedelta(days=28)
    read_again = dict(one.past.days(earlier))
    assert set(read_again) == {day for day in before if day < earlier.isoformat()}
    assert all(part.values for _, one_day in read_again.items() for part in one_day.day.sources)
    assert {day: kept.much for day, kept in one.past._read.items()} == before
