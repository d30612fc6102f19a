"""A histogram with logarithmic buckets: deterministic, order-free, mergeable by adding counts.

The rule is DDSketch's (Masson, Rim, Lee 2019, VLDB 12): bucket i > 0 holds x with g^(i-1) < x / unit <= g^i,
where g = (1 + a) / (1 - a), and stands for the value with relative error at most a = 2 %. Negative values mirror
positive ones; |x| <= unit is bucket 0. Counts are integers, so adding them in any order gives the same bytes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

ERROR = 0.02
_GAMMA = (1 + ERROR) / (1 - ERROR)
UNIT_NS = 1_000_000


def buckets(nanoseconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the bucket of each duration."""
    size = np.maximum(np.abs(nanoseconds) / UNIT_NS, 1.0)
    index = np.ceil(np.round(np.log(size) / math.log(_GAMMA), 9)).astype(np.int64)
    return np.sign(nanoseconds) * index


def value(bucket: int) -> float:
    """Return the duration that a bucket stands for, in seconds."""
    if bucket == 0:
        return 0.0
    middle = 2 * _GAMMA ** abs(bucket) / (_GAMMA + 1)
    return math.copysign(middle, bucket) * UNIT_NS / 1e9


def edges(bucket: int) -> tuple[float, float]:
    """Return the smallest and the largest duration of a bucket, in seconds."""
    unit = UNIT_NS / 1e9
    if bucket == 0:
        return -unit, unit
    near, far = _GAMMA ** (abs(bucket) - 1) * unit, _GAMMA ** abs(bucket) * unit
    return (near, far) if bucket > 0 else (-far, -near)


def quantile(counts: Mapping[int, int], share: float) -> int:
    """Return the bucket in which the quantile lies: the lowest that has at least `share` of all at or below it.

    Raises:
        ValueError: nothing was counted.
    """
    total = sum(counts.values())
    if total <= 0:
        raise ValueError("a quantile of nothing")
    need = max(1, math.ceil(share * total - 1e-9))
    reached = 0
    for bucket in sorted(counts):
        reached += counts[bucket]
        if reached >= need:
            return bucket
    raise AssertionError("counts are negative")
