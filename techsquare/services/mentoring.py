"""A factory's mentor: the best assignment there is, and another one whenever the factory likes.

Who waits is assigned by `mentoring.assignment` (the operator's job for all who wait; one factory at once when it
changes). The owner may name a mentor, or only say that he wants another one: no reason is asked for, nothing is
held against anybody, and the time that he has waited goes on counting. The mentor who goes loses sight of the
factory at the same moment; the next one finds the hand-over sheet, made of what stands in the registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from techsquare.mentoring import assignment
from techsquare.mentoring.change import HANDOVER_DAYS
from techsquare.mentoring.terms import Barrier  # noqa: TC001 - a mapping is typed by it
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import handover
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.refused import Code, RefusedError
from techsquare.services.rights import Caller, for_factory, need
from techsquare.services.seeking import waiting
from techsquare.services.telling import house, over, tell
from techsquare.services.workdays import calendar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from techsquare.mentoring.terms import Assigned

CODES: Mapping[Barrier, Code] = {
    "inactive": "mentor_away",
    "conflict": "conflict_of_interest",
    "region": "mentor_region",
    "full": "mentor_full",
}
"""What an owner is told of each barrier; one whom he had let go, he may ask for again."""


def seed(now: int) -> str:
    """Return the seed of a day's assignments, which everybody can compute."""
    return f"mentors-{day_of(now).isoformat()}"


def all_waiting(session: Session, caller: Caller) -> dict[str, Any]:
    """Give every factory that waits a mentor, as far as there are any: the operator's job.

    Returns:
        How many were assigned, and for each that was not, all that stands in the way.

    Raises:
        RefusedError: `wrong_role`.
    """
    need(caller, "operator")
    found = waiting(session, day_of(caller.now))
    given = assignment.assign(found.seekers, found.mentors, seed=seed(caller.now))
    for one in given.given:
        if one.mentor is not None:
            _begin(session, one.factory, one.mentor, caller.now)
    return _said(given)


def proposal(session: Session, caller: Caller) -> dict[str, Any]:
    """Return what `all_waiting` would do now: the operator.

    Raises:
        RefusedError: `wrong_role`.
    """
    need(caller, "operator")
    found = waiting(session, day_of(caller.now))
    return _said(assignment.assign(found.seekers, found.mentors, seed=seed(caller.now)))


def assign(
    session: Session, caller: Caller, factory: str, mentor: str | None, reason: str | None, note: str | None
) -> t.Assignment | None:
    """Give a factory a mentor, in place of the one it has: its owner, its mentor of now, or the operator.

    Args:
        session: Of a decision.
        caller: Who.
        factory: Whose mentor.
        mentor: Whom; None: whoever is best, of those whom the owner has not let go.
        reason: If somebody wants to say one; the mentor does not see it.
        note: What the one who changes wants the next mentor to know.

    Returns:
        The assignment, or None where nobody is free now: the factory waits, and the operator answers.

    Raises:
        RefusedError: `not_there`; `same_mentor`; `mentor_away`, `conflict_of_interest`, `mentor_region`,
            `mentor_full`, with all barriers.
    """
    by = "operator" if caller.has("operator") else for_factory(session, caller, factory)
    if session.get(t.Factory, factory) is None or (mentor is not None and session.get(t.Mentor, mentor) is None):
        raise RefusedError("not_there")
    now = session.scalars(
        select(t.Assignment).where(t.Assignment.factory_id == factory, t.Assignment.until.is_(None))
    ).one_or_none()
    if mentor is not None:
        if now is not None and now.mentor_id == mentor:
            raise RefusedError("same_mentor")
        _possible(session, caller.now, factory, mentor)
    if now is not None:
        now.until, now.ended_by = max(caller.now, now.since), by  # type: ignore[assignment]
        now.reason = reason or now.reason
        now.handover = {**(now.handover or {}), **({"text": note} if note else {})} or None
        session.flush()
        over(session, factory, "mentor", now, caller.now)
    if mentor is None:
        found = waiting(session, day_of(caller.now), factory)
        alone = [one for one in found.seekers if one.factory == factory]
        others = [one for one in found.mentors if now is None or one.id != now.mentor_id]
        mentor = assignment.assign(alone, others, seed=seed(caller.now)).given[0].mentor
    if mentor is None:
        return None
    return _begin(session, factory, mentor, caller.now, note)


def left(session: Session, mentor: str, now: int) -> None:
    """Have a mentor look after nobody: his factories wait for another one, his open tasks are the house's."""
    session.get_one(t.Mentor, mentor).state = "left"
    for row in session.scalars(
        select(t.Assignment).where(t.Assignment.mentor_id == mentor, t.Assignment.until.is_(None))
    ):
        row.until, row.ended_by = max(now, row.since), "mentor"
        over(session, row.factory_id, "mentor", row, now)
    whose = house(session)
    for task in session.scalars(select(t.Task).where(t.Task.party_id == mentor, t.Task.state == "open")):
        task.party_id = whose or task.factory_id
    session.flush()


def let_go(session: Session, factory: str, now: int) -> None:
    """End the assignment of a factory that leaves: its mentor has its place for another one."""
    for row in session.scalars(
        select(t.Assignment).where(t.Assignment.factory_id == factory, t.Assignment.until.is_(None))
    ):
        row.until = max(now, row.since)
    session.flush()


def why(session: Session, caller: Caller, factory: str, mentor: str) -> dict[str, Any]:
    """Return what stands between a factory and a mentor, and what it would cost all who wait if he had it.

    Raises:
        RefusedError: `not_there`.
    """
    if not caller.has("operator"):
        for_factory(session, caller, factory)
    if session.get(t.Factory, factory) is None or session.get(t.Mentor, mentor) is None:
        raise RefusedError("not_there")
    found = waiting(session, day_of(caller.now), factory)
    seeker = {one.factory: one for one in found.seekers}[factory]
    helper = {one.id: one for one in found.mentors}[mentor]
    stands = assignment.barriers(seeker, helper)
    return {
        "mentor": mentor,
        "barriers": [name for name in assignment.BARRIERS if name in stands],
        "lacking": sorted(seeker.skills - helper.skills),
        "points": None if stands else plain(assignment.points(seeker, helper, 1)),
        "more": assignment.forced(
            found.seekers, found.mentors, seed=seed(caller.now), factory=factory, mentor=mentor
        ),
    }  # fmt: skip


def _possible(session: Session, now: int, factory: str, mentor: str) -> None:
    found = waiting(session, day_of(now), factory)
    seeker = {one.factory: one for one in found.seekers}.get(factory)
    if seeker is None:  # it has left
        raise RefusedError("not_there")
    stands = assignment.barriers(seeker, {one.id: one for one in found.mentors}[mentor])
    first = next((name for name in assignment.BARRIERS if name in stands and name in CODES), None)
    if first is not None:
        raise RefusedError(CODES[first], barriers=[name for name in assignment.BARRIERS if name in stands])


def _begin(session: Session, factory: str, mentor: str, now: int, note: str | None = None) -> t.Assignment:
    """Begin an assignment: with its sheet, the open tasks of the mentor before, and word to both."""
    sheet = handover.sheet(session, factory, mentor, now)
    sheet["by"] = calendar(session, factory, day_of(now)).after(day_of(now), HANDOVER_DAYS).isoformat()
    row = t.Assignment(
        id=new_id(), factory_id=factory, mentor_id=mentor, since=now,
        handover={**sheet, **({"text": note} if note else {})},
    )  # fmt: skip
    add(session, row)
    mentors = select(t.Party.id).where(t.Party.kind.in_(("mentor", "operator")))
    for task in session.scalars(
        select(t.Task).where(
            t.Task.factory_id == factory, t.Task.state == "open", t.Task.party_id.in_(mentors),
        )
    ):  # fmt: skip
        if (task.source or {}).get("for") == "mentor":
            task.party_id = mentor
    for visit in session.scalars(
        select(t.Visit).where(t.Visit.factory_id == factory, t.Visit.state.in_(("asked", "planned")))
    ):
        visit.mentor_id = mentor
    session.flush()
    tell(session, factory, "mentor", row, now)
    return row


def _said(given: Assigned) -> dict[str, Any]:
    left = [one for one in given.given if one.mentor is None]
    return {
        "seed": given.seed,
        "points": given.points,
        "assigned": {one.factory: one.mentor for one in given.given if one.mentor is not None},
        "lacking": {one.factory: sorted(one.lacking) for one in given.given if one.lacking},
        "waiting": {one.factory: {name: sorted(found) for name, found in one.barriers.items()} for one in left},
    }
