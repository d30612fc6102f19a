"""What a technician may write about a Modbus device, and what is refused with which words."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from agent.collectors.modbus.address import both_notations, place
from agent.collectors.modbus.config import ModbusDevice
from agent.collectors.modbus.plan import Limits, Span, Table
from agent.frame import DataType
from settings.language import Complaint


def device(*signals: dict[str, Any], **options: Any) -> ModbusDevice:
    return ModbusDevice.model_validate(
        {
            "id": "press-plc", "type": "modbus", "machine": "press-1", "host": "192.168.0.10",
            "groups": [{"id": "fast", "every": "1s", "signals": signals or [CURRENT]}],
        }
        | options
    )  # fmt: skip


def mistakes(caught: pytest.ExceptionInfo[ValidationError]) -> list[Any]:
    """Return the errors without those that pydantic adds because a list has no valid item left."""
    return [e for e in caught.value.errors() if e["type"] != "too_short" or not e["input"]]


def signal(**options: Any) -> dict[str, Any]:
    return {"id": "x", "address": "holding:8", "type": "uint16"} | options


CURRENT = signal(id="motor-current", type="float32", unit="A", role="pv")


@pytest.mark.parametrize(
    ("written", "table", "offset"),
    [
        ("holding:0", Table.HOLDING, 0), ("400001", Table.HOLDING, 0), (400009, Table.HOLDING, 8),
        ("465536", Table.HOLDING, 65535), ("input:3", Table.INPUT, 3), (300004, Table.INPUT, 3),
        ("coil:65535", Table.COIL, 65535), ("000001", Table.COIL, 0), ("discrete:7", Table.DISCRETE, 7),
        ("100008", Table.DISCRETE, 7),
    ],
)  # fmt: skip
def test_an_address_has_two_notations(written: str | int, table: Table, offset: int) -> None:
    kind: dict[str, Any] = {"type": "bool"} if table.bits else {}
    loaded = device(signal(address=written, **kind)).groups[0].signals[0]
    assert place(loaded.address) == (table, offset)
    offset_text, six_digits = both_notations(loaded.address).rstrip(")").split(" (")
    assert place(offset_text) == place(six_digits) == (table, offset)


@pytest.mark.parametrize(
    ("written", "english"),
    [
        ("40009", "40009 is ambiguous: write holding:8 if the manual counts from 1, holding:9 if it counts from 0"),
        (30001, "30001 is ambiguous: write input:0 if the manual counts from 1, input:1 if it counts from 0"),
        ("40000", "40000 is ambiguous: write holding:0 if"),
        ("8", "write the address as holding:8"),
        ("holding: 8", "write the address as holding:8"),
        ("Holding:8", "write the address as holding:8"),
        ("holding:٨", "write the address as holding:8"),
        ("500001", "write the address as holding:8"),
        ("D100", "D100 is a name of the PLC: write the device's ls_map"),
        ("holding:65536", "there is no such address"),
        ("400000", "there is no such address"),
        ("465537", "there is no such address"),
        (True, "write an address such as holding:8"),
        (4.5, "write an address such as holding:8"),
        (None, "write an address such as holding:8"),
    ],
)
def test_any_other_notation_is_refused_with_what_to_write(written: object, english: str) -> None:
    with pytest.raises(ValidationError) as caught:
        device(signal(address=written))
    (error,) = mistakes(caught)
    assert error["msg"].startswith(f"Value error, {english}")
    assert isinstance(error["ctx"]["error"], Complaint)
    assert any("가" <= char <= "힣" for char in error["ctx"]["error"].text.ko)


@pytest.mark.parametrize(
    ("options", "english"),
    [
        ({"type": "string"}, "a string needs a length"),
        ({"length": 4}, "length and encoding belong to type: string"),
        ({"encoding": "cp949"}, "length and encoding belong to type: string"),
        ({"type": "bool"}, "a bit of a register needs both"),
        ({"bit": 3}, "a bit of a register needs both"),
        ({"address": "coil:1"}, "a coil is one bit"),
        ({"address": "discrete:1", "type": "bool", "bit": 0}, "a discrete is one bit"),
        ({"address": "coil:1", "type": "bool", "word_order": "CDAB"}, "a coil has no word_order"),
        ({"type": "bool", "bit": 1, "scale": 2}, "scale and offset belong to numbers, not to bool"),
        ({"type": "string", "length": 4, "offset": 1}, "scale and offset belong to numbers, not to string"),
        ({"scale": 0}, "a scale of 0"),
        ({"address": "holding:65535", "type": "float32"}, "the value needs 2 registers and runs past"),
        ({"address": "465534", "type": "float64"}, "the value needs 4 registers and runs past"),
        ({"address": "holding:65534", "type": "string", "length": 5}, "the value needs 3 registers and runs past"),
    ],
)
def test_contradictions_in_a_signal_are_refused(options: dict[str, Any], english: str) -> None:
    with pytest.raises(ValidationError) as caught:
        device(signal(**options))
    (error,) = mistakes(caught)
    assert error["msg"].startswith(f"Value error, {english}")
    assert any("가" <= char <= "힣" for char in error["ctx"]["error"].text.ko)


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"bit": 16, "type": "bool"}, "bit"),
        ({"length": 251, "type": "string"}, "length"),
        ({"scale": "inf"}, "scale"),
        ({"offset": float("nan")}, "offset"),
        ({"word_order": "ABDC"}, "word_order"),
        ({"adress": "holding:8"}, "adress"),
    ],
)
def test_values_out_of_range_and_unknown_keys_are_refused(options: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as caught:
        device(signal(**options))
    assert [error["loc"][-1] for error in mistakes(caught)] == [where]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"host": "192.168.0.10:502"}, "host"),
        ({"host": "modbus://plc"}, "host"),
        ({"host": ""}, "host"),
        ({"port": 0}, "port"),
        ({"unit": 256}, "unit"),
        ({"max_registers": 126}, "max_registers"),
        ({"max_bits": 2001}, "max_bits"),
        ({"max_gap": -1}, "max_gap"),
        ({"timeout": 1500}, "timeout"),
        ({"timeout": "9ms"}, "timeout"),
        ({"timeout": "61s"}, "timeout"),
        ({"groups": []}, "groups"),
    ],
)
def test_a_device_is_checked(options: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as caught:
        device(**options)
    assert [error["loc"][-1] for error in mistakes(caught)] == [where]


def test_a_value_wider_than_the_device_serves_is_refused() -> None:
    with pytest.raises(ValidationError, match="signal x takes 4 registers, more than max_registers: 3"):
        device(signal(type="uint64"), max_registers=3)


def test_hosts_may_be_names_and_both_kinds_of_address() -> None:
    for host in ("plc-1.local", "192.168.0.10", "fe80::1"):
        assert device(host=host).host == host


def test_sources_carry_what_the_store_needs_to_know() -> None:
    (source,) = device(
        signal(id="raw"),
        signal(
            id="temperature", name="금형 온도", type="int16", scale=0.1, machine="press-2", role="pv", guess=True
        ),
        signal(id="door", type="bool", bit=3),
        signal(id="lot", type="string", length=8),
        signal(id="running", type="bool", address="coil:0"),
    ).sources()
    assert (source.id, source.device, source.protocol, source.mode) == (
        "press-plc.fast",
        "press-plc",
        "modbus",
        "poll",
    )
    assert source.interval_ns == 1_000_000_000
    assert [s.dtype for s in source.signals] == [
        DataType.UINT16, DataType.FLOAT64, DataType.BOOL, DataType.STRING, DataType.BOOL,
    ]  # fmt: skip
    assert source.machines() == ("press-1", "press-2")
    assert source.signals[1].name == "금형 온도"
    assert not source.signals[1].role_confirmed


def test_the_order_of_a_signal_overrides_the_device() -> None:
    loaded = device(signal(), signal(word_order="DCBA"), word_order="CDAB")
    assert [s.kind(loaded.word_order).order for s in loaded.groups[0].signals] == ["CDAB", "DCBA"]
    assert loaded.limits == Limits(125, 2000, None)


def test_a_string_takes_a_register_for_two_characters() -> None:
    loaded = device(signal(type="string", length=5))
    assert loaded.groups[0].signals[0].span() == Span(Table.HOLDING, 8, 3)


def test_a_signal_and_a_device_say_what_check_prints() -> None:
    loaded = device(CURRENT, signal(address="holding:300"))
    assert loaded.groups[0].signals[0].where() == "holding:8 (400009)"
    assert loaded.requests() == {"press-plc.fast": 2}
    assert loaded.model_copy(update={"max_registers": 1}).requests() == {"press-plc.fast": 2}
    assert device(CURRENT, signal(address="holding:30")).requests() == {"press-plc.fast": 1}
    assert device(CURRENT, signal(address="holding:30"), max_gap=16).requests() == {"press-plc.fast": 2}


def test_configuration_alone_does_not_load_pymodbus() -> None:
    code = "import sys, agent.collectors.modbus.config; sys.exit('pymodbus' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
