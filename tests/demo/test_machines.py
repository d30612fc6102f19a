"""The factory's machines against the configuration that describes them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.frame import DataType, Status
from demo.plan import LIVE_S, history_days, shifts
from demo.timeline import SECOND
from tests.demo.conftest import NOW_NS

if TYPE_CHECKING:
    from tests.demo.conftest import Plant

LIMITS = {DataType.UINT16: 2**16, DataType.UINT32: 2**32}


def test_every_configured_signal_has_a_formula_and_every_formula_is_configured(plant: Plant) -> None:
    configured = {(s.machine, s.id) for source in plant.config.sources() for s in source.signals}
    modelled = {(m.id, signal) for m in plant.machines.values() for signal in m.signals}
    assert configured == modelled


def test_one_machine_of_the_inventory_is_not_connected(plant: Plant) -> None:
    connected = {d.machine for d in plant.config.devices}
    assert [m.name for m in plant.config.machines if m.id not in connected] == ["수동 선반"]


def test_values_have_the_configured_type_and_lie_in_their_range(plant: Plant) -> None:
    times = np.arange(NOW_NS - 9 * 86_400 * SECOND, NOW_NS + 7_200 * SECOND, 61 * SECOND)
    for source in plant.config.sources():
        machine = plant.machines[source.machines()[0]]
        for signal, column in zip(
            source.signals, machine.columns([s.id for s in source.signals], times), strict=True
        ):
            if signal.dtype is DataType.STRING:
                assert all(text.isascii() and 0 < len(text) <= 16 for text in column)
                continue
            assert np.isfinite(column.astype(float)).all()
            if signal.dtype in LIMITS:
                assert column.dtype.kind == "i", signal.id
                assert 0 <= column.min() <= column.max() < LIMITS[signal.dtype]
            low, high = signal.eu_range or (-np.inf, np.inf)
            assert low <= column.min() <= column.max() <= high, signal.id


def test_the_meter_adds_up_what_the_machines_use(plant: Plant) -> None:
    times = np.arange(NOW_NS - 86_400 * SECOND, NOW_NS, SECOND)
    energy, power = plant.machines["meter-1"].columns(["energy", "power"], times)
    assert (np.diff(energy) >= 0).all()
    assert energy[-1] - energy[0] == pytest.approx(power[:-1].sum() / 3600, rel=0.01)


def test_the_conveyor_drops_its_link_for_5_to_20_seconds_and_within_every_live_minute_and_a_half(
    plant: Plant,
) -> None:
    outages = plant.machines["conveyor-1"].outages
    assert outages is not None
    length = (outages.stop_ns - outages.start_ns) / SECOND
    assert 5 <= np.sort(length)[2] <= length.max() <= 20
    live = outages.start_ns[outages.start_ns >= NOW_NS]
    assert (live[0] - NOW_NS) / SECOND < 90
    assert np.diff(live).max() / SECOND < 90


def test_faulty_sensors_are_uncertain_or_bad_now_and_then(plant: Plant) -> None:
    times = np.arange(NOW_NS - 28 * 86_400 * SECOND, NOW_NS, 10 * SECOND)
    probe = plant.machines["cnc-1"].status("spindle-temp", times)
    thermocouple = plant.machines["mold-1"].status("barrel-temp-3", times)
    assert set(np.unique(probe)) == {0, Status.UNCERTAIN}
    assert set(np.unique(thermocouple)) == {0, Status.BAD_DEVICE_FAILURE}
    assert 0 < (thermocouple != 0).mean() < 0.01
    assert not plant.machines["mold-1"].status("barrel-temp-1", times).any()


def test_history_is_28_production_days_and_the_live_shift_runs_whenever_the_demo_does(plant: Plant) -> None:
    calendar = plant.config.calendar()
    days = history_days(calendar, NOW_NS)
    assert len(days) == 28
    assert calendar.bounds(days[-1])[1] == calendar.bounds(calendar.day_of(NOW_NS))[0]
    sunday_night = NOW_NS + 3 * 86_400 * SECOND + 9 * 3_600 * SECOND
    for now in (NOW_NS, sunday_night):
        planned = shifts(calendar, now)
        live = planned[-1]
        assert live.live
        assert live.start_ns < now < now + LIVE_S * SECOND == live.stop_ns
        assert all(a.stop_ns < b.start_ns for a, b in itertools.pairwise(planned))
