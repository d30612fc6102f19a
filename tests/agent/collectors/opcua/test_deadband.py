"""Deadbands at the server and, where it knows none, here; queues that hold an interval; bursts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.collector import OpcUaCollector
from agent.collectors.opcua.deadband import Deadband
from agent.collectors.opcua.signals import OpcUaSignal
from tests.agent.collectors.opcua.support import Seen, collector, device, run, signals
from tests.peers.opcua import Plant, opcua_server

if TYPE_CHECKING:
    from collections.abc import Iterator

POSITION = "nsu=urn:test:plant;s=Press.{}.ActualPosition"
FAST = {"every": "100ms", "sampling": "0ms"}


@pytest.fixture(scope="module")
def simple(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A small controller: it knows no filters, and samples four times as fast as it is asked."""
    with opcua_server(tmp_path_factory.mktemp("simple"), press=True, refuseFilters=True, hasty=4) as server:
        yield server


def banded(**bands: str) -> list[dict[str, Any]]:
    return [
        {"id": axis.lower(), "type": "float64", "node": POSITION.format(axis), "deadband": band}
        for axis, band in bands.items()
    ]


async def moved(plant: Plant, reader: OpcUaCollector, seen: Seen, x: list[float], y: list[float]) -> None:
    async with reader.connect() as read:
        await seen.until(read, lambda: bool(seen.rows("x")) and bool(seen.rows("y")))
        for axis, values in (("X", x), ("Y", y)):
            plant.tell("burst", node=f"Press.{axis}.ActualPosition", values=values)
        await seen.until(read, lambda: seen.values("x")[-1] == x[-1] and seen.values("y")[-1] == y[-1])


def test_a_server_that_filters_is_asked_to(press: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        for axis in "XY":
            press.tell("set", node=f"Press.{axis}.ActualPosition", value=0)
        reader = collector(press.endpoint, {**FAST, "signals": banded(X="5", Y="10%")})  # of 0 to 200
        await moved(press, reader, seen, [4.0, 6.0, 9.0, 50.0], [19.0, 21.0, 39.0, 90.0])
        assert seen.values("x") == [0.0, 6.0, 50.0]
        assert seen.values("y") == [0.0, 21.0, 90.0]
        assert "deadband_ours" not in str(seen.of("connection")[0].body)

    run(main())


def test_a_server_without_filters_is_filtered_here_and_not_asked_again(simple: Plant) -> None:
    async def main() -> None:
        box = Box(SystemClock(trusted=True))
        config = device(simple.endpoint, {**FAST, "signals": banded(X="5", Y="10%")})
        for _ in range(2):
            for axis in "XY":
                simple.tell("set", node=f"Press.{axis}.ActualPosition", value=0)
            seen = Seen()
            await moved(simple, OpcUaCollector(config, box), seen, [4.0, 6.0, 9.0, 50.0], [19.0, 21.0, 39.0, 90.0])
            assert seen.values("x") == [0.0, 6.0, 50.0]
            assert seen.values("y") == [0.0, 21.0, 90.0], "the range was asked for"
            revised = seen.of("connection")[0].body["revised"]["cnc.main"]  # type: ignore[index,call-overload]
            assert revised["deadband_ours"] == ["x", "y"]  # type: ignore[index,call-overload]
        known = box.memory.recall("cnc", "opcua")
        assert isinstance(known, dict)
        assert known["unfiltered"] == [POSITION.format("X"), POSITION.format("Y")]

    run(main())


def test_a_queue_that_no_longer_holds_an_interval_is_made_longer(simple: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        group = {"every": "400ms", "sampling": "200ms", "signals": signals(counter="uint32")}
        async with collector(simple.endpoint, group).connect() as read:
            await seen.until(read, lambda: bool(seen.rows("counter")))
        revised = seen.of("connection")[0].body["revised"]["cnc.main"]  # type: ignore[index,call-overload]
        assert isinstance(revised, dict)
        assert revised["sampling_ms"] == [50.0]  # a quarter of what was asked
        assert revised["queue"] == [10]  # ceil(400 / 50) + 2; 4 would have done for 200 ms
        assert "queue_short" not in revised

    run(main())


def test_a_burst_is_a_subscription_that_exists_in_its_window_only(press: Plant) -> None:
    burst = {"length": "600ms", "per": "1500ms", "agreed_by": "공장장", "agreed_on": "2026-01-02"}

    async def main() -> None:
        seen = Seen()
        reader = collector(
            press.endpoint,
            {
                "id": "fast",
                "every": "50ms",
                "sampling": "0ms",
                "burst": burst,
                "signals": signals(counter="uint32"),
            },
            {"id": "slow", "every": "1s", "mode": "poll", "signals": signals(bool="bool")},
        )
        assert [source.mode for source in reader.sources] == ["burst", "poll"]
        counts: list[int] = []

        def windows() -> int:
            counts.append(press.tell("sessions")["subscriptions"])
            return sum(now > before for before, now in zip([0, *counts], counts, strict=False))

        async with reader.connect() as read:
            await seen.until(read, lambda: windows() >= 2)
            assert 0 in counts, "between two windows nothing is subscribed"
            await seen.until(read, lambda: len(seen.rows("counter")) >= 2)
        assert {status for _, status in seen.rows("counter")} == {0}

    run(main())


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.001, 1e3))
def test_no_value_that_is_left_out_is_further_from_the_last_reported_than_the_band(
    values: list[float], band: float
) -> None:
    deadband = Deadband(band, percent=False)
    last: float | None = None
    for value in values:
        if deadband.small(value, 0):
            assert last is not None
            assert abs(value - last) <= band
        else:
            assert last is None or abs(value - last) > band
            last = value


def test_bad_values_and_the_first_after_them_are_always_reported() -> None:
    deadband = Deadband(5, percent=False)
    assert [deadband.small(*row) for row in [(1, 0), (2, 0), (None, 0x80000000), (2, 0), (3, 0)]] == [
        False, True, False, False, True,
    ]  # fmt: skip
    assert not Deadband(1, percent=True).small(5.0, 0)
    blind = Deadband(1, percent=True)
    assert [blind.small(v, 0) for v in (1.0, 1.0)] == [False, False], "of an unknown range nothing is left out"
    assert Deadband(1, percent=True, range=(0, 200)).width == 2


@pytest.mark.parametrize(
    ("written", "kept"),
    [(0.5, "0.5"), ("0.5", "0.5"), (5, "5"), ("1%", "1%"), ("0.5 %", "0.5%"), ("1e-3", "0.001")],
)
def test_a_deadband_is_a_number_or_a_per_cent(written: object, kept: str) -> None:
    signal = OpcUaSignal.model_validate({"id": "a", "type": "float64", "node": "i=1", "deadband": written})
    assert signal.deadband == kept


@pytest.mark.parametrize("written", [0, -1, "1 mm", "150%", "%", True, "", [1], "1e999"])
def test_what_is_no_deadband_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"0\.5 \(in the unit of the value\) or 1%"):
        OpcUaSignal.model_validate({"id": "a", "type": "float64", "node": "i=1", "deadband": written})
