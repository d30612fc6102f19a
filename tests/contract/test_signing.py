"""Daily records: whoever has the public key sees every change to a record and to the chain of them."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contract.codec import decode, encode
from contract.day import SignedDay
from contract.errors import WireError
from contract.signing import Opened, key_id, key_of, key_text, open_day, private_key, sign_day, verify
from contract.topics import AgentTopics
from tests.golden import DAY, KEY, SIGNED, TOPICS

KEYS = {key_id(KEY.public_key()): KEY.public_key()}
OTHER = private_key(bytes(32))


def chain(n: int) -> list[SignedDay]:
    found: list[SignedDay] = []
    before: Opened | None = None
    for number in range(1, n + 1):
        prev = None if before is None else before.head.hash
        day = replace(DAY, number=number, prev=prev, date=f"2026-10-{number:02}")
        raw = sign_day(day, TOPICS, KEY)
        before = open_day(raw, TOPICS, KEYS)
        found.append(decode(raw, SignedDay))
    return found


CHAIN = chain(5)


def test_a_whole_chain_verifies_and_says_where_it_stands() -> None:
    found = verify(CHAIN, TOPICS, KEYS)
    assert [one.day.date for one in found] == [f"2026-10-0{n}" for n in range(1, 6)]
    assert [one.head.number for one in found] == [1, 2, 3, 4, 5]
    assert verify(CHAIN[3:], TOPICS, KEYS, found[2].head) == found[3:]


@given(st.lists(st.integers(0, 4), max_size=8))
def test_only_a_chain_from_its_begin_in_its_order_verifies(picked: list[int]) -> None:
    messages = [CHAIN[at] for at in picked]
    if picked == list(range(len(picked))):
        assert len(verify(messages, TOPICS, KEYS)) == len(picked)
    else:
        with pytest.raises(WireError, match=r"begins no chain|after record|continues another"):
            verify(messages, TOPICS, KEYS)


@given(st.integers(0, len(SIGNED.record) - 1), st.characters(codec="utf-8"))
def test_a_changed_character_of_a_record_is_seen(at: int, other: str) -> None:
    text = SIGNED.record[:at] + other + SIGNED.record[at + 1 :]
    raw = encode(replace(SIGNED, record=text))
    if text == SIGNED.record:
        assert open_day(raw, TOPICS, KEYS).day == DAY
    else:
        with pytest.raises(WireError):
            open_day(raw, TOPICS, KEYS)


@given(st.integers(0, 511))
def test_a_changed_bit_of_a_signature_is_seen(bit: int) -> None:
    raw = bytearray(base64.b64decode(SIGNED.signature))
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(WireError, match="signature is wrong"):
        open_day(encode(replace(SIGNED, signature=base64.b64encode(raw).decode())), TOPICS, KEYS)


def test_a_record_counts_in_its_own_branch_and_by_its_own_key_only() -> None:
    raw = encode(SIGNED)
    assert open_day(raw, TOPICS, KEYS).day == DAY
    with pytest.raises(WireError, match="unknown key"):
        open_day(raw, TOPICS, {})
    with pytest.raises(WireError, match="signature is wrong"):
        open_day(raw, AgentTopics("hanil", "edge-2"), KEYS)
    with pytest.raises(WireError, match="signature is wrong"):
        open_day(raw, TOPICS, {SIGNED.key: OTHER.public_key()})
    with pytest.raises(WireError, match="key that it names"):
        sign_day(DAY, TOPICS, OTHER)
    with pytest.raises(WireError, match="its own agent"):
        sign_day(replace(DAY, agent="edge-2"), TOPICS, KEY)


def test_a_chain_cannot_be_forked_or_begun_anew_behind_a_known_head() -> None:
    heads = verify(CHAIN, TOPICS, KEYS)
    otherwise = replace(DAY, number=3, date="2026-10-03", prev=heads[1].head.hash, simulated=0.5)
    fork = decode(sign_day(otherwise, TOPICS, KEY), SignedDay)
    assert len(verify([*CHAIN[:2], fork], TOPICS, KEYS)) == 3
    with pytest.raises(WireError, match="continues another chain"):
        verify([*CHAIN[:2], fork, CHAIN[3]], TOPICS, KEYS)
    earlier = replace(DAY, number=6, date="2026-10-05", prev=heads[4].head.hash)
    with pytest.raises(WireError, match="the one before of 2026-10-05"):
        verify([*CHAIN, decode(sign_day(earlier, TOPICS, KEY), SignedDay)], TOPICS, KEYS)


def test_columns_that_do_not_fit_are_refused() -> None:
    changes: list[dict[str, object]] = [{"machines": [7]}, {"num": [1.0, 2.0]}, {"den": []}]
    for change in changes:
        bad = replace(DAY, metrics=[replace(DAY.metrics[0], **change)])
        with pytest.raises(WireError, match="columns"):
            open_day(sign_day(bad, TOPICS, KEY), TOPICS, KEYS)


def test_a_record_that_is_too_large_is_not_signed() -> None:
    with pytest.raises(WireError, match="at most"):
        sign_day(replace(DAY, zone="x" * 300_000), TOPICS, KEY)


def test_another_program_can_verify_with_any_ed25519_library() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    document = json.loads(encode(SIGNED))
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(key_text(KEY.public_key())))
    date = json.loads(document["record"])["date"]
    key.verify(
        base64.b64decode(document["signature"]), f"tsq/1/hanil/edge-1/day/{date}\n{document['record']}".encode()
    )
    assert key_of(key_text(KEY.public_key())) == KEY.public_key()
    for wrong in ("", "AAAA", "%" * 44):
        with pytest.raises(WireError, match="no Ed25519"):
            key_of(wrong)
