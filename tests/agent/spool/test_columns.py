"""Blocks of columns: the very bytes come back, whatever is in them, and nothing in a blob is believed."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from agent import entry
from agent.errors import WireError
from agent.spool import columns, columns_streams
from agent.spool.columns_arrays import CONTENTS_LIMIT
from contract import codec
from contract.payload import Block, Times, Value, WireEvent
from tests.agent.test_entry import ITEMS
from tests.support.plant import KINDS, START_NS, Kind, Plant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.frame import Item

Entries = list[tuple[int, bytes]]

NUMBERS = st.integers(-(2**63), 2**63 - 1).map(codec.number)
ANY_VALUES: st.SearchStrategy[Value] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.integers(-(2**80), 2**80).map(str)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.decimals(-10_000, 10_000, places=2).map(float)
    | st.sampled_from([0.0, -0.0, 5e-324, 1.7e308, 2.0**53, 2.0**53 + 2, 1e22, 0.1, 3.4028234663852886e38])
    | st.sampled_from(["", "0", "-0", "007", "9007199254740993", "-9223372036854775808", "9223372036854775808"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)


@st.composite
def contents(draw: st.DrawFn, seq: int) -> bytes:
    """The JSON of an entry straight from the wire's types: more than collectors ever make."""
    blocks = []
    for _ in range(draw(st.integers(0, 3))):
        n = draw(st.integers(0, 5))

        def column(of: st.SearchStrategy[Any], n: int = n) -> list[Any]:
            return draw(st.lists(of, min_size=n, max_size=n))

        def optional(of: st.SearchStrategy[Any], column: Callable[..., list[Any]] = column) -> list[Any]:
            return column(of) if draw(st.booleans()) else []

        blocks.append(
            Block(
                seq=seq if draw(st.integers(0, 20)) else seq + 1,
                source=draw(st.sampled_from(["a", "b", "설비"])),
                signal=column(st.integers(0, 3) | st.integers(0, 2**40)),
                time=Times(str(draw(st.integers(-(2**64), 2**64))), column(st.just(0) | NUMBERS)),
                value=column(ANY_VALUES),
                status=optional(st.integers(0, 2**32 - 1)),
                source_time=optional(st.none() | NUMBERS),
                server_time=optional(st.none() | NUMBERS),
                round_trips=draw(st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 2**32)), max_size=2)),
            )
        )
    events = [WireEvent(seq, "gap", "5", {"안": 1.5})] * draw(st.integers(0, 1))
    marks = draw(
        st.lists(st.tuples(st.sampled_from(["a", "z"]), st.integers(-(2**65), 2**65).map(str)), max_size=2)
    )
    return codec.encode(entry.Content(blocks, events, [], marks, draw(st.text("befwé", max_size=4))))


@st.composite
def several(draw: st.DrawFn) -> Entries:
    """A few entries of any content, and some bytes that are none."""
    seqs = draw(st.lists(st.integers(1, 2**62), max_size=5, unique=True))
    return [(seq, draw(contents(seq) | st.binary(max_size=30)) if draw(st.booleans()) else b"{}") for seq in seqs]


@settings(max_examples=150, deadline=None)
@given(st.lists(ITEMS, max_size=4))
def test_what_the_agent_commits_comes_back(seconds: list[list[Item]]) -> None:
    """Every byte of it, for any items."""
    entries: Entries = []
    for items in seconds:
        seq = len(entries) + 1
        good, _ = entry.sound(entry.stamp(entry.arrange(items), 0)[0])
        entries += [(seq + n, raw) for n, (_, raw) in enumerate(entry.pack(good, seq))]
    assert columns.decode(columns.encode(entries)) == entries


@settings(max_examples=300, deadline=None)
@given(several())
def test_whatever_is_given_comes_back(entries: Entries) -> None:
    """Also what no agent writes: the spool keeps what it was given."""
    assert columns.decode(columns.encode(entries)) == entries


def minute(kind: Kind, count: int = 60) -> Entries:
    """A minute of the plant."""
    plant = Plant(kind, hours=1)
    return [(n + 5, entry.encode(entry.arrange(items), n + 5)) for n, items in enumerate(plant.seconds(count, 600))]


@pytest.mark.parametrize(("kind", "most"), [("demo", 1.0), ("float32", 3.8), ("float64", 8.3)])
def test_a_minute_of_the_plant_is_small(kind: Kind, most: float) -> None:
    """Bytes a sample, all of an entry included; the issue allows 2.5, 4.5 and 8.6 for the whole spool."""
    entries = minute(kind)
    blob = columns.encode(entries)
    assert columns.decode(blob) == entries
    assert len(blob) / 60_000 < most
    assert kind in KINDS


def test_one_odd_entry_costs_the_others_nothing() -> None:
    """It is carried as it is, they stay columns."""
    entries = minute("demo")
    sound = len(columns.encode(entries))
    odd = entries[7][1].replace(b'"seq":12,', b'"seq": 12,')
    entries[7] = (entries[7][0], odd)
    blob = columns.encode(entries)
    assert columns.decode(blob) == entries
    assert len(blob) < sound + len(codec.compress(odd)) + 200


def test_too_much_is_refused() -> None:
    """A block has limits, so that reading it back costs little memory."""
    with pytest.raises(ValueError, match="more than"):
        columns.encode([(1, b" " * (CONTENTS_LIMIT + 1))])
    assert columns.decode(columns.encode([])) == []


def resigned(blob: bytes) -> bytes:
    """A blob with the checksum that its content asks for: what an attacker would write."""
    return blob[:4] + columns_streams.checksum(blob[12:]) + blob[12:]


def test_damage_is_seen() -> None:
    """Each byte counts: a block that is not what was written is refused."""
    blob = columns.encode(minute("demo", 3))
    for at in random.Random(2).sample(range(len(blob)), 200):
        with pytest.raises(WireError):
            columns.decode(blob[:at] + bytes([blob[at] ^ 0x10]) + blob[at + 1 :])
        with pytest.raises(WireError):
            columns.decode(blob[:at])


def test_nothing_in_a_blob_is_believed() -> None:
    """With a good checksum over anything else: entries of moderate size, or a WireError, and no other end."""
    rng = random.Random(3)
    blobs = [columns.encode(minute(kind, 2)) for kind in KINDS]
    refused = 0
    for _ in range(1_500):
        blob = bytearray(rng.choice(blobs))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(12, min(len(blob), rng.choice([60, 600, len(blob)])))
            blob[at] = rng.choice([0, 1, 127, 255, rng.randrange(256)])
        try:
            found = columns.decode(resigned(bytes(blob)))
        except WireError:
            refused += 1
        else:
            assert sum(len(raw) for _, raw in found) <= CONTENTS_LIMIT
    assert refused > 500


def bomb(*streams: tuple[bytes, int]) -> bytes:
    """A blob of made-up streams: (packed, what is said of its length)."""
    lengths = [n for packed, plain in streams for n in (len(packed), plain)]
    body = struct.pack(f"<I{len(lengths)}I", len(streams), *lengths) + b"".join(packed for packed, _ in streams)
    return columns_streams.MAGIC + columns_streams.checksum(body) + body


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"TSC1",
        bomb(),
        bomb((b"x" * 17, 17)),
        bomb((codec.compress(bytes(10**6)), 17)),  # longer than is said
        bomb((codec.compress(bytes(10**6)), 10**6)),
        bomb((struct.pack("<Bqq", 0, 1, 4_000), 17)),  # 4,000 entries of nothing
        bomb((struct.pack("<Bqq", 0, 1, -1), 17)),
        bomb((struct.pack("<Bqq", 9, 1, 1), 17)),
        bomb(*[(b"", 2**32 - 1)] * 8),
        bomb(*[(b"", 0)] * 5_000),
    ],
)
def test_made_up_blobs_are_refused(blob: bytes) -> None:
    """And nothing of the size that they claim is made."""
    with pytest.raises(WireError):
        columns.decode(blob)


def test_rows_that_share_one_text_cannot_fill_the_memory() -> None:
    """A long text that many rows name counts as often as it is named."""
    long = "가" * 50_000
    values: Sequence[Value] = [long] * 60
    block = Block(seq=1, source="a", signal=[0] * 60, time=Times("5", [0] * 60), value=list(values))
    raw = codec.encode(entry.Content([block], [], [], [], "b"))
    assert len(raw) > CONTENTS_LIMIT
    with pytest.raises(ValueError, match="more than"):
        columns.encode([(1, raw)])
    half = codec.encode(
        entry.Content(
            [Block(seq=1, source="a", signal=[0] * 30, time=Times("5", [0] * 30), value=[long] * 30)],
            [],
            [],
            [],
            "b",
        )
    )
    blob = columns.encode([(1, half)])
    assert len(blob) < 2_000
    assert columns.decode(blob) == [(1, half)]


def test_numbers_of_every_size_survive() -> None:
    """Around any median, in any unit, also where differences wrap."""
    rng = np.random.default_rng(4)
    columns_of = [
        np.array([], np.int64),
        np.array([-(2**63), 2**63 - 1, 0]),
        np.array([-(2**63)] * 3),
        np.array([2**63 - 1, -(2**63)]),
        START_NS + np.arange(50) * 10**9,
        rng.integers(-(2**63), 2**63 - 1, 1_000),
    ]
    out = columns_streams.Writer()
    for column in columns_of:
        out.numbers(column)
    reader = columns_streams.Reader(out.blob(), 10**6)
    for column in columns_of:
        assert reader.numbers(len(column)).tolist() == column.tolist()
    reader.end()
