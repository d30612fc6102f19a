"""Spikes of signals that are quiet at one time and loud at another: each is judged by what is around it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.around import Around
from agent.analyzers.evidence import make
from contract.codec import encode
from tests.agent.analyzers.streams import CALENDAR
from tests.agent.analyzers.test_values import _alone, first, one_signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

N = 80_000
QUIET, LOUD = 0.1, 1.2


def regimes(quiet: int, loud: int, seed: int, level: float = 30.0) -> tuple[Floats, Bools]:
    """Return white noise to a tenth, and when it is loud: stretches of about these many readings in turns."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(
        [quiet * 3 // 4, loud * 3 // 4], [quiet * 5 // 4 + 1, loud * 5 // 4 + 1], (N // quiet + 1, 2)
    )
    busy = np.repeat(np.tile([False, True], len(lengths)), lengths.ravel())[:N]
    value = np.where(busy, level + rng.normal(0, LOUD, N), 2 + rng.normal(0, QUIET, N))
    return value.round(1), busy


@pytest.mark.parametrize("level", [30.0, 2.0])
@pytest.mark.parametrize(("quiet", "loud"), [(24, 96), (300, 96), (400, 40), (60, 20), (1000, 20)])
def test_white_noise_has_no_spikes_in_any_mix_of_quiet_and_loud(quiet: int, loud: int, level: float) -> None:
    value, _ = regimes(quiet, loud, quiet + loud, level)
    assert first(*_alone(one_signal(value.tolist()))).spiked <= 3  # of 80,000; by the day alone up to 350


@pytest.mark.parametrize(("quiet", "loud"), [(60, 96), (300, 96), (96, 300), (400, 60)])
def test_spikes_are_found_while_it_is_quiet_and_while_it_is_loud(quiet: int, loud: int) -> None:
    clean, busy = regimes(quiet, loud, 7)
    edge = np.flatnonzero(np.diff(busy))
    rng = np.random.default_rng(8)
    for which, sd in ((True, LOUD), (False, QUIET)):
        at = rng.permutation(np.flatnonzero(busy == which))[:6000]
        at = at[(at > 20) & (at < N - 20) & (np.abs(at[:, None] - edge).min(axis=1) > 13)]
        at = np.array([a for k, a in enumerate(at.tolist()) if k < 30 and np.abs(at[:k] - a).min(initial=99) > 40])
        value = clean.copy()
        value[at] += 15 * sd * rng.choice([-1, 1], len(at))
        record = first(*_alone(one_signal(value.tolist())))
        assert len(at) >= 10
        hit = len({int(a) * 1000 for a in at} & set(record.spikes))
        assert hit >= 0.75 * len(at)
        assert record.spiked <= hit + 3


@pytest.mark.parametrize("gap", [8, 12, 30])
def test_spikes_close_to_each_other_do_not_hide_each_other(gap: int) -> None:
    value = np.random.default_rng(gap).normal(50, 1, 20_000)
    value[40:19_960:gap] += 20
    assert first(*_alone(one_signal(value.tolist()))).spiked >= 0.9 * len(value[40:19_960:gap])


def test_a_spike_at_the_end_of_what_came_waits_in_a_small_state_and_counts_when_the_day_is_over() -> None:
    value, _ = regimes(300, 96, 3)
    value = value[:5000]
    value[-4] += 40
    of, block = one_signal(value.tolist())
    assert (len(value) - 4) * 1000 in first(of, [block]).spikes
    around = Around(1)
    around.grow(1000)
    assert len(encode(around.state())) < 50 * 1000


def test_readings_one_by_one_and_a_kill_in_between_change_nothing() -> None:
    value, _ = regimes(24, 96, 5)
    value[300:900:40] += 15
    of, block = one_signal(value[:1000].tolist())
    assert first(of, [block]).spiked > 5
    rng = random.Random(1)
    ledger, at = make([of], CALENDAR), 0
    while at < len(block):
        to = min(at + rng.choice((1, 1, 2, 5, 13, 40)), len(block))
        rows = {n: getattr(block, n)[at:to] for n in ("signal", "time_ns", "value", "status")}
        ledger.feed([replace(block, **rows)])
        at = to
        if rng.random() < 0.2:
            ledger = make([of], CALENDAR, ledger.state())
    other = make([of], CALENDAR)
    other.feed([block])
    assert ledger.state() == other.state()
