"""Alarm conditions as tracks, second by second; and that nothing but the events and marks decides it."""

from __future__ import annotations

import itertools
import os
import random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.analyzers.alarms import WORDS, Alarms
from agent.analyzers.evidence import make
from agent.frame import Event, Watermark
from readiness.evidence import DayEvidence, SourceDay, load
from readiness.records import Condition, Track
from tests.agent.analyzers.feeding import run
from tests.agent.analyzers.streams import CALENDAR, MINUTE, SECOND, START, entries, source

if TYPE_CHECKING:
    from agent.frame import Item, Json
    from readiness.spans import Spans

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
OF = source("cnc", "subscription", SECOND, 0)
MACHINE = "cnc-1"
CONDITIONS = {"ns=2;s=a": ("axis", "Overheat"), "ns=2;s=b": ("axis", "Overheat"), "ns=2;s=c": ("", "Door")}
NAMES = {"ns=2;s=a": "axis.Overheat", "ns=2;s=b": "axis.Overheat", "ns=2;s=c": "Door"}


def told(second: float, condition: str, active: bool | None, text: str = "", severity: int = 500) -> Event:  # noqa: FBT001
    name = CONDITIONS[condition]
    body: dict[str, Json] = {
        "condition_id": condition, "source_name": name[0], "condition": name[1], "active": active,
        "message": text, "severity": severity,
    }  # fmt: skip
    return Event(kind="alarm", time_ns=START + int(second * SECOND), source=OF.id, machine=MACHINE, body=body)


def mark(second: float) -> Watermark:
    return Watermark(OF.id, START + int(second * SECOND))


def stream(rng: random.Random, since_s: int, seconds: int) -> list[tuple[int, Item]]:
    """Return items in order of time: a mark each five seconds, outages, starts of the agent, alarms."""
    items: list[Item] = []
    second, end = since_s, since_s + seconds
    busy = 0.05
    while second < end:
        items.append(mark(second))
        busy = rng.choice((0.002, 0.05, 0.9)) if rng.random() < 0.01 else busy
        if rng.random() < busy:
            condition = rng.choice(tuple(CONDITIONS))
            items.append(told(second + rng.randrange(5), condition, rng.random() < 0.5))
        second += 5
        chance = rng.random()
        if chance < 0.004:
            until = second + rng.randrange(3, 400)
            body: dict[str, Json] = {"gap_id": f"g{second}", "cause": "link_down"}
            first, last = START + second * SECOND, START + until * SECOND
            items.append(Event(kind="gap", time_ns=last, source=OF.id, from_ns=first, to_ns=last, body=body))
            second = until
        elif chance < 0.008:
            second += rng.randrange(3, 300)
            items.append(Event(kind="agent_start", time_ns=START + second * SECOND))
            second += rng.randrange(1, 4)
    timed: list[tuple[int, Item]] = [(i.time_ns, i) for i in items if isinstance(i, Event | Watermark)]
    timed.sort(key=lambda pair: pair[0])
    return timed


def expected(
    items: list[tuple[int, Item]], name: str, low: int, high: int, live: dict[int, Spans]
) -> list[bool | None]:
    """Return for each second of the day whether the alarm is active; None where nobody knows.

    Args:
        items: All of them.
        name: Of the alarm.
        low: First second of the day, from START.
        high: End of the day.
        live: By day, when the link was alive.
    """
    alive = {
        at for spans in live.values() for start, end in spans
        for at in range((start - START) // SECOND, (end - START) // SECOND)
    }  # fmt: skip
    starts = {(t - START) // SECOND for t, i in items if isinstance(i, Event) and i.kind == "agent_start"}
    states: dict[str, list[bool | None]] = {}
    for condition in (c for c, n in NAMES.items() if n == name):
        words: dict[int, bool] = {}
        for _, item in items:
            if isinstance(item, Event) and item.kind == "alarm" and item.body["condition_id"] == condition:
                said = item.body["active"]
                assert isinstance(said, bool)
                second = (item.time_ns - START) // SECOND
                heard = second in alive or second - 1 in alive
                # The first mark may come a little after the first alarm.
                later = next((at for at in range(second, second + 61) if at in alive), second)
                words[second if heard else later] = said
        now: bool | None = None
        column: list[bool | None] = []
        for second in range(high):
            if second not in alive or second in starts:
                now = None
            if second in words and second in alive:
                now = words[second]
            column.append(now)
        states[condition] = column[low:]
    found: list[bool | None] = []
    for row in zip(*states.values(), strict=True):
        known = [value for value in row if value is not None]
        found.append(any(known) if known else None)
    return found


def by_second(track: Track | None, seconds: int) -> list[bool | None]:
    found: list[bool | None] = [None] * seconds
    flat, at = iter(track.segments if track is not None else ()), 0
    for hole, length, index in zip(flat, flat, flat, strict=True):
        assert track is not None
        begin, at = at + hole, at + hole + length
        assert begin % 1000 == at % 1000 == 0
        label = track.labels[index]
        assert isinstance(label, bool)
        found[begin // 1000 : at // 1000] = [label] * (length // 1000)
    return found


@settings(max_examples=int(os.environ.get("TSQ_EXAMPLES", "15")), deadline=None)
@given(st.integers(0, 2**32))
def test_alarms_say_what_was_told_second_by_second(seed: int) -> None:
    rng = random.Random(seed)
    since = 86_400 - rng.choice((3000, 6000))
    items = stream(rng, since, 6000)
    last = items[-1][0]
    feeds: list[list[Item]] = [
        *entries(rng, items, 100),
        [Watermark(OF.id, last + 2 * HOUR)],
        [Watermark(OF.id, last + 2 * DAY)],
    ]
    days = {raw: load(raw) for raw in run([OF], feeds)[1].values()}
    live = {n: day.spans(day.sources[0].live) for n, day in enumerate(days.values()) if day.sources}
    for day in days.values():
        low, high = (day.start_ns - START) // SECOND, (day.end_ns - START) // SECOND
        for name in set(NAMES.values()):
            key = f"{MACHINE}/alarm:{name}"
            track = day.sources[0].tracks.get(key) if day.sources else None
            wanted = expected(items, name, low, high, live)
            if track is not None and track.cut:
                continue
            assert by_second(track, high - low) == wanted
            assert (key in day.alarms) == (track is not None)
            changes = sum(a != b for a, b in itertools.pairwise(v for v in wanted if v is not None))
            if track is not None and low == 0:
                assert track.changes == changes
    assert days


@settings(max_examples=int(os.environ.get("TSQ_EXAMPLES", "8")), deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_cuts_kills_and_order_in_an_entry_leave_no_trace(seed: int, most: int) -> None:
    rng = random.Random(seed)
    items = stream(rng, 86_400 - 2500, 5000)
    last = items[-1][0]
    ends: list[list[Item]] = [[Watermark(OF.id, last + n * HOUR)] for n in (2, 26, 50)]
    reference = run([OF], [*([item] for _, item in items), *ends])
    assert run([OF], [*entries(rng, items, most), *ends]) == reference
    assert run([OF], [*entries(rng, items, most), *ends], kill=rng) == reference


def one_day(items: list[Item]) -> DayEvidence:
    evidence = make([OF], CALENDAR)
    evidence.feed(items)
    evidence.feed([Watermark(OF.id, START + DAY + HOUR)])
    return load(evidence.take_closed()["2026-11-23"])


def track_of(day: DayEvidence, name: str) -> Track:
    return day.sources[0].tracks[f"{MACHINE}/alarm:{name}"]


def test_text_and_severity_are_the_latest_before_the_days_end_and_a_machine_s_own() -> None:
    words = [told(5, "ns=2;s=c", True, "문 열림", 300), told(9, "ns=2;s=c", False, "", 800)]
    day = one_day([mark(0), *words, mark(20)])
    assert day.alarms == {f"{MACHINE}/alarm:Door": Condition("문 열림", 800)}
    assert track_of(day, "Door").segments == [5000, 4000, 0, 0, 11_000, 1]
    assert track_of(day, "Door").labels == [True, False]


def test_an_event_that_is_no_condition_and_one_of_unknown_state_leave_nothing() -> None:
    plain = Event(kind="alarm", time_ns=START + SECOND, source=OF.id, machine=MACHINE, body={"message": "hello"})
    day = one_day([mark(0), plain, told(2, "ns=2;s=c", None), mark(20)])
    assert day.alarms == {}
    assert day.sources[0].tracks == {}


def test_an_alarm_told_just_before_the_first_mark_counts_from_that_mark() -> None:
    day = one_day([told(1, "ns=2;s=c", True), mark(4), mark(20)])
    assert track_of(day, "Door").segments == [4000, 16_000, 0]


def test_a_start_of_the_agent_ends_what_is_known_even_where_the_link_seems_unbroken() -> None:
    start = Event(kind="agent_start", time_ns=START + 10 * SECOND)
    day = one_day([mark(0), told(2, "ns=2;s=c", True), mark(9), start, mark(12), mark(20)])
    assert track_of(day, "Door").segments == [2000, 8000, 0]


def test_a_condition_that_never_stops_talking_has_no_track_on_that_day_and_holds_on_the_next() -> None:
    alarms = Alarms(lambda t: (START + (t - START) // DAY * DAY, START + ((t - START) // DAY + 1) * DAY))
    for n in range(WORDS + 501):
        alarms.event(told(n, "ns=2;s=a", n % 2 == 0))
    assert len(str(alarms.state())) < 1000
    for day in (0, 1):
        low = START + day * DAY
        part = SourceDay(OF.id, "cnc", "opcua", "subscription", SECOND, [], [0, DAY], [], {}, {}, 0)
        parts = [part]
        said = alarms.close(low, low + DAY, parts)
        alarms.drop(low + DAY)
        assert bool(said) == (day == 1)
        if day:
            assert parts[0].tracks[f"{MACHINE}/alarm:axis.Overheat"].segments == [0, DAY // 1_000_000, 0]
