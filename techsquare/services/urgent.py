"""A mentor's queue: what is open at his factories, gathered out of rows, in the published order.

    silence       the agent that signs has fallen silent (`intake.watch`)
    stale, unused, decay
                  events of agents; a verified gain that has gone (`outcome.decayed_on`)
    disagreement  contradictions of the latest report
    objection     one that nobody has decided
    verdict       a frozen plan's next date is within two weeks
    bankruptcy    a supplier with an open project has closed

States (silence, objection, verdict, bankruptcy) leave the queue when they have ended. What is told once (the
others) leaves it when the mentor says that he has seen to it; an event comes again when it begins again. The same
signals are told to owner, mentor and supplier by the night, once (`telling`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from settings.language import Text
from techsquare.mentoring.queue import DAYS, KINDS, load, queue
from techsquare.mentoring.terms import Kind, Signal
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.services import evidence
from techsquare.services.alone import alone
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need
from techsquare.services.telling import About, of_row, over, tell
from techsquare.services.workdays import calendars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.mentoring.queue import Load
    from techsquare.mentoring.terms import Line
    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller

NEAR = timedelta(days=14)
"""Before a verdict's date, in which there is still time to repair missing days."""
ONCE: frozenset[Kind] = frozenset({"stale", "unused", "decay", "disagreement"})
ACTOR = Actor("mentoring")
_CHUNK = 500


class Open(NamedTuple):
    """Something open, and what people are told it is about."""

    signal: Signal
    about: About


def of_mentor(session: Session, caller: Caller, mentor: str) -> dict[str, Any]:
    """Return the queue of a mentor: himself.

    Raises:
        RefusedError: `wrong_role`.
    """
    need(caller, "mentor", mentor)
    factories = session.scalars(
        select(t.Assignment.factory_id).where(t.Assignment.mentor_id == mentor, t.Assignment.until.is_(None))
    ).all()
    language = session.get_one(t.User, caller.user).language
    today = day_of(caller.now)
    found = signals(session, factories, today)
    lines, much = _queued(session, found, today)
    about = {(one.signal.kind, one.signal.factory, one.signal.subject): one.about for one in found}
    named = {name: session.get_one(t.Party, name).name for name in factories}
    shown = []
    for line in lines:
        thing = about[line.kind, line.factory, line.subject]
        more = {
            "title": thing.subject(language),
            "name": named[line.factory],
            "table": thing.table,
            "key": thing.key,
        }
        shown.append({**plain(line), **more})
    return {"day": today.isoformat(), "order": list(KINDS), "load": plain(much), "lines": shown}


def settle(
    session: Session, caller: Caller, factory: str, kind: Kind, subject: str, note: str | None
) -> int:  # fmt: skip
    """Say that a line has been seen to: the mentor, or the owner.

    Returns:
        How many signals that were.

    Raises:
        RefusedError: `not_there`: also where no such line is open; `still_so`: it ends when its state does.
    """
    for_factory(session, caller, factory)
    mine = [
        one
        for one in signals(session, [factory], day_of(caller.now))
        if (one.signal.kind, one.signal.subject) == (kind, subject)
    ]
    if not mine:
        raise RefusedError("not_there")
    if kind not in ONCE:
        raise RefusedError("still_so")
    for one in mine:
        tell(session, factory, kind, one.about, caller.now)
        for task in _tasks(session, [factory], kind):
            if _key(task) == (one.about.table, one.about.key) and task.state == "open":
                task.note = note
        over(session, factory, kind, one.about, caller.now)
    return len(mine)


def night(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Tell whom it concerns of everything that is open and was not told, and end tasks of what is over."""
    done = {"told": 0, "over": 0}
    with registry.reading() as session:
        names = session.scalars(
            select(t.Factory.id)
            .join(t.Party, t.Party.id == t.Factory.id)
            .where(t.Party.closed_at.is_(None))
            .order_by(t.Factory.id)
        ).all()
    for at in range(0, len(names), _CHUNK):
        chunk = names[at : at + _CHUNK]
        with registry.reading() as session:
            found = signals(session, chunk, day_of(now))
            tasks = _tasks(session, chunk)
        there = {(task.factory_id, task.kind, *_key(task), (task.source or {}).get("since")) for task in tasks}
        for one in found:
            if _mark(one) not in there:
                signal, about = one
                told = alone(
                    registry,
                    lambda s, a=signal, b=about: tell(s, a.factory, a.kind, b, now),  # type: ignore[misc]
                    ACTOR,
                    f"{signal.kind} at {signal.factory}",
                )
                done["told"] += told or 0
        held = {_mark(one) for one in found}
        for task in tasks:
            mark = (task.factory_id, task.kind, *_key(task), (task.source or {}).get("since"))
            begun = task.kind in {"stale", "unused"} or (task.kind, mark[2]) == ("decay", "agent_event")
            if task.state == "open" and mark not in held and not begun and mark[2] is not None:
                ended = alone(registry, lambda s, key=task.id: _end(s, key, now), ACTOR, f"task {task.id}")  # type: ignore[misc]
                done["over"] += ended or 0
    return done


def signals(session: Session, factories: Sequence[str], today: date) -> list[Open]:
    """Return everything that is open at some factories, in any order."""
    found: list[Open] = []
    for at in range(0, len(factories), _CHUNK):
        chunk = list(factories[at : at + _CHUNK])
        tasks = _tasks(session, chunk)
        begun = _begun(tasks)
        closed = {(k.kind, *_key(k)) for k in tasks if k.state == "done"}
        found += _agents(session, chunk)
        found += [one for one in _events(session, chunk) if (one.signal.kind, *_of(one)) not in closed]
        found += [
            one for one in _differ(session, chunk, begun, today) if (one.signal.kind, *_of(one)) not in closed
        ]
        found += _projects(session, chunk, begun, closed, today)
    return found


def _queued(session: Session, found: Iterable[Open], today: date) -> tuple[Sequence[Line], Load]:
    every = [one.signal for one in found]
    planned = calendars(session, {one.factory for one in every}, today)
    lines = queue(every, planned, today)
    return lines, load(lines, planned, today)


def _agents(session: Session, factories: Sequence[str]) -> Iterator[Open]:
    for row in session.scalars(
        select(t.Agent).where(
            t.Agent.factory_id.in_(factories), t.Agent.reporter, t.Agent.silent_since.is_not(None)
        )
    ):
        about = of_row(session, row)
        assert about.since is not None
        yield Open(Signal("silence", row.factory_id, row.id, about.since), about)


def _events(session: Session, factories: Sequence[str]) -> Iterator[Open]:
    names = {
        (factory, key): name
        for factory, key, name in session.execute(
            select(t.Machine.factory_id, t.Machine.id, t.Machine.name).where(t.Machine.factory_id.in_(factories))
        )
    }
    kinds: tuple[Kind, ...] = ("stale", "unused", "decay")
    for row in session.scalars(
        select(t.AgentEvent).where(t.AgentEvent.factory_id.in_(factories), t.AgentEvent.kind.in_(kinds))
    ):
        subject, kind = str(row.body.get("subject") or row.agent_id), kinds[kinds.index(row.kind)]
        title = names.get((row.factory_id, subject)) or subject
        on = _date(row.body.get("date")) or day_of(row.at)
        about = About("agent_event", row.id, Text(title, title), on=on)
        yield Open(Signal(kind, row.factory_id, subject, on), about)


def _differ(
    session: Session, factories: Sequence[str], begun: dict[tuple[str, ...], date], today: date
) -> Iterator[Open]:
    for factory in factories:
        report = evidence.latest(session, factory)
        for one in report.contradictions if report is not None else ():
            key = "/".join((factory, one.code, one.machine or "", one.subject))
            on = begun.get((factory, "disagreement", key), today)
            title = f"{one.machine} {one.subject}" if one.machine else one.subject
            yield Open(Signal("disagreement", factory, key, on), About("report", key, Text(title, title), on=on))


def _projects(
    session: Session, factories: Sequence[str], begun: dict[tuple[str, ...], date],
    closed: set[tuple[str, Any, Any]], today: date,
) -> Iterator[Open]:  # fmt: skip
    projects = {
        row.id: row for row in session.scalars(select(t.Engagement).where(t.Engagement.factory_id.in_(factories)))
    }
    gone = set(session.scalars(select(t.Supplier.id).where(t.Supplier.state == "closed")))
    for project in projects.values():
        if project.supplier_id in gone and project.ended_on is None:
            on = begun.get((project.factory_id, "bankruptcy", project.id), today)
            yield Open(Signal("bankruptcy", project.factory_id, project.id, on), of_row(session, project))
    plans = session.scalars(
        select(t.MeasurementPlan).where(
            t.MeasurementPlan.engagement_id.in_(list(projects)), t.MeasurementPlan.withdrawn_at.is_(None),
            t.MeasurementPlan.frozen_at.is_not(None),
        )
    ).all()  # fmt: skip
    said: dict[str, list[t.Outcome]] = defaultdict(list)
    for outcome in session.scalars(
        select(t.Outcome).where(t.Outcome.plan_id.in_([plan.id for plan in plans])).order_by(t.Outcome.look)
    ):
        said[outcome.plan_id].append(outcome)
    open_ = session.scalars(
        select(t.Objection).where(
            t.Objection.outcome_id.in_([one.id for some in said.values() for one in some]),
            t.Objection.decided_at.is_(None),
        )
    ).all()
    of_plan = {one.id: plan for plan in plans for one in said[plan.id]}
    for objection in open_:
        project = projects[of_plan[objection.outcome_id].engagement_id]
        signal = Signal("objection", project.factory_id, project.id, day_of(objection.at))
        yield Open(signal, of_row(session, objection))
    idle = {
        _key(task)[1]: task
        for task in _tasks(session, factories, "unused")
        if task.state == "open" and _key(task)[0] == t.MeasurementPlan.__tablename__
    }
    for plan in plans:
        project = projects[plan.engagement_id]
        about = of_row(session, plan)
        if plan.id in idle:  # `watching` looks at use each night, and ends it when there is some
            told, since = idle[plan.id], _date((idle[plan.id].source or {}).get("since"))
            signal = Signal("unused", project.factory_id, plan.id, day_of(told.created_at))
            yield Open(signal, replace(about, since=since))
        when = _next(plan, said[plan.id])
        if when is not None and project.ended_on is None and today >= when - NEAR:
            near = About(about.table, about.key, about.subject, when, when, when, about.supplier)
            yield Open(Signal("verdict", project.factory_id, plan.id, when - NEAR, when), near)
        for outcome in said[plan.id]:
            lost = of_row(session, outcome)
            if outcome.decayed_on is not None and ("decay", lost.table, lost.key) not in closed:
                yield Open(Signal("decay", project.factory_id, plan.id, outcome.decayed_on), lost)


def _next(plan: t.MeasurementPlan, said: Sequence[t.Outcome]) -> date | None:
    """Return the date of a plan's next verdict, None where there is none to come."""
    if not said:
        return plan.verdict_on
    last = said[-1]
    undecided = last.word in {"cannot_tell", "cause_not_shown"}
    return plan.extended_to if last.look == 1 and undecided and plan.extended_to > plan.verdict_on else None


def _tasks(session: Session, factories: Sequence[str], kind: Kind | None = None) -> list[t.Task]:
    """Return the mentor's tasks of the queue's kinds, of all time."""
    kinds = list(DAYS) if kind is None else [kind]
    rows = session.scalars(
        select(t.Task).where(t.Task.factory_id.in_(factories), t.Task.kind.in_(kinds)).order_by(t.Task.id)
    )
    return list(rows)


def _begun(tasks: Iterable[t.Task]) -> dict[tuple[str, ...], date]:
    """Return when a thing was told first, by factory, kind and key."""
    found: dict[tuple[str, ...], date] = {}
    for task in tasks:
        key = (task.factory_id, task.kind, str(_key(task)[1]))
        on = day_of(task.created_at)
        found[key] = min(on, found.get(key, on))
    return found


def _key(task: t.Task) -> tuple[Any, Any]:
    source = task.source or {}
    return source.get("table"), source.get("key")


def _of(one: Open) -> tuple[str, str]:
    return one.about.table, one.about.key


def _mark(one: Open) -> tuple[str, str, str, str, str | None]:
    since = one.about.since
    return (
        one.signal.factory, one.signal.kind, *_of(one), None if since is None else since.isoformat(),
    )  # fmt: skip


def _end(session: Session, key: str, now: int) -> int:
    task = session.get_one(t.Task, key)
    if task.state != "open":
        return 0
    task.state, task.ended_at = "dropped", max(now, task.created_at)
    return 1


def _date(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None
