"""The folder keeps its promises: sample and README."""

from __future__ import annotations

from pathlib import Path

import pytest

import agent.collectors.modbus
from agent.collectors.modbus.config import ModbusDevice, ModbusGroup
from agent.collectors.modbus.plan import Span, Table
from agent.collectors.modbus.refusal import describe, status_of
from agent.collectors.modbus.signal import ModbusSignal
from agent.config.base import DeviceBase, GroupBase, SignalBase
from agent.config.load import load
from agent.frame import Quality, quality

FOLDER = Path(agent.collectors.modbus.__file__).parent


def test_the_sample_loads_and_uses_every_field_of_ours() -> None:
    (device,) = load(FOLDER / "sample.yaml").devices
    assert isinstance(device, ModbusDevice)
    assert len(device.sources()) == 2
    text = (FOLDER / "sample.yaml").read_text("utf-8")
    for model, base in ((ModbusSignal, SignalBase), (ModbusGroup, GroupBase), (ModbusDevice, DeviceBase)):
        for name in set(model.model_fields) - set(base.model_fields) - {"port", "max_bits", "offset"}:
            assert f"{name}:" in text, name


@pytest.mark.parametrize(
    ("model", "base"), [(ModbusSignal, SignalBase), (ModbusGroup, GroupBase), (ModbusDevice, DeviceBase)]
)
def test_every_field_of_ours_stands_in_the_readme_and_is_described(
    model: type[SignalBase], base: type[SignalBase]
) -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    for name, field in model.model_fields.items():
        if name in base.model_fields:
            continue
        assert f"`{name}`" in readme, name
        assert field.description, name


def test_every_exception_code_is_a_bad_status_and_has_words() -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    for code in range(1, 256):
        assert quality(status_of(code)) is Quality.BAD
        assert status_of(code) & 0xFF == code
    for code in (1, 2, 3, 4, 5, 6, 8, 10, 11):
        assert str(code) in readme
    span = Span(Table.COIL, 4, 1)
    text = describe(99, span, ["a"])
    assert text.en == "signal a (coil:4): unknown exception (exception 99): see the device's manual"
    assert text.ko == "태그 a (coil:4): 알 수 없는 예외(예외 99). 장치 매뉴얼을 확인하십시오"
    assert describe(2, span, ["a", "b", "c", "d"]).ko.startswith(
        "태그 a, b, c 외 1개 (coil:4): 없는 주소(예외 2). "
    )
