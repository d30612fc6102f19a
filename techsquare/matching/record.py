"""A supplier's record with a solution family: the share of decided outcomes that improved, by empirical Bayes.

    k of n improved          Binomial(n, theta), theta the supplier's true rate
    suppliers of a family    theta ~ Beta(mu M, (1 - mu) M)        shrunk to the family's mean mu
    families                 mu ~ Beta(m A, (1 - m) A)             so that a young family leans on the others

M, m and A are fitted from all suppliers and families: they are integrated over a grid under their likelihood, not
set to its maximum, because a prior that is taken for known makes intervals too narrow. What is left for a supplier
is a mixture of betas; it is told as the beta with the mixture's mean and variance. "Cannot tell" and "cause not
shown" are no outcomes of a supplier and enter nowhere; they are counted beside it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, betaln

from techsquare.matching.terms import Counted, Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL = 0.9
SAME_M = np.geomspace(0.7, 150.0, 18)
"""Grid of M: how alike the suppliers of a family are, in outcomes.

Before any outcome the share 1 / (1 + M) that the first outcome moves a record by is uniform (Christiansen and
Morris 1997). Evenly by log M, few outcomes would pass for suppliers who are all alike, and intervals would be
too narrow.
"""
SAME_A = np.geomspace(1.0, 100.0, 6)
MEANS = np.linspace(0.02, 0.98, 49)
"""Grid of a family's mean, and of the mean of families."""
STEPS = 48


class Record:
    """Records of all suppliers with their families.

    Args:
        counts: (supplier, family) -> what is known. A pair that is not there has no outcome.
    """

    def __init__(self, counts: Mapping[tuple[str, str], Counted]) -> None:
        self._counts = counts
        outcomes: defaultdict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
        for (_, family), counted in counts.items():
            outcomes[family][counted.improved, counted.decided] += 1
        self._families = sorted(outcomes)
        self._weights = self._fit([outcomes[family] for family in self._families])
        self._known: dict[tuple[str, int, int], Rate] = {}

    def rate(self, supplier: str, family: str) -> Rate:
        """Return the estimate of a supplier; of one without outcomes the family's, of an unknown family all's."""
        counted = self._counts.get((supplier, family), Counted())
        return self._rate(family, counted.improved, counted.decided)

    def family(self, family: str) -> Rate:
        """Return what is expected of a supplier of the family of whom nothing is known."""
        return self._rate(family, 0, 0)

    def unsaid(self, supplier: str, family: str) -> tuple[int, int]:
        """Return how many outcomes were "cannot tell" and "cause not shown"."""
        counted = self._counts.get((supplier, family), Counted())
        return counted.cannot_tell, counted.cause_not_shown

    def _rate(self, family: str, improved: int, decided: int) -> Rate:
        key = (family if family in self._weights else "", improved, decided)
        if key not in self._known:
            alpha = improved + SAME_M[:, None] * MEANS
            beta = decided - improved + SAME_M[:, None] * (1 - MEANS)
            weights, size = self._weights[key[0]], alpha + beta
            mean = float((weights * alpha / size).sum())
            second = float((weights * alpha * (alpha + 1) / (size * (size + 1))).sum())
            alike = mean * (1 - mean) / (second - mean * mean) - 1
            a, b = mean * alike, (1 - mean) * alike
            low, high = _quantile(a, b, (1 - LEVEL) / 2), _quantile(a, b, (1 + LEVEL) / 2)
            self._known[key] = Rate(mean=mean, low=low, high=high, n=decided, alpha=a, beta=b)
        return self._known[key]

    def _fit(self, outcomes: list[Counter[tuple[int, int]]]) -> dict[str, Floats]:
        """Return family -> weights of (M, mu) given all outcomes; "" is a family of which nothing is known."""
        logs = np.stack([_log_likelihood(rows) for rows in outcomes]) if outcomes else np.zeros((0, *_GRID))
        top = logs.max(axis=2, keepdims=True)
        likely = np.exp(logs - top)  # family x M x mu
        prior = _family_priors()  # (m, A) x mu
        inner = np.einsum("fku,hu->fkh", likely, prior)
        whole = (np.log(inner) + top).sum(axis=0)  # M x (m, A)
        whole += np.log(SAME_M / (1 + SAME_M) ** 2)[:, None]
        hyper = np.exp(whole - whole.max())
        hyper /= hyper.sum()
        found = {"": np.einsum("kh,hu->ku", hyper, prior)}
        for at, family in enumerate(self._families):
            found[family] = likely[at] * np.einsum("kh,hu->ku", hyper / inner[at], prior)
        return {family: weights / weights.sum() for family, weights in found.items()}


_GRID = (len(SAME_M), len(MEANS))


def _log_likelihood(rows: Counter[tuple[int, int]]) -> Floats:
    """Return the beta-binomial log likelihood of a family's counts for each M and mu, without constants."""
    alpha, beta = SAME_M[:, None] * MEANS, SAME_M[:, None] * (1 - MEANS)
    total = np.zeros(_GRID)
    for (improved, decided), times in sorted(rows.items()):
        total += times * (betaln(improved + alpha, decided - improved + beta) - betaln(alpha, beta))
    return total


def _family_priors() -> Floats:
    """Return the weights of a family's mean for each mean and likeness of families."""
    rows = []
    for mean in MEANS[::4]:
        for alike in SAME_A:
            log = (mean * alike - 1) * np.log(MEANS) + ((1 - mean) * alike - 1) * np.log1p(-MEANS)
            weights = np.exp(log - log.max())
            rows.append(weights / weights.sum())
    return np.stack(rows)


def _quantile(alpha: float, beta: float, share: float) -> float:
    """Return a quantile of a beta by bisection: it ends after as many steps, with the same bits, on any machine."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if betainc(alpha, beta, middle) < share else (low, middle)
    return (low + high) / 2
