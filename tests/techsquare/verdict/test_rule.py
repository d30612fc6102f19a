"""The rule's arithmetic: coverage and false claims in every cell, and what must hold whatever the numbers are."""

from __future__ import annotations

from statistics import fmean, variance
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom
from scipy.stats import t as student

from techsquare.verdict.rule import (
    CANNOT_TELL,
    IMPROVED,
    NO_CHANGE,
    WORSE,
    Told,
    allowed,
    enough,
    extend,
    reference,
    tell,
)
from tests.techsquare.verdict.tables import LAYOUTS, RuleRow, cells, rule_row

if TYPE_CHECKING:
    from tests.techsquare.verdict.world import Layout

RUNS = 300
TAIL = 1e-5
"""Of a binomial number: a right rule fails one of the 135 cells in a run of a thousand."""
CHANGES = arrays(np.float64, 9, elements=st.floats(-20, 20).map(lambda x: round(x, 3)))


def at_least(seen: int, runs: int, share: float) -> bool:
    """Whether so many of the runs can come from a share of at least this."""
    return bool(binom.cdf(seen, runs, share) > TAIL)


def at_most(seen: int, runs: int, share: float) -> bool:
    return bool(binom.sf(seen - 1, runs, share) > TAIL)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_cell_covers_and_claims_falsely_no_more_than_it_may(layout: Layout) -> None:
    rows: list[RuleRow] = [rule_row(cell, RUNS, 7) for cell in cells((layout,))]
    for row in rows:
        assert at_least(row.covered, RUNS, 0.94), row
        assert at_most(row.covered, RUNS, 0.97), row
        assert at_least(row.covered_gain, RUNS, 0.94), row
        assert at_most(row.covered_gain, RUNS, 0.97), row
        assert at_most(row.improved, RUNS, 0.03), row
        assert at_most(row.worse, RUNS, 0.03), row
        assert row.half < 1.8 * row.oracle, row
    runs = RUNS * len(rows)
    covered = sum(row.covered for row in rows)
    assert at_least(covered, runs, 0.95), covered / runs
    assert at_most(covered, runs, 0.965), covered / runs
    assert at_most(sum(row.improved for row in rows), runs, 0.025)


def test_a_mean_of_two_machines_of_a_site_is_not_taken_for_one_machine() -> None:
    """Without what pairs differ by, nine of ten intervals would be told for 96 of 100."""
    rng = np.random.default_rng(3)
    changes = rng.standard_normal((20000, 11))
    sites = [name for name in "abcde" for _ in range(2)]
    beside = reference(changes[:, 1:], sites, "sites")
    error = changes[:, 0] - beside.mean
    assert np.mean(beside.variance) == pytest.approx(np.var(error), rel=0.03)
    told = tell(changes[:, 0], beside, 0.04, 1.0, 1)
    assert np.mean((told.low <= 0) & (told.high >= 0)) == pytest.approx(0.96, abs=0.01)
    means = changes[:, 1:].reshape(-1, 5, 2).mean(axis=2)
    half = student.isf(0.02, 4) * np.sqrt(means.var(axis=1, ddof=1) * 1.2)
    assert np.mean(np.abs(error) <= half) < 0.91


@given(CHANGES, st.sampled_from(["aabbccdd", "abcdefgh", "aabcdeff"]))
def test_a_site_is_a_draw_and_pairs_add_what_they_differ_by(changes: np.ndarray, sites: str) -> None:
    beside = reference(changes[1:], list(sites), "sites")
    groups = [
        [float(c) for c, s in zip(changes[1:], sites, strict=True) if s == name] for name in sorted(set(sites))
    ]
    means = [fmean(group) for group in groups]
    pairs = [variance(group) for group in groups if len(group) == 2]
    within = fmean(pairs) * fmean(1 - 1 / len(group) for group in groups) if pairs else 0.0
    assert beside.mean == pytest.approx(fmean(means), abs=1e-9)
    assert beside.variance == pytest.approx(variance(means) * (1 + 1 / len(groups)) + within, abs=1e-9)


@given(CHANGES, st.floats(0.1, 5), st.floats(-30, 30), st.floats(0.5, 4))
def test_what_meets_all_machines_says_nothing_and_units_do_not_matter(
    changes: np.ndarray, scale: float, shift: float, least: float
) -> None:
    sites = ["home"] * 8
    one = tell(changes[0], reference(changes[1:], sites, "site"), 0.04, least, 1)
    moved = scale * changes + shift
    two = tell(moved[0], reference(moved[1:], sites, "site"), 0.04, scale * least, 1)
    assert two.estimate == pytest.approx(scale * one.estimate, abs=1e-6)
    assert two.high - two.low == pytest.approx(scale * (one.high - one.low), abs=1e-6)


@given(CHANGES, st.floats(0.5, 4))
def test_less_is_better_is_more_is_better_upside_down(changes: np.ndarray, least: float) -> None:
    sites = ["home"] * 8
    one = tell(changes[0], reference(changes[1:], sites, "site"), 0.04, least, 1)
    two = tell(-changes[0], reference(-changes[1:], sites, "site"), 0.04, least, -1)
    assert int(one.word) == int(two.word)


def of(low: float, high: float, word: int = CANNOT_TELL) -> Told:
    return Told(np.array((low + high) / 2), np.array(low), np.array(high), np.array(word))


def test_the_words_by_hand() -> None:
    beside = reference(np.array([-1.0, 0.0, 1.0, -1.0, 1.0]), ["home"] * 5, "site")
    half = float(student.isf(0.02, 4)) * (1.2 * 1.0) ** 0.5
    for treated, least, word in (
        (half + 0.01, 1.0, IMPROVED),
        (half - 0.01, 1.0, CANNOT_TELL),
        (-half - 0.01, 1.0, WORSE),
        (0.1, half + 0.2, NO_CHANGE),
        (0.1, half, CANNOT_TELL),
    ):
        assert int(tell(np.array(treated), beside, 0.04, least, 1).word) == word


@given(*[st.floats(-9, 9)] * 2, *[st.floats(0.1, 9)] * 2)
def test_an_extension_tells_what_both_looks_leave(x: float, y: float, a: float, b: float) -> None:
    first, second = of(x - a, x + a), of(y - b, y + b)
    told = extend(first, second, 0.5, 1)
    assert told.low <= told.estimate <= told.high
    if max(x - a, y - b) <= min(x + a, y + b):
        assert (float(told.low), float(told.high)) == (max(x - a, y - b), min(x + a, y + b))
    else:
        assert (float(told.low), float(told.high)) == (y - b, y + b)
    assert (int(told.word) == IMPROVED) == (told.low > 0)
    decided = of(x - a, x + a, NO_CHANGE)
    assert extend(decided, second, 0.5, 1) == decided


def test_how_many_machines_and_sites_are_enough() -> None:
    assert enough(["h"] * 5, "site")
    assert not enough(["h"] * 4, "site")
    assert enough(list("abcde"), "sites")
    assert not enough(list("aabbccdd"), "sites")
    assert not enough(list("abcdefgh"), "none")
    assert allowed(list("aaabab"), "sites") == [0, 1, 3, 5]
    assert allowed(list("aaab"), "site") == [0, 1, 2, 3]
