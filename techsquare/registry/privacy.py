"""Who may read a row, and what becomes of it, told as data beside the table that it is told of.

A table is `private` (one kind of party), `shared` (several) or `public`. Its declaration is a tuple of grants. A
grant names a role and the way from the row to whom it belongs:

    Grant("owner", "factory_id")                       the owners of this factory
    Grant("owner", "assessment_id.factory_id")         along foreign keys of one column each
    Grant("mentor", "factory_id", through=CURRENT)     a mentor with an open assignment to this factory
    Grant("supplier", "version_id.supplier_id", columns=...)   and these columns only
    Grant("operator")                                  whoever has the role
    Grant("self", "user_id")                           this very user
    Grant("anyone")                                    the public part

A reader sees the union of the columns of all grants that hold for him; a row of which none holds is not there for
him. Secret columns (hashes of passwords and tokens) are in no grant, whatever it says. `techsquare.registry.policy`
reads declarations; nothing else decides about reading.

Retention stands beside it: under which scope a row is kept, for how long, and whether it stays when its owner goes
because what others were judged by rests on it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Role = Literal["owner", "mentor", "supplier", "operator", "risk", "service"]
"""risk: the one role of the operator's house that sees the accounts of suppliers. service: a program of the
operator's house, which sees what agents have sent."""
ROLES: tuple[Role, ...] = get_args(Role)
Who = Literal["owner", "mentor", "supplier", "operator", "risk", "service", "self", "anyone"]
PartyKind = Literal["factory", "supplier", "mentor", "operator"]
ROLE_KIND: Mapping[Role, PartyKind] = {
    "owner": "factory",
    "supplier": "supplier",
    "mentor": "mentor",
    "operator": "operator",
    "risk": "operator",
    "service": "operator",
}
Sharing = Literal["private", "shared", "public"]


@dataclass(frozen=True, slots=True)
class When:
    """A condition on a column of the same row: it is set, not set, or one of some words."""

    column: str
    test: Literal["set", "unset", "in"]
    words: tuple[str, ...] = ()

    def holds(self, value: object) -> bool:
        """Return whether a value meets it."""
        if self.test == "set":
            return value is not None
        if self.test == "unset":
            return value is None
        return value in self.words


@dataclass(frozen=True, slots=True)
class Link:
    """A table that joins two parties: `near` is what a grant's path ends at, `far` (a path) the reader's party."""

    table: str
    near: str
    far: str
    when: tuple[When, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """A right to read; see the module. `columns` None: all that are not secret."""

    who: Who
    path: str | None = None
    through: Link | None = None
    when: tuple[When, ...] = ()
    columns: frozenset[str] | None = None

    def only(self, *columns: str) -> Grant:
        """Return it narrowed to some columns."""
        return replace(self, columns=frozenset(columns))

    def if_(self, *when: When) -> Grant:
        """Return it with further conditions."""
        return replace(self, when=(*self.when, *when))


ConsentScope = Literal["levels", "indicators", "machines", "days", "fit", "fit_missing"]
Scope = Literal[
    "levels", "indicators", "machines", "days", "fit", "fit_missing",
    "entry",  # what the owner has said: answers, hand counts, rates, budget, exclusions
    "advice",  # what was made of it for the factory: diagnosis, roadmap, offers, visits, messages
    "project",  # what two parties have agreed and lived through
    "offering",  # what a supplier says of itself
    "account",  # parties, people, their rights and notices
    "common",  # nobody's: catalogue, programmes, rounds, sums
]  # fmt: skip
"""The first six are the owner's consent (`contract.consent`): what comes under one goes with it."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
Rests = Literal["never", "always", "plans"]
"""plans: stays while a measurement plan counts the machine on this day; always: another party's record is made of
it, so it stays under a pseudonym; never: goes."""


@dataclass(frozen=True, slots=True)
class Keep:
    """What becomes of rows.

    Attributes:
        scopes: Taking back any of them ends the row.
        days: After which it goes anyway, counted from `since`; None: as long as the party is here.
        since: Column of an instant or a date.
        rests: Whether it stays because others' verdicts rest on it.
        blank: Column -> what stands there in a row that stays after its party has gone.
        goes_with: Whose leaving ends the row, where several own it; none: that of the first who is named.
    """

    scopes: frozenset[Scope]
    days: int | None = None
    since: str | None = None
    rests: Rests = "never"
    blank: tuple[tuple[str, Any], ...] = ()
    goes_with: frozenset[Who] = frozenset()


def keep(
    *scopes: Scope,
    days: int | None = None,
    since: str | None = None,
    rests: Rests = "never",
    goes_with: Iterable[Who] = (),
    **blank: Any,
) -> Keep:
    """Return a retention; `blank` are the columns that name somebody."""
    return Keep(frozenset(scopes), days, since, rests, tuple(sorted(blank.items())), frozenset(goes_with))


@dataclass(frozen=True, slots=True)
class Privacy:
    """The declaration of a table. `owners`: grants that name whose the row is, for export and deletion."""

    sharing: Sharing
    grants: tuple[Grant, ...]
    owners: tuple[Grant, ...]
    keep: Keep

    def ending(self) -> tuple[Grant, ...]:
        """Return the ways to those with whom a row goes."""
        who = self.keep.goes_with or {g.who for g in self.owners[:1]}
        return tuple(g for g in self.owners if g.who in who)


_NAMING: tuple[Who, ...] = ("owner", "supplier", "mentor", "operator", "self")


def _owners(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    found = dict.fromkeys((g.who, g.path) for g in grants if g.path and g.through is None and g.who in _NAMING)
    return tuple(Grant(who, path) for who, path in found)


def private(*grants: Grant, keep: Keep) -> Privacy:
    """Declare a table whose rows belong to one party (or to one user)."""
    return Privacy("private", grants, _owners(grants), keep)


def shared(*grants: Grant, keep: Keep) -> Privacy:
    """Declare a table whose rows belong to several parties."""
    return Privacy("shared", grants, _owners(grants), keep)


def public(*owners: Grant, columns: Iterable[str] | None = None, but: Iterable[Grant] = (), keep: Keep) -> Privacy:
    """Declare a table that anyone may read.

    Args:
        owners: Whose a row is, if anybody's; they see all of it.
        columns: What everybody sees; None: all that is not secret.
        but: Who sees more.
        keep: What becomes of rows.
    """
    shown = None if columns is None else frozenset(columns)
    return Privacy("public", (Grant("anyone", columns=shown), *owners, *but), _owners(owners), keep)


CURRENT = Link("assignment", near="factory_id", far="mentor_id", when=(When("until", "unset"),))
"""A mentor sees a factory only while he is assigned to it."""
WORKING = Link(
    "engagement",
    near="factory_id",
    far="supplier_id",
    when=(When("state", "in", ("signed", "installed", "accepted", "decided")),),
)
"""A supplier that has, or had, a project with the factory."""
ASKED = Link("offer", near="factory_id", far="supplier_id", when=(When("contacted_at", "set"),))
"""A supplier that the owner has asked to get in touch."""


def owner(path: str) -> Grant:
    """Grant to the owners of a factory."""
    return Grant("owner", path)


def mentor(path: str) -> Grant:
    """Grant to the mentor who is assigned to a factory now."""
    return Grant("mentor", path, CURRENT)


def factory(path: str) -> tuple[Grant, Grant]:
    """Grant to the owners of a factory and to its mentor."""
    return owner(path), mentor(path)


def supplier(path: str) -> Grant:
    """Grant to the people of a supplier."""
    return Grant("supplier", path)


def engaged(path: str) -> Grant:
    """Grant to suppliers that have a project with a factory."""
    return Grant("supplier", path, WORKING)


def user(path: str) -> Grant:
    """Grant to one user."""
    return Grant("self", path)


def role(name: Role) -> Grant:
    """Grant to whoever has a role."""
    return Grant(name)
