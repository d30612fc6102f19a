"""How far each chain is whole. In `Registry.load`.

A tip is moved in a transaction of its own behind the batch: it follows from the records that are stored, which
never change, so workers may move it at once, and it only ever goes forward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, update

from techsquare.intake.agents import known
from techsquare.intake.chain import Link, Tip, walk
from techsquare.intake.terms import AgentKey, Held, Question
from techsquare.registry.factories import Agent
from techsquare.registry.measured import DayRecord
from techsquare.registry.people import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

_STEP = 500  # records that a chain is walked over at once
_SEEN_NS = 60 * 10**9


def question(held: Held, kind: str, link: Link) -> Question:
    """Return a question about a record."""
    return Question(held.factory, kind, (("agent", held.agent), ("number", link.number), ("head", link.head)))


def links(session: Session, held: Held, first: int, last: int | None, most: int = _STEP) -> list[Link]:
    """Return records of an agent under its key by number, both ends included."""
    wanted = select(DayRecord.number, DayRecord.head, DayRecord.prev, DayRecord.day).where(
        DayRecord.factory_id == held.factory, DayRecord.agent_id == held.agent, DayRecord.key == held.key_id,
        DayRecord.number >= first,
    )  # fmt: skip
    if last is not None:
        wanted = wanted.where(DayRecord.number <= last)
    return [Link(*row) for row in session.execute(wanted.order_by(DayRecord.number).limit(most))]


def lost(session: Session, held: Held) -> list[tuple[int, int]]:
    """Return spans of numbers that nobody has any more: asked for in vain, or signed by the agent before."""
    spans = [
        (int(task.source["first"]), int(task.source["last"]))
        for task in session.scalars(
            select(Task).where(Task.factory_id == held.factory, Task.kind == "records_missing")
        )
        if task.source is not None and task.source["agent"] == held.agent and task.source["key"] == held.key_id
    ]
    first = next(iter(links(session, held, 1, None, 1)), None)
    if first is not None and first.prev is not None:
        before = select(func.count()).where(DayRecord.factory_id == held.factory, DayRecord.head == first.prev)
        if session.execute(before).scalar_one():
            spans.append((1, first.number - 1))  # it goes on behind another agent's chain, or another key's
    return spans


def advance(
    session: Session, touched: Iterable[AgentKey], chains: Mapping[AgentKey, Sequence[Link] | None], now: int
) -> tuple[list[Question], set[AgentKey]]:
    """Note who was heard, and move the tips of chains as far as they are whole. In `Registry.load`.

    Args:
        session: Of `Registry.load`; all workers take the agents in one order.
        touched: Agents that were heard; it is noted once a minute.
        chains: By agent the records by which its chain may have grown; None: look at all that is there.
        now: UTC ns.

    Returns:
        Questions about chains that break, and agents of which records are missing.
    """
    questions: list[Question] = []
    behind: set[AgentKey] = set()
    for of, held in sorted(known(session, {*touched, *chains}, now).items()):
        values: dict[str, object] = {}
        if of in touched and (held.seen_at is None or held.seen_at < now - _SEEN_NS):
            values["seen_at"] = now
        row = update(Agent).where(Agent.factory_id == held.factory, Agent.id == held.agent)
        if of in chains and held.key is not None:
            ended, why, most = _next(held, chains[of]) or tip(session, held)
            number = ended.wanted - 1
            if why is not None and ended.last is not None:
                questions.append(question(held, "chain_forked", ended.last))
            if ended.last is not None and number > (held.number or 0):
                values |= {"chain_number": number, "chain_head": ended.last.head, "chain_date": ended.last.day}
                row = row.where(or_(Agent.chain_number.is_(None), Agent.chain_number < number))
            if why is None and held.reporter and max(most, 0 if held.head is None else held.head[0]) > number:
                behind.add(of)
        if values:
            session.connection().execute(row.values(values))
    return questions, behind


def _next(held: Held, grown: Sequence[Link] | None) -> tuple[Tip, str | None, int] | None:
    """Return how far a chain is whole where records go on right behind its tip, as they mostly do; else None."""
    if not grown or held.chain_head is None or held.number is None or held.day is None:
        return None
    last = Link(held.number, held.chain_head, None, held.day)
    found, why = walk(Tip(last, held.number + 1), grown)
    return (found, None, grown[-1].number) if why is None and found.last == grown[-1] else None


def tip(session: Session, held: Held) -> tuple[Tip, str | None, int]:
    """Return how far a chain is whole, why it breaks there, and the highest number that is there."""
    before = [] if held.number is None else links(session, held, held.number, held.number, 1)
    found, why = Tip(before[0] if before else None, (held.number or 0) + 1), None
    spans: list[tuple[int, int]] | None = None
    while step := links(session, held, found.wanted, None):
        if step[0].number > found.wanted and spans is None:
            spans = lost(session, held)
        further, why = walk(found, step, spans or ())
        found, same = further, further == found
        if same or why is not None:
            break
    if why is None and held.head is not None and found.wanted <= held.head[0]:
        found, _ = walk(found, (), lost(session, held) if spans is None else spans)
    return found, why, links_last(session, held)


def links_last(session: Session, held: Held) -> int:
    """Return the highest number that is there, 0 for none."""
    return int(
        session.execute(
            select(func.coalesce(func.max(DayRecord.number), 0)).where(
                DayRecord.factory_id == held.factory, DayRecord.agent_id == held.agent,
                DayRecord.key == held.key_id,
            )
        ).scalar_one()
    )  # fmt: skip
