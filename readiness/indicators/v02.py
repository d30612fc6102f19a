"""V02 Automatic production count: a counter that people have counted after, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.indicators.absent import absent, shortfall
from readiness.indicators.base import Census, Indicator, Missing, Outcome
from readiness.production import production
from readiness.quantities import when_known
from readiness.records import QUARTER_NS
from readiness.spans import Spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readiness.counting import Counted
    from readiness.indicators.base import Shown
    from readiness.plant import HandCount
    from readiness.production import Production, Quantity
    from readiness.view import View

NEAR_NS = 60_000_000_000
HOUR_NS = 3_600_000_000_000
HISTORY, SHIFT_NS, WORKED_NS = 90, 8 * HOUR_NS, 6 * HOUR_NS
TOLERANCE, HALF, WITHOUT_REJECT = 0.02, 0.5, 70.0
FEW = 10
"""From so many pieces on, the one that is just being made at an end of the hand count is no error."""
UNRECONCILED, STROKES, NO_REJECT = "UNRECONCILED", "STROKES_NOT_PARTS", "REJECT_MISSING"


def total_of(hand: HandCount) -> int | None:
    """Return the pieces that people counted, good and rejected ones together."""
    if hand.total is not None:
        return hand.total
    return None if hand.good is None or hand.reject is None else hand.good + hand.reject


def usable(view: View, hands: Sequence[HandCount], counted: Counted) -> list[HandCount]:
    """Return hand counts of at least a shift during which the counter was there, latest last.

    A shift is eight hours with its breaks, of which six are planned, or all of a day that plans less. The counter
    has to be known within a quarter hour of both ends, and nothing may have come over a gap that lies on one of
    them; what it counted over a gap between them is in its value afterwards. Where people counted nothing and the
    counter hardly anything, nothing can be told.
    """
    known = when_known(view, counted)

    def there(at_ns: int) -> bool:
        if not known.within(Spans.between(at_ns - QUARTER_NS, at_ns + QUARTER_NS)).sum():
            return False
        # A hole over this end: what was counted in it belongs to both sides, and nobody knows how much to which.
        over = (known.end[:-1] <= at_ns + NEAR_NS) & (known.start[1:] >= at_ns - NEAR_NS)
        again = known.start[1:][over] // QUARTER_NS * QUARTER_NS
        return not counted.blind[np.isin(counted.at, again)].any()

    def shift(hand: HandCount) -> bool:
        first, last = view.calendar.day_of(hand.from_ns), view.calendar.day_of(hand.to_ns - 1)
        days = [day for day in view.dates if first <= day <= last]
        plans = [view.calendar.planned_spans(day) for day in days]
        whole = max((plan.length() for plan in plans), default=0)
        inside = sum(plan.clip(hand.from_ns, hand.to_ns).length() for plan in plans)
        if not days or not inside:
            return False
        return inside >= whole or (hand.to_ns - hand.from_ns >= SHIFT_NS and inside >= WORKED_NS)

    def tells(hand: HandCount) -> bool:
        pieces = total_of(hand)
        return pieces is not None and (
            pieces > 0 or counted.within(hand.from_ns, hand.to_ns) > max(counted.each, 1.0)
        )

    found = [h for h in hands if shift(h) and there(h.from_ns) and there(h.to_ns) and tells(h)]
    return sorted(found, key=lambda h: (h.to_ns, h.from_ns))


def missed_by_us(view: View, hands: Sequence[HandCount], counted: Counted) -> bool:
    """Return whether somebody has counted, and it was we who did not look when the count began or ended."""
    domain = view.domain(view.source_of(counted.name.split(" ", maxsplit=1)[0]) or "")

    def looked(at_ns: int) -> bool:
        around = Spans.between(at_ns - QUARTER_NS, at_ns + QUARTER_NS)
        planned = view.calendar.planned_spans(view.calendar.day_of(at_ns - 1)).within(around)
        return bool(domain.within(around).sum() >= planned.sum())

    inside = [h for h in hands if view.seen.start_ns <= h.from_ns < h.to_ns <= view.seen.end_ns]
    return any(not looked(hand.from_ns + 1) or not looked(hand.to_ns) for hand in inside)


def error(facts: Production, which: Quantity, hand: HandCount, told: int | None) -> float | None:
    """Return (counter - hand count) / hand count, None where either is missing or nothing was counted by hand."""
    counted = facts.quantity(which)
    if counted is None or not told:
        return None
    return counted.within(hand.from_ns, hand.to_ns, facts.executing) / told - 1


def fits(off: float | None, told: int, each: float) -> bool:
    """Return whether a counter fits the `told` pieces of a hand count; one count of it stands for `each` pieces."""
    if off is None:
        return False  # nothing was made, and the counter counted: `usable` leaves out what tells nothing
    edge = max(each, 1.0) / told if told >= FEW * max(each, 1.0) else 0.0
    return abs(off) <= max(TOLERANCE, edge) + 1e-9


def evaluate(view: View, machine: str) -> Outcome:
    """Return 1 if the total fits the latest hand count within 2 %, 0 if not, 0.5 if nobody has counted."""
    if (found := shortfall(view, machine)) is not None:
        return found
    facts = production(view, machine)
    total = facts.quantity("total")
    if total is None:
        guessed = any(view.guessed(machine, role) for role in ("count_total", "count_good", "count_reject"))
        return absent(view, machine, "NA_ROLE_UNCONFIRMED" if guessed else "NA_NO_EVIDENCE")
    days = int((view.counting(machine) > 0).sum())
    rejects = facts.quantity("reject") is not None
    flags = [] if rejects else [NO_REJECT]
    cap = 100.0 if rejects else WITHOUT_REJECT
    long = view.over(view.length + HISTORY)
    past = production(long, machine)
    whole, by_hand = past.quantity("total") or total, [h for h in view.plant.hand_counts if h.machine == machine]
    hands = usable(long, by_hand, whole)
    shown: dict[str, Shown] = {"hand_counts": len(hands)}
    if not hands and missed_by_us(long, by_hand, whole):
        return Missing("NA_SELF_FAULT")
    if not hands:
        return Census(HALF, days, cap=cap, flags=(*flags, UNRECONCILED), shown=shown)
    last = hands[-1]
    told: dict[Quantity, int | None] = {"total": total_of(last), "good": last.good, "reject": last.reject}
    errors = {which: error(past, which, last, pieces) for which, pieces in told.items()}
    shown.update({f"{which}_error": round(off, 6) for which, off in errors.items() if off is not None})
    off, pieces = errors["total"], total_of(last) or 0
    ratio = max(off + 1, 1 / (off + 1)) if off is not None and off > -1 else 0.0
    if off is not None and round(ratio) >= 2 and abs(ratio / round(ratio) - 1) <= TOLERANCE:
        flags.append(STROKES)
        shown["pieces_per_count"] = round(1 / (off + 1), 3)
    return Census(float(fits(off, pieces, whole.each)), days, cap=cap, flags=tuple(flags), shown=shown)


INDICATOR = Indicator(
    id="V02",
    ko="생산수량 자동집계율",
    en="Automatic production count",
    unit="1",
    formula="1 for a machine whose total fits the latest hand count of a shift or more within 2 % (or one count at "
    "its edge), 0 where it does not, 0.5 where nobody has counted within 90 days",
    source="readiness.md 7.3 V; decisions 48, 64",
    inputs=("counts", "hand_counts", "tracks", "meanings", "about", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
        "NOT_APPLICABLE",
    ),
    guard="a counter that is a whole multiple of the pieces counts strokes and fails until its factor is declared; "
    "without rejects at most 70 points; good and reject are compared and shown apart",
    evaluate=evaluate,
    roles=True,
    production=True,
)
