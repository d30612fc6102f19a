"""The agent as a process: how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from agent.app import Agent
from agent.config.load import load
from agent.control import SOCKET
from tests.support.brokers import mosquitto
from tests.support.processes import Child, free_port, running
from tests.support.site import SMALLEST

if TYPE_CHECKING:
    from pathlib import Path


def test_its_memory_before_the_disk_holds_thirty_seconds_of_what_it_reads(tmp_path: Path) -> None:
    config = tmp_path / "agent.yaml"
    signals = "".join(f"\n          - {{id: r{i}, address: 'holding:{i}', type: uint16}}" for i in range(500))
    device = (
        "devices:\n  - id: plc\n    type: modbus\n    machine: press-1\n    host: 127.0.0.1\n"
        f"    groups:\n      - id: fast\n        every: 50ms\n        signals:{signals}\n"
    )
    config.write_text(SMALLEST.format(folder=tmp_path / "state", port=free_port()) + device, "utf-8")
    agent = Agent(load(config))
    assert agent._spool._ring._limit == 500 * 20 * 30
    agent._spool.stop()
    os.close(agent._lock)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_impatient_person_does_not_disturb_a_stop(tmp_path: Path, number: signal.Signals) -> None:
    with running(mosquitto(tmp_path / "broker")) as broker:
        config = tmp_path / "agent.yaml"
        config.write_text(SMALLEST.format(folder=tmp_path / "state", port=broker.port), "utf-8")
        agent = Child([sys.executable, "-m", "agent.cli", "run", "--config", config], log=tmp_path / "agent.log")
        agent.start()
        assert agent.process is not None
        deadline = time.monotonic() + 30
        while "connected to" not in agent.output() or not (tmp_path / "state" / SOCKET).exists():
            assert agent.process.poll() is None, agent.output()
            assert time.monotonic() < deadline, agent.output()
            time.sleep(0.02)
        while agent.process.poll() is None:  # without a gateway it waits a few seconds for confirmations
            assert time.monotonic() < deadline, agent.output()
            agent.send(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                agent.process.wait(0.3)
        assert agent.stop() == 0, agent.output()
    assert "Traceback" not in agent.output()
    assert agent.output().rstrip().endswith("stopped")
