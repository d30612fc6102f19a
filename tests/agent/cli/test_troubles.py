"""What the table of `check --connect` says of devices that give no values, in Korean too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, get_args

from agent.cli.check import read_all, values
from agent.cli.words import TROUBLES
from agent.config.load import load
from agent.probe import Trouble
from tests.support.processes import free_port

if TYPE_CHECKING:
    from pathlib import Path

_FILE = """\
version: 1
factory: hanil
agent: edge-1
name: 공장
time: {{zone: Asia/Seoul, trust_local_clock: true}}
machines: [{{id: press-1}}]
uplink: {{site: {{host: 127.0.0.1}}}}
devices:
  - {{id: plc, type: modbus, machine: press-1, host: 127.0.0.1, port: {port},
     groups: [{{every: 1s, signals: [{{id: current, type: uint16, address: "holding:1"}}]}}]}}
  - {{id: cnc, type: opcua, machine: press-1, endpoint: "opc.tcp://127.0.0.1:{port}", security: None,
     login: {{user: tsq, password: "file:/nowhere/password"}},
     groups: [{{every: 1s, signals: [{{id: load, type: bool, node: ns=1;s=load}}]}}]}}
"""


def test_every_trouble_has_words() -> None:
    assert set(TROUBLES) == {None, *get_args(Trouble)}


def test_the_table_says_why_there_is_no_value(tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(_FILE.format(port=free_port()), "utf-8")
    config = load(path, "ko")
    probes = asyncio.run(asyncio.wait_for(read_all(config), 30))
    table = "\n".join(values(config, probes, "ko"))
    assert "통신 안 됨" in table
    assert "접속 거부" in table
