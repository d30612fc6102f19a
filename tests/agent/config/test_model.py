"""What a right file means."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config.load import load, read
from agent.frame import DataType
from contract import codec
from readiness.inventory import Machine

if TYPE_CHECKING:
    from agent.config.model import AgentConfig

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config" / "agent.example.yaml"


def loaded(text: str) -> AgentConfig:
    config, problems = read(text.encode())
    assert config is not None, problems
    return config


SMALL = """
version: 1
factory: hanil
agent: edge-1
name: 한일정밀
time: {zone: Asia/Seoul}
machines: [{id: press-1}]
uplink: {site: {host: 127.0.0.1}}
"""


def test_the_example_is_right_and_says_what_it_shows() -> None:
    config = load(EXAMPLE)
    assert config.inventory()[0] == Machine("press-1", "프레스 1호기", 2.0, "hanil/main/line-1/press-1")
    assert [m.id for m in config.inventory()] == ["press-1", "meter-1", "cnc-1", "lathe-9"]
    assert [s.id for s in config.sources()] == [
        "press-plc.fast",
        "press-plc.slow",
        "meter.main",
        "cnc.state",
        "cnc.axis",
    ]
    assert [s.interval_ns for s in config.sources()] == [5 * 10**8, 10**10, 5 * 10**9, 10**9, 5 * 10**9]
    assert [s.mode for s in config.sources()] == ["poll", "poll", "poll", "subscription", "poll"]
    calendar = config.calendar()
    assert calendar.zone == "Asia/Seoul"
    assert calendar.day_start == dt.time(8)
    assert calendar.planned[5] == ((dt.time(8), dt.time(13)),)
    assert 6 not in calendar.planned
    assert dt.date(2026, 12, 24) in calendar.holidays
    assert calendar.planned_spans(dt.date(2026, 12, 24)).length() == 0
    assert config.storage.max_size == 2 * 10**9
    assert config.uplink.site.password is not None
    assert config.addresses()["press-1", "motor-current"] == "holding:8 (400009)"
    assert config.addresses()["cnc-1", "state"] == "ns=2;s=Channel/State"


def test_the_smallest_file_has_the_documented_defaults() -> None:
    config = loaded(SMALL)
    assert config.site == "main"
    assert config.sources() == ()
    assert config.storage.directory == Path("/var/lib/tsq-agent")
    assert config.storage.max_age == 30 * 86400 * 10**9
    assert not config.time.trust_local_clock
    assert not config.calendar().has_schedule()
    assert config.calendar().holidays == frozenset()
    assert config.uplink.platform is None


def test_a_birth_holds_every_signal_in_order_and_depends_on_nothing_else() -> None:
    config = load(EXAMPLE)
    birth = config.birth()
    assert (birth.factory, birth.site, birth.agent) == ("hanil", "main", "edge-1")
    signals = {(source.id, s.id): s for source in birth.sources for s in source.signals}
    assert [(b.id, [s.id for s in b.signals]) for b in birth.sources] == [
        (source.id, [s.id for s in source.signals]) for source in config.sources()
    ]
    assert signals["press-plc.slow", "oil-temperature"].dtype == DataType.FLOAT64  # scaled
    current = signals["press-plc.fast", "motor-current"]
    assert (current.name, current.unit, current.role, current.role_confirmed) == ("모터 전류", "A", "pv", True)
    text = EXAMPLE.read_text("utf-8")
    other = loaded("# a comment\n" + text.replace("max_size: 2GB", "max_size: 3GB"))
    assert codec.encode(other.birth()) == codec.encode(birth)
    renamed = loaded(text.replace("모터 전류", "주 모터 전류"))
    assert codec.encode(renamed.birth()) != codec.encode(birth)


@pytest.mark.parametrize(
    ("fields", "wide"),
    [
        ("type: uint64, eu_range: [0, 1.0e+19]", True), ("type: uint64, instrument_range: [0, 1.8e+19]", True),
        ("type: uint64, eu_range: [0, 1000]", False), ("type: uint64", False),
        ("type: float64, eu_range: [0, 1.0e+19]", False),
    ],
)  # fmt: skip
def test_a_counter_that_may_pass_a_signed_integer_is_wide(fields: str, wide: bool) -> None:  # noqa: FBT001
    config = loaded(
        f"{SMALL}devices: [{{id: plc, type: modbus, machine: press-1, host: h, groups: [{{every: 1s, "
        f"signals: [{{id: a, address: 'holding:0', {fields}}}]}}]}}]"
    )
    assert config.birth().sources[0].signals[0].wide is wide


def test_the_hash_follows_the_meaning_and_not_the_text() -> None:
    base = loaded(SMALL).config_hash()
    assert loaded("# comment\n" + SMALL).config_hash() == base
    lines = SMALL.strip().splitlines()
    assert loaded("\n".join(reversed(lines))).config_hash() == base
    assert loaded(SMALL + "site: main\nstorage: {max_size: 2000MB}").config_hash() == base
    assert loaded(SMALL + "site: second").config_hash() != base


def test_a_role_is_confirmed_unless_it_is_a_guess() -> None:
    config = loaded(
        f"{SMALL}devices: [{{id: plc, type: modbus, machine: press-1, host: h, groups: [{{every: 1s, signals: ["
        "{id: a, address: 'holding:0', type: uint16, role: pv}, "
        "{id: b, address: 'holding:1', type: uint16, role: pv, guess: true}, "
        "{id: c, address: 'holding:2', type: uint16}]}]}]"
    )
    assert [s.role_confirmed for s in config.sources()[0].signals] == [True, False, False]


def test_a_password_needs_a_user_and_never_shows() -> None:
    _, problems = read(SMALL.replace("host: 127.0.0.1", 'host: h, password: "env:P"').encode())
    assert [p.path for p in problems] == ["uplink.site"]
    config = loaded(SMALL.replace("host: 127.0.0.1", 'host: h, user: u, password: "env:TSQ_TEST_SECRET"'))
    assert config.model_dump(mode="json")["uplink"]["site"]["password"] == "env:TSQ_TEST_SECRET"
