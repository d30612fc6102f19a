"""What signals said, by name and in absolute time."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from readiness.records import Count, Loop, Track, Values
from readiness.seen import Labelled, Seen, millis
from readiness.spans import Spans, union
from tests.readiness.seconds import (
    CALENDAR,
    DAY,
    DAY_S,
    FIRST,
    NOTHING,
    QUARTER_S,
    SECOND,
    START,
    World,
    spans,
)

if TYPE_CHECKING:
    from readiness.evidence import DayEvidence
    from readiness.records import Label


def dates(days: int, back: int = 0) -> list:  # type: ignore[type-arg]
    return [FIRST + timedelta(days=k) for k in range(-back, days - back)]


def track(seen: Seen, name: str) -> Labelled:
    found = seen.track(name)
    assert found is not None
    return found


def codes(seed: int, days: int, mean_s: int = 500) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    rng, found = np.random.default_rng(seed), list[int]()
    while len(found) < days * DAY_S:
        found += [int(rng.integers(-1, 3))] * int(rng.geometric(1 / mean_s))
    return np.array(found[: days * DAY_S])


LABELS: tuple[Label, ...] = ("A", "B", "C")


@pytest.mark.parametrize("seed", range(3))
def test_a_track_goes_on_over_midnight_and_equals_the_seconds(seed: int) -> None:
    column = codes(seed, 3)
    seen = Seen(World(3, {"t": (column, LABELS)}).evidence()[::-1], CALENDAR, dates(3))
    found = track(seen, "press/t")
    for code, label in enumerate(LABELS):
        assert found.spans_of([label]) == spans(column == code)
    assert found.known == spans(column != NOTHING)
    edges = np.flatnonzero(np.diff(column)) + 1
    whole = [0, *edges.tolist(), len(column)]
    expected = [
        (START + a * SECOND, START + b * SECOND, LABELS[column[a]])
        for a, b in pairwise(whole)
        if column[a] != NOTHING
    ]
    assert list(zip(found.start.tolist(), found.end.tolist(), found.label, strict=True)) == expected
    for second in np.random.default_rng(seed).integers(0, len(column), 200).tolist():
        truth = None if column[second] == NOTHING else LABELS[column[second]]
        assert found.at(START + second * SECOND) == truth
    assert found.at(START - 1) is None
    assert found.whole == {0, 1, 2}
    assert seen.track("press/other") is None


def test_a_cut_track_keeps_the_length_of_what_is_short() -> None:
    column = codes(7, 2, 50)
    seen = Seen(World(2, {"t": (column, LABELS)}, cut=frozenset({"t"})).evidence(), CALENDAR, dates(2))
    found = track(seen, "press/t")
    assert found.cut == {0, 1}
    for code, label in enumerate(LABELS):
        length = found.spans_of([label]).length() + sum(s.length_ns for s in found.rest if s.label == label)
        assert length == int((column == code).sum()) * SECOND
    assert min((found.end - found.start).tolist()) >= 60 * SECOND
    assert all((s.at_ns - START) % (QUARTER_S * SECOND) == 0 for s in found.rest)
    assert sum(s.begins for s in found.rest) > 1000


def test_a_signal_that_has_moved_to_another_source_says_one_thing_at_a_time() -> None:
    day = World(1, {"t": (np.repeat([0, 1], DAY_S // 2), LABELS)}).evidence()[0]
    half = DAY_S // 2 * 1000
    later = Track([*LABELS], [half - 5000, half - 95_000, 2], cut=False, rest=[], changes=0, changed=[], dwell=[])
    moved = msgspec.structs.replace(day.sources[0], source="other", tracks={"press/t": later})
    both = msgspec.structs.replace(day, sources=[day.sources[0], moved])
    found = track(Seen([both], CALENDAR, dates(1)), "press/t")
    assert (found.end[:-1] <= found.start[1:]).all()
    assert found.label == ["A", "C", "B"] or found.label[0] == "A"
    assert found.at(START + (DAY_S // 2 - 6) * SECOND) == "A"


def test_days_before_and_days_that_nobody_has_seen() -> None:
    days = World(4, {"t": (codes(1, 4), LABELS)}).evidence()
    del days[1]
    seen = Seen(days, CALENDAR, dates(4)[2:])
    assert [day for day, _ in seen.records] == [0, 1]
    before = Seen(days, CALENDAR, dates(2))
    assert [(day, record.day) for day, record in before.records] == [(0, FIRST.isoformat())]
    assert before.dates == tuple(dates(2))
    instants = np.array([START - 1, START, START + DAY, START + 2 * DAY, START + 4 * DAY - 1, START + 4 * DAY])
    assert seen.day_of(instants).tolist() == [-1, -1, -1, 0, 1, 2]
    assert before.day_of(instants).tolist() == [-1, 0, 1, 2, 2, 2]
    assert seen.quarters(np.array([START + 2 * DAY + 901 * SECOND])).tolist() == [START + 2 * DAY + 900 * SECOND]


def whole_day(**parts: object) -> DayEvidence:
    return msgspec.structs.replace(World(1).evidence()[0], **parts)


def test_everything_else_is_found_by_name_with_its_day() -> None:
    source = World(1).evidence()[0].sources[0]
    count = Count(1.0, [], [], 0, [], [], [], 0, 1, 1, [60_000, 90_000])
    values = Values(1, 0, 0, 0, 1, [], [], [], [], [120_000, 60_000, 1000, 70_000], [], 0, [], [], [], [])
    part = msgspec.structs.replace(
        source,
        counts={"press/n": count},
        values={"press/v": values, "press/n": values},
        jitter=[3, 5, 9, 1],
        rows=7,
    )
    loop = Loop(1.0, 2000, [], [], [])
    day = whole_day(sources=[part], loops={"press/tic": loop})
    seen = Seen([day], CALENDAR, dates(2, back=1))
    assert seen.counts("press/n") == [(1, day, count)]
    assert seen.values("press/v") == [(1, day, values)]
    assert seen.loops("press/tic") == [(1, day, loop)]
    assert seen.jitter("press-plc.main") == [(1, day, {3: 5, 9: 1})]
    assert [(d, r, p.rows) for d, r, p in seen.order("press-plc.main")] == [(1, day, 7)]
    for nothing in (seen.bursts, seen.skews, seen.counts, seen.order):
        assert nothing("x") == []
    first = [(START + a * SECOND, START + b * SECOND) for a, b in ((120, 180), (181, 251))]
    assert list(seen.still("press/v")) == first
    assert seen.still("press/n") == union(Spans.of(first), Spans.of([(START + 60 * SECOND, START + 150 * SECOND)]))
    assert list(millis([], START)) == []
