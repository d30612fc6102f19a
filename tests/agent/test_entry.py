"""Entries: what is encoded comes back, cut as it may be, and a message fits."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from agent import entry
from agent.errors import WireError
from agent.frame import (
    DataType,
    Event,
    Facts,
    FrameBlock,
    Item,
    RoundTrip,
    Rows,
    Signal,
    Source,
    Status,
    Value,
    Watermark,
)
from contract import codec
from contract.payload import Data
from gateway import points
from tests.support.items import START_NS, birth_of, frame, source

if TYPE_CHECKING:
    from collections.abc import Sequence

VALUES: dict[DataType, st.SearchStrategy[Value]] = {
    DataType.BOOL: st.booleans(),
    DataType.INT16: st.integers(-(2**15), 2**15 - 1),
    DataType.INT64: st.integers(-(2**63), 2**63 - 1),
    DataType.UINT64: st.integers(0, 2**64 - 1),
    DataType.FLOAT32: st.floats(width=32),
    DataType.FLOAT64: st.floats(),
    DataType.STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
}
SOURCES = tuple(
    Source(
        id=f"d{i}.main",
        device=f"d{i}",
        protocol="opcua",
        mode="subscription",
        interval_ns=10**9,
        signals=tuple(Signal(id=f"s-{t}", machine="m", name=str(t), dtype=t) for t in VALUES),
    )
    for i in range(3)
)
BY_ID = {s.id: s for s in SOURCES}
STATUSES = st.sampled_from([0, 0, 0, Status.UNCERTAIN, Status.BAD_TIMEOUT, 0xC000_0000, 0x4090_0007])
TIMES = st.integers(0, 10**12)
BODIES = st.dictionaries(
    st.text("ab", min_size=1),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", min_size=1), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)


@st.composite
def blocks(draw: st.DrawFn) -> FrameBlock:
    """A frame of any of the sources, with any values and times."""
    of = draw(st.sampled_from(SOURCES))
    rows = Rows(of)
    time = START_NS + draw(TIMES)
    for _ in range(draw(st.integers(0, 6))):
        signal = draw(st.integers(0, len(of.signals) - 1))
        time += draw(st.sampled_from([0, 1000, 10**9, -(10**6)]))
        stamps = draw(st.sampled_from([(0, 0), (time - 5, 0), (time + 10**15, time), (1, 2**62)]))
        rows.add(signal, time, draw(VALUES[of.signals[signal].dtype]), draw(STATUSES), *stamps)
    for _ in range(draw(st.integers(0, 2))):
        rows.round_trip(time, draw(st.integers(0, 10**10)), draw(STATUSES))
    return rows.take()


EVENTS = st.builds(
    Event,
    kind=st.sampled_from(["gap", "link_up"]),
    time_ns=TIMES.map(lambda t: START_NS + t),
    source=st.sampled_from([None, *BY_ID]),
    machine=st.sampled_from([None, "m"]),
    from_ns=st.none() | TIMES,
    to_ns=st.none() | TIMES,
    body=BODIES,
)
FACTS = st.builds(
    Facts,
    kind=st.sampled_from(["connection", "health"]),
    time_ns=TIMES.map(lambda t: START_NS + t),
    subject=st.just("d0"),
    body=BODIES,
)
ITEMS = st.lists(blocks() | EVENTS | FACTS | st.builds(Watermark, st.sampled_from([*BY_ID]), TIMES), max_size=12)


def flat(items: Sequence[Item]) -> list[Any]:
    """Items as plain data, for comparison."""
    out: list[Any] = []
    for item in items:
        if not isinstance(item, FrameBlock):
            out.append(item)
            continue
        stamps = [None if c is None or not c.any() else c.tolist() for c in (item.source_ns, item.server_ns)]
        values = [(type(v), repr(v)) for v in item.value]
        columns = [item.signal.tolist(), item.time_ns.tolist(), item.status.tolist()]
        out.append([item.source.id, *columns, values, *stamps, item.round_trips])
    return out


@given(ITEMS, st.integers(1, 2**40))
def test_what_is_encoded_comes_back(items: list[Item], seq: int) -> None:
    ready, _ = entry.stamp(entry.arrange(items), 0)
    good, broken = entry.sound(ready)
    raw = entry.encode(good, seq)
    back = entry.decode(raw, BY_ID)
    assert flat(back) == flat(good)
    assert entry.encode(back, seq) == raw
    assert all("strictly increase" in problem for _, problem in broken)


@given(ITEMS)
def test_arranging_keeps_every_row_in_its_sources_order(items: list[Item]) -> None:
    def of(name: str, these: Sequence[Item]) -> list[Any]:
        """Rows of a source, and what stands between them."""
        out: list[Any] = []
        for item in these:
            if isinstance(item, FrameBlock) and item.source.id == name:
                out += zip(item.signal.tolist(), item.time_ns.tolist(), map(repr, item.value), strict=True)
                out += [trip for trip in item.round_trips if not len(item)]
            elif isinstance(item, Watermark | Event) and item.source in {name, None}:
                out.append(item)
        return out

    arranged = entry.arrange(items)
    for name in BY_ID:
        rows = [x for x in of(name, items) if not isinstance(x, RoundTrip)]
        assert [x for x in of(name, arranged) if not isinstance(x, RoundTrip)] == rows
    assert len(arranged) <= len(items)


def test_frames_of_a_second_become_one_block_a_source() -> None:
    a, b = source("a.main"), source("b.main")
    items: list[Item] = []
    for i in range(10):
        items += [frame(a, START_NS + i * 10**8), frame(b, START_NS + i * 10**8)]
    items.append(Watermark("a.main", START_NS + 10**9))
    blocks_of = [item for item in entry.arrange(items) if isinstance(item, FrameBlock)]
    assert [(x.source.id, len(x)) for x in blocks_of] == [("a.main", 30), ("b.main", 30)]


@given(st.lists(EVENTS | FACTS, max_size=8), st.integers(0, START_NS + 2 * 10**12))
def test_times_of_events_and_facts_strictly_increase_within_a_clock_epoch(items: list[Item], last: int) -> None:
    stamped, end = entry.stamp(items, last)
    times = [x.time_ns for x in stamped if isinstance(x, Event | Facts)]
    for digits in {t % 1000 for t in times}:
        mine = [t for t in [last, *times] if t % 1000 == digits]
        assert all(a < b for a, b in itertools.pairwise(mine))
    assert end == (times[-1] if times else last)
    lone = [item for n, item in enumerate(items) if all(item.time_ns % 1000 != o.time_ns % 1000 for o in items[:n])]
    assert all(item.time_ns in times for item in lone if item.time_ns % 1000 != last % 1000), (
        "own time, if it is free"
    )
    epochs = [x.time_ns % 1000 for x in items if isinstance(x, Event | Facts)]
    assert [t % 1000 for t in times] == epochs, "the last three digits name the clock's epoch"


def test_what_is_too_large_for_a_message_is_cut_before_it_is_numbered() -> None:
    one = source(signals=2000, dtype=DataType.STRING)
    values: list[Value] = [f"{i:0>400}" for i in range(2000)]
    packed = entry.pack([frame(one, START_NS, values)], 7)
    assert len(packed) > 1
    assert all(len(raw) <= entry.CONTENT_LIMIT for _, raw in packed)
    assert [json.loads(raw)["blocks"][0]["seq"] for _, raw in packed] == list(range(7, 7 + len(packed)))
    back = [entry.decode(raw, {one.id: one})[0] for _, raw in packed]
    assert [v for block in back if isinstance(block, FrameBlock) for v in block.value] == values


def test_a_text_larger_than_a_message_leaves_a_bad_row_and_a_body_leaves_its_event() -> None:
    one = source(signals=1, dtype=DataType.STRING)
    huge = "가" * codec.DATA_LIMIT
    event = Event(kind="agent_start", time_ns=1, body={"text": huge})
    packed = entry.pack([frame(one, START_NS, [huge]), event], 1)
    items = [item for _, raw in packed for item in entry.decode(raw, {one.id: one})]
    assert isinstance(items[0], FrameBlock)
    assert (items[0].value, items[0].status.tolist()) == ([None], [entry.BAD_ENCODING_LIMITS])
    assert isinstance(items[1], Event)
    assert list(items[1].body) == ["too_large"]


def test_a_full_message_of_entries_stays_below_the_limit() -> None:
    one = source(signals=100)
    raws = [entry.pack([frame(one, START_NS + i, first=i)], i + 1)[0][1] for i in range(60)]
    entries = [(i + 1, codec.checksum(raw), raw) for i, raw in enumerate(raws)]
    payload = entry.message("a" * 16, "b" * 32, entries, historical=True)
    assert len(payload) <= entry.ENVELOPE + sum(len(raw) + entry.REFERENCE for raw in raws)
    data = codec.decode(payload, Data, codec.DATA_LIMIT)
    assert (data.historical, len(data.entries), len(data.blocks)) == (True, 60, 60)


def test_the_gateway_reads_our_messages_row_by_row() -> None:
    rows = Rows(SOURCES[0])
    values: dict[DataType, Value] = {
        DataType.BOOL: True,
        DataType.INT64: -(2**63),
        DataType.UINT64: 2**63 - 1,
        DataType.FLOAT64: 0.1,
        DataType.STRING: "가",
    }
    for i, (dtype, value) in enumerate(values.items()):
        rows.add(list(VALUES).index(dtype), START_NS + i * 1000, value)
    (_, raw), *_ = entry.pack([rows.take()], 1)
    birth = birth_of("hanil", "main", "edge-1", SOURCES)
    payload = entry.message("a" * 16, codec.digest(codec.encode(birth)), [(1, codec.checksum(raw), raw)])
    batch = points.build(codec.decode(payload, Data, codec.DATA_LIMIT), points.Dictionary(birth))
    assert not batch.faults
    assert {k: v for p in batch.points for k, v in p.fields.items()} == {
        "s-bool_b": True,
        "s-int64_i": -(2**63),
        "s-uint64_i": 2**63 - 1,
        "s-float64_f": 0.1,
        "s-string_s": "가",
    }


def test_what_breaks_its_promises_is_parted_from_what_can_be_committed() -> None:
    one = source(signals=1, dtype=DataType.STRING)
    good = frame(one, START_NS, ["ok"])
    backwards = dataclasses.replace(
        good,
        signal=np.zeros(2, np.int32),
        time_ns=np.array([2002, 1002]),
        value=["a", "b"],
        status=np.zeros(2, np.uint32),
    )
    surrogate = frame(one, START_NS + 1, ["\ud800"])
    kept, broken = entry.sound([good, backwards, surrogate])
    assert kept == [good]
    assert [item for item, _ in broken] == [backwards, surrogate]


@settings(max_examples=300)
@given(st.data())
def test_arbitrary_content_never_raises_anything_but_a_wire_error(data: st.DataObject) -> None:
    raw = entry.encode(entry.stamp(entry.arrange(data.draw(ITEMS)), 0)[0], 1)
    mutated = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    for read in (lambda x: entry.decode(x, BY_ID), entry.summary, lambda x: entry.message("s", "b", [(1, "c", x)])):
        try:
            read(bytes(mutated))
        except WireError:
            continue


def test_a_summary_counts_the_rows_by_source() -> None:
    a, b = source("a.main"), source("b.main", signals=2)
    items: list[Item] = [frame(a, START_NS), frame(b, START_NS + 5), Event(kind="agent_start", time_ns=3)]
    spans, events, facts = entry.summary(entry.encode(items, 1))
    assert spans == [
        entry.Span("a.main", START_NS, START_NS, 3),
        entry.Span("b.main", START_NS + 5, START_NS + 5, 2),
    ]
    assert ([e.kind for e in events], facts) == (["agent_start"], 0)


def test_an_entry_of_a_source_that_is_not_known_is_refused() -> None:
    with pytest.raises(WireError, match="under this birth"):
        entry.decode(entry.encode([frame(source(), START_NS)], 1), {})


def test_a_clock_set_back_by_an_hour_bends_no_time_of_its_new_epoch() -> None:
    one = SOURCES[0]
    rows, ahead = Rows(one), START_NS + 3600 * 10**9
    rows.add(0, ahead + 7, 1)
    rows.add(0, ahead + 7, 2)  # within an epoch times still strictly increase
    for second in range(3):
        rows.add(0, START_NS + second * 10**9 + 8, 3)
    made = rows.take()
    assert made.time_ns.tolist() == [
        ahead + 7, ahead + 1007, START_NS + 8, START_NS + 10**9 + 8, START_NS + 2 * 10**9 + 8
    ]  # fmt: skip
    assert made.problem() is None
    (item,) = entry.decode(entry.encode([made], 1), {one.id: one})
    assert isinstance(item, FrameBlock)
    assert item.time_ns.tolist() == made.time_ns.tolist()
