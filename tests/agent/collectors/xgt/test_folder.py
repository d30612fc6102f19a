"""The folder keeps its promises: sample, README and data files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import agent.collectors.xgt
from agent.collectors.xgt.config import XgtDevice, XgtGroup, modules
from agent.collectors.xgt.frame import Refusal
from agent.collectors.xgt.refusal import describe, explain, status_of
from agent.collectors.xgt.signal import XgtSignal
from agent.config.base import DeviceBase, GroupBase, SignalBase
from agent.config.binary import BinarySignal
from agent.config.load import load
from agent.frame import Quality, quality
from tests.agent.collectors.xgt.test_frame import from_plc, read

FOLDER = Path(agent.collectors.xgt.__file__).parent


def test_the_sample_loads_and_uses_every_field_of_ours() -> None:
    devices = load(FOLDER / "sample.yaml").devices
    assert all(isinstance(device, XgtDevice) for device in devices)
    text = (FOLDER / "sample.yaml").read_text("utf-8")
    for model, base in ((XgtSignal, BinarySignal), (XgtGroup, GroupBase), (XgtDevice, DeviceBase)):
        for name in set(model.model_fields) - set(base.model_fields) - {"port"}:
            assert f"{name}:" in text, name


@pytest.mark.parametrize(
    ("model", "base"), [(XgtSignal, SignalBase), (XgtGroup, GroupBase), (XgtDevice, DeviceBase)]
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


def test_every_code_is_a_bad_status_and_every_listed_one_has_words_and_a_source() -> None:
    listed: dict[int, tuple[str, dict[str, str]]] = {}
    for table in json.loads((FOLDER / "errors.json").read_text("utf-8"))["tables"]:
        assert table["source"]
        listed |= {int(code, 16): (table["name"], entry) for code, entry in table["codes"].items()}
    assert len(listed) == 15
    for code in range(0x200):
        assert quality(status_of(code)) is Quality.BAD
        assert status_of(code) & 0xFF == code & 0xFF
        found = explain(code)
        if code in listed:
            name, entry = listed[code]
            assert (found.table, found.text.en, found.text.ko) == (name, entry["en"], entry["ko"])
            assert found.text.en != found.text.ko
        else:
            assert found.means == "unknown"


def test_a_refusal_names_four_signals_with_three() -> None:
    info = read(from_plc(bytes(9))).info
    text = describe(Refusal(info, 0x99, b"\xff\xff\x99"), "%DB0, 8 bytes", ["a", "b", "c", "d"])
    assert text.en == (
        "signals a, b, c and 1 more (%DB0, 8 bytes): a code that no manual lists (code 0099h, table -, "
        "bytes 26-29: ff ff 99): look the code up in the module's manual"
    )
    assert text.ko.startswith("태그 a, b, c 외 1개 (%DB0, 8 bytes): 매뉴얼에 없는 코드")


def test_every_module_has_limits_and_a_source() -> None:
    for name, module in modules().items():
        assert 2 <= module["bytes"] <= 1400, name
        assert module["source"], name
