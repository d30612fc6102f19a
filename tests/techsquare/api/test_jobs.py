"""Jobs: taken once, taken again when their program is gone, stopped, and given up after three beginnings."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from techsquare.catalogue.load import Catalogue
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.policy import Reader
from techsquare.services import jobs, night, watching
from techsquare.services.alone import alone
from techsquare.services.jobs import LOST_S, MOST, Jobs, StoppedError
from techsquare.services.refused import RefusedError
from techsquare.services.rights import Caller
from techsquare.services.work import KINDS, Bench

if TYPE_CHECKING:
    from collections.abc import Mapping

    from techsquare.registry.store import Registry
    from techsquare.services.work import Told

NOW = 1_790_000_000_000_000_000


class Yard:
    """A registry with a clock that is moved by hand."""

    def __init__(self, registry: Registry) -> None:
        self.registry, self.now = registry, NOW
        self.done: list[Any] = []
        user = t.User(id="u", email="u@x.kr", name="u", language="ko", created_at=NOW)
        registry.decide(lambda s: s.add(user), Actor("test"))
        self.caller = Caller(Reader("u"), NOW)

    def begin(self, kind: str, **asked: Any) -> str:
        key: str = self.registry.decide(lambda s: jobs.begin(s, self.caller, kind, asked).id, Actor("u"))
        return key

    def program(self, **kinds: Any) -> Jobs:
        return Jobs(Bench(self.registry, Catalogue((), ()), lambda: self.now), kinds, 0)

    def row(self, key: str) -> t.Job:
        with self.registry.reading() as session:
            return session.get_one(t.Job, key)


def test_a_job_is_done_once_by_whoever_takes_it_first(registry: Registry) -> None:
    yard = Yard(registry)
    keys = [yard.begin("add", n=i) for i in range(12)]
    lock = threading.Lock()

    def work(_bench: Bench, asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
        told(0.0)
        with lock:
            yard.done.append(asked["n"])
        return {"n": asked["n"] + 1}

    program = yard.program(add=work)

    def until_empty() -> None:
        idle = 0
        while idle < 3:  # somebody else may have won the one that was looked at
            idle = 0 if program.step() else idle + 1

    threads = [threading.Thread(target=until_empty) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until_empty()
    assert sorted(yard.done) == list(range(12))
    assert [(yard.row(k).state, yard.row(k).answer) for k in keys] == [("done", {"n": i + 1}) for i in range(12)]
    assert yard.begin("other")
    assert not program.step()  # of another program


def test_a_job_whose_program_was_killed_is_taken_again_and_given_up_in_the_end(registry: Registry) -> None:
    yard = Yard(registry)
    key = yard.begin("heavy")

    def killed(_bench: Bench, _asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
        told(0.0)
        raise KeyboardInterrupt  # as when the process ends: nothing is written down

    for times in range(1, MOST + 1):
        with pytest.raises(KeyboardInterrupt):
            yard.program(heavy=killed).step()
        assert (yard.row(key).state, yard.row(key).asked["begun"]) == ("running", times)
        assert not yard.program(heavy=killed).step()  # it may still be at work
        yard.now += int((LOST_S + 1) * 1e9)
    assert not yard.program(heavy=killed).step()
    assert (yard.row(key).state, yard.row(key).error) == ("failed", "begun too often")


def test_what_goes_wrong_is_told_without_what_it_was_about(registry: Registry) -> None:
    yard = Yard(registry)

    def refused(_bench: Bench, _asked: Mapping[str, Any], _told: Told) -> dict[str, Any]:
        raise RefusedError("outdated")

    def broken(_bench: Bench, _asked: Mapping[str, Any], _told: Told) -> dict[str, Any]:
        raise ValueError("secret of somebody else")

    keys = [yard.begin("refused"), yard.begin("broken")]
    program = yard.program(refused=refused, broken=broken)
    assert program.step()
    assert program.step()
    assert [(yard.row(k).state, yard.row(k).error) for k in keys] == [
        ("failed", "outdated"),
        ("failed", "internal"),
    ]


def test_a_stopped_job_ends_at_its_next_step(registry: Registry) -> None:
    yard = Yard(registry)
    key = yard.begin("long")

    def work(bench: Bench, _asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
        told(0.0)
        bench.registry.decide(lambda s: jobs.stop(s, yard.caller, key), Actor("u"))
        yard.now += int(11e9)
        told(0.5)
        raise AssertionError

    assert yard.program(long=work).step()
    assert yard.row(key).state == "stopped"
    other = Caller(Reader("somebody"), NOW)
    for caller, code in ((other, "not_there"), (yard.caller, "job_over")):
        with pytest.raises(RefusedError, match=code):
            registry.decide(lambda s, c=caller: jobs.stop(s, c, key), Actor("u"))  # type: ignore[misc]


def test_who_was_held_up_for_too_long_goes_no_further_when_another_has_taken_the_job(registry: Registry) -> None:
    yard = Yard(registry)
    key = yard.begin("long")

    def slow(_bench: Bench, _asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
        def quick(_bench: Bench, _asked: Mapping[str, Any], mine: Told) -> dict[str, Any]:
            mine(0.1)
            with pytest.raises(StoppedError):
                told(0.5)
            mine(0.9)
            return {"by": "quick"}

        told(0.0)
        yard.now += int((LOST_S + 1) * 1e9)  # as while a long transaction of another program keeps the beats out
        assert yard.program(long=quick).step()
        return {"by": "slow"}

    assert yard.program(long=slow).step()
    assert (yard.row(key).state, yard.row(key).answer) == ("done", {"by": "quick"})


def test_who_asks_the_same_again_while_it_waits_gets_the_job_that_waits(registry: Registry) -> None:
    yard = Yard(registry)
    first = yard.begin("long", n=1)
    assert yard.begin("long", n=1) == first
    assert yard.begin("long", n=2) != first
    assert yard.program(long=lambda *_: {}).step()
    assert yard.row(first).state == "done"
    assert yard.begin("long", n=1) != first


def test_what_fails_at_night_is_left_out_and_the_rest_is_done(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_session: Any) -> int:
        raise ValueError

    assert alone(registry, broken, Actor("night"), "something") is None
    assert alone(registry, lambda _: 3, Actor("night"), "something") == 3
    judged: list[str] = []

    def judge(_registry: Registry, plan: str, _now: int) -> None:
        judged.append(plan)
        if plan == "a":
            raise ValueError

    monkeypatch.setattr(watching, "due_plans", lambda *_: iter(["a", "b"]))
    monkeypatch.setattr(watching, "judge", judge)
    assert watching.judge_due(registry, Catalogue((), ()), NOW) == {"told": 1, "waiting": 1}
    assert judged == ["a", "b"]


def test_a_task_of_the_night_that_fails_does_not_keep_the_others(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_registry: Registry, _catalogue: Catalogue, _now: int) -> dict[str, int]:
        raise ValueError

    seen: list[int] = []

    def well(opened: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
        assert opened is registry
        seen.append(now)
        return {"rows": 3}

    monkeypatch.setattr(night, "TASKS", (("a", broken), ("b", well)))
    yard = Yard(registry)
    key = yard.begin("night")
    assert yard.program(night=KINDS["night"]).step()
    assert yard.row(key).answer == {"a": "failed", "b": {"rows": 3}}
    assert seen == [NOW]
