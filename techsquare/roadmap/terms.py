"""What a roadmap is made of: measures of the catalogue, means of the factory, programmes that pay a share.

Three phases, begun at the first day and after three and twelve months, and ending after 3, 12 and 36. A measure of
a phase is begun on its first day, or on the day within it on which the call of its programme opens. It is in use
after its own months, counted from then and from when everything that it needs is in use. What it saves counts from
there to the end of the third year (decision 85).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from techsquare.span import Span

PHASES = 3
PHASE_BEGINS_MONTHS = (0, 3, 12)
PHASE_ENDS_MONTHS = (3, 12, 36)
QUICK_MONTHS = 6
"""A quick win has paid for itself in fewer months, and what it saves can be shown."""
QUICK_WORTH = 300_000
"""Won over three years that a plan may be worth less for having a quick win in its first phase. No more than that:
it is preferred, never required."""

Place = tuple[str, str]
"""A bucket of a machine: (machine, bucket)."""
Level = Literal["low", "middle", "high"]
LEVELS: tuple[Level, ...] = ("low", "middle", "high")


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure as it would be at this factory.

    Attributes:
        id: Of the catalogue, with the machine when it is one machine's.
        title: In Korean and English.
        cost: Won, all of it, without VAT; what a programme pays is still in it.
        yearly: Won a year to keep it running.
        kind: Entry of the catalogue that it is, which programmes name; its id when empty.
        vat: Share on top.
        staff_days: Of the factory's own people.
        gain: Place -> share of the place's loss that it takes away, as verified outcomes or their prior say.
        months: From begin to use.
        needs: Measures that must stand before, in an earlier phase or the same one (`together`).
        together: Of `needs`, those that may be begun in the same phase.
        excludes: Measures that cannot stand beside it.
        data: It connects, counts or meters: others need it, and it has no gain of its own.
        provable: The smallest change that can be shown is below its gain.
        source: Where cost and gain come from.
    """

    id: str
    title: Mapping[Literal["ko", "en"], str]
    cost: Span
    yearly: Span
    kind: str = ""
    gain: Mapping[Place, Span] = field(default_factory=dict)
    vat: float = 0.1
    staff_days: float = 0.0
    months: float = 0.0
    needs: frozenset[str] = frozenset()
    together: frozenset[str] = frozenset()
    excludes: frozenset[str] = frozenset()
    data: bool = False
    provable: bool | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Programme:
    """A funding programme: it pays `share` of eligible cost up to `cap`, for what is begun between the dates.

    A measure is paid by one programme at most; `cap` is what one factory can get of it, all measures together.
    `eligible` is kind of measure -> share of its cost that may be claimed. `vat` says whether VAT is eligible,
    which it never is for a factory that gets its VAT back. `upfront` is the share of its part that comes before
    delivery, the rest comes `after_months` after the bill, which is what the cash flow has to bridge.
    """

    id: str
    share: float
    cap: int
    opens: date
    closes: date
    eligible: Mapping[str, float]
    vat: bool = False
    upfront: float = 0.0
    after_months: float = 3.0


@dataclass(frozen=True, slots=True)
class Means:
    """What the factory has for each phase; won and days. What is not spent of cash is there in the next phase.

    `cash` has to pay the factory's own part of what a phase begins, and what runs until its end. `support` is what
    all programmes together may give to what a phase begins. `excluded` are measures, or kinds of them, that the
    owner does not want; `standing` is what is there already. `vat_back_months` after the bill the tax office
    returns VAT; None where it does not. `bridge` is how far the account may be below zero for a while; None: as
    far as it takes, and the cash flow tells it.
    """

    cash: Sequence[int]
    staff_days: Sequence[float]
    support: Sequence[int]
    most_measures: int = 3
    excluded: frozenset[str] = frozenset()
    standing: frozenset[str] = frozenset()
    vat_back_months: float | None = 3.0
    bridge: int | None = None


Resource = Literal["excluded", "measures", "staff_days", "cash", "support", "cap", "price", "needs", "gain"]
ORDER: tuple[Resource, ...] = (
    "excluded",  # the owner wants it after all, or something that it needs; or it may stand beside another one
    "measures",  # one more in a phase
    "staff_days",  # days of own people more in a phase
    "cash",  # own won more in a phase
    "support",  # won of programmes more in a phase
    "cap",  # won more that a programme would give
    "price",  # won less that it costs
    "needs",  # it could do without a measure that it rests on
    "gain",  # won a year more that it saves
)
"""In which order changes are told: what costs the owner only a word comes first, then what he has himself, then
what others would have to give, then what nobody can simply decide. The first kind that would do is told, with the
smallest amount of it."""
STEPS: Mapping[Resource, float] = {
    "excluded": 1,
    "measures": 1,
    "staff_days": 0.5,
    "cash": 100_000,
    "support": 100_000,
    "cap": 100_000,
    "price": 100_000,
    "needs": 1,
    "gain": 100_000,
}
"""Amounts are whole multiples of these: days, won, won a year."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The smallest change of one kind that brings a measure in.

    So much more of a resource (in a phase), or so much more gain a year, or so much lower a price. It was found,
    and checked, by solving again. `subject` is the prerequisite that is waived or wanted after all, the measure
    that it may stand beside, or the programme whose cap is lifted.
    """

    resource: Resource
    phase: int | None
    amount: float
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A measure of the plan; won, at the middle of its cost and gain.

    `support` of `cost` is paid by `programme`. `month` is when it is begun. `payback_months` is what its cost,
    nothing paid by others, takes to come back, alone and at both ends of what is known; None for data, and where
    it never does. `solid`: it is in the plan under low, middle and high gains alike; otherwise `depends` names the
    places whose loss decides.
    """

    measure: str
    phase: int
    month: float
    cost: int
    support: int
    programme: str | None
    payback_months: Span | None
    quick: bool
    solid: bool
    depends: Sequence[Place]


@dataclass(frozen=True, slots=True)
class NotNow:
    """A measure that is not in the plan. `relaxation` is None where no single change brings it in.

    `unpriced` are places that it would mend and whose loss nobody can tell in won, which may be all there is to it.
    """

    measure: str
    relaxation: Relaxation | None
    unpriced: Sequence[Place] = ()


@dataclass(frozen=True, slots=True)
class Month:
    """What comes and goes in a month of the plan (0 is its first), in won; savings are not in it.

    `own` is the cash of a phase that begins, `bills` are those of suppliers without VAT. `balance` is what is left
    at the end of the month, and below zero has to be bridged.
    """

    month: int
    own: int
    bills: int
    vat: int
    running: int
    support: int
    vat_back: int
    balance: int


@dataclass(frozen=True, slots=True)
class Roadmap:
    """A plan. `value` is credited gain minus cost over three years, won; 0 with nothing chosen is a plan as well.

    `value = gain + support - cost - running`, where `cost` holds VAT that does not come back. `credited` is won
    over three years that each place gives. `proven_optimal` is False when the node limit stopped the search, and
    `bound` is what no plan can exceed. `bridged` is how far below zero the account would go. `worth` is the value
    of the best plan where losses and gains are low, middle or high. `dear` is own cash that is lacking if every
    supplier asks the upper end of its price.
    """

    chosen: Sequence[Chosen]
    not_now: Sequence[NotNow]
    value: int
    gain: int
    support: int
    cost: int
    running: int
    bound: int
    proven_optimal: bool
    credited: Mapping[Place, int]
    months: Sequence[Month]
    bridged: int
    worth: Mapping[Level, int]
    dear: int
