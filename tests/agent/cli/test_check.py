"""`tsq-agent check`, as a technician runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.cli import main
from agent.cli.check import values
from agent.cli.table import width
from agent.cli.words import status_text
from agent.config.load import load
from agent.frame import Status
from agent.probe import Probe
from tests.peers.modbus import server
from tests.peers.opcua import opcua_server
from tests.support.processes import free_port, running

if TYPE_CHECKING:
    from tests.support.processes import Child

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config" / "agent.example.yaml"

# An audit hook sees every socket and every look-up of a name, whoever asks for it.
GUARD = """
import sys

def guard(event, args):
    if event.startswith("socket.") or event.startswith("subprocess.") or event == "os.system":
        print("network:", event, args, file=sys.stderr)
        raise SystemExit(99)

sys.addaudithook(guard)
"""


def guarded(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", GUARD + code],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"},
        timeout=60,
    )


def test_check_never_touches_the_network_nor_loads_what_would(tmp_path: Path) -> None:
    named = tmp_path / "agent.yaml"
    text = EXAMPLE.read_text("utf-8")
    named.write_text(
        text.replace("192.168.0.10", "plc.example.com").replace("127.0.0.1", "broker.example.com"), "utf-8"
    )
    done = guarded(
        f"from agent.cli import main\ncode = main(['check', {str(named)!r}])\n"
        "print({'asyncua', 'pymodbus', 'paho', 'influxdb_client'} & set(sys.modules))\nraise SystemExit(code)"
    )
    assert done.returncode == 0, done.stderr
    assert "no mistakes found" in done.stdout
    assert done.stdout.endswith("set()\n")
    assert done.stderr == ""


def test_a_library_that_is_not_installed_is_named_with_the_command_that_does() -> None:
    without = "from agent.cli import main\nsys.modules['holidays'] = None\n"
    done = guarded(f"{without}raise SystemExit(main(['check', {str(EXAMPLE)!r}]))")
    assert done.returncode == 1
    assert done.stderr == "tsq-agent: holidays is not installed: pip install 'techsquare-edge[agent]'\n"
    done = guarded(f"{without}raise SystemExit(main(['check', {str(EXAMPLE)!r}, '--lang', 'ko']))")
    assert done.stderr == (
        "tsq-agent: holidays이(가) 설치되지 않았습니다. 설치: pip install 'techsquare-edge[agent]'\n"
    )


def test_the_guard_of_the_test_above_sees_the_network() -> None:
    for code in ("import socket; socket.socket()", "import socket; socket.getaddrinfo('localhost', 1)"):
        assert guarded(code).returncode == 99


def test_a_wrong_file_prints_its_mistakes_and_ends_with_78(capsys: pytest.CaptureFixture[str]) -> None:
    case = ROOT / "tests" / "agent" / "config" / "cases" / "ten_mistakes.yaml"
    assert main(["--lang", "ko", "check", str(case)]) == 78
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 10
    assert "혹시 site입니까?" in printed.err


def test_the_summary_counts_machines_devices_signals_and_requests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(EXAMPLE), "--lang", "en"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "4 machines (3 connected), 3 devices, 10 signals"
    assert lines[5].split() == ["press-plc.fast", "modbus", "poll", "500ms", "3", "2"]
    assert main(["check", str(EXAMPLE), "--lang", "ko"]) == 0
    assert "설비 4대(연결 3대), 장치 3대, 태그 10개" in capsys.readouterr().out


def test_a_timeout_longer_than_the_interval_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(
        CONNECT.replace("$dead", "502").replace("$live", "502").replace("every: 1s", "every: 200ms"), "utf-8"
    )
    assert main(["check", str(path), "--lang", "en"]) == 0
    out = capsys.readouterr().out
    assert (
        "dead-plc.main: a silent answer is waited for 1500ms (timeout) and skips up to 8 readings of 200ms" in out
    )
    assert "press-plc.slow" not in out.split("\n\n")[-1]


CONNECT = """
version: 1
factory: hanil
agent: edge-1
name: 한일정밀
time: {zone: Asia/Seoul, trust_local_clock: true}
machines: [{id: press-1}, {id: lathe-9}, {id: oven-2}]
uplink: {site: {host: 127.0.0.1}}
devices:
  - id: dead-plc
    type: modbus
    machine: lathe-9
    host: 127.0.0.1
    port: $dead
    unit: 2
    groups: [{every: 1s, signals: [{id: speed, name: 주축 속도, address: "holding:0", type: uint16, unit: rpm}]}]
  - id: press-plc
    type: modbus
    machine: press-1
    host: 127.0.0.1
    port: $live
    groups:
      - id: fast
        every: 1s
        signals:
          - {id: current, name: 모터 전류, address: "holding:1234", type: uint16, unit: A}
          - {id: temperature, name: 온도, address: "holding:300", type: int16, scale: 0.1, unit: degC}
          - {id: door, name: 도어, address: "coil:7", type: bool, machine: oven-2}
      - {id: slow, every: 30m, signals: [{id: shots, address: "holding:2000", type: uint32}]}
"""


def config(folder: Path, live: Child, dead: int, extra: str = "") -> Path:
    path = folder / "agent.yaml"
    path.write_text(CONNECT.replace("$dead", str(dead)).replace("$live", str(live.port)) + extra, "utf-8")
    return path


def test_connect_shows_what_each_signal_says_and_a_dead_device_hides_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = free_port()
    with running(server(tmp_path)) as peer:
        path = config(
            tmp_path,
            peer,
            dead,
            '      - {id: wrong, every: 1s, signals: [{id: ghost, address: "holding:65000", type: uint16}]}\n',
        )
        assert main(["check", str(path), "--connect", "--lang", "ko"]) == 1
    out = capsys.readouterr().out
    lines = out.split("\n\n")[2].splitlines()
    assert lines[0].split() == ["설비", "태그", "이름", "주소", "값", "단위", "품질", "상태"]
    rows = {line.split()[1]: line for line in lines[2:] if line.split()[0] in {"press-1", "lathe-9", "oven-2"}}
    assert rows["current"].split() == [
        "press-1",
        "current",
        "모터",
        "전류",
        "holding:1234",
        "(401235)",
        "1234",
        "A",
        "정상",
    ]
    assert rows["temperature"].split()[4:] == ["(400301)", "30", "degC", "정상"]
    assert rows["door"].split()[0] == "oven-2"
    assert rows["door"].split()[5:7] == ["true", "정상"]
    assert rows["shots"].split()[-2:] == [str(2000 << 16 | 2001), "정상"]
    assert rows["speed"].split("-")[-1].split()[:2] == ["통신", "안"]
    last = out.splitlines()[-1]
    assert last.startswith("dead-plc")
    assert f"127.0.0.1:{dead}" in last
    assert "거절" in last


def test_connect_ends_with_0_when_everything_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(server(tmp_path)) as peer:
        assert peer.port is not None
        assert main(["check", str(config(tmp_path, peer, peer.port)), "--connect", "--lang", "en"]) == 0
    assert "no value" not in capsys.readouterr().out


def test_connect_names_a_refused_address_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(server(tmp_path, "--illegal", "300-300")) as peer:
        assert peer.port is not None
        assert main(["check", str(config(tmp_path, peer, peer.port)), "--connect", "--lang", "en"]) == 1
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if " temperature " in line)
    assert row.endswith("bad      illegal address (exception 2)")
    assert "press-plc: signal temperature (holding:300" in out
    assert "good" in next(line for line in out.splitlines() if " current " in line)


def test_connect_does_not_wait_for_a_slow_subscription(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with opcua_server(tmp_path) as plant:
        path = tmp_path / "agent.yaml"
        path.write_text(
            f"""
version: 1
factory: hanil
agent: edge-1
name: 한일정밀
time: {{zone: Asia/Seoul, trust_local_clock: true}}
machines: [{{id: cnc-1}}]
uplink: {{site: {{host: 127.0.0.1}}}}
devices:
  - id: cnc
    type: opcua
    machine: cnc-1
    endpoint: {plant.endpoint}
    security: None
    groups:
      - id: hourly
        every: 1h
        signals:
          - {{id: load, node: "ns=1;s=double", type: float64, unit: "%"}}
          - {{id: maker, node: "ns=1;s=string", type: string}}
      - {{id: polled, every: 1h, mode: poll, signals: [{{id: good, node: "ns=1;s=bool", type: bool}}]}}
""",
            "utf-8",
        )
        assert main(["check", str(path), "--connect", "--lang", "ko"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "ns=1;s=" in line]
    assert rows == [
        ["cnc-1", "load", "load", "ns=1;s=double", "0.1", "%", "정상"],
        ["cnc-1", "maker", "maker", "ns=1;s=string", "한일정밀", "정상"],
        ["cnc-1", "good", "good", "ns=1;s=bool", "true", "정상"],
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.GOOD, ""), (0x480, ""),
        (Status.BAD_NODE_ID_UNKNOWN, "unknown node or address: check it (0x80340000)"),
        (Status.BAD_NODE_ID_UNKNOWN | 2, "illegal address (exception 2)"), (0x8099_0000, "0x80990000"),
        (Status.BAD_NODE_ID_UNKNOWN | 4, "unknown node or address: check it (0x80340004)"),
        (0x4094_0000, "outside the unit's range (0x40940000)"),
    ],
)  # fmt: skip
def test_a_status_code_has_words_or_its_number(status: int, words: str) -> None:
    assert status_text(status).en == words


@pytest.mark.parametrize(("columns", "titles"), [(None, 8), (200, 8), (80, 7), (55, 5)])
def test_a_narrow_terminal_gets_a_table_without_wrapped_lines(columns: int | None, titles: int) -> None:
    found = load(EXAMPLE)
    probes = [
        Probe({(source.id, i): (1.5, 0) for source in device.sources() for i in range(len(source.signals))})
        for device in found.devices
    ]
    lines = list(values(found, probes, "en", columns))
    assert len(lines[0].split()) == titles
    assert columns is None or all(width(line) <= columns for line in lines)
    assert {"value", "quality", "status"} < set(lines[0].split())
