"""R02 Joint observability: whether what a model needs at one instant was known at one instant."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from readiness.indicators.base import Indicator, Missing, Outcome, Shares
from readiness.production import production
from readiness.quarters import good
from readiness.spans import Spans, difference, intersection, normal, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readiness.view import View

PROCESS_VALUES = 3


def at_least(sets: Sequence[Spans], k: int) -> Spans:
    """Return when at least k of the sets hold at once."""
    edges = np.concatenate([s.start for s in sets] + [s.end for s in sets])
    steps = np.concatenate([np.ones(sum(map(len, sets))), -np.ones(sum(map(len, sets)))])
    order = np.argsort(edges, kind="stable")
    edges, depth = edges[order], np.cumsum(steps[order])
    holds = depth[:-1] >= k
    return normal(edges[:-1][holds], edges[1:][holds])


def evaluate(view: View, machine: str) -> Outcome:
    """Return executing time in which all key signals were good together, of all executing time."""
    facts = production(view, machine)
    single = facts.single_product
    counters = view.signals(machine, "count_total") + view.signals(machine, "count_good")
    lack = view.lack(
        machine, "state", "pv", *(() if counters else ("count_total",)), *(() if single else ("product",))
    )
    if (reason := view.shortfall(machine) or lack) is not None:
        return Missing(reason)
    values = view.signals(machine, "pv")
    if len(values) < PROCESS_VALUES:
        return Missing("NA_ROLE_UNCONFIRMED" if view.guessed(machine, "pv") else "NA_NO_EVIDENCE")
    if not facts.executing.length():
        return Missing("NA_NO_EVIDENCE")
    keys = [
        *view.signals(machine, "state"),
        *counters,
        *values,
        *(() if single else view.signals(machine, "product")),
    ]
    sources = sorted({source for name in keys if (source := view.source_of(name)) is not None})
    domain = reduce(intersection, [view.domain(source) for source in sources], view.machine_domain(machine))
    together = [facts.executing, union(*(good(view, name) for name in counters))]
    together.append(at_least([good(view, name) for name in values], PROCESS_VALUES))
    if not single:
        together.append(union(*(good(view, name) for name in view.signals(machine, "product"))))
    joint = reduce(intersection, together, domain)
    counting = view.counting(machine) > 0

    def per_day(spans: Spans) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.where(counting, view.machine_by_day(machine, intersection(spans, domain)), 0.0)

    # While the state is unknown, as much of the time was executing as elsewhere: a machine that goes dark as a
    # whole would otherwise take its executing time out of both sides.
    known, executing = per_day(facts.known), per_day(facts.executing)
    share = float(executing.sum() / known.sum()) if known.sum() else 0.0
    den = executing + share * per_day(difference(domain, facts.known))
    if not den.any():
        return Missing("NA_NO_EVIDENCE")
    return Shares(np.minimum(per_day(joint), den), den, shown={"process_values": len(values)})


INDICATOR = Indicator(
    id="R02",
    ko="동시 관측률",
    en="Joint observability",
    unit="1",
    formula="executing time in which state, count, at least 3 process values and product were good at once / "
    "executing time; of time without a known state the share that executes is the same as elsewhere",
    source="readiness.md 7.3 R; decision 49",
    inputs=("known", "uncertain", "tracks", "meanings", "about", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT", "NA_ROLE_UNCONFIRMED"),
    guard="the overlap of knowledge counts, not each signal's own completeness; a value is known for the interval "
    "at which it is asked; a machine that goes dark as a whole loses what it probably executed",
    evaluate=evaluate,
    roles=True,
)
