"""States of a machine, against the same rules applied second by second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from readiness.plant import STATES, Meaning
from readiness.production import production
from readiness.spans import intersection
from tests.readiness.seconds import DAY_S, NOTHING, World, per_day, planned, spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from readiness.plant import State

    Ints = NDArray[np.int64]

ORDER: tuple[State, ...] = ("fault", "setup", "executing", "standby", "off")
LABELS = (0, 1, 2, 3, 4, 9)
MEANING = Meaning(role="state", states={0: "off", 1: "executing", 2: "standby", 3: "fault", 4: "setup"})


def walk(rng: np.random.Generator, days: int, codes: int, mean_s: int, holes: float = 0.1) -> Ints:
    """Return a value per second that changes now and then, and is unknown now and then."""
    found: list[int] = []
    while len(found) < days * DAY_S:
        code = NOTHING if rng.random() < holes else int(rng.integers(codes))
        found += [code] * int(rng.geometric(1 / mean_s))
    return np.array(found[: days * DAY_S], np.int64)


@pytest.mark.parametrize("seed", range(3))
def test_an_enumeration_tells_exclusive_states_and_values_without_a_meaning_are_unknown(seed: int) -> None:
    codes = walk(np.random.default_rng(seed), 2, len(LABELS), 400)
    facts = production(World(2, {"s": (codes, LABELS)}, meanings={"s": MEANING}).view(), "press")
    for code, state in MEANING.states.items():
        assert facts.states[state] == spans(codes == LABELS.index(code))
    assert facts.known == spans((codes != NOTHING) & (codes != LABELS.index(9)))
    assert not len(facts.all_states.conflict)


def bits_by_second(columns: dict[State, Ints], false_means: dict[State, State]) -> tuple[list[str], list[bool]]:
    """Return the state of each second by the rules of `readiness.states`, and whether two true bits differ."""
    states, overlap = list[str](), list[bool]()
    for row in zip(*columns.values(), strict=True):
        said = dict(zip(columns, row, strict=True))
        true = [state for state in ORDER if said.get(state) == 1]
        false = [false_means[s] for s in said if s in false_means and said[s] == 0]
        if NOTHING in row or {"executing", "off"} <= set(true):
            states.append("unknown")
        else:
            states.append(next(iter(true or [s for s in ORDER if s in false]), "unknown"))
        overlap.append(NOTHING not in row and len(true) > 1)
    return states, overlap


@pytest.mark.parametrize("seed", range(3))
def test_several_bits_are_resolved_by_precedence_while_all_are_known(seed: int) -> None:
    rng = np.random.default_rng(seed)
    used: tuple[State, ...] = ("fault", "executing", "setup", "off")
    columns: dict[State, Ints] = {state: walk(rng, 1, 2, 900, 0.05) for state in used}
    meanings: dict[str, Meaning] = {
        state: Meaning(role="state", states={True: state, **({False: "standby"} if state == "executing" else {})})
        for state in used
    }
    world = World(1, {s: (c, (False, True)) for s, c in columns.items()}, meanings=meanings)
    facts = production(world.view(), "press")
    truth, overlap = bits_by_second(columns, {"executing": "standby"})
    array = np.array(truth)
    for state in STATES:
        assert facts.states[state] == spans(array == state), state
    assert facts.all_states.overlap == spans(np.array(overlap))
    both = (columns["executing"] == 1) & (columns["off"] == 1)
    assert facts.all_states.conflict == spans(both & (np.min(list(columns.values()), axis=0) >= 0))


def test_two_enumerations_that_contradict_each_other_leave_the_state_unknown() -> None:
    rng = np.random.default_rng(5)
    first, second = walk(rng, 1, 5, 1500), walk(rng, 1, 5, 1500)
    world = World(1, {"a": (first, LABELS), "b": (second, LABELS)}, meanings={"a": MEANING, "b": MEANING})
    facts = production(world.view(), "press")
    clash = (first != second) & (first != NOTHING) & (second != NOTHING)
    assert facts.all_states.conflict == spans(clash)
    for index, state in enumerate(("off", "executing", "standby", "fault", "setup")):
        assert facts.states[state] == spans(((first == index) | (second == index)) & ~clash)  # type: ignore[index]


def test_a_guess_means_nothing_and_neither_does_a_bit_that_never_came() -> None:
    codes = walk(np.random.default_rng(1), 1, 5, 600)
    guess = Meaning(role="state", origin="guess", states=MEANING.states)
    facts = production(World(1, {"s": (codes, LABELS)}, meanings={"s": guess}).view(), "press")
    assert not len(facts.known)
    assert facts.all_states.names == ()
    dead = np.full(DAY_S, NOTHING)
    world = World(1, {"s": (codes, LABELS), "dead": (dead, (False, True))})
    world.meanings = {"s": MEANING, "dead": Meaning(role="state", states={True: "fault"})}
    facts = production(world.view(), "press")
    assert facts.all_states.names == ("press/s",)
    assert facts.states["executing"] == spans(codes == 1)


def test_states_never_overlap_and_their_union_is_what_is_known() -> None:
    rng = np.random.default_rng(9)
    world = World(1, {"a": (walk(rng, 1, 6, 300), LABELS), "b": (walk(rng, 1, 2, 700), (False, True))})
    world.meanings = {"a": MEANING, "b": Meaning(role="state", states={True: "fault"})}
    facts = production(world.view(), "press")
    row = list(facts.states.values())
    for index, one in enumerate(row):
        assert all(not len(intersection(one, other)) for other in row[index + 1 :])
    assert sum(one.length() for one in row) == facts.known.length()


@pytest.mark.parametrize("cut", [False, True])
def test_time_elements_add_up_to_planned_busy_time_and_equal_the_seconds(*, cut: bool) -> None:
    rng = np.random.default_rng(3)
    codes = walk(rng, 3, len(LABELS), 40 if cut else 400)
    off = np.zeros(3 * DAY_S, np.bool_)
    off[DAY_S + 3600 : DAY_S + 5400] = True  # whole quarter hours, so that cut tracks stay exact
    world = World(3, {"s": (codes, LABELS)}, meanings={"s": MEANING}, censored=off)
    world.cut = frozenset({"s"} if cut else ())
    facts = production(world.view(), "press")
    counts, times = planned(3) & ~off, facts.times
    assert times.pbt.tolist() == [s * 10**9 for s in per_day(counts)]
    assert times.censored.tolist() == [s * 10**9 for s in per_day(planned(3) & off)]
    for index, state in enumerate(("off", "executing", "standby", "fault", "setup")):
        assert times.states[state].tolist() == [s * 10**9 for s in per_day(counts & (codes == index))]  # type: ignore[index]
    unknown = counts & ((codes == NOTHING) | (codes == LABELS.index(9)))
    assert times.unknown.tolist() == [s * 10**9 for s in per_day(unknown)]
    whole = sum(times.states.values()) + times.unknown
    assert (whole == times.pbt).all()
    assert (times.aubt + times.adot + times.states["off"] + times.unknown == times.pbt).all()


def test_of_a_cut_track_a_quarter_hour_that_counts_in_part_gives_its_part() -> None:
    codes = np.tile(np.repeat([1, 2], 10), DAY_S // 20)  # ten seconds executing, ten on standby, all day
    off = np.zeros(DAY_S, np.bool_)
    off[1000:1300] = True
    world = World(1, {"s": (codes, LABELS)}, meanings={"s": MEANING}, censored=off, cut=frozenset({"s"}))
    times = production(world.view(), "press").times
    assert times.apt[0] == pytest.approx((12 * 3600 - 300) / 2 * 1e9, abs=1e3)
    assert times.pbt[0] == times.apt[0] + times.adot[0] + times.unknown[0]
    assert times.unknown[0] < 10
