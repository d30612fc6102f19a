"""The signed message: what is believed, and every way in which it is not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from answers.load import read
from answers.signed import NotBelieved, opened, public_key, sign
from answers.versions import refused
from contract.codec import PLAIN_LIMIT
from contract.signing import key_id
from contract.topics import AgentTopics
from settings.language import Complaint
from tests.answers.given import given as a_set
from tests.answers.given import raw

TOPICS = AgentTopics("hanil", "edge-1")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
TEXT = json.dumps(raw(), ensure_ascii=False)
GOLDEN = Path(__file__).parents[1] / "golden" / "tsq-1" / "answers.json"


def why(raw_: bytes, topics: AgentTopics = TOPICS) -> str:
    with pytest.raises(NotBelieved) as caught:
        opened(raw_, topics, PUBLIC)
    assert caught.value.text.ko
    return caught.value.text.en


def test_what_was_signed_is_what_is_read() -> None:
    assert opened(sign(TEXT, TOPICS, KEY), TOPICS, PUBLIC) == TEXT


def test_the_golden_message_is_signed_as_the_page_says() -> None:
    text = opened(GOLDEN.read_bytes(), TOPICS, PUBLIC)
    found, problems = read(text.encode(), "message")
    assert found is not None, problems
    body = json.loads(GOLDEN.read_bytes())
    PUBLIC.verify(base64.b64decode(body["signature"]), b"tsq/1/hanil/edge-1/answers\n" + body["answers"].encode())
    assert body["key"] == key_id(PUBLIC)


def test_a_message_for_another_agent_is_not_believed() -> None:
    for other in (AgentTopics("hanil", "edge-2"), AgentTopics("daehan", "edge-1")):
        assert why(sign(TEXT, TOPICS, KEY), other).startswith("its signature is wrong")


def test_an_unknown_key_is_named() -> None:
    other = Ed25519PrivateKey.generate()
    text = why(sign(TEXT, TOPICS, other))
    assert key_id(other.public_key()) in text
    assert key_id(PUBLIC) in text


def test_a_key_that_lends_its_name_is_not_believed() -> None:
    body = json.loads(sign(TEXT, TOPICS, Ed25519PrivateKey.generate()))
    body["key"] = key_id(PUBLIC)
    assert why(json.dumps(body).encode()).startswith("its signature is wrong")


def test_what_is_too_large_is_not_even_read() -> None:
    assert why(b"{" + b" " * PLAIN_LIMIT).startswith(f"it has {PLAIN_LIMIT + 1} bytes")
    with pytest.raises(ValueError, match="at most"):
        sign("x" * PLAIN_LIMIT, TOPICS, KEY)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff", b'{"answers": 1, "key": "", "signature": ""}', b"null", b"[" * 5000,
     b'{"answers":"{}","key":"0011223344556677","signature":"%s"}' % (b"=" * 88)],
)  # fmt: skip
def test_what_has_another_shape_is_told(body: bytes) -> None:
    assert why(body).startswith("it is no signed set of answers")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_is_believed(place: int, difference: int) -> None:
    message = bytearray(sign(TEXT, TOPICS, KEY))
    message[place % len(message)] ^= difference
    try:
        text = opened(bytes(message), TOPICS, PUBLIC)
    except NotBelieved:
        return
    assert text == TEXT, "only what JSON does not mind may differ"


def test_keys_are_read_from_pem_and_base64() -> None:
    raw_key = PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw)
    pem = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for written in (pem, base64.b64encode(raw_key), base64.b64encode(raw_key) + b"\n"):
        assert key_id(public_key(written)) == key_id(PUBLIC)
    other = generate_private_key(65537, 2048).public_key()
    rsa = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for written in (b"", b"secret", base64.b64encode(raw_key[:31]), rsa, pem[:60]):
        with pytest.raises(Complaint, match="Ed25519") as caught:
            public_key(written)
        assert "secret" not in str(caught.value)


def test_the_agents_name_and_the_text_cannot_be_shifted_into_each_other() -> None:
    body = json.loads(sign("{}", TOPICS, KEY))
    PUBLIC.verify(base64.b64decode(body["signature"]), b"tsq/1/hanil/edge-1/answers\n{}")


def test_serials_grow() -> None:
    old, same, other, newer = (
        a_set(serial=4, machines=[{"id": "press-1"}]),
        a_set(serial=5),
        a_set(serial=5, machines=[{"id": "press-1"}]),
        a_set(serial=6),
    )
    assert refused(same, None) is None
    assert refused(same, same) is None
    assert refused(newer, same) is None
    stale = refused(old, same)
    assert stale is not None
    assert stale.en == "serial 4 is older than 5, which is in force: raise it to 6"
    changed = refused(other, same)
    assert changed is not None
    assert "raise it to 6" in changed.en
    assert "6" in changed.ko
