"""The mixed-integer program of a roadmap.

Columns
    x[start]      a measure is begun in a phase, on a day, by a programme or without one             0 or 1
    s[start]      what the programme pays of it; only where there is one                              0 .. granted
    a[m, day]     m is in use by that day; only where something that it needs may keep it waiting     0 .. 1
    c[place, day] what a place gives from that day to the next on which more could come into use;
                  only where more could be taken away there than is ever credited
    q             the first phase holds a quick win                                                   0 or 1

Maximised: gain + s - cost - running costs + q's worth. Time needs no variables of its own. The days on which a
measure may come into use are few (three phases, calls that open, what it waits for), so "in use by a day" is a sum
of x, or for one that may wait a column a[m, day] that is no larger than that sum and no larger than a[n, day -
months of m] of everything that it needs. Gains only pull these columns up, so they need not be whole. Between two
such days a place gives the same at every moment: c is at most 0.7 of its loss, and at most what is in use takes
away.

Prerequisites are written over all phases up to one ("begun by phase t only if the other is begun by t - 1"), which
is as true as phase by phase and bounds the relaxation better. Money is in units of 100,000 won, so that numbers
lie near 1 and the solver's absolute tolerances (1e-6) are a tenth of a won.

`loosens` names the rows that one more unit of a resource moves, and the columns' own limits are rows where a change
may move them: `relax` looks for the smallest amount by adding one column to them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from techsquare.roadmap.problem import BEGINS, ENDS, HORIZON, MONTHS, YEAR, month_ends
from techsquare.roadmap.prune import worthwhile
from techsquare.roadmap.terms import PHASES, QUICK_WORTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from techsquare.roadmap.problem import Problem, Start
    from techsquare.roadmap.terms import Resource

UNIT = 100_000.0
"""Won."""

Terms = dict[int, float]
"""Column -> coefficient."""
Key = tuple["Resource", int]
"""A resource, and its phase or programme."""


@dataclass(slots=True)
class Model:
    """Columns, and rows `sum <= most`; `gains[j]` is what column j adds to the objective."""

    starts: Sequence[Start] = ()
    x: dict[Start, int] = field(default_factory=dict)
    s: dict[Start, int] = field(default_factory=dict)
    gains: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    rows: list[tuple[Terms, float]] = field(default_factory=list)
    quick: int | None = None
    loosens: dict[Key, list[int]] = field(default_factory=lambda: defaultdict(list))

    def column(self, gain: float, upper: float, *, whole: bool = False) -> int:
        """Add a column of 0 .. `upper` and return it."""
        self.gains.append(gain)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.gains) - 1

    def row(self, terms: Mapping[int, float], most: float, key: Key | None = None) -> None:
        """Add `sum of terms <= most`, which `key` loosens."""
        if key:
            self.loosens[key].append(len(self.rows))
        if terms:
            self.rows.append((dict(terms), most))
        elif key:
            self.loosens[key].pop()

    def of(self, measure: int) -> Sequence[int]:
        """Return the columns of a measure's starts."""
        return [column for start, column in self.x.items() if start.measure == measure]


def model(problem: Problem) -> Model:
    """Return the program of a problem."""
    made = Model(worthwhile(problem))
    by_measure: dict[int, list[Start]] = defaultdict(list)
    for start in made.starts:
        fixed = -problem.burden(start.measure) - problem.runs(start, HORIZON)
        made.x[start] = made.column(fixed / UNIT, 1, whole=True)
        by_measure[start.measure].append(start)
        if start.programme is not None:
            granted = problem.granted(start) / UNIT
            made.s[start] = made.column(1, granted)
            made.row({made.s[start]: 1, made.x[start]: -granted}, 0)
    _order(made, problem, by_measure)
    _resources(made, problem)
    _savings(made, problem, _Use(made, problem, by_measure))
    if quick := [made.x[s] for s in made.starts if s.phase == 0 and problem.quick(s.measure)]:
        made.quick = made.column(QUICK_WORTH / UNIT, 1, whole=True)
        made.row({made.quick: 1, **dict.fromkeys(quick, -1.0)}, 0)
    return made


def _order(made: Model, problem: Problem, by_measure: Mapping[int, Sequence[Start]]) -> None:
    """Each measure once; what it needs before it; never beside what excludes it."""
    for measure, starts in by_measure.items():
        made.row({made.x[s]: 1 for s in starts}, 1)
        for need in problem.needs[measure]:
            for phase in range(PHASES):
                begun = {made.x[s]: 1.0 for s in starts if s.phase <= phase}
                last = phase if need.together else phase - 1
                stands = {made.x[s]: -1.0 for s in by_measure.get(need.measure, ()) if s.phase <= last}
                if any(s.phase == phase for s in starts):
                    made.row(begun | stands, 0)
    for one, other in sorted(problem.apart):
        both = {made.x[s]: 1.0 for m in (one, other) for s in by_measure.get(m, ())}
        if one in by_measure and other in by_measure:
            made.row(both, 1)


def _resources(made: Model, problem: Problem) -> None:
    """Count, staff, support and caps by phase or programme, own cash up to each phase, and the account by month."""
    for phase in range(PHASES):
        here = [s for s in made.starts if s.phase == phase]
        made.row({made.x[s]: 1 for s in here}, problem.most[phase], ("measures", phase))
        worked = {made.x[s]: problem.staff[s.measure] for s in here if problem.staff[s.measure]}
        made.row(worked, problem.days[phase], ("staff_days", phase))
        made.row({made.s[s]: 1 for s in here if s in made.s}, problem.support[phase] / UNIT, ("support", phase))
        spent: Terms = {}
        for start in made.starts:
            own = problem.burden(start.measure) if start.phase <= phase else 0.0
            spent[made.x[start]] = (own + problem.runs(start, ENDS[phase])) / UNIT
            if start in made.s and start.phase <= phase:
                spent[made.s[start]] = -1
        _cash(made, spent, sum(problem.cash[: phase + 1]) / UNIT, phase)
    for number, call in enumerate(problem.calls):
        paid = {column: 1.0 for start, column in made.s.items() if start.programme == number}
        made.row(paid, call.cap / UNIT, ("cap", number))
    if problem.bridge is not None:
        _account(made, problem)


def _cash(made: Model, spent: Terms, most: float, phase: int) -> None:
    """Own cash that has come by a phase pays what is spent until then; more in an earlier one helps as well."""
    row = len(made.rows)
    made.row(spent, most, ("cash", 0))
    for earlier in range(1, phase + 1):
        if len(made.rows) > row:
            made.loosens["cash", earlier].append(row)


def _account(made: Model, problem: Problem) -> None:
    """No month ends further below zero than can be bridged (`cash` tells the same of a plan)."""
    bridge = problem.bridge or 0.0
    for month in range(MONTHS):
        until = month_ends(month)
        phase = max(p for p in range(PHASES) if BEGINS[p] < until)
        terms: Terms = defaultdict(float)
        for start in made.starts:
            m, billed = start.measure, problem.used(start)
            if billed < until:
                terms[made.x[start]] += problem.cost[m] + problem.vat[m]
                if problem.vat_back is not None and billed + problem.vat_back < until:
                    terms[made.x[start]] -= problem.vat[m]
            terms[made.x[start]] += problem.runs(start, until)
            if start.programme is not None:
                terms[made.s[start]] -= UNIT * problem.paid_by(start, until)
        scaled = {column: won / UNIT for column, won in terms.items() if won}
        _cash(made, scaled, (sum(problem.cash[: phase + 1]) + bridge) / UNIT, phase)


class _Use:
    """Days on which measures may come into use, and "in use by a day" as a sum of columns."""

    def __init__(self, made: Model, problem: Problem, by_measure: Mapping[int, Sequence[Start]]) -> None:
        self._made, self._problem, self._by_measure = made, problem, by_measure
        self._days: dict[int, tuple[int, ...]] = {}
        self._waits: dict[int, dict[int, int]] = {}  # measure -> day -> column

    def days(self, measure: int) -> tuple[int, ...]:
        """Return the days, ascending, before the end."""
        if measure not in self._days:
            self._prepare(measure)
        return self._days[measure]

    def by(self, measure: int, day: int) -> Terms:
        """Return columns whose sum is 1 where a measure of the plan is in use on a day, otherwise 0."""
        days = self.days(measure)
        if measure in self._waits:
            last = max((d for d in days if d <= day), default=None)
            return {} if last is None else {self._waits[measure][last]: 1.0}
        return self._begun(measure, day)

    def _begun(self, measure: int, day: int) -> Terms:
        """Return the starts that would be in use by a day if nothing kept them waiting."""
        starts = self._by_measure.get(measure, ())
        return {self._made.x[s]: 1.0 for s in starts if self._problem.used(s) <= day}

    def _prepare(self, measure: int) -> None:
        problem, starts = self._problem, self._by_measure.get(measure, ())
        own = {problem.used(s) for s in starts}
        late = [need for need in problem.needs[measure] if self._late(measure, need.measure, need.together)]
        months = problem.settle[measure]
        found = own | {d + months for need in late for d in self.days(need.measure)}
        self._days[measure] = tuple(sorted(d for d in found if min(own, default=HORIZON) <= d < HORIZON))
        if not late:
            return
        self._waits[measure] = {day: self._made.column(0, 1) for day in self._days[measure]}
        for day, column in self._waits[measure].items():
            for limit in [
                self._begun(measure, day),
                *(self.by(need.measure, day - months) for need in late),
            ]:
                self._made.row({column: 1.0, **dict.fromkeys(limit, -1.0)}, 0)

    def _late(self, measure: int, needed: int, together: bool) -> bool:  # noqa: FBT001 - as it stands in Need
        """Return whether what is needed may come into use after the day on which the measure is begun."""
        last = max(self.days(needed), default=0)
        if needed in self._waits:
            return any(s.day < last for s in self._by_measure.get(measure, ()))
        return any(
            self._problem.used(n) > s.day
            for s in self._by_measure.get(measure, ())
            for n in self._by_measure.get(needed, ())
            if n.phase < s.phase or (together and n.phase == s.phase)
        )


def _savings(made: Model, problem: Problem, use: _Use) -> None:
    """Credit each place, between the days on which more could come into use there."""
    at: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for measure in sorted({start.measure for start in made.starts}):
        for gain in problem.gains[measure]:
            if gain.won > 0:
                at[gain.place].append((measure, gain.won))
    for place, coming in sorted(at.items()):
        days = sorted({day for measure, _ in coming for day in use.days(measure)})
        for day, until in zip(days, [*days[1:], HORIZON], strict=True):
            years = (until - day) / YEAR / UNIT
            here = [(m, won) for m, won in coming if use.days(m)[0] <= day]
            terms: Terms = defaultdict(float)
            for measure, won in here:
                for column, share in use.by(measure, day).items():
                    terms[column] += share * won * years
            if sum(won for _, won in here) <= problem.credit[place]:
                for column, won in terms.items():
                    made.gains[column] += won
            else:
                most = problem.credit[place] * years
                credited = made.column(1, most)
                made.row({credited: 1.0, **{column: -won for column, won in terms.items()}}, 0)
