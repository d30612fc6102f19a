"""What a device teaches its collector, on the wire and over a restart: the issue's own scenario among it."""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import copy
import random
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.clock import SystemClock
from agent.collectors.base import Box, Forgetful
from agent.collectors.modbus.collector import ModbusCollector
from agent.collectors.modbus.explained import recalled
from agent.collectors.modbus.learned import RETEST_NS, Learned
from agent.collectors.modbus.plan import Limits, Span, Table
from agent.collectors.planning import Cost
from agent.memory import DiskMemory
from tests.agent.collectors.modbus.rig import device, frame, run, values, words
from tests.peers.modbus import read_log, server
from tests.support.clocks import FakeClock
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.collectors.base import Memory
    from agent.collectors.modbus.config import ModbusDevice
    from agent.frame import Json

H = Table.HOLDING
SECOND = 1_000_000_000
RATE = 100


@contextlib.contextmanager
def on_disk(folder: Path) -> Iterator[Memory]:
    """Return the agent's own memory, from its start to its stop."""
    memory = DiskMemory(folder)
    memory.start()
    try:
        yield memory
    finally:
        memory.stop()


def test_a_thousand_scattered_values_are_all_read_within_three_cycles_and_one_after_a_restart(
    tmp_path: Path,
) -> None:
    """1,000 tags at 50 % density, 10 % of the addresses illegal, 5 ms a request, cycles of 5 s."""
    rng = random.Random(3)
    tags = sorted(rng.sample(range(2000), 1000))
    illegal = set(rng.sample(range(2000), 200))
    legal = {f"r{a}": a for a in tags if a not in illegal}
    options = [word for address in sorted(illegal) for word in ("--illegal", f"{address}-{address}")]
    log = tmp_path / "log"
    state = tmp_path / "state"
    state.mkdir()

    async def good_in_each_cycle(port: int, cycles: int) -> list[int]:
        config = device(port, {"g/5s": words(*tags)}, budget={"requests_per_second": RATE})
        found = []
        with on_disk(state) as memory:
            it = ModbusCollector(config, Box(SystemClock(), memory))
            async with it.connect() as read:
                for _ in range(cycles):
                    got = values(frame(await read()))
                    good = {name: value for name, value in got.items() if value is not None}
                    assert good.items() <= legal.items()
                    found.append(len(good))
            assert it.stats.skipped == 0
        return found

    async def story() -> None:
        cold = await good_in_each_cycle(peer.port or 0, 3)
        assert cold[2] == len(legal), cold
        asked = len(read_log(log))
        await asyncio.sleep(1)  # no process comes back sooner
        (warm,) = await good_in_each_cycle(peer.port or 0, 1)
        assert warm == len(legal)
        after = read_log(log)[asked:]
        assert len(after) < 250, "a fifth of one request for each value"
        assert sum(r.exception != 0 for r in after) <= 15, "seams that no request had crossed yet"

    with running(server(tmp_path, "--delay-ms", 5, *options, log=log)) as peer:
        run(story(), 60)
    times = [r.time_ns for r in read_log(log)]
    most = max(bisect.bisect_left(times, t + SECOND) - i for i, t in enumerate(times))
    assert most <= RATE, "no second held more requests than the budget permits"
    assert most > RATE // 2, "and the budget was used"


def test_after_a_restart_nothing_that_is_known_to_be_refused_is_asked(tmp_path: Path) -> None:
    log = tmp_path / "log"
    memory, clock = Forgetful(), FakeClock()
    addresses = (*range(20), 30, 31, 32)
    wanted = {f"r{a}": None if a == 8 else a for a in addresses}

    async def story() -> None:
        config = device(peer.port or 0, {"g/1s": words(*addresses)})
        for _ in range(2):
            asked = len(read_log(log)) if log.exists() else 0
            it = ModbusCollector(config, Box(clock, memory))
            async with it.connect() as read:
                for _ in range(3):
                    assert values(frame(await read())) == wanted
        assert [(r.start, r.count, r.exception) for r in read_log(log)[asked:]] == [
            (0, 8, 0), (9, 11, 0), (30, 3, 0),
        ] * 3  # fmt: skip
        assert it.refused()[0].en.startswith("signal r8 (holding:8): illegal address")
        assert it.stats.learned == {
            "holes": 1, "holes_first": ["holding:20-29"], "refused": 1, "refused_first": ["holding:8"],
        }  # fmt: skip
        while clock.monotonic() < RETEST_NS * 2:
            async with it.connect() as read:
                await read()
                await read()
        assert any((r.start, r.count) == (8, 1) for r in read_log(log)[asked:]), "it is asked again"

    with running(server(tmp_path, "--illegal", "8-8", "--illegal", "25-25", log=log)) as peer:
        run(story())


def test_another_unit_host_or_transport_does_not_inherit_what_was_learned() -> None:
    memory = Forgetful()
    config = device(502, {"g/1s": words(1)})
    learned = recalled(config, memory, 0)
    learned.refuse(Span(H, 1, 1), 2, 0)
    memory.remember(config.id, "modbus", learned.body())
    assert recalled(config, memory, 0).refused
    others: list[dict[str, Any]] = [
        {"unit": 2}, {"host": "127.0.0.2"}, {"port": 503}, {"transport": "rtu-over-tcp"},
    ]  # fmt: skip
    for other in others:
        edited: ModbusDevice = config.model_copy(update=other)
        assert not recalled(edited, memory, 0).refused, other


def test_what_was_learned_of_values_that_are_no_longer_configured_is_forgotten(tmp_path: Path) -> None:
    """A text of 20 registers was refused; its registers, configured instead, share a request again."""
    log = tmp_path / "log"
    memory, clock = Forgetful(), FakeClock()
    text = {"id": "text", "address": "holding:4", "type": "string", "length": 40}

    async def story() -> None:
        before = device(peer.port or 0, {"g/1s": [*words(0, 1, 40, 44), text]})
        async with ModbusCollector(before, Box(clock, memory)).connect() as read:
            assert values(frame(await read()))["text"] is None
        known = recalled(before, memory, 0)
        assert known.refused.keys() == {Span(H, 4, 20)}
        assert known.holes[H].keys() == {(41, 44)}
        after = device(peer.port or 0, {"g/1s": words(*range(23), 40), "h/1s": words(40, 43)})
        assert not recalled(after, memory, 0).refused
        assert not recalled(after, memory, 0).holes[H]
        it = ModbusCollector(after, Box(clock, memory))
        async with it.connect() as read:
            asked = len(read_log(log))
            assert values(frame(await read())) == {f"r{a}": a for a in (*range(23), 40)}
            assert len(read_log(log)) <= asked + 8, "one search for the gap, and no request for each register"

    with running(server(tmp_path, "--illegal", "23-23", "--illegal", "42-42", log=log)) as peer:
        run(story())


def test_a_hole_is_kept_as_long_as_it_is_a_gap_between_values_of_a_group() -> None:
    learned = Learned("here")
    for hole in ((1, 10), (12, 12), (20, 25), (30, 35)):
        learned.hole(H, hole, 0)
    learned.hole(Table.INPUT, (1, 10), 0)
    one = [Span(H, 0, 1), Span(H, 10, 2), Span(H, 12, 8), Span(H, 22, 1), Span(H, 25, 5), Span(H, 36, 1)]
    learned.fit([one, [Span(H, 5, 1), Span(Table.INPUT, 0, 1)]])
    assert {table: set(holes) for table, holes in learned.holes.items() if holes} == {H: {(1, 10), (12, 12)}}
    learned.fit([])
    assert not any(learned.holes.values())


def test_a_collector_that_is_made_anew_goes_on_with_the_budget_of_the_one_before(tmp_path: Path) -> None:
    log = tmp_path / "log"
    clock = SystemClock()

    async def story() -> None:
        box = Box(clock)
        config = device(peer.port or 0, {"g/1s": words(*range(0, 6000, 200))}, budget={"requests_per_second": 40})
        for _ in range(2):
            async with ModbusCollector(config, box).connect() as read:
                await read()

    with running(server(tmp_path, log=log)) as peer:
        run(story())
    times = [r.time_ns for r in read_log(log)]
    assert len(times) == 60
    assert times[40] - times[0] >= SECOND


def test_all_that_was_learned_survives_the_disk() -> None:
    learned = Learned("here")
    learned.limit(H, 60)
    learned.limit(Table.COIL, 800)
    learned.hole(H, (5, 9), 0)
    learned.hole(Table.COIL, (100, 100), 0)
    learned.refuse(Span(Table.INPUT, 7, 2), 3, 0)
    learned.cost = Cost(4_000_000, 9000)
    again = Learned.of(copy.deepcopy(learned.body()), "here", 5 * SECOND)
    assert again.body() == learned.body()
    assert again.limits(Limits()) == Limits(60, 800)
    assert again.limits(Limits(20, 2000, 0)) == Limits(20, 800, 0)
    assert again.barriers(H) == [(5, 9)]
    assert again.refused[Span(Table.INPUT, 7, 2)].due == 5 * SECOND + RETEST_NS
    assert again.cost == learned.cost


scalars = (
    st.none() | st.booleans() | st.integers(-5, 70_000) | st.floats() | st.sampled_from(["holding", "coil", ""])
)
json_like = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@given(st.fixed_dictionaries(dict.fromkeys(("limits", "holes", "refused", "cost"), json_like)), json_like)
@settings(max_examples=200)
def test_a_malformed_memory_is_ignored_and_never_stops_a_collector(body: dict[str, Json], other: Json) -> None:
    assert Learned.of(other, "here", 0).body() == Learned("here").body()
    learned = Learned.of({"version": 1, "place": "here", **body}, "here", 0)
    limits = learned.limits(Limits())
    assert 1 <= limits.registers <= 125
    assert 1 <= limits.bits <= 2000
    for table in Table:
        assert all(0 <= start <= end <= 65536 for start, end in learned.barriers(table))
    assert Learned.of(learned.body(), "here", 0).body() == learned.body()


def test_entries_of_a_damaged_memory_are_taken_one_by_one() -> None:
    body: Json = {
        "version": 1, "place": "here", "limits": {"registers": "many", "bits": 7},
        "holes": [["holding", 3, 5], ["holding", 9, 5], ["holding", True, 5], ["nowhere", 1, 2], 7, ["coil", 1]],
        "refused": [["input", 3, 2, 2], ["input", 65535, 2, 2], ["input", 3, 0, 2], ["input", 3, 2, 0]],
        "cost": [1, -1],
    }  # fmt: skip
    learned = Learned.of(body, "here", 0)
    assert (learned.registers, learned.bits, learned.cost) == (None, 7, None)
    assert learned.barriers(H) == [(3, 5)]
    assert list(learned.refused) == [Span(Table.INPUT, 3, 2)]
