"""Visits of a mentor: asked for, planned, done with the sheet, missed, dropped.

    asked --plan--> planned --done--> done
    planned --plan--> planned (another day)     planned --missed--> missed     asked, planned --drop--> dropped

The sheet (`mentoring.visit`) is made of what is open when it is looked at: contradictions and missing evidence of
the latest report, what is cheapest to measure, questions that signals cannot answer. When the visit is done it is
kept with what was found. What a visit has cost stands in the sponsor's ledger as not told, until somebody says it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from settings.language import Text
from techsquare.diagnosis.load import load as load_questionnaire
from techsquare.entry.cheapest import CHECK_MINUTES
from techsquare.entry.load import load as load_entry
from techsquare.glossary.projects import VISIT
from techsquare.mentoring import visit as engine
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import evidence
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need, seen
from techsquare.services.telling import About, mentor_of, over, tell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from settings.language import Language
    from techsquare.diagnosis.questionnaire import Question
    from techsquare.mentoring.events import Event
    from techsquare.registry.mentors import VisitKind, VisitState
    from techsquare.services.rights import Caller

OPEN: tuple[VisitState, ...] = ("asked", "planned")


def ask(session: Session, caller: Caller, factory: str, kind: VisitKind | None, on: date | None) -> t.Visit:
    """Ask for a visit (the owner), or plan one at once (the mentor).

    Raises:
        RefusedError: `not_there`; `visit_state`: one of this kind is asked for or planned; a mentor names no day.
    """
    role = for_factory(session, caller, factory)
    if role == "mentor" and on is None:
        raise RefusedError("visit_state")
    if kind is None:
        before = select(t.Visit.id).where(t.Visit.factory_id == factory, t.Visit.state == "done")
        kind = "first" if session.scalars(before).first() is None else "diagnosis"
    there = select(t.Visit.id).where(t.Visit.factory_id == factory, t.Visit.kind == kind, t.Visit.state.in_(OPEN))
    if session.scalars(there).first() is not None:
        raise RefusedError("visit_state")
    row = t.Visit(
        id=new_id(), factory_id=factory, mentor_id=mentor_of(session, factory), kind=kind, created_at=caller.now,
        state="planned" if role == "mentor" else "asked", planned_on=on,
    )  # fmt: skip
    add(session, row)
    if role == "mentor":
        _told(session, row, caller.now)
    else:
        tell(session, factory, "visit_asked", row, caller.now)
    return row


def plan(session: Session, caller: Caller, visit: str, on: date) -> t.Visit:
    """Put a visit on a day: the mentor.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `visit_state`; `too_early`: the day has passed.
    """
    row = _open(session, caller, visit, mentor=True)
    if on < day_of(caller.now):
        raise RefusedError("too_early")
    row.state, row.planned_on, row.mentor_id = "planned", on, mentor_of(session, row.factory_id)
    session.flush()
    over(session, row.factory_id, "visit_asked", row, caller.now)
    _told(session, row, caller.now)
    return row


def sheet(session: Session, caller: Caller, visit: str, language: Language) -> dict[str, Any]:
    """Return the sheet of a visit: as it was kept, or of this moment.

    Raises:
        RefusedError: `not_there`.
    """
    row = seen(session, caller, t.Visit, visit)
    for_factory(session, caller, row.factory_id)
    if row.state == "done":
        return dict(row.sheet or {})
    return _sheet(session, row, row.planned_on or day_of(caller.now), language)


def done(
    session: Session, caller: Caller, visit: str, on: date, found: Mapping[str, str], language: Language
) -> t.Visit:  # fmt: skip
    """Keep that a visit took place, with its sheet and what was found: the mentor.

    Args:
        session: Of a decision.
        caller: Who.
        visit: Which; it need not have been planned.
        on: The day; not one to come.
        found: Line of the sheet, or any heading -> what was found.
        language: Of the sheet that is kept.

    Raises:
        RefusedError: `not_there`; `wrong_role`; `visit_state`; `too_early`: the day has not come.
    """
    row = _open(session, caller, visit, mentor=True)
    if on > day_of(caller.now):
        raise RefusedError("too_early")
    row.sheet = {**_sheet(session, row, on, language), "found": dict(found)}
    row.state, row.done_on, row.mentor_id = "done", on, mentor_of(session, row.factory_id)
    cost = t.Cost(
        id=new_id(), factory_id=row.factory_id, kind="visit", won=None, payer="sponsor", on_date=on, note=row.id
    )
    add(session, cost)
    _over(session, row, caller.now)
    return row


def ended(session: Session, caller: Caller, visit: str, *, missed: bool) -> t.Visit:
    """Keep that a visit did not take place (`missed`), or is not wanted any more.

    Raises:
        RefusedError: `not_there`; `visit_state`; `too_early`: one that is to come cannot have been missed.
    """
    row = _open(session, caller, visit, mentor=False)
    if missed and row.state != "planned":
        raise RefusedError("visit_state")
    if missed and row.planned_on is not None and row.planned_on > day_of(caller.now):
        raise RefusedError("too_early")
    row.state = "missed" if missed else "dropped"
    _over(session, row, caller.now)
    return row


def _open(session: Session, caller: Caller, visit: str, *, mentor: bool) -> t.Visit:
    row = seen(session, caller, t.Visit, visit)
    role = for_factory(session, caller, row.factory_id)
    if mentor and role != "mentor":
        need(caller, "mentor")
    if row.state not in OPEN:
        raise RefusedError("visit_state", state=row.state)
    return row


def _told(session: Session, row: t.Visit, now: int) -> None:
    """Tell of a day; another day is another thing."""
    about = About("visit", row.id, VISIT[row.kind], row.planned_on)
    tell(session, row.factory_id, "visit", about, now)


def _over(session: Session, row: t.Visit, now: int) -> None:
    session.flush()
    kinds: tuple[Event, ...] = ("visit_asked", "visit")
    for kind in kinds:
        over(session, row.factory_id, kind, row, now)


def _sheet(session: Session, row: t.Visit, on: date, language: Language) -> dict[str, Any]:
    report = evidence.latest(session, row.factory_id)
    differences = [
        engine.Difference(one.code, one.subject, one.said, one.seen, one.machine)
        for one in (report.contradictions if report is not None else ())
    ]
    missing = [
        engine.Missing(one.metric, one.reason, tuple(one.machines), max(1, len(one.machines)))
        for one in (report.missing if report is not None else ())
    ]
    answered = {
        question: day_of(at)
        for question, at in session.execute(
            select(t.Answer.question, t.Answer.at)
            .where(t.Answer.factory_id == row.factory_id)
            .order_by(t.Answer.at)
        )
    }
    counted = session.scalars(select(t.Reading.kind).where(t.Reading.factory_id == row.factory_id).distinct())
    page = engine.sheet(
        row.factory_id, on, differences=differences, missing=missing, measurable=_measurable(),
        known=frozenset(counted),
        questions=[
            engine.Question(one.id, Text(one.en, one.ko), answered.get(one.id)) for one in _questions()
        ],
    )  # fmt: skip
    asked = row.sheet or {}  # what the twenty questions want measured on this visit
    return {**asked, "on": on.isoformat(), "page": plain(page), "lines": engine.told(page, language)}


@cache
def _questions() -> tuple[Question, ...]:
    return load_questionnaire().questions


@cache
def _measurable() -> tuple[engine.Measurable, ...]:
    """Return what the twenty questions' file knows how to measure by hand."""
    return tuple(
        engine.Measurable(
            one.id, frozenset(narrows.question for narrows in one.narrows), one.won, CHECK_MINUTES,
            Text(one.en, one.ko),
        )
        for one in load_entry().checks
    )  # fmt: skip
