"""When groups are read: on a fixed grid, on a clock that the test drives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from agent.collectors.base import Box
from agent.collectors.modbus.collector import ModbusCollector
from tests.agent.collectors.modbus.rig import device, frame, run, words
from tests.peers.modbus import server
from tests.support.clocks import FakeClock
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def starts(
    tmp_path: Path, groups: Mapping[str, Sequence[dict[str, Any]]], readings: int, request_s: float = 0
) -> tuple[list[tuple[str, float]], dict[str, int]]:
    """Return (group, second at which its reading ended) in order, and the skipped slots.

    Each request takes `request_s` on this clock.
    """
    ended: list[tuple[str, float]] = []
    clock = FakeClock()

    def slow(_device: str, direction: str, _data: bytes) -> None:
        if direction == "sent":
            clock.advance(request_s)

    with running(server(tmp_path)) as peer:
        assert peer.port is not None
        it = ModbusCollector(device(peer.port, groups), Box(clock, tap=slow))

        async def story() -> None:
            async with it.connect() as read:
                for _ in range(readings):
                    got = frame(await read())
                    ended.append((got.source.id.removeprefix("plc."), clock.monotonic() / 1e9))

        run(story())
    return ended, dict(it.skipped)


def test_each_group_keeps_its_own_grid_and_the_one_due_first_goes_first(tmp_path: Path) -> None:
    ended, skipped = starts(tmp_path, {"slow/3s": words(1), "fast/1s": words(2)}, 9)
    assert ended == [
        ("slow", 0), ("fast", 0), ("fast", 1), ("fast", 2), ("slow", 3), ("fast", 3), ("fast", 4), ("fast", 5),
        ("slow", 6),
    ]  # fmt: skip
    assert skipped == {}


def test_a_reading_of_two_and_a_half_periods_skips_two_slots_and_returns_to_the_grid(tmp_path: Path) -> None:
    ended, skipped = starts(tmp_path, {"g/1s": words(1)}, 4, 2.5)
    assert ended == [("g", 2.5), ("g", 5.5), ("g", 8.5), ("g", 11.5)]
    assert skipped == {"plc.g": 8}


def test_a_reading_of_exactly_one_period_skips_nothing(tmp_path: Path) -> None:
    ended, skipped = starts(tmp_path, {"g/1s": words(1)}, 4, 1)
    assert ended == [("g", 1), ("g", 2), ("g", 3), ("g", 4)]
    assert skipped == {}


def test_a_group_delayed_by_another_runs_late_and_counts_what_it_missed(tmp_path: Path) -> None:
    ended, skipped = starts(tmp_path, {"a/1s": words(1), "b/10s": words(2, 100)}, 4, 0.8)
    # a takes 0.8 s and b 1.6 s: a's slot at 1 s is missed, the one at 2 s runs late at 2.4 s.
    assert ended == [("a", 0.8), ("b", 2.4), ("a", 3.2), ("a", 4.8)]
    assert skipped == {"plc.a": 2}


@pytest.mark.parametrize("every", ["100ms", "250ms"])
def test_an_overloaded_device_is_shared_fairly(tmp_path: Path, every: str) -> None:
    groups = {f"{name}/{every}": words(n) for n, name in enumerate(("a", "b", "c"))}
    ended, skipped = starts(tmp_path, groups, 60, 0.12)
    counts = {name: sum(1 for group, _ in ended if group == name) for name in ("a", "b", "c")}
    assert max(counts.values()) - min(counts.values()) <= 2, counts
    assert set(skipped) == {"plc.a", "plc.b", "plc.c"}


def test_looking_for_a_refused_value_takes_no_longer_than_three_seconds_of_a_reading(tmp_path: Path) -> None:
    clock = FakeClock()
    with running(server(tmp_path, "--illegal", "0-62")) as peer:
        assert peer.port is not None
        it = ModbusCollector(device(peer.port, {"g/1s": words(*range(64))}, request_gap="100ms"), Box(clock))

        async def story() -> None:
            async with it.connect() as read:
                durations = []
                for _ in range(12):
                    begun = clock.monotonic()
                    got = frame(await read())
                    assert len(got) == 64
                    durations.append((clock.monotonic() - begun) / 1e9)
                assert max(durations) < 11, "3 s of looking, then one request for each piece that is left"
                assert got.value[-1] == 63 or 63 in got.value
                assert len(it.refused()) == 63

        run(story())
