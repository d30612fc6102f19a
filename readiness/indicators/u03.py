"""U03 Closed-loop and system-set control: loops that a controller holds, or whose set point a system writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.catalog import key
from readiness.indicators.absent import shortfall
from readiness.indicators.base import Census, Indicator, Missing, Outcome
from readiness.interventions import days as counted_days
from readiness.production import production
from readiness.seen import millis
from readiness.spans import EMPTY, Spans, intersection, union

if TYPE_CHECKING:
    from readiness.plant import ControlLoop
    from readiness.view import View

LEAST = 3
HELD = 0.9
WATCHED = 0.5
"""Share of executing time for which a loop has to be known to be judged."""
WIDE = 0.5
"""A band over this share of the range that the measured value can have says nothing at all."""


def _ranges(view: View, name: str) -> list[tuple[float, float]]:
    tags = [tag for found in view.tags.values() for _, tag in found if key(tag) == name]
    limits = view.plant.meaning(name).limits
    return [r for tag in tags for r in (tag.eu_range, tag.instrument_range) if r] + ([limits] if limits else [])


def meaningless(view: View, loop: ControlLoop) -> bool:
    """Return whether the band of a loop is so wide that hardly any value lies outside."""
    ranges = _ranges(view, f"{loop.machine}/{loop.pv}")
    band = loop.band
    return band is not None and any(2 * band > WIDE * (high - low) for low, high in ranges[:1])


def controlled(view: View, loop: ControlLoop, executing: Spans) -> bool | None:
    """Return whether a loop is held automatically, None when that cannot be told."""
    mode = f"{loop.machine}/{loop.mode}"
    track, automatic = view.seen.track(mode), view.plant.meaning(mode).automatic
    if loop.band is None or loop.op is None or track is None or not automatic:
        return None
    # Days of a wider band than the mentor calls good enough now say nothing about the band of now.
    days = [(record, kept) for _, record, kept in view.seen.loops(loop.key) if kept.band <= loop.band]
    known = union(EMPTY, *(millis(kept.known, record.start_ns) for record, kept in days))
    held = union(EMPTY, *(millis(kept.held, record.start_ns) for record, kept in days))
    acting = view.spans(f"{loop.machine}/{loop.op}")
    watched = intersection(intersection(executing, known), intersection(track.known, acting))
    if watched.length() <= WATCHED * executing.length():
        return None
    in_automatic = intersection(track.spans_of(automatic), watched).length()
    return min(in_automatic, intersection(held, watched).length()) >= HELD * watched.length()


def evaluate(view: View, machine: str) -> Outcome:
    """Return the share of a machine's loops that control themselves or are set by a system."""
    if (short := shortfall(view, machine)) is not None:
        return short
    loops = [loop for loop in view.plant.loops if loop.machine == machine]
    if not loops:
        return Missing("NA_NO_EVIDENCE")
    if (lack := view.lack(machine, "state")) is not None:
        return Missing(lack)
    counts = intersection(production(view, machine).executing, union(EMPTY, *counted_days(view, machine)))
    if not counts.length():
        return Missing("NA_NO_EVIDENCE")
    found = {loop.name: controlled(view, loop, counts) for loop in loops}
    by_system = {loop.name for loop in loops if loop.by_system == "yes" and view.seen.loops(loop.key)}
    wide = {loop.name for loop in loops if meaningless(view, loop)}
    eligible = {name for name, held in found.items() if held is not None} | by_system
    if len(eligible) < LEAST:
        return Missing("NA_FEW_EVENTS")
    credited = {name for name in eligible if name in by_system or found[name]} - (wide - by_system)
    shown = {
        "loops": len(eligible),
        "held": sum(bool(held) for held in found.values()),
        "by_system": len(by_system),
    }
    flags = ("WIDE_BAND",) * bool(wide) + ("SYSTEM_SAID",) * bool(by_system)
    return Census(len(credited) / len(eligible), len(eligible), flags=flags, shown=shown)


INDICATOR = Indicator(
    id="U03",
    ko="설비제어 자동화 근거",
    en="Closed-loop / system-set control",
    unit="1",
    formula="loops that are in automatic for 90 % of executing time and within the mentor's band for 90 % of it, "
    "or whose set point a system writes / loops with set point, value, output and mode known, at least 3",
    source="readiness.md 7.3 U",
    inputs=("loops", "tracks", "known", "meanings", "about", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
        "NA_FEW_EVENTS",
    ),
    guard="the band is the mentor's: days recorded with a wider one are left out, and one that spans half of what "
    "the value can be earns nothing",
    evaluate=evaluate,
    roles=True,
)
