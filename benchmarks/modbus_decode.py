"""How long it takes to make 62 float32 values from a reply of 124 registers, in four ways.

    python -m benchmarks.modbus_decode

ours       one compiled `struct` pass over the bytes of the reply
per tag    `struct.unpack_from` for each value
pymodbus   the client library's converter: called once for all values, and once per value

The candidates run in turns; the figures are medians of processor time. In word order CDAB
ours has to swap bytes first.
"""

from __future__ import annotations

import statistics
import struct
import time
from typing import TYPE_CHECKING

from pymodbus.client.mixin import ModbusClientMixin

from agent.collectors.binary import Kind
from agent.collectors.modbus.decode import compile_decoder
from agent.collectors.modbus.plan import Limits, Span, Table, plan
from agent.frame import DataType

if TYPE_CHECKING:
    from collections.abc import Callable

VALUES = 62
ROUNDS = 15
FLOAT32 = ModbusClientMixin.DATATYPE.FLOAT32


def candidates() -> dict[str, Callable[[], list[object]]]:
    """Return the ways by name; each gives the same values."""
    numbers = [i * 1.5 for i in range(VALUES)]
    data = struct.pack(f">{VALUES}f", *numbers)
    registers = list(struct.unpack(f">{VALUES * 2}H", data))
    spans = [Span(Table.HOLDING, 2 * i, 2) for i in range(VALUES)]
    (request,) = plan(spans, Limits())
    ours = compile_decoder(request, [Kind(DataType.FLOAT32)] * VALUES)
    swapped = compile_decoder(request, [Kind(DataType.FLOAT32, "CDAB")] * VALUES)
    words = b"".join(data[i + 2 : i + 4] + data[i : i + 2] for i in range(0, len(data), 4))
    one = struct.Struct(">f")
    convert = ModbusClientMixin.convert_from_registers

    def all_at_once() -> list[object]:
        values = convert(registers, FLOAT32)
        assert isinstance(values, list)
        return [*values]

    ways: dict[str, Callable[[], list[object]]] = {
        "ours": lambda: [*ours(data)],
        "ours, CDAB": lambda: [*swapped(words)],
        "struct per tag": lambda: [one.unpack_from(data, 4 * i)[0] for i in range(VALUES)],
        "pymodbus, once": all_at_once,
        "pymodbus, per tag": lambda: [convert(registers[2 * i : 2 * i + 2], FLOAT32) for i in range(VALUES)],
    }
    for name, way in ways.items():
        assert way() == numbers, name
    return ways


def main() -> None:
    """Print microseconds per reply and the ratio to ours."""
    ways = candidates()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            times = 2000 if "ours" in name else 200
            begun = time.process_time()
            for _ in range(times):
                way()
            taken[name].append((time.process_time() - begun) / times * 1e6)
    base = statistics.median(taken["ours"])
    for name, figures in taken.items():
        median = statistics.median(figures)
        print(f"{name:20} {median:8.2f} us  {median / base:6.1f}x")


if __name__ == "__main__":
    main()
