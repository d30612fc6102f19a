"""Q08 Logical consistency: whether a machine's signals can be true at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.indicators.base import Indicator, Missing, Outcome, Shares
from readiness.rules import rules
from readiness.spans import intersection, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readiness.indicators.base import Shown
    from readiness.rules import Rule
    from readiness.view import View

NEEDED = 3
HOUR_NS = 3.6e12


def applicable(view: View, machine: str) -> list[Rule]:
    """Return the rules that could be broken in the time that counts."""
    domain = view.machine_domain(machine)
    return [rule for rule in rules(view, machine) if len(intersection(rule.checked, domain))]


def judged(view: View, machine: str, found: Sequence[Rule]) -> Outcome:
    """Return time in which none of the rules was broken, of the time in which one was checked at least."""
    counting = view.counting(machine) > 0
    shown: dict[str, Shown] = {"rules": len(found)}
    for rule in found:
        for name, spans in (("checked", rule.checked), ("broken", rule.broken)):
            shown[f"{rule.name}_{name}_h"] = round(float(view.machine_by_day(machine, spans).sum()) / HOUR_NS, 2)
        shown[f"{rule.name}_times"] = rule.times
    # Time is counted once, however many rules look at it: one that always holds must not dilute one that does not.
    den = np.where(counting, view.machine_by_day(machine, union(*(r.checked for r in found))), 0.0)
    broken = np.where(counting, view.machine_by_day(machine, union(*(r.broken for r in found))), 0.0)
    return Shares(den - np.minimum(broken, den), den, shown=shown) if den.any() else Missing("NA_NO_EVIDENCE")


def evaluate(view: View, machine: str) -> Outcome:
    """Return time in which no rule was broken, of the time in which one was checked at least."""
    if (reason := view.shortfall(machine) or view.lack(machine, "state")) is not None:
        return Missing(reason)
    found = applicable(view, machine)
    return judged(view, machine, found) if len(found) >= NEEDED else Missing("NA_NO_EVIDENCE")


INDICATOR = Indicator(
    id="Q08",
    ko="논리 일관성",
    en="Logical consistency",
    unit="1",
    formula="1 - time in which a rule is broken / time in which one is checked: executing moves power or "
    "count within 5 cycles; good + reject = total +- 1; off counts nothing; the states say exactly one",
    source="readiness.md 7.3 Q; decision 48",
    inputs=("tracks", "counts", "values", "known", "meanings", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
    ),
    guard="a rule that could not be broken has checked no time and is no rule; fewer than three are none; time "
    "counts once, so that a rule that always holds dilutes nothing; each is shown with its time and how often it "
    "was broken",
    evaluate=evaluate,
    roles=True,
)
