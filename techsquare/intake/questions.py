"""What the owner is asked or told, once; and his answer to a new key: his, or not his.

Questions are tasks of the factory, so owner and mentor see them. Two of one kind and source are one question while
it is open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from techsquare.registry.audit import Actor, entry
from techsquare.registry.factories import Agent
from techsquare.registry.measured import DayRecord, MetricDay
from techsquare.registry.people import Audit, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from techsquare.intake.terms import Question
    from techsquare.registry.people import TaskState

ACTOR = Actor("intake")
DAY_NS = 86_400 * 10**9
KEYS = ("key_first", "key_changed", "reporter_changed")


def ask(session: Session, questions: Iterable[Question], now: int) -> int:
    """Ask what is not asked already; return how many were new. In `Registry.decide`."""
    new = 0
    for one in dict.fromkeys(questions):
        source = dict(one.source)
        there = session.scalars(
            select(Task).where(Task.factory_id == one.factory, Task.kind == one.kind, Task.state == "open")
        )
        if any(task.source == source for task in there):
            continue
        session.add(
            Task(
                factory_id=one.factory, party_id=one.factory, kind=one.kind, state="open", created_at=now,
                due=now + one.days * DAY_NS, source=source,
            )
        )  # fmt: skip
        session.flush()
        new += 1
    return new


def close(
    session: Session, factory: str, kinds: Iterable[str], agent: str, now: int, state: TaskState = "done"
) -> int:
    """End the open questions of some kinds about an agent; return how many."""
    found = [
        task
        for task in session.scalars(
            select(Task).where(Task.factory_id == factory, Task.kind.in_(tuple(kinds)), Task.state == "open")
        )
        if (task.source or {}).get("agent") == agent
    ]
    for task in found:
        task.state, task.ended_at = state, now
    return len(found)


def confirm_key(session: Session, factory: str, agent: str, key: str, now: int) -> None:
    """Take the key that the owner vouches for: from now on this agent signs for the factory with it.

    In `Registry.decide`, in the owner's name. Records under it are pulled as soon as the manifest is heard again;
    what the key before has signed stays as it is.

    Args:
        session: Of a decision.
        factory: Whose.
        agent: Which.
        key: The public key that he was shown; another one may have come since.
        now: UTC ns.

    Raises:
        LookupError: there is no such agent, or no such key waits.
    """
    row = session.get(Agent, (factory, agent))
    if row is None or key not in {row.next_key, row.public_key}:
        raise LookupError(f"no such key of {factory}/{agent} waits")
    if row.next_key != key:  # it was pinned at first contact, or registered; what else waits, still does
        close(session, factory, ["key_first"], agent, now)
        return
    changed = row.public_key != key
    for other in session.scalars(
        select(Agent).where(Agent.factory_id == factory, Agent.reporter, Agent.id != agent)
    ):
        other.reporter = False
    session.flush()  # one agent signs for a factory: the old one first
    row.public_key, row.next_key, row.reporter = key, None, True
    if changed:
        row.chain_number = row.chain_head = row.chain_date = None
    row.manifest = row.made_at = None  # of the time before
    close(session, factory, KEYS, agent, now)


def refuse_key(session: Session, factory: str, agent: str, key: str, now: int) -> None:
    """Take nothing under a key that the owner does not know. In `Registry.decide`, in the owner's name.

    One that waits goes, and is asked about again if it goes on. One that was pinned at first contact loses what was
    signed with it, because nobody of the factory has made it; after that no key of this factory is pinned unasked.

    Raises:
        LookupError: there is no such agent, or the key neither waits nor is asked about.
    """
    row = session.get(Agent, (factory, agent))
    if row is None:
        raise LookupError(f"no such key of {factory}/{agent} waits")
    if row.next_key == key:
        row.next_key = None
        close(session, factory, ("key_changed", "reporter_changed"), agent, now)
        return
    if row.public_key != key or not close(session, factory, ["key_first"], agent, now, "dropped"):
        raise LookupError(f"no such key of {factory}/{agent} is asked about")
    heads = select(DayRecord.head).where(DayRecord.factory_id == factory, DayRecord.agent_id == agent)
    gone = {
        "metric_day": delete(MetricDay).where(MetricDay.factory_id == factory, MetricDay.head.in_(heads)),
        "day_record": delete(DayRecord).where(DayRecord.factory_id == factory, DayRecord.agent_id == agent),
    }
    who = session.info.get("actor") or ACTOR
    for table, statement in gone.items():
        count: int = session.execute(statement).rowcount  # type: ignore[attr-defined]
        line = entry(who, "erase", table, f"{count} rows of {agent}", factory, None, None)
        session.connection().execute(insert(Audit), [line])
    row.public_key = row.manifest = row.made_at = None
    row.chain_number = row.chain_head = row.chain_date = None
    row.reporter = False


def register_key(session: Session, factory: str, agent: str, key: str, now: int) -> Agent:
    """Keep a key before its agent is heard for the first time: then nobody has to be asked.

    In `Registry.decide`, in the name of whoever vouches for it.

    Raises:
        LookupError: the agent has another key; a new one is the owner's to confirm when it is heard.
    """
    row = session.get(Agent, (factory, agent))
    if row is None:
        row = Agent(factory_id=factory, id=agent, site="main", reporter=False)
        session.add(row)
    if row.public_key not in {None, key}:
        raise LookupError(f"{factory}/{agent} has another key")
    row.public_key = key
    if row.next_key == key:
        row.next_key = None
    session.flush()
    close(session, factory, KEYS, agent, now)
    return row


def distrusted(session: Session, factory: str) -> bool:
    """Return whether the owner has ever said that a key which came by itself was not his."""
    refused = select(Task.id).where(Task.factory_id == factory, Task.kind == "key_first", Task.state == "dropped")
    return session.scalars(refused.limit(1)).first() is not None
