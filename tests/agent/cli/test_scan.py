"""`tsq-agent scan`: who answers, what it means, and that nobody else is asked."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import pytest

from agent.cli import main
from agent.cli.scan import Ask, Heard, advice, configured, written_out
from agent.config.load import load
from settings.language import Complaint
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = """
version: 1
factory: hanil
agent: edge-1
name: 한일정밀
time: {zone: Asia/Seoul}
machines: [{id: m}]
uplink: {site: {host: 127.0.0.1}}
devices:
  - id: plc
    type: modbus
    machine: m
    host: 127.0.0.2
    port: $open
    groups: [{every: 1s, signals: [{id: a, address: "holding:0", type: uint16}]}]
  - id: second
    type: modbus
    machine: m
    host: 127.0.0.2
    port: $open
    unit: 2
    groups: [{every: 1s, signals: [{id: b, address: "holding:0", type: uint16}]}]
  - id: cnc
    type: opcua
    machine: m
    endpoint: opc.tcp://127.0.0.3:$closed/x
    security: None
    groups: [{every: 1s, signals: [{id: c, node: "i=2258", type: timestamp}]}]
"""


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.2", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def file(tmp_path: Path, port: int) -> Path:
    path = tmp_path / "agent.yaml"
    path.write_text(FILE.replace("$open", str(port)).replace("$closed", str(free_port())), "utf-8")
    return path


def test_each_port_and_what_it_means(file: Path, port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(file), "--lang", "en"]) == 1
    out = capsys.readouterr().out
    rows = [line.split() for line in out.split("\n\n")[0].splitlines()[2:]]
    assert next(row[:2] for row in rows) == ["127.0.0.2", str(port)]
    assert {row[1] for row in rows} >= {"502", "802", "2004", "4840"}
    assert rows[0][2] == "answers"
    assert rows[0][-2:] == ["plc,", "second"]
    assert all("refused" in row for row in rows[1:])
    assert f"{port} answers: go on with check --connect (plc, second)" in out
    assert "the device is there but" in out
    assert main(["scan", str(file), "--lang", "ko"]) == 1
    assert "포트가 닫혀 있습니다" in capsys.readouterr().out


def test_a_host_of_the_command_line_is_asked_too(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["scan", str(file), "127.0.0.9", "--lang", "en"])
    assert "127.0.0.9: it is there, but none of these ports is open" in capsys.readouterr().out


@pytest.mark.parametrize(
    "host", ["10.0.0.0/24", "10.0.0.1-20", "10.0.0.*", "10.0.0.1,10.0.0.2", "plc[1-9]", "10.0.0.1-10.0.0.9", "1 2"]
)
def test_a_range_is_refused_with_the_reason(host: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", str(file), host, "--lang", "ko"]) == 2
    printed = capsys.readouterr()
    assert host in printed.err
    assert printed.out == ""


def test_many_addresses_are_a_sweep() -> None:
    with pytest.raises(Complaint, match="a sweep"):
        written_out([f"10.0.0.{n}" for n in range(1, 30)])
    assert [ask.host for ask in written_out(["10.0.0.5", "plc-3.local", "10.0.0.5"])] == ["10.0.0.5", "plc-3.local"]


def test_nobody_but_the_written_hosts_is_asked(file: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    del monkeypatch
    asked: list[tuple[str, int]] = []

    def hook(event: str, args: tuple[object, ...]) -> None:
        if event == "socket.connect" and watching:
            asked.append(args[1])  # type: ignore[arg-type]

    watching = True
    sys.addaudithook(hook)
    main(["scan", str(file), "--lang", "en"])
    watching = False
    assert {host for host, *_ in asked} == {"127.0.0.2", "127.0.0.3"}
    assert {p for _, p, *_ in asked} >= {port, 502, 802, 2004, 4840}
    assert len(asked) == 10


def test_hosts_come_from_the_file_once_for_each_card(file: Path) -> None:
    asks = configured(load(file))
    assert [(ask.host, list(ask.expected.values())) for ask in asks] == [
        ("127.0.0.2", [("plc", "second")]), ("127.0.0.3", [("cnc",)]),
    ]  # fmt: skip


def test_advice() -> None:
    ask = Ask("h", "10.9.9.9", {502: ("plc",)})

    def said(**outcomes: str) -> str:
        answers = [Heard(int(port[1:]), outcome, 1.0) for port, outcome in outcomes.items()]  # type: ignore[arg-type]
        texts = list(advice(ask, answers))
        assert all(text.ko != text.en for text in texts)
        return " | ".join(text.en for text in texts)

    assert "check power" in said(p502="silent", p2004="no route")
    assert "10.9.9.9 is no address of this box" in said(p502="no card", p2004="no card")
    assert "write the IP address" in said(p502="no name")
    assert "2004 answers as well: perhaps XGT" in said(p502="refused", p2004="answers")
    assert "a firewall" in said(p502="silent", p2004="refused")
