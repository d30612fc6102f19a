"""The folder keeps its promises: sample and README."""

from __future__ import annotations

from pathlib import Path

import pytest

import agent.collectors.opcua
from agent.collectors.opcua import faults
from agent.collectors.opcua.config import OpcUaDevice, OpcUaLogin
from agent.collectors.opcua.signals import OpcUaGroup, OpcUaSignal
from agent.config.base import DeviceBase, GroupBase, SignalBase
from agent.config.load import load
from settings.base import Model

FOLDER = Path(agent.collectors.opcua.__file__).parent
OURS: list[tuple[type[Model], type[Model]]] = [
    (OpcUaSignal, SignalBase),
    (OpcUaGroup, GroupBase),
    (OpcUaLogin, Model),
    (OpcUaDevice, DeviceBase),
]


def test_the_sample_loads_and_uses_every_field_of_ours() -> None:
    (device,) = load(FOLDER / "sample.yaml").devices
    assert isinstance(device, OpcUaDevice)
    assert [source.mode for source in device.sources()] == ["subscription", "poll", "subscription", "subscription"]
    text = (FOLDER / "sample.yaml").read_text("utf-8")
    for model, base in OURS:
        for name in set(model.model_fields) - set(base.model_fields):
            assert f"{name}:" in text, name


@pytest.mark.parametrize(("model", "base"), OURS)
def test_every_field_of_ours_stands_in_the_readme_and_is_described(model: type[Model], base: type[Model]) -> None:
    readme = (FOLDER / "README.md").read_text("utf-8")
    for name, field in model.model_fields.items():
        if name in base.model_fields:
            continue
        assert f"`{name}`" in readme, name
        assert field.description, name


def test_status_codes_have_their_names_whatever_their_info_bits() -> None:
    assert faults.name(0x8034_0000) == "BadNodeIdUnknown"
    assert faults.name(0x8034_0480) == "BadNodeIdUnknown"
    assert faults.name(0x0000_0480) == "Good"
    assert faults.name(0x9234_0000) == "0x92340000"
