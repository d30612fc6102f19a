"""What each message leads to, without a broker."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contract import codec
from contract.payload import Data, NeedBirth, Stored, WireEvent
from gateway.births import Births
from gateway.deadletter import DeadLetters, read
from gateway.ingest import Ingest, Outgoing
from gateway.stores import open_store
from gateway.stores.settings import EmbeddedSettings
from tests.gateway.builders import (
    BRANCH,
    SECOND,
    SOURCE,
    T0,
    FixedClock,
    MemoryStore,
    birth_messages,
    block,
    crc,
    data,
    row,
    wire,
)
from tests.gateway.mutants import GOOD, NONSENSE, dump, mutant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.letter import DeadLetter
    from gateway.stores.base import Point

ZSTD = codec.CONTENT_TYPE_ZSTD


class Bench(NamedTuple):
    """An ingest and what stands around it."""

    ingest: Ingest
    store: MemoryStore
    clock: FixedClock
    folder: Path
    kept: DeadLetters

    def send(self, payload: Data) -> list[Outgoing]:
        return self.ingest.handle(BRANCH.data, wire(payload), ZSTD)

    def stored(self, payload: Data) -> Stored:
        """Send a message and return its one confirmation."""
        (outgoing,) = self.send(payload)
        assert (outgoing.topic, outgoing.retain, outgoing.qos) == (BRANCH.stored, False, 1)
        return codec.decode(outgoing.payload, Stored)

    def letters(self) -> list[DeadLetter]:
        return [letter for _, _, letter in read(self.folder) if letter is not None]


def bench(folder: Path, *, birth: bool = True, max_bytes: int = 10**6) -> Bench:
    store, clock = MemoryStore(), FixedClock()
    kept = DeadLetters(folder, max_bytes, "gw-1", clock)
    ingest = Ingest("gw-1", store, Births(), kept, clock)
    for topic, payload in birth_messages() if birth else ():
        assert ingest.handle(topic, payload, ZSTD) == []
    return Bench(ingest, store, clock, folder, kept)


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Bench]:
    """Return an ingest that knows the birth."""
    made = bench(tmp_path / "letters", max_bytes=10**9)
    yield made
    made.kept.close()


def refuse_oven(point: Point) -> str | None:
    return "field type conflict" if point.measurement == "oven-2" else None


def test_a_message_is_confirmed_with_all_its_entries_after_the_write(whole: Bench) -> None:
    whole.clock.trust = False
    whole.store.refuses = lambda _: whole.clock.advance(2)  # a write takes time
    stored = whole.stored(data(block(row("f64", T0, 1.0)), seqs=(1, 2)))  # entry 2 held watermarks only
    assert stored == Stored(
        spool="spool-1",
        stored=[(1, crc(1)), (2, crc(2))],
        committed_at=str(T0 + 2 * SECOND),
        clock_trusted=False,
        worker="gw-1",
    )
    assert [point.fields for point in whole.store.read("press-1", 0, T0 + 1)] == [{"f64_f": 1.0}]


def test_the_same_message_again_changes_nothing_and_is_confirmed_again(whole: Bench) -> None:
    message = data(block(row("f64", T0, 1.0), row("temp", T0, 2.0)))
    first = whole.stored(message)
    held = {key: dict(fields) for key, fields in whole.store.held.items()}
    assert whole.stored(message) == first
    assert whole.store.held == held
    assert whole.ingest.counts["stored"] == 2


def test_while_the_store_is_away_nothing_is_confirmed_and_one_line_is_logged(
    whole: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    whole.store.away = True
    caplog.set_level(logging.INFO)
    for _ in range(3):
        assert whole.send(data(block(row("f64", T0, 1.0)))) == []
        whole.clock.advance(1)
    away = [whole.ingest.away_since]
    whole.store.comes_back()
    assert whole.stored(data(block(row("f64", T0, 1.0)))).stored == [(1, crc(1))]
    assert [*away, whole.ingest.away_since] == [0.0, None]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert whole.ingest.counts["unavailable"] == 3
    assert whole.letters() == []


def test_an_unknown_birth_is_asked_for_once_in_five_seconds(tmp_path: Path) -> None:
    made = bench(tmp_path, birth=False)
    message = data(block(row("f64", T0, 1.0)))
    (question,) = made.send(message)
    assert question.topic == BRANCH.need_birth
    assert codec.decode(question.payload, NeedBirth).birth == message.birth
    made.clock.advance(4.9)
    assert made.send(message) == []
    (other,) = made.send(data(birth="ab" * 16))
    assert codec.decode(other.payload, NeedBirth).birth == "ab" * 16
    made.clock.advance(0.1)
    assert len(made.send(message)) == 1
    assert made.store.writes == 0
    for topic, payload in birth_messages():
        made.ingest.handle(topic, payload, ZSTD)
    assert made.stored(message).stored == [(1, crc(1))]


def test_a_cleared_birth_topic_changes_nothing(whole: Bench) -> None:
    ((topic, _),) = birth_messages()
    assert whole.ingest.handle(topic, b"", None) == []
    assert whole.stored(data(block(row("f64", T0, 1.0)))).stored == [(1, crc(1))]
    assert whole.letters() == []


def test_a_refused_line_rejects_its_entry_after_its_dead_letter_and_good_lines_are_stored(whole: Bench) -> None:
    whole.store.refuses = refuse_oven
    stored = whole.stored(
        data(
            block(row("f64", T0, 1.0), row("temp", T0, 2.0), row("temp", T0 + 5, 3.0)),
            block(row("f64", T0 + 9, 4.0), seq=2),
            seqs=(1, 2),
        )
    )
    assert stored.stored == [(2, crc(2))]
    (rejected,) = stored.rejected
    assert (rejected.seq, rejected.crc, rejected.reason) == (1, crc(1), "field type conflict")
    assert rejected.rows == [(SOURCE, str(T0), str(T0 + 5), 2)]
    assert [point.time_ns for point in whole.store.read("press-1", 0, T0 + 10)] == [T0, T0 + 9]
    (letter,) = whole.letters()
    assert letter.rejected == [rejected]
    assert letter.points[0] == {
        "seq": 1,
        "source": SOURCE,
        "measurement": "oven-2",
        "tags": {"factory": "hanil", "site": "main", "source": SOURCE},
        "time": T0,
        "fields": {"temp_f": 2.0},
        "reason": "field type conflict",
    }
    assert len(letter.points) == 2


def test_rows_that_contradict_the_birth_are_rejected_with_their_rows_and_the_others_stored(whole: Bench) -> None:
    event = WireEvent(seq=1, kind="gap", time="soon")
    stored = whole.stored(data(block(row("f64", T0, 1.0), row("b", T0, 5), row("b", T0 + 5, "x")), events=[event]))
    (rejected,) = stored.rejected
    assert stored.stored == []
    assert sorted(rejected.rows) == [(SOURCE, str(T0), str(T0 + 5), 2), ("tsq_event", "0", "0", 1)]
    assert [point.fields for point in whole.store.read("press-1", 0, T0 + 1)] == [{"f64_f": 1.0}]
    (letter,) = whole.letters()
    assert [fault["content"]["value"] for fault in letter.faults if "value" in fault["content"]] == [5, "x"]


def test_a_rejection_that_comes_again_is_one_dead_letter_and_two_confirmations(whole: Bench) -> None:
    whole.store.refuses = refuse_oven
    message = data(block(row("temp", T0, 2.0)))
    first = whole.stored(message)
    whole.clock.advance(10)
    assert whole.stored(message).rejected == first.rejected
    assert len(whole.letters()) == 1


def test_a_fault_that_goes_on_is_one_line_a_minute_and_a_dead_letter_each_time(
    whole: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    for seq in range(1, 63):
        stored = whole.stored(data(block(row("b", T0 + seq, seq), seq=seq), seqs=(seq,)))
        assert [rejected.seq for rejected in stored.rejected] == [seq]
        whole.clock.advance(1)
    assert len(whole.letters()) == 62
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 2


def test_with_dead_letters_full_refused_entries_stay_unconfirmed_and_good_ones_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = bench(tmp_path, max_bytes=10)
    made.store.refuses = refuse_oven
    message = data(block(row("temp", T0, 2.0)), block(row("f64", T0, 1.0), seq=2), seqs=(1, 2))
    for _ in range(2):
        stored = made.stored(message)
        assert (stored.stored, stored.rejected) == ([(2, crc(2))], [])
    assert made.send(data(block(row("temp", T0, 2.0)))) == []
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert made.ingest.counts["dead_letters_full"] == 3
    assert made.ingest.counts["rejected"] == 0


def test_messages_that_cannot_be_read_never_keep_a_refusal_from_being_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = bench(tmp_path, max_bytes=4000)
    made.store.refuses = refuse_oven
    for number in range(100):
        assert made.ingest.handle(BRANCH.data, b"%100d" % number, ZSTD) == []
        made.ingest.handle(BRANCH.data, b"%100d" % 0, ZSTD)  # is kept already
    kept = len(made.letters())
    assert 0 < kept < 100
    assert (made.ingest.counts["malformed"], made.ingest.counts["malformed_dropped"]) == (200, 100 - kept)
    assert made.ingest.counts["dead_letters_full"] == 0
    assert [r.levelname for r in caplog.records if "no longer kept" in r.getMessage()] == ["WARNING"]
    stored = made.stored(data(block(row("temp", T0, 2.0))))
    assert [rejected.seq for rejected in stored.rejected] == [1]
    assert made.letters()[-1].rejected == stored.rejected
    made.kept.close()


def test_a_confirmation_larger_than_a_plain_payload_is_sent_in_parts(whole: Bench) -> None:
    seqs = range(1, 12_000)
    confirmations = [codec.decode(out.payload, Stored) for out in whole.send(data(seqs=seqs))]
    assert len(confirmations) > 1
    assert [entry for stored in confirmations for entry in stored.stored] == [(seq, crc(seq)) for seq in seqs]


@pytest.mark.parametrize(("name", "count"), [("p{}", 4800), ("\x01" * 100 + "{}", 700)])
def test_a_rejection_of_more_sources_than_fit_names_some_and_sums_up_the_others(
    whole: Bench, name: str, count: int
) -> None:
    blocks = [block(row("f64", T0 + n, 1.0), source=name.format(n)) for n in range(count)]
    message = data(*blocks, block(row("f64", T0, 1.0), seq=2), seqs=(1, 2))
    confirmations = [codec.decode(out.payload, Stored) for out in whole.send(message)]
    assert [entry for stored in confirmations for entry in stored.stored] == [(2, crc(2))]
    (rejected,) = [rejected for stored in confirmations for rejected in stored.rejected]
    assert len({source for source, _, _, _ in rejected.rows}) == len(rejected.rows) > 100
    assert sum(rows for _, _, _, rows in rejected.rows) == len(blocks)
    source, first, last, rows = rejected.rows[-1]
    assert (source, int(last), rows) == ("*", T0 + len(blocks) - 1, len(blocks) - len(rejected.rows) + 1)
    assert int(first) == T0 + len(rejected.rows) - 1


@pytest.mark.parametrize(
    ("topic", "payload", "content_type"),
    [
        ("", b"", None),
        ("tsq/1/hanil/edge-1", b"", ZSTD),
        ("tsq/1/hanil/edge-1/stored", wire(GOOD), ZSTD),
        ("tsq/1/Hanil/edge-1/data", wire(GOOD), ZSTD),
        ("tsq/0/hanil/edge-1/data", wire(GOOD), ZSTD),
        ("tsq/1/hanil/edge-2/data", wire(GOOD), ZSTD),
        (BRANCH.data, wire(GOOD), None),
        (BRANCH.data, wire(GOOD), "application/json"),
        (BRANCH.data, b"", ZSTD),
        (BRANCH.data, b"{}", ZSTD),
        (BRANCH.data, wire(GOOD)[:-3], ZSTD),
        (BRANCH.data, codec.compress(b"{}"), ZSTD),
        (BRANCH.data, codec.compress(bytes(codec.DATA_LIMIT + 1)), ZSTD),
        (BRANCH.data, codec.compress(b"[" * 100_000), ZSTD),
        (BRANCH.data, wire(replace(GOOD, entries=[])), ZSTD),  # blocks of no entry
        (BRANCH.data, wire(replace(GOOD, entries=[(1, crc(1)), (1, crc(2))])), ZSTD),
        (BRANCH.data, wire(replace(GOOD, entries=[(2, crc(2))])), ZSTD),
        (BRANCH.data, codec.compress(codec.encode(GOOD).replace(b'[[1,"', b'[[99999999999999999999,"')), ZSTD),
        (BRANCH.birth("ab" * 16, 1, 1), wire(GOOD), ZSTD),
        (BRANCH.birth("ab" * 16, 1, 1), wire(GOOD), None),
    ],
)
def test_what_cannot_be_read_is_a_dead_letter_and_never_confirmed(
    whole: Bench, topic: str, payload: bytes, content_type: str | None
) -> None:
    for _ in range(2):
        assert whole.ingest.handle(topic, payload, content_type) == []
    (letter,) = whole.letters()
    assert letter.topic == topic
    assert letter.reason
    assert whole.ingest.counts["malformed"] == 2
    assert whole.store.writes == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_message_changed_anywhere_never_raises(whole: Bench, draw: st.DataObject) -> None:
    before = whole.ingest.counts.copy()
    whole.ingest.handle(BRANCH.data, codec.compress(mutant(draw)), ZSTD)
    counted = whole.ingest.counts - before
    assert sum(counted[key] > 0 for key in ("malformed", "need_birth", "stored", "rejected")) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(NONSENSE)
def test_nonsense_of_the_right_shape_is_confirmed_with_each_lost_row_named(whole: Bench, made: Data) -> None:
    (outgoing,) = whole.ingest.handle(BRANCH.data, codec.compress(dump(made)), ZSTD)
    stored = codec.decode(outgoing.payload, Stored)
    assert {*stored.stored, *((r.seq, r.crc) for r in stored.rejected)} == {(1, crc(1))}
    kept = [letter for letter in whole.letters() if letter.rejected == stored.rejected]
    assert bool(kept) is bool(stored.rejected)
    for rejected in stored.rejected:
        assert all(int(first) <= int(last) and rows > 0 for _, first, last, rows in rejected.rows)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    topic=st.one_of(st.text(max_size=60), st.sampled_from([BRANCH.data, BRANCH.birth("ab" * 16, 1, 2)])),
    payload=st.binary(max_size=200),
    flips=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), max_size=5),
    content_type=st.sampled_from([ZSTD, None, "x"]),
)
def test_arbitrary_bytes_and_flipped_bits_never_raise(
    whole: Bench, topic: str, payload: bytes, flips: list[tuple[int, int]], content_type: str | None
) -> None:
    whole.ingest.handle(topic, payload, content_type)
    whole.ingest.handle(topic, codec.compress(payload), content_type)
    for original in (wire(GOOD), birth_messages()[0][1]):
        broken = bytearray(original)
        for place, mask in flips:
            broken[place % len(broken)] ^= mask
        whole.ingest.handle(topic, bytes(broken), content_type)


def test_a_body_nested_as_deeply_as_json_may_be_never_raises(whole: Bench) -> None:
    for depth in (100, 500, 900, 950, 990, 1000, 5000):
        body = '{"a":' + "[" * depth + "]" * depth + "}"
        raw = codec.encode(data(events=[WireEvent(seq=1, kind="gap", time=str(T0))]))
        raw = raw.replace(b'"kind":"gap"', b'"kind":"gap","body":' + body.encode())
        whole.ingest.handle(BRANCH.data, codec.compress(raw), ZSTD)
    assert whole.ingest.counts["stored"] >= 1
    assert whole.ingest.counts["messages"] == 1 + 7


def test_every_type_comes_back_from_the_store_that_ships_inside(tmp_path: Path) -> None:
    clock = FixedClock()
    store = open_store(EmbeddedSettings(path=tmp_path / "store.db"))
    letters = DeadLetters(tmp_path / "letters", 10**6, "gw-1", clock)
    real = Ingest("gw-1", store, Births(), letters, clock)
    for topic, payload in birth_messages():
        real.handle(topic, payload, ZSTD)
    rows = block(
        row("b", T0, value=True), row("i64", T0, -(2**63)), row("u64", T0, 2**63 - 1), row("wide", T0, 2**64 - 1),
        row("f32", T0, 5e-324), row("s", T0, '글 "a\\\n,= b'), row("f64", T0, 1.5, 0x4000_0000, -2 * 10**9),
        row("i16", T0, None, 0x800A_0000), row("temp", T0, 2.5), row("temp", T0 + 1, -0.0),
    )  # fmt: skip
    gap = WireEvent(seq=1, kind="gap", time=str(T0), body={"cause": "link_down"}, from_=str(T0 - 9))
    for _ in range(2):  # sent twice
        (outgoing,) = real.handle(BRANCH.data, wire(data(rows, events=[gap])), ZSTD)
        assert codec.decode(outgoing.payload, Stored).stored == [(1, crc(1))]
    found = {
        name: [(p.time_ns, dict(p.fields)) for p in store.read(name, 0, 2**62)] for name in store.measurements()
    }
    store.close()
    assert found == {
        "oven-2": [(T0, {"temp_f": 2.5}), (T0 + 1, {"temp_f": -0.0})],
        "press-1": [
            (
                T0,
                {
                    "b_b": True,
                    "i64_i": -(2**63),
                    "u64_i": 2**63 - 1,
                    "wide_s": "18446744073709551615",
                    "f32_f": 5e-324,
                    "s_s": '글 "a\\\n,= b',
                    "f64_f": 1.5,
                    "f64_q": 0x4000_0000,
                    "f64_src": T0 - 2 * 10**9,
                    "i16_q": 0x800A_0000,
                },
            )
        ],
        "tsq_event": [(T0, {"body_s": '{"cause":"link_down"}', "from_i": T0 - 9})],
    }
