"""L01 Live data points: how much of what was once installed still tells anything."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from readiness.indicators.base import Census, Indicator, Missing, Outcome
from readiness.points import alive

if TYPE_CHECKING:
    from readiness.indicators.base import Shown
    from readiness.view import View


def evaluate(view: View, machine: str) -> Outcome:
    """Return the live points of installed systems, of all their points; the same for all machines."""
    del machine
    if not view.calendar.has_schedule():
        return Missing("NA_NO_SCHEDULE")
    points = {(system.id, name): signal for system in view.plant.systems for name, signal in system.points.items()}
    if not points or not view.records:
        return Missing("NA_NO_EVIDENCE")
    judged = {place: "unread" if signal is None else alive(view, signal) for place, signal in points.items()}
    numbers = Counter(judged.values())
    ours = numbers.pop("unseen", 0)
    if ours == len(points) or ours > len(points) - ours:
        return Missing("NA_SELF_FAULT")
    total = len(points) - ours
    flags = ("NOISE_ONLY",) * bool(numbers["noise"]) + ("UNREAD_POINTS",) * bool(numbers["unread"])
    flags += ("STATE_UNKNOWN",) * any(not view.signals(s.split("/")[0], "state") for s in points.values() if s)
    shown: dict[str, Shown] = {word: numbers[word] for word in ("live", "bad", "still", "noise", "unread")}
    return Census(numbers["live"] / total, total, flags=flags, shown={**shown, "not_judged": ours})


INDICATOR = Indicator(
    id="L01",
    ko="살아있는 데이터포인트",
    en="Live data points",
    unit="1",
    formula="points of installed systems that were good on the last production day and, where their role lets "
    "them, changed at least once while executing in 7 days / points in the systems' lists",
    source="readiness.md 7.3 L; decision 49",
    inputs=("systems", "known", "uncertain", "tracks", "counts", "values", "meanings", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SELF_FAULT"),
    guard="alarms, set points and what an operator chooses need not change; a measured value that moves by no more "
    "than two of its smallest steps is the noise of an input without a sensor; a point that nobody reads stays in "
    "the denominator, and a list cannot be made shorter by not reading",
    evaluate=evaluate,
    roles=True,
    scope="plant",
)
