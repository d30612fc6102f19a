"""Real processes under a service manager's socket, with their counters served, and within the units' filter."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.rig import Rig, running, tool, until
from tests.peers.modbus import server as modbus_server
from tests.support.brokers import mosquitto
from tests.support.processes import Child, free_port
from tests.support.processes import running as child_running
from tests.support.site import SMALLEST

if TYPE_CHECKING:
    from collections.abc import Iterator

UNITS = Path(__file__).parents[2] / "systemd"
PATIENCE_S = 30
# refused with EPERM and done without: OpenBLAS asks where its memory lies, SQLite gives files away only as root
DONE_WITHOUT = {"mbind", "fchown"}


@contextlib.contextmanager
def manager(folder: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """Listen as a service manager does; yield its socket and the environment of its service."""
    path = folder / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(PATIENCE_S)
        yield listening, {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"}


def words(listening: socket.socket) -> str:
    """Return the next message."""
    return listening.recv(4096).decode()


def heard(listening: socket.socket, word: str) -> None:
    """Wait for a message that begins so."""
    while not words(listening).startswith(word):
        pass


def quiet(listening: socket.socket) -> None:
    """Read away what has come, then wait for two seconds without a word."""
    listening.settimeout(2)
    for _ in range(100):
        try:
            words(listening)
        except TimeoutError:
            break
    else:
        raise AssertionError("it goes on feeding the watchdog")
    listening.settimeout(PATIENCE_S)


def devices(port: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a device and its machine."""
    signals = [{"id": "w0", "address": "holding:0", "type": "uint16"}]
    group = {"id": "fast", "every": "200ms", "signals": signals}
    device = {"id": "plc", "type": "modbus", "machine": "m", "host": "127.0.0.1", "port": port, "groups": [group]}
    return [device], [{"id": "m"}]


def test_the_agent_tells_the_service_manager_of_its_life_and_serves_its_counters(tmp_path: Path) -> None:
    port = free_port()
    with manager(tmp_path) as (listening, env), child_running(modbus_server(tmp_path / "modbus")) as server:
        assert server.port is not None
        some, machines = devices(server.port)
        rig = Rig(tmp_path, devices=some, machines=machines, metrics={"port": port})
        rig.agent.env.update(env)
        with running(rig):
            heard(listening, "READY=1")
            heard(listening, "WATCHDOG=1")

            def stored() -> bool:
                return _metric(port, "tsq_agent_spool_confirmed_rows_total") > 0

            until(stored, PATIENCE_S, "nothing is confirmed", rig)
            assert _metric(port, "tsq_agent_rows_total", device="plc") > 0
            assert _metric(port, "tsq_agent_device_state", device="plc", state="up") == 1
            assert _metric(port, "tsq_agent_uplink_up", uplink="site") == 1
            assert _beyond_loopback(port) is False
            begin = time.monotonic()
            rig.agent.send(signal.SIGTERM)
            heard(listening, "STOPPING=1")
            assert rig.agent.stop() == 0
            assert time.monotonic() - begin < 8  # 5 s on a machine that has nothing else to do


def test_the_gateway_tells_the_service_manager_of_its_life_and_serves_its_counters(tmp_path: Path) -> None:
    port = free_port()
    with manager(tmp_path) as (listening, env), child_running(mosquitto(tmp_path / "broker")) as broker:
        config = tmp_path / "gateway.yaml"
        config.write_text(
            f"worker: w\nmqtt: {{host: 127.0.0.1, port: {broker.port}}}\n"
            f"store: {{type: embedded, path: {tmp_path / 'store.db'}}}\n"
            f"dead_letters: {{directory: {tmp_path / 'letters'}}}\nmetrics: {{port: {port}}}\n"
        )
        command: list[str | Path] = [tool("tsq-gateway"), "run", "--config", config]
        with child_running(Child(command, log=tmp_path / "gateway.log", env=env)) as gateway:
            heard(listening, "READY=1")
            heard(listening, "WATCHDOG=1")
            until(lambda: _metric(port, "tsq_gateway_serving") == 1, PATIENCE_S, "it does not serve")
            assert _metric(port, "tsq_gateway_malformed_total") == 0
            gateway.send(signal.SIGTERM)
            heard(listening, "STOPPING=1")
            assert gateway.stop() == 0, gateway.output()


def test_a_frozen_agent_feeds_no_watchdog(tmp_path: Path) -> None:
    with manager(tmp_path) as (listening, env), child_running(mosquitto(tmp_path / "broker")) as broker:
        config = tmp_path / "agent.yaml"
        config.write_text(SMALLEST.format(folder=tmp_path / "state", port=broker.port), "utf-8")
        command: list[str | Path] = [sys.executable, "-m", "agent.cli", "run", "--config", config]
        with child_running(Child(command, log=tmp_path / "agent.log", env=env)) as agent:
            heard(listening, "WATCHDOG=1")
            agent.send(signal.SIGSTOP)
            try:
                quiet(listening)
            finally:
                agent.send(signal.SIGCONT)
            heard(listening, "WATCHDOG=1")


def test_a_port_that_is_taken_is_said_and_nothing_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = tmp_path / "agent.yaml"
        text = SMALLEST.format(folder=tmp_path / "state", port=free_port())
        config.write_text(f"{text}\nmetrics: {{port: {port}}}\n", "utf-8")
        command = [sys.executable, "-m", "agent.cli", "run", "--config", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78
    assert f"metrics: 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("who", ["agent", "gateway"])
def test_the_units_filter_lets_everything_through_that_is_used(who: str, tmp_path: Path) -> None:
    allowed, families = _allowed(UNITS / f"{who}.service")
    with child_running(modbus_server(tmp_path / "modbus")) as server:
        assert server.port is not None
        some, machines = devices(server.port)
        rig = Rig(tmp_path, devices=some, machines=machines, metrics={"port": free_port()})
        child: Child = getattr(rig, who)
        trace = tmp_path / "trace"
        strace = shutil.which("strace")
        assert strace, "strace is not installed: run `make test`, it installs what the tests need"
        child.command = [strace, "-f", "-qq", "--seccomp-bpf", "-o", str(trace), *child.command]
        with running(rig):
            rows = "tsq_agent_spool_confirmed_rows_total"
            until(lambda: rig.status()["spool"]["confirmed_rows"] > 5, PATIENCE_S * 2, f"no {rows}", rig)
            for one in (rig.agent, rig.gateway):
                assert one.process is not None
                target = _traced(one.process.pid) if one is child else one.process.pid
                subprocess.run(["kill", "-TERM", str(target)], check=True)
                one.process.wait(30)
    used = trace.read_text("utf-8", "replace")
    calls = set(re.findall(r"^\d+ +(?:<\.\.\. )?([a-z_0-9]+)(?:\(| resumed)", used, re.MULTILINE))
    assert {"openat", "socket", "futex"} <= calls
    assert calls - allowed <= DONE_WITHOUT, calls - allowed
    assert not re.findall(r"(?:mmap|mprotect)\(.*PROT_WRITE\|PROT_EXEC.*", used)
    denied = set(re.findall(r"socket\((AF_[A-Z0-9]+)", used)) - families - {"AF_NETLINK"}  # glibc does without it
    assert not denied


def _allowed(unit: Path) -> tuple[set[str], set[str]]:
    """Return the system calls and address families that a unit lets through."""
    text = unit.read_text("utf-8")
    allowed: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE):
        calls = set().union(*(_calls(name) for name in line.lstrip("~").split()))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    if "\nProtectClock=yes" in text:
        allowed -= _calls("@clock")
    families = set(
        re.findall(r"AF_[A-Z0-9]+", re.findall(r"^RestrictAddressFamilies=(.*)$", text, re.MULTILINE)[0])
    )
    return allowed, families


def _calls(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    done = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager", name], capture_output=True, text=True, check=True
    )
    found: set[str] = set()
    for line in done.stdout.splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            found |= _calls(word)
    return found


def _traced(tracer: int) -> int:
    return int(Path(f"/proc/{tracer}/task/{tracer}/children").read_text().split()[0])


def _metric(port: int, name: str, **labels: str) -> float:
    """Return one series as Prometheus would read it; -1 where there is no answer yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except (OSError, urllib.error.URLError):
        return -1
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return float(sample.value)
    return -1


def _beyond_loopback(port: int) -> bool:
    """Return whether something listens on this port at another address than loopback."""
    sockets = Path("/proc/net/tcp").read_text().splitlines()[1:]
    local = [line.split()[1] for line in sockets if line.split()[3] == "0A"]
    found = [address for address in local if int(address.split(":")[1], 16) == port]
    assert found
    return any(address.split(":")[0] != "0100007F" for address in found)
