"""Every result has a defined state, whatever is there and however long it took."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import product

import pytest

from techsquare.entry.stages import RESULTS, STATES, WEEK, Facts, stage, standings

DAYS = (0, 6, 7, 27, 28, 400)
CHOICES: dict[str, tuple[int | bool, ...]] = {
    "day": (0, 7, 28), "answered": (0, 20), "counted": (0, 5), "connected": (0, 3), "measured": (0, 5, 10, 20, 40),
    "rates": (False, True), "metered": (False, True), "read_meters": (0, 7), "questionnaire": (False, True),
    "others": (False, True), "towards": (0, 1, 2, 3), "installed": (False, True), "decided": (False, True),
}  # fmt: skip
ALL = [Facts(**dict(zip(CHOICES, row, strict=True))) for row in product(*CHOICES.values())]  # type: ignore[arg-type]
GRID = [one for one in ALL if (not one.measured or one.connected) and (not one.decided or one.installed)]


def test_each_result_is_in_one_state_with_a_reason_unless_it_is_firm_and_always_with_a_next_step() -> None:
    for facts in GRID:
        found = standings(facts)
        assert tuple(one.result for one in found) == RESULTS
        for one in found:
            assert one.state in STATES
            assert (one.reason is None) == (one.state == "firm"), (facts, one)
            assert (one.next == "look") == (one.state == "firm"), (facts, one)


def test_more_of_anything_never_makes_a_result_less() -> None:
    more = {"answered": 20, "counted": 5, "measured": 40, "rates": True, "metered": True, "read_meters": 7,
            "questionnaire": True, "others": True, "towards": 3, "installed": True, "decided": True}  # fmt: skip
    assert set(more) | {"day", "connected"} == {f.name for f in fields(Facts)}
    for facts in GRID:
        if facts.day != WEEK:
            continue
        before = {one.result: STATES.index(one.state) for one in standings(facts)}
        for name, value in more.items():
            changed = replace(facts, **{name: value})  # type: ignore[arg-type]
            if name == "measured":
                changed = replace(changed, connected=3)
            if name == "decided":
                changed = replace(changed, installed=True)
            for one in standings(changed):
                assert STATES.index(one.state) >= before[one.result], (facts, name, one)


def test_time_alone_changes_no_state_and_only_what_to_do() -> None:
    for facts in GRID:
        states = {tuple(one.state for one in standings(replace(facts, day=day))) for day in DAYS}
        assert len(states) == 1
    waiting = Facts(0, answered=20, connected=1)
    assert [next(s.next for s in standings(replace(waiting, day=d)) if s.result == "losses") for d in DAYS] == [
        "wait", "wait", *["check_connection"] * 4,
    ]  # fmt: skip


def test_a_factory_that_never_gets_an_agent_has_everything_but_what_only_machines_can_tell() -> None:
    facts = Facts(28, answered=20, counted=5, rates=True, read_meters=7, towards=3)
    found = {s.result: s for s in standings(facts)}
    assert {r for r, s in found.items() if s.state == "none"} == {"level", "peers", "promise", "verdict"}
    assert found["losses"].state == found["roadmap"].state == found["offers"].state == "counted"


def test_an_owner_is_told_what_lies_between_his_losses_and_an_offer() -> None:
    told = []
    for towards in range(4):
        found = {s.result: s for s in standings(Facts(28, answered=20, rates=True, towards=towards))}
        told.append([(found[name].state, found[name].next) for name in ("roadmap", "offers")])
    assert told == [
        [("none", "say_budget"), ("none", "say_budget")],
        [("none", "make_plan"), ("none", "make_plan")],
        [("answers", "book_visit"), ("none", "see_advice")],
        [("answers", "book_visit"), ("answers", "choose_measure")],
    ]


@pytest.mark.parametrize(("day", "name"), [(0, "day0"), (6, "day0"), (7, "day7"), (27, "day7"), (28, "day28")])
def test_stages(day: int, name: str) -> None:
    assert stage(day) == name
