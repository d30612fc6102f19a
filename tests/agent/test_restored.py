"""An agent whose evidence cannot be read any more collects all the same."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from agent.control import NotRunning, ask
from agent.platform.past import Past
from agent.spool import Spool
from contract import codec
from readiness.evidence import VERSION
from tests.support.clocks import FakeClock
from tests.support.items import birth_of, frame, source
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.analyzers.base import Evidence
    from agent.frame import Item

A = source("a.main")
OLD = ("2026-11-19", "2026-11-20")


class OtherShape:
    """Evidence whose state has the right version, and a shape that this release does not know."""

    def feed(self, items: Sequence[Item]) -> None:
        """Forget."""

    def take_closed(self) -> Mapping[str, bytes]:
        """Return nothing."""
        return {}

    def state(self) -> bytes:
        """Return another shape."""
        return codec.compress(codec.encode({"version": VERSION, "closed": 0, "ledgers": {"a.main": {}}}))


class Earlier(OtherShape):
    """What an earlier release has left: a checkpoint and closed days of its version."""

    def take_closed(self) -> Mapping[str, bytes]:
        """Return days of that version."""
        return {day: codec.encode({"version": VERSION - 1, "day": day, "machines": []}) for day in OLD}

    def state(self) -> bytes:
        """Return a state of that version."""
        return codec.compress(codec.encode({"version": VERSION - 1, "closed": 0, "ledgers": {}}))


def started(tmp_path: Path, evidence: Evidence) -> tuple[str, Spool]:
    """Start an agent on what a spool with this evidence has left; return what it says, and the spool after it."""
    folder, config = tmp_path / "state", tmp_path / "agent.yaml"
    clock = FakeClock(time.time_ns())
    spool = Spool(folder, birth=birth_of("hanil", "main", "edge-1", [A]), sources=[A])
    spool.begin(clock, evidence)
    spool.put(frame(A, clock.now()))
    spool.stop()
    config.write_text(
        f"version: 1\nfactory: hanil\nagent: edge-1\nname: 공장\nmachines: [{{id: press-1}}]\n"
        f"time: {{zone: Asia/Seoul, trust_local_clock: true}}\nstorage: {{directory: {folder}}}\n"
        f"uplink: {{site: {{host: 127.0.0.1, port: {free_port()}}}}}\n",
        "utf-8",
    )
    with subprocess.Popen(
        [sys.executable, "-m", "agent.cli", "run", "--config", config], stderr=subprocess.PIPE, text=True
    ) as agent:
        status: Mapping[str, object] = {}
        while not status and agent.poll() is None:
            try:
                status = ask(folder, "status")
            except NotRunning:
                time.sleep(0.05)
        agent.terminate()
        said = agent.communicate(timeout=30)[1]
    assert status, said
    assert agent.returncode == 0, said
    return said, Spool(folder, birth=birth_of("hanil", "main", "edge-1", [A]), sources=[A])


def test_a_checkpoint_of_another_shape_does_not_keep_the_agent_from_collecting(tmp_path: Path) -> None:
    said, _ = started(tmp_path, OtherShape())
    assert "the evidence of open days begins anew" in said


def test_an_update_begins_evidence_anew_and_keeps_what_was_read(tmp_path: Path) -> None:
    said, spool = started(tmp_path, Earlier())
    assert f"evidence state of version {VERSION - 1}, written by another release" in said
    assert "the evidence of open days begins anew" in said
    assert said.count("days of evidence by another release are left out of the report, 2026-11-19 among them") == 1
    assert "this is a bug" not in said
    past = Past(spool, "edge-1")
    assert (tuple(spool.dates()), past.own()) == (OLD, [*OLD])
    assert dict(past.days()) == {}
    assert past.own() == [], "all of them are left out, and kept"
    assert tuple(spool.dates()) == OLD
    spool.begin(FakeClock(time.time_ns()))
    waiting = spool.unconfirmed(0, None, 1000)
    spool.stop()
    assert waiting[0].seq == 1  # the reading of before the update waits for the gateway as if nothing had been
