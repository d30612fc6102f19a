"""Production days of a zone whose clock changes: closed at their ends, 23 and 25 hours long, nothing missing."""

from __future__ import annotations

import itertools
from datetime import date, time, timedelta

import pytest

from agent.analyzers.evidence import make
from agent.frame import Watermark, gap_event
from readiness.evidence import DayEvidence, load
from readiness.schedule import Calendar
from readiness.spans import intersection
from tests.agent.analyzers.streams import MINUTE, block, source

HOUR = 60 * MINUTE
PRESS = source("press", "poll", MINUTE, 1)
NIGHT = ((time(22), time(6)),)


def closed(calendar: Calendar, first: date, days: int) -> dict[date, DayEvidence]:
    """Return the evidence of days that were read minute by minute, with half an hour without a trusted clock."""
    evidence = make([PRESS], calendar)
    start, end = calendar.bounds(first)[0], calendar.bounds(first + timedelta(days=days - 1))[1]
    dark = (start + 20 * HOUR, start + 20 * HOUR + 30 * MINUTE)
    found: dict[str, bytes] = {}
    for at in range(start, end + 3 * HOUR, HOUR):
        times = [t for t in range(at, at + HOUR, MINUTE) if not dark[0] <= t < dark[1]]
        evidence.feed([block(PRESS, [(0, t, 0) for t in times]), Watermark(PRESS.id, at + HOUR - 1)])
        if at == dark[0]:
            evidence.feed([gap_event("dark", "clock", None, dark[1], *dark)])
        found.update(evidence.take_closed())
    return {date.fromisoformat(day): load(raw) for day, raw in found.items()}


@pytest.mark.parametrize(
    ("zone", "changing", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Asia/Seoul", date(2026, 10, 25), 24),
    ],
)
@pytest.mark.parametrize("day_start", [time(0), time(6), time(2, 30)], ids=str)
def test_a_day_on_which_the_clock_changes_is_closed_rightly(
    zone: str, changing: date, hours: float, day_start: time
) -> None:
    calendar = Calendar(zone, day_start, dict.fromkeys(range(7), NIGHT))
    first = changing - timedelta(days=2)
    days = closed(calendar, first, 4)
    assert sorted(days) == [first + timedelta(days=n) for n in range(4)]
    assert all(a.end == b.start for a, b in itertools.pairwise(days[day] for day in sorted(days)))
    lengths = [int(days[day].end) - int(days[day].start) for day in sorted(days)]
    assert sorted(lengths) == sorted([24 * HOUR] * 3 + [round(hours * HOUR)])
    worked = [calendar.planned_spans(day).length() for day in sorted(days)]
    assert sum(worked) == sum(lengths) * 8 // 24 + (round(hours * HOUR) - 24 * HOUR) * 16 // 24, (
        "the night of the change is an hour shorter or longer than eight"
    )
    for day, evidence in days.items():
        part = evidence.sources[0]
        known = evidence.spans(part.spans[part.signals["press-1/s0"].known])
        dark = evidence.spans(evidence.censored["clock"]["*"]) if "clock" in evidence.censored else None
        missing = 0 if dark is None else dark.length()
        assert missing == (30 * MINUTE if day == first else 0)
        length = int(evidence.end) - int(evidence.start)
        assert abs(known.length() + missing - length) <= MINUTE, "known and explained, to the minute"
        assert dark is None or intersection(known, dark).length() <= MINUTE
