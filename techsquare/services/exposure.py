"""The ledger of showings: a row of `showing` for a day and each supplier that could have been shown on it.

Who could have been shown and was not stands there with 0: fair exposure divides by those who could. A night adds
its lists, and so does the list of one item; a line that was on the item's list of the same day is no new showing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from techsquare.registry import tables as t
from techsquare.registry.dialect import upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from techsquare.matching.night import Night


def showings(night: Night, *, without: Collection[str] = ()) -> dict[str, int]:
    """Return how often each supplier with a candidate is shown; `without` are those who were already."""
    names = [one.id for one in night.columns.suppliers]
    shown = night.lists.showings()
    return {
        names[at]: 0 if names[at] in without else int(shown[at])
        for at in np.flatnonzero(night.lists.edges.feasible | (shown > 0))
    }


def store(session: Session, on: date, shown: Mapping[str, int]) -> None:
    """Add showings to a day."""
    table: Table = t.Showing.__table__  # type: ignore[assignment]
    rows = [(on, name, count) for name, count in sorted(shown.items())]
    upsert(session.connection(), table, ("day", "supplier_id", "shown"), rows, adding={"shown"})
