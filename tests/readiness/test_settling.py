"""Which evidence settles the level, against trying every outcome of every open gate."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.report import Levels, Machine, Value
from readiness.conditions import reached
from readiness.levels import quorum
from readiness.model import Condition, Gates, Step
from readiness.settling import Open, pieces, settle

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from readiness.settling import Cell

GATES = Gates(
    1, 0.8, 0.1,
    [Step(1, "x", [Condition("A", min=1), Condition("B", min=1)]), Step(2, "x", [Condition("C", min=1)])],
)  # fmt: skip


def plant(*rows: tuple[float, str]) -> list[Machine]:
    return [Machine(str(k), weight, Levels(0, 0), gates) for k, (weight, gates) in enumerate(rows)]


def level(machines: Sequence[Machine], outcome: dict[Cell, str], rest: str) -> int:
    letters = [
        "".join(outcome.get((m, c), rest) if letter == "U" else letter for c, letter in enumerate(machine.gates))
        for m, machine in enumerate(machines)
    ]
    return quorum(GATES, machines, [reached(GATES.levels, row, "P") for row in letters])


def settles(machines: Sequence[Machine], known: Collection[Cell]) -> bool:
    """Return whether the level is one number for each way in which the known gates come out."""
    return all(
        level(machines, dict(zip(known, letters, strict=True)), "F")
        == level(machines, dict(zip(known, letters, strict=True)), "P")
        for letters in itertools.product("PF", repeat=len(known))
    )


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 5, 0.5, 37.3, 112.5]), st.text("PPFU", min_size=3, max_size=3)),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_settled_means_settled_whatever_comes_out(rows: list[tuple[float, str]], data: st.DataObject) -> None:
    machines = plant(*rows)
    cells = [(m, c) for m, row in enumerate(rows) for c, letter in enumerate(row[1]) if letter == "U"]
    known = data.draw(st.lists(st.sampled_from(cells), unique=True, max_size=6)) if cells else []
    assert Open(GATES, machines).settled(set(known)) == settles(machines, known)
    found = settle(GATES, machines)
    assert settles(machines, found)
    # Nothing of it can be left out, and where one condition is enough, one is found.
    assert not any(settles(machines, [c for c in found if c != cell]) for cell in found)
    alone = [c for c in range(3) if settles(machines, [cell for cell in cells if cell[1] == c])]
    if alone and not settles(machines, []):
        assert len({c for _, c in found}) == 1


def test_one_hand_count_settles_a_plant_in_which_all_else_is_known() -> None:
    machines = plant((4, "PPP"), (1, "PPP"), (5, "PUF"))
    assert settle(GATES, machines) == [(2, 1)]
    values = {m.id: {"B": Value(metric="B", unit="1", evidence="0" * 16, reason="NA_CLOCK")} for m in machines}
    found = pieces(GATES, machines, values)
    assert [(m.metric, m.reason, m.machines) for m in found] == [("B", "NA_CLOCK", ["2"])]


def test_what_no_longer_matters_is_not_asked_for() -> None:
    assert settle(GATES, plant((9, "PPP"), (1, "UUU"))) == []
    assert settle(GATES, plant((1, "FUU"), (1, "UPP"))) == []
    assert settle(GATES, []) == []


@pytest.mark.parametrize("machines", range(1, 61))
def test_a_quorum_that_is_reached_exactly_is_reached(machines: int) -> None:
    enough = math.ceil(0.8 * machines - 1e-9)
    for known, open_ in (("PPP", "UUU"), ("UUU", "FFF")):
        for weight in (1.1, 1 / 3):  # a third has no common unit
            there = plant(*[(weight, known)] * enough, *[(weight, open_)] * (machines - enough))
            ends = {level(there, {}, "P"), level(there, {}, "F")}
            assert bool(settle(GATES, there)) == (len(ends) > 1)


def test_fifty_machines_are_settled_at_once() -> None:
    machines = plant(*((1 + k % 7, "UUU") for k in range(50)))
    assert Open(GATES, machines).settled(set(Open(GATES, machines).cells))
    found = settle(GATES, machines)
    assert {c for _, c in found} == {0, 1, 2}
