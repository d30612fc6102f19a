"""Q07 Counter integrity: whether the steps of production counters are ones that production can have made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.indicators.base import Events, Indicator, Missing, Outcome
from readiness.production import production
from readiness.records import QUARTER_NS
from readiness.spans import Spans, difference

if TYPE_CHECKING:
    from contract.report import Reason
    from readiness.counting import Counted
    from readiness.view import View

ROLES = ("count_total", "count_good", "count_reject")
MODULI = (*(2**bits for bits in (8, 15, 16, 31, 32, 63, 64)), *(10**digits for digits in range(3, 11)))
"""Where registers and displays begin anew."""
CLOSE = 0.02
"""A step back that begins this close below a modulus, and ends as close above 0, looks like a wrap."""
JOGGED = 0.01
NO_MINIMUM, IDLE = "MIN_CYCLE_UNKNOWN", "COUNTED_WITHOUT_RUN"


def unconfirmed(view: View, counted: Counted) -> bool:
    """Return whether somebody has to say what steps back are: a habit, or a wrap without a modulus."""
    if counted.suspected.any():
        return True
    return view.plant.meaning(counted.name).modulus is None and any(
        back.kind == "fault" and back.before >= (1 - CLOSE) * modulus and back.after <= CLOSE * modulus
        for back in counted.backs
        for modulus in MODULI
        if back.before < modulus
    )


def idle_share(view: View, machine: str, counted: Counted) -> float:
    """Return the share of pieces that came in quarter hours in which the machine is known not to have executed."""
    facts = production(view, machine)
    quarters = Spans(counted.at, counted.at + QUARTER_NS)
    still = difference(facts.known, facts.executing).within(quarters) == QUARTER_NS
    seen = counted.pieces - counted.blind
    return float(seen[still].sum() / seen.sum()) if seen.sum() > 0 else 0.0


def evaluate(view: View, machine: str) -> Outcome:
    """Return steps that count up, or back with an explanation, and not faster than pieces can be made."""
    reason: Reason | None = view.shortfall(machine)
    if reason is not None:
        return Missing(reason)
    facts = production(view, machine)
    three = [c for c in (facts.counted("total"), facts.counted("good"), facts.counted("reject")) if c is not None]
    if not three:
        return Missing("NA_ROLE_UNCONFIRMED" if any(view.guessed(machine, r) for r in ROLES) else "NA_NO_EVIDENCE")
    if any(unconfirmed(view, c) for c in three):
        return Missing("NA_ROLE_UNCONFIRMED")
    counting = view.counting(machine) > 0
    num, den, backs, fast, counts, kept = (np.zeros(len(counting)) for _ in range(6))
    for counted in three:
        ratio = np.divide(counted.fast, counted.counts, out=np.zeros(len(counting)), where=counted.counts > 0)
        quick = np.round(ratio * counted.steps)
        wrong = np.minimum(counted.faults + counted.unresolved + quick, counted.steps)
        den += counted.steps
        num += counted.steps - wrong
        backs += counted.faults + counted.unresolved
        fast += quick
        counts += counted.counts
    kept = np.where(counting, den, 0.0)
    if not kept.any():
        return Missing("NA_NO_EVIDENCE")
    idle = max(idle_share(view, machine, c) for c in three)
    minimum = bool(counts[counting].any())
    flags = [flag for flag, hit in ((NO_MINIMUM, not minimum), (IDLE, idle > JOGGED)) if hit]
    return Events(
        np.where(counting, num, 0.0),
        kept,
        quality="measured" if minimum else "partial",
        flags=tuple(sorted(flags)),
        shown={
            "counters": len(three),
            "unexplained_back": int(backs[counting].sum()),
            "too_fast": int(fast[counting].sum()),
            "counted_without_run": round(idle, 6),
        },
    )


INDICATOR = Indicator(
    id="Q07",
    ko="카운터 무결성",
    en="Counter integrity",
    unit="1",
    formula="steps of counters that go up, or back by a declared wrap or reset, at no more than twice the ideal "
    "pace / all steps",
    source="readiness.md 7.3 Q; decisions 48, 79",
    inputs=("counts", "meanings", "products", "tracks", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
    ),
    guard="steps back that are a habit of the hour, or end a register's range, wait for a person's word and are "
    "neither faults nor explained; a counter that somebody sets forward has one fault, and no pieces by it; pieces "
    "counted while nothing was executing (jogging) are flagged",
    evaluate=evaluate,
    roles=True,
)
