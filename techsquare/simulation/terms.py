"""What a simulated programme is made of: what is set, what is true, and what became of an engagement.

Shares of time are shares of planned time; gains are shares of the loss that a measure is about; won as everywhere.
Days are numbers from `Setting.origin` on, and dates where an engine wants them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from techsquare.diagnosis.terms import Rates
    from techsquare.matching.continuity import Accounts
    from techsquare.matching.terms import Item, Solution, Supplier
    from techsquare.roadmap.terms import Means, Place
    from techsquare.simulation.advised import Way
    from techsquare.span import Span
    from techsquare.verdict.decay import Seen
    from techsquare.verdict.terms import Plan, Promise, Verdict, Word

BUCKETS = ("setup", "fault", "standby", "off", "speed", "scrap")
"""Losses of a machine, in the order of all arrays; what is left of planned time is good."""
PAST_DAYS = 150
"""Days before the programme's first one: what an agent has seen by then."""
MONTH_DAYS = 30
"""A month of the programme; calendars differ, verdicts are on dates."""

End = Literal[
    "improved", "worse", "no_change", "cannot_tell", "cause_not_shown",  # the verdict that stands
    "supplier_gone",  # closed before the installation; nobody took it over
    "not_provable",  # what was expected of it could not have been shown: bought without a plan, on its functions
    "not_frozen",  # no plan could be frozen, so no verdict was possible
    "running",  # the simulation ends first
]  # fmt: skip
ENDS: tuple[End, ...] = (
    "improved", "worse", "no_change", "cannot_tell", "cause_not_shown", "supplier_gone", "not_provable",
    "not_frozen", "running",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """What a programme is simulated with.

    Attributes:
        seed: Of everything.
        factories: That could apply.
        months: Of the programme.
        gain: All true gains times this; 0: nothing that is sold does anything.
        beside: Comparison machines may be used; False: there are none.
        promised: Of plans, the share for which the smallest provable change is computed: seconds for each.
        only_provable: A plan is made only where what is expected could be shown; False: always, and that is told.
        staged: What changes a whole plant may go in two stages.
        apply: Share of factories that apply in an average month; in one that began an sd worse, twice as many.
        suppliers: In the market; None: as many as so many factories have.
        begins: First day of the programme.
    """

    seed: int
    factories: int
    months: int
    gain: float = 1.0
    beside: bool = True
    promised: float = 0.2
    only_provable: bool = False
    staged: bool = True
    apply: float = 0.05
    suppliers: int | None = None
    begins: date = date(2027, 1, 4)

    @property
    def origin(self) -> date:
        """The first day of which there are any days of machines."""
        return self.begins - timedelta(days=PAST_DAYS)

    @property
    def days(self) -> int:
        """Number of days from the origin to the programme's end."""
        return PAST_DAYS + MONTH_DAYS * self.months

    def month(self, number: int) -> date:
        """Return the first day of a month, from 0 on; that of `months` is the day after the end."""
        return self.begins + timedelta(days=MONTH_DAYS * number)

    def at(self, day: date) -> int:
        """Return the number of a day."""
        return (day - self.origin).days


@dataclass(frozen=True, slots=True)
class Product:
    """A solution and what is true of it. `says`: the share of the loss that its supplier promises to take away."""

    solution: Solution
    entry: str
    success: float
    factor: float
    says: float


@dataclass(frozen=True, slots=True)
class Vendor:
    """A supplier and what is true of it. `weight` is its share of all work that is done in the market."""

    supplier: Supplier
    weight: float
    province: str
    accounts: Accounts
    closes: int | None  # month of the programme in which it is gone
    products: Sequence[Product]


@dataclass(frozen=True, slots=True)
class Tool:
    """A machine as it is: what it loses on an average day by bucket, how it moves, what an hour of it is worth."""

    id: str
    process: str
    interfaces: frozenset[str]
    base: tuple[float, ...]
    memory: float
    restless: float
    drift: float  # log points a month, its own
    loading: float  # of the site's shock
    hours: float  # planned a day
    days_a_week: int
    limits: bool  # the plant's output
    cycle_s: float  # of a piece, ideal
    won: Mapping[str, float]  # what an hour that is lost costs, in truth, by bucket


@dataclass(frozen=True, slots=True)
class Plant:
    """A factory as it is, and what its owner says. `wired`: an agent measures it."""

    number: int
    id: str
    name: str
    province: str
    industry: str
    group: str | None
    wired: bool
    tools: Sequence[Tool]
    means: Means
    says: Mapping[Place, Span]  # won a year by place, as the owner believes
    rates: Rates  # as the owner tells them
    answers: Mapping[str, float | str | None]  # to the twenty questions
    excluded: frozenset[str]
    consents: frozenset[str]


@dataclass(frozen=True, slots=True)
class Truth:
    """What an installed solution really does. `gain` by bucket; from `fades_on` on only half of it is left."""

    works: bool
    used: bool
    gain: Mapping[str, float]
    fades_on: int | None
    price: int
    yearly: int


@dataclass(frozen=True, slots=True)
class Chance:
    """What was expected when an offer was made: chance of an improvement, and worth in won."""

    p: float
    q10: float
    mean: float
    slot: int


@dataclass(slots=True, eq=False)
class Engagement:
    """One item, one solution, from the choice to its end.

    `effect` is the true change of the plan's metric over the verdict's days (below 0 is less loss), and None before
    there is a verdict. `net` is what it is truly worth over three years, won.
    """

    id: str
    plant: int
    item: Item
    places: Sequence[Place]
    vendor: str
    product: Product
    expected: Chance
    accepted: date
    installed: date
    truth: Truth
    baseline: tuple[date, date]
    share: float  # of its losses that it is expected to take away
    plan: Plan | None = None
    way: Way | None = None
    dropped: tuple[str, ...] = ()  # machines of a second stage that the verdict was against
    promise: Promise | None = None
    first: Verdict | None = None
    verdict: Verdict | None = None
    effect: float | None = None
    loss: float | None = None  # metric's level before, as it was seen
    takeover: bool = False
    began: bool = False
    seen: Seen | None = None
    net: float = 0.0
    ended: date | None = None
    end: End = "running"

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines that it changes."""
        return tuple(sorted({machine for machine, _ in self.places}))

    @property
    def second(self) -> tuple[str, ...]:
        """The machines that follow after the verdict; none without a plan in two stages."""
        first = (
            {name.partition("/")[2] for name in self.plan.treated} if self.plan is not None else set(self.machines)
        )
        return tuple(machine for machine in self.machines if machine not in first)

    @property
    def word(self) -> Word | None:
        """The verdict that stands."""
        return self.verdict.word if self.verdict else None


@dataclass(slots=True)
class Case:
    """A factory in the programme: when it applied, who looks after it, what is open, what it has done."""

    plant: int
    applied: date
    came: int  # month
    mentor: str | None = None
    met: int | None = None  # month in which a mentor took it
    steps: list[tuple[Item, Sequence[Place]]] = field(default_factory=list)
    planned: bool = False
    done: list[str] = field(default_factory=list)
    running: str | None = None
    free: date | None = None
    refused: int = 0
    advised: int = 0
    data: int = 0  # won that the data costs on which its roadmap rests
    closed: bool = False
