"""From readings through the real analyzers to production facts, against evidence that plain loops have made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analyzers.evidence import make
from agent.frame import FrameBlock, Status, Watermark
from readiness.evidence import load
from readiness.plant import Meaning, Product
from readiness.production import Production, production
from tests.readiness.seconds import CALENDAR, DAY_S, NOTHING, SECOND, START, World, per_day, planned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from readiness.view import View

    Ints = NDArray[np.int64]

DAYS = 2
STATES = (0, 1, 2, 3)
MEANINGS = {
    "s": Meaning(role="state", states={0: "off", 1: "executing", 2: "standby", 3: "fault"}),
    "p": Meaning(role="product"),
    "jam": Meaning(role="alarm", specific=True),
    "c": Meaning(role="cycle"),
    "n": Meaning(role="count_total", modulus=500),
    "r": Meaning(role="count_reject"),
}


def world(seed: int, mean_s: int = 400) -> World:
    """Return a machine that runs, jams and changes products; now and then nothing of it is known."""
    rng, n = np.random.default_rng(seed), DAYS * DAY_S
    codes = list[int]()
    while len(codes) < n:
        codes += [int(rng.choice(4, p=[0.1, 0.6, 0.2, 0.1]))] * int(rng.geometric(1 / mean_s))
    state = np.array(codes[:n])
    product = np.repeat(rng.integers(0, 3, n // 7000 + 1), 7000)[:n]
    cycle = ((np.arange(n) % 25 < 5) & (state == 1)).astype(np.int64)
    pieces = (np.diff(cycle, prepend=0) == 1).astype(np.int64)
    rejects = pieces & (rng.random(n) < 0.1)
    hole = np.zeros(n, np.bool_)
    for begin in rng.integers(0, n, 30).tolist():
        hole[begin : begin + int(rng.integers(2, 900))] = True

    def known(column: Ints) -> Ints:
        return np.where(hole, NOTHING, column)

    jam = (state == 3).astype(np.int64)
    return World(
        DAYS,
        {
            "s": (known(state), STATES),
            "p": (known(product), (7, 8, 9)),
            "jam": (known(jam), (False, True)),
            "c": (known(cycle), (False, True)),
        },
        {"n": known(np.cumsum(pieces) % 500), "r": known(np.cumsum(rejects))},
        MEANINGS,
        frozenset({"c"}),  # more than 2,000 segments a day
        about={"products": {k: Product(id=k, name=k, ideal_s={"press": 20.0}) for k in ("7", "8", "9")}},
    )


def through_analyzers(world: World, cut_s: int) -> View:
    """Return the view of the same world as read each second, in blocks of `cut_s` seconds."""
    view = world.view()
    (source,) = view.catalog
    columns = {name: [labels[c] for c in codes.tolist()] for name, (codes, labels) in world.tracks.items()}
    columns |= {name: values.tolist() for name, values in world.counters.items()}
    bad = np.stack([c == NOTHING for c in (*(c for c, _ in world.tracks.values()), *world.counters.values())])
    evidence = make([source], CALENDAR)  # type: ignore[list-item]
    names = list(columns)
    for begin in range(0, DAYS * DAY_S, cut_s):
        seconds = np.arange(begin, min(begin + cut_s, DAYS * DAY_S))
        lost = bad[:, seconds].T.ravel()
        values = [columns[name][second] for second in seconds.tolist() for name in names]
        block = FrameBlock(
            source=source,  # type: ignore[arg-type]
            signal=np.tile(np.arange(len(names), dtype=np.int32), len(seconds)),
            time_ns=np.repeat(START + seconds * SECOND, len(names)),
            value=[None if gone else value for gone, value in zip(lost.tolist(), values, strict=True)],
            status=np.where(lost, Status.BAD_NO_COMMUNICATION, 0).astype(np.uint32),
        )
        evidence.feed([block])
    evidence.feed([Watermark(source.id, START + DAYS * DAY_S * SECOND + 1200 * SECOND)])
    return replace(view, days=[load(raw) for raw in evidence.take_closed().values()])


def facts(view: View) -> Production:
    return production(view, "press")


@pytest.mark.parametrize(("seed", "cut_s"), [(1, 3600), (2, 977)])
def test_facts_from_readings_equal_those_of_the_seconds(seed: int, cut_s: int) -> None:
    it = world(seed)
    truth, found = facts(it.view()), facts(through_analyzers(it, cut_s))
    assert len(found.view.seen.records) == DAYS
    assert dict(found.states) == dict(truth.states)
    assert found.stops == truth.stops
    assert len(found.stops) > 10
    assert {stop.reason for stop in found.stops} >= {"jam", None}
    assert found.changeovers == truth.changeovers
    assert found.cycles is not None
    assert truth.cycles is not None
    assert found.cycles.at.tolist() == truth.cycles.at.tolist()
    assert found.cycles.begun.tolist() == truth.cycles.begun.tolist()
    assert found.cycles.p50_ns == truth.cycles.p50_ns
    for kind in ("total", "reject", "good"):
        mine, other = found.quantity(kind), truth.quantity(kind)
        assert mine is not None
        assert other is not None
        assert (mine.at.tolist(), mine.pieces.tolist()) == (other.at.tolist(), other.pieces.tolist())
        assert mine.blind.tolist() == other.blind.tolist()
        assert mine.backs == other.backs
        assert list(mine.pace) == list(other.pace)
        assert mine.steps.tolist() == other.steps.tolist()
    assert found.basis == truth.basis
    assert found.kpis == truth.kpis
    assert found.kpis is not None
    assert found.kpis.oee is not None


def test_time_elements_of_a_state_that_changes_too_often_for_a_whole_track_are_exact() -> None:
    it = world(3, mean_s=15)
    found = facts(through_analyzers(it, 3600))
    assert found.all_states.brief
    codes, counts = it.tracks["s"][0], planned(DAYS)
    for code, state in MEANINGS["s"].states.items():
        assert isinstance(code, int)
        truth = [float(second * SECOND) for second in per_day(counts & (codes == code))]
        assert found.times.states[state].tolist() == truth
    unknown = [float(second * SECOND) for second in per_day(counts & (codes == NOTHING))]
    assert found.times.unknown.tolist() == unknown
