"""Who acts, and whether he may: the one place where services ask about rights.

Reading is decided by the tables' declarations (`registry.policy`). Writing is decided here, by role and party; a
row that somebody may not even see is `not_there` for him, so that trying ids tells nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from techsquare.registry.audit import Actor
from techsquare.registry.mentors import Assignment
from techsquare.registry.policy import Reader, allowed
from techsquare.services.refused import RefusedError

if TYPE_CHECKING:
    from typing import TypeVar

    from sqlalchemy.orm import Session

    from techsquare.registry.base import Base
    from techsquare.registry.privacy import Role

    Row = TypeVar("Row", bound=Base)


class Caller(NamedTuple):
    """Somebody who has shown who he is, and the moment at which he asks (ns since 1970)."""

    reader: Reader
    now: int

    @property
    def user(self) -> str:
        """His id; empty where nobody has logged in, which no service with a right to check lets through."""
        return self.reader.user or ""

    def actor(self, party: str | None = None) -> Actor:
        """Return him as the audit names him."""
        return Actor(self.user, party)

    def has(self, role: Role, party: str | None = None) -> bool:
        """Return whether he has a role (for a party)."""
        return any(name == role and party in {None, whose} for name, whose in self.reader.roles)


def need(caller: Caller, role: Role, party: str | None = None) -> None:
    """Refuse who has not a role.

    Raises:
        RefusedError: `wrong_role`.
    """
    if not caller.has(role, party):
        raise RefusedError("wrong_role", needed=role)


def for_factory(session: Session, caller: Caller, factory: str) -> Role:
    """Return as what somebody acts for a factory: its owner, or the mentor who looks after it now.

    Raises:
        RefusedError: `not_there`: he is neither.
    """
    if caller.has("owner", factory):
        return "owner"
    mentors = caller.reader.parties("mentor")
    if mentors and session.scalar(
        select(Assignment.id).where(
            Assignment.factory_id == factory, Assignment.until.is_(None), Assignment.mentor_id.in_(mentors)
        )
    ):
        return "mentor"
    raise RefusedError("not_there")


def seen(session: Session, caller: Caller, model: type[Row], key: object) -> Row:
    """Return a row that somebody may see some of.

    Raises:
        RefusedError: `not_there`.
    """
    row = session.get(model, key)
    if row is None or not allowed(session, row, caller.reader):
        raise RefusedError("not_there")
    return row
