"""The message that brings answers: who has signed them, and whether they may be believed.

    envelope {answers, key, signature}      retained on `tsq/1/{factory}/{agent}/answers`

`answers` is the JSON text of a set, `signature` Ed25519 over these very bytes with the name of the agent before
them (`contract.signing`): nothing has to be written anew to be checked, in whatever language, and what was signed
for one agent is of no use to another. `key` names the public key. Private keys are given by whoever signs, and
never leave this module, neither in errors nor in logs.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from contract.codec import PLAIN_LIMIT, decode, encode
from contract.errors import WireError
from contract.payload import SignedAnswers
from contract.signing import PublicKey, check, key_id, seal
from settings.language import Complaint, Text

if TYPE_CHECKING:
    from contract.signing import PrivateKey
    from contract.topics import AgentTopics

PEM = b"-----BEGIN PUBLIC KEY-----"


class NotBelieved(Exception):  # noqa: N818 - reads as what happened
    """A message that is not taken over; `text` says why in both languages."""

    def __init__(self, en: str, ko: str) -> None:
        super().__init__(en)
        self.text = Text(en, ko)


def public_key(written: bytes) -> PublicKey:
    """Return a public key from PEM, or from the base64 of its 32 bytes.

    Raises:
        Complaint: it is neither.
    """
    text = written.strip()
    try:
        if text.startswith(PEM):
            key = load_pem_public_key(text)
        else:
            key = PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, PublicKey):
        raise Complaint(
            "is no Ed25519 public key: give its PEM file, or the base64 of its 32 bytes",
            "Ed25519 공개키가 아닙니다. PEM 파일 경로나 32바이트의 base64를 쓰십시오",
        )
    return key


def sign(text: str, topics: AgentTopics, key: PrivateKey) -> bytes:
    """Return the message that brings a set of answers to one agent.

    Args:
        text: The set, as JSON.
        topics: The agent's branch.
        key: The platform's.

    Raises:
        ValueError: it is larger than an agent takes.
    """
    raw = encode(SignedAnswers(text, key_id(key.public_key()), seal(topics.answers, text, key)))
    if len(raw) > PLAIN_LIMIT:
        raise ValueError(f"{len(raw)} bytes where at most {PLAIN_LIMIT} are allowed")
    return raw


def opened(raw: bytes, topics: AgentTopics, key: PublicKey) -> str:
    """Return the text of the answers that a message brings.

    Args:
        raw: The message.
        topics: The branch of the agent that reads it.
        key: Whom it believes.

    Raises:
        NotBelieved: too large, of another shape, by an unknown key, or forged.
    """
    if len(raw) > PLAIN_LIMIT:
        raise NotBelieved(
            f"it has {len(raw)} bytes, at most {PLAIN_LIMIT} are taken",
            f"크기가 {len(raw)}바이트로 한도({PLAIN_LIMIT}바이트)를 넘습니다",
        )
    try:
        envelope = decode(raw, SignedAnswers)
    except WireError as exc:
        raise NotBelieved(f"it is no signed set of answers: {exc}", "서명된 응답 형식이 아닙니다") from exc
    ours = key_id(key)
    if envelope.key != ours:
        raise NotBelieved(
            f"it is signed with the key {envelope.key}, and uplink.platform.answers_key is {ours}: ask the "
            "platform for its key",
            f"서명한 키({envelope.key})가 uplink.platform.answers_key({ours})와 다릅니다. "
            "운영기관에 키를 확인하십시오",
        )
    try:
        check(topics.answers, envelope.answers, envelope.signature, key)
    except WireError:
        raise NotBelieved(
            "its signature is wrong: it was changed on the way, signed for another agent, or forged",
            "서명이 맞지 않습니다. 전송 중에 바뀌었거나, 다른 에이전트용이거나, 위조되었습니다",
        ) from None
    return envelope.answers
