"""Q05 Spikes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from readiness.indicators.q05 import apart, evaluate
from readiness.plant import Meaning
from readiness.records import Burst
from tests.readiness.indicators.press import OFF, found, lost, mean, noisy, press, reason, shift
from tests.readiness.indicators.story import WITHOUT_SCHEDULE, Story

STORY = Story()
STATES, PLANNED = shift(STORY), STORY.planned()
CHANGES = np.flatnonzero(np.diff(STATES, prepend=-1))  # the first state is a change as well, from what nobody saw
RANDOM = np.random.default_rng(11)
SOME = np.sort(RANDOM.choice(STORY.n, 150, replace=False))


def far(at: Any) -> Any:
    """Return which readings lie more than two readings from each change of state."""
    return np.abs(at[:, None] - CHANGES[None, :]).min(axis=1) > 2


def burst(f95: float) -> dict[tuple[int, str], list[Burst]]:
    """Return a burst at 09:00 of the first day."""
    return {(0, "pv"): [Burst(3_600_000, 60_000, 600, 10.0, f95, 0.01)]}


def test_spikes_in_planned_time_count_per_ten_thousand_readings() -> None:
    at = SOME[far(SOME)]
    outcome = found(evaluate(press(spikes={"pv": at}).view(), "press"))
    per_day = PLANNED[at].sum()
    assert mean(outcome) == pytest.approx(10_000 * per_day / PLANNED.sum(), rel=1e-9)
    assert outcome.flags == ("SAMPLING_UNPROVEN",)


def test_spikes_at_a_change_of_state_are_explained() -> None:
    near = np.concatenate([CHANGES + k for k in (-2, -1, 0, 1, 2)])
    near = np.unique(near[(near >= 0) & (near < STORY.n)])
    near = near[PLANNED[near]]
    outcome = found(evaluate(press(spikes={"pv": near}).view(), "press"))
    assert mean(outcome) == 0.0
    assert outcome.shown["at_changes"] == len(near)
    beyond = CHANGES[PLANNED[CHANGES]] + 3
    assert mean(evaluate(press(spikes={"pv": beyond}).view(), "press")) == pytest.approx(
        10_000 * len(beyond) / PLANNED.sum()
    )


def test_beyond_what_is_kept_one_by_one_the_share_of_those_that_are_holds() -> None:
    day = np.flatnonzero(PLANNED[: STORY.per_day])
    clear = day[far(day)]
    at = clear[::5]
    assert len(at) > 32
    assert mean(evaluate(press(spikes={"pv": at}).view(), "press")) == pytest.approx(
        10_000 * len(at) / PLANNED.sum()
    )


def test_readings_while_the_state_is_unknown_are_not_looked_at() -> None:
    dark = (STORY.clock() >= 4) & (STORY.clock() < 5)
    at = SOME[far(SOME)]
    story = press(tracks={"state": (lost(STATES, dark), (0, 1, 2, 3, 4))}, spikes={"pv": at})
    edges = np.concatenate([CHANGES, np.flatnonzero(np.diff(dark.astype(int)) != 0) + 1])
    clear = np.abs(at[:, None] - edges[None, :]).min(axis=1) > 2
    looked = PLANNED & ~dark
    expected = 10_000 * (looked[at] & clear).sum() / looked.sum()
    assert mean(evaluate(story.view(), "press")) == pytest.approx(expected, rel=1e-9)


def test_where_reading_is_too_slow_a_spike_is_no_spike() -> None:
    at = SOME[far(SOME)]
    slow = press(spikes={"pv": at}, bursts=burst(0.5))  # read each minute: r = (1/60) / 1
    assert reason(evaluate(slow.view(), "press")) == "NA_UNDERSAMPLED"
    enough = found(evaluate(press(spikes={"pv": at}, bursts=burst(0.005)).view(), "press"))
    assert enough.flags == ()
    both = press(
        spikes={"pv": at},
        values={"b": noisy(STORY.n), "c": noisy(STORY.n)},
        meanings={"b": Meaning(role="pv"), "c": Meaning(role="pv")},
        bursts={**burst(0.5), (0, "b"): burst(0.005)[0, "pv"], (0, "c"): burst(0.005)[0, "pv"]},
    )
    assert found(evaluate(both.view(), "press")).flags == ("SOME_TOO_SLOW",)


def test_distances_to_the_nearest_change() -> None:
    random = np.random.default_rng(1)
    changes = np.unique(random.integers(0, 1000, 20))
    at = random.integers(-50, 1100, 200)
    brute = [min(abs(int(a) - int(c)) for c in changes) > 7 for a in at]
    assert apart(at, changes, 7).tolist() == brute
    assert apart(at, np.empty(0, np.int64), 7).all()


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"calendar": WITHOUT_SCHEDULE}, "NA_NO_SCHEDULE"),
        ({"without": ("pv",)}, "NA_NO_EVIDENCE"),
        ({"without": ("state",)}, "NA_NO_EVIDENCE"),
        ({"meanings": {"pv": Meaning(role="pv", origin="guess")}}, "NA_ROLE_UNCONFIRMED"),
        ({"tracks": {"state": (np.full(STORY.n, 9), tuple(range(10)))}}, "NA_NO_EVIDENCE"),
        ({"days": 9, "state": np.full(9 * 1440, OFF)}, "NA_SHORT_WINDOW"),
    ],
)
def test_what_is_withheld_is_missing(about: dict[str, Any], why: str) -> None:
    assert reason(evaluate(press(**about).view(), "press")) == why
