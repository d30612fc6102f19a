"""What is Modbus' own about decoding: registers and tables of bits; the rest is in `test_binary.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from agent.collectors.binary import Kind, Marked
from agent.collectors.modbus.decode import compile_decoder
from agent.collectors.modbus.plan import Request, Span, Table
from agent.frame import DataType
from tests.agent.collectors.test_binary import NUMBERS, ORDERS, on_the_wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import Value


def decoded(kinds: Sequence[Kind], starts: Sequence[int], data: bytes, table: Table) -> list[Value | Marked]:
    """Decode values of one request that begins at address 0."""
    count = len(data) // (1 if table.bits else 2)
    return compile_decoder(Request(Span(table, 0, count), tuple(enumerate(starts))), kinds)(data)


def test_coils_come_least_significant_bit_first() -> None:
    kinds = [Kind(DataType.BOOL)] * 10
    assert decoded(kinds, list(range(10)), b"\xcd\x01", Table.COIL) == [
        True, False, True, True, False, False, True, True, True, False,
    ]  # fmt: skip


@given(st.binary(min_size=1, max_size=250), st.data())
def test_any_bits_of_a_reply(raw: bytes, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(raw) * 8 - 1), min_size=1, max_size=50))
    kinds = [Kind(DataType.BOOL)] * len(places)
    whole = int.from_bytes(raw, "little")
    expected = [bool(whole >> place & 1) for place in places]
    assert decoded(kinds, places, raw, Table.DISCRETE) == expected


@given(st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(ORDERS)), min_size=1, max_size=25))
def test_registers_count_in_pairs_of_bytes(shapes: list[tuple[DataType, str]]) -> None:
    kinds = [Kind(dtype, order) for dtype, order in shapes]  # type: ignore[arg-type]
    starts, at = [], 0
    for kind in kinds:
        starts.append(at)
        at += kind.registers
    numbers = [float(i) if kind.dtype.startswith("float") else i for i, kind in enumerate(kinds)]
    raw = b"".join(on_the_wire(n, kind.dtype, kind.order) for n, kind in zip(numbers, kinds, strict=True))
    assert decoded(kinds, starts, raw, Table.HOLDING) == numbers
    assert decoded(kinds, starts, raw, Table.INPUT) == numbers
