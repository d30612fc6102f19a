"""What mentoring is made of: mentors and factories that look for one, signals, lines of a queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

Barrier = Literal[
    "inactive",  # away, or has left
    "refused",  # the owner does not want this mentor
    "conflict",  # of interest: his firm or what is related to him is related to the factory
    "region",  # he does not go there
    "full",  # no capacity
]
"""Why a mentor cannot have a factory, in the order in which it is told. Each is evaluated by itself."""


@dataclass(frozen=True, slots=True)
class Mentor:
    """A mentor. `taken`: factories that he has and that want to keep him. `related`: parties, his firm too."""

    id: str
    active: bool
    capacity: int
    taken: int
    regions: frozenset[str]
    skills: frozenset[str]
    related: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seeker:
    """A factory without a mentor. `waited_days` count from its application, also after a change of mentor.

    `refused` are mentors that its owner does not want; nobody asks why. `related`: its owner group, suppliers that
    work there, its parties.
    """

    factory: str
    region: str
    skills: frozenset[str]
    waited_days: int
    related: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Points:
    """What a pair costs by the published weights; smaller is better."""

    skills: int
    load: int
    waited: int

    @property
    def total(self) -> int:
        """Return the sum."""
        return self.skills + self.load + self.waited


@dataclass(frozen=True, slots=True)
class Given:
    """A factory and its mentor, or None with what stands in the way of each of them.

    `lacking` are needed skills that he does not have. `barriers`: mentor -> all of his. Mentors without any are not
    there: they could, and were needed elsewhere or would have been worse (`assignment.forced` says by how much).
    """

    factory: str
    mentor: str | None
    lacking: frozenset[str]
    barriers: Mapping[str, frozenset[Barrier]]


@dataclass(frozen=True, slots=True)
class Assigned:
    """All factories in the order of their ids; `points` is the whole cost, and `seed` decides ties."""

    given: Sequence[Given]
    points: int
    seed: str


Kind = Literal[
    "bankruptcy",  # a supplier with an open project has closed
    "objection",  # somebody does not agree with a verdict
    "verdict",  # a date of a plan is near
    "silence",  # no report from the factory's agents
    "unused",  # installed, not used
    "decay",  # a verified gain goes away
    "disagreement",  # an answer and a measurement differ
    "stale",  # a machine of which nothing is known any more
]


@dataclass(frozen=True, slots=True)
class Signal:
    """Something open that a mentor should look at. `by`: a day on which it has to be done at the latest."""

    kind: Kind
    factory: str
    subject: str
    on: date
    by: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the queue. `due` is a planned day of the factory; `times`: so many signals tell of it."""

    kind: Kind
    factory: str
    subject: str
    on: date
    due: date
    overdue: bool
    times: int
    assumed: bool
    """Nobody has told the factory's calendar: Monday to Friday was taken."""
