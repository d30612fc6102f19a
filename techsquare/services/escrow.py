"""What is laid down for the day on which a supplier is gone: deposited, built by somebody else, handed out.

A deposit is of a version, for all who use it, or of one project. It counts as verified when somebody who is not
bound to its supplier has built the software from it: the operator writes down who. When it is handed out is
`mentoring.takeover.release`; the supplier itself may always say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from techsquare.mentoring.takeover import release
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need, seen
from techsquare.services.tickets import out_of_reach
from techsquare.services.workdays import calendar

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.mentoring.takeover import Level, Why
    from techsquare.services.rights import Caller

NAMED = frozenset({"escrow_deposited", "escrow_verified"})
"""Conditions of a contract that name its factory as one to which a deposit is handed out."""


def deposit(
    session: Session, caller: Caller, version: str, place: str, digest: str, engagement: str | None
) -> t.EscrowDeposit:
    """Write down what a supplier has laid down, where, and its SHA-256.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `not_open`: the version is a draft.
    """
    about = seen(session, caller, t.SolutionVersion, version)
    need(caller, "supplier", about.supplier_id)
    if about.state == "draft":
        raise RefusedError("not_open", state=about.state)
    if engagement is not None:
        project = seen(session, caller, t.Engagement, engagement)
        need(caller, "supplier", project.supplier_id)
        if project.version_id != version:
            raise RefusedError("not_there")
    row = t.EscrowDeposit(
        id=new_id(), supplier_id=about.supplier_id, version_id=version, engagement_id=engagement,
        level="deposited", place=place, hash=digest, deposited_at=caller.now,
    )  # fmt: skip
    add(session, row)
    return row


def verify(session: Session, caller: Caller, key: str, built_by: str) -> t.EscrowDeposit:
    """Write down who has built the software from a deposit, as the operator.

    Raises:
        RefusedError: `wrong_role`; `not_there`; `decided`: it is verified; `conflict_of_interest`: who built it is
            the supplier itself, or bound to it.
    """
    need(caller, "operator")
    row = seen(session, caller, t.EscrowDeposit, key)
    builder = session.get(t.Party, built_by)
    if builder is None or builder.kind not in {"supplier", "mentor", "operator"} or builder.closed_at is not None:
        raise RefusedError("not_there")
    if row.verified_at is not None:
        raise RefusedError("decided")
    if _bound(session, row.supplier_id) & _bound(session, built_by):
        raise RefusedError("conflict_of_interest")
    row.level, row.verified_at, row.built_by = "verified", caller.now, built_by
    return row


def hand_out(session: Session, caller: Caller, key: str) -> t.EscrowDeposit:
    """Say, as the supplier, that a deposit may be handed out to those whose contract names it.

    Raises:
        RefusedError: `not_there`; `wrong_role`.
    """
    row = seen(session, caller, t.EscrowDeposit, key)
    need(caller, "supplier", row.supplier_id)
    row.released_at = row.released_at or caller.now
    return row


def told(session: Session, caller: Caller, engagement: str) -> dict[str, Any]:
    """Return whether the deposit of a project's software is free for its factory, and if so where it lies.

    Raises:
        RefusedError: `not_there`: he does not act for the factory.
    """
    row = seen(session, caller, t.Engagement, engagement)
    for_factory(session, caller, row.factory_id)
    return standing(session, row, caller.now)


def standing(session: Session, row: t.Engagement, now: int) -> dict[str, Any]:
    """Return the same for a project in hand."""
    deposits = laid_down(session, row)
    best = deposits[0] if deposits else None
    said = release(
        best.level if best else "none", contracted=_contracted(session, row, best), why=_why(session, row, best),
        since=_since(session, row), today=day_of(now), calendar=calendar(session, row.factory_id, day_of(now)),
    )  # fmt: skip
    found: dict[str, Any] = plain(said)
    if said.free and best is not None:
        found |= {"place": best.place, "hash": best.hash, "deposit": best.id}
    return found


def laid_down(session: Session, row: t.Engagement) -> list[t.EscrowDeposit]:
    """Return the deposits that serve a project, the verified and its own first."""
    found = session.scalars(
        select(t.EscrowDeposit).where(
            t.EscrowDeposit.version_id == row.version_id,
            or_(t.EscrowDeposit.engagement_id.is_(None), t.EscrowDeposit.engagement_id == row.id),
        )
    )
    return sorted(
        found, key=lambda one: (one.level != "verified", one.engagement_id is None, -one.deposited_at, one.id)
    )


def level(session: Session, row: t.Engagement) -> Level:
    """Return how far the deposit of a project's software is."""
    found = laid_down(session, row)
    return found[0].level if found else "none"


def _contracted(session: Session, row: t.Engagement, best: t.EscrowDeposit | None) -> bool:
    if best is not None and best.engagement_id == row.id:
        return True
    paper = session.scalars(select(t.Contract).where(t.Contract.engagement_id == row.id)).one_or_none()
    said = {} if paper is None else paper.conditions
    return bool(NAMED & {*said.get("asked", ()), *said.get("agreed", ())})


def _why(session: Session, row: t.Engagement, best: t.EscrowDeposit | None) -> Why:
    """Return what has happened; a supplier that is there, and an owner who wants no other, free nothing either."""
    if best is not None and best.released_at is not None:
        return "agreed"
    if closed(session, row.supplier_id):
        return "closed"
    parted = (row.life or {}).get("parted")
    return "out_of_reach" if parted == "gone" else "unwanted"


def _since(session: Session, row: t.Engagement) -> Any:
    begun = session.scalars(
        select(t.Takeover.begun_at).where(t.Takeover.engagement_id == row.id, t.Takeover.ended_at.is_(None))
    ).first()
    return row.signed_on or row.agreed_on if begun is None else day_of(begun)


def closed(session: Session, supplier: str) -> bool:
    """Return whether a supplier has closed, or has left."""
    return (
        session.get_one(t.Supplier, supplier).state == "closed"
        or session.get_one(t.Party, supplier).closed_at is not None
    )


def gone(session: Session, row: t.Engagement, now: int) -> bool:
    """Return whether a project's supplier is gone: closed, or out of reach with a machine standing still."""
    return closed(session, row.supplier_id) or out_of_reach(session, row, now)


def _bound(session: Session, party: str) -> set[str]:
    """Return a party and whom it is bound to: its owner group, and what it has named itself."""
    found = session.get_one(t.Party, party)
    other = session.get(t.Supplier, party)
    mentor = session.get(t.Mentor, party)
    named = [*((other.parties or ()) if other else ()), *((mentor.related or ()) if mentor else ())]
    return {name for name in (party, found.owner_group, mentor.firm_id if mentor else None, *named) if name}
