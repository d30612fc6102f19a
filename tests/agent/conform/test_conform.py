"""The kit passes our own agent, and each way to leave the wire fails the check that looks at it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from agent.cli import main
from agent.conform.checks import CHECKS, Result, run
from agent.conform.port import Port
from contract.codec import decode, encode
from contract.consent import Consent
from contract.day import Days
from contract.manifest import Manifest
from contract.signing import key_id, key_text, private_key
from settings.broker import Broker
from tests.agent.platform.test_office import DESK, SIGNED_DAYS, Rig
from tests.agent.test_uplink import BRANCH, eventually
from tests.support.brokers import mosquitto
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from transport.session import Message

    Taped = tuple[list[Message], dict[tuple[str, bytes], bytes]]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("conform")
    with running(mosquitto(folder / "broker")) as broker:
        made = Rig(folder / "state", broker.port)
        made.turn(4)
        made.uplink.publish_retained(BRANCH.readiness, made.office._retained(DESK.assessment()))
        eventually(lambda: len(made.book.dates()) == SIGNED_DAYS)
        made.port = broker.port  # type: ignore[attr-defined]
        yield made
        made.stop()


class Recorded:
    """A port that plays what a good agent has said, with one thing changed."""

    def __init__(self, heard: list[Message], answers: dict[tuple[str, bytes], bytes]) -> None:
        self.topics = BRANCH
        self.heard = list(heard)
        self.answers = answers
        self.often = 0
        self.elsewhere = False  # it also answers where it must not

    def ask(self, verb: str, body: bytes, seconds: float, response: str = "") -> bytes | None:
        del seconds
        if response and not self.elsewhere:
            return None
        self.often += verb == "consent.get"
        if self.often > 20:
            return b'{"error":"busy","message":"later"}'
        return self.answers.get((verb, body), b'{"error":"bad_request","message":"not recorded"}')


class Recorder(Port):
    """The real port, which also remembers."""

    said: dict[tuple[str, bytes], bytes]

    def ask(self, verb: str, body: bytes, seconds: float, response: str = "") -> bytes | None:
        answer = super().ask(verb, body, seconds, response)
        if answer is not None and b'"busy"' not in answer:
            self.said[verb, body] = answer
        return answer


@pytest.fixture(scope="module")
def recorded(rig: Rig) -> Taped:
    port = Recorder(Broker(host="127.0.0.1", port=rig.port), BRANCH)  # type: ignore[attr-defined]
    port.said = {}
    assert port.open()
    port.settled(1)
    results = list(run(port))
    port.close()
    assert [(one.check, one.ok) for one in results] == [(name, True) for name in CHECKS], results
    return port.heard, port.said


def test_our_own_agent_conforms(
    recorded: Taped,
) -> None:
    port = Recorded(*recorded)
    assert all(result.ok for result in run(port))


def change(port: Recorded, topic: str, how: Callable[[bytes], bytes], *, retained: bool = True) -> None:
    port.heard = [
        message
        if message.topic != topic
        else type(message)(topic=topic, payload=how(message.payload), retained=retained)
        for message in port.heard
    ]  # fmt: skip


def of_manifest(**changed: Any) -> Callable[[Recorded], None]:
    def do(port: Recorded) -> None:
        change(port, BRANCH.manifest, lambda raw: encode(replace(decode(raw, Manifest), **changed)))

    return do


def answered(verb: str, how: Callable[[bytes], bytes]) -> Callable[[Recorded], None]:
    def do(port: Recorded) -> None:
        assert any(asked == verb for asked, _ in port.answers)
        port.answers = {key: how(raw) if key[0] == verb else raw for key, raw in port.answers.items()}

    return do


def not_retained(port: Recorded) -> None:
    change(port, BRANCH.manifest, lambda raw: raw, retained=False)


def too_large(port: Recorded) -> None:
    change(port, BRANCH.readiness, lambda raw: raw[:-1] + b',"more":"' + b"x" * 40_000 + b'"}')


def value_without_anything(port: Recorded) -> None:
    def cut(raw: bytes) -> bytes:
        document = json.loads(raw)
        for value in document["values"]:
            value.pop("reason", None)
            value.pop("value", None)
        return json.dumps(document).encode()

    change(port, BRANCH.readiness, cut)


def a_retained_day(port: Recorded) -> None:
    port.heard.append(type(port.heard[0])(topic=BRANCH.day("2026-11-20"), payload=b"{}", retained=True))


def days(how: Callable[[Days], Days]) -> Callable[[bytes], bytes]:
    return lambda raw: encode(how(decode(raw, Days)))


def no_limit(port: Recorded) -> None:
    port.often = -(10**6)


def talkative(port: Recorded) -> None:
    port.elsewhere = True


def history(raw: bytes) -> bytes:
    return encode(replace(decode(raw, Consent), history=[]))


OTHER = private_key(bytes(32)).public_key()


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (not_retained, "manifest"),
        (of_manifest(agent="edge-9"), "manifest"),
        (of_manifest(key="0" * 16), "manifest"),
        (of_manifest(verbs=["report.get"]), "manifest"),
        (of_manifest(key=key_id(OTHER), public_key=key_text(OTHER)), "chain"),
        (of_manifest(public_key=key_text(OTHER)), "chain"),
        (too_large, "report"),
        (value_without_anything, "report"),
        (a_retained_day, "retained"),
        (answered("consent.get", history), "consent"),
        (answered("day.get", days(lambda d: replace(d, days=d.days[:-1]))), "chain"),
        (answered("day.get", days(lambda d: replace(d, days=[*d.days[:3], *d.days[4:]]))), "chain"),
        (answered("day.get", days(lambda d: replace(d, days=[d.days[1], d.days[0], *d.days[2:]]))), "chain"),
        (answered("day.get", lambda raw: raw.replace(b"A01", b"A02")), "chain"),
        (answered("day.get", days(lambda d: replace(d, next="2020-01-01"))), "chain"),
        (answered("plc.write", lambda _: b"{}"), "refusals"),
        (answered("plc.write", lambda _: b'{"error":"busy","message":""}'), "refusals"),
        (answered("window.get", lambda _: b'{"points":[]}'), "refusals"),
        (talkative, "silence"),
        (no_limit, "limits"),
    ],
)  # fmt: skip
def test_each_way_to_leave_the_wire_fails_its_check(
    recorded: Taped, spoil: Callable[[Recorded], None], check: str
) -> None:
    port = Recorded(recorded[0], dict(recorded[1]))
    spoil(port)
    failed: list[Result] = [result for result in run(port) if result.ok is False]
    assert check in {result.check for result in failed}, failed
    assert all(result.text for result in failed)


def test_the_verb_prints_for_people_and_programs(
    rig: Rig, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    del tmp_path
    where = f"127.0.0.1:{rig.port}"  # type: ignore[attr-defined]
    assert main(["conform", "hanil", "edge-1", "--broker", where, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["agent"], told["conforms"]) == ("hanil/edge-1", True)
    assert [one["check"] for one in told["checks"]] == list(CHECKS)
    assert main(["conform", "hanil", "nobody", "--broker", where, "--lang", "en", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["conforms"] is False
