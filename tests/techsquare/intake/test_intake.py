"""What is taken in, and what never is, on both databases."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from contract.codec import decode, encode
from contract.day import SignedDay
from contract.errors import WireError
from contract.event import Event
from contract.manifest import Manifest
from contract.report import Levels, Report
from contract.signing import head_hash, seal
from contract.verbs import Baseline, SignedBaseline
from techsquare.diagnosis.days import STATES, UNKNOWN
from techsquare.intake.intake import Intake
from techsquare.intake.questions import confirm_key, refuse_key
from techsquare.intake.rows import machine_days
from techsquare.intake.terms import Incoming
from techsquare.registry import tables as t
from techsquare.services.days import DAY_NS
from tests.golden import EXAMPLES
from tests.techsquare.intake.made import NOW, START, Made, register
from tests.techsquare.registry.test_store import ME

if TYPE_CHECKING:
    from techsquare.registry.store import Registry


@pytest.fixture
def intake(registry: Registry) -> Intake:
    register(registry, "hanil", "daehan")
    return Intake(registry, lambda: NOW)


def fates(intake: Intake, *messages: Incoming) -> list[str]:
    return [outcome.fate for outcome in intake.take(messages)]


def count(intake: Intake, model: type[Any]) -> int:
    with intake.registry.reading() as session:
        return int(session.execute(select(func.count()).select_from(model)).scalar_one())


def agent(intake: Intake, made: Made) -> t.Agent:
    with intake.registry.reading() as session:
        return session.get_one(t.Agent, (made.factory, made.agent))


def questions(intake: Intake, state: str = "open") -> list[str]:
    with intake.registry.reading() as session:
        return sorted(session.scalars(select(t.Task.kind).where(t.Task.state == state)))


def test_days_come_in_any_order_and_twice_and_are_there_once(intake: Intake) -> None:
    made = Made("hanil")
    days = made.sign(30)
    assert fates(intake, made.manifest()) == ["stored"]
    rng = random.Random(1)
    shuffled = [*rng.sample(days, 30), *rng.sample(days, 10)]
    told: list[str] = []
    for at in range(0, len(shuffled), 7):
        told += fates(intake, *shuffled[at : at + 7])
    assert (told.count("stored"), told.count("same")) in {(30, 10), (40, 0)} or told.count("stored") >= 30
    assert set(told) <= {"stored", "same"}
    with intake.registry.reading() as session:
        kept = session.execute(select(t.DayRecord.record, t.DayRecord.signature).order_by(t.DayRecord.day)).all()
        rows = session.execute(select(*t.MetricDay.__table__.columns)).all()
    assert [tuple(row) for row in kept] == [(s.record, s.signature) for s in made.days]
    wanted = [
        tuple(row)
        for signed, head in zip(made.days, made.heads, strict=True)
        for row in machine_days(decode(signed.record.encode(), type(made.day(START, 1, None))), head.hash)
    ]
    assert sorted(map(tuple, rows), key=repr) == sorted(wanted, key=repr)
    row = agent(intake, made)
    assert (row.chain_number, row.chain_head, str(row.chain_date)) == (30, made.heads[-1].hash, made.heads[-1].date)
    assert questions(intake) == ["key_first"]


def test_the_tip_waits_at_a_gap_and_goes_on_when_it_is_filled(intake: Intake) -> None:
    made = Made("hanil")
    days = made.sign(9)
    behind: set[tuple[str, str]] = set()
    intake = Intake(intake.registry, lambda: NOW, behind.update)
    fates(intake, made.manifest(), *days[:3], *days[5:])
    assert agent(intake, made).chain_number == 3
    assert behind == {("hanil", "edge-1")}
    fates(intake, days[3])
    assert agent(intake, made).chain_number == 4
    behind.clear()
    fates(intake, days[4])
    assert agent(intake, made).chain_number == 9
    assert not behind


def test_nothing_that_is_not_signed_so_gets_in(intake: Intake) -> None:
    made, other = Made("hanil"), Made("daehan")
    first, second, third = made.sign(3)
    foreign = other.sign(1)[0]
    fates(intake, made.manifest(), other.manifest(), first)
    signed = decode(second.payload, SignedDay)
    wrong = [
        Incoming(second.topic, encode(replace(signed, record=signed.record.replace("APT", "APU")))),
        Incoming(second.topic, encode(replace(signed, signature=made.days[0].signature))),
        Incoming(third.topic, second.payload),
        Incoming(second.topic.replace("hanil", "daehan"), second.payload),
        Incoming(second.topic, foreign.payload),
        Incoming(second.topic, b"{"),
        Incoming(second.topic, b"\xff\xfe"),
        Incoming("tsq/1/hanil/edge-1/data", b"x"),
        Incoming("something/else", b"x"),
    ]
    assert fates(intake, *wrong) == ["wrong"] * len(wrong)
    assert count(intake, t.DayRecord) == 1
    assert fates(intake, *wrong, second) == ["wrong"] * len(wrong) + ["stored"]


def test_a_record_of_another_chain_is_a_question(intake: Intake) -> None:
    made, twin = Made("hanil"), Made("hanil")
    made.sign(5)
    twin.sign(2)
    forked = twin.day(date.fromisoformat(twin.heads[-1].date) + timedelta(1), 3, twin.heads[-1].hash)
    branch = [twin.add(replace(forked, evidence="ff" * 8)), *twin.sign(2)]
    days = [Incoming(made.topics.day(h.date), encode(s)) for h, s in zip(made.heads, made.days, strict=True)]
    fates(intake, made.manifest(), *days[:3], days[4])
    assert fates(intake, branch[0]) == ["other"]  # another record 3
    assert fates(intake, branch[1]) == ["forked"]  # its record 4 does not continue ours
    assert fates(intake, days[3]) == ["stored"]
    assert agent(intake, made).chain_number == 5
    assert questions(intake) == ["chain_forked", "key_first", "record_differs"]
    fates(intake, branch[0], branch[0])
    assert questions(intake) == ["chain_forked", "key_first", "record_differs"]  # asked once
    assert count(intake, t.DayRecord) == 5


def test_two_records_that_contradict_each_other_in_one_batch(intake: Intake) -> None:
    made, twin = Made("hanil"), Made("hanil")
    made.sign(2)
    twin.sign(1)
    twin.add(replace(twin.day(START + timedelta(1), 2, twin.heads[-1].hash), evidence="ff" * 8))
    pair = [Incoming(made.topics.day(m.heads[1].date), encode(m.days[1])) for m in (made, twin)]
    fates(intake, made.manifest(), Incoming(made.topics.day(made.heads[0].date), encode(made.days[0])))
    assert sorted(fates(intake, *pair)) == ["other", "stored"]
    assert count(intake, t.DayRecord) == 2


def test_a_factory_that_nobody_has_registered_leaves_no_trace(intake: Intake) -> None:
    made = Made("nobody")
    days = made.sign(2)
    assert fates(intake, made.manifest(), *days) == ["unknown"] * 3
    assert (count(intake, t.Agent), count(intake, t.DayRecord), count(intake, t.Party)) == (0, 0, 2)
    register(intake.registry, "nobody")
    assert fates(intake, made.manifest(), *days) == ["stored"] * 3


def test_another_key_waits_for_the_owner(intake: Intake) -> None:
    made, thief = Made("hanil"), Made("hanil", seed="other")
    days = made.sign(2)
    fates(intake, made.manifest(), *days)
    thief.heads, thief.made_at = list(made.heads), made.made_at
    forged = thief.sign(1)[0]
    thief.scopes, thief.serial = (), 9
    assert fates(intake, thief.manifest(), forged, *made.sign(1)) == ["unpinned", "wrong", "stored"]
    row = agent(intake, made)
    assert (row.public_key, row.next_key) == (made.public, thief.public)
    assert questions(intake) == ["key_changed", "key_first"]
    assert count(intake, t.Consent) == 1  # nothing else of the stranger's manifest counts
    registry = intake.registry
    with pytest.raises(LookupError):
        registry.decide(lambda s: confirm_key(s, "hanil", "edge-1", "another", NOW), ME)
    registry.decide(lambda s: refuse_key(s, "hanil", "edge-1", thief.public, NOW), ME)
    assert (questions(intake), fates(intake, forged)) == (["key_first"], ["wrong"])
    fates(intake, thief.manifest())
    registry.decide(lambda s: confirm_key(s, "hanil", "edge-1", thief.public, NOW), ME)
    thief.scopes, thief.serial = made.scopes, 10
    fresh = thief.add(thief.day(START + timedelta(30), 4, made.heads[-1].hash))
    assert fates(intake, thief.manifest(), fresh) == ["stored"] * 2
    row = agent(intake, made)
    assert (row.public_key, row.chain_number) == (thief.public, 4)  # it goes on behind the old key's chain


def test_who_signs_changes_when_the_one_before_says_so_or_the_owner(intake: Intake) -> None:
    one, two = Made("hanil"), Made("hanil", "edge-2")
    days = one.sign(3)
    two.reporter = "edge-1"
    assert fates(intake, one.manifest(), two.manifest(), *days) == ["stored"] * 5
    two.reporter = "edge-2"
    further = two.add(two.day(START + timedelta(3), 4, one.heads[-1].hash))
    assert fates(intake, two.manifest()) == ["unpinned"]
    assert questions(intake) == ["key_first", "reporter_changed"]
    one.reporter = "edge-2"
    assert fates(intake, one.manifest(), two.manifest(), further) == ["stored"] * 3
    assert (agent(intake, one).reporter, agent(intake, two).reporter) == (False, True)
    assert agent(intake, two).chain_number == 4  # behind the other agent's chain


@pytest.mark.parametrize(
    "scopes", [(), ("levels",), ("days",), ("machines", "indicators"), ("levels", "indicators")]
)
def test_no_record_is_kept_that_the_owner_has_not_agreed_to(intake: Intake, scopes: tuple[str, ...]) -> None:
    made = Made("hanil", scopes=scopes)
    days = made.sign(2)
    assert fates(intake, made.manifest(), *days) == ["stored", "no_consent", "no_consent"]
    assert (count(intake, t.DayRecord), count(intake, t.MetricDay)) == (0, 0)
    assert count(intake, t.Machine) == (3 if {"levels", "machines"} & set(scopes) else 0)
    made.scopes, made.serial, made.since = (*scopes, "days", "machines"), 2, 2
    assert fates(intake, made.manifest(), *days) == ["stored"] * 3
    made.scopes, made.serial, made.since = ("levels",), 3, 3
    assert fates(intake, made.manifest(), *made.sign(1)) == ["stored", "no_consent"]
    assert "consent_withdrawn" in questions(intake)
    assert count(intake, t.Consent) == 3


def test_consent_ends_with_its_last_date(intake: Intake) -> None:
    made = Made("hanil", until="2026-11-25")
    days = made.sign(2)
    assert fates(intake, made.manifest(), days[0]) == ["stored"] * 2
    later = Intake(intake.registry, lambda: NOW + 2 * DAY_NS)
    assert fates(later, days[1]) == ["no_consent"]


def report(made: Made, **more: Any) -> Incoming:
    found = EXAMPLES["readiness"]
    assert isinstance(found, Report)
    found = replace(found, factory=made.factory, agent=made.agent, **more)
    return Incoming(made.topics.readiness, encode(found))


def test_reports_are_a_history(intake: Intake) -> None:
    made = Made("hanil")
    first, second = report(made, made_at="5"), report(made, made_at="6", level=Levels(2, 2))
    assert fates(intake, made.manifest(), first, first, second) == ["stored", "stored", "same", "stored"]
    with intake.registry.reading() as session:
        kept = session.execute(
            select(t.Report.made_at, t.Report.body, t.Report.level).order_by(t.Report.made_at)
        ).all()
    assert [row[:2] for row in kept] == [(5, first.payload.decode()), (6, second.payload.decode())]
    assert kept[1][2] == "2"
    assert fates(intake, Incoming(first.topic, b"")) == ["empty"]
    assert count(intake, t.Report) == 2


@pytest.mark.parametrize("scopes", [(), ("levels",), ("indicators",), ("days", "machines")])
def test_no_report_is_kept_that_says_more_than_was_agreed(intake: Intake, scopes: tuple[str, ...]) -> None:
    made = Made("hanil", scopes=scopes)
    assert fates(intake, made.manifest(), report(made)) == ["stored", "no_consent"]
    assert count(intake, t.Report) == 0


def test_events_are_kept_once_and_by_consent(intake: Intake) -> None:
    made = Made("hanil", scopes=("indicators",))

    def event(kind: str, subject: str = "mes") -> Incoming:
        body = Event("hanil", "edge-1", kind, subject, "2026-11-20", "7")  # type: ignore[arg-type]
        return Incoming(made.topics.event(kind), encode(body))

    unused, stale = event("unused"), event("stale", "m1")
    assert fates(intake, made.manifest(), unused, unused, stale) == ["stored", "stored", "same", "no_consent"]
    assert fates(intake, event("brand_new")) == ["no_consent"]
    assert fates(intake, Incoming(made.topics.event("decay"), unused.payload)) == ["wrong"]
    assert count(intake, t.AgentEvent) == 1


def test_a_frozen_baseline_is_kept_only_with_its_signature(intake: Intake) -> None:
    made = Made("hanil")
    text = encode(Baseline("hanil", "edge-1", "p", "9", ["A01"], ["m1"], [], [])).decode()
    topic = made.topics.event("baseline_frozen")
    right = SignedBaseline(text, decode(made.manifest().payload, Manifest).key, seal(topic, text, made.key))
    wrong = replace(right, baseline=text.replace('"p"', '"q"'))
    assert fates(intake, made.manifest(), Incoming(topic, encode(wrong)), Incoming(topic, encode(right))) == [
        "stored", "wrong", "stored",
    ]  # fmt: skip


def test_manifests_that_do_not_hold_together(intake: Intake) -> None:
    made = Made("hanil")
    made.sign(2)
    good = decode(made.manifest().payload, Manifest)
    assert good.chain is not None
    wrong = [
        replace(good, factory="daehan"),
        replace(good, key="0" * 16),
        replace(good, chain=replace(good.chain, number=99)),
        replace(good, made_at=str(NOW + 9 * DAY_NS)),
        replace(good, made_at="9" * 25),
        replace(good, reporter="A B"),
        replace(good, machines=[replace(good.machines[0], name="\0")]),
        replace(good, consent=replace(good.consent, scopes=["days"])),
    ]
    assert fates(intake, *(Incoming(made.topics.manifest, encode(one)) for one in wrong)) == ["wrong"] * len(wrong)
    assert count(intake, t.Agent) == 0


def test_an_older_manifest_takes_nothing_back(intake: Intake) -> None:
    made = Made("hanil")
    old = made.manifest()
    made.sign(2)
    new = made.manifest()
    assert fates(intake, new, old, new) == ["stored", "older", "stored"]
    assert agent(intake, made).manifest == new.payload.decode()


def test_a_message_that_no_database_takes_keeps_nobody_else_out(intake: Intake) -> None:
    made, other = Made("hanil"), Made("daehan")
    other.sign(1)
    day, elements = made.day(START, 1, None), {*STATES, UNKNOWN}
    negative = made.add(
        replace(day, metrics=[replace(m, den=[-5.0] * 3) if m.metric in elements else m for m in day.metrics])
    )
    good = Incoming(other.topics.day(other.heads[0].date), encode(other.days[0]))
    assert fates(intake, made.manifest(), other.manifest(), good, negative) == [
        "stored",
        "stored",
        "stored",
        "unfit",
    ]
    assert count(intake, t.DayRecord) == 1


def test_what_is_handed_in_goes_the_same_way(intake: Intake) -> None:
    made = Made("hanil")
    made.sign(5)
    days = encode({"days": made.days})
    assert {outcome.fate for _, outcome in intake.hand(days)} == {"unknown"}
    assert [outcome.fate for _, outcome in intake.hand(made.manifest().payload, "hanil")] == ["stored"]
    assert {outcome.fate for _, outcome in intake.hand(days, "hanil")} == {"stored"}
    assert [outcome.fate for _, outcome in intake.hand(encode(made.days[0]))] == ["same"]
    with pytest.raises(WireError, match="factory"):
        intake.hand(days, "daehan")
    with pytest.raises(WireError):
        intake.hand(b"{}")
    assessed = Made("daehan", "assess")
    assert [outcome.fate for _, outcome in intake.hand(report(assessed).payload)] == ["stored"]
    assert head_hash(made.topics.day(made.heads[0].date), made.days[0].record) == made.heads[0].hash
