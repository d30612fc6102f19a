"""An agent whose evidence cannot be read any more collects all the same."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from agent.control import NotRunning, ask
from agent.spool import Spool
from contract import codec
from readiness.evidence import VERSION
from tests.support.clocks import FakeClock
from tests.support.items import birth_of, frame, source
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agent.frame import Item

A = source("a.main")


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


def test_a_checkpoint_of_another_shape_does_not_keep_the_agent_from_collecting(tmp_path: Path) -> None:
    folder, config = tmp_path / "state", tmp_path / "agent.yaml"
    clock = FakeClock()
    spool = Spool(folder, birth=birth_of("hanil", "main", "edge-1", [A]), sources=[A])
    spool.begin(clock, OtherShape())
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
    assert "the evidence of open days begins anew" in said
