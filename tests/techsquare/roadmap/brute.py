"""The best plan by trying every one: knows the rules from the words of `terms`, and nothing of how plans are found.

Every combination of starts is made and held against each rule that support money cannot heal. What is left is
valued from day to day: a table of days by place says what is in use, and what of it is credited. Support is first
taken for as large as cap and phase allow at best; in falling order of that value each plan gets the support that a
linear program says it can really have, until no better one can come.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import linprog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from techsquare.roadmap.terms import Measure, Programme
    from tests.techsquare.roadmap.made import Case

LAST = 1096  # days of three years
FIRST_DAYS, AFTER_DAYS = (0, 91, 365), (91, 365, 1096)
BONUS = 300_000


class Way(NamedTuple):
    """A way to begin a measure."""

    phase: int
    day: int
    programme: Programme | None


class Best(NamedTuple):
    """The value with a quick win's worth, and how many plans were allowed."""

    worth: float
    plans: int


def middle(span: tuple[float, float]) -> float:
    return (span[0] + span[1]) / 2


def in_days(months: float) -> int:
    return round(months * 365.25 / 12)


def ways(case: Case, measure: Measure) -> list[Way]:
    found = []
    for phase in range(3):
        found.append(Way(phase, FIRST_DAYS[phase], None))
        for programme in sorted(case.programmes, key=lambda p: p.id):
            day = max(FIRST_DAYS[phase], (programme.opens - case.begins).days)
            if (
                programme.eligible.get(measure.id)
                and day < AFTER_DAYS[phase]
                and day <= (programme.closes - case.begins).days
            ):
                found.append(Way(phase, day, programme))
    return [way for way in found if way.day + in_days(measure.months) < LAST]


class Brute:
    """One factory."""

    def __init__(self, case: Case) -> None:
        standing = case.means.standing
        self.case = case
        self.measures = [m for m in case.measures if m.id not in standing]
        self.ids = [m.id for m in self.measures]
        self.vat_is_lost = case.means.vat_back_months is None
        barred = {o for m in case.measures if m.id in standing for o in m.excludes}
        self.ways = [
            ()
            if m.id in case.means.excluded
            or m.id in barred
            or m.excludes & standing
            or any(n not in self.ids and n not in standing for n in m.needs)
            else tuple(ways(case, m))
            for m in self.measures
        ]

    def best(self) -> Best:
        """Return the greatest worth of all allowed plans; nothing at all is one of them."""
        plans = self._combinations()
        gains = self._gains(plans)
        sums = self._sums(plans)
        alone = gains - sums["burden"] - sums["running"]
        optimistic = alone + self._at_best(plans) + sums["quick"]
        found = 0.0
        for i in np.argsort(-optimistic, kind="stable"):
            if optimistic[i] <= found:
                break
            support = self._support(plans[i])
            if support is not None and alone[i] + support >= 0:
                found = max(found, alone[i] + support + sums["quick"][i])
        return Best(found, len(plans))

    def _combinations(self) -> NDArray[np.int8]:
        """Return every combination (0: not begun, else way + 1) that keeps the rules that money cannot heal."""
        order = list(range(len(self.ids)))  # what a measure needs has a smaller number here
        plans = np.zeros((1, len(self.ids)), dtype=np.int8)
        count = np.zeros((1, 3))
        staff = np.zeros((1, 3))
        for i in order:
            measure = self.measures[i]
            parts = [(plans, count, staff)]
            for number, way in enumerate(self.ways[i], 1):
                allowed = np.ones(len(plans), dtype=bool)
                for need in measure.needs & set(self.ids):
                    other = self.ids.index(need)
                    begun = self._phases(plans, other)
                    allowed &= (begun <= way.phase) if need in measure.together else (begun < way.phase)
                for j in order[:i]:
                    if self.ids[j] in measure.excludes or measure.id in self.measures[j].excludes:
                        allowed &= plans[:, j] == 0
                allowed &= count[:, way.phase] + 1 <= self.case.means.most_measures
                allowed &= staff[:, way.phase] + measure.staff_days <= self.case.means.staff_days[way.phase] + 1e-9
                more, counted, worked = plans[allowed].copy(), count[allowed].copy(), staff[allowed].copy()
                more[:, i] = number
                counted[:, way.phase] += 1
                worked[:, way.phase] += measure.staff_days
                parts.append((more, counted, worked))
            plans, count, staff = (np.concatenate(part) for part in zip(*parts, strict=True))
            keep = self._may_pay(plans)
            plans, count, staff = plans[keep], count[keep], staff[keep]
        return plans

    def _phases(self, plans: NDArray[np.int8], i: int) -> NDArray[np.int64]:
        table = np.array([9, *(way.phase for way in self.ways[i])])
        return np.asarray(table[plans[:, i]])

    def _column(self, plans: NDArray[np.int8], i: int, value: list[float]) -> NDArray[np.float64]:
        return np.asarray(np.array([0.0, *value])[plans[:, i]])

    def burden(self, measure: Measure) -> float:
        return middle(measure.cost) * (1 + (measure.vat if self.vat_is_lost else 0))

    def most(self, measure: Measure, way: Way) -> float:
        """Return what the programme pays of it at most."""
        if way.programme is None:
            return 0.0
        vat = measure.vat if way.programme.vat and self.vat_is_lost else 0
        return way.programme.share * way.programme.eligible[measure.id] * middle(measure.cost) * (1 + vat)

    def running(self, measure: Measure, way: Way, until: int) -> float:
        return middle(measure.yearly) * max(0, until - way.day - in_days(measure.months)) / 365.25

    def _may_pay(self, plans: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Return which plans own cash pays if every programme gives all that it could."""
        keep = np.ones(len(plans), dtype=bool)
        for phase in range(3):
            spent = np.zeros(len(plans))
            for i, m in enumerate(self.measures):
                own = [
                    (self.burden(m) - self.most(m, w) if w.phase <= phase else 0.0)
                    + self.running(m, w, AFTER_DAYS[phase])
                    for w in self.ways[i]
                ]
                spent += self._column(plans, i, own)
            keep &= spent <= sum(self.case.means.cash[: phase + 1]) + 1e-3
        return keep

    def _at_best(self, plans: NDArray[np.int8]) -> NDArray[np.float64]:
        """Return an upper end of support: what caps allow, and what phases allow."""
        by_cap, by_phase = np.zeros(len(plans)), np.zeros(len(plans))
        for programme in self.case.programmes:
            paid = np.zeros(len(plans))
            for i, m in enumerate(self.measures):
                paid += self._column(plans, i, [self.most(m, w) * (w.programme is programme) for w in self.ways[i]])
            by_cap += np.minimum(paid, programme.cap)
        for phase in range(3):
            paid = np.zeros(len(plans))
            for i, m in enumerate(self.measures):
                paid += self._column(plans, i, [self.most(m, w) * (w.phase == phase) for w in self.ways[i]])
            by_phase += np.minimum(paid, self.case.means.support[phase])
        return np.asarray(np.minimum(by_cap, by_phase))

    def _sums(self, plans: NDArray[np.int8]) -> dict[str, NDArray[np.float64]]:
        burden, running, quick = (np.zeros(len(plans)) for _ in range(3))
        for i, m in enumerate(self.measures):
            burden += self._column(plans, i, [self.burden(m)] * len(self.ways[i]))
            running += self._column(plans, i, [self.running(m, w, LAST) for w in self.ways[i]])
            if self._quick(m):
                quick = np.maximum(quick, self._column(plans, i, [BONUS * (w.phase == 0) for w in self.ways[i]]))
        return {"burden": burden, "running": running, "quick": quick}

    def _quick(self, measure: Measure) -> bool:
        year = -middle(measure.yearly)
        for place, share in measure.gain.items():
            if place in self.case.losses:
                year += min(0.7, middle(share)) * middle(self.case.losses[place])
        return bool(measure.provable) and year > 0 and self.burden(measure) / year * 12 < 6

    def used(self, plans: NDArray[np.int8]) -> NDArray[np.int64]:
        """Return by plan and measure from which day it is in use; never where it is not begun."""
        used = np.full(plans.shape, 10**6)
        for i, m in enumerate(self.measures):
            begin = np.array([10**6, *(way.day for way in self.ways[i])])[plans[:, i]]
            for need in m.needs & set(self.ids):
                begin = np.maximum(begin, used[:, self.ids.index(need)])
            used[:, i] = begin + in_days(m.months)
        return used

    def _gains(self, plans: NDArray[np.int8]) -> NDArray[np.float64]:
        used, total = self.used(plans), np.zeros(len(plans))
        for place, span in self.case.losses.items():
            here = [(i, middle(m.gain[place])) for i, m in enumerate(self.measures) if place in m.gain]
            if not here:
                continue
            # From day to day it changes only where something comes into use: these days of all plans, in one grid.
            days = np.unique(np.concatenate([[LAST], *(used[:, i] for i, _ in here)]))
            days = days[days <= LAST]
            for day, until in itertools.pairwise(days):
                share = np.zeros(len(plans))
                for i, gain in here:
                    share += gain * (used[:, i] <= day)
                total += np.minimum(share, 0.7) * middle(span) * (until - day) / 365.25
        return total

    def _support(self, plan: NDArray[np.int8]) -> float | None:
        """Return the most that programmes can pay of a plan; None where own cash does not suffice."""
        begun = [(m, self.ways[i][plan[i] - 1]) for i, m in enumerate(self.measures) if plan[i]]
        rows, limits = self._rules(begun)
        answer = linprog(
            [-1.0] * len(begun),
            A_ub=np.array(rows),
            b_ub=limits,
            bounds=[(0, self.most(m, w) / 1e6) for m, w in begun],
        )
        return -float(answer.fun or 0.0) * 1e6 if answer.status == 0 else None

    def _rules(self, begun: Sequence[tuple[Measure, Way]]) -> tuple[list[list[float]], list[float]]:
        means, rows, limits = self.case.means, [], []
        for programme in self.case.programmes:
            rows.append([float(w.programme is programme) for _, w in begun])
            limits.append(programme.cap / 1e6)
        for phase in range(3):
            rows.append([float(w.phase == phase) for _, w in begun])
            limits.append(means.support[phase] / 1e6)
            rows.append([-float(w.phase <= phase) for _, w in begun])
            own = sum(self.burden(m) for m, w in begun if w.phase <= phase)
            own += sum(self.running(m, w, AFTER_DAYS[phase]) for m, w in begun)
            limits.append((sum(means.cash[: phase + 1]) - own) / 1e6)
        for month in range(36) if means.bridge is not None else ():
            until = in_days(month + 1)
            have = float(means.bridge or 0) + sum(
                c for c, d in zip(means.cash, FIRST_DAYS, strict=True) if d < until
            )
            arrived = []
            for m, w in begun:
                bill = w.day + in_days(m.months)
                have -= self.running(m, w, until)
                if bill < until:
                    have -= middle(m.cost) * (1 + m.vat)
                    if means.vat_back_months is not None and bill + in_days(means.vat_back_months) < until:
                        have += middle(m.cost) * m.vat
                p = w.programme
                share = 0.0
                if p:
                    share += p.upfront if w.day < until else 0
                    share += 1 - p.upfront if bill + in_days(p.after_months) < until else 0
                arrived.append(-share)
            rows.append(arrived)
            limits.append(have / 1e6)
        return rows, limits
