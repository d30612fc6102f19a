"""Every type and order of words side by side: what is shown, and what is guessed."""

from __future__ import annotations

import datetime as dt
import math
import struct
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.frame import DataType
from agent.interpretation import ORDERS, Candidate, Guess, Words, guess, interpret, label, motion, shown

NOW = 1_763_800_000_000_000_000
PLACES = {"ABCD": (0, 1, 2, 3), "CDAB": (2, 3, 0, 1), "BADC": (1, 0, 3, 2), "DCBA": (3, 2, 1, 0)}


def on_the_wire(raw: bytes, order: str) -> list[int]:
    """Return the words of a big-endian value as a device of that order sends it."""
    if len(raw) == 4:
        turned = bytes(raw[i] for i in PLACES[order])
    else:
        pairs = [raw[i : i + 2] for i in range(0, len(raw), 2)]
        if order in {"CDAB", "DCBA"}:
            pairs.reverse()
        turned = b"".join(p[::-1] if order in {"BADC", "DCBA"} else p for p in pairs)
    return list(struct.unpack(f">{len(raw) // 2}H", turned))


def window(*values: list[int], before: int | None = 7777, after: int = 0) -> list[Words]:
    """Return readings of a window: one word before the address, the value, words of something else."""
    return [(before, *v, *[after] * (10 - len(v))) for v in values]


def found(candidates: list[Candidate], name: str) -> Candidate:
    return next(c for c in candidates if label(c) == name)


def judged(readings: list[Words]) -> Guess:
    return guess(interpret(readings, 1, now_ns=NOW, zone="Asia/Seoul"))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("code", "dtype", "value"),
    [("i", "int32", -123456), ("I", "uint32", 3_000_000_000), ("f", "float32", 12.5), ("q", "int64", -(10**15)),
     ("Q", "uint64", 10**17), ("d", "float64", -0.001)],
)  # fmt: skip
def test_each_type_in_each_order_stands_in_its_place(code: str, dtype: str, value: float, order: str) -> None:
    readings = window(on_the_wire(struct.pack(f">{code}", value), order))
    assert found(interpret(readings, 1, now_ns=NOW), f"{dtype} {order}").values == (value,)


def test_sixteen_bits_bcd_and_the_neighbours() -> None:
    candidates = interpret([(5, 0x1234, 0xFFFE, 0, 0, 0, 0, 0, 0, 0)], 1, now_ns=NOW)
    said = {label(c): c.values[0] for c in candidates}
    assert said["uint16"] == 0x1234
    assert said["uint16 BADC"] == 0x3412
    assert said["bcd16"] == 1234
    assert said["uint16 -1"] == 5
    assert said["int16 +1"] == -2
    assert said["bcd16 +1"] is None
    assert said["bcd32 ABCD -1"] == 51234


def test_what_the_device_refused_is_no_part_of_any_value() -> None:
    candidates = interpret([(None, 1, 2, None)], 1, now_ns=NOW)
    names = {label(c) for c in candidates}
    assert {"uint16", "uint32 ABCD", "uint16 +1"} <= names
    assert not {"uint16 -1", "uint32 ABCD +1", "uint64 ABCD", "uint32 ABCD -1"} & names


@pytest.mark.parametrize("order", ORDERS)
def test_a_temperature_in_any_order_is_recognised(order: str) -> None:
    temperatures = [23.417, 23.422, 23.409, 23.431, 23.42]
    told = judged(window(*(on_the_wire(struct.pack(">f", t), order) for t in temperatures), after=0x8123))
    assert told.best is not None
    assert label(told.best) == f"float32 {order}"
    assert told.clear
    assert "usual size" in told.text.en
    assert "추정: float32" in told.text.ko


@pytest.mark.parametrize("order", ["ABCD", "CDAB"])
def test_a_counter_beyond_one_word_is_recognised(order: str) -> None:
    counts = [1_234_567 + 3 * i for i in range(5)]
    told = judged(window(*(on_the_wire(struct.pack(">I", c), order) for c in counts), after=0x9ABC))
    assert told.best is not None
    assert label(told.best) in {f"uint32 {order}", f"int32 {order}"}
    assert told.best.motion == "counts up"


def test_a_small_counter_beside_a_zero_is_not_called_clear() -> None:
    told = judged(window(*([n, 0] for n in range(100, 105))))
    assert not told.clear
    assert "may be right as well" in told.text.en
    said = {told.best.values if told.best else (), *(c.values for c in told.rivals)}
    assert tuple(range(100, 105)) in said


def test_a_clear_guess_is_mostly_right() -> None:
    random = Random(7)
    clear = right = 0
    for _ in range(300):
        order = random.choice(ORDERS)
        level = 10 ** random.uniform(-1, 5)
        code = random.choice("fI")
        series = [level * (1 + random.uniform(-0.01, 0.01)) for _ in range(6)]
        if code == "I":
            first = random.randrange(10**5, 10**7)
            series = [float(first + 3 * i) for i in range(6)]
        wire = [
            on_the_wire(struct.pack(">f", v) if code == "f" else struct.pack(">I", int(v)), order) for v in series
        ]
        told = judged(window(*wire, before=random.randrange(65536), after=random.randrange(65536)))
        if told.clear and told.best is not None:
            clear += 1
            same = struct.pack(">f", series[-1]) if code == "f" else struct.pack(">I", int(series[-1]))
            right += told.best.values[-1] == struct.unpack(f">{code}", same)[0]
    assert clear >= 200
    assert right >= 0.97 * clear


def test_a_setting_of_few_digits_one_word_further_names_the_shift() -> None:
    readings: list[Words] = [(0, 0, *on_the_wire(struct.pack(">f", 180.5), "CDAB"), 0, 0, 0, 0, 0, 0)] * 3
    told = judged(readings)
    assert told.best is not None
    assert label(told.best) == "float32 CDAB +1"
    assert "beside the address" in told.text.en


def test_text_and_dates_are_recognised() -> None:
    lot = "LOT-2025".encode("ascii").ljust(16, b"\0")
    told = judged(window([*struct.unpack(">8H", lot)]))
    assert told.best is not None
    assert told.best.values == ("LOT-2025",)
    name = "프레스일호기".encode("cp949").ljust(16, b"\0")
    told = judged(window([*struct.unpack("<8H", name)]))
    assert told.best is not None
    assert (told.best.kind.encoding, told.best.kind.order) == ("cp949", "BADC")
    told = judged(window(on_the_wire(struct.pack(">I", NOW // 10**9), "CDAB")))
    assert told.best is not None
    assert label(told.best) == "unix_s CDAB"
    local = dt.datetime.fromtimestamp(NOW / 1e9, dt.timezone(dt.timedelta(hours=9)))
    told = judged(window([local.year, local.month, local.day, local.hour, local.minute, local.second]))
    assert told.best is not None
    assert told.best.kind.moment == "words6"


def test_zeros_tell_nothing_and_nonsense_is_not_guessed() -> None:
    assert judged([(0,) * 10] * 3).text.en.startswith("all is 0 here")
    assert judged([(0,) * 10] * 3).best is None
    assert "모두 0" in judged([(0,) * 10]).text.ko
    assert guess([]).best is None


@pytest.mark.parametrize(
    ("values", "how"),
    [([1], "unknown"), ([1, 1, 1], "constant"), ([1, 2, 2, 9], "counts up"), ([9, 8], "counts down"),
     ([20.0, 20.5, 20.1], "moves"), ([1, 60000, 3], "jumps"), ([True, False], "switches"), (["a", "b"], "moves"),
     ([1.0, math.inf], "jumps"), ([None, 4, 4], "constant"), ([100, 90, 95], "moves")],
)  # fmt: skip
def test_how_a_value_changes(values: list[float], how: str) -> None:
    assert motion(values) == how


@given(st.lists(st.lists(st.integers(0, 0xFFFF) | st.none(), min_size=10, max_size=10), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_whatever_stands_there_is_shown_and_judged(readings: list[list[int | None]]) -> None:
    candidates = interpret([tuple(r) for r in readings], 1, now_ns=NOW)
    told = guess(candidates)
    assert told.text.en
    assert told.text.ko
    for candidate in candidates:
        assert math.isfinite(candidate.score)
        assert len(candidate.values) == len(readings)
        assert shown(candidate.values[0])
        assert candidate.kind.dtype in DataType
