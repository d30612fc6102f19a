"""What is published of a month that is over: each supplier's sums of reasons, and all records.

    reason_sum   why a supplier was not shown, over at least ten factories a number (`matching.month`), of the items
                 that are open when the month is closed; the month's factories in all stand under `all`
    record       empirical-Bayes rate, n and interval of each supplier with each family, as known at the month's end

A month is closed in the first night after it. That it was is seen by its records or sums; where there are none of
either, nothing was known of anybody, and looking again costs nothing.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from techsquare.matching.columns import Columns
from techsquare.matching.month import month
from techsquare.registry import tables as t
from techsquare.registry.audit import in_bulk, row_hash
from techsquare.registry.dialect import insert_new
from techsquare.registry.ids import new_id
from techsquare.services import outcomes
from techsquare.services.days import day_of, instant
from techsquare.services.market import market, open_items

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.matching.summary import Summary
    from techsquare.registry.store import Registry

ALL = "all"


def close(registry: Registry, catalogue: Catalogue, now: int) -> dict[str, int]:
    """Close the month before this one, if it is not closed yet: the task of a night."""
    today = day_of(now)
    ends = today.replace(day=1)
    begins = (ends - timedelta(days=1)).replace(day=1)
    with registry.reading() as session:
        done = session.scalar(select(t.ReasonSum.id).where(t.ReasonSum.month == begins).limit(1))
        published = session.scalar(select(t.Record.id).where(t.Record.at == instant(ends)).limit(1))
        told = {} if done else _sums(session, catalogue, begins, ends)
    sums = registry.load(lambda session: _store(session, told, begins, now)) if told else 0
    records = 0 if published else registry.load(lambda session: outcomes.publish(session, instant(ends)))
    return {"sums": sums, "records": records}


def _sums(session: Session, catalogue: Catalogue, begins: date, ends: date) -> dict[str, Summary]:
    rows = open_items(session)
    found = market(session, catalogue, rows, ends - timedelta(days=1)) if rows else None
    if found is None or not found.solutions:
        return {}
    shown: dict[str, set[str]] = defaultdict(set)
    asked = select(t.Offer.supplier_id, t.Offer.factory_id).where(
        t.Offer.shown_at >= instant(begins), t.Offer.shown_at < instant(ends)
    )
    for supplier, factory in session.execute(asked.execution_options(yield_per=10_000)):
        shown[supplier].add(factory)
    columns = Columns(found.items, found.solutions, found.suppliers, seed=f"month-{begins}")
    return month(columns, shown)


def _store(session: Session, told: dict[str, Summary], begins: date, now: int) -> int:
    rows = [
        (new_id(), supplier, begins, name, count, now)
        for supplier, summary in sorted(told.items())
        for name, count in ((ALL, summary.factories), *summary.reasons.items())
        if count is not None
    ]
    columns = ("id", "supplier_id", "month", "reason", "factories", "made_at")
    new = len(insert_new(session.connection(), t.ReasonSum.__table__, columns, rows))  # type: ignore[arg-type]
    if new:
        in_bulk(session, outcomes.ACTOR, "reason_sum", f"{begins} {new} sums", row_hash({"rows": rows}))
    return new
