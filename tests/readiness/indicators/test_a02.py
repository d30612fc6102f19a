"""A02 Sampling sufficiency."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.indicators.a02 import INDICATOR
from readiness.indicators.base import Missing, Outcome, Sample
from readiness.plant import Meaning
from readiness.records import Burst, Track
from tests.readiness.indicators.made import DAYS, device, outcome, part, record
from tests.readiness.plant import SECOND, signal, source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.frame import Signal, Source
    from readiness.plant import Plant, State


def named(tag: Signal, name: str) -> Signal:
    return replace(tag, name=name)


HOUR_MS = 3_600_000
STATE = signal("press", 9, role="state", dtype="int16")
PRESS = replace(source("press", [signal("press", 0), signal("press", 1), STATE]), interval_ns=SECOND)
FAST = device(
    PRESS, "fast", mode="burst", interval_ns=SECOND // 10, signals=(named(signal("press", 5, role=None), "s0"),)
)
SAYS: Mapping[object, State] = {1: "executing", 2: "standby"}


def burst(f95: float, hour: float = 2.0, rate: float = 10.0, flat: float = 0.1) -> Burst:
    return Burst(round(hour * HOUR_MS), 120_000, round(120 * rate), rate, f95, flat)


def executing(first: float, last: float) -> Track:
    """Return a track that executes from one hour to another and stands by before and after."""
    a, b = round(first * HOUR_MS), round(last * HOUR_MS)
    return Track([2, 1], [0, a, 0, 0, b - a, 1, 0, 24 * HOUR_MS - b, 0], False, [], 2, [], [])


def found(
    bursts: Mapping[str, Sequence[Burst]],
    *,
    sources: Sequence[Source] = (PRESS,),
    track: Track | None = None,
    origin: str = "mentor",
    roles: Sequence[str] = ("pv", "state"),
) -> Outcome:
    """Return what is found where these bursts came on each of 28 days; by default it executes from hour 1 to 8."""

    def about(plant: Plant) -> Plant:
        kept = {k: m for k, m in plant.meanings.items() if m.role in roles}
        if "state" in roles:
            kept["press/s9"] = Meaning(role="state", states=SAYS, origin=origin)  # type: ignore[arg-type]
        return replace(plant, meanings=kept)

    tracks = {"press/s9": track or executing(1, 8)}
    said = {name: [*each] for name, each in bursts.items()}
    return outcome(
        INDICATOR, sources, [record(d, [part(PRESS, d, tracks=tracks)], bursts=said) for d in range(DAYS)], about
    )


def test_the_value_is_the_median_ratio_and_the_share_is_shown() -> None:
    said = found({"press/s0": [burst(0.05), burst(0.1, 3), burst(0.2, 4)], "press/s1": [burst(1.3)]})
    assert isinstance(said, Sample)
    ratios = [median(1 / (2 * f) for f in (0.05, 0.1, 0.2)), 1 / 2.6]
    assert said.values == pytest.approx(sorted(ratios))
    assert (said.shown["sufficient_share"], said.quality, said.flags) == (0.5, "measured", ())


def test_a_burst_that_says_whose_it_is_needs_no_name() -> None:
    twins = replace(PRESS, signals=(signal("press", 0), named(signal("press", 1), "s0"), STATE))
    told = device(
        PRESS, "fast", mode="burst", interval_ns=SECOND // 10,
        signals=(replace(signal("press", 5, role=None), name="s0", burst_of="s1"),),
    )  # fmt: skip
    silent = replace(told, signals=(replace(told.signals[0], burst_of=None),))
    bursts = {"press/s5": [burst(0.25)]}
    said = found(bursts, sources=(twins, told))
    assert isinstance(said, Sample)
    assert said.values == pytest.approx((2.0,))
    assert said.shown["without_burst"] == 1
    assert isinstance(found(bursts, sources=(twins, silent)), Missing), "two signals have that name"
    elsewhere = replace(told, signals=(replace(told.signals[0], burst_of="s9"),))
    assert isinstance(found(bursts, sources=(twins, elsewhere)), Missing), "it says that it is of another one"


def test_an_aliased_signal_is_told_by_its_burst() -> None:
    said = found({"press/s0": [burst(1.3)]})
    assert isinstance(said, Sample)
    assert said.values == pytest.approx((0.385,), abs=1e-3)
    assert (said.shown["sufficient_share"], said.shown["without_burst"], said.quality) == (0.0, 1, "partial")


def test_a_burst_while_idle_does_not_count() -> None:
    mixed = [burst(0.001, 12), burst(0.001, 0.5), burst(0.25, 2)]
    said = found({"press/s0": mixed})
    assert isinstance(said, Sample)
    assert said.values == (2.0,)
    assert (said.flags, said.shown["idle_bursts"]) == (("IDLE_BURSTS",), 2 * DAYS)
    assert found({"press/s0": mixed[:2]}) == Missing("NA_NO_BURST")
    half = [burst(0.25, 8 - 1 / 60)]  # begins while it executes, ends while it does not
    assert found({"press/s0": half}) == Missing("NA_NO_BURST")


@pytest.mark.parametrize("bad", [burst(0.0), burst(0.2, rate=1.5), burst(0.2, flat=0.95)])
def test_a_burst_that_shows_nothing_counts_for_nothing(bad: Burst) -> None:
    assert found({"press/s0": [bad]}) == Missing("NA_NO_BURST")
    said = found({"press/s0": [bad, burst(0.25)]})
    assert isinstance(said, Sample)
    assert said.values == (2.0,)


def test_a_signal_read_in_bursts_belongs_to_the_one_of_the_same_name() -> None:
    said = found({"press/s5": [burst(0.25)]}, sources=(PRESS, FAST))
    assert isinstance(said, Sample)
    assert said.values == (2.0,)
    twins = replace(PRESS, signals=(*(named(signal("press", n), "같은 이름") for n in (0, 1)), STATE))
    fast = replace(FAST, signals=(named(signal("press", 5, role=None), "같은 이름"),))
    assert found({"press/s5": [burst(0.25)]}, sources=(twins, fast)) == Missing("NA_NO_BURST")


def test_only_numbers_are_sampled() -> None:
    bits = replace(PRESS, signals=(signal("press", 0, dtype="bool"), signal("press", 1), STATE))
    said = found({"press/s0": [burst(1.3)], "press/s1": [burst(0.25)]}, sources=(bits,))
    assert isinstance(said, Sample)
    assert said.values == (2.0,)


def test_it_is_missing_when_evidence_is_withheld() -> None:
    full = {"press/s0": [burst(0.25)]}
    assert isinstance(found(full), Sample)
    assert found({}) == Missing("NA_NO_BURST")
    assert found(full, roles=("state",)) == Missing("NA_NO_EVIDENCE")
    assert found(full, roles=("pv",)) == Missing("NA_NO_EVIDENCE")
    assert found(full, origin="guess") == Missing("NA_ROLE_UNCONFIRMED")
    assert outcome(INDICATOR, [PRESS], []) == Missing("NA_NO_BURST")
    guessed = replace(PRESS, signals=(signal("press", 0, role_confirmed=False), STATE))
    assert outcome(INDICATOR, [guessed], []) == Missing("NA_ROLE_UNCONFIRMED")


def test_faster_reading_never_lowers_it() -> None:
    values: list[float] = []
    for interval in (10, 5, 2, 1):
        press = replace(PRESS, interval_ns=interval * SECOND)
        said = found({"press/s0": [burst(0.25)]}, sources=(press,))
        assert isinstance(said, Sample)
        values += said.values
    assert values == sorted(values)
    assert np.isfinite(values).all()
