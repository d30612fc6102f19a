"""What an agent keeps at the broker: the manifest and the report, and nothing that does not belong there."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from agent.conform.findings import CONSENT, DAYS, MANIFEST, TOPICS, Broken, Finding, Open
from agent.conform.reading import numbers, read, unknown
from agent.errors import WireError
from agent.platform.cut import cut
from contract.codec import PLAIN_LIMIT, REPORT_LIMIT
from contract.consent import NAMES, NEEDS, Consent, may_tell
from contract.day import SignedDay
from contract.event import Event, Kind
from contract.report import STANDS_S, Report
from contract.signing import check, check_head, key_id, key_of
from contract.topics import ID
from contract.verbs import SignedBaseline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.conform.bench import Bench
    from contract.manifest import Manifest
    from contract.topics import AgentTopics
    from transport.session import Message

SEEN = frozenset({"levels", "indicators"})
STAYS = ("manifest", "readiness")
BASELINE = "baseline_frozen"


def manifest(bench: Bench) -> Iterator[Finding]:
    """It is retained, of this agent, its ids are ids, its key has the right name, and all verbs are there."""
    found = bench.manifest
    yield from of_manifest(found, bench.message(bench.port.topics.manifest), bench.port.topics)


def of_manifest(found: Manifest, message: Message, topics: AgentTopics) -> Iterator[Finding]:
    """Yield what is wrong with a manifest that was read."""
    topic = topics.manifest
    yield from numbers(message.payload, topic)
    for name in ("factory", "agent"):
        if getattr(found, name) != getattr(topics, name):
            yield Finding(topic, name, getattr(topics, name), getattr(found, name), MANIFEST)
    for name in ("factory", "site", "agent", "reporter"):
        if not ID.fullmatch(getattr(found, name)):
            yield Finding(topic, name, "an id: [a-z0-9-]{1,32}", getattr(found, name), TOPICS)
    yield from _key(found, topics)
    missing = sorted(set(NEEDS) - set(found.verbs))
    if missing:
        yield Finding(topic, "verbs", "every verb of the contract", f"none of {', '.join(missing)}", MANIFEST)
    if found.machines and not NAMES & set(found.consent.scopes):
        expected = f"none without one of the scopes {', '.join(sorted(NAMES))}"
        yield Finding(topic, "machines", expected, f"{len(found.machines)} machines", CONSENT)
    ids = [machine.id for machine in found.machines]
    if len(ids) != len(set(ids)):
        yield Finding(topic, "machines", "each machine once", f"{len(ids) - len(set(ids))} twice", MANIFEST)
    for machine in found.machines:
        if not machine.weight > 0:
            yield Finding(topic, f"machines {machine.id} weight", "more than 0", f"{machine.weight}", MANIFEST)


def _key(found: Manifest, topics: AgentTopics) -> Iterator[Finding]:
    topic = topics.manifest
    try:
        named = key_id(key_of(found.public_key))
    except WireError as exc:
        yield Finding(topic, "public_key", "base64 of the 32 bytes of an Ed25519 key", str(exc), MANIFEST)
        return
    if found.chain is not None and found.proof is not None:
        try:
            check_head(found.chain, found.proof, topics, key_of(found.public_key))
        except WireError:
            expected = "Ed25519 over topic, line feed, and number, date and hash of the chain"
            yield Finding(topic, "proof", expected, "another signature", MANIFEST)
    if named != found.key:
        yield Finding(topic, "key", f"{named}, BLAKE2b-64 of the public key", found.key, MANIFEST)


def report(bench: Bench) -> Iterator[Finding]:
    """It is retained as far as consent goes, for eight days, small enough; no value is without a reason."""
    topic = bench.port.topics.readiness
    if bench.scopes & SEEN or any(m.payload for m in bench.port.heard if m.topic == topic):
        yield from report_in(bench.message(topic), bench)


def report_in(message: Message, bench: Bench) -> Iterator[Finding]:
    """Yield what is wrong with a message that holds a report."""
    topic = message.topic
    if not bench.scopes & SEEN:
        yield Finding(topic, "", "nothing without the scope levels or indicators", "a report", CONSENT)
        return
    found = read(message.payload, Report, topic, REPORT_LIMIT)
    yield from numbers(message.payload, topic)
    yield from of_report(found, bench, topic)
    if found.machine is not None or any(value.machine for value in found.values):
        yield Finding(topic, "machine", "values of the plant only", "values of a machine", MANIFEST)
    if bench.port.version == "5" and not 0 < (message.expiry or 0) <= STANDS_S:
        # without one it may come from an agent under MQTT 3.1.1, which can set none
        seen = "none" if message.expiry is None else f"{message.expiry} s"
        if message.expiry is not None or bench.port.way == "properties":
            yield Finding(topic, "message expiry", f"at most {STANDS_S} s (8 days)", seen, MANIFEST)


def of_report(found: Report, bench: Bench, topic: str) -> Iterator[Finding]:
    """Yield what is wrong with a report, retained or asked for."""
    manifest, scopes = bench.manifest, bench.scopes
    for name in ("factory", "site", "agent"):
        if getattr(found, name) != getattr(manifest, name):
            yield Finding(topic, name, getattr(manifest, name), getattr(found, name), MANIFEST)
    seen = cut(found, frozenset(manifest.consent.scopes))
    if seen != found and found.machine is None:
        fields = [f for f in found.__struct_fields__ if seen is None or getattr(found, f) != getattr(seen, f)]
        agreed = ", ".join(sorted(scopes)) or "nothing"
        yield Finding(topic, ", ".join(fields), f"nothing, for the factory has agreed to {agreed}", "some", CONSENT)
    yield from _values(found, manifest, topic)
    if found.window.first > found.window.last:
        yield Finding(topic, "window.first", f"at most {found.window.last}", found.window.first, MANIFEST)
    if not 0 < found.confidence < 1:
        yield Finding(topic, "confidence", "between 0 and 1", f"{found.confidence}", MANIFEST)


def _values(found: Report, manifest: Manifest, topic: str) -> Iterator[Finding]:
    for value in found.values:
        place = f"values {value.metric}"
        if (value.value is None) is (value.reason is None):
            yield Finding(
                topic, place, "either a value or a reason", "both" if value.reason else "neither", MANIFEST
            )
        if value.lo is not None and value.hi is not None and not value.lo <= value.hi:
            yield Finding(topic, f"{place} lo", f"at most hi, {value.hi}", f"{value.lo}", MANIFEST)
        if value.metric not in manifest.metrics:
            yield Finding(topic, place, "a metric of the manifest", value.metric, MANIFEST)
    for machine in found.machines:
        if len(machine.gates) != len(found.conditions) or set(machine.gates) - set("PFU"):
            expected = f"{len(found.conditions)} letters of P, F and U, one for each condition"
            yield Finding(topic, f"machines {machine.id} gates", expected, machine.gates, MANIFEST)


def flags(bench: Bench) -> Iterator[Finding]:
    """Days and events are not retained: whoever has missed one asks. Nothing has a topic that nobody knows."""
    for message in bench.port.heard:
        yield from flag(message, bench.port.topics)


def flag(message: Message, topics: AgentTopics) -> Iterator[Finding]:
    """Yield what is wrong with how a message was published."""
    level, _, rest = message.topic.removeprefix(f"{topics.root}/").partition("/")
    if level not in {*STAYS, "day", "event"} or (level in STAYS) is bool(rest) or "/" in rest:
        yield Finding(message.topic, "", "a topic of the wire", "none of these", TOPICS)
    elif message.retained and level not in STAYS:
        yield Finding(message.topic, "retain", "a message that is not retained", "a retained one", TOPICS)
    elif message.qos == 0:
        yield Finding(message.topic, "QoS", "1", "0", TOPICS)


def consent(bench: Bench) -> Iterator[Finding]:
    """What is agreed is told to whoever asks, with all that ever was."""
    topic = bench.port.topics.request("consent.get")
    told, found = bench.manifest.consent, bench.answered("consent.get", {}, Consent)
    if set(told.scopes) != set(found.now.scopes):
        yield Finding(topic, "now.scopes", f"as the manifest: {told.scopes}", f"{found.now.scopes}", CONSENT)
    since = [int(one.since) for one in found.history]
    if not since or since != sorted(since):
        expected = "all that ever held, oldest first"
        yield Finding(topic, "history", expected, "another order" if since else "nothing", CONSENT)
    elif found.now.serial != found.history[-1].serial:
        yield Finding(topic, "now.serial", f"{found.history[-1].serial}", f"{found.now.serial}", CONSENT)


def events(bench: Bench) -> Iterator[Finding]:
    """Events that we know say what their topic says, and a baseline is signed over it; others may come."""
    for message in bench.port.heard:
        yield from event(message, bench)


def event(message: Message, bench: Bench) -> Iterator[Finding]:
    """Yield what is wrong with an event, if the message is one that we know."""
    if message.topic == bench.port.topics.event(BASELINE) and message.payload:
        yield from baseline(read(message.payload, SignedBaseline, message.topic), bench, message.topic)
    elif message.payload and message.topic in {bench.port.topics.event(kind) for kind in get_args(Kind)}:
        found = read(message.payload, Event, message.topic)
        if bench.port.topics.event(found.kind) != message.topic:
            yield Finding(message.topic, "kind", message.topic.rpartition("/")[2], found.kind, TOPICS)
        if not may_tell(found.kind, frozenset(bench.manifest.consent.scopes)):
            yield Finding(message.topic, "kind", "nothing that is not agreed to", found.kind, CONSENT)


def baseline(signed: SignedBaseline, bench: Bench, place: str) -> Iterator[Finding]:
    """Yield what is wrong with the signature of a baseline."""
    if signed.key != bench.manifest.key:
        yield Finding(place, "key", bench.manifest.key, signed.key, DAYS)
        return
    try:
        check(
            bench.port.topics.event(BASELINE), signed.baseline, signed.signature, key_of(bench.manifest.public_key)
        )
    except WireError as exc:
        yield Finding(place, "signature", "Ed25519 over the event's topic, line feed and text", str(exc), DAYS)


def more(bench: Bench) -> Iterator[Finding]:
    """Nothing is said that the contract does not know, and nothing is seen that stays in a factory."""
    names = {bench.port.topics.manifest: "manifest", bench.port.topics.readiness: "readiness"}
    extra: list[str] = []
    for message in bench.port.heard:
        if (name := names.get(message.topic)) and message.payload:
            extra += [f"{name} {path}" for path in unknown(message.payload, name)]
        elif message.topic.startswith(bench.port.topics.day("")) and message.payload:
            try:
                signed = read(message.payload, SignedDay, message.topic, PLAIN_LIMIT)
            except Broken:
                continue  # the check `chain` tells
            extra += [f"day {path}" for path in unknown(signed.record.encode(), "day.record")]
    if extra:
        raise Open(f"fields of a later version, or more than may be said: {', '.join(sorted(set(extra))[:8])}")
    if bench.port.site and "raw_hosted" not in bench.scopes:
        levels = ", ".join(sorted(bench.port.site))
        raise Open(f"{levels} of the factory can be seen here: right on the factory's own broker, and nowhere else")
    yield from ()
