"""Q04 Resolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agent.frame import DataType
from readiness.indicators.q04 import evaluate
from readiness.plant import Meaning
from tests.readiness.indicators.press import PV, found, mean, press, reason
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story

STORY = Story()


def walk(step: float, levels: int, seed: int = 3) -> Any:
    """Return a random walk on a grid of `levels` steps, reflected at its ends."""
    moves = np.cumsum(np.random.default_rng(seed).integers(-3, 4, STORY.n))
    period = 2 * levels
    return step * np.abs((moves + levels) % period - levels)


def of(row: Any, **about: Any) -> Any:
    return evaluate(press(values={"pv": row}, **about).view(), "press")


@pytest.mark.parametrize(("step", "levels"), [(0.5, 40), (0.01, 200), (4.0, 16), (1e-3, 1000)])
def test_levels_are_the_range_over_the_step(step: float, levels: int) -> None:
    row = walk(step, levels) + 20.0
    low, high = np.quantile(row, [0.01, 0.99], method="inverted_cdf")
    assert mean(of(row)) == pytest.approx((high - low) / step, rel=0.05)
    assert found(of(row)).flags == ()


def test_the_unit_does_not_matter() -> None:
    row = walk(0.5, 40)
    assert mean(of(row * 1000 + 7)) == pytest.approx(mean(of(row)), rel=0.05)


def test_a_step_that_does_not_recur_is_none() -> None:
    row = walk(0.5, 40)
    row[5000] += 0.01  # two odd steps, one of them back
    assert mean(of(row)) == pytest.approx(mean(of(walk(0.5, 40))), rel=0.02)


def test_a_grid_that_added_noise_hides_is_found_by_its_multiples() -> None:
    row = walk(2.0, 40)
    added = row + np.random.default_rng(5).integers(-2, 3, STORY.n) * 1e-3
    outcome = found(of(added))
    assert outcome.flags == ("STEP_GRID_HIDDEN",)
    assert mean(outcome) == pytest.approx(mean(of(row)), rel=0.06)


def test_noise_of_the_process_and_a_machine_that_switches_are_no_grids() -> None:
    random = np.random.default_rng(7)
    noise = random.normal(50, 1, STORY.n)
    assert found(of(noise)).flags == ()
    assert mean(of(noise)) > 1000  # nothing limits it but the noise
    fine = noise.round(2)
    low, high = np.quantile(fine, [0.01, 0.99])
    assert (high - low) / 0.01 == pytest.approx(mean(of(fine)), rel=0.05)
    finer = noise.round(4)  # no single step makes up a thousandth of all
    low, high = np.quantile(finer, [0.01, 0.99])
    assert 0.04 < mean(of(finer)) / ((high - low) / 0.0001) <= 1.03
    switched = noise + 100 * (np.arange(STORY.n) // 30 % 2)
    assert found(of(switched)).flags == ()


def test_the_value_is_the_median_of_the_signals() -> None:
    rows = {"pv": walk(1.0, 20), "b": walk(1.0, 50), "c": walk(1.0, 300)}
    meanings = {"b": PV, "c": PV}
    outcome = found(evaluate(press(values=rows, meanings=meanings).view(), "press"))
    middle = mean(of(walk(1.0, 50)))
    assert mean(outcome) == pytest.approx(middle)
    assert outcome.shown["signals"] == 3


def test_fewer_than_a_thousand_changes_say_nothing() -> None:
    row = np.repeat(walk(0.5, 40)[: STORY.n // 25 + 1], 25)[: STORY.n]
    assert reason(of(row)) == "NA_FEW_EVENTS"


def test_states_and_bits_have_no_resolution_and_what_nobody_named_is_unconfirmed() -> None:
    assert reason(evaluate(press(without=("pv",)).view(), "press")) == "NOT_APPLICABLE"
    bit = evaluate(press(dtypes={"pv": DataType.BOOL}).view(), "press")
    assert reason(bit) == "NOT_APPLICABLE"
    guessed = press(meanings={"pv": Meaning(role="pv", origin="guess")})
    assert reason(evaluate(guessed.view(), "press")) == "NA_ROLE_UNCONFIRMED"
    unnamed = press(meanings={"pv": Meaning()})
    assert reason(evaluate(unnamed.view(), "press")) == "NA_ROLE_UNCONFIRMED"
    assert reason(evaluate(press(calendar=WITHOUT_SCHEDULE).view(), "press")) == "NA_NO_SCHEDULE"
