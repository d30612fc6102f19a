"""What people say of what they were told: a task is done, a notification is read.

A task that stands for a state (nothing comes from a factory, a contract waits for its signature) ends when the
state does; saying that it is done would hide it. Who may say it is whose task it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.mentoring.events import EVENTS
from techsquare.registry import tables as t
from techsquare.services.refused import RefusedError
from techsquare.services.rights import seen

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.mentoring.events import Event
    from techsquare.services.rights import Caller

BY_HAND: frozenset[Event] = frozenset(
    {"mentor", "message", "diagnosis", "offer", "outcome", "care", "ended", "fit", "milestone"}
)
"""What is over when somebody has seen to it; everything else ends with what it stands for."""
assert set(BY_HAND) <= set(EVENTS)


def done(session: Session, caller: Caller, task: str, note: str | None) -> t.Task:
    """Say that a task is done; one that is over stays as it is.

    Raises:
        RefusedError: `not_there`; `not_yours`: it is another party's; `still_so`: it ends when its state does.
    """
    row = seen(session, caller, t.Task, task)
    if row.party_id not in {party for _, party in caller.reader.roles}:
        raise RefusedError("not_yours")
    if row.state != "open":
        return row
    if row.kind not in BY_HAND:
        raise RefusedError("still_so")
    row.state, row.ended_at, row.note = "done", max(caller.now, row.created_at), note
    return row


def read(session: Session, caller: Caller, notification: str) -> t.Notification:
    """Mark a notification of one's own as read; the first time counts.

    Raises:
        RefusedError: `not_there`.
    """
    row = seen(session, caller, t.Notification, notification)
    row.read_at = row.read_at or caller.now
    return row
