"""How restless machines are: noise of their days, its memory, and how far each drifts by itself.

    y_id = level_i + day_d + own_i t_d + e_id      e: sd s, correlation rho^k at k planned days; own ~ N(0, (s o)^2)

`day_d` is what meets all machines; it is taken out by subtracting the mean of the machines of each day, which for
complete days leaves exactly m - 1 independent machines. Levels are taken out by restricted likelihood (Patterson
and Thompson 1971), s by integration under 1 / s. What is left is a likelihood over a grid of rho and o:

    -2 log L = n' log sum_i Q_i + (m - 1) / m sum_i [log |A_i| + log 1'A_i^-1 1 + log(1 + o^2 T_i)]
    Q_i = yy - o^2 ty^2 / (1 + o^2 T_i),   n' = (m - 1) / m sum_i (n_i - 1)

with yy, ty, T_i = tt the forms of days and time in A_i^-1 = (rho^|j - k|)^-1, level removed (Woodbury).

From 40 days a drift that matters can hardly be told from noise: over 60 quiet days (rho 0.3, sd 4 points) pure
noise makes slopes of 1.2 points a month. So the prior of o is part of every promise and is stated with it: anything
from none to `MOST_OWN` daily sds a month, equally likely.

Leading axes are projects or simulated runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from techsquare.verdict.terms import Flags, Floats

RHOS = tuple(float(x) for x in np.arange(0.0, 0.901, 0.1).round(1))
MOST_OWN = 0.25
"""Own drift a month at most, in sds of a day; 1 point a month where days have an sd of 4."""
OWN = tuple(float(x) for x in np.linspace(0.0, MOST_OWN, 6))
TINY = 1e-200
"""Squares of machines that do not move at all; their logarithm stays finite."""
GRID = (len(RHOS), len(OWN))


@dataclass(frozen=True, slots=True)
class Belief:
    """Weights that add up to 1, and the sd of a day, over (rho, own): shape (..., 10, 6)."""

    weight: Floats
    sd: Floats

    def mean(self, values: Floats) -> Floats:
        """Return the mean of something that is known over the grid."""
        return np.asarray(np.sum(self.weight * values, axis=(-2, -1)))


def memory(rho: float, positions: Floats) -> Floats:
    """Return the correlation matrix of days at these positions, counted in planned days."""
    apart = np.abs(positions[:, None] - positions[None, :])
    return np.asarray(np.power(rho, apart)) if rho > 0 else np.where(apart == 0, 1.0, 0.0)


def believe(values: Floats, known: Flags, positions: Floats, months: Floats) -> Belief:
    """Return what days say of noise, memory and drift.

    Args:
        values: (..., m, n) days of m >= 2 machines; what is not known may be anything finite.
        known: (m, n) which of them are; each day has at least two, each machine at least three.
        positions: (n,) of the days, counted in planned days.
        months: (n,) of the days.
    """
    m = known.shape[0]
    y = np.where(known, values, 0.0)
    y = np.where(known, y - y.sum(axis=-2, keepdims=True) / known.sum(axis=0), 0.0)
    share = (m - 1) / m
    free = share * float(np.sum(known.sum(axis=1) - 1))
    log = np.empty((*y.shape[:-2], *GRID))
    sd = np.empty_like(log)
    own = np.square(OWN)
    for r, rho in enumerate(RHOS):
        quad = np.zeros((*y.shape[:-2], len(OWN)))
        dets = np.zeros(len(OWN))
        for mask in np.unique(known, axis=0):
            machines = np.flatnonzero((known == mask).all(axis=1))
            matrix = memory(rho, positions[mask])
            inverse = np.linalg.inv(matrix)
            t = months[mask] - months[mask].mean()
            ones = inverse.sum(axis=1)
            total = float(ones.sum())
            slope = inverse @ t
            t1 = float(slope.sum())
            tt = float(t @ slope) - t1 * t1 / total
            z = y[..., machines, :][..., mask]
            z1 = z @ ones
            yy = np.sum((z @ inverse) * z, axis=-1) - z1**2 / total
            ty = z @ slope - t1 * z1 / total
            part = yy[..., None] - own * ty[..., None] ** 2 / (1 + own * tt)
            quad += part.sum(axis=-2)
            dets += len(machines) * (np.linalg.slogdet(matrix)[1] + np.log(total) + np.log1p(own * tt))
        quad = np.maximum(quad, TINY)
        log[..., r, :] = -0.5 * (free * np.log(quad) + share * dets)
        sd[..., r, :] = np.sqrt(quad / free)
    log -= log.max(axis=(-2, -1), keepdims=True)
    weight = np.exp(log)
    return Belief(weight / weight.sum(axis=(-2, -1), keepdims=True), sd)
