"""U04 Recipe download: whether a changeover sets its parameters at once, or somebody one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness import alarms
from readiness.indicators.absent import shortfall
from readiness.indicators.base import Events, Indicator, Missing, Outcome
from readiness.interventions import changes
from readiness.interventions import days as counted_days
from readiness.production import production
from readiness.spans import Spans, union

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from readiness.seen import Labelled
    from readiness.stops import Changeover
    from readiness.view import View

    Ints = NDArray[np.int64]

PARAMETERS = 3
AT_ONCE_NS = alarms.MINUTE_NS
NEAR_NS = 10 * alarms.MINUTE_NS
"""Parameters are set at most this long before the product changes or after it."""
KNOWN = 0.9
LEAST = 5


def at_once(rows: Sequence[Ints], start: int, end: int) -> bool:
    """Return whether enough different signals change within one minute between two instants."""
    moves = sorted(
        (at, index) for index, row in enumerate(rows) for at in row[(row >= start) & (row <= end)].tolist()
    )
    return any(
        len({other for at, other in moves[first:] if at - begin <= AT_ONCE_NS}) >= PARAMETERS
        for first, (begin, _) in enumerate(moves)
    )


def windows(found: Sequence[Changeover]) -> Iterable[tuple[Changeover, int, int]]:
    """Return each changeover with the time in which its parameters may be set, cut off at its neighbours.

    What changes within a minute of a change belongs to it, also if the product is unknown before or after.
    """
    for index, change in enumerate(found):
        start, end = change.from_ns - NEAR_NS, change.to_ns + NEAR_NS
        if index:
            start = max(start, min(found[index - 1].to_ns + AT_ONCE_NS, change.to_ns))
        if index + 1 < len(found):
            end = min(end, max(found[index + 1].from_ns - AT_ONCE_NS, change.to_ns))
        yield change, start, end


def evaluate(view: View, machine: str) -> Outcome:
    """Return the changeovers with which at least three set points change within a minute, of all."""
    if (short := shortfall(view, machine)) is not None:
        return short
    if (reason := view.lack(machine, "sp")) is not None:
        return Missing(reason)
    facts = production(view, machine)
    found, signal = facts.changeovers, facts.changeover_signal
    if found is None or signal is None or view.plant.meaning(signal).role == "order":
        # An order for the same product sets nothing: orders alone do not tell changeovers.
        guessed = view.guessed(machine, "product") or view.guessed(machine, "recipe")
        return Missing("NA_ROLE_UNCONFIRMED" if guessed else "NA_NO_EVIDENCE")
    tracks: list[Labelled] = [t for n in view.signals(machine, "sp") if (t := view.seen.track(n)) is not None]
    if len(tracks) < PARAMETERS:
        return Missing("NA_NO_EVIDENCE")
    rows, known = [changes(track) for track in tracks], [track.known for track in tracks]
    domain = union(*counted_days(view, machine))
    num, den = 0.0 * view.planned, 0.0 * view.planned
    for change, start, end in windows(found):
        around = Spans.between(start, end)
        seen = sum(int(one.within(around).sum()) >= KNOWN * around.length() for one in known)
        at = np.array([change.to_ns], np.int64)
        if seen < PARAMETERS or not alarms.inside(domain, at)[0]:
            continue
        day = int(view.seen.day_of(at)[0])
        den[day] += 1
        num[day] += at_once(rows, start, end)
    if den.sum() < LEAST:
        return Missing("NA_FEW_EVENTS")
    return Events(num, den, flags=("RECIPE_ATOMIC",), shown={"changeovers": int(den.sum())})


INDICATOR = Indicator(
    id="U04",
    ko="레시피 자동적용률",
    en="Recipe download",
    unit="1",
    formula="changeovers in time that counts with which at least 3 set points change within 60 s / changeovers "
    "during which at least 3 set points were known",
    source="readiness.md 7.3 U; DESIGN 9 (who wrote is not shown by reads)",
    inputs=("tracks", "meanings", "about", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
        "NA_FEW_EVENTS",
        "NOT_APPLICABLE",
    ),
    guard="a recipe called at the panel looks like one that was sent: the value is flagged as recipe-atomic, its "
    "source unknown",
    evaluate=evaluate,
    roles=True,
    production=True,
)
