"""A programme whose truth is known: factories that apply in bad months and begin one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from techsquare.verdict.programme import NEVER, Effect, Panel, effect


@dataclass(frozen=True)
class Programme:
    """The panel, and the true mean effect on what the estimate averages over."""

    panel: Panel
    truth: float


def programme(
    rng: np.random.Generator, factories: int = 80, months: int = 24, gain: float = 4.0, rho: float = 0.1
) -> Programme:
    """A random programme.

    Values have a level, a common path with seasons, AR(1) noise (sd 3) and, once begun, an effect that grows over
    six months and differs between factories (sd 1.5). In a month that is among its worst 20 % a factory asks with a
    chance of 35 %, and begins three to eight months later; those that would begin after the end are waiting.
    """
    noise = np.empty((factories, months))
    state = rng.standard_normal(factories)
    for month in range(months):
        state = rho * state + np.sqrt(1 - rho**2) * rng.standard_normal(factories)
        noise[:, month] = 3 * state
    path = np.cumsum(rng.normal(0.2, 0.5, months)) + 2 * np.sin(np.arange(months) / 12 * 2 * np.pi)
    values = rng.normal(60, 6, (factories, 1)) + path + noise
    bad = (noise < -0.84 * 3) & (rng.random(noise.shape) < 0.35)
    applied = np.where(bad.any(axis=1), bad.argmax(axis=1), months)
    begun = applied + rng.integers(3, 9, factories)
    begun, applied = np.where(begun < months, begun, NEVER), np.where(applied < months, applied, NEVER)
    own = rng.normal(gain, 1.5, factories) if gain else np.zeros(factories)
    since = np.arange(months)[None, :] - begun[:, None]
    real = np.where((begun[:, None] >= 0) & (since >= 0), own[:, None] * np.minimum(1, (since + 1) / 6), 0.0)
    panel = Panel([f"f{i:03d}" for i in range(factories)], values + real, applied, begun)
    return Programme(panel, _truth(panel, gain))


def _truth(panel: Panel, gain: float) -> float:
    """The expected effect of what is compared: months in which at least two factories have not begun."""
    months = panel.values.shape[1]
    total = weight = 0.0
    for begun in panel.begun[panel.begun >= 0].tolist():
        for month in range(begun, months):
            if np.count_nonzero((panel.begun < 0) | (panel.begun > month)) >= 2:
                total, weight = total + gain * min(1, (month - begun + 1) / 6), weight + 1
    return total / weight


def coverage(runs: int, seed: int, gain: float, rho: float = 0.1) -> tuple[float, float, float, float]:
    """Shares of runs whose interval holds the truth and lies above 0; mean error; median half."""
    held = above = 0
    errors, halves = list[float](), list[float]()
    for run in range(runs):
        one = programme(np.random.default_rng([seed, run]), gain=gain, rho=rho)
        found: Effect = effect(one.panel)
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= one.truth <= found.high
        above += found.low > 0
        errors.append(found.value - one.truth)
        halves.append((found.high - found.low) / 2)
    return held / runs, above / runs, float(np.mean(errors)), float(np.median(halves))
