"""Q04 Resolution: how many levels a measured value can tell apart over its working range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.catalog import key
from readiness.indicators.base import Indicator, Missing, Outcome, Sample
from readiness.resolution import levels

if TYPE_CHECKING:
    from readiness.view import View

HIDDEN = "STEP_GRID_HIDDEN"
NOT_ANALOG = frozenset({"bool", "string", "timestamp"})


def evaluate(view: View, machine: str) -> Outcome:
    """Return the levels of each measured value of a machine."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    if (reason := view.lack(machine, "pv")) is not None:
        unnamed = [key(t) for _, t in view.tags[machine] if t.dtype not in NOT_ANALOG]
        numeric = any(view.plant.meaning(name).role is None for name in unnamed)
        declared = reason == "NA_NO_EVIDENCE" and not numeric
        return Missing("NOT_APPLICABLE" if declared else "NA_ROLE_UNCONFIRMED")
    names = set(view.signals(machine, "pv"))
    analog = [key(t) for _, t in view.tags[machine] if key(t) in names and t.dtype not in NOT_ANALOG]
    if not analog:
        return Missing("NOT_APPLICABLE")
    found = [levels([v for _, _, v in view.seen.values(name)]) for name in analog]
    assessed = [f for f in found if f is not None]
    if not assessed:
        return Missing("NA_FEW_EVENTS" if any(view.seen.values(name) for name in analog) else "NA_NO_EVIDENCE")
    hidden = sum(h for _, h in assessed)
    return Sample(
        tuple(sorted(n for n, _ in assessed)),
        flags=(HIDDEN,) if hidden else (),
        shown={"signals": len(assessed), "too_few_changes": len(analog) - len(assessed), "hidden_grids": hidden},
    )


INDICATOR = Indicator(
    id="Q04",
    ko="분해능",
    en="Resolution",
    unit="{level}",
    formula="median over measured values of (99th - 1st percentile) / smallest recurrent step, below which lie "
    "fewer than 5 or 0.1 % of all changes",
    source="readiness.md 7.3 Q; decision 48 (hidden grids)",
    inputs=("values", "meanings", "catalog", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_FEW_EVENTS",
        "NA_ROLE_UNCONFIRMED",
        "NOT_APPLICABLE",
    ),
    guard="a converter's grid that scaling or added noise hides is found by its multiples and counted instead; "
    "noise of the process itself is no grid; bools, texts and states have no resolution",
    evaluate=evaluate,
    roles=True,
)
