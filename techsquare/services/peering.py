"""Where others stand: tables of a quarter for all processes, frozen in one night, and a factory's own place.

A quarter is frozen once, on the first night from its end on at which records that were on their way have come
(`LATE_DAYS`): all kinds of which anybody has a quarter, in one transaction, those without a table too. Whoever
comes later is in no table of it, and does not show by coming.

A company's value is of its machines of one process, over the quarter's measured days of one version of formulas;
with fewer than ten production days it has none. Signed days that say they are simulated never count
(`series.real`).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select

from techsquare.diagnosis import peers
from techsquare.diagnosis.days import NEEDED_DAYS
from techsquare.diagnosis.peers import Company, Kind, Suppressed, Table
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.services.days import day_of, quarter
from techsquare.services.plain import plain
from techsquare.services.rights import for_factory
from techsquare.services.series import real

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller

LATE_DAYS = 4
"""A missed record is asked for again within days; after that a quarter is what it is."""


class Share(NamedTuple):
    """A metric that is compared: columns of `metric_day`, and the step to which values are rounded."""

    num: str
    den: str
    step: float


METRICS: dict[str, Share] = {
    "availability": Share("production_s", "planned_s", 0.05),
    "setup": Share("setup_s", "planned_s", 0.02),
    "fault": Share("fault_s", "planned_s", 0.02),
    "standby": Share("standby_s", "planned_s", 0.02),
    "effectiveness": Share("ideal_s", "priced_s", 0.05),
    "quality": Share("good_s", "checked_s", 0.02),
}
"""Shares alone: what a machine makes or uses says whose it is."""


class Place(NamedTuple):
    """Of what companies are compared with each other."""

    process: str
    formulas: str


class Quarter(NamedTuple):
    """A company's quarter: sums of the columns of `METRICS`, over so many machines."""

    factory: str
    at: Place
    machines: int
    sums: dict[str, tuple[float, float]]


def night(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Freeze the quarter before this one, once."""
    name, first, last = before(day_of(now))
    if day_of(now) < last + timedelta(days=1 + LATE_DAYS):
        return {"frozen": 0}
    return {"frozen": registry.decide(lambda session: freeze(session, name, first, last, now), Actor("night"))}


def before(day: date) -> tuple[str, date, date]:
    """Return name, first and last day of the quarter before that of a day."""
    begins = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    last = begins - timedelta(days=1)
    return quarter(last), date(last.year, last.month - 2, 1), last


def freeze(session: Session, name: str, first: date, last: date, now: int) -> int:
    """Freeze a quarter; return how many kinds, 0 where it is frozen already."""
    if session.scalar(select(func.count()).select_from(t.Peer).where(t.Peer.quarter == name)):
        return 0
    found = list(quarters(session, first, last))
    groups = dict(session.execute(select(t.Party.id, t.Party.owner_group)).all())
    frozen = 0
    for place in sorted({one.at for one in found}):
        for metric, share in METRICS.items():
            companies = [
                Company(one.factory, groups.get(one.factory), *place, value, one.machines)
                for one in found
                if one.at == place and (value := _value(one, metric)) is not None
            ]
            kind = Kind(name, metric, *place, share.step)
            session.add(_row(peers.freeze(kind, companies), now))
            frozen += 1
    session.flush()
    return frozen


def _value(one: Quarter, metric: str) -> float | None:
    num, den = one.sums[metric]
    return num / den if den > 0 else None


def _row(table: Table | Suppressed, now: int) -> t.Peer:
    kind = dict(table.kind._asdict())
    if isinstance(table, Suppressed):
        return t.Peer(**kind, suppressed=table.reason, frozen_at=now)
    return t.Peer(
        **kind, companies=table.companies, heaviest=table.heaviest, q25=table.q25, q50=table.q50, q75=table.q75,
        frozen_at=now,
    )  # fmt: skip


def quarters(session: Session, first: date, last: date, factory: str | None = None) -> Iterator[Quarter]:
    """Yield the quarters of companies (or of one) by process, each of the formulas with most production days."""
    days = t.MetricDay
    parts = [
        func.sum(getattr(days, name)).filter(days.planned_s > 0, *_both(share))
        for share in METRICS.values()
        for name in (share.num, share.den)
    ]
    where = [days.source == "measured", real(), days.day.between(first, last)]
    if factory is not None:
        where.append(days.factory_id == factory)
    place = (days.factory_id, days.machine_id, days.formulas)
    process = func.coalesce(t.Machine.process, t.Factory.process)
    busy = func.count(days.day).filter(days.planned_s > 0, days.known_s > 0)
    rows = session.execute(
        select(*place, process, busy, *parts)
        .join(t.Machine, (t.Machine.factory_id == days.factory_id) & (t.Machine.id == days.machine_id))
        .join(t.Factory, t.Factory.id == days.factory_id)
        .where(*where, process.is_not(None))
        .group_by(*place, process)
        .order_by(*place)
    )
    found: dict[tuple[str, str], dict[str, list[tuple[int, Sequence[Any]]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for company, _, formulas, kind, production_days, *sums in rows:
        if production_days >= NEEDED_DAYS:
            found[company, kind][formulas].append((production_days, sums))
    for (company, kind), by_formulas in sorted(found.items()):
        formulas = max(by_formulas, key=lambda name: (sum(n for n, _ in by_formulas[name]), name))
        machines = [sums for _, sums in by_formulas[formulas]]
        yield Quarter(company, Place(kind, formulas), len(machines), dict(_summed(machines)))


def _both(share: Share) -> tuple[Any, Any]:
    """Return the condition that a day has a metric's numerator and its denominator."""
    return getattr(t.MetricDay, share.num).is_not(None), getattr(t.MetricDay, share.den).is_not(None)


def _summed(machines: Iterable[Sequence[float | None]]) -> Iterator[tuple[str, tuple[float, float]]]:
    rows = list(machines)
    for i, metric in enumerate(METRICS):
        yield metric, (sum(r[2 * i] or 0.0 for r in rows), sum(r[2 * i + 1] or 0.0 for r in rows))


def tables(session: Session, factory: str) -> list[t.Peer]:
    """Return the tables of a factory's processes in the last quarter that was frozen; without those suppressed."""
    processes = session.scalars(
        select(func.coalesce(t.Machine.process, t.Factory.process))
        .join(t.Factory, t.Factory.id == t.Machine.factory_id)
        .where(t.Machine.factory_id == factory, t.Machine.retired_on.is_(None))
        .distinct()
    ).all()
    latest = select(func.max(t.Peer.quarter)).scalar_subquery()
    rows = session.scalars(
        select(t.Peer)
        .where(
            t.Peer.quarter == latest, t.Peer.process.in_([p for p in processes if p]), t.Peer.suppressed.is_(None)
        )
        .order_by(t.Peer.process, t.Peer.metric, t.Peer.formulas)
    )
    return list(rows)


def shown_to(session: Session, caller: Caller, factory: str) -> list[dict[str, Any]]:
    """Return the quartiles of a factory's processes, each with its own value and place in that quarter.

    Own value and place are None where it has no quarter of these formulas: two formulas are not compared.

    Raises:
        RefusedError: `not_there`.
    """
    for_factory(session, caller, factory)
    found = tables(session, factory)
    if not found:
        return []
    first = date(int(found[0].quarter[:4]), 3 * int(found[0].quarter[-1]) - 2, 1)
    last = (first + timedelta(days=92)).replace(day=1) - timedelta(days=1)
    own = {one.at: one for one in quarters(session, first, last, factory)}
    said = []
    for row in found:
        mine = own.get(Place(row.process, row.formulas))
        value = None if mine is None else _value(mine, row.metric)
        assert row.q25 is not None
        assert row.q50 is not None
        assert row.q75 is not None
        kind = Kind(row.quarter, row.metric, row.process, row.formulas, row.step)
        table = Table(kind, row.companies or 0, row.heaviest or 0.0, row.q25, row.q50, row.q75)
        place = None if value is None else peers.quarter(table, value)
        said.append({**plain(kind), **_quartiles(table), "value": value, "place": place})
    return said


def _quartiles(table: Table) -> dict[str, Any]:
    return {"companies": table.companies, "q25": table.q25, "q50": table.q50, "q75": table.q75}
