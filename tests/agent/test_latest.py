"""The last values: what `watch` sees, compared with a plain list kept beside it."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.frame import DataType, Frame, Rows, Signal, Source, Status, Value
from agent.latest import AT_ONCE, HISTORY, Latest

TYPES = (DataType.FLOAT32, DataType.UINT64, DataType.BOOL, DataType.STRING)


def source(name: str, types: tuple[DataType, ...] = TYPES) -> Source:
    signals = tuple(Signal(id=f"s{i}", machine="m", name=f"신호 {i}", dtype=t) for i, t in enumerate(types))
    return Source(id=f"{name}.main", device=name, protocol="x", mode="poll", interval_ns=1, signals=signals)


def asked(latest: Latest, **more: Any) -> list[dict[str, Any]]:
    signals: list[dict[str, Any]] = json.loads(latest.encoded({"time": "1"}, **more))["signals"]
    return signals


VALUES: dict[DataType, Value] = {
    DataType.FLOAT32: 1.5,
    DataType.UINT64: 2**63 - 1,
    DataType.BOOL: True,
    DataType.STRING: "온도",
}


@given(st.lists(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=130), max_size=8))
def test_any_frames_leave_what_a_list_beside_them_holds(frames: list[list[tuple[int, bool]]]) -> None:
    of = source("plc")
    latest, rows = Latest([of]), Rows(of)
    told: list[list[tuple[Value, int]]] = [[] for _ in TYPES]
    for number, frame in enumerate(frames):
        for index, good in frame:
            value = VALUES[TYPES[index]] if good else None
            rows.add(index, number * 10**6, value, 0 if good else Status.BAD_TIMEOUT)
            told[index].append((value, 0 if good else Status.BAD_TIMEOUT))
        latest.put(rows.take())
    for row, past in zip(asked(latest), told, strict=True):
        assert (row["value"], row["status"]) == (past[-1] if past else (None, None))
        numbers = [None if isinstance(v, str) or v is None else float(v) for v, _ in past[-HISTORY:]]
        assert row["history"] == numbers


def test_a_polled_frame_and_one_in_another_order_give_the_same() -> None:
    of = source("plc", (DataType.FLOAT32,) * 5)
    for order in (range(5), [4, 2, 0, 1, 3]):
        latest, rows = Latest([of]), Rows(of)
        for reading in range(HISTORY + 7):
            for index in order:
                rows.add(index, reading * 10**6 + 10**6, float(reading * 10 + index))
            latest.put(rows.take())
        for index, row in enumerate(asked(latest)):
            assert row["history"] == [float(r * 10 + index) for r in range(7, HISTORY + 7)]
            assert row["time"] == (HISTORY + 7) * 10**6


def test_many_signals_and_one_device_of_several() -> None:
    first, second = source("a", (DataType.INT16,) * (AT_ONCE + 1)), source("b", (DataType.INT16,))
    latest = Latest([first, second])
    assert len(asked(latest)) == AT_ONCE + 2
    (row,) = asked(latest, devices={"b"}, history=False)
    assert row == {
        "machine": "m", "id": "s0", "name": "신호 0", "unit": None, "source": "b.main",
        "value": None, "status": None, "time": None,
    }  # fmt: skip
    assert asked(Latest([])) == []


def test_a_new_configuration_keeps_the_past_of_what_did_not_change() -> None:
    first, second = source("a"), source("b")
    latest = Latest([first, second])
    for of in (first, second):
        rows = Rows(of)
        rows.add(0, 1000, 2.5)
        latest.put(rows.take())
    assert latest.good("b") == {("b.main", "s0")}
    latest.begin([first, source("b", (DataType.FLOAT32,))])
    assert [row["value"] for row in asked(latest)] == [2.5, None, None, None, None]
    assert (latest.good("a"), latest.good("b")) == ({("a.main", "s0")}, set())
    latest.begin([first], anew={"a"})
    assert [row["value"] for row in asked(latest)] == [None] * 4


def test_what_is_bad_is_not_good() -> None:
    of = source("a")
    latest, rows = Latest([of]), Rows(of)
    for index, status in enumerate((0, Status.UNCERTAIN, Status.BAD_TIMEOUT)):
        rows.add(index, 1000, VALUES[TYPES[index]], status)
    latest.put(rows.take())
    assert latest.good("a") == {("a.main", "s0"), ("a.main", "s1")}


def test_what_no_json_can_say_is_null() -> None:
    of = source("plc", (DataType.FLOAT64,))
    latest = Latest([of])
    latest.put(
        Frame(of, np.zeros(1, np.int32), np.ones(1, np.int64), [math.nan], np.zeros(1, np.uint32))
    )  # `Rows` lets none through
    assert asked(latest)[0]["value"] is None
