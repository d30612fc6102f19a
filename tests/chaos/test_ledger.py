"""The judge of the gap ledger: what it must find, and what it must let pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.stores.base import Point
from tests.chaos.ledger import Coverage, Gap, cover, gaps, holes, joined, known, overlaps, steps

S = 10**9


def gap(cause: str, start: float, end: float | None, name: str = "g", **more: Any) -> Gap:
    to = None if end is None else round(end * S)
    return Gap(name, cause, more.pop("source", "plc.main"), round(start * S), to, **more)


def covered(rows: list[float], *told: Gap, end: float = 20, good: list[float] | None = None) -> Coverage:
    times = [round(t * S) for t in rows]
    values = times if good is None else [round(t * S) for t in good]
    return cover("plc.main", times, values, told, S, (0, round(end * S)), S // 2)


def every(first: float, last: float) -> list[float]:
    return [first + n for n in range(round(last - first) + 1)]


def test_readings_on_their_grid_need_no_gap() -> None:
    assert covered(every(0, 20)) == Coverage([], [])


def test_a_silence_that_nobody_explains_is_found_to_the_interval() -> None:
    found = covered([*every(0, 5), *every(9, 20)])
    assert found.uncovered == [(6 * S, 9 * S)]


def test_a_gap_explains_a_silence_and_one_that_is_too_short_only_part_of_it() -> None:
    rows = [*every(0, 5), *every(12, 20)]
    assert covered(rows, gap("link_down", 5, 12)) == Coverage([], [])
    assert covered(rows, gap("link_down", 5, 9)).uncovered == [(9 * S, 12 * S)]
    assert covered(rows, gap("link_down", 5, 12, source="plc.other")).uncovered == [(6 * S, 12 * S)]
    assert covered(rows, gap("agent_off", 5, 12, source=None)) == Coverage([], [])


def test_the_beginning_and_the_end_must_be_explained_too() -> None:
    assert covered(every(3, 15)).uncovered == [(0, 3 * S), (16 * S, 20 * S)]
    assert covered(every(3, 15), gap("agent_off", 0, 3, "a"), gap("link_down", 15, None, "b")) == Coverage([], [])


def test_two_causes_for_one_time_are_found_unless_one_lies_inside_the_other() -> None:
    rows = [*every(0, 5), *every(12, 20)]
    outage = gap("link_down", 5, 12, "outage")
    found = covered(rows, outage, gap("agent_off", 8, 11, "off"))
    assert found.double == [((8 * S, 11 * S), "link_down", "agent_off")]
    assert covered(rows, outage, gap("waiting", 8, 12, "ours", inside="outage")) == Coverage([], [])
    assert covered(rows, outage, gap("maintenance", 0, 20, "work")) == Coverage([], [])


def test_a_reading_inside_a_gap_contradicts_it_and_a_failed_one_does_not() -> None:
    outage = gap("link_down", 5, 12)
    rows = [*every(0, 5), 8, *every(12, 20)]
    assert covered(rows, outage).double == [((8 * S, 8 * S), "link_down", "a reading")]
    assert covered(rows, outage, good=[t for t in rows if t != 8]) == Coverage([], [])


def test_a_gap_with_holes_covers_these_alone() -> None:
    rows = [*every(0, 5), *every(8, 12), *every(15, 20)]
    spans = ((6 * S, 8 * S), (13 * S, 15 * S))
    assert covered(rows, gap("waiting", 6, 15, spans=spans)) == Coverage([], [])
    assert covered(rows, gap("waiting", 6, 15)).double, "the whole span holds readings"


def point(time_ns: int, body: dict[str, Any], **fields: Any) -> Point:
    tags = (("agent", "a"), ("factory", "f"), ("kind", "gap"), ("site", "main"))
    return Point("tsq_event", tags, time_ns, {"body_s": json.dumps(body), **fields})


def test_the_last_event_of_a_gap_tells_where_it_is() -> None:
    body = {"gap_id": "g", "cause": "link_down"}
    first = point(1, body, source_s="plc.main", from_i=10)
    last = point(2, body, source_s="plc.main", from_i=10, to_i=30)
    for order in ([first, last], [last, first]):
        assert gaps(order) == [Gap("g", "link_down", "plc.main", 10, 30)]


def test_lost_rows_holes_and_a_clock_that_was_set_back_are_read_from_the_body() -> None:
    lost = {"gap_id": "o", "cause": "overflow", "sources": {"a": {"first": "5", "last": "9", "rows": 3}}}
    assert gaps([point(1, lost, from_i=5, to_i=9)]) == [Gap("o", "overflow", "a", 5, 9)]
    late = {"gap_id": "w", "cause": "waiting", "holes": [[0, 5], [20, 10]]}
    (found,) = gaps([point(1, late, source_s="a", from_i=100, to_i=130)])
    assert found.parts == ((100, 105), (120, 130))
    behind = {"gap_id": "b", "cause": "agent_off", "clock": "behind", "started": "1004"}
    (off,) = gaps([point(1, behind, from_i=5001, to_i=5001)], lambda ns: ns - 4900 if ns % 10 == 1 else ns - 700)
    assert (off.from_ns, off.to_ns) == (101, 304)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [([], []), ([(3, 5), (1, 3)], [(1, 5)]), ([(1, 9), (2, 3)], [(1, 9)]), ([(4, 4), (6, 7)], [(6, 7)])],
)
def test_spans_are_joined(spans: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    assert joined(spans) == expected


def test_span_arithmetic() -> None:
    assert holes([(2, 4), (6, 8)], 0, 10) == [(0, 2), (4, 6), (8, 10)]
    assert holes([(0, 20)], 5, 10) == []
    assert overlaps([(0, 5), (8, 12)], [(4, 9), (11, 20)]) == [(4, 5), (8, 9), (11, 12)]
    assert known([0, 10, 30], 10) == [(0, 20), (30, 40)]


def test_steps_of_a_trusted_clock_are_told_and_those_after_a_time_without_trust_are_not() -> None:
    def event(kind: str, time_ns: int, body: dict[str, Any]) -> Point:
        return Point("tsq_event", (("kind", kind),), time_ns, {"body_s": json.dumps(body)})

    events = [
        event("clock_step", 5_013, {"epoch": 13, "offset_ns": str(3 * S)}),
        event("facts.health", 6_014, {"clock": {"source": "none"}}),
        event("clock_step", 7_015, {"epoch": 15, "offset_ns": str(-S)}),
        event("facts.health", 8_015, {"clock": {"source": "kernel"}}),
        event("facts.health", 8_015, {"overrun_ns": "5"}),
        event("clock_step", 9_016, {"epoch": 1016, "offset_ns": str(S)}),
    ]
    assert steps(events) == {13: 3 * S, 16: S}
