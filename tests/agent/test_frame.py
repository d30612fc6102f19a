"""The promises of a frame, kept by `Rows` whatever a collector hands in."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.frame import DataType, Quality, Rows, Signal, Source, Status, Value, concat


def source(dtype: DataType = DataType.FLOAT64, declared: tuple[float, float] | None = None) -> Source:
    signals = tuple(
        Signal(id=f"s{i}", machine="m", name=f"s{i}", dtype=dtype, instrument_range=declared) for i in range(3)
    )
    return Source(id="d.g", device="d", protocol="modbus", mode="poll", interval_ns=10**9, signals=signals)


statuses = st.sampled_from([0, 0x0000_0480, Status.UNCERTAIN, Status.BAD, Status.BAD_TIMEOUT, 0xFFFF_FFFF])
values = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=3))
rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), values, statuses), max_size=30)


@given(rows, st.integers(0, 999))
def test_whatever_comes_in_a_frame_keeps_its_promises(
    given_rows: list[tuple[int, int, Value, int]], epoch: int
) -> None:
    kept = Rows(source())
    for signal, moment, value, status in given_rows:
        kept.add(signal, moment * 1000 + epoch, value, status)
    frame = kept.take()
    assert frame.problem() is None
    assert len(frame) == len(given_rows)
    assert {t % 1000 for t in frame.time_ns.tolist()} <= {epoch}
    assert len(kept) == 0


@given(rows, st.integers(0, 30))
def test_a_frame_cut_in_two_and_joined_is_the_same(given_rows: list[tuple[int, int, Value, int]], cut: int) -> None:
    whole, parts = Rows(source()), Rows(source())
    blocks = []
    for number, row in enumerate(given_rows):
        whole.add(row[0], row[1] * 1000, *row[2:])
        parts.add(row[0], row[1] * 1000, *row[2:])
        if number == cut:
            blocks.append(parts.take())
    one, joined = whole.take(), concat([*blocks, parts.take()])
    assert joined.time_ns.tolist() == one.time_ns.tolist()
    assert list(joined.value) == list(one.value)
    assert joined.status.tolist() == one.status.tolist()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_bad_value(value: float) -> None:
    kept = Rows(source())
    kept.add(0, 1000, value)
    frame = kept.take()
    assert frame.value == [None]
    assert frame.status.tolist() == [Status.BAD_OUT_OF_RANGE]


@pytest.mark.parametrize(
    ("declared", "value", "good"),
    [
        (None, 2**63 - 1, True),
        (None, 2**63, False),
        (None, 2**64 - 1, False),
        ((0.0, 2.0**64), 2**64 - 1, True),
        ((0.0, 100.0), 2**63, False),
    ],
)
def test_a_uint64_beyond_the_stores_is_bad_unless_a_range_declares_it(
    declared: tuple[float, float] | None, value: int, *, good: bool
) -> None:
    kept = Rows(source(DataType.UINT64, declared))
    kept.add(0, 1000, value)
    frame = kept.take()
    assert frame.value == [value if good else None]
    assert frame.quality.tolist() == [Quality.GOOD if good else Quality.BAD]


def test_a_reading_that_failed_as_a_whole_is_a_bad_row_for_each_signal() -> None:
    kept = Rows(source())
    kept.fail_all(1000, Status.BAD_NO_COMMUNICATION)
    frame = kept.take()
    assert frame.signal.tolist() == [0, 1, 2]
    assert set(frame.status.tolist()) == {Status.BAD_NO_COMMUNICATION}
    assert frame.problem() is None


answers = st.lists(st.tuples(st.integers(0, 20), st.sampled_from([0, 1]), st.lists(values, min_size=3, max_size=3)))


@given(answers)
def test_rows_added_together_are_the_rows_added_one_by_one(
    given_answers: list[tuple[int, int, list[Value]]],
) -> None:
    together, alone = Rows(source()), Rows(source())
    for tick, epoch, found in given_answers:
        time_ns = tick * 1000 + epoch
        for index, value in enumerate(found):
            alone.add(index, time_ns, value)
        if not together.add_numbers((0, 1, 2), time_ns, found):
            for index, value in enumerate(found):
                together.add(index, time_ns, value)
    one, other = together.take(), alone.take()
    assert one.problem() is None
    assert list(one.value) == list(other.value)
    for column in ("signal", "time_ns", "status"):
        assert getattr(one, column).tolist() == getattr(other, column).tolist()


def test_plain_numbers_are_added_together_and_others_are_not() -> None:
    rows = Rows(source())
    assert rows.add_numbers((0, 1, 2), 1000, [1, 2.5, True])
    assert not rows.add_numbers((0, 1, 2), 1000, [1, 2.5, True]), "the same moment again"
    for other in (None, math.nan, math.inf, 2**63, "a"):
        assert not rows.add_numbers((0, 1), 9000, [1, other]), other
    assert not rows.add_numbers((), 9000, [])
