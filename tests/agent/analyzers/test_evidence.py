"""The evidence of a day: what it holds, and that nothing but the items decides it."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.analyzers.evidence import make
from agent.frame import Event, Facts, Status, Watermark
from contract.codec import compress, decompress
from contract.errors import WireError
from readiness.evidence import DayEvidence, load
from tests.agent.analyzers.streams import (
    CALENDAR,
    MINUTE,
    SECOND,
    START,
    block,
    entries,
    source,
    stream,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import EventKind, Item, Json, Source

HOUR = 60 * MINUTE
DAY = 24 * HOUR
PRESS = source("press", "poll", 10 * SECOND, 2)
CNC = source("cnc", "subscription", SECOND, 2)


def run(
    sources: Sequence[Source], feeds: Sequence[Sequence[Item]], kill: random.Random | None = None
) -> tuple[bytes, dict[str, bytes]]:
    """Feed entries; with `kill`, throw the process away at random points and go on from the last checkpoint."""
    evidence = make(sources, CALENDAR)
    closed: dict[str, bytes] = {}
    checkpoint, at = evidence.state(), 0
    position = 0
    while position < len(feeds):
        evidence.feed(feeds[position])
        position += 1
        if kill is not None and kill.random() < 0.2:
            closed.update(evidence.take_closed())
            checkpoint, at = evidence.state(), position
        elif kill is not None and kill.random() < 0.1:
            evidence, position = make(sources, CALENDAR, checkpoint), at
    closed.update(evidence.take_closed())
    return evidence.state(), closed


def one_day(sources: Sequence[Source], items: Sequence[Item]) -> DayEvidence:
    """Return the first day of a stream that is ended by marks of life after it."""
    evidence = make(sources, CALENDAR)
    evidence.feed(items)
    evidence.feed([Watermark(s.id, START + DAY + HOUR) for s in sources])
    evidence.feed([Watermark(sources[0].id, START + DAY + 3 * HOUR)])
    return load(evidence.take_closed()["2026-11-23"])


@pytest.mark.timeout(600)  # against hanging; beside others it takes minutes
@settings(max_examples=int(os.environ.get("TSQ_EXAMPLES", "25")), deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_cuts_and_kills_leave_no_trace_in_the_evidence(seed: int, most: int) -> None:
    rng = random.Random(seed)
    sources = [
        source("press", "poll", rng.choice((1, 7, 10)) * MINUTE, rng.randrange(1, 4)),
        source("cnc", "subscription", 2 * MINUTE, rng.randrange(1, 4)),
        source("meter", "poll", 5 * MINUTE, 1),
    ]
    items = stream(rng, sources, hours=rng.choice((20, 30, 60)))
    reference = run(sources, [[item] for _, item in items])
    assert run(sources, entries(rng, items, most)) == reference
    assert run(sources, entries(rng, items, most), kill=rng) == reference


def test_a_polled_signal_is_known_up_to_the_next_good_reading_or_for_one_interval() -> None:
    at = [START + n * 10 * SECOND for n in range(6)]
    rows = [(0, at[0], 0), (0, at[1] + SECOND, 0), (0, at[4], 0), (0, at[5], Status.BAD_OUT_OF_RANGE)]
    day = one_day([PRESS], [block(PRESS, rows), block(PRESS, [(1, at[0], 0)])])
    part = day.sources[0]
    signal = part.signals["press-1/s0"]
    assert list(day.spans(part.spans[signal.known])) == [
        (at[0], at[1] + 11 * SECOND),
        (at[4], at[5]),
    ]
    assert list(day.spans(part.spans[signal.bad])) == [(at[5], at[5] + 10 * SECOND)]
    assert (signal.good_reads, signal.bad_reads) == (3, 1)


@pytest.mark.parametrize(("pause", "lost"), [(11.9, 0), (12, 0), (12.1, 2.1), (19.9, 9.9), (30, 20)])
def test_a_reading_that_is_late_by_more_than_a_fifth_leaves_a_hole(pause: float, lost: float) -> None:
    later = START + int(pause * SECOND)
    day = one_day([PRESS], [block(PRESS, [(0, START, 0), (0, later, 0)])])
    part = day.sources[0]
    known = day.spans(part.spans[part.signals["press-1/s0"].known])
    assert known.length() == later + 10 * SECOND - START - round(lost * SECOND)


def test_a_bad_reading_counts_only_until_the_next_good_one() -> None:
    rows = [(0, START, Status.BAD_OUT_OF_RANGE), (0, START + 4 * SECOND, 0)]
    day = one_day([PRESS], [block(PRESS, rows)])
    part = day.sources[0]
    assert list(day.spans(part.spans[part.signals["press-1/s0"].bad])) == [(START, START + 4 * SECOND)]


def test_what_is_told_of_a_gap_after_its_day_is_over_counts_no_more() -> None:
    body: dict[str, Json] = {"gap_id": "a", "cause": "overflow"}
    evidence = make([PRESS, CNC], CALENDAR)
    evidence.feed([block(PRESS, [(0, START, 0)]), block(CNC, [(0, START, 0)])])
    evidence.feed([Event(kind="gap", time_ns=START + HOUR, from_ns=START, to_ns=START + HOUR, body=body)])
    evidence.feed([Watermark(PRESS.id, START + DAY + 5 * MINUTE)])
    evidence.feed([Watermark(PRESS.id, START + DAY + HOUR)])  # the day stays open, waiting for the other source
    late = START + DAY + 6 * MINUTE
    evidence.feed([Event(kind="gap", time_ns=late, from_ns=START, to_ns=START + 9 * HOUR, body=body)])
    evidence.feed([Watermark(CNC.id, START + DAY + HOUR)])
    first = load(evidence.take_closed()["2026-11-23"])
    assert list(first.spans(first.censored["overflow"]["*"])) == [(START, START + HOUR)]
    evidence.feed([Watermark(s.id, START + 2 * DAY + HOUR) for s in (PRESS, CNC)])
    assert load(evidence.take_closed()["2026-11-24"]).late_events == 1


def test_a_box_without_power_from_the_evening_to_the_next_day_but_one_tells_of_it_in_time() -> None:
    evidence = make([PRESS, CNC], CALENDAR)
    evidence.feed([block(of, [(0, START, 0)]) for of in (PRESS, CNC)])
    evidence.feed([Watermark(of.id, START + 10 * HOUR) for of in (PRESS, CNC)])
    cut, back = START + 10 * HOUR, START + 2 * DAY + HOUR
    body: dict[str, Json] = {"gap_id": "a", "cause": "agent_off"}
    evidence.feed([Event(kind="gap", time_ns=back, from_ns=cut, to_ns=back, body=body)])
    evidence.feed([block(of, [(0, back + SECOND, 0)]) for of in (PRESS, CNC)])
    closed = {day: load(raw) for day, raw in evidence.take_closed().items()}
    spans = [list(day.spans(day.censored["agent_off"]["*"])) for day in closed.values()]
    assert spans == [[(cut, START + DAY)], [(START + DAY, START + 2 * DAY)]]


def test_a_loss_is_censored_source_by_source_and_only_where_the_analyzers_saw_nothing() -> None:
    lost: dict[str, Json] = {PRESS.id: {"first": str(START), "last": str(START + MINUTE), "rows": 60}}
    gap: dict[str, Json] = {"cause": "overflow", "sources": lost}
    bodies: list[dict[str, Json]] = [
        {**gap, "gap_id": "a", "stage": "ring"},
        {**gap, "gap_id": "b", "stage": "spool", "sources": {CNC.id: lost[PRESS.id]}},
    ]
    events = [
        Event(kind="gap", time_ns=START + HOUR, from_ns=START, to_ns=START + MINUTE, body=body) for body in bodies
    ]
    day = one_day([PRESS, CNC], [block(PRESS, [(0, START, 0)]), block(CNC, [(0, START, 0)]), *events])
    assert {of: list(day.spans(spans)) for of, spans in day.censored["overflow"].items()} == {
        PRESS.id: [(START, START + MINUTE)]
    }


def test_a_queue_of_the_server_too_short_for_one_signal_censors_nothing_of_its_neighbours() -> None:
    body: dict[str, Json] = {"gap_id": "a", "cause": "overflow", "reason": "server_queue", "signals": ["s0"]}
    end = START + MINUTE
    items: list[Item] = [
        block(CNC, [(0, START, 0), (1, START, 0)]),
        *(Watermark(CNC.id, START + n * 5 * SECOND) for n in range(12)),
        Event(kind="gap", source=CNC.id, time_ns=end, from_ns=START, to_ns=end, body=body),
        block(CNC, [(0, end, 0x0480)]),
    ]
    day = one_day([CNC], items)
    assert day.censored == {}
    (part,) = day.sources
    for signal in part.signals.values():
        assert day.spans(part.spans[signal.known]).length() >= MINUTE


def test_a_subscribed_value_is_known_while_the_link_lives() -> None:
    down = {"gap_id": "g", "cause": "link_down"}
    items: list[Item] = [
        block(CNC, [(0, START, 0), (1, START, Status.UNCERTAIN)]),
        *(Watermark(CNC.id, START + n * 5 * SECOND) for n in range(12)),
        Event(
            kind="gap",
            time_ns=START + 30 * SECOND,
            source=CNC.id,
            from_ns=START + 20 * SECOND,
            to_ns=START + 30 * SECOND,
            body=down,
        ),
        block(CNC, [(1, START + 40 * SECOND, 0)]),
    ]
    day = one_day([CNC], items)
    part = day.sources[0]
    zero, one = part.signals["press-1/s0"], part.signals["press-1/s1"]
    alive = [(START, START + 20 * SECOND), (START + 30 * SECOND, START + 55 * SECOND)]
    assert list(day.spans(part.live)) == alive
    assert list(day.spans(part.spans[zero.known])) == alive
    assert zero.uncertain == -1
    assert list(day.spans(part.spans[one.uncertain])) == [alive[0], (START + 30 * SECOND, START + 40 * SECOND)]


def test_our_own_outages_are_censored_and_the_factorys_are_not() -> None:
    def gap(name: str, cause: str, to: int | None) -> Event:
        body = {"gap_id": name, "cause": cause}
        return Event(kind="gap", time_ns=START + HOUR, from_ns=START + HOUR, to_ns=to, body=body)

    items: list[Item] = [
        block(PRESS, [(0, START, 0), (1, START, 0)]),
        gap("a", "agent_off", START + 2 * HOUR),
        gap("b", "link_down", START + 3 * HOUR),
        Event(
            kind="maintenance",
            time_ns=START + HOUR,
            source=PRESS.id,
            from_ns=START + 5 * HOUR,
            to_ns=START + 6 * HOUR,
        ),
    ]
    day = one_day([PRESS], items)
    assert {cause: list(where) for cause, where in day.censored.items()} == {
        "agent_off": ["*"],
        "maintenance": [PRESS.id],
    }
    assert list(day.spans(day.censored["agent_off"]["*"])) == [(START + HOUR, START + 2 * HOUR)]


def test_a_gap_that_shrinks_before_the_day_closes_counts_in_its_last_form() -> None:
    body = {"gap_id": "a", "cause": "overflow"}
    items: list[Item] = [
        block(PRESS, [(0, START, 0)]),
        Event(kind="gap", time_ns=START + HOUR, from_ns=START, to_ns=START + HOUR, body=body),
        Event(kind="gap", time_ns=START + 2 * HOUR, from_ns=START, to_ns=START + MINUTE, body=body),
    ]
    day = one_day([PRESS], items)
    assert list(day.spans(day.censored["overflow"]["*"])) == [(START, START + MINUTE)]


def test_an_open_gap_runs_over_the_end_of_its_day() -> None:
    body = {"gap_id": "a", "cause": "maintenance"}
    evidence = make([PRESS], CALENDAR)
    evidence.feed([block(PRESS, [(0, START, 0)])])
    evidence.feed([Event(kind="gap", time_ns=START + 23 * HOUR, from_ns=START + 23 * HOUR, body=body)])
    evidence.feed([Watermark(PRESS.id, START + DAY + HOUR)])
    evidence.feed(
        [
            Event(
                kind="gap",
                time_ns=START + DAY + HOUR,
                from_ns=START + 23 * HOUR,
                to_ns=START + DAY + HOUR,
                body=body,
            )
        ]
    )
    evidence.feed([Watermark(PRESS.id, START + 2 * DAY + HOUR)])
    first, second = (load(raw) for raw in evidence.take_closed().values())
    assert list(first.spans(first.censored["maintenance"]["*"])) == [(START + 23 * HOUR, START + DAY)]
    assert list(second.spans(second.censored["maintenance"]["*"])) == [(START + DAY, START + DAY + HOUR)]


def test_an_outage_left_open_by_a_killed_agent_ends_when_the_link_is_up_again() -> None:
    body: dict[str, Json] = {"gap_id": "a", "cause": "link_down"}
    items: list[Item] = [
        block(CNC, [(0, START, 0)]),
        *(Watermark(CNC.id, START + n * 30 * SECOND) for n in range(121)),
        Event(kind="gap", time_ns=START + 10 * MINUTE, source=CNC.id, from_ns=START + 10 * MINUTE, body=body),
        Event(kind="link_up", time_ns=START + 15 * MINUTE, source=CNC.id),
        Event(
            kind="gap",
            time_ns=START + 40 * MINUTE,
            source=CNC.id,
            from_ns=START + 30 * MINUTE,
            to_ns=START + 40 * MINUTE,
            body={**body, "gap_id": "b"},
        ),
    ]
    day = one_day([CNC], items)
    assert [((a - START) // MINUTE, (b - START) // MINUTE) for a, b in day.spans(day.sources[0].live)] == [
        (0, 10),
        (15, 30),
        (40, 60),
    ]


def test_a_row_behind_its_closed_day_is_counted_and_not_added() -> None:
    evidence = make([PRESS], CALENDAR)
    evidence.feed([block(PRESS, [(0, START, 0), (0, START + DAY + HOUR, 0)])])
    evidence.feed([block(PRESS, [(1, START + HOUR, 0), (1, START + DAY + HOUR, 0)])])
    evidence.feed([Watermark(PRESS.id, START + 2 * DAY + HOUR)])
    first, second = (load(raw) for raw in evidence.take_closed().values())
    assert first.sources[0].signals["press-1/s0"].good_reads == 1
    assert second.sources[0].late == 1


@pytest.mark.parametrize("kind", ["clock_step", "agent_start"])
def test_a_clock_that_was_ahead_by_weeks_costs_a_day_of_evidence_and_not_weeks(kind: EventKind) -> None:
    ahead, right = START + 30 * DAY, START + 5 * HOUR
    evidence = make([PRESS], CALENDAR)
    evidence.feed([block(PRESS, [(0, START + 4 * HOUR, 0)])])
    evidence.feed([block(PRESS, [(0, ahead, 0)])])
    assert "2026-11-23" in evidence.take_closed()
    evidence.feed([Event(kind=kind, time_ns=right), block(PRESS, [(0, right, 0)])])
    again = make([PRESS], CALENDAR, evidence.state())
    for one in (evidence, again):
        for day in (1, 2):
            one.feed([block(PRESS, [(0, START + day * DAY + HOUR, 0), (0, START + day * DAY + HOUR + SECOND, 0)])])
        one.feed([Watermark(PRESS.id, START + 3 * DAY + HOUR)])
    closed = evidence.take_closed()
    assert closed == again.take_closed()
    assert evidence.state() == again.state()
    assert [day for day in closed if day <= "2026-11-25"] == ["2026-11-24", "2026-11-25"]
    assert load(closed["2026-11-25"]).sources[0].signals["press-1/s0"].good_reads == 2


@pytest.mark.timeout(30)
@pytest.mark.parametrize("days", [399, 400, 401, 500, 5000])
def test_a_box_that_was_switched_off_for_more_than_a_year_goes_on(days: int) -> None:
    evidence = make([PRESS], CALENDAR)
    evidence.feed([block(PRESS, [(0, START + HOUR, 0)])])
    evidence.feed([block(PRESS, [(0, START + days * DAY + 3 * HOUR, 0)])])
    closed = evidence.take_closed()
    assert list(closed) == (["2026-11-23"] if days < 400 else [])
    evidence.feed([Watermark(PRESS.id, START + (days + 1) * DAY + 3 * HOUR)])
    assert len(evidence.take_closed()) == 1


def test_a_day_waits_for_every_source_but_not_for_one_that_has_gone_silent() -> None:
    evidence = make([PRESS, CNC], CALENDAR)
    evidence.feed([block(PRESS, [(0, START, 0)]), block(CNC, [(0, START, 0)])])
    evidence.feed([Watermark(PRESS.id, START + DAY + 11 * MINUTE)])
    assert not evidence.take_closed()
    evidence.feed([Watermark(PRESS.id, START + DAY + 2 * HOUR)])
    assert list(evidence.take_closed()) == ["2026-11-23"]


def test_the_source_is_in_service_from_its_first_item_on() -> None:
    day = one_day([PRESS], [block(PRESS, [(0, START + 3 * HOUR, 0)])])
    assert list(day.spans(day.sources[0].service)) == [(START + 3 * HOUR, START + DAY)]


def test_a_signal_added_by_a_new_configuration_counts_from_the_next_day_and_a_dropped_one_no_more() -> None:
    old, new = source("press", "poll", 10 * SECOND, 2), source("press", "poll", 10 * SECOND, 3)
    first = make([old], CALENDAR)
    first.feed([block(old, [(0, START, 0), (1, START, 0)])])
    second = make([new], CALENDAR, first.state())
    second.feed([block(new, [(2, START + HOUR, 0), (0, START + DAY, 0), (2, START + DAY, 0)])])
    second.feed([Watermark(new.id, START + DAY + HOUR)])
    closed = load(second.take_closed()["2026-11-23"])
    assert list(closed.sources[0].signals) == ["press-1/s0", "press-1/s1"]
    next_day = make([new], CALENDAR, second.state())
    next_day.feed([Watermark(new.id, START + 2 * DAY + HOUR)])
    assert "press-1/s2" in load(next_day.take_closed()["2026-11-24"]).sources[0].signals
    third = make([source("press", "poll", 10 * SECOND, 1)], CALENDAR, second.state())
    third.feed([Watermark(new.id, START + 2 * DAY + HOUR)])
    assert list(load(third.take_closed()["2026-11-24"]).sources[0].signals) == ["press-1/s0"]


def test_a_dropped_source_is_in_service_up_to_its_last_word() -> None:
    first = make([PRESS, CNC], CALENDAR)
    first.feed([block(PRESS, [(0, START, 0)]), block(CNC, [(0, START, 0), (0, START + HOUR, 0)])])
    second = make([PRESS], CALENDAR, first.state())
    second.feed([Watermark(PRESS.id, START + DAY + HOUR)])
    second.feed([Watermark(PRESS.id, START + 2 * DAY + HOUR)])
    days = [load(raw) for raw in second.take_closed().values()]
    cnc = next(s for s in days[0].sources if s.source == CNC.id)
    assert list(days[0].spans(cnc.service)) == [(START, START + HOUR)]
    assert [s.source for s in days[1].sources] == [PRESS.id]


def test_the_session_in_use_is_the_latest_before_the_end_of_the_day() -> None:
    def facts(when: int, mode: str) -> Facts:
        body: dict[str, Json] = {"protocol": "opcua", "mode": mode, "policy": "None"}
        return Facts(kind="connection", time_ns=when, subject="cnc", body=body)

    items: list[Item] = [
        block(CNC, [(0, START, 0)]),
        facts(START, "None"),
        facts(START + HOUR, "Sign"),
        facts(START + DAY, "SignAndEncrypt"),
    ]
    assert one_day([CNC], items).connections["cnc"].mode == "Sign"


def test_replayed_history_is_marked() -> None:
    mark = Event(kind="agent_start", time_ns=START, from_ns=START, to_ns=START + HOUR, body={"simulated": True})
    day = one_day([PRESS], [mark, block(PRESS, [(0, START, 0)])])
    assert list(day.spans(day.simulated)) == [(START, START + HOUR)]


def test_states_and_days_of_another_version_are_refused() -> None:
    plain = decompress(make([PRESS], CALENDAR).state(), 10_000)
    with pytest.raises(ValueError, match="version 99"):
        make([PRESS], CALENDAR, compress(plain.replace(b'"version":2', b'"version":99')))
    for damaged in (b"", b"{}", compress(b"[" * 9)):
        with pytest.raises(ValueError, match="no evidence state"):
            make([PRESS], CALENDAR, damaged)
    with pytest.raises(WireError, match="not a day's evidence"):
        load(b"{}")


def test_sources_read_in_bursts_hold_back_no_day_and_their_silence_is_nobodys_loss() -> None:
    fast = source("press-fast", "burst", SECOND, 2)
    quiet: list[Item] = [block(PRESS, [(0, START + i * 10 * SECOND, 0) for i in range(9000)])]
    bursts: list[Item] = [block(fast, [(0, START + i * SECOND, 0) for i in range(10)]), Watermark(fast.id, START)]
    with_bursts = run([PRESS, fast], [[*quiet, *bursts]])[1]
    without = run([PRESS], [quiet])[1]
    assert with_bursts == without
    assert without, "a day has closed"
