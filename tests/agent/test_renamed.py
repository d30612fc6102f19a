"""An agent that was given other ids while data waits says so; it neither strands the data nor its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from agent.spool import Spool
from contract.payload import Stored
from service import exits
from tests.support.clocks import FakeClock
from tests.support.items import birth_of, frame, source
from tests.support.processes import free_port

if TYPE_CHECKING:
    from pathlib import Path

A = source("a.main")


def opened(folder: Path, agent: str) -> Spool:
    return Spool(folder, birth=birth_of("hanil", "main", agent, [A]), sources=[A], fingerprint=lambda: "box")


def test_an_agent_with_other_ids_does_not_start_while_data_of_the_old_ones_waits(tmp_path: Path) -> None:
    folder, config = tmp_path / "state", tmp_path / "agent.yaml"
    clock = FakeClock()
    spool = opened(folder, "edge-1")
    spool.begin(clock)
    spool.put(frame(A, clock.now()))
    spool.stop()
    config.write_text(
        f"version: 1\nfactory: hanil\nagent: edge-2\nname: 공장\nmachines: [{{id: press-1}}]\n"
        f"time: {{zone: Asia/Seoul, trust_local_clock: true}}\nstorage: {{directory: {folder}}}\n"
        f"uplink: {{site: {{host: 127.0.0.1, port: {free_port()}}}}}\n",
        "utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "agent.cli", "run", "--config", config],
        capture_output=True, check=False, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == exits.CONFIG, done.stderr
    assert "holds 1 entries of hanil/edge-1 that are not stored yet, and this is hanil/edge-2" in done.stderr


def test_what_is_stored_belongs_to_nobody(tmp_path: Path) -> None:
    clock = FakeClock()
    spool = opened(tmp_path, "edge-1")
    spool.begin(clock)
    spool.put(frame(A, clock.now()))
    spool.tick()
    assert spool.owners() == {("hanil", "edge-1"): 1}
    refs = [(e.seq, e.crc) for e in spool.unconfirmed(0, None, 10)]
    spool.confirm(Stored(spool.id, refs, "5", clock_trusted=True, worker="w"))
    spool.tick()
    assert spool.owners() == {}
    spool.stop()
