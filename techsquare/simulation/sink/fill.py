"""An empty database, filled with a programme, with one login a role."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from techsquare.registry import migrate
from techsquare.registry import tables as t
from techsquare.services import people
from techsquare.simulation.sink import house
from techsquare.simulation.sink.play import play

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from techsquare.registry.privacy import Role
    from techsquare.registry.store import Registry
    from techsquare.simulation.advice import Books
    from techsquare.simulation.sink.play import Filled
    from techsquare.simulation.terms import Setting


class NotEmptyError(Exception):
    """Somebody is there already: a simulated programme and a real one never stand in one database."""


class Login(NamedTuple):
    """Who can log in, and for whom. The password is told once."""

    role: Role
    party: str
    email: str
    password: str


def fill(
    registry: Registry, books: Books, setting: Setting, tell: Callable[[int], None] | None = None
) -> tuple[list[Login], Mapping[str, int]]:
    """Fill a database; return who can log in, and what was done how often.

    Raises:
        NotEmptyError: there is a party in it.
        WrongVersionError: a newer program has made it.
    """
    migrate.upgrade(registry)
    with registry.reading() as session:
        if session.scalar(select(func.count()).select_from(t.Party)):
            raise NotEmptyError
    done = play(registry, books, setting, tell)
    chosen = protagonists(done)
    passwords: dict[Role, str] = {role: secrets.token_urlsafe(9) for role in chosen}
    emails = house.logins(done.desk, chosen, passwords)
    return [Login(role, chosen[role], emails[role], passwords[role]) for role in sorted(chosen)], done.counts


def protagonists(done: Filled) -> dict[Role, str]:
    """Return for whom each role logs in: a factory with the longest story, and who works there."""
    if not done.projects:
        return {"operator": people.HOUSE, "risk": people.HOUSE, "owner": done.plants[0].id}
    told = max(
        done.projects,
        key=lambda one: (
            not one.over,
            one.word == "improved",
            one.looks,
            one.standing,
            len(one.tickets),
            one.plant.id,
        ),
    )
    mentor = done.mentors[told.plant.id]
    return {
        "operator": people.HOUSE, "risk": people.HOUSE, "owner": told.plant.id, "mentor": mentor,
        "supplier": told.vendor,
    }  # fmt: skip
