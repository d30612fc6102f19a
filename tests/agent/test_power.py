"""Evidence that a device has no power: what another device says, while that one is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.collectors.base import Box
from agent.collectors.modbus.config import ModbusDevice
from agent.fleet import Fleet
from agent.frame import DataType, Rows, Signal, Source, Status, Value
from agent.health import Health
from agent.latest import Latest
from tests.support.clocks import FakeClock

if TYPE_CHECKING:
    from agent.frame import Item
    from agent.health import State

PANEL = Source(
    id="panel.main", device="panel", protocol="modbus", mode="poll", interval_ns=10**9,
    signals=(
        Signal(id="other", machine="panel", name="other", dtype=DataType.BOOL),
        Signal(id="main", machine="panel", name="main", dtype=DataType.BOOL),
    ),
)  # fmt: skip


def press(**more: str) -> ModbusDevice:
    signals = [{"id": "count", "address": "holding:0", "type": "uint16"}]
    body = {"id": "press", "type": "modbus", "machine": "press", "host": "127.0.0.1", **more}
    return ModbusDevice.model_validate({**body, "groups": [{"every": "1s", "signals": signals}]})


class Nowhere:
    """Takes everything."""

    def put(self, item: Item) -> None:
        """Take it."""


def off(device: ModbusDevice, value: Value, *, status: int = 0, state: State = "up", read: bool = True) -> bool:
    latest, health, rows = Latest([PANEL]), Health(), Rows(PANEL)
    health.set("panel", state, 1)
    rows.add(0, 10**9, value=True)
    if read:
        rows.add(1, 10**9, value, status)
    latest.put(rows.take())
    fleet = Fleet(Box(FakeClock()), Nowhere(), health, latest)
    (collector,) = fleet.make([device])
    return fleet._off(collector.device)


def test_a_switch_that_is_off_is_evidence() -> None:
    device = press(power_signal="panel/main")
    assert off(device, value=False)
    assert off(device, 0)
    assert not off(device, value=True)


@pytest.mark.parametrize(
    ("status", "state", "read"),
    [(int(Status.BAD_TIMEOUT), "up", True), (1 << 30, "up", True), (0, "down", True), (0, "starting", True),
     (0, "up", False)],
)  # fmt: skip
def test_what_is_not_known_now_is_no_evidence(status: int, state: State, *, read: bool) -> None:
    assert not off(press(power_signal="panel/main"), value=False, status=status, state=state, read=read)


def test_without_a_signal_that_tells_nothing_is_assumed() -> None:
    assert not off(press(), value=False)
    assert not off(press(power_signal="panel/gone"), value=False)
