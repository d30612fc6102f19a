"""What is frozen comes back as it was, can be written to, and shares what it shared."""

from __future__ import annotations

from array import array
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from agent.analyzers.cold import frozen, thawed
from agent.analyzers.countday import ARRAYS, CountDay
from agent.analyzers.timeline import Timeline

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY = 86_400_000_000_000


@pytest.mark.parametrize(
    "array_",
    [
        np.arange(7), np.zeros(0), np.arange(12, dtype=np.uint16).reshape(3, 4), np.arange(12).reshape(3, 4).T,
        np.array([0.1, -0.0, np.nan, np.inf]), np.array([True, False]), np.arange(20, dtype=np.uint8)[::3],
        np.empty((3, 0), np.int32), np.array([2**63], np.uint64),
    ],
)  # fmt: skip
def test_an_array_comes_back_to_the_last_bit_and_is_our_own(array_: NDArray[Any]) -> None:
    again = thawed(frozen(array_))
    assert again.dtype == array_.dtype
    assert again.shape == array_.shape
    assert again.tobytes() == array_.tobytes()
    again[...] = 1
    assert again.flags.c_contiguous


def test_objects_are_no_numbers_and_are_refused() -> None:
    with pytest.raises(AssertionError):
        frozen(np.array([2**70, 1], object))


def test_what_is_shared_is_shared_again_and_nobody_else_writes_to_it() -> None:
    one = np.arange(3)
    first, second, mapping = thawed(frozen([one, one, MappingProxyType({1: 2})]))
    assert first is second
    assert mapping == {1: 2}
    counter, other = thawed(frozen([CountDay(0, 0), CountDay(0, 0)]))
    counter.rest(1, 2)
    counter.wait(1, 2, 3, 4)
    for name in ("counted", "blind", "single"):
        counter.add(name, 3, 4)
    assert not any(getattr(other, name) for name in ARRAYS)
    assert counter.state() == thawed(frozen(counter)).state()
    assert thawed(frozen(array("q", [1, 2**62]))) == array("q", [1, 2**62])


def test_a_line_goes_on_where_it_was() -> None:
    plain, cold = Timeline(20), Timeline(20)
    for minute in range(200):
        for line in (plain, cold):
            line.say(minute * 60_000_000_000, minute % 5, 0, DAY)
            if minute % 17 == 0:
                line.fall_silent(minute * 60_000_000_000 + 1_000, 0, DAY)
        cold = thawed(frozen(cold))
    assert cold.state() == plain.state()
