"""An administrator carries what a stopped agent has left behind: its folder stays the agent's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.config.load import load
from agent.spool import Spool
from contract import carry
from tests.e2e.rig import agent_yaml
from tests.support.clocks import FakeClock
from tests.support.items import frame
from transport import stick

NOBODY = 65534
COMMAND = "import encodings.ascii, sys; from agent.cli import main; sys.exit(main(sys.argv[1:]))"
"""`tsq-agent`, with what nobody may not load where this Python lies in root's own folder."""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder with an agent's file, and the state that its agent, of another user, has left when killed."""
    words = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in range(40)]
    plc = {
        "id": "plc", "type": "modbus", "machine": "press", "host": "127.0.0.1", "port": 1,
        "groups": [{"id": "main", "every": "1s", "signals": words}],
    }  # fmt: skip
    agent_yaml(tmp_path, 1, [plc], [{"id": "press"}])
    script = "import sys; from tests.agent.cli.test_carry_as_root import fill; fill(sys.argv[1])"
    killed = subprocess.run([sys.executable, "-c", script, tmp_path / "agent.yaml"], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    for path in (tmp_path / "agent", *(tmp_path / "agent").rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.parent.name.startswith("pytest") or parent.name.startswith("pytest"):
            parent.chmod(0o755)
    return tmp_path


def fill(file: str) -> None:
    """Commit three minutes of readings, and die."""
    config = load(Path(file), "en")
    clock, (source,) = FakeClock(), config.sources()
    spool = Spool(config.storage.directory, birth=config.birth(), sources=config.sources())
    spool.begin(clock)
    for _ in range(180):
        spool.put(frame(source, clock.now()))
        clock.advance(1)
        spool.tick()
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_root_exports_for_a_stopped_agent_leaves_its_folder_to_the_agent(site: Path) -> None:
    usb = site / "usb"
    usb.mkdir(mode=0o700)  # a stick that root alone may write to
    words: list[str | Path] = ["--lang", "en", "carry", "export", usb, "--config", site / "agent.yaml"]
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, *words], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        owned = {str(path): path.stat().st_uid for path in (site / "agent", *(site / "agent").rglob("*"))}
        assert set(owned.values()) == {NOBODY}, owned
    assert len(stick.files(usb, carry.DATA)) >= 1
