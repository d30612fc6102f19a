"""U01 Auto-cycle ratio: how much of its work a machine does in automatic."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from readiness.indicators.absent import shortfall
from readiness.indicators.base import Indicator, Missing, Outcome, Shares
from readiness.interventions import actions, cycles, cycles_known, modes
from readiness.interventions import days as counted_days
from readiness.production import production
from readiness.quarters import interval
from readiness.seen import names_something
from readiness.sketch import quantile, value
from readiness.spans import intersection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from readiness.spans import Spans
    from readiness.view import View

    Floats = NDArray[np.float64]

KNOWN = 0.5
"""Share of executing time of which the mode has to be known."""
HAND = 0.5
"""Actions per cycle, without an alarm before them, from which on a person makes every second cycle go."""
CAP = 40.0
"""Score of a machine that works in automatic half of its time, whatever its selector says."""
IRREGULAR = 0.25


def dispersion(view: View, machine: str) -> float | None:
    """Return how much cycle times differ: (third quartile - first - two intervals of reading) / median.

    None where the counter's pace is unknown, or where more than one product was made: then cycles differ anyway.
    """
    facts = production(view, machine)
    total = facts.quantity("total")
    if total is None:
        return None
    shown = set() if facts.product is None else set(filter(names_something, facts.product[1].label))
    if len(shown) != 1 and not facts.single_product:
        return None
    pace: Counter[int] = Counter()
    for day in total.pace:
        pace.update(day)
    if not pace:
        return None
    low, middle, high = (value(quantile(pace, share)) for share in (0.25, 0.5, 0.75))
    reading = 2 * interval(view, total.name.split(" ", maxsplit=1)[0]) / 1e9
    return max(0.0, high - low - reading) / middle if middle else None


def evaluate(view: View, machine: str) -> Outcome:
    """Return executing time in automatic, of executing time in a known mode."""
    if (short := shortfall(view, machine)) is not None:
        return short
    if (reason := view.lack(machine, "mode", "state")) is not None:
        return Missing(reason)
    said = modes(view, machine)
    if said is None:
        return Missing("NA_ROLE_UNCONFIRMED")  # nobody has said which values mean automatic
    known, automatic = said
    executing = production(view, machine).executing
    counting = view.counting(machine) > 0

    def per_day(spans: Spans) -> Floats:
        return np.where(counting, view.machine_by_day(machine, intersection(spans, executing)), 0.0)

    den = per_day(known)
    whole = float(np.where(counting, view.machine_by_day(machine, executing), 0.0).sum())
    if not den.any() or den.sum() < KNOWN * whole:
        return Missing("NA_NO_EVIDENCE")
    done = actions(view, machine, counted_days(view, machine))
    number = cycles(view, machine, view.machine_domain(machine))
    alone = ~done.during(cycles_known(view, machine)).answering
    by_hand = None if number is None else float(alone.sum()) / max(float(number.sum()), 1.0)
    differ = dispersion(view, machine)
    hand = by_hand is not None and done.buttons and by_hand >= HAND
    irregular = differ is not None and differ > IRREGULAR
    flags = ("HAND_FED",) * hand + ("IRREGULAR_CYCLES",) * irregular
    shown = {"mode_known": float(den.sum()) / whole, "actions_per_cycle": by_hand, "cycle_dispersion": differ}
    return Shares(per_day(automatic), den, cap=CAP if hand or irregular else 100.0, flags=flags, shown=shown)


INDICATOR = Indicator(
    id="U01",
    ko="자동운전 비율",
    en="Auto-cycle ratio",
    unit="1",
    formula="executing time in automatic / executing time of which the mode is known",
    source="readiness.md 7.3 U; decision 49",
    inputs=("tracks", "counts", "meanings", "about", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NA_ROLE_UNCONFIRMED"),
    guard="a selector left on automatic while people feed by hand: the score is at most 40 when actions without an "
    "alarm come with every second cycle, or when cycle times of one product scatter by more than a quarter",
    evaluate=evaluate,
    roles=True,
)
