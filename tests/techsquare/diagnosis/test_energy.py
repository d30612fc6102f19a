"""Electricity by the year, beside the ledger of time."""

from __future__ import annotations

import pytest

from contract.report import Value
from techsquare.diagnosis.energy import Base, bases, energies
from techsquare.diagnosis.terms import MachineDay, Rates
from techsquare.span import Span, exactly
from tests.techsquare.diagnosis.made import PLANNED, YEAR, on
from tests.techsquare.diagnosis.reports import report


def days(busy: int, rest: int, kwh: float = 100.0, idle: float = 20.0) -> list[MachineDay]:
    found = [MachineDay("press", on(n), PLANNED, PLANNED, energy_kwh=kwh + n % 2) for n in range(busy)]
    return [*found, *(MachineDay("press", on(100 + n), 0.0, 0.0, energy_kwh=idle + n % 2) for n in range(rest))]


def test_production_days_and_others_are_scaled_apart() -> None:
    (one,) = energies(days(20, 8), Rates(tariff_kwh=Span(100, 120)), YEAR)
    middle = 250 * 100.5 + 115 * 20.5
    assert one.kwh_year.low < middle < one.kwh_year.high
    assert one.kwh_year.high - one.kwh_year.low < 0.02 * middle
    assert one.won_year == (one.kwh_year.low * 100, one.kwh_year.high * 120)
    assert (one.rest, one.days, one.lacking) == (True, 28, ())


def test_days_off_that_nobody_read_lie_between_base_load_and_a_production_day() -> None:
    (wide,) = energies(days(20, 0), Rates(), YEAR)
    assert wide.kwh_year.high - wide.kwh_year.low > 115 * 100
    assert {wide.won_year, wide.base_year} == {None}
    assert wide.lacking == ("tariff_kwh",)
    (less,) = energies(days(20, 0), Rates(tariff_kwh=Span(100, 100)), YEAR, [Base("press", 30.0)])
    assert less.kwh_year.low == pytest.approx(wide.kwh_year.low + 115 * 30)
    assert [less.base_year, less.base_won_year] == [exactly(30 * 365), exactly(30 * 365 * 100)]


def test_base_loads_come_from_reports_of_machines() -> None:
    shown = Value("E02", "1", "0" * 16, machine="press", value=0.1, shown={"base_kwh": 12.5})
    below = Value("E02", "1", "0" * 16, machine="oven", value=0.1, shown={"base_kwh": -1.0})
    open_ = Value("E02", "1", "0" * 16, machine="mill", reason="NA_NO_EVIDENCE")
    assert bases([report(values=[shown, below, open_])]) == [Base("press", 12.5)]
    assert energies([MachineDay("press", on(0), PLANNED, PLANNED)], Rates(), YEAR) == []
