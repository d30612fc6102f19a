"""Maintenance of what was bought: tickets by `mentoring.ticket`, and what they say of a supplier."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from techsquare.mentoring import ticket as engine
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need, seen
from techsquare.services.telling import tell
from techsquare.services.workdays import calendar, calendars

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.mentoring.ticket import Severity
    from techsquare.services.rights import Caller


def begin(session: Session, caller: Caller, engagement: str, severity: Severity, text: str) -> t.Ticket:
    """Say that something does not work, for the factory.

    Raises:
        RefusedError: `not_there`; `not_agreed`: the project is not signed.
    """
    project = seen(session, caller, t.Engagement, engagement)
    for_factory(session, caller, project.factory_id)
    if project.signed_on is None:
        raise RefusedError("not_agreed")
    row = t.Ticket(
        id=new_id(), engagement_id=engagement, state="open", severity=severity, text=text, opened_at=caller.now,
        reopened=0,
    )  # fmt: skip
    add(session, row)
    tell(session, project.factory_id, "ticket", row, caller.now)
    return row


def answer(session: Session, caller: Caller, key: str, text: str) -> t.Ticket:
    """Answer a ticket, as the supplier of the project now.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `ticket_refused`, with why.
    """
    row, project = _of(session, caller, key)
    need(caller, "supplier", project.supplier_id)
    _after(row, engine.answer(said(row), day_of(caller.now), text))
    row.answered_at, row.answer, row.state = row.answered_at or caller.now, text, "answered"
    tell(session, project.factory_id, "ticket_answered", row, caller.now)
    return row


def close(session: Session, caller: Caller, key: str) -> t.Ticket:
    """Close a ticket, for the factory; it may do so without an answer.

    Raises:
        RefusedError: `not_there`; `ticket_refused`, with why.
    """
    row, project = _of(session, caller, key)
    for_factory(session, caller, project.factory_id)
    _after(row, engine.close(said(row), day_of(caller.now)))
    row.closed_at, row.state = caller.now, "closed"
    return row


def reopen(session: Session, caller: Caller, key: str) -> t.Ticket:
    """Open a ticket anew, for the factory: it was not done.

    Raises:
        RefusedError: `not_there`; `ticket_refused`, with why.
    """
    row, project = _of(session, caller, key)
    for_factory(session, caller, project.factory_id)
    found = _after(row, engine.reopen(said(row), day_of(caller.now)))
    row.closed_at, row.reopened = None, found.reopened
    row.state = "open" if row.answered_at is None else "answered"
    tell(session, project.factory_id, "ticket", row, caller.now)
    return row


def standings(session: Session, caller: Caller, engagement: str) -> list[dict[str, Any]]:
    """Return where each ticket of a project stands today, oldest first, for its parties.

    Raises:
        RefusedError: `not_there`.
    """
    project = seen(session, caller, t.Engagement, engagement)
    if not caller.has("supplier", project.supplier_id):
        for_factory(session, caller, project.factory_id)
    today = day_of(caller.now)
    days = calendar(session, project.factory_id, today)
    rows = session.scalars(
        select(t.Ticket).where(t.Ticket.engagement_id == engagement).order_by(t.Ticket.opened_at, t.Ticket.id)
    )
    return [
        {"id": row.id, "severity": row.severity, "assumed": days.assumed}
        | plain(engine.standing(said(row), days, today))
        for row in rows
    ]


def service(session: Session, caller: Caller, supplier: str) -> dict[str, Any]:
    """Return what tickets say of a supplier: those that were opened while it was the supplier of the project.

    Raises:
        RefusedError: `not_there`; `wrong_role`: nobody who works here asks.
    """
    if not any(caller.has(role) for role in ("owner", "mentor", "operator")):
        need(caller, "supplier", supplier)
    if session.get(t.Supplier, supplier) is None:
        raise RefusedError("not_there")
    today = day_of(caller.now)
    passed = session.execute(
        select(t.Takeover.engagement_id, t.Takeover.ended_at, t.Takeover.from_supplier)
        .where(t.Takeover.state == "done", t.Takeover.ended_at.is_not(None))
        .where(t.Takeover.from_supplier.in_([supplier]) | t.Takeover.to_supplier.in_([supplier]))
        .order_by(t.Takeover.ended_at)
    ).all()
    projects = {row.engagement_id for row in passed}
    rows = session.execute(
        select(t.Ticket, t.Engagement.factory_id, t.Engagement.supplier_id)
        .join(t.Engagement, t.Engagement.id == t.Ticket.engagement_id)
        .where((t.Engagement.supplier_id == supplier) | t.Engagement.id.in_(projects))
        .order_by(t.Ticket.id)
    ).all()
    mine = []
    for row, factory, now in rows:
        whose = next(
            (one.from_supplier for one in passed
             if one.engagement_id == row.engagement_id and row.opened_at < (one.ended_at or 0)),
            now,
        )  # fmt: skip
        if whose == supplier:
            mine.append((row, factory))
    days = calendars(session, [factory for _, factory in mine], today)
    found: dict[str, Any] = plain(engine.service([(said(row), days[factory]) for row, factory in mine], today))
    return found


def out_of_reach(session: Session, project: t.Engagement, now: int) -> bool:
    """Return whether the supplier has left a standing machine of a project without an answer for too long."""
    today = day_of(now)
    rows = session.scalars(
        select(t.Ticket).where(t.Ticket.engagement_id == project.id, t.Ticket.state == "open")
    ).all()
    if not rows:
        return False
    taken = session.scalars(
        select(t.Takeover.ended_at)
        .where(t.Takeover.engagement_id == project.id, t.Takeover.state == "done")
        .order_by(t.Takeover.ended_at.desc())
    ).first()
    since = date.min if taken is None else day_of(taken)  # a successor answers from its first day on
    days = calendar(session, project.factory_id, today)
    waiting = [replace(said(row), opened=max(since, day_of(row.opened_at))) for row in rows]
    return any(engine.standing(one, days, today).out_of_reach for one in waiting)


def said(row: t.Ticket) -> engine.Ticket:
    """Return a ticket as the engine has it, in days of Korea."""
    answered = None if row.answered_at is None else day_of(row.answered_at)
    closed = None if row.closed_at is None else day_of(row.closed_at)
    return engine.Ticket(row.severity, day_of(row.opened_at), answered, closed, row.reopened)


def _of(session: Session, caller: Caller, key: str) -> tuple[t.Ticket, t.Engagement]:
    row = seen(session, caller, t.Ticket, key)
    return row, session.get_one(t.Engagement, row.engagement_id)


def _after(row: t.Ticket, found: engine.Ticket | engine.Refusal) -> engine.Ticket:
    if isinstance(found, str):
        raise RefusedError("ticket_refused", why=[found], state=row.state)
    return found
