"""One group without a server: source times that are believed or not, tries that become seldom, parts of nodes."""

from __future__ import annotations

from typing import Any

import pytest

from agent.collectors.opcua.decode import Sample
from agent.collectors.opcua.group import RETRY_MOST_NS, RETRY_NS, Group
from agent.collectors.opcua.sourcetime import FAR_NS, SourceTimes
from agent.frame import Status
from tests.agent.collectors.opcua.support import device

SECOND = 10**9
NOW = 1_790_000_000 * SECOND
UNKNOWN = Status.BAD_NODE_ID_UNKNOWN


def said(value: Any, source_ns: int, status: int = 0) -> Sample:
    return Sample(6, False, value, status, source_ns, 0)


def group(*signals: dict[str, Any], **more: Any) -> Group:
    config = device(
        "opc.tcp://plc:4840",
        {"signals": [{"id": f"s{n}", "type": "int32", **signal} for n, signal in enumerate(signals)], **more},
    )
    return Group(config.groups[0], config.sources()[0])


def test_a_source_time_is_kept_while_it_is_believable() -> None:
    times = SourceTimes(1, 0)

    def kept(value: int, at_s: float, source_ns: int, *, trusted: bool = True) -> bool:
        now = NOW + round(at_s * SECOND)
        return times.kept(0, now, said(value, source_ns), clock_trusted=trusted) != 0

    assert kept(1, 0, NOW - 86_400 * SECOND), "an old value has an old time"
    assert kept(1, 1, NOW - 86_400 * SECOND)
    assert kept(2, 2, NOW + 2 * SECOND)
    assert kept(3, 2.5, NOW + 2 * SECOND), "clocks are coarse"
    assert not kept(4, 4, NOW + 2 * SECOND)
    assert times.wrong == {0: "frozen"}
    assert not kept(4, 5, NOW + 2 * SECOND), "until it moves with a value"
    assert kept(5, 6, NOW + 6 * SECOND)
    assert times.wrong == {}
    assert not kept(6, 7, NOW - FAR_NS)
    assert times.wrong == {0: "far"}
    assert not kept(7, 8, NOW + 8 * SECOND + 2 * FAR_NS)
    assert kept(8, 9, NOW + 9 * SECOND)
    assert kept(9, 10, NOW - 2 * FAR_NS, trusted=False), "with a clock nobody trusts nothing is compared"
    assert times.kept(0, NOW, said(1, 0), clock_trusted=True) == 0
    times.forget()
    assert kept(10, 3600, NOW), "what changed in an outage did so at any time in it"
    assert not kept(10, 3601, NOW + 3 * FAR_NS + 3600 * SECOND), "a time to come is never right"


def test_a_node_that_stays_bad_is_tried_ever_more_seldom_and_a_value_begins_anew() -> None:
    it = group({"node": "ns=1;s=a"})
    now, waits = 0, []
    for _ in range(9):
        it.refuse(0, NOW + now, UNKNOWN, now)
        assert it.due(now) == []
        due = it.due_ns()
        assert due is not None
        waits.append(due - now)
        now = due
        assert it.due(now) == [0]
    assert waits == [RETRY_NS * 2**n for n in range(6)] + [RETRY_MOST_NS] * 3
    it.revive(0)
    assert it.due_ns() is None
    it.lost(0, now)  # monitored, and at once unknown again: some servers say it so
    assert it.due_ns() == now + RETRY_MOST_NS
    it.add(0, NOW + now, said(1, 0))
    it.lost(0, now)
    assert it.due_ns() == now + RETRY_NS


def test_signals_of_one_node_are_one_item_unless_the_server_filters_for_one() -> None:
    it = group(
        {"node": "ns=1;s=a", "index": 0}, {"node": "ns=1;s=a", "index": 2}, {"node": "ns=1;s=b"},
        {"node": "ns=1;s=b", "deadband": 3}, {"node": "ns=1;s=a", "index": 1, "deadband": 3},
    )  # fmt: skip
    assert it.takers == [[0, 1, 4], [2], [3]]
    assert it.names(0) == ["s0", "s1", "s4"]
    it.filter_here(0)
    for array in ([1, 2, 3], [1, 4, 3], [1, 6, 4]):
        it.add(0, NOW, Sample(6, True, array, 0, 0, 0))
    frame = it.rows.take()
    rows = [(it.source.signals[n].id, v) for n, v in zip(frame.signal, frame.value, strict=True)]
    assert rows == [("s0", 1), ("s1", 3), ("s4", 2), ("s1", 4), ("s4", 6)]


def test_samplings_that_the_server_skipped_are_counted() -> None:
    it = group({"node": "ns=1;s=a"})
    it.add(0, NOW, said(1, 0, 0x002F_0000))
    it.add(0, NOW, said(2, 0))
    assert it.overloads == 1
    frame = it.rows.take()
    assert (list(frame.value), [int(s) for s in frame.status]) == ([1, 2], [0x002F_0000, 0])


def test_a_burst_has_one_window_in_each_span_however_often_the_connection_is_lost() -> None:
    it = group(
        {"node": "ns=1;s=a"}, burst={"length": "1s", "per": "1m", "agreed_by": "x", "agreed_on": "2026-01-02"}
    )
    burst = it.config.burst
    assert burst is not None
    it.begin((), 5 * SECOND)
    assert it.next_ns == 5 * SECOND, "the first begins with the connection"
    it.window(it.next_ns, burst)
    assert it.next_ns == 6 * SECOND
    it.begin((), 7 * SECOND)
    assert it.next_ns == 65 * SECOND
    it.begin((), 99 * SECOND)
    assert it.next_ns == 99 * SECOND


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mode": "events", "signals": [{"id": "a", "type": "bool", "node": "i=1"}]}, "has no signals"),
        ({"mode": "events", "signals": [], "sampling": "10ms"}, "has no signals, sampling or burst"),
        ({"mode": "events", "signals": [], "severity": 1001}, "less than or equal to 1000"),
        ({"severity": 5}, "belong to mode: events"),
        ({"notifier": "i=2253"}, "belong to mode: events"),
        ({"mode": "poll", "deadband": 1}, "deadband belongs to mode: subscription"),
        ({"mode": "poll", "burst": True}, "burst belongs to mode: subscription"),
        ({"type": "string", "deadband": 1}, "a deadband needs a number"),
        ({"field": "A..B"}, "write a field as"),
        ({"index": -1}, "greater than or equal to 0"),
    ],
)
def test_what_does_not_go_together_is_refused(change: dict[str, Any], says: str) -> None:
    signal: dict[str, Any] = {"id": "a", "type": "int32", "node": "ns=1;s=a"}
    whole: dict[str, Any] = {"every": "1s", "signals": [signal]}
    for name, value in change.items():
        if name == "burst":
            whole["burst"] = {"length": "1s", "per": "1m", "agreed_by": "x", "agreed_on": "2026-01-02"}
        elif name in {"type", "field", "index", "deadband"}:
            signal[name] = value
        else:
            whole[name] = value
    with pytest.raises(ValueError, match=says):
        device("opc.tcp://plc:4840", whole)
