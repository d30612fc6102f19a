"""What the kit looks at, one check a function: it passes, fails with a text, or cannot be told here.

A check knows an agent only by the wire: topics, retained flags, payloads, signatures, the chain, refusals, limits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from agent.errors import WireError
from contract.codec import PLAIN_LIMIT, REPORT_LIMIT, decode
from contract.consent import NEEDS, RECORDS, Consent, allows
from contract.day import Days
from contract.manifest import Manifest
from contract.report import Refusal, Report
from contract.signing import follows, key_id, key_of, open_signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract.day import SignedDay
    from contract.manifest import Head
    from contract.topics import AgentTopics
    from transport.session import Message

T = TypeVar("T")
PATIENCE_S = 15.0
SILENCE_S = 3.0
OFTEN = 60
"""Requests in a row that no agent may answer all."""
LOOKED_BACK = 60


class Port(Protocol):
    """What checks need of `agent.conform.port.Port`."""

    topics: AgentTopics
    heard: list[Message]

    def ask(self, verb: str, body: bytes, seconds: float, response: str = "") -> bytes | None:
        """Return an answer or None."""


class Failed(Exception):  # noqa: N818 - reads as what happened
    """The agent does not keep to the wire; the text says where."""


class Open(Exception):  # noqa: N818 - reads as what happened
    """It cannot be told here, and why."""


@dataclass(frozen=True, slots=True)
class Result:
    """`ok` is None where it cannot be told."""

    check: str
    ok: bool | None
    text: str = ""


def run(port: Port) -> Iterator[Result]:
    """Yield the result of each check, in order; those that load the agent come last."""
    silent = not any(message.topic == port.topics.manifest for message in port.heard)
    for name, check in CHECKS.items():
        if silent and check is not manifest:  # each question would only wait for an agent that is not there
            yield Result(name, ok=None, text="no manifest, so nothing was asked")
            continue
        try:
            check(port)
        except Failed as exc:
            yield Result(name, ok=False, text=str(exc))
        except Open as exc:
            yield Result(name, ok=None, text=str(exc))
        else:
            yield Result(name, ok=True)


def _last(port: Port, topic: str, kind: type[T], limit: int) -> T:
    found = [message for message in port.heard if message.topic == topic and message.payload]
    if not found:
        raise Failed(f"nothing is retained on {topic}")
    if not found[0].retained:
        raise Failed(f"{topic} is not retained")
    return _read(found[-1].payload, kind, limit)


def _read(raw: bytes, kind: type[T], limit: int = PLAIN_LIMIT) -> T:
    try:
        return decode(raw, kind, limit)
    except WireError as exc:
        raise Failed(str(exc)) from exc


def _manifest(port: Port) -> Manifest:
    return _last(port, port.topics.manifest, Manifest, PLAIN_LIMIT)


def _answer(port: Port, verb: str, body: object) -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = port.ask(verb, raw, PATIENCE_S)
    if answer is None:
        raise Failed(f"no answer to {verb} with our correlation data on our response topic")
    if len(answer) > PLAIN_LIMIT:
        raise Failed(f"the answer to {verb} has {len(answer)} bytes, at most {PLAIN_LIMIT} are allowed")
    return answer


def _refused(port: Port, verb: str, body: object, *codes: str) -> None:
    answer = _answer(port, verb, body)
    if b'"error"' not in answer:
        raise Failed(f"{verb} with {body!r:.60} is answered, and not refused with {' or '.join(codes)}")
    error = _read(answer, Refusal).error
    if error not in codes:
        raise Failed(f"{verb} with {body!r:.60} is refused with {error}, not with {' or '.join(codes)}")


def manifest(port: Port) -> None:
    """It is retained, of this agent, and its key has the name that it says."""
    found = _manifest(port)
    if (found.factory, found.agent) != (port.topics.factory, port.topics.agent):
        raise Failed(f"the manifest is of {found.factory}/{found.agent}")
    try:
        named = key_id(key_of(found.public_key))
    except WireError as exc:
        raise Failed(f"public_key: {exc}") from exc
    if named != found.key:
        raise Failed(f"the key is called {found.key}, and its name is {named}")
    missing = sorted(set(NEEDS) - set(found.verbs))
    if missing:
        raise Failed(f"verbs that are not answered: {', '.join(missing)}")


def report(port: Port) -> None:
    """The report is retained as far as consent goes, and small enough."""
    scopes = set(_manifest(port).consent.scopes)
    if not scopes & {"levels", "indicators"}:
        if any(m.payload for m in port.heard if m.topic == port.topics.readiness):
            raise Failed("a report is retained without consent to any part of it")
        return
    found = _last(port, port.topics.readiness, Report, REPORT_LIMIT)
    if found.values and "indicators" not in scopes:
        raise Failed("the retained report has values without the scope indicators")
    if found.machines and "levels" not in scopes:
        raise Failed("the retained report has gates of machines without the scope levels")
    for value in found.values:
        if (value.value is None) is not (value.reason is not None):
            raise Failed(f"{value.metric} needs either a value or a reason")


def flags(port: Port) -> None:
    """Days and events are not retained: whoever has missed one asks."""
    stays = ("manifest", "readiness")
    for message in port.heard:
        level = message.topic.removeprefix(f"{port.topics.root}/")
        if message.retained and level not in stays:
            raise Failed(f"{message.topic} is retained")


def consent(port: Port) -> None:
    """What is agreed is told to whoever asks, with all that ever was."""
    told, found = _manifest(port).consent, _read(_answer(port, "consent.get", {}), Consent)
    if set(told.scopes) != set(found.now.scopes):
        raise Failed(f"the manifest says {told.scopes}, consent.get says {found.now.scopes}")
    since = [int(one.since) for one in found.history]
    if not since or since != sorted(since):
        raise Failed("the history of consent is empty, or not in order")


def chain(port: Port) -> None:
    """Days are signed by the manifest's key, follow one another, and end at the manifest's head."""
    found = _manifest(port)
    if found.chain is None:
        raise Open("no day is signed yet")
    if not set(found.consent.scopes) >= RECORDS:
        raise Open("the factory has not agreed to days and machines")
    records = list(_records(port, found.chain))
    before: Head | None = None
    try:
        keys = {found.key: key_of(found.public_key)}
        for one in records:
            if one.key != found.key:  # of an earlier box: its key is for who has kept it
                before = None
                continue
            opened = open_signed(one, port.topics, keys)
            if before is not None and (why := follows(opened, before)) is not None:
                raise Failed(f"the chain: {why}")
            before = opened.head
    except WireError as exc:
        raise Failed(f"the chain: {exc}") from exc
    if before != found.chain:
        raise Failed(f"the chain does not end at the manifest's head, record {found.chain.number}")


def _records(port: Port, head: Head) -> Iterator[SignedDay]:
    last = date.fromisoformat(head.date)
    at: str | None = (last - timedelta(days=LOOKED_BACK)).isoformat()
    while at is not None:
        answer = _read(_answer(port, "day.get", {"from": at, "to": head.date}), Days)
        yield from answer.days
        if answer.next is not None and answer.next <= at:
            raise Failed("day.get does not go on")
        at = answer.next


def refusals(port: Port) -> None:
    """What cannot be answered is refused with its code."""
    _refused(port, "plc.write", {}, "unknown_verb")
    scopes = frozenset(_manifest(port).consent.scopes)
    for verb in NEEDS:
        if not allows(verb, scopes):
            _refused(port, verb, {}, "no_consent")
    if allows("report.get", scopes):
        _refused(port, "report.get", b"nonsense", "bad_request")
        _refused(port, "report.get", {"machine": "no-such-machine"}, "no_data", "no_consent")
    if allows("window.get", scopes):
        fine = {"metric": "A01", "from": "2026-01-01", "to": "2026-01-02", "step_s": 3600}
        _refused(port, "window.get", fine, "too_fine")
        _refused(port, "window.get", {**fine, "step_s": 86_400, "to": "2025-01-01"}, "bad_request")


def silence(port: Port) -> None:
    """No answer goes anywhere but below the agent's own `rsp`."""
    elsewhere = f"{port.topics.root}/manifest"
    before = len(port.heard)
    if port.ask("consent.get", b"{}", SILENCE_S, elsewhere) is not None:
        raise Failed("answered although another topic was named")
    for message in port.heard[before:]:
        if message.topic == elsewhere and b'"history"' in message.payload:
            raise Failed(f"the answer went to {elsewhere}")


def limits(port: Port) -> None:
    """Whoever asks again and again is told that it is too often."""
    for _ in range(OFTEN):
        answer = _answer(port, "consent.get", {})
        if b'"error"' in answer and _read(answer, Refusal).error == "busy":
            return
    raise Failed(f"{OFTEN} requests in a row were answered")


CHECKS: dict[str, Callable[[Port], None]] = {
    "manifest": manifest,
    "report": report,
    "retained": flags,
    "consent": consent,
    "chain": chain,
    "refusals": refusals,
    "silence": silence,
    "limits": limits,
}
