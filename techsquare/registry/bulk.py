"""Signed records and machine-days in bulk, never twice and never one without the other.

A record decides: whoever inserts it first writes its machine-days in the same transaction; a second worker with
the same record waits for that, finds it there and writes nothing. Records are sorted, so two workers with the same
ones take their locks in the same order. A record that differs from the one that is kept for its date is told, not
stored: evidence is not changed afterwards.

Measured rows stand beside hand counts of the same day; which of the two is taken, the diagnosis says.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select, tuple_

from techsquare.registry.dialect import insert_new, upsert
from techsquare.registry.factories import Agent, Factory, Machine
from techsquare.registry.measured import DayRecord, MetricDay
from techsquare.registry.people import Party

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Table
    from sqlalchemy.orm import Session

DayKey = tuple[str, str, date]
"""Factory, agent, production day."""
BATCH = 5_000
"""Rows a statement: more makes it no faster, and memory grows with it."""


class Record(NamedTuple):
    """A signed daily record as it is stored; columns of `day_record` in their order."""

    factory_id: str
    agent_id: str
    day: date
    number: int
    key: str
    head: str
    prev: str | None
    record: str
    signature: str
    received_at: int

    @property
    def of(self) -> DayKey:
        """Its primary key."""
        return self.factory_id, self.agent_id, self.day


class MachineDayRow(NamedTuple):
    """A machine-day as it is stored; columns of `metric_day` in their order."""

    factory_id: str
    machine_id: str
    day: date
    source: str
    head: str | None
    planned_s: float
    known_s: float
    production_s: float | None = None
    setup_s: float | None = None
    fault_s: float | None = None
    standby_s: float | None = None
    off_s: float | None = None
    ideal_s: float | None = None
    priced_s: float | None = None
    good_s: float | None = None
    checked_s: float | None = None
    pieces: float | None = None
    energy_kwh: float | None = None
    simulated: float = 0.0
    formulas: str = ""
    metrics: Mapping[str, Sequence[float]] | None = None
    reasons: Mapping[str, str] | None = None


class Stored(NamedTuple):
    """What became of records: stored now, there already, or another one is there for this date or number."""

    new: list[DayKey]
    same: list[DayKey]
    other: list[DayKey]


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


def add_machines(session: Session, factory: str, machines: Iterable[tuple[str, str, float]]) -> list[str]:
    """Register machines (id, name, weight) that are not there yet; return the ids of the new ones.

    A machine that is there keeps its name: people may have given it a better one.
    """
    rows = [(factory, i, name, weight, "unknown", False) for i, name, weight in sorted(machines)]
    columns = ("factory_id", "id", "name", "weight", "limits_output", "comparable")
    return [str(key[1]) for key in insert_new(session.connection(), _table(Machine), columns, rows)]


def add_factory(
    session: Session, factory: str, agent: str, *, name: str, region: str, industry: str, at: int
) -> None:
    """Register a factory and an agent that are not there yet, as an agent's first message tells of them."""
    connection = session.connection()
    insert_new(connection, _table(Party), ("id", "kind", "name", "created_at"), [(factory, "factory", name, at)])
    place = (factory, "factory", region, industry, "Asia/Seoul")
    insert_new(connection, _table(Factory), ("id", "kind", "region", "industry", "zone"), [place])
    insert_new(
        connection, _table(Agent), ("factory_id", "id", "site", "reporter"), [(factory, agent, "main", False)]
    )


def store_days(
    session: Session, records: Iterable[Record], rows: Mapping[DayKey, Sequence[MachineDayRow]]
) -> Stored:
    """Store verified records and their machine-days; factory, agent and machines are there already.

    Args:
        session: Of `Registry.load`.
        records: In any order; of two for one date the one with the smaller head counts.
        rows: The machine-days of each record, with its head.

    Returns:
        What became of each.
    """
    connection = session.connection()
    first: dict[DayKey, Record] = {}
    sequence = sorted(records, key=lambda r: (r.of, r.head))
    for record in sequence:
        first.setdefault(record.of, record)
    doubled = [record for record in sequence if record.head != first[record.of].head]
    new: set[DayKey] = set()
    ordered = list(first.values())
    for part in _parts(ordered):
        new |= {tuple(key) for key in insert_new(connection, _table(DayRecord), Record._fields, part)}
    there = [record for record in ordered if record.of not in new]
    heads = _heads(connection, [record.of for record in there])
    same = [r.of for r in there if heads.get(r.of) == r.head]
    other = [r.of for r in there if heads.get(r.of) != r.head] + [r.of for r in doubled]
    store_rows(session, [row for record in ordered if record.of in new for row in rows.get(record.of, ())])
    return Stored(sorted(new), same, sorted(other))


def store_rows(session: Session, rows: Iterable[MachineDayRow]) -> None:
    """Store machine-days; a row of the same machine, day and source gives way."""
    found = {(row.factory_id, row.machine_id, row.day, row.source): row for row in rows}
    ordered = [found[key] for key in sorted(found)]
    for part in _parts(ordered):
        upsert(session.connection(), _table(MetricDay), MachineDayRow._fields, part)


def _parts(rows: list[Any]) -> Iterable[list[Any]]:
    return (rows[i : i + BATCH] for i in range(0, len(rows), BATCH))


def _heads(connection: Connection, keys: list[DayKey]) -> dict[DayKey, str]:
    table = _table(DayRecord)
    found: dict[DayKey, str] = {}
    of = (table.c.factory_id, table.c.agent_id, table.c.day)
    for i in range(0, len(keys), 300):
        said = connection.execute(select(*of, table.c.head).where(tuple_(*of).in_(keys[i : i + 300])))
        found |= {(factory, agent, day): head for factory, agent, day, head in said}
    return found
