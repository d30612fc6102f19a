"""Units behind one connection: who opens and closes it, whose turn it is, who learns of its failure."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.budget import Meter, Pace
from agent.collectors.modbus.plan import Span, Table
from agent.collectors.modbus.unit import Unit, open_unit
from agent.config.base import Budget
from agent.errors import Unreachable
from tests.agent.collectors.modbus.rig import device, run, words
from tests.peers.rude import Rude, served
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.collectors.modbus.config import ModbusDevice


def config(port: int, unit: int, **options: Any) -> ModbusDevice:
    return device(port, {"g/1s": words(1)}, unit=unit, **({"id": f"u{unit}"} | options))


def box() -> Box:
    return Box(SystemClock(trusted=True))


async def ask(unit: Unit, start: int, count: int = 1) -> None:
    _, data = await unit.ask(Span(Table.HOLDING, start, count))
    assert data == b"".join(served(unit.number, start + n).to_bytes(2) for n in range(count))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - many things change it
            await asyncio.sleep(0.005)


def test_the_first_opens_the_last_closes_and_nobody_else() -> None:
    async def story() -> None:
        async with Rude() as gateway:
            shared = box()
            async with open_unit(config(gateway.port, 1), shared) as one:
                async with open_unit(config(gateway.port, 2), shared) as two:
                    await asyncio.gather(*(ask(unit, n) for n in range(10) for unit in (one, two)))
                await ask(one, 3)
                assert (gateway.connections, gateway.open) == (1, 1)
            await until(lambda: not gateway.open)
            async with open_unit(config(gateway.port, 2), shared) as again:
                await ask(again, 4)
            assert gateway.connections == 2
            assert one.meter.reconnects == two.meter.reconnects == 0
            assert again.meter.reconnects == 1

    run(story())


def test_devices_with_different_transports_have_connections_of_their_own() -> None:
    async def story() -> None:
        async with Rude() as gateway:
            shared = box()
            async with (
                open_unit(config(gateway.port, 1), shared),
                open_unit(config(gateway.port, 2, source_address="127.0.0.1"), shared),
            ):
                assert gateway.connections == 2

    run(story())


def test_units_that_are_off_prove_nothing_against_the_connection() -> None:
    async def story() -> None:
        async with Rude() as gateway:
            shared = box()
            options = {"timeout": "30ms"}
            async with open_unit(config(gateway.port, 1, timeout="300ms"), shared) as alive:
                await ask(alive, 1)
                gateway.mute = {2, 3, 4}
                for n in (2, 3, 4, 2, 3, 4):  # never, and never again, with no answer of another in between
                    with pytest.raises(Unreachable):
                        async with open_unit(config(gateway.port, n, **options), shared) as off:
                            await ask(off, 1)
                await ask(alive, 2)
                assert gateway.connections == 1
                gateway.mute = {1}
                with pytest.raises(Unreachable):
                    await ask(alive, 3)
                gateway.mute = set()
                await ask(alive, 4)
                assert gateway.connections == 2, "the only one that answered has fallen silent"

    run(story())


def test_units_take_turns_and_one_that_asks_a_lot_holds_nobody_up() -> None:
    async def story() -> None:
        async with Rude() as gateway:
            gateway.late = {1: 0.02, 2: 0.02}
            shared = box()
            async with (
                open_unit(config(gateway.port, 1), shared) as busy,
                open_unit(config(gateway.port, 2), shared) as quiet,
            ):

                async def many() -> None:
                    for n in range(40):
                        await ask(busy, n)

                flood = asyncio.ensure_future(many())
                await asyncio.sleep(0.05)
                for n in range(5):
                    await ask(quiet, n)
                await flood
            units = "".join(str(one.unit) for one in gateway.asked)
            assert "212121212" in units, units

    run(story())


def test_all_who_wait_for_a_connection_that_fails_learn_it_at_once() -> None:
    async def story() -> None:
        with socket.socket() as full, contextlib.ExitStack() as stack:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            for _ in range(3):  # once the queue is full, the kernel drops what comes
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(("127.0.0.1", port))
            shared = box()
            units = [Unit(config(port, n, timeout="500ms"), shared) for n in range(1, 9)]
            begun = time.monotonic()
            failures = await asyncio.gather(*(unit.open() for unit in units), return_exceptions=True)
            assert time.monotonic() - begun < 3, "eight attempts of half a second would take four"
            for unit, failure in zip(units, failures, strict=True):
                assert isinstance(failure, Unreachable)
                assert str(failure).startswith(
                    f"u{unit.number} (127.0.0.1:{port}, unit {unit.number}): no connection"
                )

    run(story())


def test_a_failure_is_not_remembered_for_who_comes_later() -> None:
    async def story() -> None:
        port = free_port()
        shared = box()
        with pytest.raises(Unreachable, match="connection refused"):
            async with open_unit(config(port, 1), shared):
                pass
        async with Rude(port=port), open_unit(config(port, 1), shared) as unit:
            await ask(unit, 1)

    run(story())


def test_a_reader_that_is_cancelled_leaves_the_connection_to_the_others() -> None:
    async def story() -> None:
        async with Rude() as gateway:
            gateway.late = {1: 0.2}
            shared = box()
            async with open_unit(config(gateway.port, 2), shared) as other:
                for n in range(3):
                    async with open_unit(config(gateway.port, 1), shared) as unit:
                        asking = asyncio.ensure_future(ask(unit, 50, 2))
                        await until(lambda n=n: len(gateway.by(1)) > n)  # type: ignore[misc]
                        asking.cancel()
                        with pytest.raises(asyncio.CancelledError):
                            await asking
                    await ask(other, 60, 2)
            assert gateway.connections == 1

    run(story())


def test_the_largest_gap_of_a_shared_connection_counts() -> None:
    async def story() -> None:
        async with Rude() as gateway:
            shared = box()
            async with (
                open_unit(config(gateway.port, 1), shared) as quick,
                open_unit(config(gateway.port, 2, request_gap="50ms"), shared),
            ):
                for n in range(4):
                    await ask(quick, n)
            at = [one.at for one in gateway.asked]
            assert min(b - a for a, b in itertools.pairwise(at)) >= 0.049
            async with open_unit(config(gateway.port, 1), shared) as quick:
                assert quick.gap_ns == 0

    run(story())


def test_a_paced_unit_never_asks_faster_than_it_may_its_own_small_questions_included() -> None:
    async def story() -> None:
        async with Rude() as gateway:
            budget = Budget(requests_per_second=20, busy=1)
            meter = Meter()
            unit = Unit(config(gateway.port, 1, timeout="50ms"), box(), meter, Pace(budget))
            await unit.open()
            try:
                for n in range(30):
                    gateway.mute = {1} if n % 3 == 0 else set()
                    with contextlib.suppress(Unreachable):
                        await ask(unit, n)
            finally:
                unit.close()
            at = [one.at for one in gateway.asked]
            assert len(at) == meter.requests
            assert meter.timeouts >= 10
            assert all(b - a >= 0.99 for a, b in zip(at, at[20:], strict=False)), "20 in any second"

    run(story())


def test_a_request_that_was_lost_or_given_up_counts_against_the_budget() -> None:
    async def story() -> None:
        async with Rude() as gateway:
            gateway.hang_up_at = 2
            budget = Budget(requests_per_second=10, busy=1)
            meter = Meter()
            unit = Unit(config(gateway.port, 1), box(), meter, Pace(budget))
            await unit.open()
            try:
                for n in range(8):  # every second request takes the connection with it
                    await ask(unit, n)
                gateway.hang_up_at = 0
                gateway.mute = {1}
                for n in range(8):
                    task = asyncio.ensure_future(ask(unit, n))
                    seen = len(gateway.asked)
                    await until(lambda seen=seen: len(gateway.asked) > seen)  # type: ignore[misc]
                    task.cancel()
                    await asyncio.wait([task])
            finally:
                unit.close()
            at = [one.at for one in gateway.asked]
            assert meter.requests == len(at) == 8 + 7 + 8
            assert meter.timeouts == 0
            assert all(b - a >= 0.99 for a, b in zip(at, at[10:], strict=False)), "10 in any second"

    run(story())


def test_a_unit_that_ignores_one_address_is_alive_and_that_address_is_named() -> None:
    async def story() -> None:
        async with Rude() as gateway:
            async with open_unit(config(gateway.port, 1, timeout="100ms"), box()) as unit:
                await ask(unit, 7)
                gateway.mute_addresses = {500}
                with pytest.raises(Unreachable, match="no answer within 0.1 s to reading holding:500-503"):  # noqa: RUF043
                    await unit.ask(Span(Table.HOLDING, 500, 4))
                await ask(unit, 8)
            assert gateway.connections == 1
            assert [(one.start, one.count) for one in gateway.asked] == [(7, 1), (500, 4), (7, 1), (500, 4), (8, 1)]

    run(story())


def test_what_goes_over_the_wire_is_recorded_under_the_device_that_asked() -> None:
    taped: list[tuple[str, str, bytes]] = []

    async def story() -> None:
        async with Rude() as gateway:
            shared = box()
            shared.tap = lambda *frame: taped.append(frame)
            async with (
                open_unit(config(gateway.port, 1), shared) as one,
                open_unit(config(gateway.port, 2), shared) as two,
            ):
                await ask(one, 1)
                shared.tap = None
                await ask(one, 2)
                shared.tap = lambda *frame: taped.append(frame)
                await ask(two, 3)

    run(story())
    assert [(who, what) for who, what, _ in taped] == [
        ("u1", "note"), ("u1", "sent"), ("u1", "received"), ("u2", "sent"), ("u2", "received"), ("u2", "note"),
    ]  # fmt: skip
