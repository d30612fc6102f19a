"""Complaints 12 and 13 of the field: swaps that did nothing to 64 bits, and addresses that are off by one."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from agent.cli.check import summary, values
from agent.collectors.binary import CODES, SIZES, WIDE, AnyOrder, Kind, compile_decoder
from agent.collectors.modbus.address import both_notations, place
from agent.collectors.modbus.plan import Table
from agent.config.load import read
from agent.frame import DataType
from agent.probe import Probe
from tests.agent.config.test_model import SMALL

if TYPE_CHECKING:
    from agent.collectors.modbus.config import ModbusDevice

NUMBERS: dict[DataType, float] = {
    DataType.INT16: -12345,
    DataType.UINT16: 54321,
    DataType.INT32: -1234567890,
    DataType.UINT32: 4023456789,
    DataType.INT64: -1234567890123456789,
    DataType.UINT64: 17234567890123456789,
    DataType.FLOAT32: 230.5,
    DataType.FLOAT64: 123456789.123,
}
FULL: dict[AnyOrder, str] = {"ABCD": "ABCDEFGH", "CDAB": "GHEFCDAB", "BADC": "BADCFEHG", "DCBA": "HGFEDCBA"}
"""What the four names mean for 64 bits."""
NARROW: dict[int, dict[AnyOrder, str]] = {
    2: {"ABCD": "AB", "CDAB": "AB", "BADC": "BA", "DCBA": "BA"},
    4: {name: name for name in FULL},
    8: {**FULL, **{name: name for name in WIDE}},
}
"""By size in bytes: which byte of the big-endian value stands where, letter by letter."""


@pytest.mark.parametrize("dtype", NUMBERS)
def test_complaint_12_every_type_is_swapped_by_every_order_64_bits_too(dtype: DataType) -> None:
    """EdgeX device-modbus-go#335: byte and word swap had no effect on 64-bit values."""
    big = struct.pack(">" + CODES[dtype], NUMBERS[dtype])
    orders = NARROW[SIZES[dtype]]
    wires = set()
    for order, letters in orders.items():
        wire = bytes(big["ABCDEFGH".index(letter)] for letter in letters)
        kind = Kind(dtype, order)
        assert compile_decoder([(0, 0)], len(wire), [kind])(wire) == [NUMBERS[dtype]], order
        wires.add(wire)
    assert len(wires) == {2: 2, 4: 4, 8: 8}[len(big)], "each order that differs does something"


def test_complaint_12_one_value_may_differ_from_its_device() -> None:
    signals = [
        {"id": "a", "address": "holding:0", "type": "uint64"},
        {"id": "b", "address": "holding:0", "type": "uint64", "word_order": "CDABGHEF"},
    ]
    kinds = [signal.kind("CDAB") for signal in device(signals).groups[0].signals]
    wire = bytes.fromhex("7788556633441122")
    swapped: list[AnyOrder] = ["CDAB", "CDABGHEF"]
    assert [kind.order for kind in kinds] == swapped
    assert compile_decoder([(0, 0), (1, 0)], 8, kinds)(wire) == [0x1122334455667788, 0x5566778811223344]


def device(signals: list[dict[str, Any]]) -> ModbusDevice:
    from agent.collectors.modbus.config import ModbusDevice  # noqa: PLC0415

    return ModbusDevice.model_validate(
        {
            "id": "plc", "type": "modbus", "machine": "m", "host": "10.0.0.1",
            "groups": [{"every": "1s", "signals": signals}],
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("offset", "six_digits", "table"),
    [
        ("holding:0", "400001", Table.HOLDING), ("holding:8", "400009", Table.HOLDING),
        ("holding:65535", "465536", Table.HOLDING), ("input:0", "300001", Table.INPUT),
        ("coil:0", "000001", Table.COIL), ("discrete:99", "100100", Table.DISCRETE),
    ],
)  # fmt: skip
def test_complaint_13_two_notations_name_one_register_and_both_are_echoed(
    offset: str, six_digits: str, table: Table
) -> None:
    """Neuron#2127, PLC4X#663, NModbus#108: 30001, 300001 and offset 0 meant different registers."""
    assert place(offset) == place(six_digits) == (table, int(offset.split(":")[1]))
    assert both_notations(offset) == both_notations(six_digits) == f"{offset} ({six_digits})"


@pytest.mark.parametrize("ambiguous", ["40001", "30001", "10001", "00001", "49999"])
def test_complaint_13_five_digits_are_refused_with_both_readings(ambiguous: str) -> None:
    with pytest.raises(ValidationError) as caught:
        device([{"id": "a", "address": ambiguous, "type": "bool" if ambiguous[0] in "01" else "int16"}])
    said = caught.value.errors()[0]["ctx"]["error"].text
    word = {"0": "coil", "1": "discrete", "3": "input", "4": "holding"}[ambiguous[0]]
    number = int(ambiguous[1:])
    for text in (said.en, said.ko):
        assert f"{word}:{number - 1}" in text
        assert f"{word}:{number}" in text
    assert ambiguous in said.en


@pytest.mark.parametrize("wrong", ["400000", "466000", "4x0001", "hr0", "holding:65536", "0", "1", "400001.5"])
def test_complaint_13_nothing_else_is_an_address(wrong: str) -> None:
    with pytest.raises(ValidationError):
        device([{"id": "a", "address": wrong, "type": "int16"}])


def test_complaint_13_check_shows_both_notations_of_each_signal() -> None:
    devices = """devices:
- {id: plc, type: modbus, machine: press-1, host: 10.0.0.1, ls_map: {word_read: D00000}, groups: [{every: 1s,
    signals: [{id: a, address: "holding:8", type: int16}, {id: b, address: 300031, type: int16},
    {id: c, address: D00120, type: int16}]}]}
"""
    config, problems = read((SMALL + devices).encode())
    assert problems == []
    assert config is not None
    assert [*config.addresses().values()] == [
        "holding:8 (400009)", "input:30 (300031)", "D00120 = input:120 (300121)",
    ]  # fmt: skip
    assert any("no mistakes found" in line for line in summary(config, "agent.yaml", "en"))
    table = "\n".join(values(config, [Probe(kind="unreachable")], "en"))
    for both in config.addresses().values():
        assert both in table
