"""What the edge node says, read by an independent reader; in brackets the specification's statements."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from agent.errors import WireError
from agent.frame import Alarm, DataType, Event, FrameBlock, Signal, Source, Status
from agent.sparkplug import payload, state
from agent.sparkplug.node import Names, Node
from tests.sparkplug.wire import Payload, read
from tests.support.items import frame, source

NAMES = Names("한일", "edge-1")
T0 = 1_795_000_000_000_000_000
NOW = T0 // 10**6


def up(of: Source) -> Event:
    return Event(kind="link_up", time_ns=T0, source=of.id)


def down(of: Source) -> Event:
    return Event(kind="link_down", time_ns=T0, source=of.id)


def said(messages: object) -> list[tuple[str, Payload]]:
    return [(message.topic, read(message.payload)) for message in messages]  # type: ignore[attr-defined]


def kinds(messages: list[tuple[str, Payload]]) -> list[str]:
    return [topic.split("/")[2] for topic, _ in messages]


def born(plc: Source, **more: int) -> Node:
    node = Node(NAMES, [plc], "1", **more)  # type: ignore[arg-type]
    assert said(node.put(up(plc), NOW)) == []
    list(node.put(frame(plc, T0, list(range(1, 1 + len(plc.signals)))), NOW))
    list(node.births(7, NOW))
    return node


def test_a_birth_tells_everything_and_begins_to_count() -> None:
    """[tck-id-topics-nbirth-seq-num, -bdseq-included, -rebirth-metric; payloads-dbirth-seq-inc; no alias]."""
    plc = source("plc.main")
    node = Node(NAMES, [plc], "0.1.0")
    list(node.put(up(plc), NOW))
    list(node.put(frame(plc, T0, [1, 2, 3]), NOW))
    (nbirth, node_says), (dbirth, device_says) = said(node.births(7, NOW))
    assert nbirth == "spBv1.0/한일/NBIRTH/edge-1"
    assert (node_says.seq, node_says.time) == (0, NOW)
    by_name = {metric.name: metric for metric in node_says.metrics}
    assert (by_name["bdSeq"].value, by_name["bdSeq"].kind) == (7, 4)
    assert (by_name["Node Control/Rebirth"].value, by_name["Node Control/Rebirth"].kind) == (False, 11)
    assert dbirth == "spBv1.0/한일/DBIRTH/edge-1/plc"
    assert device_says.seq == 1
    assert [metric.value for metric in device_says.metrics] == [1, 2, 3]
    for metric, signal in zip(device_says.metrics, plc.signals, strict=True):
        assert metric.name == f"{signal.machine}/{signal.id}"
        assert metric.kind == 3
        assert metric.time == NOW
        assert metric.properties["Quality"] == 192
        assert metric.properties["displayName"] == signal.name


def test_only_changes_are_said_unless_everything_is_wanted() -> None:
    plc = source("plc.main")
    node = born(plc)
    assert said(node.put(frame(plc, T0 + 10**9, [1, 2, 3]), NOW)) == []
    ((topic, data),) = said(node.put(frame(plc, T0 + 2 * 10**9, [1, 5, 3]), NOW))
    assert topic == "spBv1.0/한일/DDATA/edge-1/plc"
    assert [(m.value, m.time, m.historical) for m in data.metrics] == [(5, NOW + 2000, False)]
    every = Node(NAMES, [plc], "1", every=True)
    list(every.put(up(plc), NOW))
    list(every.births(7, NOW))
    list(every.put(frame(plc, T0, [1, 2, 3]), NOW))
    ((_, data),) = said(every.put(frame(plc, T0 + 10**9, [1, 2, 3]), NOW))
    assert len(data.metrics) == 3


def test_seq_goes_over_all_messages_of_a_node_and_around() -> None:
    """[tck-id-payloads-sequence-num-incrementing]."""
    plc = source("plc.main", signals=1)
    node = born(plc)
    numbers = [
        data.seq
        for i in range(600)
        for _, data in said(node.put(frame(plc, T0 + i * 10**9 + 10**9, [i + 10]), NOW))
    ]
    assert numbers == [(2 + i) % 256 for i in range(600)]


def test_a_lost_link_is_a_death_of_the_device_and_its_return_a_birth() -> None:
    """[tck-id-payloads-ddeath-seq-inc, -dbirth-order]."""
    plc = source("plc.main")
    node = born(plc)
    ((topic, death),) = said(node.put(down(plc), NOW))
    assert topic == "spBv1.0/한일/DDEATH/edge-1/plc"
    assert (death.seq, death.metrics) == (2, [])
    assert said(node.put(down(plc), NOW)) == []
    bad = dataclasses.replace(
        frame(plc, T0 + 10**9), value=[None] * 3, status=frame(plc, T0).status | np.uint32(Status.BAD)
    )
    assert said(node.put(bad, NOW)) == []
    # the supervisor hands on what was read before it says that the link is up; nothing may follow for hours
    assert said(node.put(frame(plc, T0 + 2 * 10**9, [4, 5, 6]), NOW)) == []
    first, *rest = said(node.put(up(plc), NOW))
    assert kinds([first]) == ["DBIRTH"]
    assert first[1].seq == 3
    assert [m.value for m in first[1].metrics] == [4, 5, 6]
    # the bad readings of the outage follow as history: null, and bad
    history = [m for _, data in rest for m in data.metrics]
    assert [(m.null, m.value, m.historical, m.properties["Quality"]) for m in history] == [
        (True, None, True, 0)
    ] * 3


def test_qualities_are_the_three_that_exist() -> None:
    """[tck-id-payloads-propertyset-quality-value-value]: 0, 192, 500; what is uncertain is not called good."""
    plc = source("plc.main", signals=1)
    node = Node(NAMES, [plc], "1")
    list(node.put(up(plc), NOW))
    (_, (_, birth)) = said(node.births(0, NOW))
    assert (birth.metrics[0].properties["Quality"], birth.metrics[0].null) == (500, True)
    uncertain = frame(plc, T0, [4])
    uncertain.status[:] = Status.UNCERTAIN
    ((_, data),) = said(node.put(uncertain, NOW))
    assert (data.metrics[0].value, data.metrics[0].properties["Quality"]) == (4, 0)
    ((_, data),) = said(node.put(frame(plc, T0 + 10**9, [4]), NOW))
    assert data.metrics[0].properties["Quality"] == 192
    ((_, data),) = said(node.put(frame(plc, T0 + 2 * 10**9, [5]), NOW))
    assert "Quality" not in data.metrics[0].properties


def test_what_nobody_heard_is_said_again_as_history_and_the_oldest_goes_first() -> None:
    plc = source("plc.main", signals=1)
    node = born(plc, buffer=1000)
    list(node.put(frame(plc, T0 + 10**9, [100]), NOW))
    node.sleep()
    for i in range(2000):
        assert said(node.put(frame(plc, T0 + (i + 2) * 10**9, [200 + i]), NOW)) == []
    assert node.lost == 1002  # the two that were said lately are among them
    birth, *history = said(node.births(8, NOW))
    assert kinds([birth]) == ["NBIRTH"]
    assert kinds(history) == ["DBIRTH", "DDATA", "DDATA"]
    rows = [m for _, data in history[1:] for m in data.metrics]
    assert history[0][1].metrics[0].value == 2199
    assert [m.value for m in rows] == list(range(1200, 2199))
    assert all(m.historical for m in rows)
    assert [data.seq for _, data in history] == [1, 2, 3]


def test_what_was_said_long_ago_is_not_said_again() -> None:
    plc = source("plc.main", signals=1)
    node = born(plc)
    list(node.put(frame(plc, T0 + 10**9, [100]), NOW))
    list(node.put(frame(plc, T0 + 59 * 10**9, [101]), NOW + 59_000))
    list(node.put(frame(plc, T0 + 60 * 10**9, [102]), NOW + 60_000))
    node.sleep()
    *_, (_, history) = said(node.births(8, NOW + 60_000))
    assert [m.value for m in history.metrics] == [101]


def test_history_that_was_said_lately_is_said_again_too_and_in_its_order() -> None:
    plc = source("plc.main", signals=1)
    node = born(plc)
    node.sleep()
    for i in range(5):
        list(node.put(frame(plc, T0 + (i + 1) * 10**9, [100 + i]), NOW))
    list(node.births(8, NOW))  # into a connection that is dead already
    list(node.put(frame(plc, T0 + 6 * 10**9, [105]), NOW))
    list(node.put(down(plc), NOW))
    list(node.put(frame(plc, T0 + 7 * 10**9, [106]), NOW))
    node.sleep()
    list(node.put(frame(plc, T0 + 8 * 10**9, [107]), NOW))
    list(node.put(up(plc), NOW))
    *_, (_, history) = said(node.births(9, NOW))
    assert [m.value for m in history.metrics] == [1, 100, 101, 102, 103, 104, 105, 106]
    assert node.lost == 0


def test_groups_of_other_names_are_read_on() -> None:
    plc, renamed = source("plc.main"), source("plc.fast")
    node = born(plc)
    node.begin([renamed])
    list(node.put(up(renamed), NOW))
    list(node.births(9, NOW))
    ((_, data),) = said(node.put(frame(renamed, T0 + 10**9, [7, 2, 3]), NOW))
    assert data.metrics[0].value == 7


def test_another_configuration_is_another_birth() -> None:
    plc, other = source("plc.main"), source("new.main", signals=1)
    node = born(plc)
    node.begin([plc, other])
    list(node.put(up(other), NOW))
    births = said(node.births(9, NOW))
    assert [topic.rsplit("/", 1)[-1] for topic, _ in births] == ["edge-1", "plc", "new"]
    assert [m.value for m in births[1][1].metrics] == [1, 2, 3]
    node.begin([other])
    assert kinds(said(node.births(10, NOW))) == ["NBIRTH", "DBIRTH"]
    assert said(node.put(frame(plc, T0 + 10**9, [7, 8, 9]), NOW)) == []


TYPED = [
    (DataType.BOOL, True, 11, True),
    (DataType.INT16, -5, 2, 2**32 - 5),
    (DataType.UINT16, 65535, 6, 65535),
    (DataType.INT32, -(2**31), 3, 2**31),
    (DataType.UINT32, 2**32 - 1, 7, 2**32 - 1),
    (DataType.INT64, -1, 4, 2**64 - 1),
    (DataType.UINT64, 2**64 - 1, 8, 2**64 - 1),
    (DataType.FLOAT32, 1.5, 9, 1.5),
    (DataType.FLOAT64, 0.1, 10, 0.1),
    (DataType.STRING, "로트-7", 12, "로트-7"),
    (DataType.TIMESTAMP, T0 + 999_999, 13, NOW),
]


@pytest.mark.parametrize(("dtype", "value", "kind", "carried"), TYPED)
def test_every_type_has_its_place(dtype: DataType, value: int, kind: int, carried: object) -> None:
    """[tck-id-payloads-metric-datatype-value]; negative numbers are two's complement of their field."""
    assert {one for one, *_ in TYPED} == set(DataType)
    signal = Signal(id="s", machine="m", name="값", dtype=dtype, unit="A", description="설명", eu_range=(0, 5))
    plc = Source(id="d.g", device="d", protocol="modbus", mode="poll", interval_ns=10**9, signals=(signal,))
    node = Node(NAMES, [plc], "1")
    list(node.put(up(plc), NOW))
    list(node.put(frame(plc, T0, [value]), NOW))
    (metric,) = said(node.births(0, NOW))[1][1].metrics
    assert (metric.kind, metric.value) == (kind, carried)
    assert metric.properties == {
        "Quality": 192, "displayName": "값", "engUnit": "A", "documentation": "설명", "engLow": 0.0, "engHigh": 5.0,
    }  # fmt: skip


def test_labels_and_text_that_is_not_whole_survive() -> None:
    signal = Signal(
        id="s", machine="m", name="상태", dtype=DataType.STRING, labels=((0, "정지"),), alarm=Alarm("오일 부족")
    )
    plc = Source(id="d.g", device="d", protocol="modbus", mode="poll", interval_ns=10**9, signals=(signal,))
    node = Node(NAMES, [plc], "1")
    list(node.put(up(plc), NOW))
    list(node.put(frame(plc, T0, ["a\ud800b"]), NOW))
    (metric,) = said(node.births(0, NOW))[1][1].metrics
    assert metric.value == "a?b"
    assert metric.properties["label 0"] == "정지"


def test_a_large_reading_is_cut_into_messages() -> None:
    plc = source("plc.main", signals=1200)
    node = born(plc)
    changed = said(node.put(frame(plc, T0 + 10**9, [value + 5000 for value in range(1200)]), NOW))
    assert [len(data.metrics) for _, data in changed] == [500, 500, 200]


def test_a_death_has_the_number_of_its_birth_and_no_seq() -> None:
    """[tck-id-topics-ndeath-payload, -ndeath-seq]."""
    message = born(source("plc.main")).death(7, NOW)
    death = read(message.payload)
    assert message.topic == "spBv1.0/한일/NDEATH/edge-1"
    assert death.seq is None
    assert [(m.name, m.value, m.kind) for m in death.metrics] == [("bdSeq", 7, 4)]


def test_other_items_and_unknown_sources_are_passed_over() -> None:
    node = born(source("plc.main"))
    stranger = source("x.main")
    assert said(node.put(up(stranger), NOW)) == []
    assert said(node.put(frame(stranger, T0), NOW)) == []
    assert said(node.put(Event(kind="agent_start", time_ns=T0), NOW)) == []
    empty = FrameBlock(
        source("plc.main"), frame(stranger, T0).signal[:0], frame(stranger, T0).time_ns[:0], [],
        frame(stranger, T0).status[:0],
    )  # fmt: skip
    assert said(node.put(empty, NOW)) == []


def test_the_state_of_a_host_counts_by_its_time() -> None:
    """[tck-id-host-topic-phid-birth-payload, message-flow-edge-node-birth-publish-phid-offline]."""
    host = state.Host()
    assert host.heard(b'{"online": true, "timestamp": 5}') is True
    assert host.heard(b'{"online": false, "timestamp": 4}') is False
    assert vars(host)["online"] is True
    assert host.heard(b'{"online": false, "timestamp": 6}') is True
    assert vars(host)["online"] is False
    assert host.heard(b'{"online": true, "timestamp": 5}') is True
    assert host.heard(b'{"online": true, "timestamp": 5}') is False
    assert host.heard(b'{"online": false, "timestamp": 5}') is True
    for wrong in (b"ONLINE", b"", b"{}", b'{"online": 1, "timestamp": 2}', b"\xff", b'{"online": true}'):
        with pytest.raises(WireError):
            host.heard(wrong)


@pytest.mark.parametrize("raw", [b"\xff", b"\x12\x05ab", bytes(payload.LIMIT + 1)])
def test_a_command_that_is_none_is_said_to_be(raw: bytes) -> None:
    with pytest.raises(WireError):
        payload.commands(raw)


def test_commands_are_read() -> None:
    raw = payload.encode([payload.Metric("Node Control/Rebirth", NOW, payload.BOOLEAN, value=True)], NOW, 0)
    assert payload.commands(raw) == [("Node Control/Rebirth", True)]
    other = payload.encode([payload.Metric("m/setpoint", NOW, payload.DOUBLE, 5.0)], NOW, 0)
    assert payload.commands(other) == [("m/setpoint", None)]
    assert payload.commands(b"") == []
