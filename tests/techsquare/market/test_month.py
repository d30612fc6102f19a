"""What is published of a month: sums of reasons as they are told pair by pair, and records; once."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from techsquare.matching.columns import Columns
from techsquare.matching.constraints import judged
from techsquare.matching.month import month
from techsquare.matching.record import Record
from techsquare.matching.summary import Summary, summary
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.services import months, nights
from techsquare.services.days import DAY_NS, instant
from techsquare.services.outcomes import counted
from tests.techsquare.market.rows import put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from techsquare.registry.store import Registry
    from tests.techsquare.matching.market import Market

ENDED = instant(date(2026, 10, 1))
SHOWN = ENDED - 5 * DAY_NS
TODAY = ENDED + 3 * DAY_NS


def slowly(told: Market, shown: Mapping[str, set[str]]) -> dict[str, Summary]:
    """Return what each supplier is told, pair by pair."""
    owner = {one.id: one for one in told.suppliers}
    rows: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
    for solution in told.solutions:
        for item in told.items:
            if item.family == solution.family and item.factory not in shown.get(solution.supplier, ()):
                pair = judged(item, solution, owner[solution.supplier])
                rows[solution.supplier].append((item.factory, pair.failed))
    return {name: summary(found) for name, found in rows.items()}  # type: ignore[arg-type]


def test_all_pairs_at_once_say_what_each_pair_says(told: Market) -> None:
    columns = Columns(told.items, told.solutions, told.suppliers, seed="m")
    factories = sorted({one.factory for one in told.items})
    shown = {one.id: set(factories[at % 3 :: 7]) for at, one in enumerate(told.suppliers[::2])}
    found = month(columns, shown)
    wanted = slowly(told, shown)
    assert {name: one for name, one in found.items() if one.factories} == {
        name: one for name, one in wanted.items() if one.factories
    }
    assert sum(one.factories is not None for one in found.values()) > 20
    assert {name for one in found.values() for name in one.reasons} >= {"merit", "other"}


def test_a_month_is_closed_once(registry: Registry, told: Market) -> None:
    known = put(registry, told, SHOWN)
    nights.every(registry, known, SHOWN, lambda _: None, Actor("test"))
    done = months.close(registry, known, TODAY)
    assert months.close(registry, known, TODAY + 1) == {"sums": 0, "records": 0}
    with registry.reading() as session:
        shown: dict[str, set[str]] = defaultdict(set)
        for supplier, factory in session.execute(select(t.Offer.supplier_id, t.Offer.factory_id)):
            shown[supplier].add(factory)
        sums: dict[str, dict[str, int]] = defaultdict(dict)
        for one in session.scalars(select(t.ReasonSum)):
            assert (one.month, one.factories >= 10) == (date(2026, 9, 1), True)
            sums[one.supplier_id][one.reason] = one.factories
        records = session.scalars(select(t.Record)).all()
        counts = counted(session)
        assert session.scalar(select(func.count()).select_from(t.ReasonSum)) == done["sums"]
        lines = session.scalars(
            select(t.Audit.row_key).where(
                t.Audit.actor == "night", t.Audit.table_name.in_(("record", "reason_sum"))
            )
        ).all()
    assert set(lines) == {f"2026-09-01 {done['sums']} sums", f"2026-10-01 {done['records']} records"}
    wanted = slowly(told, shown)
    assert sums == {
        name: {months.ALL: one.factories, **one.reasons}
        for name, one in wanted.items()
        if one.factories is not None
    }
    assert sums
    assert len(records) == done["records"] == len(told.counts)
    rates = Record(counts)
    for row in records:
        rate = rates.rate(row.supplier_id, row.family)
        assert (row.mean, row.low, row.high, row.decided, row.at) == (
            rate.mean, rate.low, rate.high, rate.n, instant(date(2026, 10, 1)),
        )  # fmt: skip
