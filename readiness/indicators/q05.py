"""Q05 Spikes: single readings that stand out alone, and not because the machine has just changed its state."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from readiness import quarters
from readiness.indicators import a02
from readiness.indicators.base import Indicator, Missing, Outcome, Rates, Sample
from readiness.outcomes import outcome
from readiness.production import production
from readiness.records import MILLI_NS
from readiness.spans import Spans, intersection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from readiness.view import View

    Ints = NDArray[np.int64]

READINGS = 10_000
AROUND = 2
"""Readings before and after a change of state that may stand out."""
UNPROVEN, SLOW = "SAMPLING_UNPROVEN", "SOME_TOO_SLOW"


def apart(instants: Ints, changes: Ints, reach_ns: int) -> NDArray[np.bool_]:
    """Return which instants lie further than `reach_ns` from every change; `changes` increasing."""
    after = np.searchsorted(changes, instants)
    padded = np.concatenate([[-(2**62)], changes, [2**62]])
    distance = np.minimum(instants - padded[after], padded[after + 1] - instants)
    return np.asarray(distance > reach_ns)


def sampling(view: View, machine: str) -> tuple[Missing | None, list[str]]:
    """Return whether reading is too slow to tell a spike from a swing, and what is to be said of it."""
    ratios = outcome(view, a02.INDICATOR, machine)
    if not isinstance(ratios, Sample):
        return None, [UNPROVEN]
    if median(ratios.values) < 1:
        return Missing("NA_UNDERSAMPLED"), []
    return None, [SLOW] if min(ratios.values) < 1 else []


def evaluate(view: View, machine: str) -> Outcome:
    """Return spikes of measured values while the state is known and not just changing, per 10,000 readings."""
    if (reason := view.shortfall(machine) or view.lack(machine, "pv") or view.lack(machine, "state")) is not None:
        return Missing(reason)
    slow, flags = sampling(view, machine)
    if slow is not None:
        return slow
    facts = production(view, machine)
    changes = np.unique(np.concatenate([np.concatenate([s.start, s.end]) for s in facts.states.values()]))
    counting = view.counting(machine) > 0
    state = max((quarters.interval(view, key) for key in view.signals(machine, "state")), default=0)
    num, den = np.zeros(len(counting)), np.zeros(len(counting))
    near, signals = 0.0, 0
    for key in view.signals(machine, "pv"):
        reach = AROUND * max(quarters.interval(view, key), state)
        good = quarters.good(view, key)
        looked = intersection(facts.known, view.domain(view.source_of(key) or ""))
        records = view.seen.values(key)
        signals += bool(records)
        for day, record, values in records:
            whole = int(good.clip(record.start_ns, record.end_ns).length())
            if not counting[day] or not whole:
                continue
            part = intersection(good, looked).clip(record.start_ns, record.end_ns).length() / whole
            den[day] += values.n * part
            at = record.start_ns + np.array(values.spikes, np.int64) * MILLI_NS
            at = at[looked.within(Spans(at, at + 1)) > 0]
            alone = apart(at, changes, reach)
            # Of those beyond the first that were kept, as many are apart from changes as of the first.
            more = values.spiked / len(values.spikes) if values.spikes else 1.0
            num[day] += more * float(alone.sum())
            near += more * float((~alone).sum())
    if not den.any():
        return Missing("NA_NO_EVIDENCE")
    shown = {"signals": signals, "spikes": round(float(num.sum()), 1), "at_changes": round(near, 1)}
    return Rates(num, den, per=READINGS, flags=tuple(sorted(flags)), shown=shown)


INDICATOR = Indicator(
    id="Q05",
    ko="스파이크율",
    en="Spikes",
    unit="10*-4",
    formula="single readings beyond 6 scaled median deviations of their neighbourhood (Hampel), further than 2 "
    "intervals from a change of state, per 10,000 readings in planned time",
    source="readiness.md 7.3 Q",
    inputs=("values", "tracks", "bursts", "known", "uncertain", "meanings", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
        "NA_UNDERSAMPLED",
    ),
    guard="a filter that hides spikes also hides signals, which A02 sees; where bursts show that reading is too "
    "slow (r < 1) nothing is assessed, where there are none it is flagged; changes of state explain what follows",
    evaluate=evaluate,
    roles=True,
)
