"""Machine-days of a record, against what the record says read one number at a time."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from contract.codec import decode
from contract.day import Day, DayMachine, SignedDay
from techsquare.intake.rows import machine_days
from tests.golden import EXAMPLES
from tests.techsquare.intake.made import PBT, Made

TIMES = {"production_s": "APT", "setup_s": "AUST", "fault_s": "ADET", "standby_s": "ADOT", "off_s": "OFF"}


def said(day: Day, metric: str, machine: int) -> tuple[float, float] | None:
    found = next((m for m in day.metrics if m.metric == metric), None)
    if found is None or machine not in found.machines:
        return None
    at = found.machines.index(machine)
    return found.num[at], found.den[at]


def test_every_number_of_a_record_is_where_it_belongs() -> None:
    made = Made("f", machines=4, metrics=6)
    day = made.day(date(2026, 8, 3), 1, None)
    rows = machine_days(day, "head")
    assert [row.machine_id for row in rows] == [m.id for m in day.machines]
    for at, row in enumerate(rows):
        numbers = row._asdict()
        for column, metric in TIMES.items():
            assert (numbers[column], PBT) == said(day, metric, at)
        unknown = said(day, "UNK", at)
        assert unknown is not None
        assert row.known_s == pytest.approx(PBT - unknown[0])
        assert row.metrics is not None
        parts = [row.production_s, row.setup_s, row.fault_s, row.standby_s, row.off_s, unknown[0]]
        assert sum(part for part in parts if part is not None) == pytest.approx(row.planned_s)
        ideal, good = said(day, "E", at), said(day, "QR", at)
        assert (row.ideal_s, row.priced_s) == (ideal or (None, None))
        assert (row.good_s, row.checked_s) == (good or (None, None))
        assert (row.pieces, row.energy_kwh) == (said(day, "PQ", at)[0], said(day, "EC", at)[0])  # type: ignore[index]
        num, den = said(day, "E01", at)  # type: ignore[misc]
        assert list(row.metrics["E01"]) == [num * 100, den]
        assert {f"A{i:02}" for i in range(6)} <= set(row.metrics)
        assert (row.reasons == {"E": "NA_NO_EVIDENCE", "QR": "NA_FEW_EVENTS"}) is (at == 3)
        assert (row.day, row.source, row.head, row.simulated) == (date(2026, 8, 3), "measured", "head", 1.0)


def test_a_record_without_elements_has_planned_time_and_knows_nothing() -> None:
    signed = EXAMPLES["day"]
    assert isinstance(signed, SignedDay)
    day = decode(signed.record.encode(), Day)
    rows = machine_days(replace(day, machines=[DayMachine(m.id, m.weight, m.counted) for m in day.machines]), "h")
    assert [(row.planned_s, row.known_s, row.production_s) for row in rows] == [
        (43_200.0, 0.0, None), (0.0, 0.0, None),
    ]  # fmt: skip
    assert rows[0].metrics == {"A01": [42e12, 432e11], "E01": [8150.0, 412.0], "X01": [0.204, 1.0]}
    assert rows[1].reasons == {"A01": "NA_NO_EVIDENCE"}
