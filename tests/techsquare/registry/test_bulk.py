"""Signed records and machine-days in bulk: each once, whoever brings them, and evidence is never changed."""

from __future__ import annotations

import random
import threading
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from techsquare.registry import tables as t
from techsquare.registry.bulk import (
    DayKey,
    MachineDayRow,
    Record,
    Stored,
    add_factory,
    add_machines,
    store_days,
    store_rows,
)
from techsquare.registry.store import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

MACHINES = 4
START = date(2026, 1, 1)


def records(factories: int, days: int) -> tuple[list[Record], dict[DayKey, list[MachineDayRow]]]:
    """Return records as they might come, with numbers that tell where they are from."""
    found: list[Record] = []
    rows: dict[DayKey, list[MachineDayRow]] = {}
    for f in range(factories):
        for d in range(days):
            day, head = START + timedelta(d), f"{f}-{d}"
            prev = f"{f}-{d - 1}" if d else None
            record = Record(f"f{f}", "edge-1", day, d + 1, "k", head, prev, '{"한":1}', "s", 7)
            found.append(record)
            rows[record.of] = [
                MachineDayRow(
                    f"f{f}", f"m{m}", day, "measured", head, 100.0 * f + d, 1.5, production_s=None, pieces=float(m),
                    metrics={"A01": [float(d), 2.5]} if m else None, reasons={"E01": "NA_NO_EVIDENCE"},
                )
                for m in range(MACHINES)
            ]  # fmt: skip
    return found, rows


@pytest.fixture
def ready(registry: Registry) -> Registry:
    """Return a registry that knows three factories."""

    def make(session: Session) -> None:
        for f in range(3):
            add_factory(session, f"f{f}", "edge-1", name="가", region="", industry="", at=1)
            assert add_machines(session, f"f{f}", [(f"m{m}", "기계", 1.0) for m in range(MACHINES)]) == [
                f"m{m}" for m in range(MACHINES)
            ]

    registry.load(make)
    return registry


def contents(registry: Registry) -> tuple[list[Any], list[Any]]:
    """Return what is stored."""
    with registry.reading() as session:
        days = session.execute(select(*t.DayRecord.__table__.columns)).all()
        rows = session.execute(select(*t.MetricDay.__table__.columns)).all()
    return sorted(map(tuple, days), key=repr), sorted(map(tuple, rows), key=repr)


def wanted(found: Sequence[Record], rows: dict[DayKey, list[MachineDayRow]]) -> tuple[list[Any], list[Any]]:
    return (
        sorted((tuple(r) for r in found), key=repr),
        sorted((tuple(m) for r in found for m in rows[r.of]), key=repr),
    )


def test_rows_have_the_columns_of_their_tables() -> None:
    assert list(Record._fields) == list(t.DayRecord.__table__.c.keys())
    assert list(MachineDayRow._fields) == list(t.MetricDay.__table__.c.keys())


def test_what_is_stored_is_what_came(ready: Registry) -> None:
    found, rows = records(3, 20)
    shuffled = random.Random(1).sample(found, len(found))
    for i in range(0, len(found), 7):
        part = shuffled[i : i + 7]
        told = ready.load(lambda s, p=part: store_days(s, p, rows))  # type: ignore[misc]
        assert told == Stored(sorted(r.of for r in part), [], [])
    assert contents(ready) == wanted(found, rows)
    again = ready.load(lambda s: store_days(s, shuffled, rows))
    assert (again.new, len(again.same), again.other) == ([], len(found), [])
    assert contents(ready) == wanted(found, rows)


def test_another_record_of_a_date_is_told_and_not_stored(ready: Registry) -> None:
    found, rows = records(2, 5)
    ready.load(lambda s: store_days(s, found, rows))
    forged = found[2]._replace(head="forged", record="{}")
    numbered = found[3]._replace(day=date(2027, 1, 1), head="late")  # a second one with its number
    changed = {
        **rows,
        forged.of: [m._replace(head="forged", planned_s=1.0) for m in rows[forged.of]],
        numbered.of: [],
    }
    told = ready.load(lambda s: store_days(s, [forged, numbered, found[0]], changed))
    assert told == Stored([], [found[0].of], sorted([forged.of, numbered.of]))
    assert contents(ready) == wanted(found, rows)


def test_two_records_of_a_date_in_one_batch(ready: Registry) -> None:
    found, rows = records(1, 1)
    double = found[0]._replace(head="zz")
    told = ready.load(lambda s: store_days(s, [double, found[0], found[0]], rows))
    assert told == Stored([found[0].of], [], [double.of])


def test_what_is_measured_stands_beside_what_was_counted(ready: Registry) -> None:
    found, rows = records(1, 1)
    counted = MachineDayRow("f0", "m0", START, "counted", None, 5.0, 5.0, pieces=77.0)
    said = counted._replace(source="answered", pieces=1.0)

    def stored() -> list[tuple[Any, ...]]:
        here = select(t.MetricDay).where(t.MetricDay.machine_id == "m0").order_by(t.MetricDay.source)
        with ready.reading() as session:
            return [(row.source, row.pieces, row.head) for row in session.scalars(here)]

    ready.load(lambda s: store_rows(s, [said, counted]))
    ready.load(lambda s: store_days(s, found, rows))
    ready.load(lambda s: store_rows(s, [counted._replace(pieces=78.0)]))
    assert stored() == [("answered", 1.0, None), ("counted", 78.0, None), ("measured", 0.0, "0-0")]
    with ready.reading() as session:
        assert session.scalar(select(func.count()).select_from(t.MetricDay)) == MACHINES + 2


def test_a_transaction_that_fails_leaves_nothing(ready: Registry) -> None:
    found, rows = records(1, 3)

    def work(session: Session) -> None:
        store_days(session, found, rows)
        raise KeyError

    with pytest.raises(KeyError):
        ready.load(work)
    assert contents(ready) == ([], [])


def test_two_workers_with_the_same_records_double_none_and_lose_none(url: str, ready: Registry) -> None:
    """Each brings all in an order and in batches of its own; every record is new to one of them."""
    found, rows = records(3, 40)
    told: list[Stored] = []
    wrong: list[BaseException] = []
    barrier = threading.Barrier(2)

    def bring(seed: int) -> None:
        mine = Registry(url)
        order = random.Random(seed).sample(found, len(found))
        barrier.wait()
        try:
            for i in range(0, len(order), 8 + seed):
                part = order[i : i + 8 + seed]
                told.append(mine.load(lambda s, p=part: store_days(s, p, rows)))  # type: ignore[misc]
        except BaseException as exc:  # noqa: BLE001 - whatever it is, it is told below
            wrong.append(exc)
        finally:
            mine.close()

    threads = [threading.Thread(target=bring, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    new = [key for one in told for key in one.new]
    same = [key for one in told for key in one.same]
    assert sorted(new) == sorted(same) == sorted(r.of for r in found)
    assert all(one.other == [] for one in told)
    assert contents(ready) == wanted(found, rows)


def test_a_machine_that_is_there_keeps_its_name(ready: Registry) -> None:
    assert ready.load(lambda s: add_machines(s, "f0", [("m0", "other", 2.0), ("m9", "new", 1.0)])) == ["m9"]
    ready.load(lambda s: add_factory(s, "f0", "edge-1", name="x", region="x", industry="x", at=9))
    with ready.reading() as session:
        assert session.get_one(t.Machine, ("f0", "m0")).name == "기계"
        assert session.get_one(t.Machine, ("f0", "m9")).name == "new"
        assert session.get_one(t.Party, "f0").name == "가"
