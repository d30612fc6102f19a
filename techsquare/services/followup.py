"""Reminders over the whole life of a project, by `mentoring.followup`: a task of the night."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from techsquare.mentoring.followup import Project, reminder
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.services.alone import alone
from techsquare.services.days import day_of
from techsquare.services.telling import of_row, tell
from techsquare.services.workdays import calendars

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.mentoring.followup import Reminder
    from techsquare.registry.store import Registry

ACTOR = Actor("mentoring")
REMINDED = ("sign_due", "install_due", "accept_due")


def night(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Remind of every project that is late or due for its quarter; end reminders of steps that were done."""
    today = day_of(now)
    done = {"reminded": 0, "over": 0}
    with registry.reading() as session:
        rows = session.scalars(
            select(t.Engagement).where(t.Engagement.ended_on.is_(None)).order_by(t.Engagement.id)
        ).all()
        planned = calendars(session, {row.factory_id for row in rows}, today)
        delivery = _deliveries(session)
        told = {
            (key.about_id, key.kind, key.body.get("since"))
            for key in session.scalars(select(t.Notification).where(t.Notification.kind.in_((*REMINDED, "care"))))
        }
        due = []
        for row in rows:
            if row.agreed_on is None:  # the supplier has not said yes: nothing to remind of
                continue
            found = reminder(
                Project(row.state, row.agreed_on, row.signed_on, row.installed_on, row.accepted_on,
                        delivery.get(row.id)),
                planned[row.factory_id], today,
            )  # fmt: skip
            if found is not None and (row.id, found.of, found.since.isoformat()) not in told:
                due.append((row.id, found))
        states = {row.id: row.state for row in rows}
        late = {"sign_due": "agreed", "install_due": "signed", "accept_due": "installed"}
        old = [
            task.id
            for task in session.scalars(select(t.Task).where(t.Task.kind.in_(REMINDED), t.Task.state == "open"))
            if states.get((task.source or {}).get("key", "")) != late[task.kind]
        ]
    for key, found in due:

        def work(session: Session, key: str = key, found: Reminder = found) -> int:
            row = session.get_one(t.Engagement, key)
            thing = replace(of_row(session, row), since=found.since, on=found.on)
            return tell(session, row.factory_id, found.of, thing, now)

        done["reminded"] += alone(registry, work, ACTOR, f"the reminder of project {key}") or 0
    for name in old:

        def end(session: Session, name: str = name) -> int:
            task = session.get_one(t.Task, name)
            task.state, task.ended_at = "done", max(now, task.created_at)
            return 1

        done["over"] += alone(registry, end, ACTOR, f"task {name}") or 0
    return done


def _deliveries(session: Session) -> dict[str, date | None]:
    rows = session.execute(
        select(t.Contract.engagement_id, t.Milestone.due)
        .join(t.Milestone, t.Milestone.contract_id == t.Contract.id)
        .where(t.Milestone.kind == "delivery", t.Milestone.due.is_not(None))
    )
    return dict(rows.all())
