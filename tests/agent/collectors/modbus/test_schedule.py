"""When groups are read, and how long a search may take: with a server, on a clock that the test drives."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from agent.collectors.base import Box
from agent.collectors.modbus.collector import ModbusCollector
from agent.collectors.schedule import phase
from agent.config.base import Burst
from tests.agent.collectors.modbus.rig import device, frame, run, values, words
from tests.peers.modbus import read_log, server
from tests.support.clocks import FakeClock
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.collectors.base import Stats

SECOND = 1_000_000_000


def readings(
    tmp_path: Path, groups: Mapping[str, Sequence[dict[str, Any]]], count: int, **options: Any
) -> tuple[list[tuple[str, int]], Stats]:
    """Return (group, monotonic time at which its reading ended) in order, and the figures.

    Requests take no time on this clock; `request_gap` before each makes a slow device.
    """
    ended: list[tuple[str, int]] = []
    clock = FakeClock()
    with running(server(tmp_path)) as peer:
        assert peer.port is not None
        it = ModbusCollector(device(peer.port, groups, **options), Box(clock))

        async def story() -> None:
            async with it.connect() as read:
                for _ in range(count):
                    got = frame(await read())
                    ended.append((got.source.id.removeprefix("plc."), clock.monotonic()))

        run(story())
    return ended, it.stats


def test_each_group_is_read_at_once_and_then_keeps_its_own_grid(tmp_path: Path) -> None:
    ended, stats = readings(tmp_path, {"slow/3s": words(1), "fast/1s": words(2)}, 14)
    slow = [at for group, at in ended if group == "slow"]
    fast = [at for group, at in ended if group == "fast"]
    assert (slow[0], fast[0]) == (0, 0)
    assert {at % (3 * SECOND) for at in slow[1:]} == {phase("plc", 0, 3 * SECOND)}
    assert {at % SECOND for at in fast[1:]} == {phase("plc", 1, SECOND)}
    assert len(fast) >= 3 * len(slow) - 3
    assert (stats.skipped, stats.late) == (0, 0)


def test_a_reading_longer_than_its_interval_skips_slots_and_returns_to_the_grid(tmp_path: Path) -> None:
    five = words(0, 200, 400, 600, 800)
    ended, stats = readings(tmp_path, {"g/1s": five}, 7, request_gap="350ms")
    begun = [at - 1_400_000_000 for _, at in ended[2:]]
    assert {at % SECOND for at in begun} == {phase("plc", 0, SECOND)}
    assert {b - a for a, b in pairwise(begun)} == {2 * SECOND}
    assert 6 <= stats.skipped <= 7, "one in each reading but perhaps the first"
    assert stats.late == 0


def test_a_group_delayed_by_another_runs_late_and_counts_what_it_missed(tmp_path: Path) -> None:
    groups = {"a/1s": words(1), "b/10s": words(*range(0, 4000, 200))}
    ended, stats = readings(tmp_path, groups, 25, request_gap="100ms")
    assert Counter(group for group, _ in ended)["b"] >= 2
    assert stats.skipped > 0
    assert stats.late > 0


@pytest.mark.parametrize("every", ["100ms", "250ms"])
def test_an_overloaded_device_is_shared_fairly(tmp_path: Path, every: str) -> None:
    groups = {f"{name}/{every}": words(n) for n, name in enumerate(("a", "b", "c"))}
    ended, stats = readings(tmp_path, groups, 60, request_gap="120ms")
    counts = Counter(group for group, _ in ended)
    assert max(counts.values()) - min(counts.values()) <= 2, counts
    assert stats.skipped > 0


def test_looking_for_refused_values_takes_three_seconds_of_a_reading_at_most_and_goes_on_in_the_next(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    with running(server(tmp_path, "--illegal", "0-62")) as peer:
        assert peer.port is not None
        it = ModbusCollector(device(peer.port, {"g/1s": words(*range(64))}, request_gap="100ms"), Box(clock))

        async def story() -> None:
            async with it.connect() as read:
                known = []
                for _ in range(20):
                    begun = clock.monotonic()
                    got = frame(await read())
                    assert len(got) == 64
                    assert clock.monotonic() - begun < 4.5 * SECOND, (
                        "3 s and a request, after at most 1 s of waiting"
                    )
                    known.append(len(it.refused()))
                assert known[0] > 1
                assert values(got)["r63"] == 63
                assert len(it.refused()) == 63

        run(story())


def test_the_search_of_one_group_leaves_off_when_another_is_due(tmp_path: Path) -> None:
    clock = FakeClock()
    log = tmp_path / "log"
    with running(server(tmp_path, "--illegal", "0-999", log=log)) as peer:
        assert peer.port is not None
        groups = {"slow/1m": words(*range(0, 1000, 2)), "fast/1s": words(2000)}
        it = ModbusCollector(device(peer.port, groups, request_gap="20ms"), Box(clock))

        async def story() -> None:
            async with it.connect() as read:
                fast = []
                for _ in range(40):
                    got = frame(await read())
                    if got.source.id == "plc.fast":
                        fast.append(clock.monotonic())
                assert max(b - a for a, b in pairwise(fast)) < 5 * SECOND
                assert sum(r.start < 1000 for r in read_log(log)) > 100, "and yet it goes on"

        run(story())


def test_a_device_is_never_asked_more_often_than_its_budget_permits_and_slots_are_skipped_instead(
    tmp_path: Path,
) -> None:
    groups = {"g/1s": words(*range(0, 4000, 200))}
    ended, stats = readings(tmp_path, groups, 10, budget={"requests_per_second": 5})
    assert all(b - a >= 4 * SECOND for (_, a), (_, b) in pairwise(ended)), "20 requests each"
    assert stats.per_second == pytest.approx(5, rel=0.2)
    assert stats.skipped > 0


def test_a_burst_group_is_read_in_its_windows_only_and_its_source_says_so(tmp_path: Path) -> None:
    clock = FakeClock()
    with running(server(tmp_path)) as peer:
        assert peer.port is not None
        config = device(peer.port, {"fast/100ms": words(1), "slow/10s": words(2)})
        window = Burst.model_validate({"length": "2s", "per": "1m", "agreed_by": "Kim", "agreed_on": "2026-11-01"})
        fast = config.groups[0].model_copy(update={"burst": window})
        it = ModbusCollector(config.model_copy(update={"groups": (fast, config.groups[1])}), Box(clock))
        assert [source.mode for source in it.sources] == ["burst", "poll"]

        async def story() -> None:
            async with it.connect() as read:
                times = []
                while clock.monotonic() < 200 * SECOND:
                    got = frame(await read())
                    if got.source.id == "plc.fast":
                        times.append(clock.monotonic())
                assert all(at % (60 * SECOND) < 2 * SECOND for at in times)
                assert len({at // (60 * SECOND) for at in times}) == 4

        run(story())
