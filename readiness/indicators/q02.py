"""Q02 Hard validity: time inside the range that the instrument, or a person, calls possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness import quarters
from readiness.catalog import key
from readiness.indicators.base import Indicator, Missing, Outcome, Shares

if TYPE_CHECKING:
    from readiness.indicators.base import Floats
    from readiness.view import View

WIDEST = 20.0
"""A range wider than this many times what was seen says nothing, and nobody can have meant it."""
LIMITS, WIDE = "LIMITS_CHANGED", "RANGE_TOO_WIDE"


def evaluate(view: View, machine: str) -> Outcome:
    """Return good time within the limits in force, of good time, over signals with believable limits."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    counting = view.counting(machine) > 0
    num, den, beyond = (np.zeros(len(counting)) for _ in range(3))
    signals, wide, without = 0, 0, 0
    flags: set[str] = set()
    for name in sorted({key(tag) for _, tag in view.tags[machine]}):
        days = [(d, r, v) for d, r, v in view.seen.values(name) if v.n]
        limits = [v.limits for _, _, v in days if v.limits]
        if not limits:
            without += bool(days)
            continue
        # A change of limits breaks the line: days before it were judged by another yardstick.
        used = [(d, r, v) for d, r, v in days if v.limits == limits[-1]]
        if any(old != limits[-1] for old in limits):
            flags.add(LIMITS)
        low, high = limits[-1]
        seen = max(v.high for _, _, v in used) - min(v.low for _, _, v in used)
        if high - low > WIDEST * seen:
            wide += 1
            flags.add(WIDE)
            continue
        signals += 1
        source = view.source_of(name) or ""
        good, domain = quarters.good(view, name), view.domain(source)
        time: Floats = view.by_day(source, good)
        out = np.zeros(len(counting))
        for day, record, values in used:
            out[day] += 1e6 * quarters.within(record, values.outside, good, domain)
            beyond[day] += 1e6 * quarters.within(record, values.beyond, good, domain)
        judged = np.zeros(len(counting), np.bool_)
        judged[[d for d, _, _ in used]] = True
        time = np.where(judged & counting, time, 0.0)
        den += time
        num += time - np.minimum(np.where(counting, out, 0.0), time)
    if not den.any():
        return Missing("NA_ROLE_UNCONFIRMED" if wide else "NA_NO_EVIDENCE")
    shown = {
        "signals": signals,
        "without_range": without,
        "range_too_wide": wide,
        "beyond_usual": round(float(np.where(counting, beyond, 0.0).sum() / den.sum()), 6),
    }
    return Shares(num, den, flags=tuple(sorted(flags)), shown=shown)


INDICATOR = Indicator(
    id="Q02",
    ko="유효범위 준수율",
    en="Hard validity",
    unit="1",
    formula="good time inside the instrument's range or physical limits / good time in planned time, over signals "
    "with limits",
    source="readiness.md 7.3 Q; OPC UA Part 8, 5.3.2 (InstrumentRange, EURange)",
    inputs=("values", "known", "uncertain", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
    ),
    guard="no range is made from the data; one wider than 20 times what was seen is unconfirmed and its signal not "
    "assessed; leaving the usual range is shown and not scored; only days under the limits in force now count",
    evaluate=evaluate,
)
