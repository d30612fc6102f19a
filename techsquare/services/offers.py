"""What becomes of an offer: the owner (or his mentor, with him) wants it or not, and lets the supplier know.

Only with that does the supplier learn whose the offer is, and a project begins (`services.projects`). One offer of
an item is wanted at a time; the others stay until its supplier has said yes. What nobody takes up ends by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select

from settings.language import Text
from techsquare.mentoring.engagement import OFFER_DAYS
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.services import lives, projects
from techsquare.services.days import DAY_NS, day_of
from techsquare.services.refused import RefusedError
from techsquare.services.rights import seen
from techsquare.services.slots import live, released
from techsquare.services.telling import About, tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller

AT_ONCE = 500
"""Offers that end in one transaction."""


def answer(
    session: Session, caller: Caller, offer: str, word: Literal["wanted", "declined"], *, contact: bool
) -> t.Offer:
    """Answer an offer; `contact`: the supplier may know whose it is, and get in touch.

    Raises:
        RefusedError: `not_there`; `not_open`: it is not shown any more; `answered`: it, or another of its item. One
            that is wanted may be declined until its supplier knows; then it is a project, which is ended as one.
    """
    row = seen(session, caller, t.Offer, offer)
    by = lives.side(session, caller, row.factory_id)
    session.get(t.RoadmapItem, row.item_id, with_for_update=True)  # or a night would end what is wanted meanwhile
    if row.ended_at is not None:
        raise RefusedError("not_open")
    if row.answer is not None and (row.answer != "wanted" or (row.contacted_at is not None and word != "wanted")):
        raise RefusedError("answered")
    others = session.scalars(live(row.item_id).where(t.Offer.id != row.id)).all()
    if word == "wanted" and any(one.answer == "wanted" for one in others):
        raise RefusedError("answered")
    if row.answer != word:  # who wants it, and has told nobody yet, may think again
        row.answer, row.answered_at = word, caller.now
    if word == "wanted" and contact and row.contacted_at is None:
        row.contacted_at = caller.now
        projects.choose(session, row, by, caller.now)
    if word == "declined":
        lives.offered(session, row, "decline", by, day_of(caller.now))
        row.ended_at = caller.now
        released(session, row)
    return row


def expire(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """End the offers that nobody has taken up for ninety days: a task of the night."""
    since = now - OFFER_DAYS * DAY_NS

    def some(session: Session) -> int:
        rows = session.scalars(
            select(t.Offer)
            .where(t.Offer.ended_at.is_(None), t.Offer.contacted_at.is_(None), t.Offer.shown_at <= since)
            .order_by(t.Offer.id)
            .limit(AT_ONCE)
        ).all()
        for row in rows:
            lives.offered(session, row, "expire", "service", day_of(now))
            row.ended_at = now
            released(session, row)
            if row.answer is None:
                row.answer, row.answered_at = "expired", now
        session.flush()
        for key in sorted({row.item_id for row in rows}):
            item = session.get_one(t.RoadmapItem, key)
            if item.state == "offered" and session.scalars(live(key)).first() is None:
                item.state = "open"
        return len(rows)

    count = found = registry.decide(some, Actor("night"))
    while found == AT_ONCE:
        found = registry.decide(some, Actor("night"))
        count += found
    return {"expired": count}


def arrived(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Tell factories that there are offers for their plan, once a plan: a task of the night, after its lists."""
    said = exists().where(
        t.Notification.kind == "offer", t.Notification.about_table == t.Roadmap.__tablename__,
        t.Notification.about_id == t.RoadmapItem.roadmap_id,
    )  # fmt: skip
    with registry.reading() as session:
        plans = session.execute(
            select(t.RoadmapItem.roadmap_id, t.RoadmapItem.factory_id)
            .where(t.RoadmapItem.state == "offered", ~said)
            .distinct()
            .order_by(t.RoadmapItem.roadmap_id)
        ).all()

    def some(session: Session, chunk: Sequence[Any]) -> int:
        new = 0
        for plan, factory in chunk:
            about = About(t.Roadmap.__tablename__, plan, Text("your roadmap", "로드맵 과제"))
            new += tell(session, factory, "offer", about, now) > 0
        return new

    told = 0
    for at in range(0, len(plans), AT_ONCE):
        chunk = plans[at : at + AT_ONCE]
        told += registry.decide(lambda s, chunk=chunk: some(s, chunk), Actor("night"))  # type: ignore[misc]
    return {"told": told}
