"""The sponsor's ledger (`mentoring.ledger`): what was spent on a factory, and who pays.

The operator says what something has cost, and the engine divides it: a programme pays its share of what is eligible
up to its cap, the sponsor the rest of a diagnosis and his share of all else, the factory what is left. What was
spent and nobody has told yet (a visit that took place) is a line without a sum; saying it replaces the line.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from techsquare.mentoring import ledger
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.mentoring.ledger import Kind
    from techsquare.services.rights import Caller


def spend(
    session: Session, caller: Caller, factory: str, kind: Kind, won: int | None, on: date, *,
    programme: str | None = None, eligible: int | None = None, sponsor: Fraction = Fraction(0),
    note: str | None = None, instead: str | None = None,
) -> list[t.Cost]:  # fmt: skip
    """Keep what something has cost, a line a payer: the operator.

    Args:
        session: Of a decision.
        caller: Who.
        factory: For whom.
        kind: What for.
        won: All of it; None: it was spent, and nobody has told how much.
        on: The day of the bill.
        programme: Which programme pays a share, if any.
        eligible: Won that the programme counts.
        sponsor: Share of the rest that the sponsor pays.
        note: For whoever looks at it later.
        instead: The line that this one replaces: what was not told before.

    Raises:
        RefusedError: `wrong_role`; `not_there`; `decided`: the line to replace has its sum; `incomplete`: more
            eligible than there is.
    """
    need(caller, "operator")
    if session.get(t.Factory, factory) is None:
        raise RefusedError("not_there")
    if instead is not None:
        old = session.get(t.Cost, instead)
        if old is None or old.factory_id != factory:
            raise RefusedError("not_there")
        if old.won is not None:
            raise RefusedError("decided")
        note = note or old.note
        session.delete(old)
        session.flush()
    if won is None:
        lines = [ledger.Entry(factory, kind, None, "sponsor" if kind in ledger.OF_DIAGNOSIS else "factory", on)]
    else:
        pays = None if programme is None else _programme(session, factory, programme)
        try:
            lines = list(
                ledger.bill(factory, kind, won, on, programme=pays, eligible=eligible, sponsor=sponsor)
            )  # fmt: skip
        except ValueError:
            raise RefusedError("incomplete", won=won, eligible=eligible) from None
    rows = [
        t.Cost(
            id=new_id(), factory_id=factory, kind=one.kind, won=one.won, payer=one.payer, on_date=one.on,
            funding_id=one.programme, note=note,
        )
        for one in lines
    ]  # fmt: skip
    add(session, *rows)
    return rows


def of_factory(session: Session, caller: Caller, factory: str) -> dict[str, Any]:
    """Return the sums of a factory: its owner, its mentor, the operator.

    Raises:
        RefusedError: `not_there`.
    """
    if not caller.has("operator"):
        for_factory(session, caller, factory)
    elif session.get(t.Factory, factory) is None:
        raise RefusedError("not_there")
    return _sums(session.scalars(select(t.Cost).where(t.Cost.factory_id == factory)))


def of_all(
    session: Session, caller: Caller, since: date | None = None, until: date | None = None
) -> dict[str, Any]:
    """Return the sums of all factories, of a time: the operator.

    Raises:
        RefusedError: `wrong_role`.
    """
    need(caller, "operator")
    found = select(t.Cost)
    if since is not None:
        found = found.where(t.Cost.on_date >= since)
    if until is not None:
        found = found.where(t.Cost.on_date <= until)
    return _sums(session.scalars(found))


def _programme(session: Session, factory: str, name: str) -> ledger.Programme:
    row = session.get(t.Funding, name)
    if row is None:
        raise RefusedError("not_there")
    paid = session.scalars(
        select(t.Cost.won).where(t.Cost.factory_id == factory, t.Cost.funding_id == name, t.Cost.won.is_not(None))
    )
    share = Fraction(row.share).limit_denominator(10_000)
    return ledger.Programme(name, share, max(0, row.cap - sum(one or 0 for one in paid)))


def _sums(rows: Iterable[t.Cost]) -> dict[str, Any]:
    entries = [
        ledger.Entry(row.factory_id, row.kind, row.won, row.payer, row.on_date, row.funding_id)  # type: ignore[arg-type]
        for row in sorted(rows, key=lambda row: row.id)
    ]
    said: dict[str, Any] = plain(ledger.sums(entries))
    return said
