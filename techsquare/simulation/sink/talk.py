"""Visits, messages and costs: what people say to each other, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.services import costs, messages, people, visits
from techsquare.services.refused import RefusedError

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.mentoring.ledger import Kind
    from techsquare.registry.mentors import VisitKind
    from techsquare.registry.privacy import Role
    from techsquare.services.rights import Caller
    from techsquare.simulation.sink.desk import Desk

DIAGNOSIS_WON, VISIT_WON, VERIFICATION_WON = 600_000, 250_000, 400_000


def visit(desk: Desk, factory: str, mentor: str, kind: VisitKind, planned: date) -> str | None:
    """Plan a visit, as the mentor; None where one of this kind is planned already."""
    try:
        key: str = desk.do("mentor", mentor, lambda s, c: visits.ask(s, c, factory, kind, planned)).id
    except RefusedError:
        return None
    return key


def visited(desk: Desk, factory: str, mentor: str, key: str, found: str) -> None:
    """Keep a visit with its sheet, and let the operator say what it has cost."""
    on = desk.clock.day
    desk.do("mentor", mentor, lambda s, c: visits.done(s, c, key, on, {"현장": found}, "ko"))

    def tell(session: Session, caller: Caller) -> None:
        line = session.scalars(select(t.Cost.id).where(t.Cost.note == key)).one()
        costs.spend(session, caller, factory, "visit", VISIT_WON, on, instead=line)

    desk.do("operator", people.HOUSE, tell)


def missed(desk: Desk, mentor: str, key: str) -> None:
    """Keep that nobody was there."""
    desk.do("mentor", mentor, lambda s, c: visits.ended(s, c, key, missed=True))


def message(desk: Desk, factory: str, role: Role, party: str, text: str, project: str | None = None) -> str:
    """Write between a factory and its mentor, or about a project."""

    def work(session: Session, caller: Caller) -> str:
        if project is not None:
            return messages.about_project(session, caller, project, text).id
        return messages.write(session, caller, factory, "mentor", text).id

    return desk.do(role, party, work)


def read(desk: Desk, role: Role, party: str, key: str) -> None:
    """Read a message."""
    desk.do(role, party, lambda s, c: messages.read(s, c, key))


def cost(desk: Desk, factory: str, kind: Kind, won: int) -> None:
    """Say what something has cost, as the operator."""
    on = desk.clock.day
    desk.do("operator", people.HOUSE, lambda s, c: costs.spend(s, c, factory, kind, won, on))
