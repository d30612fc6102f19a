"""A project without its supplier: what stays, who can go on, the successor's yes.

    needed --offer (factory)--> offered --agree (successor)--> agreed --event `take_over` (owner)--> done
              offered --decline (successor), offer to another (factory)--> needed, offered
              whatever is open --the project ends--> dropped

The row is made by the event `part` (`services.projects`). Its checklist tells what stays with the factory, what is
unpaid, whether the deposit is free on that day, and the steps that people tick off. Candidates stand in no row: a
successor who sees the takeover must not see with whom it competes, nor be told whom the owner has excluded.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal, get_args

from sqlalchemy import select

from techsquare.mentoring import takeover as engine
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import contracts, escrow
from techsquare.services.days import day_of, quarter
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need, seen
from techsquare.services.telling import tell

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller

Step = Literal["data", "access", "drill", "deposit", "training"]
STEPS: tuple[Step, ...] = get_args(Step)


def needed(session: Session, row: t.Engagement, why: Literal["gone", "unwanted"], now: int) -> t.Takeover:
    """Make the takeover of a project that has just lost its supplier, with its checklist."""
    won, paid = contracts.amounts(session, row)
    checklist = {
        "stays": plain(engine.stays(_system(session, row))),
        "unpaid": engine.unpaid(won, paid),
        "escrow": escrow.level(session, row),
        "steps": dict.fromkeys(STEPS, False),
    }
    made = t.Takeover(
        id=new_id(), engagement_id=row.id, from_supplier=row.supplier_id, state="needed", why=why, begun_at=now,
        checklist=checklist,
    )  # fmt: skip
    add(session, made)
    if why == "gone":
        tell(session, row.factory_id, "bankruptcy", row, now)
    return made


def told(session: Session, caller: Caller, engagement: str) -> dict[str, Any]:
    """Return for the factory what stays, what is unpaid, whether the deposit is free today, and who can go on.

    Raises:
        RefusedError: `not_there`; `takeover_refused`: `not_gone`.
    """
    row = seen(session, caller, t.Engagement, engagement)
    for_factory(session, caller, row.factory_id)
    one = open_of(session, row.id)
    if one is None:
        raise RefusedError("takeover_refused", why=["not_gone"])
    return {
        "takeover": one.id, "state": one.state, "why": one.why, "to": one.to_supplier, "checklist": one.checklist,
        "release": escrow.standing(session, row, caller.now),
        "candidates": plain(candidates(session, row, caller.now)),
    }  # fmt: skip


def candidates(session: Session, row: t.Engagement, now: int) -> Sequence[engine.Candidate]:
    """Return who can go on with a project, best first."""
    return engine.candidates(
        _system(session, row), _others(session, row, day_of(now)), factory=row.factory_id, gone=row.supplier_id,
        seed=row.id,
    )  # fmt: skip


def offer(session: Session, caller: Caller, key: str, supplier: str) -> t.Takeover:
    """Ask a candidate to go on, for the factory; one who was asked before is not any more.

    Raises:
        RefusedError: `not_there`; `takeover_refused`, with why: `state`, `candidate`.
    """
    one, row = _of(session, caller, key)
    for_factory(session, caller, row.factory_id)
    why = [] if one.state in {"needed", "offered"} else ["state"]
    if supplier not in {found.supplier for found in candidates(session, row, caller.now)}:
        why.append("candidate")
    if why:
        raise RefusedError("takeover_refused", why=why)
    one.to_supplier, one.state = supplier, "offered"
    tell(session, row.factory_id, "takeover", one, caller.now)
    return one


def agree(session: Session, caller: Caller, key: str, version: str | None) -> t.Takeover:
    """Agree to go on, as the one who is asked; with a version of one's own where it replaces what there was.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `takeover_refused`, with why: `state`, `version` (not one's own,
            not registered, or of another family), `slots`.
    """
    one, row = _asked(session, caller, key)
    why = [] if one.state == "offered" else ["state"]
    if version is not None and not _fits(session, row, one.to_supplier, version):
        why.append("version")
    slot = session.get(t.Slot, (one.to_supplier, quarter(day_of(caller.now))))
    if slot is None or left(slot) < 1:
        why.append("slots")
    if why or slot is None:
        raise RefusedError("takeover_refused", why=why)
    slot.used += 1
    one.state = "agreed"
    one.checklist = one.checklist | {"version": version}
    return one


def decline(session: Session, caller: Caller, key: str) -> t.Takeover:
    """Decline, as the one who is asked; nothing follows from it.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `takeover_refused`: `state`.
    """
    one, _ = _asked(session, caller, key)
    if one.state != "offered":
        raise RefusedError("takeover_refused", why=["state"])
    one.to_supplier, one.state = None, "needed"
    return one


def tick(session: Session, caller: Caller, key: str, done: Collection[Step]) -> t.Takeover:
    """Say which steps of the checklist are done, for the factory.

    Raises:
        RefusedError: `not_there`; `takeover_refused`: `state`.
    """
    one, row = _of(session, caller, key)
    for_factory(session, caller, row.factory_id)
    if one.ended_at is not None:
        raise RefusedError("takeover_refused", why=["state"])
    one.checklist = one.checklist | {"steps": {step: step in done for step in STEPS}}
    return one


def open_of(session: Session, engagement: str) -> t.Takeover | None:
    """Return the takeover of a project that is under way."""
    return session.scalars(
        select(t.Takeover).where(t.Takeover.engagement_id == engagement, t.Takeover.ended_at.is_(None))
    ).one_or_none()


def left(slot: t.Slot) -> int:
    """Return how many projects can still be begun in a quarter."""
    return max(0, (slot.declared if slot.most is None else min(slot.declared, slot.most)) - slot.used)


def _of(session: Session, caller: Caller, key: str) -> tuple[t.Takeover, t.Engagement]:
    one = seen(session, caller, t.Takeover, key)
    return one, session.get_one(t.Engagement, one.engagement_id)


def _asked(session: Session, caller: Caller, key: str) -> tuple[t.Takeover, t.Engagement]:
    one, row = _of(session, caller, key)
    if one.to_supplier is None:
        raise RefusedError("wrong_role", needed="supplier")
    need(caller, "supplier", one.to_supplier)
    return one, row


def _fits(session: Session, row: t.Engagement, supplier: str | None, version: str) -> bool:
    found = session.get(t.SolutionVersion, version)
    return (
        found is not None
        and found.supplier_id == supplier
        and found.state == "registered"
        and session.get_one(t.Solution, found.solution_id).family == _family(session, row)
    )


def _family(session: Session, row: t.Engagement) -> str:
    version = session.get_one(t.SolutionVersion, row.version_id)
    return session.get_one(t.Solution, version.solution_id).family


def _system(session: Session, row: t.Engagement) -> engine.System:
    """Return what was installed. Its protocols are the version's: the platform knows of no others."""
    version = session.get_one(t.SolutionVersion, row.version_id)
    paper = contracts.of(session, row.id)
    said = {} if paper is None else paper.conditions
    keeps = frozenset(engine.KEEPS)
    return engine.System(
        solution=version.solution_id,
        family=_family(session, row),
        kept=keeps & {*version.continuity, *said.get("agreed", ())},
        proved=keeps & set((row.drill or {}).get("proved", ())),
        escrow=escrow.level(session, row),
        second=frozenset(said.get("second", ())),
        interfaces=frozenset(version.interfaces),
    )


def _others(session: Session, row: t.Engagement, on: date) -> list[engine.Possible]:
    families: dict[str, set[str]] = defaultdict(set)
    interfaces: dict[str, set[str]] = defaultdict(set)
    for version, family in session.execute(
        select(t.SolutionVersion, t.Solution.family)
        .join(t.Solution, t.Solution.id == t.SolutionVersion.solution_id)
        .where(t.SolutionVersion.state == "registered")
    ):
        families[version.supplier_id].add(family)
        interfaces[version.supplier_id] |= set(version.interfaces)
    slots = session.scalars(select(t.Slot).where(t.Slot.quarter == quarter(on)))
    places = {slot.supplier_id: left(slot) for slot in slots}
    unwanted = set(
        session.scalars(
            select(t.Exclusion.supplier_id).where(
                t.Exclusion.factory_id == row.factory_id, t.Exclusion.until.is_(None),
                t.Exclusion.supplier_id.is_not(None),
            )
        )
    )  # fmt: skip
    bound = _related(session, row.factory_id)
    rows = session.execute(
        select(t.Supplier, t.Party).join(t.Party, t.Party.id == t.Supplier.id).order_by(t.Supplier.id)
    )
    return [
        engine.Possible(
            supplier=one.id,
            active=one.state == "active" and party.closed_at is None,
            families=frozenset(families[one.id]),
            interfaces=frozenset(interfaces[one.id]),
            places=places.get(one.id, 0),
            excluded=one.id in unwanted,
            conflict=bool(bound & {one.id, party.owner_group, *(one.parties or ())}),
        )
        for one, party in rows
    ]


def _related(session: Session, factory: str) -> set[str | None]:
    """Return with whom a successor must not be one: the factory's group, and its mentor's firm."""
    found: set[str | None] = {session.get_one(t.Party, factory).owner_group}
    for mentor in session.scalars(
        select(t.Mentor)
        .join(t.Assignment, t.Assignment.mentor_id == t.Mentor.id)
        .where(t.Assignment.factory_id == factory, t.Assignment.until.is_(None))
    ):
        found |= {mentor.firm_id, *(mentor.related or ())}
    return found - {None}
