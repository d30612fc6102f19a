"""Which energy meters measure at all, and what they counted between two instants.

A "meter" whose count grows by the same amount each hour, whatever the machine does, is an estimate that somebody
has programmed. Of an hour with a known machine the share of executing time tells what it did.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from readiness.spans import Spans

if TYPE_CHECKING:
    from readiness.counting import Counted
    from readiness.production import Production
    from readiness.view import View

HOUR_NS = 3_600_000_000_000
HOURS = 24
KNOWN = 0.95
CONSTANT = 0.005
"""Spread of hourly energy (standard deviation over mean) below which nothing that works was measured."""
INDIFFERENT = 0.02
"""The same for hours in which the machine is known to have done different things."""
DIFFERENT = 0.2


def is_estimate(view: View, meter: Counted, facts: Production) -> bool:
    """Return whether a meter's energy is the same in each hour, so that it cannot have been measured.

    Args:
        view: Of the window.
        meter: What it counted; hours in which it was not known, or of which a part came unseen, are left out.
        facts: Of the machine.
    """
    edges = np.arange(view.seen.start_ns, view.seen.end_ns + 1, HOUR_NS, dtype=np.int64)
    hours = Spans(edges[:-1], edges[1:])
    place = np.searchsorted(edges, meter.at, side="right") - 1
    there = (place >= 0) & (place < len(hours))
    kwh = np.bincount(place[there], weights=meter.pieces[there], minlength=len(hours))
    blind = np.bincount(place[there], weights=meter.blind[there], minlength=len(hours))
    known = (view.spans(meter.name).within(hours) >= KNOWN * HOUR_NS) & (blind == 0)
    if int(known.sum()) < HOURS or not kwh[known].any():
        return False
    stated = known & (facts.known.within(hours) >= KNOWN * HOUR_NS)
    work = facts.executing.within(hours)[stated] / HOUR_NS
    if len(work) >= HOURS and float(np.std(work)) > DIFFERENT and kwh[stated].any():
        return bool(np.std(kwh[stated]) < INDIFFERENT * np.mean(kwh[stated]))
    return bool(np.std(kwh[known]) < CONSTANT * np.mean(kwh[known]))


def month_bounds(month: str, zone: str) -> tuple[int, int]:
    """Return begin and end of a month like 2026-10 in local time, UTC nanoseconds."""
    first = date.fromisoformat(f"{month}-01")
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    start, end = (int(datetime(d.year, d.month, 1, tzinfo=ZoneInfo(zone)).timestamp()) for d in (first, following))
    return start * 1_000_000_000, end * 1_000_000_000


def whole_month(view: View, meter: Counted, start: int, end: int) -> bool:
    """Return whether a meter left evidence on each production day that touches a month."""
    days = {day for day, _, _ in view.seen.counts(meter.name)}
    first, last = view.seen.day_of(np.array([start, end - 1], np.int64)).tolist()
    return first >= 0 and last < len(view.dates) and set(range(first, last + 1)) <= days
