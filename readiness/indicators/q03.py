"""Q03 Signals not stuck: measured values that stand still while the machine works, longer than they ever did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness import quarters
from readiness.indicators.base import Indicator, Missing, Outcome, Shares
from readiness.production import production
from readiness.records import STILLS
from readiness.runs import longer, stretches
from readiness.sketch import UNIT_NS, edges, pairs, value
from readiness.spans import Spans, intersection
from readiness.stuck import baseline, rests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readiness.indicators.base import Floats
    from readiness.stuck import Rest
    from readiness.view import View

HISTORY = 90
BY_WINDOW, NO_BASELINE = "BASELINE_IN_WINDOW", "NO_BASELINE"


def _stuck(view: View, key: str, days: Sequence[Rest], at_work: Spans, limit_ns: int) -> Floats:
    """Return per day the working time in runs longer than the limit."""
    source = view.source_of(key) or ""
    found = view.by_day(source, longer(stretches((rest.record, rest.still) for rest in days), at_work, limit_ns))
    for day, record, still, runs in days:
        if len(still) < 2 * STILLS:
            continue  # every run of a minute or more stands in `still`
        whole = view.spans(key).within(Spans.between(record.start_ns, record.end_ns)).sum()
        work = view.by_day(source, at_work)[day] / whole if whole else 0.0
        more = [(b, n) for b, n in pairs(runs).items() if edges(b, UNIT_NS)[0] > limit_ns]
        found[day] += work * sum(n * value(b, UNIT_NS) for b, n in more)
    return found


def evaluate(view: View, machine: str) -> Outcome:
    """Return working time in which measured values moved as they usually do, of all working time."""
    if (reason := view.shortfall(machine) or view.lack(machine, "pv") or view.lack(machine, "state")) is not None:
        return Missing(reason)
    steady = {f"{machine}/{loop.pv}" for loop in view.plant.loops if loop.machine == machine and loop.band}
    counting = view.counting(machine) > 0
    long = view.over(view.length + HISTORY)
    executing = production(long, machine).executing
    if not len(executing):
        return Missing("NA_NO_EVIDENCE")
    num, den = np.zeros(len(counting)), np.zeros(len(counting))
    flags: set[str] = set()
    signals, without, fewest = 0, 0, HISTORY
    for key in (k for k in view.signals(machine, "pv") if k not in steady):
        at_work = intersection(executing, quarters.good(long, key))
        said = [(d, p.signals[key]) for d, _, p in long.seen.order(view.source_of(key) or "") if key in p.signals]
        reads = {d: s.good_reads / max(s.good_reads + s.uncertain_reads + s.bad_reads, 1) for d, s in said}
        days = rests(long, key)
        usual = baseline(days, at_work, reads, HISTORY)
        if usual is None:
            without += 1
            flags.add(NO_BASELINE)
            continue
        if not usual.before:
            flags.add(BY_WINDOW)
        signals, fewest = signals + 1, min(fewest, usual.days)
        time = np.where(counting, view.by_day(view.source_of(key) or "", at_work), 0.0)
        recent = [rest._replace(day=rest.day - HISTORY) for rest in days if rest.day >= HISTORY]
        stuck = np.where(counting, _stuck(view, key, recent, at_work, usual.limit_ns), 0.0)
        den += time
        num += time - np.minimum(stuck, time)
    if not den.any():
        return Missing("NA_SHORT_WINDOW" if without else "NA_NO_EVIDENCE")
    shown = {"signals": signals, "without_baseline": without, "steady": len(steady), "baseline_days": fewest}
    return Shares(num, den, flags=tuple(sorted(flags)), shown=shown)


INDICATOR = Indicator(
    id="Q03",
    ko="고착되지 않은 신호 비율",
    en="Signals not stuck",
    unit="1",
    formula="1 - executing time in runs of one value longer than the signal's own 99.9 % run length on at least 5 "
    "good days, of executing time; a run of less than a minute is never stuck",
    source="readiness.md 7.3 Q; decisions 48, 64 (name)",
    inputs=("values", "tracks", "known", "uncertain", "meanings", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
    ),
    guard="only measured values while executing; those of loops with a band may stand still; a day on which the "
    "signal looked stuck teaches no baseline; a baseline out of the window itself is flagged",
    evaluate=evaluate,
    roles=True,
)
