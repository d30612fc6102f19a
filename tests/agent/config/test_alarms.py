"""Alarm words become signals, and what is wrong with one is said at its line."""

from __future__ import annotations

from typing import Any

import pytest

from agent.collectors.modbus.config import ModbusGroup
from agent.collectors.modbus.plan import Span, Table
from agent.config.load import read
from agent.frame import Alarm
from tests.agent.config.test_model import SMALL

DEVICE = """devices:
- id: plc
  type: modbus
  machine: press-1
  host: 10.0.0.1
  ls_map: {bit_read: M00000, word_read: D00000}
  groups:
  - every: 1s
    alarms:
"""


HOT = {"text": "유압 온도 높음", "priority": "high"}


def group(*alarms: dict[str, Any], **more: Any) -> ModbusGroup:
    return ModbusGroup.model_validate({"every": "1s", "alarms": list(alarms), **more})


def test_bits_of_a_register_become_alarms() -> None:
    made = group(
        {
            "id": "hyd",
            "address": 400101,
            "bits": {"0": {"text": "유압 온도 높음", "priority": "high"}, "3": "오일 부족"},
        }
    )
    first, second = made.signals
    assert (first.id, second.id) == ("hyd-0", "hyd-3")
    assert first.span() == second.span() == Span(Table.HOLDING, 100, 1)
    assert (first.kind("ABCD").bit, second.kind("ABCD").bit) == (0, 3)
    one = first.signal("press-1")
    assert (one.name, one.role, one.role_confirmed) == ("유압 온도 높음", "alarm", True)
    assert one.alarm == Alarm("유압 온도 높음", "high")
    assert second.signal("press-1").alarm == Alarm("오일 부족", "medium")
    assert made.alarms == ()


def test_coils_discrete_inputs_and_device_names_count_on() -> None:
    made = group(
        {"id": "c", "address": "coil:100", "bits": {"0": "a", "20": "b"}},
        {"id": "d", "address": "100008", "bits": {"1": "c"}, "machine": "other"},
        {"id": "e", "address": "D00120", "bits": {"15": "d"}},
        signals=[{"id": "speed", "address": "holding:0", "type": "uint16"}],
    )
    assert [signal.id for signal in made.signals] == ["speed", "c-0", "c-20", "d-1", "e-15"]
    assert [str(signal.address) for signal in made.signals[1:]] == ["coil:100", "coil:120", "discrete:8", "D00120"]
    assert (made.signals[3].machine, made.signals[4].bit) == ("other", 15)


@pytest.mark.parametrize(
    ("alarm", "line", "where", "english"),
    [
        ("- {id: a,\n address: 40001, bits: {0: x}}", 2, "alarms[a].address", "40001 is ambiguous"),
        (
            "- {id: a,\n address: holding:7,\n bits: {\n 0: x,\n 16: y}}",
            5,
            "alarms[a].bits.16",
            "a register has bits",
        ),
        (
            "- {id: a,\n address: holding:7,\n bits: {\n 0: x,\n 256: y}}",
            5,
            "alarms[a].bits.256",
            "write 255 or less",
        ),
        ("- {id: a,\n address: holding:7,\n bits: {\n x: y}}", 4, "alarms[a].bits.x", "write a whole number"),
        ("- {id: a,\n address: holding:7,\n bits: {}}", 3, "alarms[a].bits", "needs at least 1, found 0"),
        (
            "- {id: a,\n address: holding:7,\n bits: {0: {priority: high}}}",
            3,
            "alarms[a].bits.0.text",
            "is missing",
        ),
        ("- {id: a,\n address: coil:65535,\n bits: {0: x,\n 1: y}}", 2, "alarms[a].address", "there is no such"),
        (f"- {{id: {'a' * 47},\n address: coil:5,\n bits: {{0: x}}}}", 1, f"alarms[{'a' * 47}].id", "use 1 to 48"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(alarm: str, line: int, where: str, english: str) -> None:
    text = SMALL + DEVICE
    begin = len(text.splitlines())
    _, problems = read((text + "".join(f"     {part}\n" for part in alarm.splitlines())).encode())
    (problem,) = problems
    assert (problem.line - begin, problem.path.removeprefix("devices[plc].groups[#1].")) == (line, where)
    assert problem.text.en.startswith(english)


def test_a_group_needs_signals_or_alarms() -> None:
    _, problems = read((SMALL + DEVICE.replace("    alarms:\n", "    signals: []\n")).encode())
    assert [problem.text.en for problem in problems] == ["write signals or alarms"]


def test_ids_of_alarms_are_unique_on_the_machine() -> None:
    text = SMALL + DEVICE
    text += "    - {id: a, address: holding:7, bits: {1: x}}\n"
    text += "    signals:\n    - {id: a-1, address: coil:0, type: bool}\n"
    _, problems = read(text.encode())
    (problem,) = problems
    last = len(text.splitlines())
    assert problem.text.en == f"machine press-1 already has a signal a-1 in line {last}: ids must differ"
    assert (problem.line, problem.path) == (last - 2, "devices[plc].groups[#1].alarms[a].bits.1")
