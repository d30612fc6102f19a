"""Peers: suppressed where it has to be, and silent about any one company beyond the step."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from techsquare.diagnosis.peers import Company, Kind, Suppressed, Table, freeze, quarter

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = Kind("2026Q3", "OEE", "press", "2026.11.3", 0.05)


def companies(values: list[float], machines: list[int] | None = None) -> list[Company]:
    weights = machines or [1] * len(values)
    return [
        Company(f"c{i}", None, "press", "2026.11.3", v, w)
        for i, (v, w) in enumerate(zip(values, weights, strict=True))
    ]


def table(found: Table | Suppressed) -> Table:
    assert isinstance(found, Table)
    return found


def test_quartiles_of_eleven_and_more_in_any_order() -> None:
    rows = companies([i / 20 for i in range(1, 13)])
    found = table(freeze(KIND, rows))
    assert (found.q25, found.q50, found.q75) == (0.15, 0.3, 0.45)
    assert (found.companies, found.heaviest) == (12, 1 / 12)
    Random(2).shuffle(rows)
    assert freeze(KIND, rows) == found


def test_below_eleven_there_is_no_table_so_that_whoever_looks_sees_ten_others() -> None:
    assert freeze(KIND, companies([0.5] * 10)) == Suppressed(KIND, "few")
    assert table(freeze(KIND, companies([0.5] * 11))).companies == 11


@pytest.mark.parametrize("change", [{"process": "oven"}, {"formulas": "2026.11.2"}, {"machines": 0}])
def test_other_processes_and_formulas_do_not_count(change: dict[str, object]) -> None:
    rows = companies([0.5] * 11)
    assert freeze(KIND, [replace(rows[0], **change), *rows[1:]]) == Suppressed(KIND, "few")  # type: ignore[arg-type]


def test_an_owner_group_counts_once_with_the_mean_of_its_machines() -> None:
    rows = companies([0.1] * 12 + [0.9, 0.3], [1] * 12 + [1, 3])
    joined = [replace(one, group="g") if i >= 12 else one for i, one in enumerate(rows)]
    found = table(freeze(KIND, joined, None))
    assert found.companies == 13
    alone = [*rows[:12], Company("g", None, "press", "2026.11.3", 0.45, 4)]
    assert replace(table(freeze(KIND, alone)), kind=KIND) == found
    same = [replace(one, group="g") if i in {0, 1} else one for i, one in enumerate(companies([0.5] * 11))]
    assert freeze(KIND, same) == Suppressed(KIND, "few")


def test_nobody_has_more_than_a_quarter_of_the_weight() -> None:
    assert table(freeze(KIND, companies([0.5] * 13, [4] + [1] * 12))).heaviest == 0.25
    assert freeze(KIND, companies([0.5] * 13, [5] + [1] * 12)) == Suppressed(KIND, "heavy")
    group = [replace(one, group="g") if i < 5 else one for i, one in enumerate(companies([0.5] * 17))]
    assert freeze(KIND, group) == Suppressed(KIND, "heavy")


def test_what_is_frozen_stays_and_no_table_does_too() -> None:
    found = freeze(KIND, companies([0.5] * 11))
    assert freeze(KIND, companies([0.9] * 30), found) is found
    none = freeze(KIND, companies([0.5] * 10))
    assert freeze(KIND, companies([0.5] * 11), none) is none
    with pytest.raises(ValueError, match="another kind"):
        freeze(KIND._replace(quarter="2026Q4"), [], found)


def test_quarters_of_a_company() -> None:
    found = table(freeze(KIND, companies([i / 20 for i in range(1, 13)])))
    places = [quarter(found, v) for v in (0.05, 0.15, 0.2, 0.3, 0.4, 0.45, 0.5)]
    assert places == ["lowest", "lowest", "second", "second", "third", "third", "highest"]


@given(
    st.lists(st.floats(0, 1), min_size=10, max_size=25),
    st.lists(st.integers(1, 5), min_size=26, max_size=26),
    st.floats(0, 1),
    st.floats(-0.5, 0.5),
)
def test_values_within_a_step_cannot_be_told_from_each_other(
    others: list[float], weights: list[int], value: float, shift: float
) -> None:
    """Everything is known to the attacker but the target's value: tables with and without it say the step only."""
    rest = companies(others, weights[: len(others)])
    cell = round(value / KIND.step)
    # Two values of one step, away from its borders where rounding of floats decides.
    twins = [(cell + 0.98 * shift) * KIND.step, (cell - 0.98 * shift) * KIND.step]
    first, second = (
        freeze(KIND, [*rest, Company("target", None, "press", "2026.11.3", v, weights[-1])]) for v in twins
    )
    assert first == second


def target_is_within(left: NDArray[np.float64], target: float) -> bool:
    return bool(left[0] - 0.0025 <= target <= left[-1] + 0.0025)


def _seen(kind: Kind, others: list[Company], value: float) -> Table | Suppressed:
    return freeze(kind, [*others, Company("target", None, kind.process, kind.formulas, value, 1)])


def attack(runs: int, seed: int, step: float) -> tuple[float, float]:
    """Return how wide an attacker's knowledge of the target's value is at least, and on average, in steps.

    He knows every other value, sees the table with and without the target, and owns three more companies whose
    values he chooses, adaptively, to bracket it.
    """
    rng, kind = np.random.default_rng(seed), KIND._replace(step=step)
    grid = np.linspace(0, 1, 401)
    widths = []
    for _ in range(runs):
        others = companies(list(rng.beta(5, 3, int(rng.integers(11, 16)))))
        target = float(rng.beta(5, 3))
        left = grid
        for trial in range(4):
            lies = rng.random(3) if trial else np.array([])
            own = [Company(f"own{i}", None, "press", kind.formulas, float(v), 1) for i, v in enumerate(lies)]

            said = _seen(kind, [*others, *own], target)
            left = np.array([v for v in left if _seen(kind, [*others, *own], float(v)) == said])
        gaps = [b - a for a, b in pairwise(left)]
        assert target_is_within(left, target)
        assert max(gaps) < 0.0026, "one stretch without holes"
        widths.append((left[-1] - left[0] + grid[1]) / step)
    return min(widths), float(np.mean(widths))


def test_an_attacker_with_companies_of_his_own_learns_no_more_than_the_step() -> None:
    least, _ = attack(4, 0, 0.05)
    assert least >= 0.94  # guesses are a twentieth of a step apart
