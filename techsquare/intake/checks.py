"""What a message is, by the contract, or why it is none; and what consent lets be kept of it. Pure."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from contract.codec import PLAIN_LIMIT, decode
from contract.consent import NAMES, RECORDS, TELLS, may_tell
from contract.errors import WireError
from contract.event import Event
from contract.manifest import Manifest
from contract.report import Report
from contract.signing import check, check_head, key_id, key_of, open_day
from contract.topics import ID
from contract.verbs import Baseline, SignedBaseline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.consent import Given
    from contract.signing import Opened, PublicKey
    from contract.topics import AgentTopics
    from techsquare.intake.terms import Held

AHEAD_NS = 2 * 86_400 * 10**9
"""A manifest from further in the future is nobody's word: it would hide all that come after it."""
FROZEN = "baseline_frozen"
_MOST = 2**63


def instant(text: str) -> int:
    """Return nanoseconds UTC as the registry keeps them.

    Raises:
        WireError: it does not fit 64 bits.
    """
    value = int(text)
    if not -_MOST <= value < _MOST:
        raise WireError(f"{text} is no moment")
    return value


def calendar(text: str) -> date:
    """Return a date.

    Raises:
        WireError: the calendar does not have it.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise WireError(f"{text} is no date") from exc


def plain(*texts: str) -> None:
    """Return if a database can hold these texts.

    Raises:
        WireError: a NUL or half a character stands in one.
    """
    for text in texts:
        if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
            raise WireError("a text that cannot be kept: NUL, or half a character")


def manifest(raw: bytes, topics: AgentTopics, now: int) -> Manifest:
    """Return a manifest that holds together: of this branch, its key named rightly, its head signed if it says so.

    Raises:
        WireError: it does not.
    """
    found = decode(raw, Manifest)
    if (found.factory, found.agent) != (topics.factory, topics.agent):
        raise WireError(f"a manifest of {found.factory}/{found.agent} in the branch {topics.root}")
    if not all(ID.fullmatch(one) for one in (found.site, found.reporter)):
        raise WireError("site or reporter is no id")
    key = key_of(found.public_key)
    if key_id(key) != found.key:
        raise WireError(f"its key is {key_id(key)}, and it says {found.key}")
    if found.chain is not None:
        calendar(found.chain.date)
        if found.proof is not None:
            check_head(found.chain, found.proof, topics, key)
    if instant(found.made_at) > now + AHEAD_NS:
        raise WireError("made in the future")
    instant(found.consent.since)
    if found.consent.until is not None:
        calendar(found.consent.until)
    plain(*(text for machine in found.machines for text in (machine.id, machine.name)))
    if found.machines and not NAMES & set(found.consent.scopes):
        raise WireError("it names machines, and no scope allows that")
    return found


def told(scopes: frozenset[str] | None, notice_at: int | None, told: Iterable[str] | None) -> frozenset[str] | None:
    """Return what may be kept of what was agreed: what the people who work there were told of.

    Args:
        scopes: What the owner agrees to; None: nobody has ever said.
        notice_at: When he has recorded that they were told; None: he has not, so nothing is kept.
        told: Scopes that the notice names.
    """
    if notice_at is None:
        return frozenset()
    return None if scopes is None else scopes & frozenset(told or ())


def given(consent: Given) -> tuple[int, int, date | None, list[str]]:
    """Return a consent as it is kept: since, serial, until, scopes."""
    until = None if consent.until is None else calendar(consent.until)
    return instant(consent.since), consent.serial, until, sorted(set(consent.scopes))


def records_allowed(held: Held) -> bool:
    """Return whether signed records of an agent may be kept."""
    return held.scopes is not None and held.scopes >= RECORDS


def day(raw: bytes, topics: AgentTopics, when: str | None, key: PublicKey) -> Opened:
    """Return a signed record, verified by itself.

    Args:
        raw: The message.
        topics: The agent's branch.
        when: The date of its topic.
        key: The agent's.

    Raises:
        WireError: see `contract.signing.open_day`; of another date than its topic; with a text that cannot be kept.
    """
    opened = open_day(raw, topics, {key_id(key): key})
    found = opened.day
    if when is not None and found.date != when:
        raise WireError(f"a record of {found.date} on the topic of {when}")
    calendar(found.date)
    if (found.number == 1) is not (found.prev is None):
        raise WireError("record 1, and no other, has no prev")
    ids = [machine.id for machine in found.machines]
    if len(set(ids)) != len(ids):
        raise WireError("a machine stands twice in the record")
    plain(*ids, *(metric.metric for metric in found.metrics))
    for metric in found.metrics:
        if any(index >= len(ids) for apart in metric.apart.values() for index in apart):
            raise WireError(f"{metric.metric} is apart for a machine that the record does not have")
    return opened


def report(raw: bytes, topics: AgentTopics, scopes: frozenset[str] | None) -> Report:
    """Return a report that holds nothing beyond what was agreed.

    Args:
        raw: The message.
        topics: The agent's branch.
        scopes: Agreed today; None: whoever hands it in agrees to all of it.

    Raises:
        WireError: it is none, of another agent, or of another branch.
        PermissionError: it holds more than was agreed.
    """
    found = decode(raw, Report, PLAIN_LIMIT)
    if (found.factory, found.agent) != (topics.factory, topics.agent):
        raise WireError(f"a report of {found.factory}/{found.agent} in the branch {topics.root}")
    instant(found.made_at)
    if b"\\u0000" in raw:
        raise WireError("a text that cannot be kept: NUL")
    if scopes is not None and (scope := _beyond(found, scopes)):
        raise PermissionError(f"it holds what needs the scope {scope}")
    return found


def _beyond(found: Report, scopes: frozenset[str]) -> str:
    """Return the scope that a report would need and does not have, or ""; as the agent cuts it."""
    levels = (
        found.level, found.conditions, found.machines, found.missing, found.settle, found.chances, found.cascade,
        found.standing,
    )  # fmt: skip
    values = (
        found.values, found.dimensions, found.index, found.answers, found.contradictions, found.measured,
        found.trend,
    )  # fmt: skip
    if not scopes & {"levels", "indicators"}:
        return "levels"
    if "levels" not in scopes and any(part not in (None, []) for part in (*levels, found.acatech, found.siri)):
        return "levels"
    if "indicators" not in scopes and any(part not in (None, []) for part in (*values, found.acatech, found.siri)):
        return "indicators"
    single = found.machine is not None or any(value.machine is not None for value in found.values)
    told = any(one.machine is not None and (one.said or one.seen) for one in found.contradictions)
    return "machines" if (single or told) and "machines" not in scopes else ""


class Told:
    """An event that was read: kind, moment and content."""

    __slots__ = ("at", "body", "kind")

    def __init__(self, kind: str, at: int, body: dict[str, object]) -> None:
        self.kind, self.at, self.body = kind, at, body


def event(raw: bytes, topics: AgentTopics, kind: str, scopes: frozenset[str], key: PublicKey | None) -> Told:
    """Return an event that may be kept.

    Raises:
        WireError: it is none, of another agent, of another kind than its topic, or signed by somebody else.
        PermissionError: nobody has agreed to it; so of kinds that are not known here.
    """
    if kind not in TELLS or not may_tell(kind, frozenset(scopes)):  # type: ignore[arg-type]
        raise PermissionError(f"nobody has agreed to events of the kind {kind}")
    if b"\\u0000" in raw:
        raise WireError("a text that cannot be kept: NUL")
    if kind == FROZEN:
        signed = decode(raw, SignedBaseline)
        if key is None or signed.key != key_id(key):
            raise WireError(f"signed with the unknown key {signed.key}")
        check(topics.event(FROZEN), signed.baseline, signed.signature, key)
        frozen = decode(signed.baseline.encode(), Baseline)
        _of(frozen.factory, frozen.agent, topics)
        return Told(kind, instant(frozen.frozen_at), decode(raw, dict[str, object]))
    found = decode(raw, Event)
    _of(found.factory, found.agent, topics)
    if found.kind != kind:
        raise WireError(f"an event {found.kind} on the topic of {kind}")
    return Told(kind, instant(found.made_at), decode(raw, dict[str, object]))


def _of(factory: str, agent: str, topics: AgentTopics) -> None:
    if (factory, agent) != (topics.factory, topics.agent):
        raise WireError(f"of {factory}/{agent} in the branch {topics.root}")
