"""What a group learns from refusals, against simulated devices: no I/O."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.binary import Kind
from agent.collectors.modbus.cost import LinkCost
from agent.collectors.modbus.group import Group
from agent.collectors.modbus.learned import HOLE_NS, RETEST_MOST_NS, RETEST_NS, Learned
from agent.collectors.modbus.plan import USUAL, Limits, Span, Table, plan
from agent.frame import DataType, Frame, Signal, Source, Status
from tests.agent.collectors.modbus.rig import statuses, values

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = {1: Kind(DataType.UINT16), 2: Kind(DataType.UINT32), 4: Kind(DataType.UINT64)}
SECOND = 1_000_000_000
LONG = 10**9
H = Table.HOLDING


class Device:
    """Registers that hold their address; some illegal, some borders, and at most so many at a time.

    Attributes:
        codes: What it answers to the next requests, whatever they ask; then as usual.
    """

    def __init__(
        self, illegal: set[int], most: int = 125, code: int = 2, long: int = 3, borders: Sequence[int] = ()
    ) -> None:
        self.illegal = illegal
        self.borders = borders
        self.most = most
        self.code = code
        self.long = long
        self.asked: list[Span] = []
        self.refused: list[Span] = []
        self.codes: list[int] = []

    def answer(self, span: Span) -> bytes | int:
        self.asked.append(span)
        code = self._refusal(span)
        if code:
            self.refused.append(span)
            return code
        return b"".join(a.to_bytes(2) for a in range(span.start, span.end))

    def _refusal(self, span: Span) -> int:
        if self.codes:
            return self.codes.pop(0)
        if span.count > self.most:
            return self.long
        if any(a in self.illegal for a in range(span.start, span.end)):
            return self.code
        return 2 if any(span.start < b < span.end for b in self.borders) else 0


def group(spans: Sequence[Span], limits: Limits | None = None, learned: Learned | None = None) -> Group:
    signals = tuple(
        Signal(id=f"r{i}", machine="m", name="r", dtype=KINDS[s.count].dtype) for i, s in enumerate(spans)
    )
    source = Source(id="plc.g", device="plc", protocol="modbus", mode="poll", interval_ns=SECOND, signals=signals)
    known = learned or Learned("here")
    return Group(source, spans, [KINDS[s.count] for s in spans], limits or Limits(), known, LinkCost(USUAL))


def read(group: Group, device: Device, now: int, *, most_requests: int = LONG) -> Frame:
    """Do one reading; searches leave off after so many requests."""
    device.asked.clear()
    device.refused.clear()
    group.begin(now)
    while (block := group.next(now, now + most_requests - len(device.asked))) is not None:
        answer = device.answer(block.span)
        if isinstance(answer, int):
            group.refuse(block, answer, now, now)
        else:
            group.serve(block, answer, now)
    group.end(now)
    frame = group.take()
    assert frame.problem() is None
    return frame


def expected(spans: Sequence[Span], device: Device) -> dict[str, int | None]:
    return {
        f"r{i}": None
        if device.illegal & set(range(s.start, s.end))
        or s.count > device.most
        or any(s.start < b < s.end for b in device.borders)
        else int.from_bytes(b"".join(a.to_bytes(2) for a in range(s.start, s.end)))
        for i, s in enumerate(spans)
    }


def spans_near() -> st.SearchStrategy[list[Span]]:
    one = st.builds(Span, st.just(H), st.integers(0, 300), st.sampled_from([1, 2, 4]))
    return st.lists(one, min_size=1, max_size=40)


@given(
    spans_near(),
    st.sets(st.integers(0, 310), max_size=12),
    st.integers(4, 125),
    st.lists(st.integers(1, 310), max_size=3),
)
def test_every_legal_value_is_read_in_the_first_reading_and_nothing_refused_is_asked_again(
    spans: list[Span], illegal: set[int], most: int, borders: list[int]
) -> None:
    device, it = Device(illegal, most, borders=borders), group(spans)
    refused: list[Span] = []
    for n in range(1, 12):
        assert values(read(it, device, n * SECOND)) == expected(spans, device)
        refused += device.refused
    assert device.refused == [], "settled by now"
    assert len(refused) == len(set(refused)), "a refused request was repeated"
    assert bool(it.texts()) == any(v is None for v in expected(spans, device).values())


@given(spans_near(), st.sets(st.integers(0, 310), max_size=12), st.integers(4, 125))
def test_after_a_restart_the_first_reading_plans_around_what_was_learned(
    spans: list[Span], illegal: set[int], most: int
) -> None:
    device, learned = Device(illegal, most), Learned("here")
    before = group(spans, learned=learned)
    for n in range(1, 12):
        read(before, device, n * SECOND)
    on_disk = json.loads(json.dumps(learned.body()))
    it = group(spans, learned=Learned.of(on_disk, "here", 0))
    assert values(read(it, device, SECOND)) == expected(spans, device)
    assert device.refused == []
    assert [b.request for b in it.planned] == [b.request for b in before.planned]


@given(spans=spans_near(), illegal=st.sets(st.integers(0, 310), min_size=1, max_size=12), by_hand=st.booleans())
def test_what_is_put_right_is_read_after_the_retest_and_at_once_after_retry(
    *, spans: list[Span], illegal: set[int], by_hand: bool
) -> None:
    learned = Learned("here")
    device, it = Device(illegal), group(spans, learned=learned)
    for n in range(12):
        read(it, device, SECOND + n)
    device.illegal = set()
    if by_hand:
        learned.retry()
        it.retry()
        frame = read(it, device, 2 * SECOND)
        assert not any(learned.holes.values())
    else:
        assert (None in values(read(it, device, RETEST_NS)).values()) is bool(learned.refused)
        frame = read(it, device, 2 * SECOND + RETEST_NS)
    assert values(frame) == expected(spans, device)
    assert it.texts() == []
    assert it.refuses is False


@given(spans_near(), st.sets(st.integers(0, 310), min_size=1, max_size=40), st.integers(1, 6))
def test_a_reading_with_little_time_for_the_search_settles_over_the_next_ones(
    spans: list[Span], illegal: set[int], most_requests: int
) -> None:
    device, it = Device(illegal), group(spans)
    for n in range(1, 400):
        got = values(read(it, device, n * 1000, most_requests=most_requests))
        assert set(got) == {f"r{i}" for i in range(len(spans))}
        if got == expected(spans, device):
            break
    assert got == expected(spans, device)


def test_the_search_never_delays_what_is_sound() -> None:
    spans = [Span(H, a, 1) for a in range(500)]
    device, it = Device({3}), group(spans)
    read(it, device, SECOND)
    assert [s.count for s in device.asked[:4]] == [125, 125, 125, 125], "planned requests first"
    assert len(device.asked) <= 4 + 14, "one bad register of 125 is found by bisection"


def test_dense_holes_are_searched_in_steps_of_their_density() -> None:
    rng = random.Random(7)
    tags = sorted(rng.sample(range(2000), 1000))
    spans = [Span(H, a, 1) for a in tags]
    device, it = Device(set(rng.sample(range(2000), 200))), group(spans)
    assert values(read(it, device, SECOND)) == expected(spans, device)
    assert len(device.asked) < 900, "far fewer than asking for each of the 1,000 values and each gap"
    for n in range(2, 6):
        assert values(read(it, device, n * SECOND)) == expected(spans, device)
    assert len(device.asked) < 200, "less than a fifth of the requests that one for each value would take"


@pytest.mark.parametrize("long", [2, 3])
@pytest.mark.parametrize("most", [32, 100, 124])
def test_a_device_that_serves_fewer_registers_teaches_its_limit(most: int, long: int) -> None:
    spans = [Span(H, a, 1) for a in range(1000)]
    learned = Learned("here")
    device, it = Device(set(), most, long=long), group(spans, learned=learned)
    assert None not in values(read(it, device, SECOND)).values()
    read(it, device, 2 * SECOND)
    assert learned.registers == most
    assert device.refused == []
    assert len(device.asked) == -(-1000 // most)
    assert it.texts() == []
    assert not learned.refused
    assert not any(learned.holes.values())


def test_a_border_between_neighbours_is_learned_as_a_hole_of_no_length() -> None:
    spans = [Span(H, a, 1) for a in range(90, 110)]
    learned = Learned("here")
    device, it = Device(set(), borders=[100]), group(spans, learned=learned)
    for n in (1, 2):
        assert None not in values(read(it, device, n * SECOND)).values()
    assert list(learned.holes[H]) == [(100, 100)]
    assert device.asked == [Span(H, 90, 10), Span(H, 100, 10)]


def test_a_gap_that_nobody_asked_for_is_learned_as_a_hole_and_tried_again_once_a_day() -> None:
    spans = [Span(H, a, 1) for a in (0, 1, 2, 10, 11, 12)]
    learned = Learned("here")
    device, it = Device({5}), group(spans, learned=learned)
    for n in (1, 2, 3):
        assert values(read(it, device, n * SECOND)) == expected(spans, device)
    assert device.asked == [Span(H, 0, 3), Span(H, 10, 3)]
    assert list(learned.holes[H]) == [(3, 10)]
    assert it.texts() == [], "it costs nobody a value"
    read(it, device, HOLE_NS + 2 * SECOND)
    assert device.asked == [Span(H, 0, 3), Span(H, 10, 3), Span(H, 2, 9)]
    device.illegal = set()
    read(it, device, 2 * HOLE_NS + 3 * SECOND)
    read(it, device, 2 * HOLE_NS + 4 * SECOND)
    assert device.asked == [Span(H, 0, 13)]


def test_a_refused_value_is_asked_again_after_60_s_then_twice_as_long_up_to_an_hour() -> None:
    spans = [Span(H, a, 1) for a in range(4)]
    device, it = Device({2}), group(spans)
    retests = []
    for second in range(1, 16_000):
        read(it, device, second * SECOND)
        if Span(H, 2, 1) in device.asked and second > 1:
            retests.append(second)
    pauses = [b - a for a, b in zip([1, *retests], retests, strict=False)]
    assert pauses[:9] == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert pauses[-1] * SECOND == RETEST_MOST_NS


def test_when_one_refused_value_is_served_again_the_others_of_its_table_are_asked_at_once() -> None:
    spans = [Span(H, a, 1) for a in range(100)]
    device, it = Device({50}), group(spans)
    read(it, device, SECOND)
    device.illegal = set(range(0, 100, 2))
    for n in range(40, 50):
        read(it, device, n * SECOND)
    device.illegal = set()
    first_due = SECOND + RETEST_NS
    assert None in values(read(it, device, first_due - 1)).values()
    assert None not in values(read(it, device, first_due)).values(), "the others would be due 40 s later"
    read(it, device, first_due + SECOND)
    read(it, device, first_due + 2 * SECOND)
    assert device.asked == [Span(H, 0, 100)]


def test_one_value_put_right_of_two_leaves_the_other_refused_and_its_neighbours_alone() -> None:
    spans = [Span(H, a, 1) for a in range(16)]
    device, it = Device({3, 9}), group(spans)
    read(it, device, SECOND)
    device.illegal = {9}
    frame = read(it, device, SECOND + RETEST_NS)
    assert [k for k, v in values(frame).items() if v is None] == ["r9"]
    assert [text.en for text in it.texts()] == [
        "signal r9 (holding:9): illegal address (exception 2): check the address against the device's register list"
    ]
    assert it.texts()[0].ko.startswith("태그 r9 (holding:9): 없는 주소(예외 2). ")
    read(it, device, 2 * SECOND + RETEST_NS)
    assert all(s.end <= 9 or s.start > 9 for s in device.asked)


@pytest.mark.parametrize(
    ("code", "status", "listed"),
    [
        (6, Status.BAD_COMMUNICATION_ERROR, False),
        (11, Status.BAD_NO_COMMUNICATION, True),
        (200, Status.BAD_COMMUNICATION_ERROR, True),
    ],
)
def test_passing_exceptions_cost_their_request_only_and_are_not_searched(
    *, code: int, status: int, listed: bool
) -> None:
    spans = [Span(H, a, 1) for a in (0, 1, 2, 3, 200)]
    device, it = Device({1}, code=code), group(spans)
    for n in (1, 2):
        frame = read(it, device, n * SECOND)
        assert values(frame) == {"r0": None, "r1": None, "r2": None, "r3": None, "r4": 200}
        assert {statuses(frame)[f"r{i}"] for i in range(4)} == {status | code}
        assert device.asked == [Span(H, 0, 4), Span(H, 200, 1)]
    assert bool(it.texts()) is listed
    if listed:
        assert it.texts()[0].en.startswith("signals r0, r1, r2 and 1 more (holding:0-3): ")
    device.illegal = set()
    assert None not in values(read(it, device, 3 * SECOND)).values()
    assert it.texts() == []


def test_a_passing_exception_in_the_middle_of_a_search_only_postpones_it() -> None:
    spans = [Span(H, a, 1) for a in range(64)]
    device, it = Device({40}), group(spans)
    device.codes = [2, 6]
    got = values(read(it, device, SECOND))
    assert set(got.values()) == {None}
    assert values(read(it, device, 2 * SECOND)) == expected(spans, device)


def test_a_table_that_is_not_served_is_one_refusal_and_one_value_is_asked_again_for_it() -> None:
    spans = [Span(H, a, 1) for a in range(300)]
    device, it = Device(set(range(300)), code=1), group(spans)
    assert set(statuses(read(it, device, SECOND)).values()) == {Status.BAD_NOT_SUPPORTED | 1}
    assert len(device.asked) == 3
    (text,) = it.texts()
    assert text.en == (
        "signals r0, r1, r2 and 297 more (holding:0-299): illegal function (exception 1): "
        "the device does not serve this table; try another one"
    )
    read(it, device, 2 * SECOND)
    assert device.asked == []
    read(it, device, SECOND + RETEST_NS)
    assert device.asked == [Span(H, 0, 1)]
    device.illegal = set()
    assert None not in values(read(it, device, SECOND + 4 * RETEST_NS)).values()


def test_device_failure_is_searched_only_when_it_stays_and_the_device_serves_others() -> None:
    spans = [Span(H, a, 1) for a in (*range(10), *range(300, 310))]
    device, it = Device({4}, code=4), group(spans)
    assert list(values(read(it, device, SECOND)).values()) == [None] * 10 + list(range(300, 310))
    assert len(device.asked) == 2
    assert values(read(it, device, 2 * SECOND)) == expected(spans, device)
    assert statuses(read(it, device, 3 * SECOND))["r4"] == Status.BAD_DEVICE_FAILURE | 4


def test_a_value_within_a_refused_longer_one_is_still_read() -> None:
    spans = [Span(H, 10, 4), Span(H, 10, 1), Span(H, 12, 1), Span(H, 11, 1)]
    device, it = Device({13}), group(spans)
    for n in (1, 2, 3):
        assert values(read(it, device, n * SECOND)) == {"r0": None, "r1": 10, "r2": 12, "r3": 11}


def test_groups_of_a_device_share_what_one_of_them_learned() -> None:
    spans = [Span(H, a, 1) for a in range(20)]
    learned = Learned("here")
    device, one, other = Device({7}), group(spans, learned=learned), group(spans, learned=learned)
    read(one, device, SECOND)
    assert values(read(other, device, SECOND)) == expected(spans, device)
    assert device.refused == []
    device.illegal = set()
    assert None not in values(read(one, device, SECOND + RETEST_NS)).values()
    assert None not in values(read(other, device, SECOND + RETEST_NS)).values()


def test_a_reading_that_is_broken_off_keeps_its_rows_for_the_next_frame() -> None:
    it = group([Span(H, 0, 1), Span(H, 200, 1)])
    it.begin(SECOND)
    first = it.next(SECOND, 2 * SECOND)
    assert first is not None
    it.serve(first, b"\x00\x07", 5 * SECOND)
    it.fail_all(5 * SECOND, Status.BAD_NO_COMMUNICATION)
    frame = it.take()
    assert frame.problem() is None
    assert list(frame.value) == [7, None, None]
    assert list(frame.signal) == [0, 0, 1]


def test_without_refusals_the_plan_is_the_cheapest_and_never_changes() -> None:
    spans = [Span(H, a, 2) for a in range(0, 1000, 7)]
    device, it = Device(set()), group(spans, Limits(gap=5))
    for n in range(1, 5):
        read(it, device, n * SECOND)
        assert device.asked == [r.span for r in plan(spans, Limits(gap=5))]


def test_retests_take_half_an_interval_at_most_or_one_request() -> None:
    spans = [Span(H, a, 1) for a in range(100)]
    device, it = Device(set(range(0, 100, 2))), group(spans)
    for n in range(10):
        read(it, device, 1 + n)
    settled = len(device.asked)
    assert len(it.texts()) == 50

    def retests(now: int, each: int) -> int:
        """Return how many retests a reading has time for whose requests take so long each."""
        it.begin(now)
        count = 0
        while (block := it.next(now, now + 10 * SECOND)) is not None:
            count += 1
            now += each
            answer = device.answer(block.span)
            if isinstance(answer, int):
                it.refuse(block, answer, now, now)
            else:
                it.serve(block, answer, now)
        it.end(now)
        it.take()
        return count - settled

    assert retests(2 * RETEST_NS, SECOND) == 1, "what was planned took longer already"
    assert retests(4 * RETEST_NS, 5_000_000) == 49, "the rest fits into half a second"
    assert retests(4 * RETEST_NS + SECOND, 5_000_000) == 0


def test_a_search_that_met_a_passing_state_survives_a_reading_that_is_broken_off() -> None:
    spans = [Span(H, a, 1) for a in range(64)]
    device, it = Device({40}), group(spans)
    device.codes = [2, 6]
    it.begin(SECOND)
    for _ in range(2):
        block = it.next(SECOND, LONG * SECOND)
        assert block is not None
        answer = device.answer(block.span)
        assert isinstance(answer, int)
        it.refuse(block, answer, SECOND, SECOND)
    it.fail_all(SECOND, Status.BAD_NO_COMMUNICATION)
    it.take()
    assert values(read(it, device, 2 * SECOND)) == expected(spans, device)
    assert Span(H, 0, 64) not in device.asked, "it goes on from where it was"
