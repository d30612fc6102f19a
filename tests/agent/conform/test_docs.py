"""docs/conformance.md: each command runs as it stands there, but for the broker's port and how long it takes."""

from __future__ import annotations

import json
import os
import re
import shlex
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


def test_the_commands_run_in_their_order(broker: Child, tmp_path: Path) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "state").mkdir()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def run(command: str) -> str:
        words = command.replace("127.0.0.1", f"127.0.0.1:{broker.port}").replace("8h", "1s")
        words += " --patience 4s" if "--platform" in words else ""
        done = subprocess.run(
            words, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=200
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    (key,) = (one for one in COMMANDS if one.startswith("openssl"))
    run(key)
    register = private_key(bytes.fromhex((tmp_path / "register.key").read_text().strip())).public_key()
    said: dict[str, str] = {}
    agent = [one for one in COMMANDS if one.startswith("tsq-agent") and "--platform" not in one]
    actor = Actor(where(broker), TOPICS, tmp_path / "state", date(2026, 11, 20), 10, register)
    try:
        assert actor.open()
        for command in agent[:3]:
            said[command] = run(command)
    finally:
        actor.close()
    actor = Actor(where(broker), TOPICS, tmp_path / "state", date(2026, 11, 20), 0, register)
    try:  # started anew: its limits would call the fourth `exit.test` busy
        assert actor.open()
        for command in agent[3:]:
            said[command] = run(command)
    finally:
        actor.close()
    assert len(agent) == 5
    assert key_text(register) in said[agent[-1]]
    told: dict[str, Any] = json.loads(next(out for command, out in said.items() if "--json" in command))
    assert told["conforms"] is True
    for command in (one for one in COMMANDS if "--platform" in one):
        with Platform(broker, TOPICS):
            out = run(command)
        assert all(name in out for name in (re.findall(r"--trick (\w+)", command) or TRICKS))
    (other,) = (one for one in COMMANDS if one.startswith("node"))
    assert json.loads(run(other))["baseline"] is True
    assert len(COMMANDS) == len(agent) + 4
    assert all(shlex.split(command) for command in COMMANDS)


def test_the_library_is_used_as_the_page_says(broker: Child, tmp_path: Path) -> None:
    scope: dict[str, Any] = {}
    exec(blocks(PAGES[0], "python"), scope)
    with Platform(broker, TOPICS):
        scope["holds_out"](where(broker), tmp_path)
