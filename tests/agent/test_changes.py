"""What differs between two files, and what of it has to be read before it is taken over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from agent.changes import Changes, compare, fresh, lines
from agent.config.load import read

if TYPE_CHECKING:
    from agent.config.model import AgentConfig


def signal(name: str, address: int, **more: Any) -> dict[str, Any]:
    return {"id": name, "address": f"holding:{address}", "type": "uint16", **more}


def device(name: str, *signals: dict[str, Any], **more: Any) -> dict[str, Any]:
    groups = [{"id": "main", "every": "1s", "signals": signals}]
    return {"id": name, "type": "modbus", "machine": "m", "host": "10.0.0.1", "groups": groups, **more}


def site(*devices: dict[str, Any], **more: Any) -> AgentConfig:
    config = {
        "version": 1, "factory": "hanil", "agent": "edge-1", "name": "한일", "time": {"zone": "Asia/Seoul"},
        "machines": [{"id": "m"}], "uplink": {"site": {"host": "127.0.0.1"}}, "devices": devices, **more,
    }  # fmt: skip
    found, problems = read(json.dumps(config).encode())
    assert found is not None, problems
    return found


PRESS = device("press", signal("a", 1), signal("b", 2))
SAW = device("saw", signal("c", 1), host="10.0.0.2")


def test_the_same_file_differs_in_nothing() -> None:
    changes = compare(site(PRESS, SAW), site(SAW, PRESS))
    assert not changes, "the order of devices means nothing"
    assert [t.en for t in lines(changes)] == ["nothing differs"]


def test_devices_and_signals_that_come_go_and_change_are_told_in_both_languages() -> None:
    new = device("press", signal("a", 5), signal("d", 3), timeout="500ms")
    changes = compare(site(PRESS, SAW), site(new, device("drill", signal("e", 1), host="10.0.0.3")))
    said = [(t.en, t.ko) for t in lines(changes)]
    assert said.pop(6) == ("      a address: holding:1 -> holding:5",) * 2
    assert said[0] == ("device press: changed", "장치 press: 변경")
    assert said[1] == ("  timeout: 1500ms -> 500ms",) * 2
    assert said[2:6] == [
        ("  source press.main: changed", "  수집 단위 press.main: 변경"),
        ("    1 signals added: d", "    태그 1개 추가: d"),
        ("    1 signals removed: b", "    태그 1개 삭제: b"),
        ("    1 signals changed: a", "    태그 1개 변경: a"),
    ]
    assert ("device drill: added", "장치 drill: 추가") in said
    assert said[-3][0] == "device saw: removed"
    assert (changes.of("added"), changes.of("removed"), changes.of("changed")) == (["drill"], ["saw"], ["press"])


@pytest.mark.parametrize(
    ("more", "fixed", "live"),
    [
        ({"agent": "edge-2"}, ("agent",), ()),
        ({"storage": {"directory": "/elsewhere"}, "name": "x"}, ("storage",), ("name",)),
        ({"machines": [{"id": "m"}, {"id": "n"}]}, (), ("machines",)),
        ({"schedule": {"production_day_start": "07:00"}}, ("schedule",), ()),
    ],
)
def test_what_a_running_agent_cannot_take_over_is_named(
    more: dict[str, Any], fixed: tuple[str, ...], live: tuple[str, ...]
) -> None:
    changes = compare(site(PRESS), site(PRESS, **more))
    assert (changes.fixed, changes.live, changes.devices) == (fixed, live, ())


def test_a_dump_of_the_old_one_does_as_well() -> None:
    old = site(PRESS)
    assert compare(json.loads(json.dumps(old.model_dump(mode="json"))), old) == Changes()


def _to_read(old: dict[str, Any], new: dict[str, Any]) -> list[str] | None:
    """Return the ids of the signals that are read before a change is taken over."""
    config = site(new)
    (change,) = compare(site(old), config).devices
    wanted = fresh(change, config.devices[0])
    return None if wanted is None else [s.id for source in wanted.sources() for s in source.signals]


def test_only_what_nobody_has_read_as_it_stands_is_read_first() -> None:
    assert _to_read(PRESS, device("press", signal("a", 5), signal("b", 2), signal("d", 3))) == ["a", "d"]
    assert _to_read(PRESS, device("press", signal("a", 1))) is None, "less is no reason"
    assert _to_read(PRESS, PRESS | {"host": "10.0.0.9"}) == ["a", "b"], "another device, perhaps"
    slower = device("press", signal("a", 1), signal("b", 2))
    slower["groups"][0]["every"] = "5s"
    assert _to_read(PRESS, slower) is None
    group = {"id": "slow", "every": "5s", "signals": [signal("z", 9)]}
    assert _to_read(PRESS, PRESS | {"groups": [*PRESS["groups"], group]}) == ["z"]


def test_a_new_device_is_read_whole() -> None:
    config = site(PRESS, SAW)
    (change,) = compare(site(PRESS), config).devices
    assert fresh(change, config.devices[1]) == config.devices[1]
