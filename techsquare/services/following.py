"""What comes of all projects by itself, each night (`projects.follow`): many in one transaction.

Where that fails, each is followed alone, so that one project's trouble does not keep the others waiting.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.services import projects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.mentoring.engagement import Event
    from techsquare.registry.store import Registry

AT_ONCE = 200
"""Projects that are followed in one transaction."""
_log = logging.getLogger(__name__)


def follow_all(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Let everything come that comes by itself, project by project: a task of the night."""
    with registry.reading() as session:
        keys = session.scalars(
            select(t.Engagement.id).where(t.Engagement.state != "ended").order_by(t.Engagement.id)
        ).all()
    count: dict[str, int] = {}
    for at in range(0, len(keys), AT_ONCE):
        for event in _tried(registry, keys[at : at + AT_ONCE], now):
            count[event] = count.get(event, 0) + 1
    return dict(sorted(count.items()))


def _tried(registry: Registry, keys: Sequence[str], now: int) -> list[Event | Literal["failed"]]:
    """Follow some projects together; where that fails each alone."""
    try:
        return [*registry.decide(lambda s: _followed(s, keys, now), Actor("night"))]
    except Exception:  # noqa: BLE001 - one project's trouble is not the others'
        if len(keys) == 1:
            _log.exception("project %s cannot be followed", keys[0])
            return ["failed"]
    return [event for key in keys for event in _tried(registry, [key], now)]


def _followed(session: Session, keys: Sequence[str], now: int) -> list[Event]:
    rows = session.scalars(select(t.Engagement).where(t.Engagement.id.in_(keys)).order_by(t.Engagement.id)).all()
    return [event for row in rows for event in projects.follow(session, row, now)]
