"""A platform against a played agent: one that behaves holds out every trick, and each way to misbehave is told."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.conform.acting.judge import INSISTED, requests, scene
from agent.conform.acting.tricks import BUSY_S, TRICKS
from agent.conform.checks import run
from agent.conform.findings import RULES
from agent.conform.watch import Watch
from tests.agent.conform.rig import QUICK, TOPICS, bench, played, template
from tests.agent.test_uplink import eventually
from tests.support.brokers import mosquitto
from tests.support.processes import Child, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.conform.acting.actor import Actor
    from agent.conform.bench import Bench
    from agent.conform.findings import Finding
    from contract.topics import AgentTopics

PATIENT = replace(QUICK, answer=0.3, busy=BUSY_S + 0.1)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("signed"))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with running(mosquitto(tmp_path_factory.mktemp("broker"))) as child:
        yield child


class Platform(threading.Thread):
    """Follows the played agent as the kit's own platform does."""

    def __init__(self, broker: Child, topics: AgentTopics = TOPICS, *, older: bool = False) -> None:
        super().__init__(daemon=True)
        self.broker, self.topics, self.older = broker, topics, older
        self.stopped, self.begun = threading.Event(), threading.Event()
        self.watch: Watch | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.join(20)

    def _heard(self, made: Bench) -> bool:
        return any(message.topic == self.topics.manifest for message in list(made.port.heard))

    def run(self) -> None:
        with bench(self.broker, self.topics, older=self.older, patience=PATIENT) as made:
            eventually(lambda: self.stopped.is_set() or self._heard(made))
            if self.stopped.is_set():
                return
            list(run(made, {"manifest"}))
            self.watch = Watch(made)
            self.watch.begin()
            self.begun.set()
            while not self.stopped.is_set():
                list(self.watch.turn(0.05))


@pytest.mark.parametrize("name", TRICKS)
def test_a_platform_that_behaves_has_every_day_in_the_end_whatever_is_played(
    broker: Child, signed: Path, tmp_path: Path, name: str
) -> None:
    with played(broker, signed, tmp_path) as actor, Platform(broker) as platform:
        assert platform.begun.wait(10)
        actor.late = 0.5
        done = scene(actor, name, 20, moment=0.4)
        assert done.findings == ()
        eventually(lambda: platform.watch is not None and platform.watch.head == actor.book.head)
        assert done.asked > 0 or name in {
            "first_contact", "older_head", "large_report", "big_integers", "reordered", "retained_day", "duplicate",
        }  # fmt: skip


@pytest.mark.parametrize("name", ["gap", "pages", "silent", "bad_signature"])
def test_a_platform_with_mqtt_311_holds_out_as_well(broker: Child, signed: Path, tmp_path: Path, name: str) -> None:
    with played(broker, signed, tmp_path) as actor, Platform(broker, older=True) as platform:
        assert platform.begun.wait(10)
        assert scene(actor, name, 20, moment=0.4).findings == ()
        eventually(lambda: platform.watch is not None and platform.watch.head == actor.book.head)


def test_thirty_days_that_were_there_before_are_owed_until_they_are_fetched(
    broker: Child, signed: Path, tmp_path: Path
) -> None:
    with played(broker, signed, tmp_path) as actor:
        for _ in range(3):
            actor.sign()
        actor.publish_retained()
        with Platform(broker):
            assert scene(actor, "first_contact", 20).findings == ()


@pytest.mark.parametrize("name", TRICKS.keys() - {"first_contact", "no_consent"})
def test_a_platform_that_never_asks_is_told_which_days_it_lacks(
    broker: Child, signed: Path, tmp_path: Path, name: str
) -> None:
    with played(broker, signed, tmp_path) as actor:
        found = scene(actor, name, 0.05, moment=0.05).findings
        assert found
        assert {(one.topic, one.rule) for one in found} == {(TOPICS.request("day.get"), "#days")}
        assert actor.book.dates()[-2] in {one.field for one in found}


class Raw:
    """A client that is not ours and says what it likes."""

    def __init__(self, port: int | None) -> None:
        assert port is not None
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def ask(
        self,
        verb: str,
        body: object,
        *,
        response: str | None = TOPICS.response("raw"),
        correlation: bytes | None = b"1",
        expiry: int | None = 60,
        qos: int = 1,
        retain: bool = False,
    ) -> None:
        properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
        for name, value in (
            ("ResponseTopic", response), ("CorrelationData", correlation), ("MessageExpiryInterval", expiry),
        ):  # fmt: skip
            if value is not None:
                setattr(properties, name, value)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.client.publish(TOPICS.request(verb), raw, qos=qos, retain=retain, properties=properties)

    def close(self) -> None:
        self.client.publish(TOPICS.request("consent.get"), b"", qos=1, retain=True).wait_for_publish(5)
        self.client.disconnect()
        self.client.loop_stop()


SPAN = {"from": "2026-11-01", "to": "2026-11-20"}


def asked(verb: str, body: object, **how: Any) -> Callable[[Raw], None]:
    return lambda raw: raw.ask(verb, body, **how)


def hurried(raw: Raw) -> None:
    for _ in range(13):
        raw.ask("consent.get", {})


@pytest.mark.parametrize(
    ("wrong", "field", "rule"),
    [
        (asked("plc.write", {}), "", "#verbs"),
        (asked("day.get", b"nonsense"), "", "#what-holds-for-every-payload"),
        (asked("day.get", {"from": "2026-11-01"}), "to", "#what-holds-for-every-payload"),
        (asked("day.get", {"from": "2026-11-20", "to": "2026-11-01"}), "from, to", "#verbs"),
        (asked("day.get", {"from": "2020-11-20", "to": "2026-11-01"}), "from, to", "#verbs"),
        (asked("day.get", {"from": "2026-13-20", "to": "2026-11-01"}), "from, to", "#what-holds-for-every-payload"),
        (asked("window.get", {"metric": "A01", **SPAN, "step_s": 3600}), "step_s", "#verbs"),
        (asked("consent.get", {}, response=None), "response topic", "#requests-and-answers"),
        (asked("consent.get", {}, response="tsq/1/other/edge-1/rsp/me"), "response topic", "#requests-and-answers"),
        (asked("consent.get", {}, response=TOPICS.response("a/b")), "response topic", "#requests-and-answers"),
        (asked("consent.get", {}, correlation=None), "correlation data", "#requests-and-answers"),
        (asked("consent.get", {}, expiry=None), "message expiry", "#requests-and-answers"),
        (asked("consent.get", {}, expiry=3600), "message expiry", "#requests-and-answers"),
        (asked("consent.get", {}, qos=0), "QoS", "#the-wire"),
        (asked("consent.get", {}, retain=True), "retain", "#requests-and-answers"),
        (hurried, "", "#requests-and-answers"),
    ],
)
def test_each_way_to_ask_wrongly_is_told(
    broker: Child, signed: Path, tmp_path: Path, wrong: Callable[[Raw], None], field: str, rule: str
) -> None:
    with played(broker, signed, tmp_path) as actor:
        raw = Raw(broker.port)
        try:
            wrong(raw)
            eventually(lambda: bool(told(actor)))
            assert [(one.field, one.rule) for one in told(actor)] == [(field, rule)]
            assert rule in RULES
        finally:
            raw.close()


def told(actor: Actor) -> list[Finding]:
    return list(dict.fromkeys(replace(one, found="") for one in requests(actor.seen, TOPICS.response(""))))


def test_who_insists_without_consent_is_told_and_who_asks_again_when_it_is_given_is_not(
    broker: Child, signed: Path, tmp_path: Path
) -> None:
    with played(broker, signed, tmp_path) as actor:
        raw = Raw(broker.port)
        try:
            actor.agree(["levels"])
            for _ in range(INSISTED):
                raw.ask("day.get", SPAN)
            eventually(lambda: len(actor.seen) == INSISTED)
            assert {one.code for one in actor.seen} == {"no_consent"}
            assert not told(actor)
            raw.ask("day.get", SPAN)
            eventually(lambda: bool(told(actor)))
            assert [one.rule for one in told(actor)] == ["#consent"]
        finally:
            raw.close()


def test_who_writes_what_an_agent_says_is_told(broker: Child, signed: Path, tmp_path: Path) -> None:
    with played(broker, signed, tmp_path) as actor:
        raw = Raw(broker.port)
        try:
            actor.sign()  # so that the scene waits
            timer = threading.Timer(0.1, lambda: raw.client.publish(TOPICS.manifest, b"{}", qos=1, retain=True))
            timer.start()
            found = scene(actor, "first_contact", 1.0).findings
            assert [(one.topic, one.rule) for one in found] == [
                (TOPICS.manifest, "#the-wire"), (TOPICS.request("day.get"), "#days"),
            ]  # fmt: skip
        finally:
            raw.close()
