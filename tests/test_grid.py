"""The benchmark's own judgement: slots that are late are found from the servers' logs alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.grid import LATE_NS, SECOND, late_by

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from numpy.typing import NDArray

START = 1_763_769_600_000_000_000


def requests(
    late_ms: dict[int, int], missing: AbstractSet[int] = frozenset(), slots: int = 130
) -> NDArray[np.int64]:
    """Return when requests came: five of a reading, 6 ms apart, each second at the same phase but for these."""
    found = []
    for slot in range(slots):
        if slot not in missing:
            first = START + slot * SECOND + 317_000_000 + late_ms.get(slot, 0) * 1_000_000
            found += [first + i * 6_000_000 for i in range(5)]
    return np.array(found, np.int64)


def late(times: NDArray[np.int64], slots: int = 130) -> int:
    return int((late_by(times, START, START + slots * SECOND) > LATE_NS).sum())


@given(
    st.dictionaries(st.integers(0, 129), st.integers(0, 400), max_size=20), st.sets(st.integers(1, 128), max_size=5)
)
def test_late_and_missing_slots_are_counted(late_ms: dict[int, int], missing: set[int]) -> None:
    found = late(requests(late_ms, missing))
    wanted = sum(ms > 50 for slot, ms in late_ms.items() if slot not in missing) + len(missing)
    assert abs(found - wanted) <= (1 if {0, 60, 120} & set(late_ms) else 0), (
        "the first of a window may set its phase"
    )


@pytest.mark.parametrize("times", [[], [START]])
def test_a_device_that_was_not_asked_is_late_in_every_slot(times: list[int]) -> None:
    assert late(np.array(times, np.int64), 10) == 10
