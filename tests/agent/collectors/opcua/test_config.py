"""What the technician may write, and what he may not."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import Any

import pytest
from pydantic import ValidationError

from agent.collectors.opcua.config import OpcUaDevice
from agent.collectors.opcua.node import NodeAddress, parse
from agent.collectors.opcua.signals import OpcUaGroup
from tests.agent.collectors.opcua.support import device, signals


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("i=2258", NodeAddress(2258)),
        ("ns=2;i=7", NodeAddress(7, 2)),
        ("ns=3;s=Line 1;Motor=Current", NodeAddress("Line 1;Motor=Current", 3)),
        ("ns=3;s=모터.전류", NodeAddress("모터.전류", 3)),
        ("nsu=urn:a:b;s=x", NodeAddress("x", 0, "urn:a:b")),
        ("nsu=http://a/%3Bb;s=x", NodeAddress("x", 0, "http://a/;b")),
        (f"ns=1;g={uuid.UUID(int=77)}", NodeAddress(uuid.UUID(int=77), 1)),
        ("ns=1;b=YWJj", NodeAddress(b"abc", 1)),
    ],
)  # fmt: skip
def test_a_node_id_is_read(text: str, address: NodeAddress) -> None:
    assert parse(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "Motor", "s=", "ns=2", "ns=2;x=1", "ns=65536;i=1", "i=4294967296", "i=-1", "i=1_0", "i=１", "ns=２;i=1",
     "g=zz", "b=*", "ns=2;ns=3;i=1", "svr=1;i=1"],
)  # fmt: skip
def test_what_is_no_node_id_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|at most"):
        parse(text)


def test_a_namespace_uri_is_looked_up_and_an_index_is_taken_as_it_is() -> None:
    assert parse("nsu=urn:b;i=1").index(["urn:a", "urn:b"]) == 1
    assert parse("nsu=urn:c;i=1").index(["urn:a", "urn:b"]) is None
    assert parse("ns=7;i=1").index(["urn:a"]) == 7


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"endpoint": "http://plc:4840"}, "opc.tcp"),
        ({"endpoint": "opc.tcp://"}, "opc.tcp"),
        ({"endpoint": "opc.tcp://plc:0"}, "opc.tcp"),
        ({"endpoint": "opc.tcp://plc:99999"}, "opc.tcp"),
        ({"endpoint": "opc.tcp://op:pw@plc:4840"}, "login"),
        ({"security": "Basic256Sha256"}, "'None'"),
        ({"security": None}, "'None'"),
        ({"timeout": "0ms"}, "10ms to 1m"),
        ({"timeout": "1h"}, "10ms to 1m"),
        ({"login": {"user": "op", "password": "secret"}}, "env:NAME"),
        ({"groups": []}, "at least 1"),
        ({"groups": [{"every": "1s", "signals": []}]}, "at least 1"),
        (
            {"groups": [{"every": "1s", "mode": "poll", "sampling": "1s", "signals": signals(a="bool")}]},
            "subscription",
        ),
        ({"groups": [{"every": "1s", "mode": "poll", "queue": 3, "signals": signals(a="bool")}]}, "subscription"),
        ({"groups": [{"every": "1s", "sampling": "2s", "signals": signals(a="bool")}]}, "slower"),
        ({"groups": [{"every": "1s", "queue": 0, "signals": signals(a="bool")}]}, "greater than or equal"),
        ({"groups": [{"every": "1s", "signals": [{"id": "a", "type": "bool", "node": "here"}]}]}, "node"),
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, Any], says: str) -> None:
    right = device("opc.tcp://plc:4840/x", {"signals": signals(a="bool")})
    data = {
        "id": "cnc", "machine": "mill", "type": "opcua", "endpoint": "opc.tcp://plc:4840", "security": "None",
        "groups": [{"every": "1s", "signals": signals(a="bool")}],
    }  # fmt: skip
    assert OpcUaDevice.model_validate(data).id == right.id
    with pytest.raises(ValidationError) as caught:
        OpcUaDevice.model_validate({**data, **change})
    assert says in str(caught.value)


def test_security_has_no_default() -> None:
    with pytest.raises(ValidationError, match="security\n  Field required"):
        OpcUaDevice.model_validate(
            {
                "id": "cnc", "machine": "mill", "type": "opcua", "endpoint": "opc.tcp://plc:4840",
                "groups": [{"every": "1s", "signals": signals(a="bool")}],
            }
        )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "sampling_ns", "queue"),
    [
        ({"every": "1s"}, 500_000_000, 4),
        ({"every": "1s", "sampling": "100ms"}, 100_000_000, 12),
        ({"every": "1s", "sampling": "0ms"}, 0, 52),
        ({"every": "1s", "sampling": "0ms", "queue": 7}, 0, 7),
        ({"every": "1h", "sampling": "0ms"}, 0, 10_000),
    ],
)
def test_queues_hold_what_one_publishing_interval_can_bring(
    written: dict[str, str], sampling_ns: int, queue: int
) -> None:
    group = OpcUaGroup.model_validate({**written, "signals": signals(a="bool")})
    assert (group.sampling_ns, group.queue_size(group.every, group.sampling_ns)) == (sampling_ns, queue)


def test_sources_follow_the_groups() -> None:
    config = device(
        "opc.tcp://plc:4840",
        {"id": "a", "signals": signals(x="bool")},
        {"id": "b", "mode": "poll", "every": "1s", "signals": signals(y="int32")},
    )
    a, b = config.sources()
    assert (a.id, a.mode, a.protocol, a.interval_ns) == ("cnc.a", "subscription", "opcua", 200_000_000)
    assert (b.id, b.mode, b.machines()) == ("cnc.b", "poll", ("mill",))


def test_configuring_does_not_import_the_library() -> None:
    code = (
        "import sys, agent.collectors.opcua.config; "
        "sys.exit([m for m in ('asyncua', 'cryptography') if m in sys.modules] or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
