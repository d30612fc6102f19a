"""docs/conformance.md: each command runs as it stands there, but for the broker's port and how long it takes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.conform.acting.actor import Actor
from agent.conform.acting.tricks import TRICKS
from agent.conform.checks import CHECKS
from contract.signing import key_text, private_key
from contract.topics import AgentTopics
from tests.agent.conform.rig import where
from tests.agent.conform.test_platforms import Platform
from tests.support.brokers import mosquitto
from tests.support.processes import Child, running

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PAGES = ("conformance.md", "conformance.ko.md")
TOPICS = AgentTopics("hanil", "edge-1")


def blocks(page: str, language: str) -> str:
    return "".join(re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL))


COMMANDS = blocks(PAGES[0], "sh").splitlines()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    with running(mosquitto(tmp_path_factory.mktemp("broker"))) as child:
        yield child


def test_both_languages_show_the_same_and_name_every_check_and_trick() -> None:
    for language in ("sh", "python"):
        assert blocks(PAGES[0], language) == blocks(PAGES[1], language)
    for page in PAGES:
        rows = [line for line in (ROOT / "docs" / page).read_text("utf-8").splitlines() if line.startswith("| `")]
        named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
        assert named == CHECKS.keys() | TRICKS.keys()


class Shell:
    """Runs the commands of the page."""

    def __init__(self, folder: Path, broker: Child) -> None:
        self.folder, self.broker = folder, broker
        (folder / "tests").symlink_to(ROOT / "tests")
        (folder / "state").mkdir()
        self.env = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.env["PATH"] = f"{Path(sys.executable).parent}:{self.env['PATH']}"

    def run(self, command: str) -> str:
        words = command.replace("127.0.0.1", f"127.0.0.1:{self.broker.port}").replace("8h", "1s")
        words += " --patience 4s" if "--platform" in words else ""
        done = subprocess.run(
            words,
            shell=True,
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def shell(tmp_path: Path, broker: Child) -> Shell:
    return Shell(tmp_path, broker)


AGENTS = [one for one in COMMANDS if one.startswith("tsq-agent") and "--platform" not in one]
PLATFORMS = [one for one in COMMANDS if "--platform" in one]
OTHERS = [one for one in COMMANDS if not one.startswith("tsq-agent")]


def test_the_commands_for_an_agent_run_in_their_order(shell: Shell) -> None:
    key, vectors = OTHERS
    shell.run(key)
    seed = bytes.fromhex((shell.folder / "register.key").read_text().strip())
    register = private_key(seed).public_key()
    actor = Actor(where(shell.broker), TOPICS, shell.folder / "state", date(2026, 11, 20), 10, register)
    said: dict[str, str] = {}
    try:
        assert actor.open()
        for command in AGENTS:
            said[command] = shell.run(command)
            actor.forgive()  # else its limits would call the fourth `exit.test` busy
    finally:
        actor.close()
    assert len(AGENTS) == 5
    assert key_text(register) in said[AGENTS[-1]]
    told: dict[str, Any] = json.loads(next(out for command, out in said.items() if "--json" in command))
    assert told["conforms"] is True
    assert json.loads(shell.run(vectors))["baseline"] is True


@pytest.mark.parametrize("command", PLATFORMS)
def test_the_commands_for_a_platform_run(shell: Shell, command: str) -> None:
    assert len(PLATFORMS) == 2
    with Platform(shell.broker, TOPICS):
        out = shell.run(command)
    assert all(name in out for name in (re.findall(r"--trick (\w+)", command) or TRICKS))


def test_the_library_is_used_as_the_page_says(broker: Child, tmp_path: Path) -> None:
    scope: dict[str, Any] = {}
    exec(blocks(PAGES[0], "python"), scope)
    with Platform(broker, TOPICS):
        scope["holds_out"](where(broker), tmp_path)
