"""90 % intervals hold the process truth; `make validity` draws 1,100 runs of each process."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import pytest

from tests.validity.coverage import LEAST, cells, rate

if TYPE_CHECKING:
    from tests.validity.coverage import Cell

LONG = os.environ.get("TSQ_VALIDITY") == "1"
RUNS = 1100 if LONG else 120
CHANCE = (2 if LONG else 3) * math.sqrt(LEAST * (1 - LEAST) / RUNS)
"""What chance alone may take from the share of so many runs."""
CELLS = cells()


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: f"{c.kind}: {c.name}")
def test_intervals_hold_the_truth(cell: Cell) -> None:
    held, width = rate(cell, RUNS, 0)
    assert held >= LEAST - CHANCE
    assert width > 0


def test_each_kind_of_outcome_is_tried() -> None:
    assert {c.kind for c in CELLS} == {"Shares", "Events", "Rates", "Buckets", "Sample", "Given"}
