"""Whether a roadmap keeps every rule, read off its own words and the input alone."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from techsquare.credit import CREDITED
from techsquare.roadmap.terms import PHASE_BEGINS_MONTHS, PHASE_ENDS_MONTHS
from techsquare.span import exactly
from tests.techsquare.roadmap.brute import Brute, Way, in_days, middle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from techsquare.roadmap.terms import Measure, Relaxation, Roadmap
    from tests.techsquare.roadmap.made import Case

WON = 20
"""What rounding to whole won, and the solver's 1e-6, may come to over a plan."""


def assert_kept(case: Case, found: Roadmap) -> None:
    """Fail where a rule is broken."""
    means, by_id = case.means, {m.id: m for m in case.measures}
    phase = {chosen.measure: chosen.phase for chosen in found.chosen}
    assert len(phase) == len(found.chosen)
    assert phase.keys().isdisjoint(means.excluded | means.standing)
    for chosen in found.chosen:
        measure = by_id[chosen.measure]
        for need in measure.needs - means.standing:
            assert phase[need] < chosen.phase or (need in measure.together and phase[need] == chosen.phase)
        assert measure.excludes.isdisjoint(phase.keys() | means.standing)
        assert PHASE_BEGINS_MONTHS[chosen.phase] - 0.05 <= chosen.month < PHASE_ENDS_MONTHS[chosen.phase]
    for one, other in itertools.permutations([by_id[m] for m in phase], 2):
        assert one.id not in other.excludes
    for number in range(3):
        here = [c for c in found.chosen if c.phase == number]
        assert len(here) <= means.most_measures
        assert sum(by_id[c.measure].staff_days for c in here) <= means.staff_days[number] + 1e-6
        assert sum(c.support for c in here) <= means.support[number]
    _assert_paid(case, found)
    for place, won in found.credited.items():
        assert won <= CREDITED * middle(case.losses[place]) * 3.001 + 1
    assert found.value == found.gain + found.support - found.cost - found.running
    assert abs(sum(found.credited.values()) - found.gain) <= len(found.credited)
    assert found.bound >= found.value


def _assert_paid(case: Case, found: Roadmap) -> None:
    brute, by_id = Brute(case), {m.id: m for m in case.measures}
    programmes = {p.id: p for p in case.programmes}
    for programme in case.programmes:
        assert sum(c.support for c in found.chosen if c.programme == programme.id) <= programme.cap
    for c in found.chosen:
        if c.programme:
            way = Way(c.phase, in_days(c.month), programmes[c.programme])
            assert 0 < c.support <= brute.most(by_id[c.measure], way) + 1
        else:
            assert c.support == 0
    for phase in range(3):
        own = sum(c.cost - c.support for c in found.chosen if c.phase <= phase)
        running = sum(m.running for m in found.months[: PHASE_ENDS_MONTHS[phase]])
        assert own + running <= sum(case.means.cash[: phase + 1]) + WON
    left = found.support + sum(case.means.cash) - found.cost - found.running
    assert abs(found.months[-1].balance - left) <= WON + len(found.months)
    assert found.bridged == max(0, -min(m.balance for m in found.months))
    if case.means.bridge is not None:
        assert found.bridged <= case.means.bridge + WON


def relaxed(case: Case, measure: str, change: Relaxation) -> Case:
    """Return the input with exactly one change."""
    means, phase, amount = case.means, change.phase or 0, change.amount

    def more(of: Sequence[Any]) -> list[Any]:
        return [had + amount * (i == phase) for i, had in enumerate(of)]

    match change.resource:
        case "cash":
            return case._replace(means=replace(means, cash=more(means.cash)))
        case "support":
            return case._replace(means=replace(means, support=more(means.support)))
        case "staff_days":
            return case._replace(means=replace(means, staff_days=more(means.staff_days)))
        case "cap":
            grown = [replace(p, cap=p.cap + int(amount) * (p.id == change.subject)) for p in case.programmes]
            return case._replace(programmes=tuple(grown))
        case "excluded" if (wanted := change.subject or measure) in means.excluded:
            return case._replace(means=replace(means, excluded=means.excluded - {wanted}))
    return case._replace(measures=tuple(_other(case, m, measure, change) for m in case.measures))


def _other(case: Case, m: Measure, measure: str, change: Relaxation) -> Measure:
    if change.resource == "excluded":  # one way is as good as the other, so both go
        pair = {measure, change.subject}
        return replace(m, excludes=m.excludes - pair) if m.id in pair else m
    if m.id != measure:
        return m
    match change.resource:
        case "needs":
            return replace(m, needs=m.needs - {change.subject})
        case "price":
            return replace(m, cost=exactly(middle(m.cost) - change.amount))
        case "gain":
            had = {p: middle(s) * middle(case.losses[p]) for p, s in m.gain.items() if p in case.losses}
            grown = 1 + change.amount / sum(had.values())
            return replace(m, gain={p: exactly(middle(s) * grown) for p, s in m.gain.items()})
    raise AssertionError(change)
