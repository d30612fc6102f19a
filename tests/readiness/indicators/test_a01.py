"""A01 Completeness against schedule."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from agent.frame import Status
from readiness.indicators.a01 import INDICATOR
from readiness.indicators.base import Missing, Shares
from readiness.plant import Meaning
from readiness.records import Track, Values
from readiness.spans import Spans, difference
from tests.readiness.indicators.made import outcome, part, record, view
from tests.readiness.indicators.support import PRESS, failing, values
from tests.readiness.plant import DAY, MINUTE, START, Plant, planned, signal, source

if TYPE_CHECKING:
    from agent.frame import Mode
    from readiness.plant import Plant as People


@pytest.mark.parametrize("hours", [0.36, 1.2, 3.0])
def test_the_share_of_planned_time_that_is_lost_comes_out_exactly(hours: float) -> None:
    plant = Plant([PRESS], status=failing(Status.BAD_NO_COMMUNICATION, hours, range(28)))
    found = values(plant)
    # The last good reading before the outage lies outside planned time, so nothing bridges into it.
    truth = 1 - np.ceil(hours * 60) / (12 * 60)
    assert found["A01"].value == pytest.approx(truth, abs=2e-3)
    assert found["C03"].value == pytest.approx(truth, abs=2e-3)
    assert found["Q01"].value == 1.0


def test_more_gaps_never_raise_completeness() -> None:
    found = [
        values(Plant([PRESS], status=failing(Status.BAD_NO_COMMUNICATION, hours, range(28))))["A01"].value
        for hours in (0.5, 1, 2, 4, 8)
    ]
    assert all(a is not None and b is not None and a >= b for a, b in itertools.pairwise(found))


def brute(known: dict[str, Spans]) -> int:
    """Return the planned minutes of the longest stretch in which one of the signals was not known, 14 days long."""
    minutes = START + np.arange(14 * 1440) * MINUTE
    longest = 0
    for spans in known.values():
        run = 0
        there = spans.before(minutes + MINUTE) > spans.before(minutes)
        for number, known_then in enumerate(there.tolist()):
            counts = number % 1440 < 720 and number // 1440 % 7 < 5
            run = 0 if known_then else run + counts
            longest = max(longest, run)
    return longest


@pytest.mark.parametrize("seed", range(3))
def test_the_longest_gap_is_that_of_any_signal_over_planned_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = {}
    for name in ("s0", "s1"):
        starts = START + rng.integers(0, 14 * 1440, 25) * MINUTE
        gone = Spans.of(
            (int(s), int(s) + int(n) * MINUTE) for s, n in zip(starts, rng.integers(5, 400, 25), strict=True)
        )
        known[name] = difference(Spans.between(START, START + 28 * DAY), gone)
    records = [record(day, [part(PRESS, day, known=known)]) for day in range(14)]
    looked = view([PRESS], records)
    looked.now_ns = START + 14 * DAY
    looked.__post_init__()
    said = INDICATOR.evaluate(looked, "press")
    assert isinstance(said, Shares)
    days = [d for d in range(14) if d % 7 < 5]
    assert said.shown["longest_gap_s"] == 60 * brute(known)
    lost = sum(
        difference(Spans.between(planned(d, 0), planned(d, 12)), known[n]).length() for d in days for n in known
    )
    assert said.num.sum() == pytest.approx(said.den.sum() - lost)


def test_a_night_in_a_gap_does_not_lengthen_it() -> None:
    gone = Spans.between(planned(0, 11), planned(1, 2))
    known = {"s0": difference(Spans.between(START, START + 28 * DAY), gone)}
    said = outcome(INDICATOR, [PRESS], [record(day, [part(PRESS, day, known=known)]) for day in range(28)])
    assert isinstance(said, Shares)
    assert said.shown["longest_gap_s"] == 3 * 3600


LIVELY = [signal("press", n) for n in range(4)]
STATE = signal("press", 9, role="state", dtype="int16")
GATE = source("press", [*LIVELY, STATE], protocol="opcua")


def served(frozen: float, *, mode: Mode = "poll", stated: int = 0, repeated: int = 0, slow: int = 0) -> Shares:
    """Return A01 of a source whose values rest for some hours a day while the machine executes.

    `slow` of its four values change only three times a day in any case.
    """
    of = replace(GATE, mode=mode)
    rest = round(frozen * 3_600_000)

    def moving(every: int) -> Values:
        changed = [n for quarter in range(0, 96, every) for n in (quarter, 3)
                   if not 8 <= quarter < 8 + frozen * 4]  # fmt: skip
        still = [2 * 3_600_000, rest] if rest else []
        return Values(1, 0.0, 9.0, 0.0, 1e-6, [], [], changed, [], still, [], 0, [], [], [], [])

    def about(plant: People) -> People:
        return replace(
            plant, meanings={**plant.meanings, "press/s9": Meaning(role="state", states={1: "executing"})}
        )

    state = Track([1], [0, 12 * 3_600_000, 0], cut=False, rest=[], changes=0, changed=[], dwell=[])
    said = {f"press/s{n}": moving(32 if n < slow else 1) for n in range(4)}
    more: dict[str, Any] = {"values": said, "tracks": {"press/s9": state}, "rows": 1000, "with_source_time": stated,
                            "repeated": repeated}  # fmt: skip
    found = outcome(INDICATOR, [of], [record(day, [part(of, day, **more)]) for day in range(28)], about)
    assert isinstance(found, Shares)
    assert found.num.sum() == found.den.sum()
    return found


def test_a_gateway_that_repeats_the_last_values_and_their_times_is_caught_and_capped() -> None:
    said = served(2.0, stated=1000, repeated=160)
    assert (said.flags, said.cap) == (("FORWARD_FILL",), 60)
    assert said.shown["resting_share"] == pytest.approx(2 / 12, abs=1e-6)


def test_without_times_of_the_device_it_may_be_the_state_that_is_wrong() -> None:
    for said in (served(2.0), served(2.0, mode="subscription"), served(2.0, mode="subscription", stated=1000)):
        assert (said.flags, said.cap) == (("RESTING_TOGETHER",), 100)
        assert said.shown["resting_share"] == pytest.approx(2 / 12, abs=1e-6)


def test_one_in_a_hundred_is_too_much_to_be_chance() -> None:
    assert served(0.115).flags == ()
    assert served(0.13).flags == ("RESTING_TOGETHER",)


def test_values_that_move_or_rest_for_a_moment_are_believed() -> None:
    for hours in (0.0, 0.05, 0.1):  # six minutes of twelve hours are less than one in a hundred
        said = served(hours, stated=1000, repeated=160)
        assert (said.flags, said.cap) == ((), 100)


def test_slow_values_that_rest_together_are_believed() -> None:
    assert served(2.0, slow=2, stated=1000, repeated=160).flags == ()


def test_a_device_whose_own_times_go_on_is_believed() -> None:
    assert served(2.0, stated=1000, repeated=0).flags == ()


def test_signals_that_were_all_replaced_this_week_are_no_basis_yet() -> None:
    old, new = (source("press", [signal("press", n)]) for n in (0, 1))
    for last, why in ((14, None), (15, "NA_SHORT_WINDOW")):
        records = [record(day, [part(old if day < last else new, day)]) for day in range(28)]
        said = outcome(INDICATOR, [new], records)
        assert (said.reason if isinstance(said, Missing) else None) == why
