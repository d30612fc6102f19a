"""Several agents with a reporter over a real broker: nothing is freed too early, and nobody's absence is a zero."""

from __future__ import annotations

import functools
import itertools
import json
import random
from datetime import date as calendar_date
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from agent.platform.inbox import MESSAGES, MESSAGES_BYTES
from agent.platform.packing import pack
from agent.platform.past import Past
from agent.requests import RequestError
from contract.codec import DATA_LIMIT, compress, decode, digest, encode
from contract.evidence import EvidenceOk, open_content, open_part, parts
from contract.manifest import Manifest
from contract.signing import verify
from contract.topics import AgentTopics
from readiness.compact import FAR, Compact
from readiness.evidence import dump, load
from readiness.indicators import REGISTRY
from tests.agent.platform.factory import FACTORY, HOUR, Member, config_of, evidence_of
from tests.agent.test_uplink import Client, eventually
from tests.support.brokers import mosquitto
from tests.support.clocks import FakeClock
from tests.support.processes import Child, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contract.evidence import Why


DAYS = 21
MACHINES = {"edge-1": ["press-1"], "edge-2": ["lathe", "oven"], "edge-3": ["saw"]}


@functools.cache
def evidence(agent: str) -> dict[str, bytes]:
    """Return what an agent saw; its configuration says nothing of where it lives."""
    return EVIDENCE_OF[agent]()


EVIDENCE_OF: dict[str, Callable[[], dict[str, bytes]]] = {}


@pytest.fixture(scope="module", autouse=True)
def seen(tmp_path_factory: pytest.TempPathFactory) -> None:
    for agent, machines in MACHINES.items():
        folder = tmp_path_factory.mktemp("seen") / agent
        EVIDENCE_OF[agent] = functools.partial(evidence_of, config_of(folder, 1883, agent, machines), DAYS)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Child]:
    with running(mosquitto(tmp_path / "broker")) as child:
        yield child


@pytest.fixture
def make(tmp_path: Path, broker: Child) -> Iterator[Callable[..., Member]]:
    """Make an agent, or the same one anew on what its box has kept; all are stopped at the end."""
    begun: list[Member] = []
    assert broker.port is not None

    def member(agent: str, *, after_h: float = 1, machines: list[str] | None = None, **readiness: object) -> Member:
        if not readiness:
            others = [one for one in MACHINES if one != "edge-1"]
            readiness = {"agents": others} if agent == "edge-1" else {"reporter": "edge-1"}
        config = config_of(tmp_path / agent, broker.port or 0, agent, machines or MACHINES[agent], **readiness)
        clock = FakeClock(END + round(after_h * HOUR * 1e9))
        one = Member(config, evidence(agent), clock)
        begun.append(one)
        return one

    yield member
    for one in begun:
        if one.under_way:
            one.stop()


@pytest.fixture(scope="module", autouse=True)
def end(seen: None) -> None:
    del seen
    global DATES, END  # noqa: PLW0603 - known when the evidence is
    DATES = sorted(evidence("edge-1"))
    END = load(evidence("edge-1")[DATES[-1]]).end_ns


DATES: list[str] = []
END = 0


def records(of: Member) -> list[tuple[str, list[str]]]:
    """Return date and absent agents of each record; the chain is whole."""
    found = list(of.book.records("", "9"))
    verify([signed for signed, _ in found], of.topics, {of.book.key: of.book.public})
    return [(opened.day.date, [one.agent for one in opened.day.absent]) for _, opened in found]


def delivered(*members: Member) -> None:
    """Let everybody pack, and wait until nothing waits any more."""
    for one in members:
        one.turn()
    eventually(lambda: not any(one.waiting for one in members), 40)


def signed(of: Member, n: int) -> None:
    """Let a reporter sign until it has so many records."""
    for _ in range(n + 2):
        of.turn()
    assert len(of.book.dates()) == n


def test_a_day_is_signed_when_all_is_in_and_says_what_each_machine_did(
    make: Callable[..., Member],
) -> None:
    one, two, three = make("edge-1"), make("edge-2"), make("edge-3")
    one.close(DATES)
    one.start()
    one.turn()
    assert records(one) == []  # an hour after its end
    for other in (two, three):
        other.close(DATES)
        other.start()
    delivered(two, three)
    signed(one, DAYS)
    assert records(one) == [(date, []) for date in DATES]
    report = one.reporter.assessment().plant()
    assert [machine.id for machine in report.machines] == ["press-1", "lathe", "oven", "saw"]
    assert report.absent == []
    alone = {other: other.reporter.assessment() for other in (two, three)}
    together = one.reporter.assessment()
    compared = 0
    for other, assessment in alone.items():
        for machine in MACHINES[other.config.agent]:
            for metric in REGISTRY:
                found, own = together.value(metric, machine), assessment.value(metric, machine)
                if REGISTRY[metric].scope == "machine":
                    assert (metric, found.value, found.reason) == (metric, own.value, own.reason)
                    compared += found.value is not None
    assert compared >= 3 * 8
    last = one.book.signed(DATES[-1])
    assert last is not None
    assert [machine["id"] for machine in json.loads(last.record)["machines"]] == ["press-1", "lathe", "oven", "saw"]


def test_who_has_not_come_after_a_day_is_named_and_lowers_no_value(
    make: Callable[..., Member],
) -> None:
    one, two, three = make("edge-1", after_h=1), make("edge-2"), make("edge-3")
    one.close(DATES)
    two.close(DATES)
    three.close(DATES[:-2])
    for each in (one, two, three):
        each.start()
    delivered(two, three)
    one.clock.advance(2 * HOUR)  # the day before ended 26 hours ago, the last one 3 hours ago
    signed(one, DAYS - 1)
    assert records(one)[-2:] == [(DATES[-3], []), (DATES[-2], ["edge-3"])]
    one.clock.advance(21 * HOUR)
    signed(one, DAYS)
    assert records(one)[-1] == (DATES[-1], ["edge-3"])
    whole = one.reporter.assessment()
    report = whole.plant()
    assert [(away.agent, away.days) for away in report.absent] == [("edge-3", 2)]
    for machine in ("press-1", "saw"):
        value = whole.value("A01", machine)
        assert value.value == 1.0
        assert value.coverage == pytest.approx(15 / 20)  # the two days are a weekend
    last = json.loads(one.book.signed(DATES[-1]).record)  # type: ignore[union-attr]
    assert last["machines"][-1] == {"id": "saw", "weight": 1.0, "counted": "0"}


def test_a_working_day_without_an_agent_is_missing_in_coverage(make: Callable[..., Member]) -> None:
    one, two = make("edge-1", agents=["edge-2"]), make("edge-2")
    one.close(DATES)
    two.close(DATES[:4] + DATES[5:])  # not the first Friday
    for each in (one, two):
        each.start()
    delivered(two)
    one.clock.advance(24 * HOUR)
    signed(one, DAYS)
    assert [date for date, absent in records(one) if absent == ["edge-2"]] == [DATES[4]]
    whole = one.reporter.assessment()
    value = whole.plant().values[[v.metric for v in whole.plant().values].index("A01")]
    assert value.coverage == pytest.approx((15 + 14 + 14) / 3 / 20, abs=1e-6)
    assert [whole.value("A01", machine).value for machine in ("press-1", "lathe", "oven")] == [1.0, 1.0, 1.0]


def test_a_reporter_that_was_away_calls_nobody_absent_before_all_could_be_heard(
    make: Callable[..., Member],
) -> None:
    one, two = make("edge-1", after_h=24 * 20, agents=["edge-2"]), make("edge-2")
    one.close(DATES)
    two.close(DATES)
    one.start()
    one.turn()
    assert records(one) == []
    two.start()  # has waited for three weeks
    delivered(two)
    signed(one, DAYS)
    assert {tuple(absent) for _, absent in records(one)} == {()}


def test_what_comes_too_late_is_kept_and_named_and_changes_no_record(make: Callable[..., Member]) -> None:
    one, two = make("edge-1", agents=["edge-2"]), make("edge-2")
    one.close(DATES[:-1])
    two.close(DATES[:3])
    for each in (one, two):
        each.start()
    delivered(two)
    one.clock.advance(24 * HOUR)
    signed(one, DAYS - 1)
    before = [one.book.signed(date) for date in one.book.dates()]
    two.close(DATES[3:6])
    delivered(two)
    assert one.taken("edge-2") == DATES[:6]
    one.close(DATES[-1:])
    one.clock.advance(24 * HOUR)
    signed(one, DAYS)
    assert [one.book.signed(date) for date in one.book.dates()][:-1] == before
    last = json.loads(one.book.signed(DATES[-1]).record)  # type: ignore[union-attr]
    assert [(late["agent"], late["date"]) for late in last["late"]] == [("edge-2", date) for date in DATES[3:6]]
    assert one.team.inbox is not None
    assert one.team.inbox.late == ()
    one.stop()
    again = make("edge-1", agents=["edge-2"])
    assert again.team.inbox is not None
    assert (again.team.inbox.late, again.taken("edge-2")) == ((), DATES[:6])


def content_of(member: Member, date: str) -> bytes:
    return pack(member.config, (), date, member.evidence[date], {})


def answers(client: Client, date: str) -> list[str | None]:
    """Return what was answered of a date, in order."""
    found = [decode(bytes(m.payload), EvidenceOk) for m in client.got]
    return [ok.refused for ok in found if ok.date == date]


def test_parts_come_in_any_order_and_more_than_once(make: Callable[..., Member], broker: Child) -> None:
    one, two = make("edge-1", agents=["edge-2"]), make("edge-2")
    one.close(DATES)
    one.start()
    assert broker.port is not None
    topics = AgentTopics(FACTORY, "edge-2")
    client = Client(broker.port, topics.evidence_ok)
    rng = random.Random(7)
    pieces = [parts(date, content_of(two, date), largest=900) for date in DATES[:3]]
    assert min(map(len, pieces)) > 3
    for date, of_day in zip(DATES, pieces, strict=False):
        for message in of_day[:-1]:
            client.client.publish(topics.evidence, message, 1).wait_for_publish(5)
        assert answers(client, date) == []
    every = [message for of_day in pieces for message in of_day] * 2
    rng.shuffle(every)
    for message in every:
        client.client.publish(topics.evidence, message, 1).wait_for_publish(5)
    eventually(lambda: all(answers(client, date) for date in DATES[:3]))
    client.client.publish(topics.evidence, pieces[0][0], 1).wait_for_publish(5)
    count = len(client.got)
    eventually(lambda: len(client.got) > count - 1)
    assert {why for date in DATES[:3] for why in answers(client, date)} == {None}
    assert one.taken("edge-2") == DATES[:3]
    client.close()


def answered(client: Client, date: str, why: str) -> bool:
    return answers(client, date)[-1:] == [why]


def other(content: bytes, **more: object) -> bytes:
    """Return a day's content with other fields."""
    return encode(replace(open_content(content), **more))


def evidence_with(content: bytes, **more: object) -> bytes:
    """Return a day's content with other evidence."""
    day = load(bytes(open_content(content).evidence))
    return other(content, evidence=msgspec.Raw(dump(replace(day, **more))))


def test_what_cannot_be_right_is_refused_with_a_word(make: Callable[..., Member], broker: Child) -> None:
    one, two = make("edge-1", agents=["edge-2"]), make("edge-2")
    one.close(DATES)
    one.start()
    assert broker.port is not None
    client = Client(broker.port, f"tsq/1/{FACTORY}/+/evidence_ok")
    good = content_of(two, DATES[0])
    start, stop = load(two.evidence[DATES[0]]).start_ns, load(two.evidence[DATES[0]]).end_ns
    day, hour = stop - start, 3_600 * 10**9
    future = {
        "day": "2027-03-01",
        "start": str(start + 98 * day),
        "end": str(stop + 98 * day),
    }
    cases = [
        ("edge-9", DATES[0], other(good, agent="edge-9"), "unknown_agent"),
        ("edge-2", DATES[1], other(content_of(two, DATES[1]), agent="edge-1"), "branch"),
        ("edge-2", DATES[2], other(content_of(two, DATES[2]), factory="daehan"), "branch"),
        ("edge-2", DATES[3], evidence_with(content_of(two, DATES[3]), version=3), "version"),
        ("edge-2", DATES[4], other(content_of(two, DATES[4]), evidence=msgspec.Raw(b'{"version":2}')), "content"),
        ("edge-2", DATES[5], content_of(two, DATES[6]), "content"),
        ("edge-2", DATES[7], b"[1, 2]", "content"),
        ("edge-2", "2027-03-01", other(evidence_with(good, **future), date="2027-03-01"), "date"),
        (
            "edge-2",
            DATES[8],
            evidence_with(content_of(two, DATES[8]), start=str(start + 8 * day - hour)),
            "calendar",
        ),
        ("edge-2", DATES[9], evidence_with(content_of(two, DATES[9]), start=str(stop + 30 * day)), "content"),
        ("edge-2", DATES[10], evidence_with(content_of(two, DATES[10]), end="this evening"), "content"),
    ]
    for agent, date, content, why in cases:
        for message in parts(date, content):
            client.client.publish(AgentTopics(FACTORY, agent).evidence, message, 1).wait_for_publish(5)
        eventually(functools.partial(answered, client, date, why))
    assert one.taken("edge-2") == []
    wrong = [replace(open_part(message), hash="0" * 32) for message in parts(DATES[11], content_of(two, DATES[11]))]
    for part in wrong:
        client.client.publish(AgentTopics(FACTORY, "edge-2").evidence, compress(encode(part)), 1).wait_for_publish(
            5
        )
    client.client.publish(AgentTopics(FACTORY, "edge-2").evidence, b"nonsense", 1).wait_for_publish(5)
    eventually(lambda: answers(client, DATES[11]) == ["content"])
    about = {entry["agent"]: entry for entry in one.office.about()["agents"]}  # type: ignore[attr-defined]
    assert about["edge-9"]["awaited"] is False
    assert about["edge-2"]["refused"][DATES[8]] == "calendar"
    for message in parts(DATES[0], good):
        client.client.publish(AgentTopics(FACTORY, "edge-2").evidence, message, 1).wait_for_publish(5)
    eventually(lambda: one.taken("edge-2") == [DATES[0]])
    for message in parts(DATES[0], other(good, config="f" * 32)):
        client.client.publish(AgentTopics(FACTORY, "edge-2").evidence, message, 1).wait_for_publish(5)
    eventually(lambda: answers(client, DATES[0])[-1:] == ["other"])
    assert one.team.inbox is not None
    assert one.team.inbox.shelves["edge-2"].read(DATES[0]) == good
    client.close()


def test_a_flood_takes_no_more_memory_than_it_may(make: Callable[..., Member]) -> None:
    one = make("edge-1", agents=["edge-2"])
    inbox = one.team.inbox
    assert inbox is not None
    topic = AgentTopics(FACTORY, "edge-2").evidence
    large = bytes(DATA_LIMIT)
    for _ in range(500):
        inbox._heard(topic, large, False)
    assert inbox._messages.qsize() == MESSAGES_BYTES // DATA_LIMIT
    for _ in range(500):
        inbox._heard(topic, b"small", False)
    assert inbox._messages.qsize() == MESSAGES
    inbox.start()
    eventually(inbox._messages.empty)
    inbox._heard(topic, large, False)
    inbox.stop()
    assert inbox._waiting <= DATA_LIMIT
    assert not inbox._thread.is_alive()


def test_only_the_right_hash_frees_and_what_waits_survives_everything(
    make: Callable[..., Member], broker: Child
) -> None:
    two = make("edge-2")
    two.close(DATES)
    two.start()
    two.turn()
    assert broker.port is not None
    topics = AgentTopics(FACTORY, "edge-2")
    client = Client(broker.port, topics.evidence)
    waiting = {day.date: day.hash for day in two.team.outbox._shelf.days()}  # type: ignore[union-attr]
    assert sorted(waiting) == DATES
    for ok in (
        EvidenceOk(DATES[0], "f" * 32), EvidenceOk("2020-01-01", waiting[DATES[0]]),
        EvidenceOk(DATES[1], waiting[DATES[1]], "version"), EvidenceOk(DATES[2], waiting[DATES[3]]),
    ):  # fmt: skip
        client.client.publish(topics.evidence_ok, encode(ok), 1).wait_for_publish(5)
    client.client.publish(topics.evidence_ok, b"nonsense", 1).wait_for_publish(5)
    eventually(lambda: bool(two.team.outbox.about()["refused"]))  # type: ignore[union-attr]
    assert two.waiting == DAYS
    two.stop()
    # the files as they lie there are the same to the byte after a restart, whatever the configuration says by then
    before = {path.name: path.read_bytes() for path in (two.folder / "outbox").glob("*.zst")}
    again = make("edge-2", machines=["lathe"], reporter="edge-1")
    again.turn()
    assert {path.name: path.read_bytes() for path in (again.folder / "outbox").glob("*.zst")} == before
    again.start()
    client.got.clear()
    eventually(lambda: len({open_part(bytes(m.payload)).date for m in client.got}) >= 2)
    sent = open_part(bytes(client.got[0].payload))
    assert sent.hash == waiting[sent.date]
    client.client.publish(topics.evidence_ok, encode(EvidenceOk(DATES[0], waiting[DATES[0]])), 1).wait_for_publish(
        5
    )
    eventually(lambda: again.waiting == DAYS - 1)
    again.turn()
    assert again.waiting == DAYS - 1  # it is not packed anew
    client.close()


def test_of_days_that_are_refused_one_is_tried_until_it_is_taken(
    make: Callable[..., Member], broker: Child
) -> None:
    two = make("edge-2")
    outbox = two.team.outbox
    assert outbox is not None
    assert broker.port is not None
    two.close(DATES)
    two.turn()
    client = Client(broker.port, two.topics.evidence)
    two.uplink.start()
    eventually(lambda: two.uplink.up and outbox._connected.is_set())
    waiting = {day.date: day.hash for day in outbox._shelf.days()}
    sent: list[str] = []
    two.clock.advance(1)

    def send(why: Why | None) -> list[str]:
        """Let go what is due, have the reporter answer, and return which days went."""
        client.got.clear()
        before = {date: one.sent_ns for date, one in outbox._sent.items()}
        outbox.send()
        went = [date for date, one in outbox._sent.items() if one.sent_ns != before.get(date, 0)]
        eventually(lambda: {open_part(bytes(m.payload)).date for m in client.got} == set(went))
        for date in went:
            outbox._answered(encode(EvidenceOk(date, waiting[date], why)))
        sent.extend(went)
        return went

    while send("version"):
        two.clock.advance(1)
    assert sorted(sent) == DATES  # each once
    two.clock.advance(1801)
    first = send("version")
    assert len(first) == 1
    assert send("version") == []
    two.clock.advance(1801)
    second = send(None)  # the reporter was updated
    assert len(second) == 1
    assert second != first
    while send(None):
        two.clock.advance(1)
    assert two.waiting == 0
    assert set(outbox.about()["refused"]) == set()  # type: ignore[call-overload]
    two.uplink.stop()
    client.close()


def test_days_that_another_release_has_packed_are_named_absent_and_hold_up_no_record(
    make: Callable[..., Member], caplog: pytest.LogCaptureFixture
) -> None:
    one, two = make("edge-1", agents=["edge-2"]), make("edge-2")
    old, inbox = DATES[:6], one.team.inbox
    assert inbox is not None
    for date in DATES:
        content = content_of(two, date)
        inbox.shelves["edge-2"].keep(date, evidence_with(content, version=1) if date in old else content)
    one.close(DATES[5:])
    one.clock.advance(25 * HOUR)
    one.start()
    one.clock.advance(2 * HOUR)
    signed(one, DAYS - 5)
    assert records(one) == [(DATES[5], ["edge-2"]), *((date, []) for date in DATES[6:])]
    assert one.past.dates() == DATES[5:]
    report = one.reporter.assessment().plant()
    assert [(away.agent, away.days) for away in report.absent] == [("edge-2", 1)]
    assert len([each for each in caplog.messages if "another release" in each]) == 1


def test_a_day_far_back_is_read_without_its_statistics_and_is_the_same_day(make: Callable[..., Member]) -> None:
    one, two = make("edge-1", agents=["edge-2"]), make("edge-2")
    assert one.team.inbox is not None
    one.team.inbox.shelves["edge-2"].keep(DATES[0], content_of(two, DATES[0]))
    one.close(DATES[:1])
    whole, far = one.past.day(DATES[0]), Past(one.spool, "edge-1", one.team.inbox)
    far._latest = calendar_date.fromisoformat(DATES[0]) + timedelta(days=300)
    found = far.day(DATES[0], FAR)
    assert whole is not None
    assert found is not None
    assert found.checksum == whole.checksum
    less = Compact().day(whole.day, FAR)
    assert dump(replace(found.day, sources=[])) == dump(replace(less, sources=[]))
    for one_part, other_part in zip(found.day.sources, less.sources, strict=True):
        for field in one_part.__struct_fields__:
            first, second = getattr(one_part, field), getattr(other_part, field)
            assert (dict(first) if hasattr(first, "keys") else first) == (
                dict(second) if hasattr(second, "keys") else second
            ), field
    assert {part.device for part in found.day.sources} == {"plc", "edge-2:plc", "edge-2:plc-oven"}
    far.leave_out(frozenset({"oven"}))
    without = far.day(DATES[0], FAR)
    assert without is not None
    assert without.checksum != whole.checksum


def test_nothing_is_lost_while_a_broker_comes_and_goes(make: Callable[..., Member], broker: Child) -> None:
    one, two = make("edge-1", agents=["edge-2"]), make("edge-2")
    one.close(DATES)
    two.close(DATES)
    for each in (one, two):
        each.start()
    two.turn()
    for _ in range(2):
        broker.kill()
        eventually(lambda: not one.uplink.up and not two.uplink.up)
        broker.start()
        eventually(lambda: one.uplink.up and two.uplink.up, 30)

    def through() -> bool:
        two.clock.advance(
            2
        )  # what was sent while nobody listened again yet is sent anew after a pause of its clock
        return two.waiting == 0

    eventually(through, 60)
    assert one.taken("edge-2") == DATES
    signed(one, DAYS)


def test_a_machine_of_two_agents_is_nobodys(make: Callable[..., Member]) -> None:
    one, two = make("edge-1", agents=["edge-2"]), make("edge-2", machines=["lathe", "press-1"], reporter="edge-1")
    one.close(DATES)
    two.close(DATES)
    for each in (one, two):
        each.start()
    delivered(two)
    eventually(lambda: one.reporter.contested == {"press-1": ["edge-1", "edge-2"]})
    whole = one.reporter.assessment()
    assert (whole.value("A01", "press-1").value, whole.value("A01", "press-1").reason) == (None, "NA_NO_EVIDENCE")
    assert whole.value("A01", "lathe").value == 1.0
    assert one.office.about()["contested"] == {"press-1": ["edge-1", "edge-2"]}


def test_an_agent_that_does_not_report_says_who_does(make: Callable[..., Member], broker: Child) -> None:
    two = make("edge-2")
    two.close(DATES)
    assert broker.port is not None
    topics = AgentTopics(FACTORY, "edge-2")
    client = Client(broker.port, topics.manifest)
    two.start()
    for _ in range(3):
        two.turn()
    assert two.book.dates() == []
    eventually(lambda: any(m.topic == topics.manifest for m in client.got))
    found = decode(bytes(client.got[-1].payload), Manifest)
    assert (found.agent, found.reporter, found.chain) == ("edge-2", "edge-1", None)
    assert two.office._retained(two.reporter.assessment()) == b""
    for verb, handler in two.office._verbs.items():
        if verb == "consent.get":
            assert b"scopes" in handler(b"")
            continue
        with pytest.raises(RequestError, match="edge-1 reports for this factory"):
            handler(b"{}")
    client.close()


def test_a_factory_has_one_chain_until_a_person_takes_it_over(make: Callable[..., Member]) -> None:
    one = make("edge-1", agents=["edge-2"])
    one.close(DATES[:5])
    two = make("edge-2")
    two.close(DATES[:5])
    for each in (one, two):
        each.start()
    delivered(two)
    signed(one, 5)
    one.turn()
    head = one.book.head
    assert head is not None
    for each in (one, two):
        each.stop()
    again = make("edge-2", agents=["edge-1"])
    again.close(DATES)
    again.start()
    eventually(lambda: "edge-1 has signed days" in again.book.trouble)
    again.clock.advance(30 * HOUR)
    again.turn()
    assert again.book.dates() == []
    assert again.office.take("kim")
    assert not again.office.take("kim")
    for _ in range(5):
        again.turn()
    first = again.book.signed(DATES[5])
    assert first is not None
    day = json.loads(first.record)
    assert (day["number"], day["prev"], day["agent"]) == (6, head.hash, "edge-2")
    assert again.book.dates() == DATES[5:]
    again.stop()
    once_more = make("edge-2", agents=["edge-1"])
    once_more.start()
    assert once_more.book.free
    # the old one comes back, as it was: it hears of the other, and signs nothing
    old = make("edge-1", agents=["edge-2"])
    old.close(DATES)
    once_more.turn()
    old.start()
    eventually(lambda: "edge-2 has signed days" in old.book.trouble)
    old.clock.advance(30 * HOUR)
    old.turn()
    assert len(old.book.dates()) == 5


def test_a_large_day_goes_in_parts_that_each_fit(tmp_path: Path) -> None:
    machines = [f"m{n}" for n in range(50)]
    config = config_of(tmp_path / "large", 1883, "edge-2", machines)
    (day,) = evidence_of(config, 1).items()
    rng = random.Random(3)
    padded = replace(
        load(day[1]), native={f"plc.main/s{n}": [f'{rng.random()}"\\한' for _ in range(40)] for n in range(2000)}
    )  # fmt: skip
    content = pack(config, (), day[0], dump(padded), {})
    assert len(content) > 2_000_000
    messages = [open_part(one) for one in parts(day[0], content)]
    assert len(messages) > 5
    assert max(len(encode(one)) for one in messages) <= DATA_LIMIT
    assert {one.hash for one in messages} == {digest(content)}
    small = parts(day[0], content, largest=40_000)
    assert max(map(len, small)) <= 40_000
    assert [n.part for n in map(open_part, small)] == list(itertools.islice(itertools.count(1), len(small)))
