"""Latency tallies of confirmed entries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.latency import Latency
from agent.frame import DataType, FrameBlock, RoundTrip, Signal, Source, Status, Watermark
from readiness.sketch import buckets
from tests.agent.analyzers.streams import CALENDAR, SECOND, START, source

if TYPE_CHECKING:
    from agent.frame import Item

DAY = 24 * 3600 * SECOND
MS = 1_000_000
PRESS = source("press", "poll", SECOND, 2)
CNC = source("cnc", "subscription", SECOND, 2, machine="cnc-1")


def block(
    of: Source,
    times: list[int],
    stamped: list[int] | None = None,
    status: int = 0,
    trips: tuple[RoundTrip, ...] = (),
) -> FrameBlock:
    n = len(times)
    return FrameBlock(
        source=of,
        signal=np.arange(n, dtype=np.int32) % len(of.signals),
        time_ns=np.array(times, np.int64),
        value=[None if status >> 31 else 1] * n,
        status=np.full(n, status, np.uint32),
        source_ns=None if stamped is None else np.array(stamped, np.int64),
        round_trips=trips,
    )


def bucket(nanoseconds: int) -> int:
    return int(buckets(np.array([nanoseconds]))[0])


def test_with_a_source_time_the_way_is_counted_from_there() -> None:
    found = Latency(CALENDAR)(
        [block(CNC, [START, START], [START - 30 * MS, START - 5 * SECOND])], START + 70 * MS, True
    )
    assert found == {("2026-11-23", "latency/cnc-1"): {bucket(100 * MS): 1, bucket(5 * SECOND + 70 * MS): 1}}


def test_without_a_source_time_it_is_counted_from_the_reading_and_its_round_trip_is_added() -> None:
    trips = (RoundTrip(START, 20 * MS), RoundTrip(START + 3 * MS, 50 * MS))
    found = Latency(CALENDAR)([block(PRESS, [START, START + 3 * MS], trips=trips)], START + 103 * MS, True)
    assert found == {("2026-11-23", "latency-edge/press-1"): {bucket(123 * MS): 1, bucket(150 * MS): 1}}


@pytest.mark.parametrize(("of", "age"), [(PRESS, 2 * SECOND), (CNC, 90 * SECOND)])
def test_the_time_of_an_older_change_says_nothing_about_the_way(of: Source, age: int) -> None:
    found = Latency(CALENDAR)([block(of, [START], [START - age])], START, True)
    machine = of.signals[0].machine
    assert list(found) == [("2026-11-23", f"latency-stale/{machine}")]


def test_entries_sent_again_are_kept_apart() -> None:
    found = Latency(CALENDAR)([block(PRESS, [START])], START + 500 * SECOND, False)
    assert list(found) == [("2026-11-23", "latency-dirty/press-1")]


def test_a_clock_that_runs_ahead_leaves_negative_buckets() -> None:
    found = Latency(CALENDAR)([block(CNC, [START], [START + 7 * SECOND])], START + SECOND, True)
    assert found == {("2026-11-23", "latency/cnc-1"): {bucket(-6 * SECOND): 1}}
    assert bucket(-6 * SECOND) < 0


def test_bad_values_and_other_items_are_not_counted() -> None:
    items: list[Item] = [
        block(PRESS, [START], status=Status.BAD_TIMEOUT),
        block(PRESS, []),
        Watermark(PRESS.id, START),
    ]
    assert Latency(CALENDAR)(items, START, True) == {}


def test_a_row_belongs_to_the_production_day_and_the_machine_it_was_read_on() -> None:
    two = Source(
        id="plc.main", device="plc", protocol="modbus", mode="poll", interval_ns=SECOND,
        signals=tuple(Signal(id="s", machine=m, name="s", dtype=DataType.INT16) for m in ("a", "b")),
    )  # fmt: skip
    times = [START + DAY - SECOND, START + DAY - SECOND, START + DAY, START + 3 * DAY]
    found = Latency(replace(CALENDAR, planned={}))([block(two, times)], START + 3 * DAY, True)
    assert {key: sum(counts.values()) for key, counts in found.items()} == {
        ("2026-11-23", "latency-edge/a"): 1,
        ("2026-11-23", "latency-edge/b"): 1,
        ("2026-11-24", "latency-edge/a"): 1,
        ("2026-11-26", "latency-edge/b"): 1,
    }


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("trips", [(), (3 * MS,), (3 * MS, 7 * MS)])
def test_a_reading_of_one_moment_counts_as_its_rows_do(clean: bool, trips: tuple[int, ...]) -> None:  # noqa: FBT001
    requests = tuple(RoundTrip(START - n * MS, rtt) for n, rtt in enumerate(trips))
    reading = block(PRESS, [START] * 2, trips=requests)
    rows = block(PRESS, [START] * 2, stamped=[0, 0], trips=requests)
    counted = Latency(CALENDAR)([reading], START + 900 * MS, clean)
    assert counted == Latency(CALENDAR)([rows], START + 900 * MS, clean)
    assert sum(sum(buckets.values()) for buckets in counted.values()) == 2


def polls(scan_s: int, lag_ms: int, seconds: int = 600) -> dict[str, dict[int, int]]:
    """Return the tallies of a server that looks at its PLC now and then and is asked each second."""
    counted = Latency(CALENDAR)
    found: dict[str, dict[int, int]] = {}
    for k in range(seconds):
        at = START + k * SECOND
        stamp = START + k // scan_s * scan_s * SECOND - lag_ms * MS
        for (_, key), counts in counted([block(PRESS, [at], [stamp])], at + 50 * MS, True).items():
            for place, n in counts.items():
                found.setdefault(key, {})[place] = found.setdefault(key, {}).get(place, 0) + n
    return found


def test_a_server_that_scans_each_five_seconds_is_as_slow_as_it_is() -> None:
    found = polls(scan_s=5, lag_ms=3000)
    # The very first reading comes from an unknown past.
    assert found["latency/press-1"] == {bucket(3050 * MS): 119}
    assert sum(found["latency-stale/press-1"].values()) == 600 - 119


def test_a_value_that_stays_is_counted_once_when_it_was_new() -> None:
    found = polls(scan_s=60, lag_ms=100)
    assert found["latency/press-1"] == {bucket(150 * MS): 10}
    assert sum(found["latency-stale/press-1"].values()) == 590


def test_after_a_pause_an_old_value_says_nothing_and_a_fresh_one_counts() -> None:
    counted = Latency(CALENDAR)
    assert list(counted([block(PRESS, [START], [START - SECOND])], START, True)) == [
        ("2026-11-23", "latency/press-1")
    ]
    for read_s, stamped_s, key in (
        (10, 5, "latency-stale"),  # after a pause, and five seconds old
        (20, 19, "latency"),
        (21, 19.5, "latency"),  # read a second ago, when it was not there yet
        (22, -50, "latency-stale"),
    ):
        row = block(PRESS, [START + read_s * SECOND], [START + int(stamped_s * SECOND)])
        assert list(counted([row], START + 30 * SECOND, True)) == [("2026-11-23", f"{key}/press-1")]


def test_a_confirmation_that_is_brought_once_more_counts_the_same() -> None:
    counted = Latency(CALENDAR)
    rows = [block(PRESS, [START + k * SECOND], [START + (k - 3) * SECOND]) for k in range(3)]
    for row in rows:
        once = counted([row], START + 9 * SECOND, True)
        assert counted([row], START + 9 * SECOND, True) == once


def test_what_was_read_outside_of_planned_time_is_kept_apart() -> None:
    night = START + 13 * 3600 * SECOND
    assert list(Latency(CALENDAR)([block(PRESS, [night])], night, True)) == [("2026-11-23", "latency-off/press-1")]
    bare = replace(CALENDAR, planned={})
    assert list(Latency(bare)([block(PRESS, [night])], night, True)) == [("2026-11-23", "latency-edge/press-1")]
