"""Messages of a factory: with its mentor, with the operator's house, with a supplier about a project.

Who writes is one side; the first of the other side who reads a message marks it read. While a factory has no
mentor, what it writes to him goes to the operator's house, which answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sqlalchemy import func, select

from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.days import DAY_NS
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, seen
from techsquare.services.telling import house, mentor_of, tell

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller

A_DAY = 100
"""Messages of one user; beyond it somebody types no longer, a program does."""
To = Literal["mentor", "operator"]


def write(session: Session, caller: Caller, factory: str, to: To, text: str) -> t.Message:
    """Write between a factory and its mentor, or the operator's house.

    Raises:
        RefusedError: `not_there`; `wrong_role`: a mentor's word to himself; `messages_used`.
    """
    _room(session, caller)
    if caller.has("operator"):
        if session.get(t.Factory, factory) is None:
            raise RefusedError("not_there")
        mine = house(session)
        return _add(session, caller, factory, mine, mine, None, text)
    role = for_factory(session, caller, factory)
    mentor = mentor_of(session, factory)
    party = house(session) if to == "operator" or mentor is None else None
    writer = factory if role == "owner" else mentor
    return _add(session, caller, factory, writer, party, None, text)


def about_project(session: Session, caller: Caller, engagement: str, text: str) -> t.Message:
    """Write about a project: owner, mentor or supplier of it.

    Raises:
        RefusedError: `not_there`; `messages_used`.
    """
    row = seen(session, caller, t.Engagement, engagement)
    _room(session, caller)
    if caller.has("supplier", row.supplier_id):
        writer: str | None = row.supplier_id
    else:
        role = for_factory(session, caller, row.factory_id)
        writer = row.factory_id if role == "owner" else mentor_of(session, row.factory_id)
    return _add(session, caller, row.factory_id, writer, row.supplier_id, row.id, text)


def read(session: Session, caller: Caller, message: str) -> t.Message:
    """Mark a message read, as somebody of the other side.

    Raises:
        RefusedError: `not_there`; `not_yours`: it is one's own side's.
    """
    row = seen(session, caller, t.Message, message)
    owner = caller.has("owner", row.factory_id)
    if row.party_id is None:
        to_me = caller.has("mentor") if row.from_party == row.factory_id else owner
    elif row.from_party == row.party_id:  # towards others, factory and mentor are one side
        to_me = owner or caller.has("mentor")
    else:
        to_me = row.party_id in {party for _, party in caller.reader.roles}
    if not to_me or row.from_user == caller.user:
        raise RefusedError("not_yours")
    row.read_at = row.read_at or max(caller.now, row.at)
    return row


def _room(session: Session, caller: Caller) -> None:
    count = session.scalar(
        select(func.count()).where(t.Message.from_user == caller.user, t.Message.at > caller.now - DAY_NS)
    )
    if (count or 0) >= A_DAY:
        raise RefusedError("messages_used", most=A_DAY)


def _add(
    session: Session, caller: Caller, factory: str, writer: str | None, party: str | None, engagement: str | None,
    text: str,
) -> t.Message:  # fmt: skip
    row = t.Message(
        id=new_id(), factory_id=factory, party_id=party, engagement_id=engagement, from_user=caller.user,
        from_party=writer, at=caller.now, text=text,
    )  # fmt: skip
    add(session, row)
    tell(session, factory, "message", row, caller.now, but=caller.user)
    operators = house(session)
    if party is not None and party == operators and writer != operators:
        add(
            session,
            t.Task(
                factory_id=factory, party_id=operators, kind="message", state="open", created_at=caller.now,
                source={"table": "message", "key": row.id, "since": None, "for": "operator"},
            ),
        )  # fmt: skip
    return row
