"""What a machine's signals must not say of it at once, and for how long they did.

    moves      executing, and neither power nor a counter moves for five cycles
    adds_up    good and reject make the total, within one piece, quarter hour by quarter hour
    off        off, and something is counted
    exclusive  the state signals say exactly one state

A rule that could not have been broken, because what it asks of never happened or cannot be told apart, has checked
no time. Nothing is checked while one of the signals is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from readiness.production import production
from readiness.quarters import interval
from readiness.records import QUARTER_NS, SHORT_NS
from readiness.runs import lengths, longer, stretches
from readiness.spans import EMPTY, Spans, difference, intersection, normal, union
from readiness.stuck import rests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from readiness.counting import Counted
    from readiness.view import View

    Ints = NDArray[np.int64]

CYCLES = 5
PIECE = 1.0
COUNTERS = ("count_total", "count_good", "count_reject")


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule on one machine, over the window and not only in planned time.

    Attributes:
        name: See above.
        checked: When it was looked at.
        broken: When it did not hold; within `checked`.
        times: How often it was broken.
    """

    name: str
    checked: Spans
    broken: Spans
    times: int


def rules(view: View, machine: str) -> list[Rule]:
    """Return the rules that could be broken on a machine, whether they were or not."""
    found = [check(view, machine) for check in _CHECKS]
    return [rule for rule in found if rule is not None and len(rule.checked)]


def cycle_ns(view: View, machine: str) -> float | None:
    """Return the median time of a machine's cycle, or the slowest ideal one where nothing tells that.

    Of a cycle that several pieces come from (`Meaning.factor`), this is the time of all of them.
    """
    facts = production(view, machine)
    if (found := facts.stroke_ns) is not None:
        return found
    total = facts.quantity("total") or facts.quantity("good")
    name = None if total is None else total.name.split(" ", maxsplit=1)[0]
    usual = 1.0 if total is None else total.each
    ideal = [
        p.ideal_s[machine] * max(p.per_count.get(name or "", usual), 1.0)
        for p in view.plant.products.values()
        if machine in p.ideal_s
    ]
    return max(ideal) * 1e9 if ideal else None


def _rule(name: str, checked: Spans, broken: Spans) -> Rule:
    return Rule(name, checked, intersection(broken, checked), len(broken))


def moves(view: View, machine: str) -> Rule | None:
    """Return the rule that what executes moves a counter or its power within five cycles.

    What stands still as long is broken from its beginning: what said "executing" was wrong then, too.
    """
    facts, cycle = production(view, machine), cycle_ns(view, machine)
    if cycle is None:
        return None
    moving = []
    for role in (*COUNTERS, "power"):
        for key in view.signals(machine, role):
            kept = [(r, c.still) for _, r, c in view.seen.counts(key)] if role != "power" else []
            kept = kept or [(rest.record, rest.still) for rest in rests(view, key)]
            if kept:
                told = union(EMPTY, *(Spans.between(r.start_ns, r.end_ns) for r, _ in kept))
                moving.append((stretches(kept), intersection(view.spans(key), told)))
    if not moving:
        return None
    checked = reduce(intersection, [known for _, known in moving], facts.executing)
    still = reduce(intersection, [each for each, _ in moving])
    limit = max(round(CYCLES * cycle), SHORT_NS)
    times = int((lengths(still, checked) > limit).sum())
    return Rule("moves", checked, longer(still, checked, limit), times)


def adds_up(view: View, machine: str) -> Rule | None:
    """Return the rule that good and rejected pieces make the total.

    Compared is what was counted since the last time that it did not fit, at the ends of quarter hours at which all
    three counters are known: pieces that came over a gap are in by then, one that is lost in each quarter hour adds
    up, and one that is inspected in the next quarter hour breaks nothing. Counters of different sources are read at
    different moments, so as many pieces may lie between them as are made in one interval.
    """
    facts = production(view, machine)
    three = [facts.counted(which) for which in ("total", "good", "reject")]
    counters = [c for c in three if c is not None]
    if len(counters) < len(three):
        return None
    slack = PIECE
    if len({view.source_of(c.name) for c in counters}) > 1:
        if (each := facts.cycle_ns or cycle_ns(view, machine)) is None:
            return None
        slack += max(interval(view, c.name) for c in counters) / each
    at = reduce(np.union1d, [c.at for c in counters]).astype(np.int64)
    total, good, reject = (_row(c, at) for c in counters)
    known = reduce(intersection, [view.spans(c.name) for c in counters])
    seen = known.within(Spans(at + QUARTER_NS - 1, at + QUARTER_NS)) > 0
    wrong = np.zeros(len(at), np.bool_)
    drift = 0.0
    for index, (lack, told) in enumerate(zip((good + reject - total).tolist(), seen.tolist(), strict=True)):
        drift += lack
        if told and abs(drift) > slack + 1e-6:
            wrong[index], drift = True, 0.0
    return Rule("adds_up", _quarters(at[seen]), _quarters(at[wrong]), int(wrong.sum()))


def off(view: View, machine: str) -> Rule | None:
    """Return the rule that a machine that is off counts nothing.

    Whole quarter hours are looked at that begin two readings after it went off, because counts have no finer time.
    """
    facts = production(view, machine)
    counters = [c for c in (facts.counted(w) for w in ("total", "good", "reject")) if c is not None]
    if not counters or not len(facts.states["off"]):
        return None
    names = [name for c in counters for name in (c.name, *view.signals(machine, "state"))]
    late = 2 * max(interval(view, name) for name in names)
    quiet = Spans(facts.states["off"].start + late, facts.states["off"].end)
    quiet = normal(quiet.start, np.maximum(quiet.end, quiet.start))
    quiet = reduce(intersection, [view.spans(c.name) for c in counters], quiet)
    grid = np.concatenate(
        [np.arange(r.start_ns, r.end_ns - QUARTER_NS + 1, QUARTER_NS, dtype=np.int64) for _, r in view.seen.records]
    )
    whole = grid[quiet.within(Spans(grid, grid + QUARTER_NS)) == QUARTER_NS]
    counted = [c.at[c.pieces - c.blind > 0] for c in counters]
    wrong = whole[np.isin(whole, np.concatenate(counted))]
    return Rule("off", _quarters(whole), _quarters(wrong), len(wrong))


def exclusive(view: View, machine: str) -> Rule | None:
    """Return the rule that the state signals say exactly one state: none is missing, no two are said at once.

    One bit with a meaning for both of its values cannot break it.
    """
    states = production(view, machine).all_states
    if not states.names:
        return None
    meant = view.plant.meaning(states.names[0]).states
    if len(states.names) == 1 and all(isinstance(label, bool) for label in meant) and len(meant) > 1:
        return None
    tracks = [view.seen.track(name) for name in states.names]
    checked = reduce(intersection, [t.known for t in tracks if t is not None])
    return _rule("exclusive", checked, union(difference(checked, states.known), states.overlap, states.conflict))


_CHECKS: Sequence[Callable[[View, str], Rule | None]] = (moves, adds_up, off, exclusive)


def _row(counted: Counted, at: Ints) -> NDArray[np.float64]:
    found = np.zeros(len(at))
    found[np.searchsorted(at, counted.at)] = counted.pieces
    return found


def _quarters(at: Ints) -> Spans:
    return normal(at, at + QUARTER_NS)
