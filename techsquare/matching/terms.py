"""What matching is made of: items that are open, solutions that could serve them, constraints that fail, offers.

Three problems, never mixed: whether a pair is possible (constraints, all of them evaluated), who is shown to whom
(lists of three, a flow), who gets whom where places are scarce (rounds, deferred acceptance). Money is won over
three years.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from techsquare.span import Span

Constraint = Literal[
    "active",  # the supplier works here, and has not closed or been suspended
    "excluded",  # the owner does not want this supplier or this solution
    "conflict",  # of interest, declared: the factory itself, owner group, mentor's firm, operator
    "capability",  # something that the measure needs is not offered, or not in the needed range (IDTA 02020)
    "process",  # the solution is not for this process or industry
    "interface",  # none of the machine's protocols is supported
    "fit",  # the fit test has failed; unknown is not failed
    "region",  # neither there nor remote
    "price",  # the lowest price is above what the factory can pay for this item, its programme included
    "prerequisite",  # a measure that it rests on does not stand
    "consent",  # it needs data that the owner has not agreed to give
    "continuity",  # the minimum is not met: own store, tag list, open interface, export
    "capacity",  # no slot left in this quarter, or the limit of the probation is reached
]
"""In the order in which they are told. Each is evaluated by itself, so that lifting exactly the failed ones makes a
candidate, and lifting fewer does not."""
Outcome = Literal["improved", "worse", "no_change", "cannot_tell", "cause_not_shown"]
"""The five verdicts. Decided are the first three; the last two say nothing of a supplier and are counted apart."""
Level = Literal["none", "deposited", "verified"]
"""Of an escrow deposit; verified: somebody has built the software from it."""


class Property(NamedTuple):
    """A property of a capability: a range of a number, or one of some words; None leaves an end open."""

    low: float | None = None
    high: float | None = None
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """An open item of a roadmap: a measure at a factory for which an offer is looked for.

    `loss`: won that the places which the measure works on lose over three years, all of it; never negative. A
    success saves a share of it, as verified outcomes tell (shares of the same loss), and of the loss at most 0.7 is
    credited (`techsquare.credit`): here, by `worth`, nowhere before. A loss of 30 million a year is handed as 90
    million; with a quarter saved and a chance of 0.8 the gain is 18 million.
    """

    id: str
    factory: str
    measure: str
    family: str
    capabilities: Mapping[str, Mapping[str, Property]]
    process: str
    interfaces: frozenset[str]
    region: str
    most_won: int
    loss: Span
    missing_prerequisites: frozenset[str] = frozenset()
    consents: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()  # supplier or solution ids
    related: frozenset[str] = frozenset()  # parties, beside the factory, with which there is a conflict of interest
    fit: Mapping[str, Literal["pass", "fail"]] = field(default_factory=dict)  # solution -> test; absent is unknown


@dataclass(frozen=True, slots=True)
class Solution:
    """A registered version of a solution, with what its supplier is at the moment."""

    id: str
    supplier: str
    family: str
    version: str
    capabilities: Mapping[str, Mapping[str, Property]]
    processes: frozenset[str]
    interfaces: frozenset[str]
    regions: frozenset[str]
    remote: bool
    price: Span
    yearly: Span
    exit_cost: Span
    needs_consent: frozenset[str] = frozenset()
    continuity: frozenset[str] = frozenset()  # of store, tags, interface, export
    escrow: Level = "none"


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier as matching sees it. Its financial risk is not here: it sets conditions of a contract only."""

    id: str
    active: bool
    parties: frozenset[str]  # itself, its owner group: what a conflict of interest is looked for in
    slots: int  # free in this quarter
    verified: int  # engagements with a decided outcome
    open: int  # engagements without one
    size: Literal["micro", "small", "medium", "large"]


@dataclass(frozen=True, slots=True)
class Counted:
    """What is known of a supplier with a family, or of the family: decided outcomes and measured gains.

    `gains` are the verified changes of improved outcomes, as shares of the loss that they were about, with their
    standard errors: what a success brings, because the chance of one is counted apart.
    """

    improved: int = 0
    decided: int = 0
    cannot_tell: int = 0
    cause_not_shown: int = 0
    gains: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """An empirical-Bayes estimate of a share: mean, 90 % interval, and what it rests on."""

    mean: float
    low: float
    high: float
    n: int
    alpha: float
    beta: float


@dataclass(frozen=True, slots=True)
class Worth:
    """Value of an offer over three years in won: mean, 10 % and 90 % quantile, and the terms that it is made of.

    Ranked on `q10`. `terms` are means in won: gain, price, yearly cost, cost of leaving; they add up to `mean`.
    """

    q10: float
    mean: float
    q90: float
    terms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Check:
    """A constraint of a pair: whether it holds, and the words that show it."""

    constraint: Constraint
    holds: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Pair:
    """An item and a solution: the constraints that fail, or what it is worth."""

    item: str
    solution: str
    failed: frozenset[Constraint] = frozenset()
    evidence: Mapping[str, str] = field(default_factory=dict)
    worth: Worth | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A solution on a list of three. `by`: the best by merit, or fair exposure, which costs `cost` won of merit."""

    item: str
    solution: str
    slot: int
    by: Literal["merit", "exposure"]
    cost: float


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why a solution is not on a list: constraints, or with none failed how much is missing.

    `gap`: so many won more of q10 (and one) would have brought it onto the list; `slot`: one more slot would have;
    `least`: no smaller gap would have. `shown`: it is on the list, and nothing is missing. With `worth` None nobody
    can tell what it is worth, because nothing is verified of its family and the catalogue has no prior.
    """

    failed: frozenset[Constraint]
    gap: int | None = None
    slot: bool = False
    least: bool = True
    shown: bool = False
    worth: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A supplier on a factory's list in a round. `order` is the factory's own, smaller first, by default by worth.

    The rest is what the published rule looks at, and `merit` (q10, won) what the flow of leftovers adds up.
    """

    item: str
    factory: str
    supplier: str
    order: int
    fit: Literal["pass", "unknown"]
    distance_km: float
    load_days: float  # of the supplier's people
    merit: int


@dataclass(frozen=True, slots=True)
class Place:
    """A factory's place in a round, by acceptance (stable) or out of what was left over."""

    factory: str
    item: str
    supplier: str
    by: Literal["acceptance", "leftover"]


@dataclass(frozen=True, slots=True)
class Round:
    """A round as it is published: seed, places, counts, and the number of blocking pairs, which is 0."""

    seed: str
    places: Sequence[Place]
    counts: Mapping[Literal["factories", "accepted", "leftover", "unplaced", "free"], int]
    blocking: int
