"""The store's schema, case by case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contract import codec
from contract.errors import WireError
from contract.payload import Birth, BirthSignal, Block, Data, Times, WireEvent, WireFacts
from gateway import points
from gateway.stores.base import Point
from tests.gateway.builders import BIRTH, INDEX, SECOND, SOURCE, T0, Row, block, data, row
from tests.gateway.mutants import NONSENSE, dump

if TYPE_CHECKING:
    from contract.payload import Value
    from gateway.stores.base import FieldValue

DICTIONARY = points.Dictionary(BIRTH)
TAGS = (("factory", "hanil"), ("site", "main"), ("source", SOURCE))
UNCERTAIN = 0x408F_0000
BAD = 0x800A_0000


def build(payload: Data) -> points.Batch:
    """Build what comes out of the wire, not what went in."""
    return points.build(codec.decode(codec.encode(payload), Data, codec.DATA_LIMIT), DICTIONARY)


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        ([row("b", T0, value=True)], {"b_b": True}),
        ([row("b", T0, value=False)], {"b_b": False}),
        ([row("i16", T0, -32768)], {"i16_i": -32768}),
        ([row("u16", T0, 65535)], {"u16_i": 65535}),
        ([row("i32", T0, -(2**31))], {"i32_i": -(2**31)}),
        ([row("u32", T0, 2**32 - 1)], {"u32_i": 2**32 - 1}),
        ([row("i64", T0, -(2**63))], {"i64_i": -(2**63)}),
        ([row("i64", T0, 2**53 + 1)], {"i64_i": 2**53 + 1}),
        ([row("u64", T0, 2**63 - 1)], {"u64_i": 2**63 - 1}),
        ([row("wide", T0, 2**64 - 1)], {"wide_s": "18446744073709551615"}),
        ([row("wide", T0, 7)], {"wide_s": "7"}),
        ([row("f32", T0, 0.10000000149011612)], {"f32_f": 0.10000000149011612}),
        ([row("f64", T0, -0.0)], {"f64_f": -0.0}),
        ([row("f64", T0, 3)], {"f64_f": 3.0}),
        ([row("s", T0, "작업 지시 7")], {"s_s": "작업 지시 7"}),
        ([row("s", T0, "")], {"s_s": ""}),
        ([row("f64", T0, 1.5, UNCERTAIN)], {"f64_f": 1.5, "f64_q": UNCERTAIN}),
        ([row("f64", T0, 1.5, 0x00A2_0000)], {"f64_f": 1.5}),  # good, with a reason
        ([row("f64", T0, None, BAD)], {"f64_q": BAD}),
        ([row("f64", T0, None, 0xC000_0000)], {"f64_q": 0xC000_0000}),  # reserved severity counts as bad
        ([row("f64", T0, None, BAD, 5 * SECOND)], {"f64_q": BAD}),
        ([row("f64", T0, 1.5, 0, -1_000_000_001)], {"f64_f": 1.5, "f64_src": T0 - 1_000_000_001}),
        ([row("f64", T0, 1.5, 0, 2**55)], {"f64_f": 1.5, "f64_src": T0 + 2**55}),
        ([row("f64", T0, 1.5, 0, SECOND)], {"f64_f": 1.5}),
        (
            [row("f64", T0, 1.5, UNCERTAIN, 3 * SECOND), row("b", T0, value=True), row("s", T0, None, BAD)],
            {"f64_f": 1.5, "f64_q": UNCERTAIN, "f64_src": T0 + 3 * SECOND, "b_b": True, "s_q": BAD},
        ),
    ],
)
def test_rows_of_one_moment_become_the_fields_of_one_point(rows: list[Row], fields: dict[str, FieldValue]) -> None:
    batch = build(data(block(*rows)))
    assert batch.faults == []
    assert batch.points == [Point("press-1", TAGS, T0, fields)]
    assert {name: type(value) for name, value in batch.points[0].fields.items()} == {
        name: type(value) for name, value in fields.items()
    }
    assert points.rows_of(batch.points[0]) == len(rows)


def test_machines_and_moments_are_told_apart_and_origins_stand_beside_the_points() -> None:
    batch = build(
        data(
            block(row("f32", T0, 1.0), row("temp", T0, 2.0), row("b", T0, value=True), row("f32", T0 + 5, 3.0)),
            block(row("f32", T0 + 2**60, 4.0), row("f32", T0, 5.0), seq=2),  # steps beyond 2^53, and backwards
            seqs=(1, 2),
        )
    )
    assert batch.faults == []
    assert batch.points == [
        Point("press-1", TAGS, T0, {"f32_f": 1.0, "b_b": True}),
        Point("oven-2", TAGS, T0, {"temp_f": 2.0}),
        Point("press-1", TAGS, T0 + 5, {"f32_f": 3.0}),
        Point("press-1", TAGS, T0 + 2**60, {"f32_f": 4.0}),
        Point("press-1", TAGS, T0, {"f32_f": 5.0}),
    ]
    assert [origin.seq for origin in batch.origins] == [1, 1, 1, 2, 2]
    assert {origin.source for origin in batch.origins} == {SOURCE}


@pytest.mark.parametrize(
    ("signal", "value", "status", "shift"),
    [
        ("b", 1, 0, None),
        ("b", "true", 0, None),
        ("i16", True, 0, None),
        ("i16", 1.0, 0, None),
        ("i16", "eins", 0, None),
        ("i16", "--5", 0, None),
        ("i64", str(2**63), 0, None),
        ("i64", str(-(2**63) - 1), 0, None),
        ("u64", str(2**63), 0, None),
        ("wide", str(2**64), 0, None),
        ("wide", -1, 0, None),
        ("wide", 1.5, 0, None),
        ("f64", "1.5", 0, None),
        ("f64", True, 0, None),
        ("s", 5, 0, None),
        ("s", None, 0, None),
        ("f64", None, UNCERTAIN, None),
        ("f64", 1.5, BAD, None),
        ("f64", 1.5, 0, "soon"),
        ("f64", 1.5, 0, str(2**63)),
    ],
)
def test_a_row_that_contradicts_its_birth_is_a_fault_and_its_neighbours_are_stored(
    signal: str, value: Value, status: int, shift: int | str | None
) -> None:
    neighbour = "s" if signal == "b" else "b"
    index, last = INDEX[signal], INDEX[neighbour]
    times = Times(str(T0), [0, 0, 0])
    mixed = Block(
        1, SOURCE, [INDEX["i32"], index, last], times, [1, value, None], [0, status, BAD], [None, shift, None]
    )
    batch = build(data(mixed))
    assert [point.fields for point in batch.points] == [{"i32_i": 1, f"{neighbour}_q": BAD}]
    (fault,) = batch.faults
    assert (fault.origin, fault.first, fault.last, fault.rows) == (points.Origin(1, SOURCE), T0, T0, 1)
    assert fault.content == {"signal": index, "value": value, "status": status, "source_time": shift}


def test_an_unsigned_number_that_fits_no_field_says_what_to_declare() -> None:
    block = Block(1, SOURCE, [INDEX["u64"]], Times(str(T0), [0]), [str(2**63)], [0], [None])
    (fault,) = build(data(block)).faults
    assert "instrument_range" in fault.reason


def test_a_second_row_of_a_signal_at_one_time_never_overwrites_the_first() -> None:
    batch = build(
        data(
            block(
                row("f64", T0, 1.0), row("f64", T0, 2.0), row("b", T0, None, BAD), row("b", T0, value=True),
            )
        )
    )  # fmt: skip
    assert batch.points == [Point("press-1", TAGS, T0, {"f64_f": 1.0, "b_q": BAD})]
    assert [fault.content["value"] for fault in batch.faults] == [2.0, True]


def test_an_index_outside_the_source_loses_only_its_row() -> None:
    wrong = replace(block(row("f32", T0, 1.0), row("f32", T0 + 1, 2.0)), signal=[99, 7])
    batch = build(data(wrong))
    assert [point.fields for point in batch.points] == [{"f32_f": 2.0}]
    assert [(fault.first, fault.rows) for fault in batch.faults] == [(T0, 1)]


@pytest.mark.parametrize(
    ("change", "first", "last"),
    [
        ({"source": "press-plc.slow"}, T0, T0 + 7),
        ({"value": [1.0]}, T0, T0 + 7),
        ({"status": [0]}, T0, T0 + 7),
        ({"source_time": [0, 0, 0]}, T0, T0 + 7),
        ({"server_time": [0]}, T0, T0 + 7),
        ({"signal": []}, T0, T0 + 7),
        ({"time": Times(str(T0), [0])}, T0, T0),
        ({"time": Times("soon", [0, 1])}, 0, 0),
        ({"time": Times(str(T0), [0, "1e3"])}, 0, 0),
        ({"time": Times("9" * 21, [0, 1])}, 0, 0),
    ],
)
def test_a_block_that_makes_no_sense_is_one_fault_and_kept_whole(
    change: dict[str, object], first: int, last: int
) -> None:
    wrong = replace(block(row("f32", T0, 1.0), row("f32", T0 + 7, 2.0)), **change)
    batch = build(data(wrong, block(row("b", T0, value=True))))
    assert [point.fields for point in batch.points] == [{"b_b": True}]
    (fault,) = batch.faults
    assert (fault.first, fault.last, fault.rows) == (first, last, 2)
    assert msgspec.convert(fault.content, Block) == wrong


@pytest.mark.parametrize("time", [0, -1, 2**63 - 1, 2**64 - 1])
def test_a_time_that_no_store_can_hold_is_a_fault(time: int) -> None:
    batch = build(data(block(row("b", time, value=True))))
    assert batch.points == []
    assert [(fault.first, fault.last) for fault in batch.faults] == [(time, time)]


def test_an_empty_block_gives_nothing() -> None:
    empty = Block(1, SOURCE, [], Times(str(T0), []), [])
    assert build(data(empty)) == points.Batch([], [], [])


def test_events_and_facts_become_points_of_their_own_measurement() -> None:
    gap = WireEvent(
        seq=1,
        kind="gap",
        time=str(T0),
        body={"gap_id": "g1", "cause": "link_down"},
        source=SOURCE,
        machine="press-1",
        from_=str(T0 - 5),
        to=str(T0 + 5),
    )
    start = WireEvent(seq=1, kind="agent_start", time=str(T0 + 1))
    facts = WireFacts(seq=2, kind="connection", time=str(T0 + 2), subject="press-plc", body={"vendor": "한일"})
    batch = build(data(seqs=(1, 2), events=[gap, start], facts=[facts]))
    assert batch.faults == []

    def tags(kind: str) -> tuple[tuple[str, str], ...]:
        return (("agent", "edge-1"), ("factory", "hanil"), ("kind", kind), ("site", "main"))

    assert batch.points == [
        Point(
            "tsq_event",
            tags("gap"),
            T0,
            {
                "body_s": '{"cause":"link_down","gap_id":"g1"}',
                "source_s": SOURCE,
                "machine_s": "press-1",
                "from_i": T0 - 5,
                "to_i": T0 + 5,
            },
        ),
        Point("tsq_event", tags("agent_start"), T0 + 1, {"body_s": "{}"}),
        Point(
            "tsq_event", tags("facts.connection"), T0 + 2, {"subject_s": "press-plc", "body_s": '{"vendor":"한일"}'}
        ),
    ]
    assert batch.origins == [
        points.Origin(1, "tsq_event"),
        points.Origin(1, "tsq_event"),
        points.Origin(2, "tsq_event"),
    ]
    assert [points.rows_of(point) for point in batch.points] == [1, 1, 1]


@pytest.mark.parametrize(
    "event",
    [
        WireEvent(seq=1, kind="gap", time="0"),
        WireEvent(seq=1, kind="gap", time="soon"),
        WireEvent(seq=1, kind="facts.gap", time=str(T0)),
        WireEvent(seq=1, kind="갭", time=str(T0)),
        WireEvent(seq=1, kind="gap", time=str(T0), from_="x"),
        WireEvent(seq=1, kind="gap", time=str(T0), to=str(2**63)),
        WireEvent(seq=1, kind="agent_stop", time=str(T0)),
    ],
)
def test_an_event_that_cannot_be_stored_is_a_fault_beside_the_others(event: WireEvent) -> None:
    good = WireEvent(seq=1, kind="agent_stop", time=str(T0), body={"by": "test"})
    batch = build(data(events=[good, event]))
    assert [point.fields for point in batch.points] == [{"body_s": '{"by":"test"}'}]
    assert [fault.origin for fault in batch.faults] == [points.Origin(1, "tsq_event")]


@settings(deadline=None)
@given(NONSENSE)
def test_each_row_is_in_one_point_or_in_one_fault(made: Data) -> None:
    payload = codec.decode(dump(made), Data, codec.DATA_LIMIT)
    batch = points.build(payload, DICTIONARY)
    rows = sum(max(len(b.value), len(b.signal), len(b.time.steps)) for b in payload.blocks)
    rows += len(payload.events) + len(payload.facts)
    assert rows == sum(map(points.rows_of, batch.points)) + sum(fault.rows for fault in batch.faults)
    assert len(batch.origins) == len(batch.points)
    for point in batch.points:
        assert 0 < point.time_ns < 2**63 - 1
        for name, value in point.fields.items():
            kind = {"f": float, "i": int, "s": str, "b": bool, "q": int, "src": int}[name.rpartition("_")[2]]
            assert type(value) is kind, (name, value)
            assert kind is not int or -(2**63) <= value < 2**63  # type: ignore[operator]


SIGNAL = BIRTH.sources[0].signals[0]


@pytest.mark.parametrize(
    "signals",
    [
        [replace(SIGNAL, id="A")],
        [replace(SIGNAL, id="a b")],
        [replace(SIGNAL, machine="press/1")],
        [replace(SIGNAL, machine="tsq_event")],
        [replace(SIGNAL, dtype="decimal")],
        [replace(SIGNAL, wide=True)],
        [SIGNAL, SIGNAL],
        [SIGNAL, replace(SIGNAL, dtype="int16")],
    ],
)
def test_a_birth_with_an_impossible_signal_is_refused(signals: list[BirthSignal]) -> None:
    with pytest.raises(WireError, match="birth"):
        points.Dictionary(replace(BIRTH, sources=[replace(BIRTH.sources[0], signals=signals)]))


@pytest.mark.parametrize(
    "birth",
    [
        replace(BIRTH, factory="Hanil"),
        replace(BIRTH, site="main,x=1"),
        replace(BIRTH, agent="+"),
        replace(BIRTH, sources=[BIRTH.sources[0]] * 2),
        replace(BIRTH, sources=[replace(BIRTH.sources[0], id="press plc")]),
    ],
)
def test_a_birth_with_impossible_ids_is_refused(birth: Birth) -> None:
    with pytest.raises(WireError, match="birth"):
        points.Dictionary(birth)


def test_one_signal_id_on_two_machines_of_a_source_is_two_series() -> None:
    twins = [SIGNAL, replace(SIGNAL, machine="press-2")]
    dictionary = points.Dictionary(replace(BIRTH, sources=[replace(BIRTH.sources[0], signals=twins)]))
    both = Block(1, SOURCE, [0, 1], Times(str(T0), [0, 0]), [True, False])
    assert points.build(data(both), dictionary).points == [
        Point("press-1", TAGS, T0, {"b_b": True}),
        Point("press-2", TAGS, T0, {"b_b": False}),
    ]


@settings(max_examples=300, deadline=None)
@given(
    readings=st.lists(
        st.tuples(
            st.sampled_from([SECOND, SECOND // 2, 1, 0, -SECOND]),
            st.lists(
                st.sampled_from(["b", "i16", "i64", "u64", "wide", "f32", "f64", "s"]), min_size=1, max_size=8
            ),
        ),
        min_size=1,
        max_size=4,
    ),
    odd=st.sampled_from([None, 1.5, 7, True, "text", 2**64, -(2**63), 2**63]),
    place=st.integers(0, 60),
)
def test_readings_give_what_a_look_at_each_row_gives(
    readings: list[tuple[int, list[str]]], odd: Value, place: int
) -> None:
    """Points and faults of polled blocks, with one odd value or none: only the way to them is shorter."""
    usual: dict[str, Value] = {
        "b": True, "i16": 1, "i64": 2**60, "u64": 5, "wide": 9, "f32": 0.5, "f64": -1e300, "s": "로트",
    }  # fmt: skip
    rows, time = [], T0
    for step, names in readings:
        time += step
        rows += [row(name, time, usual[name]) for name in names]
    if place < len(rows):
        rows[place] = row(rows[place][0], rows[place][1], odd)
    polled = block(*rows)
    quick = build(data(polled))
    looked = build(data(replace(polled, status=[0] * len(rows))))
    assert quick.points == looked.points
    assert quick.origins == looked.origins
    assert [fault.reason for fault in quick.faults] == [fault.reason for fault in looked.faults]
