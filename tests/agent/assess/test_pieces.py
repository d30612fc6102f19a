"""Times, cells and intervals on their own, and that a file of any length takes the same memory."""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.assess import cells, provable
from agent.assess.estimate import interval_ns
from agent.assess.times import Times, Unreadable, directives
from agent.frame import DataType
from readiness.indicators import REGISTRY

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("auto", "2026-11-22 08:00:00", "2026-11-21T23:00:00+00:00"),
        ("auto", "2026-11-22T08:00:00.250Z", "2026-11-22T08:00:00.250+00:00"),
        ("auto", "2026-11-22 08:00:00+02:00", "2026-11-22T06:00:00+00:00"),
        ("auto", "2026/11/22 8:00", "2026-11-21T23:00:00+00:00"),
        ("auto", "2026-11-22 오전 12:05:10", "2026-11-21T15:05:10+00:00"),
        ("auto", "2026. 11. 22. 오후 12:05:10", "2026-11-22T03:05:10+00:00"),
        ("auto", "2026-11-22 3:05:10 PM", "2026-11-22T06:05:10+00:00"),
        ("%d.%m.%Y %H:%M", "22.11.2026 08:00", "2026-11-21T23:00:00+00:00"),
        ("%y%m%d %p %I:%M:%S", "261122 오후 03:00:00", "2026-11-22T06:00:00+00:00"),
        ("unix_s", "1795302000", "2026-11-21T23:00:00+00:00"),
        ("unix_ms", "1795302000500", "2026-11-21T23:00:00.500+00:00"),
        ("unix_s", "1795302000.25", "2026-11-21T23:00:00.250+00:00"),
        ("excel", "46348.3333333333", "2026-11-21T23:00:00+00:00"),
        ("excel", "46348.33334", "2026-11-21T23:00:01+00:00"),
        ("excel", "46348.33333969907", "2026-11-21T23:00:00.550+00:00"),
        ("excel", "46348", "2026-11-21T15:00:00+00:00"),
        ("unix_ns", "1795302000000000001", "2026-11-21T23:00:00+00:00"),
    ],
)
def test_times_are_read_as_they_are_written(form: str, text: str, expected: str) -> None:
    found = Times(form, "Asia/Seoul").read([text])[0] // 1000
    assert found == round(dt.datetime.fromisoformat(expected).timestamp() * 10**6)


@pytest.mark.parametrize(
    "text",
    ["22.11.2026 08:00", "08:00", "", "2026-11-22", "2026-13-01 00:00:00", "1795302000", "1904-01-01 00:00:00"],
)
def test_what_is_no_time_is_said_at_its_row(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        Times("auto", "UTC").read(["2026-11-22 00:00:00", text])
    assert caught.value.index == 1


@pytest.mark.parametrize(
    ("text", "form"),
    [("46348.33333", "excel"), ("46348", "excel"), ("1795302000", "unix_s"), ("1795302000500", "unix_ms"),
     ("20261122080000", "%Y%m%d%H%M%S")],
)  # fmt: skip
def test_a_time_that_is_a_number_is_not_guessed_but_its_format_is_named(text: str, form: str) -> None:
    with pytest.raises(Unreadable) as caught:
        Times("auto", "Asia/Seoul").read([text])
    assert caught.value.complaint.text.en.endswith(f"it looks like {form}")
    assert Times(form, "Asia/Seoul").read([text])


@pytest.mark.parametrize("text", ["", "2026-11-22 08:00", "46348,5", "-1", "1795302000", "1e4", "46348.x", "nan"])
def test_what_is_no_number_of_days_is_said(text: str) -> None:
    with pytest.raises(Unreadable):
        Times("excel", "Asia/Seoul").read([text])


@pytest.mark.parametrize("pattern", ["%H:%M", "%Y-%m-%d", "%Y-%m-%d %I:%M", "%Y-%m-%d %H:%M %Q", "gestern"])
def test_patterns_that_leave_something_open_are_refused(pattern: str) -> None:
    assert not directives(pattern)


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Seoul"]),
    st.integers(1_790_000_000, 1_830_000_000),
    st.lists(st.integers(1, 900), min_size=1, max_size=300),
)
def test_local_times_in_order_are_the_instants_that_they_were(zone: str, start: int, steps: list[int]) -> None:
    instants = np.cumsum([start, *steps])
    texts = [dt.datetime.fromtimestamp(int(at), ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S") for at in instants]
    found = [time // SECOND for time in Times("auto", zone).read(texts)]
    assert found == instants.tolist()


@given(st.lists(st.one_of(st.floats(), st.sampled_from(["", "NaN", "-", "bad", "1.5", "1e3", " 7 ", "inf"]))))
def test_numbers_holes_and_words_are_told_apart(found: list[float | str]) -> None:
    expected: list[object] = []
    for cell in found:
        try:
            number = float(cell)
        except ValueError:
            expected.append(cells.HOLE if cell in {"", "-"} else cells.BAD)
            continue
        expected.append(cells.HOLE if math.isnan(number) else number if math.isfinite(number) else cells.BAD)
    got, whole = cells.values(DataType.FLOAT64, found)
    assert got == expected
    assert whole == all(isinstance(value, float) for value in expected)


def test_whole_numbers_bools_and_texts() -> None:
    big = 2**53 + 1
    assert cells.values(DataType.INT64, [str(big), "12.0", 7, "1.5", "", 2**64, 3.0, None])[0] == [
        big, 12, 7, cells.BAD, cells.HOLE, cells.BAD, 3, cells.HOLE,
    ]  # fmt: skip
    assert cells.values(DataType.BOOL, ["1", "TRUE", "off", "2", "", True, 0.0])[0] == [
        True, True, False, cells.BAD, cells.HOLE, True, False,
    ]  # fmt: skip
    assert cells.values(DataType.STRING, ["-", "", "A-1", float("nan")])[0] == ["-", cells.HOLE, "A-1", cells.HOLE]


def test_a_column_that_holds_what_is_declared_stays_as_it_is() -> None:
    for dtype, found in (
        (DataType.INT64, [2**63 - 1, -(2**63), 0]), (DataType.BOOL, [True, False]), (DataType.STRING, ["a", " "]),
    ):  # fmt: skip
        assert cells.values(dtype, found) == (found, True)
    assert cells.values(DataType.INT64, [True, 2]) == ([1, 2], True)
    assert cells.values(DataType.INT64, [2**63, 2]) == ([cells.BAD, 2], False)
    assert cells.values(DataType.STRING, ["a", ""]) == (["a", cells.HOLE], False)
    assert cells.values(DataType.BOOL, [1, 0]) == ([True, False], True)


@pytest.mark.parametrize("step", [0.1, 1.0, 2.5, 10.0, 60.0, 900.0])
def test_intervals_are_estimated_through_jitter_and_holes_and_not_where_there_is_none(step: float) -> None:
    rng = np.random.default_rng(7)
    grid = np.arange(3000) * step + rng.normal(0, 0.005 * step, 3000)
    times = (grid[rng.random(3000) > 0.05] * SECOND).astype(np.int64) + 10**18
    assert interval_ns([(times, ())]) == round(step * SECOND)
    events = (np.cumsum(rng.exponential(step, 3000)) * SECOND).astype(np.int64) + 10**18
    assert interval_ns([(events, ())]) is None
    names = ["a", "b"] * 1500
    assert interval_ns([(np.repeat(times, 2)[:3000], names)]) == round(step * SECOND)


def test_every_indicator_that_is_ruled_out_exists() -> None:
    for found in (*provable.WHY.values(), provable.ABSENT):
        assert found.keys() <= REGISTRY.keys()
    assert provable.unprovable({"stored", "changes"}).keys() == {*provable.WHY["stored"], *provable.WHY["changes"]}


_LONG = """
import os, resource, sys
from pathlib import Path
from agent.assess.stream import Stream
from agent.assess.table import Table, Wanted
from agent.assess.config import DataSource
signals = [{"id": f"s{n}", "column": f"c{n}", "type": "float64"} for n in range(50)]
config = DataSource.model_validate({"id": "a", "machine": "m", "every": "1s",
    "time": {"column": "at", "format": "unix_s"}, "signals": signals})
read, write = os.pipe()
rows = int(sys.argv[1])
if os.fork() == 0:
    os.close(read)
    with os.fdopen(write, "w", 1 << 20) as file:
        file.write("at," + ",".join(s["column"] for s in signals) + "\\n")
        tail = "," + ",".join(str(n / 7)[:16] for n in range(50)) + "\\n"
        for at in range(1_790_000_000, 1_790_000_000 + rows):
            file.write(f"{at}{tail}")
    os._exit(0)
os.close(write)
class Piped(Table):
    def batches(self): return self._csv()
class Pipe:
    def open(self, mode): return os.fdopen(read, "rb", 1 << 20)
    def __str__(self): return "pipe"
table = Piped(Pipe(), Wanted(("at",), frozenset(s["column"] for s in signals)), "en", lambda n: None)
day = lambda ns: (ns // (86400 * 10**9) * 86400 * 10**9, ns // (86400 * 10**9) * 86400 * 10**9 + 86400 * 10**9)
count = sum(len(block) for block in Stream(config, config.source(10**9), table, "UTC", day).blocks())
assert count == 50 * rows, count
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def used(rows: int) -> float:
    """Return the megabytes that reading so many rows of 50 numbers takes."""
    done = subprocess.run(
        [sys.executable, "-c", _LONG, str(rows)], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    return int(done.stdout) / 1000


def test_a_file_of_any_length_takes_the_same_memory() -> None:
    """The gigabyte is read by `python -m tests.agent.assess.gigabyte`: 1,100,000 of these rows."""
    short, long = used(20_000), used(80_000)
    assert long < short * 1.05, (short, long)
