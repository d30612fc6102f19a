"""Tag dictionaries by their hash: parts come in any order, are joined, verified and kept for a while.

A birth is content-addressed: its hash is over the whole uncompressed JSON, so a known hash never has to be
looked at again, and a wrong part can only spoil the set of the branch that sent it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec.structs import replace

from contract import codec
from contract.errors import WireError
from contract.payload import Birth
from gateway.points import Dictionary
from gateway.stores.base import finish

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from contract.topics import AgentTopics

CACHE_BYTES = 10**9
PARTS_BYTES = 64 * 10**6
_HASH = re.compile(r"[0-9a-f]{32}")
_LABEL = re.compile(r"([1-9][0-9]?)of([1-9][0-9]?)")
_EXPANSION = 4  # memory of a `Dictionary` over the bytes of its JSON, rounded up (measured: 3.7)
_OVERHEAD = 700  # bytes that an empty dictionary, or a set of one short part, takes (measured: 560, 630)

K = TypeVar("K")
V = TypeVar("V")


class _Lru(Generic[K, V]):
    """Values with a cost each; the least recently used go when the sum exceeds the limit, all but the last one."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sum = 0
        self._held: OrderedDict[K, tuple[int, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: K) -> V | None:
        if key not in self._held:
            return None
        self._held.move_to_end(key)
        return self._held[key][1]

    def pop(self, key: K) -> V | None:
        cost, value = self._held.pop(key, (0, None))
        self._sum -= cost
        return value

    def put(self, key: K, value: V, cost: int) -> None:
        self.pop(key)
        self._held[key] = (cost, value)
        self._sum += cost
        while self._sum > self._limit and len(self._held) > 1:
            self.pop(next(iter(self._held)))


class Births:
    """The dictionaries that are known, least recently used first to go.

    Args:
        max_bytes: Memory for dictionaries.
        max_part_bytes: Memory for the parts of incomplete ones.
    """

    def __init__(self, max_bytes: int = CACHE_BYTES, max_part_bytes: int = PARTS_BYTES) -> None:
        self._known: _Lru[str, tuple[Dictionary, tuple[bytes, ...]]] = _Lru(max_bytes)
        self._parts: _Lru[tuple[AgentTopics, str, int], dict[int, bytes]] = _Lru(max_part_bytes)

    def __len__(self) -> int:
        return len(self._known)

    def get(self, digest: str) -> Dictionary | None:
        """Return the dictionary with this hash, if it is known."""
        found = self._known.get(digest)
        return None if found is None else found[0]

    def raw(self, digest: str) -> bytes | None:
        """Return the JSON of a birth, if it is known."""
        found = self._known.get(digest)
        return None if found is None else _joined(found[1])

    def add(self, branch: AgentTopics, digest: str, label: str, payload: bytes) -> None:
        """Take one part, as `adding`, all at once."""
        finish(self.adding(branch, digest, label, payload))

    def adding(self, branch: AgentTopics, digest: str, label: str, payload: bytes) -> Generator[None, None, None]:
        """Take one part, in steps; with the last one the dictionary is known.

        Args:
            branch: Factory and agent of the topic.
            digest: The hash that the topic names.
            label: `{i}of{n}` of the topic.
            payload: The compressed part.

        Raises:
            WireError: no such part can exist, or the whole is not what the hash, the topic or the schema says;
                the set starts anew.
        """
        match = _LABEL.fullmatch(label)
        if not _HASH.fullmatch(digest) or match is None:
            raise WireError(f"{digest[:40]!r}, {label[:40]!r}: no part of a birth is named so")
        part, parts = int(match[1]), int(match[2])
        if not part <= parts <= codec.BIRTH_PARTS_LIMIT or len(payload) > 2 * codec.BIRTH_PART_LIMIT:
            raise WireError(f"part {label} of {len(payload)} bytes is larger than a birth can be")
        if self.get(digest) is not None:
            return
        key = (branch, digest, parts)
        held = {**(self._parts.pop(key) or {}), part: payload}
        if len(held) < parts:
            self._parts.put(key, held, _OVERHEAD + sum(map(len, held.values())))
            return
        packed = tuple(held[i] for i in sorted(held))
        raw = _joined(packed)
        if codec.digest(raw) != digest:
            raise WireError(f"the parts of birth {digest} have another hash together")
        yield
        birth = codec.decode(raw, Birth, codec.BIRTH_PART_LIMIT * codec.BIRTH_PARTS_LIMIT)
        dictionary = Dictionary(replace(birth, sources=[]))
        for source in birth.sources:
            yield from dictionary.adding(source)
        if (dictionary.factory, dictionary.agent) != (branch.factory, branch.agent):
            raise WireError(f"birth {digest} is of {dictionary.factory}/{dictionary.agent}, not of this topic")
        cost = _OVERHEAD + _EXPANSION * len(raw) + sum(map(len, packed))
        self._known.put(digest, (dictionary, packed), cost)


def _joined(parts: Iterable[bytes]) -> bytes:
    return b"".join(codec.decompress(part, codec.BIRTH_PART_LIMIT) for part in parts)
