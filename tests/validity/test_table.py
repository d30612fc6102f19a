"""Each indicator against what really happened, through the whole chain: two levels of faults, two runs each.

`make validity` runs six levels and twenty runs over four weeks.
"""

from __future__ import annotations

import pytest

from readiness.indicators import REGISTRY
from tests.validity.__main__ import shortfalls
from tests.validity.matrix import Matrix, table
from tests.validity.page import page
from tests.validity.rows import ROWS, Result
from tests.validity.shop import LEVELS
from tests.validity.small import CALM, ROUGH, told

CELLS = [CALM, (0.02, 6), ROUGH, (0.2, 2)]


@pytest.mark.parametrize(("level", "seed"), CELLS)
def test_what_is_measured_is_what_happened(level: float, seed: int) -> None:
    plant = told(level, seed)
    wrong = [found for row in ROWS if not (found := plant.result(row)).passes]
    assert not wrong, "\n".join(f"{w.row.id} {w.row.machine}: {w.found} {w.reason}, truth {w.truth}" for w in wrong)


def test_faults_are_felt() -> None:
    """A truth that does not depend on the level would prove nothing."""
    low, high = told(*CALM), told(*ROUGH)
    steady = {"V01", "C01"}  # they turn at a threshold
    same = [r.id for r in ROWS if abs(low.result(r).truth - high.result(r).truth) < 0.02 and r.id not in steady]
    assert set(same) <= {"V02", "R01", "Q06", "Q07", "U03"}, same


def test_each_of_the_45_has_a_row() -> None:
    assert {row.id for row in ROWS} == set(REGISTRY)
    assert len({row.id for row in ROWS}) == 45


def test_a_run_that_is_wrong_is_told() -> None:
    matrix = Matrix(LEVELS)
    for row in ROWS:
        matrix.cells[row][LEVELS[0]] = [Result(row, 0.5, 0.9 if row.id == "C03" else 0.5, "", (), (0.4, 0.6))]
    assert [row.id for row, _, _ in matrix.failed()] == ["C03", "C03"]
    assert "  1/1 " in table(matrix)
    assert page(matrix, [], "").count('class="bad"') == 2
    assert len(shortfalls(matrix, 1)) == 2 + 5 * len(ROWS)  # and five levels without a run
