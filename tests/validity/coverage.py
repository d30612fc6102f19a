"""Do 90 % intervals hold the process truth? Day evidence drawn from processes whose true value is known.

What happens within a day hangs together and days differ (a frailty per day): only whole days are independent. Each
cell is one process; its truth is exact or an average over a million draws of the frailty, never the run's own mean.
Shares go from spans of day evidence through C03, events from rows through Q06, quantiles from sketches through A06;
rates, samples and regressions begin at what their formulas make of a day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from readiness.combine import measure
from readiness.energy import baseline
from readiness.indicators import a06, c03, q06
from readiness.indicators.base import Census, Given, Missing, Rates, Sample
from readiness.lift import lift
from readiness.sketch import UNIT_NS, buckets
from readiness.spans import Spans
from readiness.stats import Interval, Z
from tests.readiness.indicators.made import PRODUCTION_DAYS, part, record, view
from tests.readiness.plant import DAY, SECOND, START, source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from agent.frame import Source
    from readiness.indicators.base import Found, Outcome

    Floats = NDArray[np.float64]

SHIFT_S = 43_200.0
LEAST, MUCH = 0.87, 0.97
"""Coverage below the first is too little; above the second intervals are wider than they claim."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One process: its true value and a run of it."""

    kind: str
    name: str
    truth: float
    draw: Callable[[Generator], Found]


def covers(cell: Cell, seed: int) -> tuple[bool, float]:
    """Return whether the interval of one run holds the truth, and how wide it is."""
    found = cell.draw(np.random.default_rng([seed, 77]))
    interval = measure([found], np.ones(1), seed)
    assert isinstance(interval, Interval), interval
    return interval.lo <= cell.truth <= interval.hi, interval.hi - interval.lo


def frailties(rng: Generator, shape: float, n: int) -> Floats:
    """Return factors of mean 1 by which days differ; infinite shape: not at all."""
    return rng.gamma(shape, 1 / shape, n) if np.isfinite(shape) else np.ones(n)


def _found(outcome: Outcome) -> Found:
    assert not isinstance(outcome, Missing | Census), outcome
    return outcome


POLLED = source("press")
TOLD: Source = replace(POLLED, mode="subscription", protocol="opcua")


def chain(rng: Generator, rho: float, n: int) -> Floats:
    """Return standard normal numbers that follow each other, correlated by `rho`."""
    mood = rng.normal(size=n)
    for day in range(1, n) if rho else ():
        mood[day] = rho * mood[day - 1] + np.sqrt(1 - rho**2) * mood[day]
    return mood


def moods(rng: Generator, rho: float, n: int) -> Floats:
    """Return factors of mean 1 by which days differ and follow each other: log-normal."""
    return np.exp(0.6 * chain(rng, rho, n) - 0.18)


def outages(
    name: str, up_s: float, down_s: float, shape: float, days: int = 20, rho: float | None = None
) -> Cell:  # fmt: skip
    """Links that fail and come back: exponential times, days with more and with fewer failures."""

    def draw(rng: Generator) -> Found:
        records = []
        factors = frailties(rng, shape, days) if rho is None else moods(rng, rho, days)
        for day, factor in zip(PRODUCTION_DAYS[-days:], factors.tolist(), strict=True):
            up, begin = up_s / factor, START + day * DAY
            number = 40 + int(4 * SHIFT_S / (up + down_s))
            live = rng.random() < up / (up + down_s)
            lengths = np.empty(2 * number)
            lengths[0::2] = rng.exponential(up if live else down_s, number)
            lengths[1::2] = rng.exponential(down_s if live else up, number)
            edges = np.concatenate([[0.0], np.cumsum(np.minimum(lengths, 10 * SHIFT_S))])
            pairs = edges[: len(edges) // 2 * 2].reshape(-1, 2) if live else edges[1:].reshape(-1, 2)
            spans = Spans.of((begin + int(a * SECOND), begin + int(b * SECOND)) for a, b in pairs.tolist())
            records.append(record(day, [part(POLLED, day, live=spans)]))
        return _found(c03.INDICATOR.evaluate(view([POLLED], records), "press"))

    drawn = np.random.default_rng(1)
    many = frailties(drawn, shape, 1_000_000) if rho is None else moods(drawn, 0.0, 1_000_000)
    return Cell("Shares", name, float(np.mean(up_s / (up_s + many * down_s))), draw)


def wavering(name: str, rho: float, *, skewed: bool) -> Cell:
    """Days whose lost shares themselves follow each other by `rho`, one outage a day: nothing dilutes it."""

    def lost(mood: Floats) -> Floats:
        return np.minimum(0.05 * np.exp(0.8 * mood - 0.32), 1) if skewed else np.clip(0.3 + 0.05 * mood, 0, 1)

    def draw(rng: Generator) -> Found:
        records = []
        for day, share in zip(PRODUCTION_DAYS, lost(chain(rng, rho, len(PRODUCTION_DAYS))).tolist(), strict=True):
            begin = START + day * DAY
            live = Spans.of([(begin + round(share * SHIFT_S) * SECOND, begin + DAY)])
            records.append(record(day, [part(POLLED, day, live=live)]))
        return _found(c03.INDICATOR.evaluate(view([POLLED], records), "press"))

    truth = 1 - float(lost(np.random.default_rng(1).normal(size=1_000_000)).mean())
    return Cell("Shares", name, truth, draw)


def repeats(name: str, rows: int, share: float, shape: float, rho: float | None = None) -> Cell:
    """Rows told twice: rare everywhere, or many on a few days, or on days that follow each other."""

    def draw(rng: Generator) -> Found:
        records, days = [], len(PRODUCTION_DAYS)
        factors = frailties(rng, shape, days) if rho is None else moods(rng, rho, days)
        for day, factor in zip(PRODUCTION_DAYS, factors.tolist(), strict=True):
            n = int(rng.poisson(rows))
            twice = int(rng.binomial(n, min(share * factor, 1.0)))
            told = part(TOLD, day, rows=n, with_source_time=n, repeated=twice)
            records.append(record(day, [told]))
        return _found(q06.INDICATOR.evaluate(view([TOLD], records), "press"))

    drawn = np.random.default_rng(2)
    factors = frailties(drawn, shape, 1_000_000) if rho is None else moods(drawn, 0.0, 1_000_000)
    many = np.minimum(share * factors, 1.0)
    return Cell("Events", name, float(many.mean()), draw)


def pauses(name: str, spread: float, between: float, rho: float = 0.0) -> Cell:
    """How evenly a poll reads: lognormal deviations, days with more and with less of them."""

    def numbers(rng: Generator, n: int) -> Floats:
        return np.asarray(rng.lognormal(-3.0, spread, n))

    def draw(rng: Generator) -> Found:
        records = []
        moody = np.exp(between * chain(rng, rho, len(PRODUCTION_DAYS)))
        for day, factor in zip(PRODUCTION_DAYS, moody.tolist(), strict=True):
            off = numbers(rng, 500) * factor
            held, often = np.unique(buckets((off * UNIT_NS * 1000).astype(np.int64)), return_counts=True)
            row = [x for pair in zip(held.tolist(), often.tolist(), strict=True) for x in pair]
            records.append(record(day, [part(POLLED, day, jitter=row)]))
        return _found(a06.INDICATOR.evaluate(view([POLLED], records), "press"))

    rng = np.random.default_rng(3)
    many = numbers(rng, 2_000_000) * rng.lognormal(0, between, 2_000_000)
    return Cell("Buckets", name, float(np.quantile(many, 0.95)), draw)


def presses(name: str, cycles: int, per_100: float, shape: float, rho: float | None = None) -> Cell:
    """Interventions per hundred cycles."""

    def draw(rng: Generator) -> Found:
        den = rng.poisson(cycles, 20).astype(np.float64)
        factors = frailties(rng, shape, 20) if rho is None else moods(rng, rho, 20)
        return Rates(rng.poisson(den * per_100 / 100 * factors).astype(np.float64), den, 100.0)

    return Cell("Rates", name, per_100, draw)


def levels(name: str, n: int) -> Cell:
    """One number of each of several signals."""

    def draw(rng: Generator) -> Found:
        return Sample(tuple(sorted(rng.lognormal(3.0, 0.8, n).tolist())))

    return Cell("Sample", name, float(np.exp(3.0)), draw)


def regression(name: str, n: int, noise: float) -> Cell:
    """Energy per day from pieces: the error of the model on days that it has not seen."""

    def draw(rng: Generator) -> Found:
        pieces = rng.uniform(500, 1500, n)
        kwh = 400 + 0.6 * pieces + rng.normal(0, noise * 1000, n)
        model = baseline(kwh, pieces)
        assert not isinstance(model, str)
        return Given(model.cv, *model.limits(Z), model.tried)

    return Cell("Given", name, noise, draw)


def answers(name: str, alerts: int, given: float, anyway: float, between: float) -> Cell:
    """Alerts that are answered more often than something happens anyway, on lazy and on busy days."""

    def draw(rng: Generator) -> Found:
        day = np.sort(rng.integers(0, 20, alerts))
        mood = np.clip(rng.normal(0, between, 20), -given, 1 - given)
        followed = rng.random(alerts) < given + mood[day]
        control = np.where(
            rng.random((alerts, 20)) < 0.8, (rng.random((alerts, 20)) < anyway).astype(np.float64), np.nan
        )
        control[np.arange(alerts), day] = np.nan
        found = lift(followed, day, control)
        assert found is not None
        return Given(found.value, found.lo, found.hi, found.days)

    return Cell("Given", name, given - anyway, draw)


def cells() -> Sequence[Cell]:
    """Return the processes that are tried."""
    none = float("inf")
    return (
        outages("short outages, alike days", 5400, 600, none),
        outages("long outages", 30_000, 4000, none),
        outages("days of very different kinds", 9000, 900, 1.0),
        outages("seldom lost", 400_000, 1800, none),
        outages("ten days", 9000, 900, 2.0, days=10),
        outages("days that follow each other", 9000, 900, none, rho=0.4),
        outages("ten days that follow each other", 9000, 900, none, days=10, rho=0.4),
        outages("days that follow each other closely", 9000, 900, none, rho=0.6),
        wavering("correlated by 0.4", 0.4, skewed=False),
        wavering("correlated by 0.4, skewed", 0.4, skewed=True),
        repeats("one row in fifty, days differ", 2000, 0.02, 4.0),
        repeats("a handful of rows in all", 60, 0.004, none),
        repeats("on a few days", 500, 0.01, 0.7),
        repeats("days that follow each other", 2000, 0.02, none, rho=0.4),
        presses("often, days differ", 600, 8.0, 4.0),
        presses("seldom", 400, 0.05, none),
        presses("days that follow each other", 600, 8.0, none, rho=0.4),
        pauses("alike days", 0.6, 0.0),
        pauses("days differ", 0.6, 0.3),
        pauses("days that follow each other", 0.6, 0.3, rho=0.4),
        levels("nine signals", 9),
        levels("thirty signals", 30),
        regression("sixty days", 60, 0.1),
        regression("250 days", 250, 0.2),
        answers("sixty alerts", 60, 0.6, 0.2, 0.0),
        answers("moody days", 80, 0.5, 0.1, 0.15),
    )


def rate(cell: Cell, runs: int, seed: int) -> tuple[float, float]:
    """Return the share of runs whose interval holds the truth, and the median width."""
    found = [covers(cell, 100_000 * (seed + 1) + run) for run in range(runs)]
    return sum(held for held, _ in found) / runs, float(np.median([width for _, width in found]))


def heading(runs: int) -> str:
    """Return what stands above the lines of all cells."""
    return f"Coverage of 90 % intervals over {runs} runs a process (at least {LEAST:.0%}; over-coverage marked)"


def line(cell: Cell, runs: int, seed: int) -> str:
    """Return the coverage of a cell as text."""
    held, width = rate(cell, runs, seed)
    chance = 2 * (LEAST * (1 - LEAST) / runs) ** 0.5
    mark = "TOO FEW" if held < LEAST - chance else "few" if held < LEAST else "over" if held > MUCH else ""
    return f"{cell.kind:8}{cell.name:36}{cell.truth:10.4f}{held:8.1%}  width {width:.4f}  {mark}"


__all__ = ["LEAST", "cells", "heading", "line", "rate"]
