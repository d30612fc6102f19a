"""Stretches without a change, and records by quarter hour, laid over time: against brute force by the minute."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.evidence import VERSION, DayEvidence
from readiness.quarters import within
from readiness.runs import longer, stretches
from readiness.spans import Spans
from tests.readiness.plant import DAY, MINUTE, START

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

MINUTES = 1440


def day(number: int) -> DayEvidence:
    """Return an empty day."""
    start = START + number * DAY
    return DayEvidence(VERSION, f"day {number}", "Asia/Seoul", str(start), str(start + DAY), [], {}, {}, {}, [], 0)


def spans(mask: Bools) -> Spans:
    """Return the minutes that are true, in absolute time."""
    pairs = [(START + int(i) * MINUTE, START + (int(i) + 1) * MINUTE) for i in np.flatnonzero(mask)]
    return Spans.of(pairs)


def mask_of(found: Spans, n: int) -> Bools:
    """Return which minutes lie in spans."""
    at = START + np.arange(n) * MINUTE
    return np.asarray(found.within(Spans(at, at + MINUTE)) == MINUTE)


@st.composite
def lives(draw: st.DrawFn, days: int = 2) -> tuple[list[int], Bools]:
    """Return what a signal said in each minute (-1: nothing), and when the machine worked."""
    said = draw(st.lists(st.tuples(st.integers(-1, 3), st.integers(1, 700)), min_size=1, max_size=30))
    work = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 500)), min_size=1, max_size=20))
    n = days * MINUTES
    row = np.resize(np.concatenate([[value] * length for value, length in said]), n)
    return row.tolist(), np.resize(np.concatenate([[on] * length for on, length in work]), n)


@settings(max_examples=60, deadline=None)
@given(lives(), st.integers(0, 300))
def test_time_in_long_stretches_is_that_of_the_minutes(life: tuple[list[int], Bools], limit: int) -> None:
    said, work = life
    days, at = [], 0
    for number in range(2):
        flat, end, at = [], 0, number * MINUTES
        for value, group in groupby(said[at : at + MINUTES]):
            length = len(list(group))
            start = at - number * MINUTES
            if value >= 0:
                flat += [(start - end) * 60_000, length * 60_000]
                end = start + length
            at += length
        days.append((day(number), flat))
    found = longer(stretches(days), spans(work), limit * MINUTE)
    brute = np.zeros(len(said), np.bool_)
    begin = 0
    for value, group in groupby(said):
        length = len(list(group))
        part = slice(begin, begin + length)
        if value >= 0 and work[part].sum() > limit:
            brute[part] = work[part]
        begin += length
    # A value that changes in the very instant in which the day ends is joined with the one before it.
    if said[MINUTES - 1] != said[MINUTES] and min(said[MINUTES - 1 : MINUTES + 1]) >= 0:
        return
    assert mask_of(found, len(said)).tolist() == brute.tolist()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 95), st.integers(1, 15)), max_size=20), st.data())
def test_amounts_of_quarter_hours_are_shared_by_known_time(row: list[tuple[int, int]], data: st.DataObject) -> None:
    known = np.array(data.draw(st.lists(st.booleans(), min_size=96, max_size=96))).repeat(15)
    counts = np.array(data.draw(st.lists(st.booleans(), min_size=288, max_size=288))).repeat(5)
    amounts = dict(row)
    flat = [x for quarter in sorted(amounts) for x in (quarter, amounts[quarter])]
    expected = 0.0
    for quarter, amount in amounts.items():
        part = slice(quarter * 15, quarter * 15 + 15)
        if known[part].any():
            expected += amount * (known[part] & counts[part]).sum() / known[part].sum()
        elif counts[part].any():
            expected += amount
    found = within(day(0), flat, spans(known), spans(counts))
    assert abs(found - expected) < 1e-9
