"""Fit tests from the owner's question to the words that everybody reads: a real broker, the agent's own answers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from agent.platform.limits import RATES
from contract.codec import encode
from contract.consent import Given
from contract.report import Refusal
from settings.broker import Broker
from techsquare.catalogue.load import load
from techsquare.fit.book import A_MONTH
from techsquare.intake.fits import AGAIN_NS, DAY_NS, Fits
from techsquare.intake.worker import Worker
from techsquare.pull import PullError
from techsquare.registry import access
from techsquare.registry import tables as t
from techsquare.registry.policy import Reader
from techsquare.registry.policy import read as seen
from techsquare.registry.store import add
from techsquare.services import fit
from techsquare.services.refused import RefusedError
from techsquare.services.rights import Caller
from tests.agent.platform import test_office as office
from tests.agent.test_uplink import BRANCH
from tests.support.brokers import mosquitto
from tests.support.processes import running
from tests.techsquare.intake.made import NOW, register
from tests.techsquare.intake.test_worker import eventually
from tests.techsquare.registry.test_store import ME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from techsquare.registry.store import Registry

DAY = date(2026, 1, 1)
FACTORY = BRANCH.factory
CATALOGUE = load()
FULL = ["fit", "fit_missing", "levels", "indicators", "machines"]
OWNER = Caller(Reader("u-owner", frozenset({("owner", FACTORY)})), NOW)


def peopled(registry: Registry) -> None:
    """Register a factory, its mentor, two suppliers of one group, and who speaks for them."""
    register(registry, FACTORY)

    def work(session: Any) -> None:
        rows: list[Any] = []
        for kind, name in (("mentor", "mina"), ("supplier", "ada"), ("supplier", "bori"), ("operator", "house")):
            group = "g" if kind == "supplier" else None
            rows += [
                t.Party(id=name, kind=kind, name=name, owner_group=group, created_at=1),
                t.User(id=f"u-{name}", email=f"{name}@x.kr", name=name, language="ko", created_at=1),
            ]
            if kind == "supplier":
                rows.append(
                    t.Supplier(id=name, size="small", regions=[], industries=[], state="active", joined_on=DAY)
                )
        rows += [
            t.User(id="u-owner", email="o@x.kr", name="o", language="ko", created_at=1),
            t.Mentor(id="mina", skills=[], regions=[], capacity=3, state="active"),
            t.Assignment(factory_id=FACTORY, mentor_id="mina", since=1),
            t.Measure(
                id="andon", family="andon", title_ko="안돈", title_en="andon", cost_low=0, cost_high=1, body={},
                source="x",
            ),
        ]  # fmt: skip
        add(session, *rows)
        for user, party, role in (
            ("u-owner", FACTORY, "owner"), ("u-mina", "mina", "mentor"), ("u-ada", "ada", "supplier"),
            ("u-bori", "bori", "supplier"), ("u-house", "house", "operator"),
        ):  # fmt: skip
            access.join(session, user, party, role, 1)  # type: ignore[arg-type]

    registry.decide(work, ME)


def version(registry: Registry, supplier: str, number: int, *, family: str = "andon", **need: Any) -> str:
    """Have a supplier register a version with one need."""
    needs = [{"id": "n", "metric": "V01", "min": None, "max": None, **need}]
    solution, key = f"sol-{supplier}-{family}", f"{supplier}-{family}-{number}"

    def work(session: Any) -> None:
        if session.get(t.Solution, solution) is None:
            add(session, t.Solution(id=solution, supplier_id=supplier, family=family, name=solution))
        add(
            session,
            t.SolutionVersion(
                id=key, solution_id=solution, supplier_id=supplier, version=str(number), state="registered",
                processes=[], interfaces=[], regions=[], remote=True, price_low=0, price_high=0, yearly_low=0,
                yearly_high=0, exit_low=0, exit_high=0, needs_consent=[], requires={"needs": needs}, continuity=[],
                registered_at=1, hash=key,
            ),
        )  # fmt: skip

    registry.decide(work, ME)
    return key


def consenting(registry: Registry, *scopes: str, serial: int = 1) -> None:
    """Have the factory's agent known, and its owner agreed to some scopes."""

    def work(session: Any) -> None:
        if session.get(t.Agent, (FACTORY, BRANCH.agent)) is None:
            add(session, t.Agent(factory_id=FACTORY, id=BRANCH.agent, reporter=True, seen_at=NOW))
        given = Given("1", list(scopes), serial)  # type: ignore[arg-type]
        add(
            session,
            t.Consent(
                factory_id=FACTORY, agent_id=BRANCH.agent, source="manifest", since=1, serial=given.serial,
                scopes=list(given.scopes), recorded_at=1,
            ),
        )  # fmt: skip

    registry.decide(work, ME)


def ask(registry: Registry, version_id: str, caller: Caller = OWNER) -> t.FitCheck:
    return registry.decide(lambda s: fit.ask(s, caller, FACTORY, version_id), ME)


def refused(registry: Registry, version_id: str, caller: Caller = OWNER) -> str:
    with pytest.raises(RefusedError) as told:
        ask(registry, version_id, caller)
    return told.value.code


def words(registry: Registry, user: str, role: str, party: str) -> list[dict[str, Any]]:
    with registry.reading() as session:
        return seen(session, t.FitCheck, Reader(user, frozenset({(role, party)})))  # type: ignore[arg-type]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[tuple[Broker, office.Rig]]:
    """Return a broker, and the agent's own office behind it."""
    with running(mosquitto(tmp_path / "broker")) as child:
        assert child.port is not None
        made = office.Rig(tmp_path / "state", child.port)
        yield Broker(host="127.0.0.1", port=child.port), made
        made.stop()


def test_an_owners_question_reaches_his_agent_and_the_words_reach_who_may_read_them(
    registry: Registry, rig: tuple[Broker, office.Rig]
) -> None:
    broker, _ = rig
    peopled(registry)
    consenting(registry, *FULL)
    good, bad, open_ = (
        version(registry, "ada", 1, min=0.01, metric="A01"),
        version(registry, "ada", 2, family="mes-light", min=0.9999, metric="A01"),
        version(registry, "bori", 1, min=0.5, metric="V02", family="vision"),
    )
    for one in (good, bad, open_):
        row = ask(registry, one)
        assert (row.asked, row.result, row.by) == (True, None, "owner")
    assert ask(registry, good).id, "what is asked twice is one question"
    worker = Worker(registry, broker, "w", now=lambda: NOW, register=office.REGISTER)
    worker.start()
    try:
        eventually(lambda: all(row["result"] for row in words(registry, "u-owner", "owner", FACTORY)), 60)
    finally:
        worker.stop()
    found = {row["version_id"]: row for row in words(registry, "u-owner", "owner", FACTORY)}
    assert {key: row["result"] for key, row in found.items()} == {good: "pass", bad: "fail", open_: "unknown"}
    assert found[good]["missing"] is None
    assert [one["need"] for one in found[bad]["missing"]] == ["n"]
    assert found[bad]["missing"][0]["machine"] in {"press-1", "lathe"}
    assert [row["missing"] for row in words(registry, "u-mina", "mentor", "mina")] == [
        found[key]["missing"] for key in sorted(found, key=lambda key: found[key]["id"])
    ]
    for supplier, versions in (("ada", {good: "pass", bad: "fail"}), ("bori", {open_: "unknown"})):
        rows = words(registry, f"u-{supplier}", "supplier", supplier)
        assert {row["version_id"]: row["result"] for row in rows} == versions
        assert all(set(row) == {"id", "version_id", "month", "result"} for row in rows)
    assert words(registry, "u-house", "operator", "house") == []
    told = fit.night(registry, CATALOGUE, NOW)
    assert told["told"] == 6  # owner, mentor and his task, of two
    assert fit.night(registry, CATALOGUE, NOW)["told"] == 0
    with registry.reading() as session:
        users = set(session.scalars(select(t.Notification.user_id).where(t.Notification.kind == "fit")))
    assert users == {"u-owner", "u-mina"}


def test_what_the_owner_does_not_agree_to_is_neither_asked_nor_kept(
    registry: Registry, rig: tuple[Broker, office.Rig]
) -> None:
    broker, _ = rig
    peopled(registry)
    first = version(registry, "ada", 1, min=0.9999, metric="A01")
    assert refused(registry, first) == "fit_consent", "no agent"
    consenting(registry, "levels")
    assert refused(registry, first) == "fit_consent"
    consenting(registry, "fit", serial=2)
    assert ask(registry, first).asked
    others = [
        Caller(Reader("u", frozenset({(role, party)})), NOW)  # type: ignore[arg-type]
        for role, party in (("owner", "elsewhere"), ("supplier", "ada"), ("operator", "house"))
    ]
    assert [refused(registry, first, one) for one in others] == ["not_there"] * 3
    mentor = Caller(Reader("u-mina", frozenset({("mentor", "mina")})), NOW)
    assert refused(registry, first, mentor) == "wrong_role"
    consenting(registry, "levels", serial=3)
    asked: list[str] = []

    def request(*words: Any) -> bytes:
        asked.append(words[2])
        raise PullError("nobody")

    assert not Fits(registry, request, office.REGISTER, lambda: NOW).run(), "taken back before it was put"
    consenting(registry, "fit", serial=4)
    worker = Worker(registry, broker, "w", now=lambda: NOW, register=office.REGISTER)
    worker.start()
    try:
        eventually(lambda: bool(words(registry, "u-owner", "owner", FACTORY)[0]["result"]), 60)
    finally:
        worker.stop()
    (row,) = words(registry, "u-owner", "owner", FACTORY)
    assert (row["result"], row["missing"]) == ("fail", None), "the agent says what, and nobody agreed to it here"
    assert asked == []


class Played:
    """Answers as told, and remembers when it was asked."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, factory: str, agent: str, verb: str, body: Mapping[str, object]) -> bytes:
        assert (factory, agent, verb, body["audience"]) == (FACTORY, BRANCH.agent, "fit.check", "owner")
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_who_does_not_answer_is_asked_again_later_and_who_refuses_for_good_is_not(registry: Registry) -> None:
    peopled(registry)
    consenting(registry, *FULL)
    ask(registry, version(registry, "ada", 1, min=0.5))
    clock = [NOW]
    played = Played(
        PullError("nobody"), encode(Refusal("busy", "later")), encode(Refusal("no_data", "no key")),
        encode(Refusal("no_consent", "no")),
    )  # fmt: skip
    one = Fits(registry, played, office.REGISTER, lambda: clock[0])
    assert one.run()
    assert not one.run(), "not at once"
    for wait in (AGAIN_NS, AGAIN_NS, DAY_NS):
        clock[0] += wait
        assert not one.run()
        clock[0] += 1
        assert one.run()
    clock[0] += 9 * DAY_NS
    assert not one.run(), "it is decided"
    (row,) = words(registry, "u-owner", "owner", FACTORY)
    assert (row["result"], played.asked) == ("unknown", 4)
    assert RATES["fit.check"].every_ns <= AGAIN_NS, "an agent that was asked too often can be asked then"


def test_two_workers_put_a_question_once(registry: Registry) -> None:
    peopled(registry)
    consenting(registry, *FULL)
    ask(registry, version(registry, "ada", 1, min=0.5))
    played = Played(PullError("nobody"))
    one, two = (Fits(registry, played, office.REGISTER, lambda: NOW) for _ in range(2))
    assert [one.run(), two.run()] == [True, False]


def test_the_platform_asks_about_open_items_by_the_rules_of_the_book(registry: Registry) -> None:
    peopled(registry)
    consenting(registry, *FULL)

    def items(session: Any) -> None:
        plan = t.Roadmap(id="r", factory_id=FACTORY, version=1, at=1, value=0.0, bound=0.0, proven=True, body={})
        item = t.RoadmapItem(
            id="i", roadmap_id="r", factory_id=FACTORY, measure_id="andon", phase=0, solid=True, depends=[],
            state="open",
        )  # fmt: skip
        add(session, plan, item)

    registry.decide(items, ME)
    for number in range(1, 5):
        version(registry, "ada", number, min=number / 10)
    version(registry, "ada", 9, family="vision", min=0.5)
    assert fit.night(registry, CATALOGUE, NOW) == {"asked": 1, "known": 2, "told": 0}
    assert fit.night(registry, CATALOGUE, NOW) == {"asked": 0, "known": 0, "told": 0}
    with registry.reading() as session:
        rows = {row.version_id: row for row in session.scalars(select(t.FitCheck))}
    assert set(rows) == {"ada-andon-1", "ada-andon-2", "ada-andon-3"}, "three of a group for ninety days"
    assert sorted((row.asked, row.result) for row in rows.values() if not row.asked) == [(False, "unknown")] * 2
    assert {row.by for row in rows.values()} == {"platform"}
    later = NOW + 91 * DAY_NS
    assert fit.night(registry, CATALOGUE, later) == {"asked": 0, "known": 0, "told": 0}, "once for ever"


def test_twenty_a_month_and_not_the_twenty_first(registry: Registry) -> None:
    peopled(registry)
    consenting(registry, *FULL)
    families = [f"family-{n}" for n in range(A_MONTH + 1)]
    rows = [
        version(registry, "ada" if n % 2 else "bori", n, family=name, min=0.5) for n, name in enumerate(families)
    ]
    assert all(ask(registry, one).asked for one in rows[:A_MONTH])
    with pytest.raises(RefusedError) as told:
        ask(registry, rows[A_MONTH])
    assert (told.value.code, told.value.details) == ("fit_month", {"again": "2026-12-01"})
    december = Caller(OWNER.reader, NOW + 8 * DAY_NS)
    assert ask(registry, rows[A_MONTH], december).asked
