"""V01 State coverage: whether run, idle and fault of a machine can be told apart, nearly always."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.indicators import q08
from readiness.indicators.absent import absent, shortfall
from readiness.indicators.base import Census, Indicator, Missing, Outcome, Shares
from readiness.outcomes import outcome
from readiness.production import production

if TYPE_CHECKING:
    from readiness.indicators.base import Shown
    from readiness.plant import State
    from readiness.view import View

HISTORY = 90
UNKNOWN = 0.05
CONSISTENT = 0.97
"""What Q08 must reach: the value that its anchors give 50 points."""
MOVES = "moves"
KINDS: dict[str, tuple[State, ...]] = {
    "run": ("executing",),
    "idle": ("standby", "setup", "off"),
    "fault": ("fault",),
}


def _history(view: View, machine: str) -> set[str]:
    """Return the kinds of states that were seen in the window and the 90 days before it."""
    long = production(view.over(view.length + HISTORY), machine)
    return {kind for kind, states in KINDS.items() if any(len(long.states[s]) for s in states)}


def _consistent(view: View, machine: str, days: int, shown: dict[str, Shown]) -> Outcome:
    """Return the verdict of Q08's rules on states that are told apart and known.

    Q08 wants three rules for a score of its own. That a lamp says more than "power on" is shown by one of them,
    that what executes moves something, also on a machine without a counter of rejects.
    """
    found = outcome(view, q08.INDICATOR, machine)
    if isinstance(found, Missing):
        each = q08.applicable(view, machine)
        found = q08.judged(view, machine, each) if any(rule.name == MOVES for rule in each) else found
    if isinstance(found, Missing):
        return found
    assert isinstance(found, Shares)
    share = float(found.num.sum() / found.den.sum())
    shown["consistency"] = round(share, 6)
    return Census(float(share >= CONSISTENT), days, shown=shown)


def evaluate(view: View, machine: str) -> Outcome:
    """Return 1 if the machine's states are told apart, known, and consistent with what else it says, else 0."""
    reason = view.lack(machine, "state")
    if (found := shortfall(view, machine) or (reason and absent(view, machine, reason))) is not None:
        return found
    declared = {s for key in view.signals(machine, "state") for s in view.plant.meaning(key).states.values()}
    if not declared:
        return Missing("NA_ROLE_UNCONFIRMED")  # a state signal, and nobody has said what its values mean
    facts = production(view, machine)
    if facts.short is not None:
        return Missing(facts.short)
    times = facts.times
    unknown = float(times.unknown.sum() / times.pbt.sum())
    seen = _history(view, machine)
    days = int((view.counting(machine) > 0).sum())
    shown: dict[str, Shown] = {
        "unknown_share": round(unknown, 6),
        "declared": " ".join(sorted(declared)),
        "seen": " ".join(sorted(seen)),
    }
    if any(declared.isdisjoint(states) for states in KINDS.values()) or unknown > UNKNOWN:
        return Census(0.0, days, shown=shown)
    if len(seen) < len(KINDS):
        return Missing("NA_NO_EVIDENCE")  # it is declared and has not happened: neither proven nor refuted
    return _consistent(view, machine, days, shown)


INDICATOR = Indicator(
    id="V01",
    ko="가동상태 확보율",
    en="State coverage",
    unit="1",
    formula="1 for a machine whose run, idle and fault are declared and seen, with at most 5 % of planned time "
    "unknown and Q08 >= 0.97 (its rules that apply, below three as well), else 0",
    source="readiness.md 7.3 V; decisions 48, 64",
    inputs=("tracks", "counts", "values", "known", "meanings", "about", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
    ),
    guard="a lamp that only says power on fails against counters and power (Q08); a state that is declared and was "
    "never seen in 90 days proves nothing",
    evaluate=evaluate,
    roles=True,
)
