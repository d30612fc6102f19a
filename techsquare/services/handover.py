"""The hand-over sheet of a factory, made of what stands in the registry when the next mentor begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from techsquare.glossary.projects import VISIT
from techsquare.mentoring import change
from techsquare.mentoring.change import Entry
from techsquare.registry import tables as t
from techsquare.services import evidence
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.telling import titled, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from settings.language import Language

LONG = 200  # characters of a message that the sheet repeats


def sheet(session: Session, factory: str, mentor: str, now: int) -> dict[str, Any]:
    """Return the sheet as it is kept with an assignment, in the language of the mentor.

    `entries` as in `mentoring.change.Entry`, `lines` as it is read, `before`: what who went has noted.
    """
    language = session.scalars(
        select(t.User.language)
        .join(t.Membership, t.Membership.user_id == t.User.id)
        .where(t.Membership.party_id == mentor, t.Membership.until.is_(None))
        .order_by(t.User.id)
    ).first()
    said: Language = language or "ko"
    entries = list(_entries(session, factory, said))
    made = change.handover(factory, day_of(now), entries)
    notes = session.scalars(
        select(t.Assignment.handover)
        .where(t.Assignment.factory_id == factory, t.Assignment.until.is_not(None))
        .order_by(t.Assignment.until.desc(), t.Assignment.id.desc())
        .limit(1)
    ).first()
    before = (notes or {}).get("text")
    return {
        "made_on": made.made_on.isoformat(),
        "entries": plain(list(made.entries)),
        "lines": change.told(made, said),
        **({"before": before} if before else {}),
    }


def _entries(session: Session, factory: str, language: Language) -> Iterator[Entry]:
    for row in session.scalars(
        select(t.Engagement).where(t.Engagement.factory_id == factory, t.Engagement.ended_on.is_(None))
    ):
        yield Entry("project", row.id, f"{titled(session, row.measure_id)(language)} ({row.state})")
    for task in session.scalars(select(t.Task).where(t.Task.factory_id == factory, t.Task.state == "open")):
        yield Entry("task", task.id, words_of(task.kind, language), None if task.due is None else _day(task.due))
    for visit in session.scalars(
        select(t.Visit).where(t.Visit.factory_id == factory, t.Visit.state.in_(("asked", "planned")))
    ):
        yield Entry("visit", visit.id, VISIT[visit.kind](language), visit.planned_on)
    for message in session.scalars(
        select(t.Message).where(
            t.Message.factory_id == factory, t.Message.party_id.is_(None), t.Message.read_at.is_(None),
            t.Message.from_party == factory,
        )
    ):  # fmt: skip
        yield Entry("message", message.id, message.text[:LONG], day_of(message.at))
    report = evidence.latest(session, factory)
    for one in report.contradictions if report is not None else ():
        place = f"{one.machine}/{one.subject}" if one.machine else one.subject
        yield Entry("contradiction", f"{one.code}/{place}", f"{place}: {one.said} / {one.seen}")
    for unwanted in session.scalars(
        select(t.Exclusion).where(t.Exclusion.factory_id == factory, t.Exclusion.until.is_(None))
    ):
        if unwanted.supplier_id is not None:
            name = session.get_one(t.Party, unwanted.supplier_id).name
        else:
            name = session.get_one(t.Solution, unwanted.solution_id).name
        yield Entry("wish", unwanted.id, name + (f": {unwanted.why}" if unwanted.why else ""))


def _day(moment: int) -> date:
    """Return the day whose end a task's date is."""
    return day_of(moment - 1)
