"""Events are told once, to whom it was agreed, over restarts and broken lines; and again when they begin anew."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

import jsonschema
import numpy as np
import pytest
from msgspec.structs import replace

from agent.platform.events import FILE, Events
from contract.codec import decode
from contract.event import Event
from contract.report import Change, Trend
from contract.schemas import schema
from contract.topics import AgentTopics
from readiness.happenings import Happening, happenings
from readiness.past import Told
from readiness.plant import Installed, Use, configured
from readiness.report import Assessment, assess
from tests.readiness.plant import CALENDAR, DAY, SITE, START, Plant, model, signal, source

if TYPE_CHECKING:
    from pathlib import Path

TOPICS = AgentTopics("hanil", "edge-1")
SOURCES = (source("press-1", (signal("press-1", 0), signal("press-1", 1))), source("lathe"))
DAYS = 28


def made(silent_from: int = DAYS, **said: Any) -> Assessment:
    """Assess four weeks; the lathe says nothing from a day on."""

    def status(of: Any, _number: int, times: Any) -> Any:
        return np.where(of.id.startswith("lathe") & ((times - START) // DAY >= silent_from), 0x8031_0000, 0)

    plant = Plant(SOURCES, status=status, days=DAYS)
    people = dataclasses.replace(configured(plant.sources, plant.inventory), **said)
    return assess(plant.evidence(), {}, plant.sources, people, CALENDAR, plant.end, model(), SITE)


def worse(*names: str) -> Trend:
    """Return a trend in which some got worse, one better and one not called."""
    changes = [Change(name, 80.0, 60.0, -25.0, -15.0, "worse") for name in names]
    changes += [Change("D8", 60.0, 80.0, 15.0, 25.0, "better"), Change("D9", 60.0, 50.0, -25.0, 5.0, "none")]
    return Trend("2026-09-01", "2026-09-28", 2, changes)


def test_a_machine_is_stale_after_three_production_days_without_a_value() -> None:
    three, two = [n for n in range(DAYS) if n % 7 < 5][-3:-1]  # the first is a Monday
    assert happenings(made(three).view, None) == [Happening("stale", "lathe")]
    assert happenings(made(two).view, None) == []
    assert happenings(made().view, None) == []


def test_what_the_report_calls_worse_is_decay_and_nothing_else() -> None:
    view = made().view
    assert happenings(view, worse("D1", "A01")) == [
        Happening("decay", "D1", None, 80.0, 60.0), Happening("decay", "A01", None, 80.0, 60.0),
    ]  # fmt: skip


@pytest.mark.parametrize(("account", "days", "why"), [
    ("operator", 20, None), ("kiosk", 20, "use"), ("kiosk", 5, None), (None, 20, None),
])  # fmt: skip
def test_a_system_that_nobody_looks_at_is_unused(
    account: str | None, days: int, why: Literal["points", "use"] | None
) -> None:
    first = made().view
    dates = [d.isoformat() for d, planned in zip(first.dates, first.planned, strict=True) if planned][-days:]
    use = [] if account is None else [Use(system="mes", day=day, account=account, reads=3) for day in dates]
    systems = [Installed(id="mes", name="MES", kind="mes", live_ns=START, points={})]
    found = happenings(made(use=use, systems=systems).view, None)
    assert found == ([] if why is None else [Happening("unused", "mes", why)])


def test_a_system_without_a_point_that_lives_is_unused() -> None:
    dead = [Installed(id="mes", name="MES", kind="mes", live_ns=START, points={"a": "lathe/s0", "b": None})]
    kept = [Installed(id="mes", name="MES", kind="mes", live_ns=START, points={"a": "lathe/s0", "b": "press-1/s0"})]
    assert Happening("unused", "mes", "points") in happenings(made(0, systems=dead).view, None)
    assert Happening("unused", "mes", "points") not in happenings(made(0, systems=kept).view, None)


class Desk:
    """What events come from and go to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sent: list[tuple[str, Event]] = []
        self.up = True
        self.scopes = frozenset({"indicators", "machines"})
        self.devices: list[str] = []
        self.trend: Trend | None = worse("D1")
        self.known = True
        self.view = made()
        self.start()

    def start(self) -> None:
        """Begin anew, on what the disk has kept."""
        agreed: Any = self
        uplink: Any = self
        self.events = Events(self.folder, TOPICS, uplink, agreed, lambda: 7, lambda: self.devices)

    def publish_once(self, topic: str, raw: bytes) -> None:
        """Take a message."""
        jsonschema.validate(json.loads(raw), schema("event"))
        self.sent.append((topic, decode(raw, Event)))

    def turn(self, *, reports: bool = True) -> list[str]:
        """Let a report be made; return what was told with it."""
        self.sent.clear()
        past = SimpleNamespace(of=lambda _made: Told(None, self.trend) if self.known else None)
        self.view.past = past  # type: ignore[assignment]
        self.events.turn(self.view if reports else None, "2026-11-22")
        assert [topic for topic, _ in self.sent] == [TOPICS.event(one.kind) for _, one in self.sent]
        return [f"{one.kind} {one.subject}" for _, one in self.sent]


def test_an_event_is_told_once_and_again_when_it_begins_anew(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.turn() == ["decay D1"]
    assert desk.turn() == []
    desk.start()
    assert desk.turn() == [], "also after a restart"
    desk.known = False
    assert desk.turn() == []
    desk.known = True
    assert desk.turn() == [], "that earlier windows were not known for a moment ends nothing"
    desk.trend = worse()
    assert desk.turn() == []
    desk.trend = worse("D1", "D2")
    assert desk.turn() == ["decay D1", "decay D2"]
    desk.devices = ["plc-2"]
    assert desk.turn() == ["device_changed plc-2"]
    assert desk.turn(reports=False) == []
    desk.devices = []
    desk.turn(reports=False)
    desk.devices = ["plc-2"]
    assert desk.turn(reports=False) == ["device_changed plc-2"]
    assert desk.turn() == [], "what another turn did not look at is still told"


def test_nothing_is_told_without_consent_or_connection_and_it_is_told_when_they_come(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.devices, desk.scopes = ["plc-2"], frozenset({"levels"})
    assert desk.turn() == []
    desk.scopes = frozenset({"indicators"})
    assert desk.turn() == ["decay D1"]
    desk.up, desk.scopes = False, frozenset({"machines"})
    assert desk.turn() == []
    desk.up = True
    assert desk.turn() == ["device_changed plc-2"]


@pytest.mark.parametrize("content", [b"", b"{", b'[["decay"]]'])
def test_a_file_that_cannot_be_read_repeats_what_holds(tmp_path: Path, content: bytes) -> None:
    desk = Desk(tmp_path)
    desk.turn()
    (tmp_path / FILE).write_bytes(content)
    desk.start()
    assert desk.turn() == ["decay D1"]
    assert desk.turn() == []


def test_an_event_says_what_it_is_of(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.turn()
    ((_, found),) = desk.sent
    assert replace(found, made_at="0") == Event(
        "hanil", "edge-1", "decay", "D1", "2026-11-22", "0", before=80.0, after=60.0
    )
