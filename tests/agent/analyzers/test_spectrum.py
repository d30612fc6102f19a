"""Frequencies of known signals."""

from __future__ import annotations

import numpy as np
import pytest

from agent.analyzers.spectrum import LEAST, tell

RATE = 10.0


def clock(n: int, rate: float = RATE) -> np.ndarray:
    """Return n instants in seconds."""
    return np.arange(n) / rate


@pytest.mark.parametrize("n", [64, 100, 601, 4096])
@pytest.mark.parametrize("hertz", [0.5, 1.3, 2.0, 3.7, 4.4])
@pytest.mark.parametrize("phase", [0.0, 1.0, 2.5])
def test_a_sine_is_told_within_a_bin(n: int, hertz: float, phase: float) -> None:
    told = tell(5 + 3 * np.sin(2 * np.pi * hertz * clock(n) + phase), RATE)
    assert told is not None
    assert told.f95_hz == pytest.approx(hertz, abs=0.6 * RATE / n)
    assert told.flat < 0.02


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("snr", [1.0, 10.0, 1000.0])
def test_noise_around_a_sine_does_not_move_it(seed: int, snr: float) -> None:
    rng = np.random.default_rng(seed)
    clean = np.sin(2 * np.pi * 0.7 * clock(600))
    told = tell(clean + rng.normal(0, np.sqrt(0.5 / snr), 600), RATE)
    assert told is not None
    assert told.f95_hz == pytest.approx(0.7, abs=2 * RATE / 600)
    assert told.flat == pytest.approx(1 / (1 + snr), rel=0.35)


def test_without_the_floor_noise_would_decide() -> None:
    """A tenth of the power as noise: 95 % of all power lie far above the signal."""
    rng = np.random.default_rng(1)
    noisy = np.sin(2 * np.pi * 0.7 * clock(600)) + rng.normal(0, np.sqrt(0.05), 600)
    power = np.abs(np.fft.rfft((noisy - noisy.mean()) * np.hanning(600))) ** 2
    naive = np.searchsorted(np.cumsum(power), 0.95 * power.sum()) * RATE / 600
    told = tell(noisy, RATE)
    assert told is not None
    assert naive > 2
    assert told.f95_hz == pytest.approx(0.7, abs=0.02)


def test_white_noise_has_no_frequency() -> None:
    quiet = [tell(np.random.default_rng(seed).normal(0, 1, 600), RATE) for seed in range(200)]
    assert sum(told is not None and told.f95_hz == 0 for told in quiet) >= 190
    assert all(told is not None and told.flat > 0.6 for told in quiet)


@pytest.mark.parametrize(("weak", "wanted"), [(0.1, 0.4), (0.5, 3.0)])
def test_a_sum_is_told_by_where_its_power_lies(weak: float, wanted: float) -> None:
    """An amplitude of a tenth has 1 % of the power, one of a half 20 %."""
    t = clock(1200)
    told = tell(np.sin(2 * np.pi * 0.4 * t) + weak * np.sin(2 * np.pi * 3.0 * t), RATE)
    assert told is not None
    assert told.f95_hz == pytest.approx(wanted, abs=2 * RATE / 1200)


@pytest.mark.parametrize("levels", [3, 10, 100])
def test_quantising_does_not_move_a_slow_signal(levels: int) -> None:
    slow = np.round(levels * np.sin(2 * np.pi * 0.2 * clock(600) + 0.3))
    told = tell(slow, RATE)
    assert told is not None
    assert told.f95_hz == pytest.approx(0.2, abs=2 * RATE / 600)


def test_a_signal_that_sampling_at_one_hertz_folds_is_told_right_by_a_fast_burst() -> None:
    """1.3 Hz looks like 0.3 Hz at 1 Hz; at 10 Hz it is what it is."""
    slow = tell(np.sin(2 * np.pi * 1.3 * clock(600, 1.0)), 1.0)
    fast = tell(np.sin(2 * np.pi * 1.3 * clock(600)), RATE)
    assert slow is not None
    assert fast is not None
    assert slow.f95_hz == pytest.approx(0.3, abs=0.01)
    assert fast.f95_hz == pytest.approx(1.3, abs=0.02)
    assert 1.0 / (2 * fast.f95_hz) == pytest.approx(0.385, abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_a_random_signal_of_limited_band_is_told_by_its_band(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 4096
    spectrum = np.fft.rfft(rng.normal(0, 1, n))
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    spectrum[frequency > 0.8] = 0
    told = tell(np.fft.irfft(spectrum, n) + rng.normal(0, 0.01, n), RATE)
    assert told is not None
    assert told.f95_hz == pytest.approx(0.95 * 0.8, rel=0.05)


@pytest.mark.parametrize("value", [0.0, 7.3, -1e9])
def test_what_does_not_move_has_neither_signal_nor_noise(value: float) -> None:
    assert tell(np.full(600, value), RATE) == (0.0, 0.0)


def test_unit_and_offset_do_not_matter() -> None:
    t = clock(900)
    rng = np.random.default_rng(3)
    base = np.sin(2 * np.pi * 0.9 * t) + rng.normal(0, 0.2, 900)
    assert tell(base, RATE) == tell(1000 * base, RATE) == tell(base * 8 + 64, RATE)


def test_too_few_samples_tell_nothing() -> None:
    assert tell(np.sin(clock(LEAST - 1)), RATE) is None
    assert tell(np.sin(clock(LEAST)), RATE) is not None
