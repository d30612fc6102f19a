"""Nothing that the agent ever sends could change a PLC: every byte of whole sessions is read."""

from __future__ import annotations

import collections
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.rig import Rig, running, tool, until
from tests.peers.modbus import server as modbus_server
from tests.peers.opcua import opcua_server
from tests.peers.xgt import XgtPlc
from tests.support.processes import running as child_running
from tests.support.sniffer import Relay, modbus_functions, opcua_services, xgt_commands

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)

READS = {
    "GetEndpoints", "CreateSession", "ActivateSession", "CloseSession", "CloseSecureChannel", "Read",
    "CreateSubscription", "ModifySubscription", "SetPublishingMode", "DeleteSubscriptions", "CreateMonitoredItems",
    "ModifyMonitoredItems", "DeleteMonitoredItems", "Publish", "Republish", "TransferSubscriptions",
    "TranslateBrowsePathsToNodeIds", "Browse", "BrowseNext",
}  # fmt: skip


def test_no_write_and_no_call_leaves_the_agent(tmp_path: Path) -> None:
    plc = modbus_server(tmp_path / "plc", "--illegal", "20-20")
    assert plc.port is not None
    ls = XgtPlc(tmp_path / "ls")
    functions: Counter[int] = collections.Counter()
    commands: Counter[int] = collections.Counter()
    services: Counter[str] = collections.Counter()
    with child_running(plc), child_running(ls), opcua_server(tmp_path / "cnc") as cnc:
        ls.tell("illegal D 40 41")
        with Relay(plc.port) as modbus, Relay(cnc.opcua_port) as opcua, Relay(ls.where) as xgt:
            rig = Rig(tmp_path, devices=_devices(modbus.port, opcua.port, xgt.port), machines=[{"id": "m"}])
            check: list[str | Path] = [tool("tsq-agent"), "check", "--connect", rig.config]
            subprocess.run(check, check=False, timeout=60, stdout=subprocess.DEVNULL)
            assert modbus.sent, "check --connect reads the PLC"
            assert opcua.sent, "and the CNC"
            assert xgt.sent, "and the LS PLC"
            with running(rig):
                rig.wait_for_state("plc", "up")
                rig.wait_for_state("cnc", "up")
                rig.wait_for_state("ls", "up")
                until(lambda: rig.status()["devices"]["cnc"]["frames"] > 3, 20, "no frames", rig)
                plc.restart()  # and all over again: reconnection sends what a start does not
                cnc.restart()
                opened = len(xgt.sent)
                ls.restart()
                rig.wait_for_state("plc", "up", 20)
                until(lambda: len(xgt.sent) > opened, 30, "no reconnection", rig)
                rig.wait_for_state("ls", "up", 30)
                until(lambda: rig.status()["devices"]["cnc"]["outages"] > 0, 30, "no outage", rig)
                rig.wait_for_state("cnc", "up", 30)
                rig.retry("cnc")
                rig.retry("plc")
                rig.retry("ls")
                frames = rig.status()["devices"]["cnc"]["frames"]
                until(lambda: rig.status()["devices"]["cnc"]["frames"] > frames + 3, 20, "no frames", rig)
            for stream in modbus.sent:
                functions += modbus_functions(bytes(stream))
            for stream in xgt.sent:
                commands += xgt_commands(bytes(stream))
            for stream in opcua.sent:
                services += opcua_services(bytes(stream))
    assert set(functions) == {1, 2, 3, 4}, functions
    assert set(commands) == {0x54}, commands
    assert services["Read"] > 0
    assert services["Publish"] > 0
    assert set(services) <= READS, services


def _devices(modbus_port: int, opcua_port: int, xgt_port: int) -> list[dict[str, Any]]:
    plc = {
        "id": "plc", "type": "modbus", "machine": "m", "host": "127.0.0.1", "port": modbus_port, "timeout": "400ms",
        "groups": [{"id": "main", "every": "500ms", "signals": [
            {"id": "a", "address": "holding:7", "type": "float32"},
            {"id": "b", "address": "holding:20", "type": "uint16"},
            {"id": "c", "address": "input:3", "type": "uint16"},
            {"id": "d", "address": "coil:1", "type": "bool"},
            {"id": "e", "address": "discrete:2", "type": "bool"},
        ]}],
    }  # fmt: skip
    cnc = {
        "id": "cnc", "type": "opcua", "machine": "m", "endpoint": f"opc.tcp://127.0.0.1:{opcua_port}/plant",
        "security": "None", "groups": [
            {"id": "sub", "every": "500ms", "signals": [
                {"id": "f", "node": "ns=1;s=double", "type": "float64"},
                {"id": "g", "node": "ns=1;s=nobody", "type": "float64"},
            ]},
            {"id": "poll", "every": "500ms", "mode": "poll", "signals": [
                {"id": "h", "node": "ns=1;s=int32", "type": "int32"},
            ]},
        ],
    }  # fmt: skip
    ls = {
        "id": "ls", "type": "xgt", "machine": "m", "host": "127.0.0.1", "port": xgt_port, "timeout": "400ms",
        "groups": [{"id": "main", "every": "500ms", "signals": [
            {"id": "i", "address": "D00010", "type": "float32"},
            {"id": "j", "address": "D00020", "type": "uint16"},
            {"id": "k", "address": "M0012F", "type": "bool"},
            {"id": "l", "address": "T0001", "type": "bool"},
        ]}],
    }  # fmt: skip
    return [plc, cnc, ls]


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (bytes.fromhex("0001 0000 0006 01 03 0008 0002") * 2, {3: 2}),
        (bytes.fromhex("0001 0000 0006 01 06 0008 0002"), {6: 1}),
        (bytes.fromhex("0001 0000 0009 01 10 0008 0001 02 0001"), {16: 1}),
    ],
)
def test_the_modbus_reader_sees_writes(stream: bytes, found: dict[int, int]) -> None:
    assert modbus_functions(stream) == found


def test_the_xgt_reader_sees_writes() -> None:
    def message(command: int) -> bytes:
        body = command.to_bytes(2, "little") + bytes(8)
        return b"LSIS-XGT\0\0" + bytes(6) + len(body).to_bytes(2, "little") + bytes(2) + body

    assert xgt_commands(message(0x54) * 2 + message(0x58)) == {0x54: 2, 0x58: 1}


def test_the_opcua_reader_sees_writes_and_calls() -> None:
    def message(service: int, request: int) -> bytes:
        body = bytes(12) + request.to_bytes(4, "little") + b"\x01\x00" + service.to_bytes(2, "little") + bytes(8)
        return b"MSGF" + (len(body) + 8).to_bytes(4, "little") + body

    stream = b"HELF" + (8).to_bytes(4, "little") + message(673, 1) + message(712, 2) + message(631, 3)
    assert opcua_services(stream) == {"Write": 1, "Call": 1, "Read": 1}
