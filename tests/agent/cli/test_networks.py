"""Two network cards on overlapping subnets, as the kernel shows them."""

from __future__ import annotations

import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from agent.cli.networks import ROUTES, connected, overlaps
from agent.config.model import Device

DEVICE: TypeAdapter[Device] = TypeAdapter(Device)
HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def word(address: str) -> str:
    return f"{int.from_bytes(IPv4Address(address).packed, sys.byteorder):08X}"


def route(card: str, network: str, gateway: str = "0.0.0.0", flags: int = 1) -> str:
    net = IPv4Network(network)
    address, mask = word(str(net.network_address)), word(str(net.netmask))
    return f"{card}\t{address}\t{word(gateway)}\t{flags:04X}\t0\t0\t0\t{mask}\t0\t0\t0\n"


TABLE = (
    HEAD
    + route("eth0", "0.0.0.0/0", "192.168.0.1", 3)
    + route("eth0", "192.168.0.0/24")
    + route("eth1", "192.168.0.0/16")
    + route("eth2", "10.0.0.0/8")
    + route("eth3", "10.1.0.0/16", flags=0)
)


def device(host: str, **more: Any) -> Device:
    group = {"every": "1s", "signals": [{"id": "a", "address": "holding:0", "type": "uint16"}]}
    return DEVICE.validate_python(
        {"id": "plc", "type": "modbus", "machine": "m", "host": host, "groups": [group], **more}
    )


def test_routes_without_gateway_that_are_up_are_networks_of_a_card() -> None:
    assert [(card, str(network)) for card, network in connected(TABLE)] == [
        ("eth0", "192.168.0.0/24"), ("eth1", "192.168.0.0/16"), ("eth2", "10.0.0.0/8"),
    ]  # fmt: skip
    assert connected("") == []
    assert connected(HEAD + "half\n") == []


def test_this_box_is_read_without_a_complaint_about_its_form() -> None:
    table = Path(ROUTES)
    assert all(isinstance(network, IPv4Network) for _, network in connected(table.read_text("ascii")))


@pytest.mark.parametrize(
    ("host", "more", "count"),
    [("192.168.0.10", {}, 1), ("192.168.7.10", {}, 0), ("10.1.2.3", {}, 0), ("press.local", {}, 0),
     ("192.168.0.10", {"source_address": "192.168.0.2"}, 0)],
)  # fmt: skip
def test_a_device_that_two_cards_claim_is_told(host: str, more: dict[str, Any], count: int) -> None:
    said = [text.ko for text in overlaps([device(host, **more)], connected(TABLE))]
    assert len(said) == count
    assert all("eth0 192.168.0.0/24, eth1 192.168.0.0/16" in text and "plc" in text for text in said)


def test_a_server_of_opc_ua_is_found_by_its_endpoint() -> None:
    group = {"every": "1s", "signals": [{"id": "a", "node": "i=2258", "type": "timestamp"}]}
    server = DEVICE.validate_python({
        "id": "cnc", "type": "opcua", "machine": "m", "endpoint": "opc.tcp://192.168.0.20:4840", "security": "None",
        "groups": [group],
    })  # fmt: skip
    assert len(list(overlaps([server], connected(TABLE)))) == 1
