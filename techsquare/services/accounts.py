"""A supplier's own accounts: filed by itself, with its consent, and taken back whenever it likes.

They set conditions of contracts (`services.contracts`), and nothing else reads them: neither ranks nor constraints
have a way to them, so that a list is the same with and without. The supplier sees what it has filed, and so does
the operator's role `risk`; nobody else, the other party of a contract included. Missing, old or taken back: the
tier is grey, as for everybody who has filed nothing.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import select

from techsquare.matching.continuity import tier, z_score
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.days import day_of
from techsquare.services.refused import RefusedError
from techsquare.services.rights import need, seen

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.matching.continuity import Accounts, Tier
    from techsquare.services.rights import Caller

YEARS = 2
"""Accounts of more years ago say nothing of a supplier today."""


def file(session: Session, caller: Caller, supplier: str, year: int, figures: Accounts) -> t.FiledAccount:
    """File a year's accounts, as the supplier itself: that it does is its consent. A year filed again is replaced.

    Raises:
        RefusedError: `wrong_role`; `too_early`: the year is not over.
    """
    need(caller, "supplier", supplier)
    if year >= day_of(caller.now).year:
        raise RefusedError("too_early", year=year)
    score = z_score(figures)
    row = session.scalars(
        select(t.FiledAccount).where(t.FiledAccount.supplier_id == supplier, t.FiledAccount.year == year)
    ).one_or_none()
    said = {
        "figures": asdict(figures), "consented_at": caller.now, "filed_at": caller.now,
        "z2": score if score is not None and math.isfinite(score) else None,
        "zone": None if score is None else tier(figures),
    }  # fmt: skip
    if row is None:
        row = t.FiledAccount(id=new_id(), supplier_id=supplier, year=year, **said)
        add(session, row)
        return row
    for name, value in said.items():
        setattr(row, name, value)
    return row


def take_back(session: Session, caller: Caller, account: str) -> None:
    """Take a year's accounts back: they are deleted. Contracts that were signed stay as they are.

    Raises:
        RefusedError: `not_there`; `wrong_role`.
    """
    row = seen(session, caller, t.FiledAccount, account)
    need(caller, "supplier", row.supplier_id)
    session.delete(row)


def risk(session: Session, supplier: str, on: date) -> Tier:
    """Return a supplier's tier by its latest accounts; grey where there are none of these years."""
    zone = session.scalars(
        select(t.FiledAccount.zone)
        .where(t.FiledAccount.supplier_id == supplier, t.FiledAccount.year >= on.year - YEARS)
        .order_by(t.FiledAccount.year.desc())
    ).first()
    return zone or "grey"
