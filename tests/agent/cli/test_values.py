"""A value on the screen is the value of the device."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.table import width
from agent.cli.values import within, words
from agent.frame import DataType


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (1234567.8, DataType.FLOAT64, "1234567.8"),
        (12345678.91, DataType.FLOAT64, "12345678.91"),
        (struct.unpack("f", struct.pack("f", 23.44))[0], DataType.FLOAT32, "23.44"),
        (16777215.0, DataType.FLOAT32, "16777215"),
        (1234567.5, DataType.FLOAT32, "1234567.5"),
        (0.1 * 3, DataType.FLOAT64, "0.3"),
        (1e300, DataType.FLOAT64, "1e+300"),
        (math.nan, DataType.FLOAT32, "nan"),
        (math.inf, DataType.FLOAT32, "inf"),
        (2**64 - 1, DataType.UINT64, "18446744073709551615"),
        (1_795_362_385_620_000_000, DataType.TIMESTAMP, "2026-11-23 00:46:25"),
        (-11_644_473_600 * 10**9, DataType.TIMESTAMP, "1601-01-01 08:27:52"),
        (2**63 - 1, DataType.TIMESTAMP, "2262-04-12 08:47:16"),
        ("한일\x1b[2J", DataType.STRING, "한일·[2J"),
        (None, DataType.STRING, ""),
    ],
)
def test_a_value_in_words(value: Any, dtype: DataType, text: str) -> None:
    assert words(value, dtype, "Asia/Seoul") == text


def test_a_label_stands_behind_its_number() -> None:
    labels = ((0, "정지"), (1, "운전"))
    assert words(1, DataType.UINT16, "UTC", labels=labels) == "1 운전"
    assert words(7, DataType.UINT16, "UTC", labels=labels) == "7"


@given(st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=2.0**17, max_value=2.0**127))
def test_a_large_float32_comes_back_from_its_text(value: float) -> None:
    assert struct.pack("f", float(words(value, DataType.FLOAT32, "UTC"))) == struct.pack("f", value)


@given(st.one_of(st.integers(-(2**63), 2**64), st.floats(allow_nan=False, min_value=-1e200, max_value=1e200)))
def test_a_number_in_few_columns_is_rounded_and_never_another_one(value: float) -> None:
    shown = within(words(value, DataType.FLOAT64, "UTC"), value, 12)
    assert width(shown) <= 12
    assert math.isclose(float(shown), value, rel_tol=1e-4)
