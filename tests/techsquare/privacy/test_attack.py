"""A thousand offers tell a budget's public band and one answer about tags; without the rules they tell all."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from techsquare.fit.versions import MOST
from techsquare.privacy.bands import band, most_won
from tests.techsquare.privacy.attack import GRID, PROTOCOLS, SPOKEN, STATES, attack, probe


@pytest.mark.parametrize("budget", [0, 43_700_000, 70_000_000, 70_000_001, 1_400_000_000])
def test_a_thousand_prices_tell_the_band_and_nothing_more(budget: int) -> None:
    truth = STATES[budget % len(STATES)]
    found = attack(budget, truth, most_won=most_won, seed=budget % 1000)
    low, high = band(budget)
    inside = GRID[((low < GRID) | ((low == 0) & (GRID == 0))) & (high >= GRID)]
    assert (found.low, found.high) == (inside[0], inside[-1])
    assert found.budgets == len(inside), "every budget of the band is as possible as before"
    assert found.budgets > 90


def test_without_bands_the_same_offers_find_the_budget() -> None:
    found = attack(43_700_000, STATES[700], most_won=lambda won: won)
    assert (found.low, found.high) == (43_700_000, 43_700_000)


def test_a_thousand_versions_tell_of_the_tags_what_one_answer_tells() -> None:
    rng = np.random.default_rng(5)
    bits = []
    for seed in range(3):
        truth = STATES[int(rng.integers(len(STATES)))]
        found = attack(43_700_000, truth, most_won=most_won, offers=1000, seed=seed)
        assert found.asked == 1
        assert found.states == found.first
        assert truth in found.states
        bits.append(found.bits)
    assert max(bits) < 0.3 * log2(len(STATES)), "a word of three cannot tell much"


def test_without_the_rule_of_families_the_same_versions_find_every_tag() -> None:
    truth = STATES[700]
    found = attack(43_700_000, truth, most_won=most_won, one_family=False, days=1500)
    assert found.asked > 100
    assert found.bits > 0.9 * log2(len(STATES))
    assert truth in found.states


def test_a_thousand_versions_are_three_for_an_open_item() -> None:
    rng = np.random.default_rng(6)
    for _ in range(5):
        spoken = SPOKEN[int(rng.integers(len(SPOKEN)))]
        assert probe(spoken, held=True) == (MOST, 2 ** (len(PROTOCOLS) - MOST))
    assert probe(spoken, held=False, offers=50) == (50, 1), "without the rule every protocol is found"
