"""What the latest report of a factory says that people have to talk about: contradictions, and missing evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from contract.codec import PLAIN_LIMIT, decode
from contract.errors import WireError
from contract.report import Report
from techsquare.registry import tables as t

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def latest(session: Session, factory: str) -> Report | None:
    """Return the latest report of a factory; None where there is none that this program understands."""
    body = session.scalars(
        select(t.Report.body)
        .where(t.Report.factory_id == factory)
        .order_by(t.Report.made_at.desc(), t.Report.id.desc())
        .limit(1)
    ).first()
    if body is None:
        return None
    try:
        return decode(body.encode(), Report, PLAIN_LIMIT)
    except WireError:  # of a newer program
        return None
