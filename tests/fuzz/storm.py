"""Malformed messages for a gateway, made of good ones: at the level of topics, of zstd, of text and of JSON.

Everything follows from a seed. Most mutants are nearly good, so that they get deep; every kind of damage has its
own function, and `KINDS` names them all.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import zstandard

from contract import codec, topics
from contract.payload import Birth, Data
from tests.gateway.builders import BIRTH, SIGNALS, SOURCE
from tests.gateway.mutants import GOOD

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

GOLDEN = Path(__file__).parents[1] / "golden" / "tsq-1"
ZSTD = codec.CONTENT_TYPE_ZSTD
ROGUE = topics.AgentTopics("hanil", "rogue")
ROGUE_BIRTH = codec.encode(msgspec.structs.replace(BIRTH, agent="rogue"))
BOMB = 200 * 1024 * 1024


class Mutant(NamedTuple):
    """A message that no honest agent sends."""

    topic: str
    payload: bytes
    content_type: str | None = ZSTD


def _golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


def seeds() -> list[bytes]:
    """Return good messages of the rogue, as JSON: under its known birth, and the golden one under none."""
    known = codec.digest(ROGUE_BIRTH)
    return [
        codec.encode(msgspec.structs.replace(GOOD, birth=known)),
        codec.encode(msgspec.structs.replace(codec.decode(_golden("data"), Data), birth=known)),
        _golden("data"),
    ]


def births() -> list[bytes]:
    """Return good births, as JSON."""
    return [ROGUE_BIRTH, codec.encode(codec.decode(_golden("birth"), Birth))]


# Values that stand where others should

RAW: dict[str, bytes] = {
    "nan": b"NaN", "inf": b"Infinity", "minf": b"-Infinity", "huge": b"9" * 4000, "hugef": b"1e99999",
    "tiny": b"1e-99999", "big": b"18446744073709551616", "neg0": b"-0", "lead0": b"007", "plus": b"+1",
    "hex": b"0x1F",
    "sur": b'"\\ud800"', "sur2": b'"\\udc00\\ud800"', "nul": b'"\\u0000"', "badesc": b'"\\x41"', "ctl": b'"\x01"',
    "utf": b'"\xff\xfe"', "over": b'"\xc0\x80"', "open": b'"', "deep": b"[" * 2000 + b"]" * 2000,
    "deeper": b'{"a":' * 3000 + b"1" + b"}" * 3000, "halfdeep": b"[" * 5000, "dup": b'{"a":1,"a":2}', "py": b"None",
    "long": b'"' + b"x" * 100_000 + b'"', "comment": b"/*x*/1",
}  # fmt: skip
"""Raw JSON, most of it none, by the name of a place that it takes."""
PLAIN: tuple[object, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**32, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, 0.5, -0.0, 1e308,
    "",
    "0", "-1", "９", "1e3", "+1", " 1", "9" * 19, "9" * 20, "9" * 31, "\u202e", "a\nb", "tsq_event", SOURCE, [], {},
    [[]], [None], {"a": {"b": []}}, "press-1", "../x", "$SYS", "#", "+", "x" * 129, "x" * 300,
)  # fmt: skip


class Storm:
    """An endless supply of mutants.

    Args:
        chance: Decides everything.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._seeds = seeds()
        self._births = births()
        self._compressor = zstandard.ZstdCompressor(level=1)
        self._bombs = [self._bomb(size) for size in (codec.DATA_LIMIT + 1, 10**7, BOMB)]
        dictionary = zstandard.ZstdCompressionDict(b"press-1 oven-2 stored" * 40)
        self._with_dictionary = zstandard.ZstdCompressor(dict_data=dictionary)

    def next(self) -> Mutant:
        """Return the next mutant."""
        pick: Callable[[Storm], Mutant] = self.chance.choices(KINDS, WEIGHTS)[0]
        return pick(self)

    def _tree(self, seed: bytes) -> bytes:
        """Return a message with one to four nodes replaced, removed, repeated or renamed."""
        tree = msgspec.json.decode(seed)
        for _ in range(self.chance.randint(1, 4)):
            self._disturb(tree)
        text = msgspec.json.encode(tree)
        if b'"@' in text:
            for name, raw in RAW.items():
                text = text.replace(f'"@{name}@"'.encode(), raw)
        return text

    def _disturb(self, tree: object) -> None:
        parent, key = tree, None
        while True:
            inner = (
                list(parent) if isinstance(parent, dict) else range(len(parent)) if isinstance(parent, list) else ()
            )
            if not inner:
                return
            key = self.chance.choice(list(inner))
            child = parent[key]  # type: ignore[index]
            if not isinstance(child, dict | list) or not child or self.chance.random() < 0.15:
                break
            parent = child
        what = self.chance.random()
        if isinstance(parent, dict):
            if what < 0.12:
                del parent[key]
            elif what < 0.18:
                parent[f"{key}x"] = parent.pop(key)
            else:
                parent[key] = self._odd()
        elif isinstance(parent, list):
            if what < 0.12:
                del parent[int(str(key))]
            elif what < 0.24:
                parent[int(str(key)) :] = parent[int(str(key)) :] * self.chance.choice((2, 2, 3, 200))
            else:
                parent[int(str(key))] = self._odd()

    def _odd(self) -> object:
        if self.chance.random() < 0.3:
            return f"@{self.chance.choice(list(RAW))}@"
        return copy.deepcopy(self.chance.choice(PLAIN))  # which may be changed in its turn

    def data(self) -> Mutant:
        """Return data with odd values in it."""
        return Mutant(ROGUE.data, self._compressor.compress(self._tree(self.chance.choice(self._seeds))))

    def nonsense(self) -> Mutant:
        """Return data of the right shape whose rows make no sense."""
        count = self.chance.randint(0, 30)
        tree = msgspec.json.decode(self._seeds[0])
        values = self.chance.choices(PLAIN[:26], k=count)
        tree["blocks"] = [
            {
                "seq": 1, "source": SOURCE, "signal": [self.chance.randint(0, len(SIGNALS)) for _ in range(count)],
                "time": {"first": self.chance.choice(("0", "-1", "1795000000000000000", "9" * 18, "9" * 19)),
                         "steps": [self.chance.choice((0, 1, -1, 10**9, 2**62, "5", "x")) for _ in range(count)]},
                "value": values, "status": self.chance.choices((0, 0, 1 << 30, 1 << 31, 2**32 - 1), k=count),
            }
        ]  # fmt: skip
        return Mutant(ROGUE.data, self._compressor.compress(msgspec.json.encode(tree)))

    def text(self) -> Mutant:
        """Return data whose JSON is damaged as text."""
        raw = bytearray(self.chance.choice(self._seeds))
        self._bytes(raw)
        if self.chance.random() < 0.2:
            raw = raw[: self.chance.randrange(len(raw) + 1)]
        begin = self.chance.choice((b"", b"", b"", b"\xef\xbb\xbf", b" ", b"[", b"\x00", b"\xff\xfe"))
        return Mutant(ROGUE.data, self._compressor.compress(begin + bytes(raw)))

    def _bytes(self, raw: bytearray) -> None:
        for _ in range(self.chance.randint(1, 6)):
            at = self.chance.randrange(len(raw) + 1)
            raw[at : at + self.chance.randint(0, 3)] = self.chance.randbytes(self.chance.randint(0, 3))

    def frame(self) -> Mutant:
        """Return data whose zstd frame is damaged."""
        raw = bytearray(codec.compress(self.chance.choice(self._seeds)))
        if self.chance.random() < 0.5:
            self._bytes(raw)
        else:
            raw = raw[: self.chance.randrange(len(raw))]
        return Mutant(ROGUE.data, bytes(raw))

    def _bomb(self, size: int) -> bytes:
        return zstandard.ZstdCompressor(level=19).compress(bytes(size))

    def bomb(self) -> Mutant:
        """Return a frame that promises too much, too little or nothing, or is several, or needs a dictionary."""
        good = self.chance.choice(self._seeds)
        streamed = self._compressor.compressobj()
        unsized = streamed.compress(good) + streamed.flush()
        skip = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"skip"
        bomb = bytearray(self.chance.choice(self._bombs))
        lying = bytearray(self.chance.choice(self._bombs))
        lying[5:9] = self.chance.choice(((1).to_bytes(4, "little"), b"\xff" * 4, (1000).to_bytes(4, "little")))
        whole = codec.compress(good)
        payload = self.chance.choice((
            bytes(bomb), bytes(lying), unsized, whole + whole, whole + b"tail", skip + whole, skip, whole + skip,
            self._with_dictionary.compress(good), zstandard.ZstdCompressor(write_content_size=False).compress(good),
            zstandard.ZstdCompressor(write_checksum=True).compress(good), good, b"", codec.compress(b""),
        ))  # fmt: skip
        return Mutant(ROGUE.data, payload)

    def topic(self) -> Mutant:
        """Return good data where it does not belong, or of a wrong type."""
        topic = self.chance.choice((
            "", "tsq", "tsq/1", "tsq/1/hanil/rogue", "tsq/0/hanil/rogue/data", "tsq/1/hanil/rogue/data/x",
            "tsq/1/HANIL/rogue/data", "tsq/1//rogue/data", "tsq/1/hanil/data/data", "tsq/1/hanil/stored/data",
            "tsq/1/daehan/rogue/data", "tsq/1/hanil/edge-1/stored", "tsq/1/hanil/rog\u0440e/data",
            "tsq/1/" + "x" * 5000,
            "tsq/1/hanil/rogue/birth/x/1of1", "tsq/1/_gateway/worker/gw", "tsq/1/hanil/+/data", "tsq/1/hanil/#",
            "\u202e/\u0000", f"tsq/1/hanil/r{self.chance.randrange(10**6)}/data",
        ))  # fmt: skip
        kind = self.chance.choice((ZSTD, ZSTD, None, "", "application/json", "x" * 1000, "\x00"))
        return Mutant(topic, codec.compress(self.chance.choice(self._seeds)), kind)

    def birth(self) -> Mutant:
        """Return a part of a birth that is no such part, or of a birth that is none."""
        raw = self.chance.choice(self._births)
        if self.chance.random() < 0.7:
            raw = self._tree(raw)
        digest = codec.digest(raw) if self.chance.random() < 0.7 else self.chance.randbytes(16).hex()
        digest = self.chance.choice((digest, digest, digest, digest.upper(), digest[:-1], "x" * 32))
        label = self.chance.choice((
            "1of1", "1of1", "1of1", "1of2", "2of2", "64of64", "65of65", "0of1", "2of1", "1of0", "01of1", "1of01",
            "\u0661of1", "of", "1of1of1", f"{self.chance.randint(1, 64)}of64",
        ))  # fmt: skip
        part = self.chance.choice(
            (codec.compress(raw), codec.compress(raw[:-1]), raw, self.chance.choice(self._bombs))
        )
        return Mutant(f"{ROGUE.root}/birth/{digest}/{label}", part)

    def noise(self) -> Mutant:
        """Return bytes."""
        return Mutant(ROGUE.data, self.chance.randbytes(self.chance.randint(0, 300)))


KINDS: tuple[Callable[[Storm], Mutant], ...] = (
    Storm.data, Storm.nonsense, Storm.text, Storm.frame, Storm.bomb, Storm.topic, Storm.birth, Storm.noise,
)  # fmt: skip
WEIGHTS = (40, 15, 15, 8, 5, 5, 10, 2)
