"""What a group learns from refusals, against simulated devices: no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.binary import Kind
from agent.collectors.modbus.group import RETEST_NS, Group
from agent.collectors.modbus.plan import Limits, Span, Table, plan
from agent.frame import DataType, Frame, Signal, Source, Status
from tests.agent.collectors.modbus.rig import statuses, values

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = {1: Kind(DataType.UINT16), 2: Kind(DataType.UINT32), 4: Kind(DataType.UINT64)}
SECOND = 1_000_000_000


class Device:
    """Registers that hold their address; some illegal, and at most so many at a time."""

    def __init__(self, illegal: set[int], most: int = 125, code: int = 2) -> None:
        self.illegal = illegal
        self.most = most
        self.code = code
        self.asked: list[Span] = []

    def answer(self, span: Span) -> bytes | int:
        self.asked.append(span)
        if span.count > self.most:
            return 3
        if any(a in self.illegal for a in range(span.start, span.end)):
            return self.code
        return b"".join(a.to_bytes(2) for a in range(span.start, span.end))


def group(spans: Sequence[Span], limits: Limits | None = None) -> Group:
    signals = tuple(
        Signal(id=f"r{i}", machine="m", name="r", dtype=KINDS[s.count].dtype) for i, s in enumerate(spans)
    )
    source = Source(id="plc.g", device="plc", protocol="modbus", mode="poll", interval_ns=SECOND, signals=signals)
    return Group(source, spans, [KINDS[s.count] for s in spans], limits or Limits())


def read(group: Group, device: Device, now: int, *, most_requests: int = 10_000) -> Frame:
    """Do one reading; halving stops after so many requests."""
    device.asked.clear()
    todo = group.begin(now)
    while todo:
        block = todo.popleft()
        answer = device.answer(block.span)
        if isinstance(answer, int):
            todo.extend(group.refuse(block, answer, now, halve=len(device.asked) < most_requests))
        else:
            group.serve(block, answer, now)
    group.end(now, now)
    frame = group.take()
    assert frame.problem() is None
    return frame


def expected(spans: Sequence[Span], device: Device) -> dict[str, int | None]:
    return {
        f"r{i}": None
        if device.illegal & set(range(s.start, s.end)) or s.count > device.most
        else int.from_bytes(b"".join(a.to_bytes(2) for a in range(s.start, s.end)))
        for i, s in enumerate(spans)
    }


def spans_near() -> st.SearchStrategy[list[Span]]:
    one = st.builds(Span, st.just(Table.HOLDING), st.integers(0, 300), st.sampled_from([1, 2, 4]))
    return st.lists(one, min_size=1, max_size=40)


@given(spans_near(), st.sets(st.integers(0, 310), max_size=12), st.integers(4, 125))
def test_every_legal_value_is_read_in_the_first_reading_and_no_illegal_one_is_asked_again(
    spans: list[Span], illegal: set[int], most: int
) -> None:
    device, it = Device(illegal, most), group(spans)
    assert values(read(it, device, SECOND)) == expected(spans, device)
    for n in (2, 3):
        assert values(read(it, device, n * SECOND)) == expected(spans, device)
        assert all(isinstance(device.answer(s), bytes) for s in list(device.asked)), (
            "a refused request was repeated"
        )
    assert bool(it.texts()) == any(v is None for v in expected(spans, device).values())


@given(spans=spans_near(), illegal=st.sets(st.integers(0, 310), min_size=1, max_size=12), by_hand=st.booleans())
def test_what_is_put_right_is_read_after_the_retest_and_at_once_after_forget(
    *, spans: list[Span], illegal: set[int], by_hand: bool
) -> None:
    device, it = Device(illegal), group(spans)
    read(it, device, SECOND)
    device.illegal = set()
    if by_hand:
        it.forget()
        frame = read(it, device, 2 * SECOND)
        assert [b.request for b in it.blocks] == list(plan(spans, Limits()))
    else:
        if it.refused:
            assert None in values(read(it, device, SECOND + RETEST_NS - 1)).values()
        frame = read(it, device, SECOND + RETEST_NS)
    assert values(frame) == expected(spans, device)
    assert it.texts() == []


@given(spans_near(), st.sets(st.integers(0, 310), min_size=1, max_size=40), st.integers(1, 6))
def test_a_reading_that_may_not_halve_for_long_settles_over_the_next_ones(
    spans: list[Span], illegal: set[int], most_requests: int
) -> None:
    device, it = Device(illegal), group(spans)
    for n in range(1, 45):
        frame = read(it, device, n * SECOND, most_requests=most_requests)
        assert set(values(frame)) == {f"r{i}" for i in range(len(spans))}
    for n in range(45, 60):
        settled = values(read(it, device, n * SECOND, most_requests=10_000))
    assert settled == expected(spans, device)


def test_when_everything_is_served_again_the_merged_plan_comes_back() -> None:
    spans = [Span(Table.HOLDING, a, 1) for a in range(100)]
    device, it = Device(set(range(100))), group(spans)
    read(it, device, SECOND)
    assert len(it.refused) == 100
    device.illegal = set()
    read(it, device, SECOND + RETEST_NS)
    read(it, device, SECOND + 2 * RETEST_NS)
    assert device.asked == [Span(Table.HOLDING, 0, 100)]


def test_one_value_put_right_of_two_leaves_the_other_refused_and_its_neighbours_alone() -> None:
    spans = [Span(Table.HOLDING, a, 1) for a in range(16)]
    device, it = Device({3, 9}), group(spans)
    read(it, device, SECOND)
    device.illegal = {9}
    frame = read(it, device, SECOND + RETEST_NS)
    assert [k for k, v in values(frame).items() if v is None] == ["r9"]
    assert it.texts() == [
        "signal r9 (holding:9): illegal address (exception 2): check the address against the device's register list"
    ]
    read(it, device, 2 * SECOND + RETEST_NS)
    assert all(s.end <= 9 or s.start > 9 for s in device.asked)


@pytest.mark.parametrize(
    ("code", "status", "asked_again", "listed"),
    [
        (1, Status.BAD_NOT_SUPPORTED, False, True),
        (4, Status.BAD_DEVICE_FAILURE, True, True),
        (6, Status.BAD_COMMUNICATION_ERROR, True, False),
        (11, Status.BAD_NO_COMMUNICATION, True, True),
        (200, Status.BAD_COMMUNICATION_ERROR, True, True),
    ],
)
def test_exceptions_that_no_single_value_causes_cost_their_block_only(
    *, code: int, status: int, asked_again: bool, listed: bool
) -> None:
    spans = [Span(Table.HOLDING, a, 1) for a in (0, 1, 2, 3, 100)]
    device, it = Device({1}, code=code), group(spans)
    for n in (1, 2):
        frame = read(it, device, n * SECOND)
        assert values(frame) == {"r0": None, "r1": None, "r2": None, "r3": None, "r4": 100}
        assert {statuses(frame)[f"r{i}"] for i in range(4)} == {status | code}
        assert (Span(Table.HOLDING, 0, 4) in device.asked) is (n == 1 or asked_again)
    assert bool(it.texts()) is listed
    if listed:
        assert it.texts()[0].startswith("signals r0, r1, r2 and 1 more (holding:0-3): ")
    device.illegal = set()
    assert None not in values(read(it, device, 2 * SECOND + RETEST_NS)).values()
    assert it.texts() == []


def test_a_reading_that_is_broken_off_keeps_its_rows_for_the_next_frame() -> None:
    spans = [Span(Table.HOLDING, 0, 1), Span(Table.HOLDING, 100, 1)]
    it = group(spans)
    first = it.begin(SECOND)[0]
    it.serve(first, b"\x00\x07", 5 * SECOND)
    it.fail_all(5 * SECOND, Status.BAD_NO_COMMUNICATION)
    frame = it.take()
    assert frame.problem() is None
    assert list(frame.value) == [7, None, None]
    assert list(frame.signal) == [0, 0, 1]
