"""Complaints 1 and 5 to 10: what other collectors make of a Modbus link that misbehaves, and ours does not."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from typing import TYPE_CHECKING, Any

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.modbus.collector import ModbusCollector
from agent.collectors.modbus.link import ModbusRefusal
from agent.collectors.modbus.plan import Span, Table
from agent.collectors.modbus.unit import open_unit
from agent.errors import Unreachable
from agent.frame import Event, FrameBlock, Quality
from agent.health import Health
from agent.supervise import Supervisor
from tests.agent.collectors.modbus.rig import device, run, words
from tests.peers.rude import Rude, served

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agent.frame import Item


class Plant:
    """Units behind one address, each run by a supervisor of its own, as in the agent.

    Attributes:
        collectors: By unit.
        good: Rows with a value, by unit.
        bad: Rows without.
        events: By unit, in order.
    """

    def __init__(self, port: int, *units: int, every: str = "100ms", **options: Any) -> None:
        self.box = Box(SystemClock(trusted=True))
        self.collectors = {
            unit: ModbusCollector(
                device(port, {f"g/{every}": words(1, 2)}, unit=unit, **({"id": f"u{unit}"} | options)), self.box
            )
            for unit in units
        }
        self.good = dict.fromkeys(units, 0)
        self.bad = dict.fromkeys(units, 0)
        self.events: dict[int, list[str]] = {unit: [] for unit in units}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read until the end of the block."""
        health = Health()
        tasks = [
            asyncio.ensure_future(Supervisor(collector, _Sink(self, unit), health, self.box.clock).run())
            for unit, collector in self.collectors.items()
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(result, asyncio.CancelledError), result

    def put(self, unit: int, item: Item) -> None:
        """Take what a supervisor hands on."""
        if isinstance(item, Event):
            self.events[unit].append(item.kind)
        elif isinstance(item, FrameBlock):
            for value, quality in zip(item.value, item.quality, strict=True):
                if quality == Quality.GOOD:
                    assert value in {served(unit, 1), served(unit, 2)}, f"unit {unit} has another one's value"
                    self.good[unit] += 1
                else:
                    self.bad[unit] += 1


class _Sink:
    def __init__(self, plant: Plant, unit: int) -> None:
        self._plant, self._unit = plant, unit

    def put(self, item: Item) -> None:
        """Hand it to the plant."""
        self._plant.put(self._unit, item)


async def until(true: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - many things change it
            await asyncio.sleep(0.01)


def test_complaint_01_a_unit_that_is_off_costs_the_others_on_its_bus_no_value() -> None:
    """One unit of a bus is off: it alone is bad, all others go on at their pace, and their link stays."""

    async def story() -> None:
        async with Rude() as bus:
            bus.mute.add(2)
            plant = Plant(bus.port, 1, 2, 3, timeout="100ms")
            async with plant.running():
                await until(lambda: plant.good[1] >= 40 and plant.good[3] >= 40)
            assert plant.good[2] == 0
            assert plant.bad[2] > 0
            assert plant.bad[1] == plant.bad[3] == 0
            assert "link_down" in plant.events[2]
            assert "link_down" not in plant.events[1] + plant.events[3]
            bus.mute.clear()

    run(story())


def test_complaint_05_one_socket_for_all_units_and_room_for_another_master() -> None:
    """A device with one connection serves all its units over it; `per_cycle` frees it between readings."""

    async def story() -> None:
        async with Rude() as bus:
            bus.one_client = True
            plant = Plant(bus.port, 1, 2, 3)
            async with plant.running():
                await until(lambda: min(plant.good.values()) >= 10)
                assert bus.connections == 1
            assert sum(plant.bad.values()) == 0
            await until(lambda: not bus.open)
            polite = Plant(bus.port, 1, 2, every="300ms", connection="per_cycle")
            async with polite.running():
                for _ in range(3):
                    before = dict(polite.good)
                    await until(lambda before=before: all(polite.good[u] > before[u] for u in before))  # type: ignore[misc]
                    await until(lambda: not bus.open)
                    _, writer = await asyncio.open_connection("127.0.0.1", bus.port)  # another master gets in
                    writer.close()
                    await until(lambda: not bus.open)

    run(story())


def test_complaint_06_an_idle_connection_that_the_device_closed_loses_no_reading() -> None:
    """A device closes idle connections: opened again and asked once more without a word, counted as such."""

    async def story() -> None:
        async with Rude() as bus:
            plant = Plant(bus.port, 1, every="200ms")
            async with plant.running():
                for n in range(1, 4):
                    before = plant.good[1]
                    await until(lambda before=before: plant.good[1] > before)  # type: ignore[misc]
                    bus.hang_up()
                    await until(lambda n=n: plant.collectors[1].stats.idle_reconnects == n)  # type: ignore[misc]
                await until(lambda: plant.good[1] >= 10)
            assert plant.bad[1] == 0
            assert "link_down" not in plant.events[1]
            assert plant.collectors[1].stats.timeouts == 0

    run(story())


def test_complaint_07_a_first_request_that_is_ignored_is_survived_and_warmup_is_suggested() -> None:
    """A device ignores what comes right after connecting: read all the same, and `warmup` is suggested."""

    async def story() -> None:
        async with Rude() as bus:
            bus.ignore_first = 1
            plant = Plant(bus.port, 1, every="500ms", timeout="150ms", connection="per_cycle")
            async with plant.running():
                await until(lambda: plant.good[1] >= 6)
                assert "warmup" in str(plant.collectors[1].stats.learned.get("warmup"))
            assert plant.bad[1] == 0
            assert bus.connections >= 3
            bus.ignore_first = 0
            begun = time.monotonic()
            async with open_unit(device(bus.port, {"g/1s": words(1)}, warmup="300ms"), plant.box) as unit:
                await unit.ask(Span(Table.HOLDING, 1, 1))
            assert bus.asked[-1].at - begun >= 0.3

    run(story())


def test_complaint_08_a_late_answer_is_never_taken_for_the_answer_to_another_question() -> None:
    """Without numbers on the line, what comes after a timeout fits the next question by chance: it is not taken."""

    async def story() -> None:
        async with Rude(plain=True) as bus:
            bus.parallel = True
            config = device(
                bus.port, {"g/1s": words(1)}, unit=4, transport="rtu-over-tcp", timeout="300ms", request_gap="20ms"
            )
            async with open_unit(config, Box(SystemClock(trusted=True))) as unit:
                late = 0
                for n in range(6):
                    bus.late = {4: 0.4} if n % 2 == 0 else {}  # comes when the next question is under way
                    try:
                        _, data = await unit.ask(Span(Table.HOLDING, 100 + n, 2))
                    except Unreachable:
                        late += 1
                        continue
                    assert data == b"".join(served(4, 100 + n + i).to_bytes(2) for i in range(2)), n
                assert late or unit.meter.timeouts
            starts = [one.at for one in bus.asked]
            assert min(b - a for a, b in itertools.pairwise(starts)) >= 0.019, "request_gap"

    run(story())


def test_complaint_08_a_line_that_gives_answers_twice_shifts_no_value_from_then_on() -> None:
    """The second copy fits the next question, whose own answer fits the one after it, and so on."""

    async def story() -> None:
        async with Rude(plain=True) as bus:
            bus.late = {4: 0.03}  # slower than the copy: while a question waits, the copy of another answer comes
            bus.twice = 0.005
            config = device(bus.port, {"g/1s": words(1)}, unit=4, transport="rtu-over-tcp", timeout="1s")
            async with open_unit(config, Box(SystemClock(trusted=True))) as unit:
                for n in range(3):  # nothing tells that these may be shifted
                    await unit.ask(Span(Table.HOLDING, 100 + n, 2))
                await asyncio.sleep(0.1)  # but the answer that is left over does
                for n in range(8):
                    _, data = await unit.ask(Span(Table.HOLDING, 200 + n, 2))
                    assert data == b"".join(served(4, 200 + n + i).to_bytes(2) for i in range(2)), n

    run(story())


def test_complaint_09_a_silent_unit_behind_a_gateway_never_closes_the_shared_link() -> None:
    """Units that go silent one after the other, and exceptions, leave the gateway's one connection alone."""

    async def story() -> None:
        async with Rude() as bus:
            bus.mute.add(9)
            bus.refuses[8] = 11  # the gateway says that unit 8 did not answer
            plant = Plant(bus.port, 1, 8, 9, timeout="100ms")
            async with plant.running():
                await until(lambda: plant.good[1] >= 60 and len(bus.by(9)) >= 4)
                bus.mute.clear()
                await until(lambda: plant.good[9] >= 10)
            assert bus.connections == 1
            assert plant.good[8] == 0
            assert "link_down" not in plant.events[1] + plant.events[8]
            assert plant.bad[1] == 0

    run(story())


def test_complaint_09_when_everybody_is_silent_the_link_is_opened_anew() -> None:
    """Two units in a row do not answer: the connection itself is in doubt, and a new one is made."""

    async def story() -> None:
        async with Rude() as bus:
            plant = Plant(bus.port, 1, 2, timeout="100ms")
            async with plant.running():
                await until(lambda: min(plant.good.values()) >= 4)
                bus.mute |= {1, 2}
                await until(lambda: bus.connections >= 2)
                bus.mute.clear()
                before = dict(plant.good)
                await until(lambda: all(plant.good[u] > before[u] for u in before), 6)

    run(story())


def test_complaint_10_broken_units_do_not_slow_the_healthy_ones() -> None:
    """Many dead units behind a gateway are probed with one small read, in a third of the time at most."""

    async def story() -> None:
        async with Rude() as bus:
            dead = (11, 12, 13, 14)
            bus.mute |= set(dead)
            plant = Plant(bus.port, 1, *dead, timeout="500ms")
            async with plant.running():
                await until(lambda: plant.bad[14] > 0 and plant.good[1] > 0)
                begun, before = time.monotonic(), plant.good[1]
                first = len(bus.asked)
                await asyncio.sleep(4)
                spent = time.monotonic() - begun
            slots = spent / 0.1
            assert plant.good[1] - before > slots * 2 * 0.4, (
                "two rows a slot, with a third of the time lost at most"
            )
            probes = [one for one in bus.asked[first:] if one.unit in dead]
            assert all(one.count == 1 for one in probes[len(dead) :]), "the first after a start is a whole one"
            assert len(probes) >= 2

    run(story())


def test_exceptions_are_answers_and_never_a_reason_to_reconnect() -> None:
    """1 to 4 and all others come back as refusals over the same connection."""

    async def story() -> None:
        async with Rude() as bus:
            box = Box(SystemClock(trusted=True))
            async with open_unit(device(bus.port, {"g/1s": words(1)}), box) as unit:
                for code in (1, 2, 3, 4, 5, 6, 8, 10, 11):
                    bus.refuses[1] = code
                    _, answer = await unit.ask(Span(Table.HOLDING, 1, 1))
                    assert answer == ModbusRefusal(code)
            assert bus.connections == 1
            assert unit.meter.exceptions == 9
            assert unit.meter.timeouts == 0

    run(story())
