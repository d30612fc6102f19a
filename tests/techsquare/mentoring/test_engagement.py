"""A project's life: every state, event, actor and lack of facts, counted; and the stories it is there for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from typing import get_args

import networkx as nx
import numpy as np
import pytest

from techsquare.mentoring.calendar import Calendar
from techsquare.mentoring.engagement import (
    DECIDED,
    EVENTS,
    MOVES,
    OVER,
    SIGNED,
    STATES,
    STORED,
    WHO,
    WORDS,
    Actor,
    Event,
    Facts,
    Life,
    Refusal,
    move,
    offered,
    possible,
    refusals,
    resumed,
)
from techsquare.registry.projects import EngagementState

DAY0 = date(2026, 3, 2)
LATER = DAY0 + timedelta(days=800)
CALENDAR = Calendar()
FINE = Facts(
    conditions=frozenset(),
    plan="frozen",
    baseline=True,
    exit=True,
    verdict_on=DAY0,
    word="cannot_tell",
    objections=0,
    objecting_over=True,
    successor=True,
    parting="gone",
)
ACTORS: tuple[Actor, ...] = get_args(Actor)


def lives() -> list[Life]:
    found = [Life(state, DAY0, DAY0) for state in STATES]
    return [*found, *(replace(one, parted="gone") for one in found if one.state in SIGNED)]


def walk(*steps: tuple[Event, Actor, Facts]) -> Life:
    """Go a way whose steps are all possible, two hundred days apart."""
    life = offered(DAY0)
    for event, by, facts in steps:
        moved = move(life, event, by, life.last + timedelta(days=200), facts, CALENDAR)
        assert not moved.refused, (event, moved.refused)
        life = moved.life
    return life


def test_each_event_in_each_state_is_a_move_or_says_that_it_does_not_come_now() -> None:
    moved = 0
    for life, event, by in product(lives(), EVENTS, ACTORS):
        after = move(life, event, by, LATER, FINE, CALENDAR)
        if (life.state, event) not in MOVES:
            assert after.refused == ("state",)
        if after.refused:
            assert after.life is life
            continue
        moved += 1
        assert by in WHO[event]
        assert after.life.state == MOVES[life.state, event]
        assert after.life.last == LATER
    assert moved == 39 + 19, "counted by hand, with a supplier and without one"


def test_everything_that_is_lacking_is_said_and_mending_exactly_that_lets_it_happen() -> None:
    rng = np.random.default_rng(1)
    seen: set[Refusal] = set()
    for life, event, by in product(lives(), EVENTS, ACTORS):
        if (life.state, event) not in MOVES:
            continue
        for _ in range(12):
            facts = Facts(
                conditions=frozenset() if rng.random() < 0.5 else frozenset({"export"}),
                plan=(None, "frozen", "none")[int(rng.integers(3))],
                baseline=bool(rng.random() < 0.5),
                exit=bool(rng.random() < 0.5),
                verdict_on=(None, DAY0, LATER + timedelta(days=9))[int(rng.integers(3))],
                word=str(rng.choice(["improved", "cannot_tell"])),
                objections=int(rng.integers(2)),
                objecting_over=bool(rng.random() < 0.5),
                successor=bool(rng.random() < 0.5),
                parting=(None, "gone", "unwanted")[int(rng.integers(3))],
            )
            on = (LATER, DAY0, DAY0 - timedelta(days=1))[int(rng.integers(3))]
            why = refusals(life, event, by, on, facts, CALENDAR)
            seen |= set(why)
            assert len(set(why)) == len(why)
            assert refusals(*mended(life, event, by, on, facts, why), CALENDAR) == ()
            for left in why:
                if {left, "order", "early"} <= set(why) and left in {"order", "early"}:
                    continue  # a later day may mend both
                rest = mended(life, event, by, on, facts, [one for one in why if one != left])
                assert left in refusals(*rest, CALENDAR), "mending the others is not enough"
    assert seen == set(WORDS) - {"state"}


def mended(  # noqa: C901, PLR0912 - one line a refusal
    life: Life, event: Event, by: Actor, on: date, facts: Facts, why: object
) -> tuple[Life, Event, Actor, date, Facts]:
    """Mend what was refused, and nothing else, without knowing why the rule is so."""
    names = set(why)  # type: ignore[call-overload]
    if "actor" in names:
        by = "owner" if "owner" in WHO[event] else next(iter(sorted(WHO[event])))
    if names & {"order", "early"} and event in {"expire", "lapse", "finish"} and "early" in names:
        on = LATER
    elif "order" in names:
        on = life.last
    if "early" in names and event == "tell":
        facts = replace(facts, verdict_on=DAY0 - timedelta(days=5))
    if "early" in names and event == "settle":
        facts = replace(facts, objecting_over=True)
    if "supplier_gone" in names or "not_gone" in names:
        life = replace(life, parted="gone" if "not_gone" in names else None)
    if "conditions" in names:
        facts = replace(facts, conditions=frozenset())
    if "plan" in names:
        facts = replace(facts, plan="frozen")
        if event == "begin":
            facts = replace(facts, baseline=True)
    if "baseline" in names:
        facts = replace(facts, baseline=True)
    if "exit" in names:
        facts = replace(facts, exit=True)
    if "decided" in names:
        facts, life = replace(facts, word="cannot_tell"), replace(life, look=1)
    if "open_objection" in names:
        facts = replace(facts, objections=0)
    if "successor" in names:
        facts = replace(facts, successor=True)
    if "kind" in names:
        facts = replace(facts, parting="unwanted" if by == "owner" else "gone")
    return life, event, by, on, facts


def test_every_state_is_reached_and_every_life_can_end() -> None:
    graph = nx.DiGraph([(state, after) for (state, _), after in MOVES.items()])
    graph.add_edge("commissioning", "watching")
    assert set(nx.descendants(graph, "offered")) | {"offered"} == set(STATES)
    for state in STATES:
        assert state in OVER or nx.descendants(graph, state) & OVER
    assert {event for _, event in MOVES} == set(EVENTS) == set(WHO)


def test_the_owner_may_always_leave_the_supplier_or_end_it_whatever_is_lacking() -> None:
    nothing = Facts(parting="unwanted", objections=3)
    for life in lives():
        if life.state in OVER:
            continue
        assert move(life, "end", "owner", LATER, nothing, CALENDAR).life.state == "ended"
        if life.state in SIGNED and life.parted is None:
            assert move(life, "part", "owner", LATER, nothing, CALENDAR).life.parted == "unwanted"


def test_a_project_that_is_measured_twice_and_watched() -> None:
    life = walk(
        ("choose", "owner", FINE), ("sign", "owner", FINE), ("begin", "supplier", FINE),
        ("deliver", "supplier", FINE), ("accept", "owner", FINE), ("tell", "service", FINE),
        ("extend", "service", FINE), ("tell", "service", FINE),
    )  # fmt: skip
    assert (life.state, life.look) == ("verdict", 2)
    after = life.last + timedelta(days=1)
    assert refusals(life, "extend", "service", after, FINE, CALENDAR) == ("decided",)
    for word in DECIDED:
        once = replace(life, look=1)
        assert refusals(once, "extend", "service", after, replace(FINE, word=word), CALENDAR) == ("decided",)
    watched = move(life, "settle", "service", after, FINE, CALENDAR).life
    alarmed = move(watched, "alarm", "service", after, FINE, CALENDAR).life
    assert (alarmed.state, alarmed.alarms, alarmed.since) == ("watching", 1, after)
    assert refusals(alarmed, "finish", "service", after + timedelta(days=364), FINE, CALENDAR) == ("early",)
    end = move(alarmed, "finish", "service", after + timedelta(days=365), FINE, CALENDAR)
    assert end.life.state == "ended"


def test_without_a_plan_there_is_no_verdict() -> None:
    bare = replace(FINE, plan="none", baseline=False)
    life = walk(
        ("choose", "owner", bare), ("sign", "owner", bare), ("begin", "owner", bare),
        ("deliver", "supplier", bare), ("accept", "owner", bare),
    )  # fmt: skip
    assert (life.state, life.look) == ("watching", 0)


def test_a_supplier_disappears_and_somebody_else_goes_on() -> None:
    life = walk(
        ("choose", "owner", FINE), ("sign", "owner", FINE), ("begin", "supplier", FINE), ("part", "operator", FINE)
    )
    assert (life.state, life.parted) == ("installing", "gone")
    after = life.last + timedelta(days=3)
    assert refusals(life, "deliver", "supplier", after, FINE, CALENDAR) == ("supplier_gone",)
    alone = replace(FINE, successor=False)
    assert refusals(life, "take_over", "owner", after, alone, CALENDAR) == ("successor",)
    assert move(life, "take_over", "owner", after, FINE, CALENDAR).life.state == "taken_over"
    successor = resumed(life, after)
    assert (successor.state, successor.parted, successor.since) == ("contracted", None, after)
    assert not move(successor, "begin", "supplier", after, FINE, CALENDAR).refused
    with pytest.raises(ValueError, match="no supplier"):
        resumed(replace(life, parted=None), after)


def test_the_operator_cannot_call_a_supplier_unwanted() -> None:
    life = Life("measuring", DAY0, DAY0)
    unwanted = replace(FINE, parting="unwanted")
    assert refusals(life, "part", "operator", LATER, unwanted, CALENDAR) == ("actor",)
    assert refusals(life, "part", "operator", LATER, FINE, CALENDAR) == ()


def test_a_chosen_supplier_has_five_working_days() -> None:
    friday = date(2026, 11, 20)
    life = Life("chosen", friday, friday)
    assert refusals(life, "lapse", "service", date(2026, 11, 27), FINE, CALENDAR) == ("early",)
    assert refusals(life, "lapse", "service", date(2026, 11, 28), FINE, CALENDAR) == ()


def test_what_can_be_said_is_what_would_be_accepted() -> None:
    for life, by in product(lives(), ACTORS):
        told = possible(life, by, LATER, FINE, CALENDAR)
        assert set(told) == {event for event in EVENTS if (life.state, event) in MOVES and by in WHO[event]}
        for event, why in told.items():
            assert move(life, event, by, LATER, FINE, CALENDAR).refused == why


def test_the_registry_can_store_every_state() -> None:
    assert set(STORED) == set(STATES)
    assert {word for word in STORED.values() if word} == set(get_args(EngagementState))
    assert set(WORDS) == set(get_args(Refusal))
