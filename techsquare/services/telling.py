"""What happens to a factory or a project, told to whom it concerns: once, in his language, and as a task.

    owner, mentor   of the factory
    supplier        of the project that it is about, and only where the engine has a text for suppliers

`about` is a row (of the project, or of whatever leads to one by foreign keys; a machine; an agent; ...), or an
`About`. The same thing is told once: the same kind of the same row, and of the same day where it may begin again
(`About.since`; an agent falls silent more than once). Whoever has something to do has it as a task, with a date in
planned days of the factory; a factory without a mentor has the operator's house do the mentor's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect, or_, select

from settings.language import Text
from techsquare.glossary.projects import VISIT
from techsquare.mentoring import events, notifications
from techsquare.mentoring.queue import DAYS
from techsquare.mentoring.terms import Line
from techsquare.registry import tables as t
from techsquare.registry.store import add
from techsquare.services.days import day_of, instant
from techsquare.services.workdays import calendar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from settings.language import Language
    from techsquare.mentoring.events import Event
    from techsquare.mentoring.notifications import Reader, Told
    from techsquare.mentoring.terms import Kind
    from techsquare.registry.base import Base

_UP = ("outcome_id", "plan_id", "contract_id", "engagement_id")
_OF: dict[str, type[Base]] = {
    "outcome_id": t.Outcome, "plan_id": t.MeasurementPlan, "contract_id": t.Contract, "engagement_id": t.Engagement,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class About:
    """What something is about.

    Attributes:
        table: Of the row.
        key: Of the row, parts joined by "/".
        subject: What texts call it.
        since: The day on which it began, where it may begin again; None: it is told once for ever.
        on: The day that texts name; `since` or today where it is None.
        by: The last day for whoever has something to do, where there is one.
        supplier: Whose project it is; without one no supplier is told.
    """

    table: str
    key: str
    subject: Text
    since: date | None = None
    on: date | None = None
    by: date | None = None
    supplier: str | None = None


def tell(session: Session, factory: str, kind: Kind | Event, about: Base | About, now: int, but: str = "") -> int:
    """Tell something, and give who has something to do a task; return how many lines were new.

    In `Registry.decide`. May be called again with the same: then nothing happens. `but`: a user who knows it,
    because he has said it.
    """
    thing = about if isinstance(about, About) else of_row(session, about)
    today = day_of(now)
    planned = calendar(session, factory, today)
    on = thing.on or thing.since or today
    name = session.get_one(t.Party, factory).name or factory
    new = 0
    for reader, party in _parties(session, factory, thing):
        if not _spoken(kind, reader):
            continue
        days = _days(kind, reader)
        # An owner's text that names a day and leaves him nothing to do says by when his mentor is there.
        others = _days(kind, "mentor") if reader == "owner" else None
        due = planned.after(today, (others or 0) if days is None else days)
        if thing.by is not None:
            due = min(due, max(today, planned.latest(thing.by)))
        for user in _people(session, reader, party, now, but):
            said = _words(kind, reader, user.language, (name, thing.subject(user.language), on, due))
            new += _notify(session, user.id, kind, thing, said, (on, due), now)
        if days is not None:
            whose = party or house(session) or factory
            new += _task(session, factory, whose, reader, kind, thing, due, now)
    return new


def over(session: Session, factory: str, kind: Kind | Event, about: Base | About, now: int) -> int:
    """End the open tasks of something that is done or no longer so; return how many."""
    thing = about if isinstance(about, About) else of_row(session, about)
    found = 0
    for task in session.scalars(
        select(t.Task).where(t.Task.factory_id == factory, t.Task.kind == kind, t.Task.state == "open")
    ):
        source = task.source or {}
        if (source.get("table"), source.get("key")) == (thing.table, thing.key):
            task.state, task.ended_at = "done", max(now, task.created_at)
            found += 1
    session.flush()
    return found


def of_row(session: Session, row: Base) -> About:
    """Return what a row is about: its project's measure and supplier where it has a project."""
    session.flush()
    key = "/".join(str(part) for part in inspect(row).identity or ())
    project = _project(session, row)
    since = None
    if isinstance(row, t.Agent) and row.silent_since is not None:
        since = day_of(row.silent_since)
    if isinstance(row, t.AgentEvent):
        since = day_of(row.at)
    supplier: str | None
    if project is not None:
        supplier = row.to_supplier if isinstance(row, t.Takeover) else project.supplier_id  # the next one is asked
        return About(row.__tablename__, key, titled(session, project.measure_id), since, supplier=supplier)
    supplier = getattr(row, "supplier_id", None)
    return About(row.__tablename__, key, _subject(session, row, key), since, supplier=supplier)


def titled(session: Session, measure: str) -> Text:
    """Return what a measure is called."""
    found = session.get(t.Measure, measure)
    return Text(measure, measure) if found is None else Text(found.title_en, found.title_ko)


def words_of(kind: str, language: Language) -> str:
    """Return the title of a kind of task; the kind itself where nobody has given it one."""
    titles = {str(name): title for name, title in (*notifications.TITLES.items(), *events.TITLES.items())}
    title = titles.get(kind)
    return kind if title is None else title(language)


def mentor_of(session: Session, factory: str) -> str | None:
    """Return the mentor who looks after a factory now."""
    return session.scalar(
        select(t.Assignment.mentor_id).where(t.Assignment.factory_id == factory, t.Assignment.until.is_(None))
    )


def _project(session: Session, row: Base) -> t.Engagement | None:
    found: Any = row
    while not isinstance(found, t.Engagement):
        step = next((name for name in _UP if getattr(found, name, None) is not None), None)
        if step is None:
            return None
        found = session.get_one(_OF[step], getattr(found, step))
    return found


def _subject(session: Session, row: Base, key: str) -> Text:
    """Return what texts call a row that belongs to no project."""
    measure = getattr(row, "measure_id", None)
    if measure is not None:
        return titled(session, measure)
    name = getattr(row, "name", None) or key.rsplit("/", 1)[-1]
    if isinstance(row, t.Visit):
        return VISIT[row.kind]
    if isinstance(row, t.Message):
        return Text("mentoring", "멘토링")
    if isinstance(row, t.Assignment):
        name = session.get_one(t.Party, row.mentor_id).name
    if isinstance(row, t.FitCheck):
        version = session.get_one(t.SolutionVersion, row.version_id)
        name = f"{session.get_one(t.Solution, version.solution_id).name} {version.version}"
    return Text(name, name)


def _parties(session: Session, factory: str, thing: About) -> Iterable[tuple[Reader, str | None]]:
    yield "owner", factory
    yield "mentor", mentor_of(session, factory)
    if thing.supplier is not None:
        yield "supplier", thing.supplier


def _people(session: Session, reader: Reader, party: str | None, now: int, but: str) -> list[t.User]:
    if party is None:
        return []
    found = session.scalars(
        select(t.User)
        .join(t.Membership, t.Membership.user_id == t.User.id)
        .where(
            t.Membership.party_id == party, t.Membership.role == reader, t.Membership.since <= now,
            or_(t.Membership.until.is_(None), t.Membership.until > now), t.User.disabled_at.is_(None),
            t.User.id != but,
        )
        .order_by(t.User.id)
        .distinct()
    )  # fmt: skip
    return list(found)


def _spoken(kind: str, reader: Reader) -> bool:
    return (kind, reader) in {*notifications.TEXTS, *events.TEXTS}


def _days(kind: str, reader: Reader) -> int | None:
    """Return how many planned days somebody has for it; None: he has nothing to do."""
    of_queue = {str(name): days for name, days in DAYS.items()} if reader == "mentor" else {}
    return events.DAYS.get((kind, reader), of_queue.get(kind))


def _words(kind: Any, reader: Reader, language: Language, words: tuple[str, str, date, date]) -> Told:
    factory, subject, on, due = words
    if kind in notifications.TITLES:
        said = notifications.told(Line(kind, factory, subject, on, due, False, 1, False), reader, language)
        assert said is not None, "there is a text"
        return said
    text = events.TEXTS[kind, reader](language)
    return notifications.Told(
        events.TITLES[kind](language), text.format(factory=factory, subject=subject, on=on, due=due)
    )


def _since(thing: About) -> str | None:
    return None if thing.since is None else thing.since.isoformat()


def _notify(
    session: Session, user: str, kind: str, thing: About, said: Told, days: tuple[date, date], now: int
) -> bool:  # fmt: skip
    there = session.scalars(
        select(t.Notification).where(
            t.Notification.user_id == user, t.Notification.kind == kind,
            t.Notification.about_table == thing.table, t.Notification.about_id == thing.key,
        )
    )  # fmt: skip
    if any(one.body.get("since") == _since(thing) for one in there):
        return False
    on, due = (day.isoformat() for day in days)
    body = {"title": said.title, "text": said.text, "on": on, "due": due}
    row = t.Notification(
        user_id=user, kind=kind, about_table=thing.table, about_id=thing.key,
        body={**body, "since": _since(thing)}, created_at=now,
    )  # fmt: skip
    add(session, row)
    return True


def _task(
    session: Session, factory: str, whose: str, reader: Reader, kind: str, thing: About, due: date, now: int
) -> bool:  # fmt: skip
    source = {"table": thing.table, "key": thing.key, "since": _since(thing), "for": reader}
    there = session.scalars(select(t.Task).where(t.Task.factory_id == factory, t.Task.kind == kind))
    if any(one.source == source for one in there):
        return False
    row = t.Task(
        factory_id=factory, party_id=whose, kind=kind, state="open", created_at=now, due=end_of(due), source=source
    )
    add(session, row)
    return True


def end_of(day: date) -> int:
    """Return the end of a day in Korea, ns since 1970."""
    return instant(day + timedelta(days=1))


def house(session: Session) -> str | None:
    """Return the operator's house."""
    return session.scalars(
        select(t.Party.id).where(t.Party.kind == "operator", t.Party.closed_at.is_(None)).order_by(t.Party.id)
    ).first()
