"""Vectorised accumulators against what their rules say in plain loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.analyzers.numbers import Column
from agent.analyzers.rows import BAD, GOOD, LOST, UNCERTAIN, Rows, by_signal, classes, forward
from agent.analyzers.runs import Runs, Steps
from agent.frame import Status
from readiness.spans import Spans
from tests.agent.analyzers.streams import block, source

LIMIT, TAIL, END = 12, 10, 10_000
MARKS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30)), max_size=40)
CUTS = st.lists(st.integers(0, 40), max_size=4)


def timed(steps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Turn (signal, step) into (signal, time) with increasing times."""
    now, found = 100, []
    for signal, step in steps:
        now += step
        found.append((signal, now))
    return found


def parts(rows: list[tuple[int, ...]], cuts: list[int]) -> list[list[tuple[int, ...]]]:
    edges = [0, *sorted(min(c, len(rows)) for c in cuts), len(rows)]
    return [rows[a:b] for a, b in itertools.pairwise(edges)]


def columns(rows: list[tuple[int, ...]]) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return rows sorted by signal, in columns."""
    width = len(rows[0]) if rows else 3
    array = np.array(sorted(rows, key=lambda r: r[0]), np.int64).reshape(-1, width)
    return [array[:, k] for k in range(width)]


@given(MARKS, CUTS)
def test_a_mark_covers_the_time_to_the_next_within_the_limit_and_else_the_tail(
    steps: list[tuple[int, int]], cuts: list[int]
) -> None:
    rows = timed(steps)
    runs = Runs(3, LIMIT, TAIL)
    for part in parts([*rows], cuts):
        runs.extend(*columns(part)[:2])
    found = runs.spans(0, END)
    for signal in range(3):
        times = [t for s, t in rows if s == signal]
        pairs = [
            (t, after if after is not None and after - t <= LIMIT else t + TAIL)
            for t, after in zip(times, [*times[1:], None], strict=False)
        ]
        assert found[signal] == Spans.of(pairs)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30), st.integers(0, 3)), max_size=40), CUTS)
def test_a_class_holds_until_the_next_row_of_its_signal(steps: list[tuple[int, int, int]], cuts: list[int]) -> None:
    times = timed([(s, d) for s, d, _ in steps])
    rows = [(s, t, k) for (s, t), (_, _, k) in zip(times, steps, strict=True)]
    whole = Steps(3)
    for part in parts([*rows], cuts):
        whole.extend(*columns(part))
    for kinds in ((0,), (0, 1), (2,), (3,)):
        found = whole.spans(kinds, 0, END)
        for signal in range(3):
            own = [(t, k) for s, t, k in rows if s == signal]
            pairs = [(t, n[0]) for (t, k), n in zip(own, [*own[1:], (END, -1)], strict=False) if k in kinds]
            assert found[signal] == Spans.of(pairs)


@given(MARKS)
def test_state_is_restored_exactly(steps: list[tuple[int, int]]) -> None:
    signal, time = columns([*timed(steps)])[:2]
    runs, stepped = Runs(3, LIMIT, TAIL), Steps(3)
    runs.extend(signal, time)
    stepped.extend(signal, time, time % 4)
    other, again = Runs(3, LIMIT, TAIL), Steps(3)
    other.restore(runs.state())
    again.restore(stepped.state())
    assert other.state() == runs.state()
    assert again.state() == stepped.state()
    assert again.spans((0, 1), 0, END) == stepped.spans((0, 1), 0, END)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 50)), min_size=1, max_size=30))
def test_rows_that_go_back_in_time_are_dropped(rows: list[tuple[int, int]]) -> None:
    last = np.zeros(3, np.int64)
    signals, times = np.array(rows, np.int64).T
    made = block(source("press", "poll", 1000, 3), [(s, t, 0) for s, t in rows])
    given_ = Rows(signals, times, None, np.arange(len(rows)), Column(made))
    kept, dropped = forward(by_signal(given_), last)
    reach, expected = [0, 0, 0], []
    for signal, time in rows:
        if time > reach[signal]:
            reach[signal] = time
            expected.append((signal, time))
    assert list(zip(kept.signal.tolist(), kept.time.tolist(), strict=True)) == sorted(expected)
    assert len(dropped) == len(rows) - len(expected)
    assert last.tolist() == reach


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.GOOD, GOOD),
        (0x0000_0480, GOOD),  # an overflow bit does not make a good value less good
        (Status.UNCERTAIN, UNCERTAIN),
        (Status.BAD_OUT_OF_RANGE, BAD),
        (Status.BAD_NODE_ID_UNKNOWN | 2, BAD),
        (Status.BAD_DEVICE_FAILURE | 4, BAD),
        (Status.BAD_TIMEOUT, LOST),
        (Status.BAD_NO_COMMUNICATION, LOST),
        (Status.BAD_CONNECTION_REJECTED, LOST),
        (Status.BAD, LOST),
        (0xC000_0000, BAD),
    ],
)
def test_link_codes_are_told_from_sensor_codes(status: int, kind: int) -> None:
    assert classes(np.array([status], np.uint32)).tolist() == [kind]
