"""Worth: quantiles beside a simulation, within what can happen; terms that add up; None for what nobody knows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import betaincinv, ndtri

from techsquare.matching.gains import Gain
from techsquare.matching.terms import Item, Rate, Solution, Worth
from techsquare.matching.worth import Values
from techsquare.span import Span, exactly
from tests.techsquare.matching.small import item, solution

DRAWS = 200_000
MEAN, Q10, Q90 = 0.015, 0.06, 0.1
"""How far from a simulation told numbers may be, in its standard deviations; the mean is exact but for chance."""


def rated(alpha: float, beta: float) -> Rate:
    return Rate(mean=alpha / (alpha + beta), low=0.0, high=1.0, n=0, alpha=alpha, beta=beta)


def worth(one: Item, two: Solution, rate: Rate, gain: Gain | None) -> Worth | None:
    return Values([one], [two], [rate], [gain]).worth(0, 0)


def spans(rng: np.random.Generator) -> tuple[Item, Solution]:
    def span(low: float) -> Span:
        return Span(low, low * rng.uniform(1, 1.6))

    low = 10 ** rng.uniform(7.5, 8.7)
    return (
        item(0, loss=Span(low, low * rng.uniform(1, 2.5))),
        solution(
            0, "s", price=span(10 ** rng.uniform(6.5, 7.8)), yearly=span(10 ** rng.uniform(5.5, 6.5)),
            exit_cost=span(10 ** rng.uniform(5.5, 7)),
        ),
    )  # fmt: skip


def drawn(span: Span, at: np.ndarray) -> np.ndarray:
    return np.asarray(span.low + (span.high - span.low) * at)


def simulated(rng: np.random.Generator, one: Item, two: Solution, rate: Rate, gain: Gain, draws: int) -> np.ndarray:
    """Return draws of the value as the model is stated, by nothing of the engine."""
    chance = rng.beta(rate.alpha, rate.beta, draws)
    share = np.empty(0)
    while len(share) < draws:
        more = rng.normal(gain.mean, gain.sd, 2 * draws)
        share = np.concatenate([share, more[(more >= 0) & (more <= 1)]])
    share = np.minimum(share[:draws], 0.7)
    dear = rng.random(draws)
    value = chance * share * drawn(one.loss, rng.random(draws)) - drawn(two.price, dear)
    return np.asarray(value - 3 * drawn(two.yearly, dear) - (1 - chance) * drawn(two.exit_cost, dear))


def spread(run: int, draws: int) -> np.ndarray:
    """Return, of an offer drawn by number, how far mean, q10 and q90 are from a simulation, in its sd.

    From records of which nothing is known (a chance that is 0 or 1 rather than between) to long ones.
    """
    rng = np.random.default_rng(run)
    one, two = spans(rng)
    rate = rated(*np.exp(rng.uniform(np.log(0.3), np.log(60), 2)))
    gain = Gain(rng.uniform(0.03, 0.8), rng.uniform(0.003, 0.2), 1)
    told = worth(one, two, rate, gain)
    assert told is not None
    value = simulated(rng, one, two, rate, gain, draws)
    low, high = np.quantile(value, [0.1, 0.9])
    best = 0.7 * one.loss.high - two.price.low - 3 * two.yearly.low
    assert -two.price.high - 3 * two.yearly.high - two.exit_cost.high <= told.q10 <= told.q90 <= best
    return np.asarray([told.mean - value.mean(), told.q10 - low, told.q90 - high]) / float(value.std())


def test_mean_and_quantiles_are_those_of_a_simulation() -> None:
    off = np.abs([spread(run, DRAWS) for run in range(30)])
    assert (off.max(axis=0) < [MEAN, Q10, Q90]).all()
    assert off[:, 1:].mean() < 0.015


@pytest.mark.parametrize("alike", [1e-3, 0.02, 0.3437, 1.0])
def test_of_a_family_without_outcomes_no_more_is_lost_than_there_is_to_lose(alike: float) -> None:
    one = item(0, loss=Span(0.0, 4e8))
    two = solution(0, "s", price=Span(2e7, 3e7), yearly=Span(1e6, 2e6), exit_cost=Span(2e6, 5e6))
    told = worth(one, two, rated(alike, alike), Gain(0.2, 0.15, 0))
    assert told is not None
    assert -3e7 - 3 * 2e6 - 5e6 <= told.q10 < -2e7
    rng = np.random.default_rng(1)
    value = simulated(rng, one, two, rated(alike, alike), Gain(0.2, 0.15, 0), DRAWS)
    low, high = np.quantile(value, [0.1, 0.9])
    assert told.q10 == pytest.approx(low, abs=Q10 * value.std())
    assert told.q90 == pytest.approx(high, abs=Q90 * value.std())


def test_a_worked_example_in_won() -> None:
    """30 million a year, a quarter saved, four of five times; 10 million, 1 million a year, 2 million to leave."""
    one = item(0, loss=exactly(3 * 30_000_000))
    two = solution(0, "s", price=exactly(10_000_000), yearly=exactly(1_000_000), exit_cost=exactly(2_000_000))
    told = worth(one, two, rated(8e9, 2e9), Gain(0.25, 0.0, 9))
    assert told is not None
    assert told.terms == pytest.approx(
        {"gain": 18_000_000, "price": -10_000_000, "yearly": -3_000_000, "leaving": -400_000}
    )
    assert told.mean == pytest.approx(4_600_000)
    assert [told.q10, told.q90] == pytest.approx([4_600_000] * 2, rel=1e-3)
    most = worth(one, two, rated(8e9, 2e9), Gain(0.9, 0.0, 9))
    assert most is not None
    assert most.terms["gain"] == pytest.approx(0.8 * 0.7 * 90_000_000), "of no loss more than 0.7 is credited"


def test_the_mean_of_a_cut_gain_is_exact() -> None:
    at = (np.arange(2_000_000) + 0.5) / 2_000_000
    two = solution(0, "s", price=exactly(0.0), yearly=exactly(0.0), exit_cost=exactly(0.0))
    for mean, sd in ((-0.2, 0.1), (0.02, 0.1), (0.3, 0.05), (0.68, 0.08), (0.9, 0.2), (1.3, 0.1)):
        told = worth(item(0, loss=exactly(1e9)), two, rated(1.0, 1.0), Gain(mean, sd, 1))
        density = np.exp(-(((at - mean) / sd) ** 2) / 2)
        truth = (density * np.minimum(at, 0.7)).sum() / density.sum()
        assert told is not None
        assert told.mean == pytest.approx(0.5e9 * truth, rel=1e-6)


@pytest.mark.parametrize("what", ["chance", "share", "loss", "price", "yearly", "exit_cost"])
def test_where_one_thing_alone_is_not_known_the_quantiles_are_its_own(what: str) -> None:
    at = {"price": 2e7, "yearly": 1e6, "exit_cost": 9e6, "loss": 3e8}
    spans_ = {name: Span(won * 0.5, won * 1.5) if name == what else exactly(won) for name, won in at.items()}
    alpha, beta, sd = (3.0, 2.0, 0.0) if what == "chance" else (6e9, 4e9, 0.05 if what == "share" else 0.0)
    loss = spans_.pop("loss")
    told = worth(item(0, loss=loss), solution(0, "s", **spans_), rated(alpha, beta), Gain(0.3, sd, 1))
    assert told is not None

    def value(level: float) -> float:
        """Return the value at a level of what is not known, from bad to good."""
        chance = betaincinv(alpha, beta, level) if what == "chance" else 0.6
        share = 0.3 + sd * ndtri(level)
        won = {name: now * (0.5 + level if name == what == "loss" else 1.5 - level if name == what else 1.0)
               for name, now in at.items()}  # fmt: skip
        return float(
            chance * share * won["loss"] - won["price"] - 3 * won["yearly"] - (1 - chance) * won["exit_cost"]
        )

    wide = value(0.9) - value(0.1)
    assert wide > 1e6
    assert [told.q10, told.q90] == pytest.approx([value(0.1), value(0.9)], abs=0.01 * wide)


def test_a_loss_of_nothing_and_a_loss_beyond_all_measure() -> None:
    two = solution(0, "s", price=Span(2e7, 3e7), yearly=exactly(1e6), exit_cost=exactly(2e6))
    nothing = worth(item(0, loss=exactly(0.0)), two, rated(6, 4), Gain(0.25, 0.05, 1))
    some = worth(item(0, loss=exactly(9_000.0)), two, rated(6, 4), Gain(0.25, 0.05, 1))
    huge = worth(item(0, loss=Span(0.0, 1e14)), two, rated(6, 4), Gain(0.25, 0.05, 1))
    assert nothing is not None
    assert some is not None
    assert huge is not None
    assert -3.5e7 <= nothing.q10 < some.q10 < nothing.q10 + 0.7 * 9_000
    assert nothing.terms["gain"] == 0
    assert 0 < huge.q10 < huge.mean < huge.q90 < 0.7e14


def test_a_pair_is_worth_the_same_in_any_company() -> None:
    rng = np.random.default_rng(4)
    pairs = [spans(rng) for _ in range(60)]
    rates = [rated(*rng.uniform(1, 20, 2)) for _ in pairs]
    gains = [Gain(float(rng.uniform(0.1, 0.4)), float(rng.uniform(0, 0.1)), 1) for _ in pairs]
    whole = Values([one for one, _ in pairs], [two for _, two in pairs], rates, gains)
    for at in range(0, 60, 7):
        assert whole.worth(at, at) == worth(*pairs[at], rates[at], gains[at])


def test_a_won_more_of_price_is_a_won_less_of_worth() -> None:
    rng = np.random.default_rng(6)
    for _ in range(40):
        one, two = spans(rng)
        rate, gain = rated(*rng.uniform(0.3, 20, 2)), Gain(float(rng.uniform(0.1, 0.4)), 0.05, 1)
        dearer = replace(two, price=Span(two.price.low + 1e6, two.price.high + 1e6))
        told, less = worth(one, two, rate, gain), worth(one, dearer, rate, gain)
        assert told is not None
        assert less is not None
        assert [told.q10 - less.q10, told.q90 - less.q90] == pytest.approx([1e6, 1e6], abs=0.01)


def test_terms_add_up_and_are_those_of_the_formula() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        one, two = spans(rng)
        told = worth(one, two, rated(6, 4), Gain(0.3, 0.01, 1))
        assert told is not None
        assert sum(told.terms.values()) == told.mean
        assert told.terms["gain"] == pytest.approx(0.6 * 0.3 * sum(one.loss) / 2)
        assert told.terms["price"] == pytest.approx(-sum(two.price) / 2)
        assert told.terms["yearly"] == pytest.approx(-3 * sum(two.yearly) / 2)
        assert told.terms["leaving"] == pytest.approx(-0.4 * sum(two.exit_cost) / 2)
        assert told.q10 < told.mean < told.q90


def test_what_is_known_exactly_has_no_spread() -> None:
    one = item(0, loss=exactly(4e8))
    two = solution(0, "s", price=exactly(2e7), yearly=exactly(1e6), exit_cost=exactly(2e6))
    told = worth(one, two, rated(7e12, 3e12), Gain(0.25, 0.0, 9))
    assert told is not None
    truth = 0.7 * 0.25 * 4e8 - 2e7 - 3e6 - 0.3 * 2e6
    assert [told.q10, told.mean, told.q90] == pytest.approx([truth] * 3, rel=1e-5)


def test_better_is_worth_more_and_less_known_is_worth_less() -> None:
    one = item(0, loss=Span(3e8, 4e8))
    two = solution(0, "s", price=Span(2e7, 3e7))
    plain = worth(one, two, rated(6, 4), Gain(0.25, 0.05, 1))
    assert plain is not None

    def q10(one: Item, two: Solution, rate: Rate, gain: Gain) -> float:
        told = worth(one, two, rate, gain)
        assert told is not None
        return told.q10

    assert q10(replace(one, loss=Span(3.5e8, 4.5e8)), two, rated(6, 4), Gain(0.25, 0.05, 1)) > plain.q10
    assert q10(one, replace(two, price=Span(1.9e7, 2.9e7)), rated(6, 4), Gain(0.25, 0.05, 1)) > plain.q10
    assert q10(one, two, rated(7, 4), Gain(0.25, 0.05, 1)) > plain.q10
    assert q10(one, two, rated(60, 40), Gain(0.25, 0.05, 1)) > plain.q10
    assert q10(one, two, rated(6, 4), Gain(0.25, 0.02, 1)) > plain.q10
    assert q10(one, two, rated(6, 4), Gain(0.25, 0.09, 1)) < plain.q10
    assert q10(replace(one, loss=Span(2e8, 5e8)), two, rated(6, 4), Gain(0.25, 0.05, 1)) < plain.q10


def test_one_pair_and_a_million_have_the_same_bits() -> None:
    rng = np.random.default_rng(9)
    pairs = [spans(rng) for _ in range(40)]
    items, solutions = [one for one, _ in pairs], [two for _, two in pairs]
    rates = [rated(*rng.uniform(1, 20, 2)) for _ in pairs]
    gains = [Gain(float(rng.uniform(0.1, 0.4)), float(rng.uniform(0, 0.1)), 1) for _ in pairs]
    values = Values(items, solutions, rates, gains)
    rows, others = np.repeat(np.arange(40), 40), np.tile(np.arange(40), 40)
    together = values.merit(rows, others)
    for at in range(0, 1600, 7):
        assert values.merit(rows[at : at + 1], others[at : at + 1])[0] == together[at]
        told = values.worth(int(rows[at]), int(others[at]))
        assert told is not None
        assert int(told.q10 // 1) == together[at]


def test_of_an_unknown_gain_nothing_is_said() -> None:
    assert worth(item(0), solution(0, "s"), rated(6, 4), None) is None
    values = Values([item(0)], [solution(0, "s")], [rated(6, 4)], [None])
    assert np.isnan(values.of(np.array([0]), np.array([0])).q10[0])
