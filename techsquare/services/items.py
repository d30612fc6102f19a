"""A measure that needs no supplier: owner or mentor say that it stands, or that it does not after all.

Many measures are the factory's own work (a list kept, a cart built), and some that give data gain nothing by
themselves, so that no offer is ever made for them. What comes after such a measure waits for it; without a word
of the factory it would wait for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, seen
from techsquare.services.slots import live, released

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller


def stands(session: Session, caller: Caller, item: str) -> t.RoadmapItem:
    """Keep that an open item's measure stands, by the factory's own hand; its offers end.

    Raises:
        RefusedError: `not_there`; `not_open`: it is with a supplier, done, or of a plan before;
            `answered`: one of its offers is wanted, or has a place in a round.
    """
    row = _locked(session, caller, item)
    if row.state not in {"open", "offered"}:
        raise RefusedError("not_open", state=row.state)
    shown = session.scalars(live(item)).all()
    if any(one.answer == "wanted" or one.round_id is not None for one in shown):
        raise RefusedError("answered")
    for one in shown:
        one.ended_at = caller.now
        released(session, one)
    row.state = "done"
    return row


def falls(session: Session, caller: Caller, item: str) -> t.RoadmapItem:
    """Take back that a measure stands: it is open again, or dropped where there is a newer plan.

    Raises:
        RefusedError: `not_there`; `not_open`: it does not stand by the factory's word.
    """
    row = _locked(session, caller, item)
    bought = session.scalar(
        select(t.Engagement.id).where(t.Engagement.item_id == item, t.Engagement.accepted_on.is_not(None))
    )
    if row.state != "done" or bought is not None:
        raise RefusedError("not_open", state=row.state)
    newest = session.scalars(
        select(t.Roadmap.id).where(t.Roadmap.factory_id == row.factory_id).order_by(t.Roadmap.version.desc())
    ).first()
    row.state = "open" if row.roadmap_id == newest else "dropped"
    return row


def _locked(session: Session, caller: Caller, item: str) -> t.RoadmapItem:
    found = seen(session, caller, t.RoadmapItem, item)
    for_factory(session, caller, found.factory_id)
    return session.get_one(t.RoadmapItem, item, with_for_update=True)
