"""Signatures and the chain of daily records: made by an agent, verified by whoever has its public key.

    topic LF text            what is signed, so that nothing can be moved to another agent or another day
    BLAKE2b-256 of the same  head of the chain; the next record has it as `prev`

To verify needs the manifest's public key and nothing else of us: no database, no clock, no state. Pure.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contract.codec import PLAIN_LIMIT, checksum, decode, encode
from contract.day import Day, SignedDay
from contract.errors import WireError
from contract.manifest import Head

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contract.topics import AgentTopics

PrivateKey = Ed25519PrivateKey
PublicKey = Ed25519PublicKey


def private_key(seed: bytes) -> PrivateKey:
    """Return the private key of 32 secret bytes (RFC 8032); they come from whoever may ask for randomness.

    Raises:
        ValueError: not 32 bytes.
    """
    return Ed25519PrivateKey.from_private_bytes(seed)


def key_text(key: PublicKey) -> str:
    """Return a public key as it travels: base64 of its 32 bytes."""
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode("ascii")


def key_of(text: str) -> PublicKey:
    """Return the key that `key_text` wrote.

    Raises:
        WireError: it is none.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error) as exc:
        raise WireError("no Ed25519 public key: the base64 of 32 bytes") from exc


def key_id(key: PublicKey) -> str:
    """Return the name of a key: 64 bits over its 32 bytes, as hex."""
    return checksum(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def seal(topic: str, text: str, key: PrivateKey) -> str:
    """Return the signature of a text under a topic, as base64."""
    return base64.b64encode(key.sign(_covered(topic, text))).decode("ascii")


def check(topic: str, text: str, signature: str, key: PublicKey) -> None:
    """Return if a text was signed so.

    Raises:
        WireError: it was not.
    """
    try:
        key.verify(base64.b64decode(signature, validate=True), _covered(topic, text))
    except (InvalidSignature, ValueError) as exc:
        raise WireError("the signature is wrong: changed on the way, of another topic, or forged") from exc


def head_hash(topic: str, text: str) -> str:
    """Return the head of the chain after a record: 256 bits over topic and text, as hex."""
    return hashlib.blake2b(_covered(topic, text), digest_size=32).hexdigest()


def _covered(topic: str, text: str) -> bytes:
    return f"{topic}\n{text}".encode()


def seal_head(head: Head, topics: AgentTopics, key: PrivateKey) -> str:
    """Return the `proof` of a manifest: whoever has signed the record vouches for where the chain stands."""
    return seal(topics.manifest, _head_text(head), key)


def check_head(head: Head, proof: str, topics: AgentTopics, key: PublicKey) -> None:
    """Return if a head was vouched for so.

    Raises:
        WireError: it was not.
    """
    check(topics.manifest, _head_text(head), proof, key)


def _head_text(head: Head) -> str:
    return f"{head.number} {head.date} {head.hash}"


def sign_day(day: Day, topics: AgentTopics, key: PrivateKey) -> bytes:
    """Return the message of a daily record.

    Raises:
        WireError: it names another key or another agent, or is larger than a message may be.
    """
    public = key.public_key()
    if day.key != key_id(public) or (day.factory, day.agent) != (topics.factory, topics.agent):
        raise WireError("a record is signed by its own agent with the key that it names")
    text = encode(day).decode()
    raw = encode(SignedDay(text, day.key, seal(topics.day(day.date), text, key)))
    if len(raw) > PLAIN_LIMIT:
        raise WireError(f"a daily record of {len(raw)} bytes where at most {PLAIN_LIMIT} are allowed")
    return raw


class Opened(NamedTuple):
    """A verified record, and where the chain stands after it."""

    day: Day
    head: Head


def open_day(raw: bytes, topics: AgentTopics, keys: Mapping[str, PublicKey]) -> Opened:
    """Return the record of a message.

    Args:
        raw: The message.
        topics: The branch that it came in.
        keys: Whom one believes, by key id: the agent's key, and those that it had before.

    Raises:
        WireError: of another shape, by a key that is not among these, changed, or of another agent.
    """
    signed = decode(raw, SignedDay)
    return open_signed(signed, topics, keys)


def open_signed(signed: SignedDay, topics: AgentTopics, keys: Mapping[str, PublicKey]) -> Opened:
    """Return the record of a message that was read already; see `open_day`."""
    if signed.key not in keys:
        raise WireError(f"signed with the unknown key {signed.key}")
    try:
        text = signed.record.encode()
    except UnicodeEncodeError as exc:
        raise WireError("no UTF-8") from exc
    day = decode(text, Day)
    topic = topics.day(day.date)
    check(topic, signed.record, signed.signature, keys[signed.key])
    if day.key != signed.key:
        raise WireError(f"signed with the key {signed.key}, and it names {day.key}")
    if (day.factory, day.agent) != (topics.factory, topics.agent):
        raise WireError(f"a record of {day.factory}/{day.agent} in the branch {topics.root}")
    rows = [(m.machines, m.num, m.den) for m in day.metrics]
    if any(
        not len(at) == len(num) == len(den) or max(at, default=-1) >= len(day.machines) for at, num, den in rows
    ):
        raise WireError("columns of different lengths, or of machines that the record does not have")
    return Opened(day, Head(day.number, day.date, head_hash(topic, signed.record)))


def follows(opened: Opened, before: Head | None) -> str | None:
    """Return why a record cannot be the next of a chain, or None if it is.

    Args:
        opened: From `open_day`.
        before: Where the chain stood; None for one that begins here.
    """
    day = opened.day
    if before is None:
        return None if day.number == 1 and day.prev is None else f"record {day.number} begins no chain"
    if day.number != before.number + 1:
        return f"record {day.number} after record {before.number}"
    if day.prev != before.hash:
        return f"record {day.number} continues another chain: its prev is not the hash of record {before.number}"
    if day.date <= before.date:
        return f"record {day.number} is of {day.date}, the one before of {before.date}"
    return None


def verify(
    messages: Iterable[SignedDay], topics: AgentTopics, keys: Mapping[str, PublicKey], before: Head | None = None
) -> list[Opened]:
    """Return the records of a piece of a chain, verified one by one and together.

    Args:
        messages: In order of the chain.
        topics: The agent's branch.
        keys: See `open_day`.
        before: What is known of the record before the first one; None when the first is number 1.

    Raises:
        WireError: what is wrong with the first record that is.
    """
    found: list[Opened] = []
    for signed in messages:
        opened = open_signed(signed, topics, keys)
        if (why := follows(opened, before)) is not None:
            raise WireError(why)
        found.append(opened)
        before = opened.head
    return found
