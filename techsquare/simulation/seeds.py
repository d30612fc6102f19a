"""Generators by name: each thing of the world has its own, so the order in which things are asked is no input."""

from __future__ import annotations

import numpy as np

from techsquare.ties import digest


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of a thing; the same seed and names give the same draws on any machine."""
    return np.random.default_rng(digest(str(seed), *(str(name) for name in names)))


def span_around(rng: np.random.Generator, value: float, wide: float) -> tuple[float, float]:
    """Return the ends that somebody says who is off by a third of `wide` at most, and sure to `wide`, a share."""
    said = value * (1 + wide * float(rng.uniform(-1, 1)) / 3)
    return said * (1 - wide), said * (1 + wide)
