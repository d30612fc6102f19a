"""Who has fallen silent, and consent that was taken back.

A factory is silent when nothing of its reporter was heard for three days, or when three days on which it usually
works have ended without a record; `agent.silent_since` says since when, and the night tells whom it concerns. Which
days these are its own records of the last four weeks say: a weekday with at least two of them; before there are
enough, Monday to Friday. So Sundays and a plant that rests on Mondays are no silence, and the first week of a
holiday is asked about once.

What the owner has taken back goes a week after: until then a slip in his file can be undone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from techsquare.intake import agents, checks
from techsquare.intake.questions import ACTOR
from techsquare.registry.factories import Agent
from techsquare.registry.leaving import withdraw
from techsquare.registry.measured import DayRecord
from techsquare.registry.people import Task

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

    from techsquare.intake.terms import AgentKey
    from techsquare.registry.store import Registry

DAYS = 3
"""Production days without a record, or days without a word, until somebody is asked to look."""
_WINDOW = timedelta(days=28)
_ENOUGH = 8
_USUAL = frozenset(range(5))
_DAY_NS = 86_400 * 10**9


def working(records: Collection[date], last: date) -> frozenset[int]:
    """Return the weekdays (0 is Monday) on which a factory usually has a record.

    Args:
        records: Dates of its records.
        last: The latest of them.
    """
    recent = [day for day in records if last - _WINDOW < day <= last]
    if len(recent) < _ENOUGH:
        return _USUAL
    found = frozenset(weekday for weekday in range(7) if sum(day.weekday() == weekday for day in recent) >= 2)
    return found or _USUAL


def missed(records: Collection[date], today: date) -> int:
    """Return how many usual days have ended without a record since the last one; 0 where there never was one."""
    if not records:
        return 0
    last = max(records)
    days = working(records, last)
    # a day's record comes up to a day after its end, where several agents make one report
    return sum((last + timedelta(n)).weekday() in days for n in range(1, (today - last).days - 1))


def silent(records: Collection[date], seen: int | None, now: int, *, expects_days: bool) -> str | None:
    """Return why an agent counts as silent, or None.

    Args:
        records: Dates of its records.
        seen: When anything of it was heard, UTC ns.
        now: UTC ns.
        expects_days: Whether the owner agrees to daily records.
    """
    if seen is not None and now - seen > DAYS * _DAY_NS:
        return "nothing heard"
    today = datetime.fromtimestamp(now / 1e9, UTC).date()
    return "no day" if expects_days and missed(records, today) >= DAYS else None


def look(registry: Registry, now: int) -> dict[str, int]:
    """Note who has fallen silent and who speaks again, and delete what was taken back; return how many of each."""
    told = {"silent": 0, "heard": 0, "withdrawn": 0}
    with registry.reading() as session:
        changes = _changes(session, now)
        due = session.scalars(
            select(Task.id).where(Task.kind == "consent_withdrawn", Task.state == "open", Task.due <= now)
        ).all()
    for of, why in changes:
        registry.decide(lambda s, of=of, why=why: _tell(s, of, why, now), ACTOR)  # type: ignore[misc]
        told["heard" if why is None else "silent"] += 1
    for task in due:
        told["withdrawn"] += registry.decide(lambda s, task=task: _withdraw(s, task, now), ACTOR)  # type: ignore[misc]
    return told


def _changes(session: Session, now: int) -> list[tuple[AgentKey, str | None]]:
    reporters = agents.reporters(session)
    found: list[tuple[AgentKey, str | None]] = []
    since = datetime.fromtimestamp(now / 1e9, UTC).date() - timedelta(days=400)
    for at in range(0, len(reporters), 200):
        for of, held in agents.known(session, reporters[at : at + 200], now).items():
            row = session.get_one(Agent, of)
            days = session.scalars(
                select(DayRecord.day)
                .where(DayRecord.factory_id == of[0], DayRecord.agent_id == of[1], DayRecord.day > since)
                .order_by(DayRecord.day.desc())
                .limit(40)
            ).all()
            why = silent(days, row.seen_at, now, expects_days=checks.records_allowed(held))
            if (why is None) is not (row.silent_since is None):
                found.append((of, why))
    return sorted(found)


def _tell(session: Session, of: AgentKey, why: str | None, now: int) -> None:
    row = session.get_one(Agent, of)
    if why is None:
        row.silent_since = None
    else:
        row.silent_since = row.seen_at or now


def _withdraw(session: Session, name: str, now: int) -> int:
    """Delete what came under scopes that are still taken back; return whether anything was."""
    task = session.get_one(Task, name)
    if task.state != "open" or task.source is None:
        return 0
    held = agents.known(session, [(task.factory_id, task.source["agent"])], now).get(
        (task.factory_id, task.source["agent"])
    )
    gone = frozenset(task.source["scopes"].split()) - (
        held.scopes or frozenset() if held is not None else frozenset()
    )
    task.state, task.ended_at = "done", now
    session.flush()
    if not gone:
        return 0
    withdraw(session, task.factory_id, gone, now, ACTOR)
    return 1
