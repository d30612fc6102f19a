"""Agent, gateway and broker as processes on loopback, configured by files as a user would write them."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.control import NotRunning, ask
from tests.support.brokers import mosquitto
from tests.support.processes import Child

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FACTORY, AGENT = "hanil", "edge-1"


def tool(name: str) -> Path:
    """Return the path of one of our console scripts."""
    return Path(sys.executable).with_name(name)


def agent_yaml(
    folder: Path,
    broker_port: int,
    devices: Sequence[Mapping[str, Any]],
    machines: Sequence[Mapping[str, Any]],
    **more: Any,
) -> Path:
    """Write a site's file (JSON is YAML); return its path."""
    config = {
        "version": 1,
        "factory": FACTORY,
        "site": "main",
        "agent": AGENT,
        "name": "시험 공장",
        "time": {"zone": "Asia/Seoul", "trust_local_clock": True},
        "machines": list(machines),
        "storage": {"directory": str(folder / "agent"), "min_free": "1MB"},
        "uplink": {"site": {"host": "127.0.0.1", "port": broker_port}},
        "devices": list(devices),
        **more,
    }
    path = folder / "agent.yaml"
    path.write_text(json.dumps(config, ensure_ascii=False, indent=1), "utf-8")
    return path


def gateway_yaml(folder: Path, broker_port: int, store: Mapping[str, Any]) -> Path:
    """Write a gateway's file; return its path."""
    config = {
        "worker": "worker-1",
        "trust_local_clock": True,
        "mqtt": {"host": "127.0.0.1", "port": broker_port},
        "store": dict(store),
        "dead_letters": {"directory": str(folder / "dead-letters")},
    }
    path = folder / "gateway.yaml"
    path.write_text(json.dumps(config, indent=1), "utf-8")
    return path


class Rig:
    """Broker, gateway and agent; each can be killed and restarted."""

    def __init__(
        self,
        folder: Path,
        *,
        devices: Sequence[Mapping[str, Any]],
        machines: Sequence[Mapping[str, Any]],
        store: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        self.folder = folder
        self.broker = mosquitto(folder / "broker")
        assert self.broker.port is not None
        self.store_path = folder / "store.db"
        store = store or {"type": "embedded", "path": str(self.store_path)}
        self.config = agent_yaml(folder, self.broker.port, devices, machines, **more)
        gateway = gateway_yaml(folder, self.broker.port, store)
        self.gateway = Child([tool("tsq-gateway"), "run", "--config", gateway], log=folder / "gateway.log")
        self.agent = Child([tool("tsq-agent"), "run", "--config", self.config], log=folder / "agent.log")

    def status(self) -> dict[str, Any]:
        """Return what the agent tells `tsq-agent status --json`; wait for it while it starts."""
        for attempt in itertools.count():
            try:
                return dict(ask(self.folder / "agent", "status"))
            except NotRunning:
                assert self.agent.process is not None
                alive = self.agent.process.poll() is None
                assert alive, f"the agent has ended\n{self.agent.output()[-6000:]}"
                assert attempt < 200, self.agent.output()[-6000:]
                time.sleep(0.1)
        raise AssertionError

    def retry(self, target: str) -> None:
        """Run `tsq-agent retry`."""
        command: list[str | Path] = [tool("tsq-agent"), "retry", target, "--config", self.config]
        subprocess.run(command, check=True, timeout=30)

    def wait_for_state(self, device: str, state: str, seconds: float = 20) -> float:
        """Wait until a device is in this state; return how long it took."""
        return until(lambda: _state(self.status(), device) == state, seconds, f"{device} is not {state}", self)

    def drain(self, seconds: float = 60) -> None:
        """Wait until everything read is committed and confirmed; devices must have fallen silent."""
        until(lambda: _waiting(self.status()) == 0, seconds, "the spool does not drain", self)


def _state(status: Mapping[str, Any], device: str) -> str:
    state: str = status["devices"].get(device, {}).get("state", "")
    return state


def _waiting(status: Mapping[str, Any]) -> int:
    """Rows in ring and spool, not counting entries that hold only events."""
    waiting: int = status["spool"]["rows"] + status["spool"]["ring_rows"]
    return waiting


def until(condition: Any, seconds: float, text: str, rig: Rig | None = None) -> float:
    """Poll a condition; return after how many seconds it held, or fail with the logs."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        if condition():
            return time.monotonic() - begin
        time.sleep(0.05)
    logs = "" if rig is None else f"\n{rig.agent.output()[-4000:]}\n{rig.gateway.output()[-4000:]}"
    raise AssertionError(f"{text} after {seconds} s{logs}")


@contextlib.contextmanager
def running(rig: Rig) -> Iterator[Rig]:
    """Run all three; end them agent first."""
    try:
        rig.broker.start()
        rig.gateway.start()
        rig.agent.start()
        yield rig
    finally:
        for child in (rig.agent, rig.gateway, rig.broker):
            child.stop()
