"""Missed days: asked for until they are there, or until nobody has them; and never too often."""

from __future__ import annotations

import json
import random
from datetime import date
from typing import TYPE_CHECKING

import pytest

from contract.codec import encode
from contract.day import Days
from contract.report import Refusal
from techsquare.intake.intake import Intake
from techsquare.intake.repair import BURST, LONGEST, MOST, LaterError, Repair, Turns
from techsquare.pull import PullError
from techsquare.registry import tables as t
from tests.techsquare.intake.made import NOW, Made, register
from tests.techsquare.intake.test_intake import agent, count, fates, questions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from techsquare.registry.store import Registry


class Box:
    """Answers `day.get` as an agent does: at most so many records at once, and none of those that it has lost."""

    def __init__(self, made: Made, lost: set[int] = frozenset(), most: int = 7) -> None:  # type: ignore[assignment]
        self.made, self.lost, self.most = made, lost, most
        self.asked: list[tuple[str, str]] = []
        self.refusal: Refusal | None = None

    def __call__(self, factory: str, agent: str, verb: str, body: Mapping[str, object]) -> bytes:
        assert (factory, agent, verb) == (self.made.factory, self.made.agent, "day.get")
        first, last = str(body["from"]), str(body["to"])
        assert date.fromisoformat(last) - date.fromisoformat(first) <= LONGEST
        self.asked.append((first, last))
        if self.refusal is not None:
            return encode(self.refusal)
        found = [
            (head, signed)
            for head, signed in zip(self.made.heads, self.made.days, strict=True)
            if first <= head.date <= last and head.number not in self.lost
        ]
        if not found:
            return encode(Refusal("no_data", "nothing"))
        rest = found[self.most : self.most + 1]
        return encode(Days([s for _, s in found[: self.most]], rest[0][0].date if rest else None))


@pytest.fixture
def intake(registry: Registry) -> Intake:
    register(registry, "hanil")
    return Intake(registry, lambda: NOW)


def repair(intake: Intake, box: Box) -> Repair:
    return Repair(intake, box, lambda: NOW, lambda _s: False)


@pytest.mark.parametrize("seed", range(8))
def test_everything_that_the_agent_has_is_there_in_the_end(intake: Intake, seed: int) -> None:
    rng = random.Random(seed)
    made = Made("hanil", machines=2, metrics=0)
    days = []
    for _ in range(rng.randrange(1, 40)):
        days += made.sign(1, skip=rng.choice([0, 0, 0, 2, 450]))
    lost = {n for n in range(1, len(days)) if rng.random() < rng.choice([0.0, 0.3])}
    came = [day for day in days if rng.random() < rng.choice([0.0, 0.5, 0.9])]
    fates(intake, made.manifest(), *rng.sample(came, len(came)))
    box = Box(made, lost)
    work = repair(intake, box)
    for _ in range(20):
        if work.run(("hanil", "edge-1")):
            break
    else:
        raise AssertionError("it never ends")
    there = {day.topic for day in came} | {made.topics.day(h.date) for h in made.heads if h.number not in lost}
    assert count(intake, t.DayRecord) == len(there)
    asked = len(box.asked)
    assert work.run(("hanil", "edge-1"))
    assert len(box.asked) == asked  # nobody is asked again for what nobody has
    missing = len(days) - len(there)
    assert ("records_missing" in questions(intake)) is (missing > 0)
    assert agent(intake, made).chain_number == len(days)


def test_a_gap_alone_is_asked_for(intake: Intake) -> None:
    made = Made("hanil", machines=2, metrics=0)
    days = made.sign(20)
    fates(intake, made.manifest(), *days[:5], *days[9:])
    box = Box(made, most=99)
    assert repair(intake, box).run(("hanil", "edge-1"))
    assert box.asked == [(made.heads[5].date, made.heads[8].date)]
    assert agent(intake, made).chain_number == 20


def test_whoever_refuses_is_left_alone(intake: Intake) -> None:
    made = Made("hanil", machines=2, metrics=0)
    made.sign(3)
    fates(intake, made.manifest())
    box = Box(made)
    box.refusal = Refusal("busy", "later")
    with pytest.raises(LaterError, match="busy"):
        repair(intake, box).run(("hanil", "edge-1"))
    assert "records_missing" not in questions(intake)

    def away(*_: object) -> bytes:
        raise PullError("no answer")

    with pytest.raises(LaterError, match="no answer"):
        Repair(intake, away, lambda: NOW, lambda _s: False).run(("hanil", "edge-1"))
    box.refusal = None
    forger = Made("hanil", seed="other", machines=2, metrics=0)
    forger.sign(3)
    with pytest.raises(LaterError, match="wrong"):
        repair(intake, Box(forger)).run(("hanil", "edge-1"))
    assert count(intake, t.DayRecord) == 0
    assert repair(intake, box).run(("hanil", "edge-1"))
    assert count(intake, t.DayRecord) == 3


def test_nobody_is_asked_for_what_may_not_be_kept(intake: Intake) -> None:
    made = Made("hanil", scopes=("levels", "days"))
    made.sign(3)
    fates(intake, made.manifest())
    box = Box(made)
    assert repair(intake, box).run(("hanil", "edge-1"))
    assert box.asked == []


def test_an_agent_is_asked_no_faster_than_it_answers(intake: Intake) -> None:
    made = Made("hanil", machines=1, metrics=0)
    made.sign(60)
    fates(intake, made.manifest())
    box, waits = Box(made, most=1), []

    def wait(seconds: float) -> bool:
        waits.append((len(box.asked), seconds))
        return False

    work = Repair(intake, box, lambda: NOW, wait)
    assert not work.run(("hanil", "edge-1"))
    assert len(box.asked) == MOST
    assert [at for at, _ in waits] == list(range(BURST, MOST))
    assert min(seconds for _, seconds in waits) > 6
    assert json.loads(encode(box.asked[0]))


def test_turns_back_off_and_never_forget() -> None:
    turns = Turns(patience=60, latest=600)
    turns.note([("a", "1"), ("b", "1")], 0.0)
    turns.note([("a", "1")], 59.0)  # is waiting already
    assert turns.due(59.9) is None
    assert turns.due(60.0) == ("a", "1")
    waits = [turns.failed(("a", "1"), 60.0) for _ in range(6)]
    assert waits == [120, 240, 480, 600, 600, 600]
    assert turns.due(60.0) == ("b", "1")
    turns.done(("b", "1"))
    assert turns.due(659.9) is None
    assert turns.due(660.0) == ("a", "1")
    turns.more(("a", "1"), 660.0)
    assert turns.due(666.0) == ("a", "1")
    turns.done(("a", "1"))
    assert len(turns) == 0
