"""What the engines are given from outside, as forms: problems of roadmap, diagnosis, matching and verdict.

For an existing platform that has its own data and wants one part alone, over HTTP or by a file. Nothing is looked
up and nothing is kept. Sizes are strict, because every search grows with them; what is not known is left out, and
is never 0. Pure.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from techsquare.api.forms import Form, Key, Name, Word
from techsquare.diagnosis import terms as d
from techsquare.roadmap import terms as r
from techsquare.span import Span
from techsquare.verdict import plan as planning
from techsquare.verdict import terms as v

Number = Annotated[float, Field(ge=-1e13, le=1e13, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=1e13, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=100_000)]
Won = Annotated[int, Field(ge=0, le=10**13)]
On = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2200, 1, 1))]
Months = Annotated[float, Field(ge=0, le=36, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Keys = Annotated[list[Key], Field(max_length=100)]
Words = Annotated[list[Word], Field(max_length=100)]
Three = Field(min_length=3, max_length=3)


class Range(Form):
    """From low to high; equal where it is known."""

    low: Amount
    high: Amount

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self

    def span(self) -> Span:
        """Return it as the engines have it."""
        return Span(self.low, self.high)


class At(Range):
    """A number at a bucket of a machine: won a year that are lost, or the share of it that a measure takes away."""

    machine: Key
    bucket: Key


class Title(Form):
    """A name in both languages."""

    ko: Name
    en: Name


# Roadmap


class MeasureForm(Form):
    """A measure as it would be at this factory; see `techsquare.roadmap.terms.Measure`."""

    id: Key
    title: Title
    cost: Range
    yearly: Range
    kind: Key | None = None
    gain: Annotated[list[At], Field(max_length=20)] = Field([])
    vat: Share = 0.1
    staff_days: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)] = 0.0
    months: Months = 0.0
    needs: Keys = Field([])
    together: Keys = Field([])
    excludes: Keys = Field([])
    data: bool = False
    provable: bool | None = None
    source: Word | None = None

    def term(self) -> r.Measure:
        """Return it as the engine has it."""
        return r.Measure(
            id=self.id, title={"ko": self.title.ko, "en": self.title.en}, cost=self.cost.span(),
            yearly=self.yearly.span(), kind=self.kind or "", vat=self.vat, staff_days=self.staff_days,
            gain={(one.machine, one.bucket): one.span() for one in self.gain}, months=self.months,
            needs=frozenset(self.needs), together=frozenset(self.together), excludes=frozenset(self.excludes),
            data=self.data, provable=self.provable, source=self.source or "",
        )  # fmt: skip


class ProgrammeForm(Form):
    """A funding programme; `eligible`: kind of measure -> share of its cost that may be claimed."""

    id: Key
    share: Share
    cap: Won
    opens: On
    closes: On
    eligible: Annotated[dict[Key, Share], Field(max_length=100)]
    vat: bool = False
    upfront: Share = 0.0
    after_months: Months = 3.0


class MeansForm(Form):
    """What the factory has for each of three phases; see `techsquare.roadmap.terms.Means`."""

    cash: Annotated[list[Won], Three]
    staff_days: Annotated[list[Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]], Three]
    support: Annotated[list[Won], Three]
    most_measures: Annotated[int, Field(ge=0, le=30)] = 3
    excluded: Keys = Field([])
    standing: Keys = Field([])
    vat_back_months: Months | None = 3.0
    bridge: Won | None = None

    def term(self) -> r.Means:
        """Return it as the engine has it."""
        sets = {"excluded": frozenset(self.excluded), "standing": frozenset(self.standing)}
        return r.Means(**{**self.model_dump(), **sets})


class RoadmapProblem(Form):
    """What a roadmap is made of, all of it."""

    measures: Annotated[list[MeasureForm], Field(max_length=30)]
    losses: Annotated[list[At], Field(max_length=40)]
    means: MeansForm
    programmes: Annotated[list[ProgrammeForm], Field(max_length=10)] = Field([])
    begins: On
    nodes: Annotated[int, Field(ge=1, le=1_000, description="after which a search ends without proof")] = 500

    def losses_term(self) -> dict[r.Place, Span]:
        """Return losses by place.

        Raises:
            ValueError: a place stands twice.
        """
        found = {(one.machine, one.bucket): one.span() for one in self.losses}
        if len(found) < len(self.losses):
            raise ValueError("a bucket of a machine stands twice among the losses")
        return found

    def programmes_term(self) -> list[r.Programme]:
        """Return programmes as the engine has them."""
        return [r.Programme(**one.model_dump()) for one in self.programmes]


# Diagnosis


class MachineDayForm(Form):
    """A machine on a production day; seconds, pieces, kWh. See `techsquare.diagnosis.terms.MachineDay`."""

    machine: Key
    day: On
    planned_s: Seconds
    known_s: Seconds
    production_s: Seconds | None = None
    setup_s: Seconds | None = None
    fault_s: Seconds | None = None
    standby_s: Seconds | None = None
    off_s: Seconds | None = None
    ideal_s: Seconds | None = None
    priced_s: Seconds | None = None
    good_s: Seconds | None = None
    checked_s: Seconds | None = None
    pieces: Amount | None = None
    energy_kwh: Amount | None = None
    source: Literal["measured", "counted"] = "measured"
    formulas: Annotated[str, StringConstraints(max_length=40, pattern=r"^[A-Za-z0-9._-]*$")] = ""


class RatesForm(Form):
    """What a piece, an hour and a kilowatt-hour are worth, in won; see `techsquare.diagnosis.terms.Rates`."""

    contribution_piece: Range | None = None
    scrap_piece: Range | None = None
    staff_hour: Range | None = None
    avoidable_hour: Range | None = None
    tariff_kwh: Range | None = None
    good_share: Range | None = None
    limits: Annotated[dict[Key, d.Tell], Field(max_length=50)] = Field({})
    orders_wait: d.Tell = "unknown"
    attended: Annotated[dict[Key, Annotated[float, Field(ge=0, le=100)]], Field(max_length=50)] = Field({})

    def term(self) -> d.Rates:
        """Return it as the engine has it."""
        named = ((name, getattr(self, name)) for name in type(self).model_fields)
        found: dict[str, Any] = {name: one.span() if isinstance(one, Range) else one for name, one in named}
        return d.Rates(**found)


class DiagnosisProblem(Form):
    """Machine-days and rates; `production_days` of a year, and planned hours of a machine on one where known."""

    days: Annotated[list[MachineDayForm], Field(max_length=6_000)]
    rates: RatesForm
    production_days: Annotated[float, Field(gt=0, le=366)]
    hours: Annotated[dict[Key, Annotated[float, Field(gt=0, le=24)]], Field(max_length=50)] = Field({})
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0

    @model_validator(mode="after")
    def _few(self) -> DiagnosisProblem:
        if len({one.machine for one in self.days}) > 50:
            raise ValueError("more than 50 machines")
        return self

    def days_term(self) -> list[d.MachineDay]:
        """Return machine-days as the engine has them."""
        return [d.MachineDay(**{name: getattr(one, name) for name in type(one).model_fields}) for one in self.days]


# Verdict


class UseForm(Form):
    """A signal that shows use, and how often it has to."""

    system: Name
    signal: Name
    every_days: Annotated[int, Field(ge=1, le=366)]


class PlanForm(Form):
    """A measurement plan as it was frozen; see `techsquare.verdict.terms.Plan`. `hash`: of this plan, if kept."""

    project: Key
    metric: Key
    unit: Word
    sign: Literal[1, -1]
    treated: Annotated[list[Word], Field(min_length=1, max_length=20)]
    controls: Annotated[list[Word], Field(max_length=40)]
    over: v.Over
    applied: On
    frozen: On
    baseline: tuple[On, On]
    installed: On
    blackout_days: Annotated[int, Field(ge=0, le=60)] = planning.BLACKOUT_DAYS
    verdict_on: On
    extended_to: On
    least: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
    use: UseForm | None = None
    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    evidence: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""

    def term(self) -> v.Plan:
        """Return it as the engine has it; its hash is computed where none was kept."""
        use = None if self.use is None else v.Use(**self.use.model_dump())
        lists = {"treated": tuple(self.treated), "controls": tuple(self.controls)}
        given = v.Plan(**{**self.model_dump(), **lists, "use": use, "hash": self.hash or ""})
        return given if self.hash else planning.hashed(given)


class DayForm(Form):
    """A day of a machine: its value is num / den; `coverage` is the share of planned time that is known."""

    day: On
    num: Number
    den: Amount
    coverage: Share = 1.0


class SeriesForm(Form):
    """A machine's days of the metric."""

    machine: Word
    site: Word
    days: Annotated[list[DayForm], Field(max_length=800)]

    def term(self) -> v.Series:
        """Return it as the engine has it.

        Raises:
            ValueError: a day stands twice.
        """
        rows = sorted(self.days, key=lambda one: one.day)
        if len({one.day for one in rows}) < len(rows):
            raise ValueError(f"a day of {self.machine} stands twice")
        columns = ([getattr(one, name) for one in rows] for name in ("num", "den", "coverage"))
        num, den, coverage = (np.array(column, np.float64) for column in columns)
        return v.Series(self.machine, self.site, [one.day for one in rows], num, den, coverage)


class VerdictProblem(Form):
    """A plan, the days of its machines, and which of its two dates is asked about."""

    plan: PlanForm
    days: Annotated[list[SeriesForm], Field(max_length=60)]
    look: Literal[1, 2] = 1
    installed: On | None = None
