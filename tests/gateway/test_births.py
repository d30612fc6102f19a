"""Tag dictionaries in parts."""

from __future__ import annotations

import random
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from contract import codec, topics
from contract.errors import WireError
from gateway.births import Births
from tests.gateway.builders import BIRTH, BIRTH_HASH, BRANCH, birth_messages

if TYPE_CHECKING:
    from contract.payload import Birth


def large(agent: str = "edge-1", signals: int = 6000) -> Birth:
    """Return a birth of several parts."""
    source = BIRTH.sources[0]
    many = [replace(source.signals[0], id=f"signal-{i}", description="설명 " * 10) for i in range(signals)]
    return replace(BIRTH, agent=agent, sources=[replace(source, signals=many)])


def feed(births: Births, messages: list[tuple[str, bytes]]) -> None:
    """Give messages to the cache as `Ingest` does."""
    for topic, payload in messages:
        branch, (_, digest, label) = topics.split(topic)
        births.add(branch, digest, label, payload)


def digest_of(birth: Birth) -> str:
    return codec.digest(codec.encode(birth))


def test_a_birth_is_known_once_its_last_part_is_there_in_whatever_order() -> None:
    birth = large()
    messages = birth_messages(birth)
    assert len(messages) > 2
    random.Random(1).shuffle(messages)
    births = Births()
    feed(births, messages[:-1] * 2)
    assert births.get(digest_of(birth)) is None
    feed(births, messages[-1:])
    dictionary = births.get(digest_of(birth))
    assert dictionary is not None
    assert len(dictionary.sources["press-plc.fast"].columns) == 6000


def test_parts_of_agents_that_come_mixed_do_not_meet() -> None:
    one, two = birth_messages(large("edge-1")), birth_messages(large("edge-2"))
    births = Births()
    feed(births, [message for pair in zip(one, two, strict=True) for message in pair])
    assert len(births) == 2


def test_a_wrong_part_is_refused_and_the_right_set_is_taken_afterwards() -> None:
    messages = birth_messages(large())
    births = Births()
    wrong = [(messages[0][0], codec.compress(b"{}")), *messages[1:]]
    with pytest.raises(WireError, match="another hash"):
        feed(births, wrong)
    feed(births, messages)
    assert len(births) == 1


def test_a_set_that_another_branch_sends_never_becomes_known() -> None:
    births = Births()
    other = topics.AgentTopics("hanil", "edge-2")
    ((_, payload),) = birth_messages()
    with pytest.raises(WireError, match="not of this topic"):
        births.add(other, BIRTH_HASH, "1of1", payload)
    assert births.get(BIRTH_HASH) is None


@pytest.mark.parametrize(
    ("digest", "label", "payload"),
    [
        (BIRTH_HASH, "0of1", b""),
        (BIRTH_HASH, "2of1", b""),
        (BIRTH_HASH, "1of65", b""),
        (BIRTH_HASH, "1of1of1", b""),
        (BIRTH_HASH, "1", b""),
        (BIRTH_HASH[:-1], "1of1", b""),
        (BIRTH_HASH.upper(), "1of1", b""),
        (BIRTH_HASH, "1of1", b"not zstd"),
        (BIRTH_HASH, "1of1", bytes(codec.BIRTH_PART_LIMIT * 2 + 1)),
        (BIRTH_HASH, "1of2", bytes(codec.BIRTH_PART_LIMIT * 2 + 1)),
        (BIRTH_HASH, "1of1", codec.compress(bytes(codec.BIRTH_PART_LIMIT + 1))),
        (codec.digest(b"[]"), "1of1", codec.compress(b"[]")),
    ],
)
def test_what_is_no_part_of_a_birth_is_refused(digest: str, label: str, payload: bytes) -> None:
    births = Births()
    with pytest.raises(WireError):
        births.add(BRANCH, digest, label, payload)
    assert len(births) == 0


def test_the_least_recently_used_birth_goes_when_the_cache_is_full() -> None:
    first, second, third = (large(f"edge-{i}", signals=100) for i in range(3))
    cost = 4 * len(codec.encode(first))
    births = Births(max_bytes=2 * cost + cost // 2)
    feed(births, birth_messages(first))
    feed(births, birth_messages(second))
    assert births.get(digest_of(first)) is not None
    feed(births, birth_messages(third))
    assert births.get(digest_of(second)) is None
    assert births.get(digest_of(first)) is not None
    assert births.get(digest_of(third)) is not None


def test_parts_that_never_become_whole_do_not_fill_the_memory() -> None:
    births = Births(max_part_bytes=100_000)
    tracemalloc.start()
    for number in range(5000):
        births.add(BRANCH, f"{number:032x}", "1of2", b"x")
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken <= 150_000, "what a set takes beside its bytes counts too"
