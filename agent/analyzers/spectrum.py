"""Below which frequency the power of an evenly sampled signal lies, noise left out (A02).

One window over all samples (Hann), not the mean of several short ones (Welch): a burst is short, and the question
is often how slow a signal is, so that the resolution of 1 / length is worth more than a smooth curve; the power
below a frequency is a sum over many bins anyway, which smooths by itself.

Noise. Quantisation, the last bits of a converter and electrical noise are nearly white, and 95 % of the power of
white noise lie below 95 % of half the sampling rate, whatever the signal does. So a floor is taken off. It is
the median of the upper half of the spectrum: a machine's signals have most of their power low down, a few lines in
the upper half (a vibration, a harmonic) do not move a median, and their edges in the lower half do not count at
all. Bins of a periodogram of noise are distributed exponentially, so that their mean is the median over ln 2. A bin
counts as signal when it is so high that of all bins together one would be with a probability of 1 % if there were
only noise (Fisher's test, 1929, with the floor as the variance); then what it has above the floor.

A signal with broad power up to half of the sampling rate is taken for noise by this rule: `flat` tells it, the
share of all power that the floor takes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST: Final = 64
"""Samples below which no frequency is told: 31 bins, of which 16 make the floor."""
SHARE: Final = 0.95
CHANCE: Final = 0.01
LEAK_BINS: Final = 1.0
"""How far the window spreads a single line upwards before 95 % of it are reached: 0.94 to 1.2 bins."""
ROUNDING: Final = 1e-28
"""Power of the rounding of float64, in terms of the largest power that the samples could have."""


class Told(NamedTuple):
    """What a spectrum tells.

    Attributes:
        f95_hz: Frequency below which 95 % of the power above the floor lie, at least one bin; 0 where nothing is
            above it.
        flat: Share of all power that the floor takes, 0 of a signal that does not move.
    """

    f95_hz: float
    flat: float


def tell(samples: Floats, rate_hz: float) -> Told | None:
    """Return what evenly spaced samples tell; None when there are too few of them."""
    n = len(samples)
    if n < LEAST:
        return None
    window = np.hanning(n)
    level = float((samples * window).sum() / window.sum())
    moved = samples - level
    power = np.abs(np.fft.rfft(moved * window)) ** 2
    if n % 2 == 0:
        power[-1] /= 2  # stands for one frequency, the others for a pair
    power = power[1:]
    total = float(power.sum())
    if total <= ROUNDING * (n * float(np.max(np.abs(samples)))) ** 2:
        return Told(0.0, 0.0)
    bins = len(power)
    floor = float(np.median(power[bins // 2 :])) / math.log(2)
    above = np.where(power > floor * math.log(bins / CHANCE), power - floor, 0.0)
    flat = round(min(floor * bins / total, 1.0), 4)
    if not above.any():
        return Told(0.0, flat)
    reached = np.cumsum(above)
    wanted = SHARE * float(reached[-1])
    at = int(np.searchsorted(reached, wanted))
    before = float(reached[at - 1]) if at else 0.0
    # bin `at` is number at + 1 and reaches half a bin to both sides
    edge = at + 0.5 + (wanted - before) / float(above[at])
    found = max(edge - LEAK_BINS, 1.0) * rate_hz / n
    return Told(float(f"{found:.4g}"), flat)
