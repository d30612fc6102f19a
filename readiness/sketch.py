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
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

ERROR = 0.02
GAMMA = (1 + ERROR) / (1 - ERROR)
UNIT_NS = 1_000_000
UNIT_S = UNIT_NS / 1e9
MOST = 4419
"""The last bucket: larger values than 2^255 units are in it as well."""
_LARGEST = 2.0**255
_LOG = math.log(GAMMA)


def index(sizes: Floats) -> NDArray[np.int32]:
    """Return the bucket of each value, given in units; NaN is not allowed."""
    size = np.abs(sizes)
    np.maximum(size, 1.0, out=size)
    np.minimum(size, _LARGEST, out=size)
    np.log(size, out=size)
    size /= _LOG
    # What is on an edge but for the last digit of a division or a logarithm belongs below it.
    size -= 1e-9
    np.ceil(size, out=size)
    np.copysign(size, sizes, out=size)
    return size.astype(np.int32)


def buckets(nanoseconds: Ints) -> Ints:
    """Return the bucket of each duration."""
    return index(nanoseconds / UNIT_NS).astype(np.int64)


def value(bucket: int, unit: float = UNIT_S) -> float:
    """Return what a bucket stands for: a duration in seconds, or something else in multiples of its unit."""
    if bucket == 0:
        return 0.0
    middle = 2 * GAMMA ** abs(bucket) / (GAMMA + 1)
    return math.copysign(middle, bucket) * unit


def edges(bucket: int, unit: float = UNIT_S) -> tuple[float, float]:
    """Return the smallest and the largest value of a bucket, in seconds or in the dimension of `unit`."""
    if bucket == 0:
        return -unit, unit
    near, far = GAMMA ** (abs(bucket) - 1) * unit, GAMMA ** abs(bucket) * unit
    return (near, far) if bucket > 0 else (-far, -near)


def pairs(flat: Sequence[int]) -> dict[int, int]:
    """Return bucket -> count of [bucket, count, bucket, count, ...], as records hold it."""
    return dict(zip(flat[0::2], flat[1::2], strict=True))


def merged(*flats: Sequence[int]) -> dict[int, int]:
    """Return bucket -> count of several sketches of one unit together."""
    together: dict[int, int] = {}
    for flat in flats:
        for bucket, count in pairs(flat).items():
            together[bucket] = together.get(bucket, 0) + count
    return together


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
