"""Each command of the README, run as it stands there, in a folder that looks like a fresh clone."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from agent.cli import VERBS
from agent.control import ask
from tests.e2e.rig import until
from tests.peers.modbus import server as modbus_server
from tests.support.brokers import mosquitto
from tests.support.processes import free_port, running

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.ko.md")
ELSEWHERE = {
    "sudo apt-get install make git python3-venv": "needs a bare machine",
    "make demo": "tests/demo runs it bounded",
    "make test": "is what runs this",
    ".venv/bin/pip install -e .[platform]": "is in the environment of tests",
}


def commands(readme: str) -> list[str]:
    """Return the commands of a README's shell blocks, without what is said about them."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / readme).read_text("utf-8"), re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_both_languages_show_the_same_commands() -> None:
    assert commands("README.md") == commands("README.ko.md")
    assert platform_page("platform.md") == platform_page("platform.ko.md")


def platform_page(name: str) -> list[str]:
    """Return all blocks of a page about the platform, without what is said about their commands."""
    blocks = re.findall(r"```(\w+\n.*?)```", (ROOT / "docs" / name).read_text("utf-8"), re.DOTALL)
    return ["\n".join(re.sub(r"  +#.*", "", line).rstrip() for line in block.splitlines()) for block in blocks]


def test_make_help_names_every_target() -> None:
    command = ["make", "--no-print-directory", "help"]  # the tests themselves may have been started by make
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True).stdout
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert [line.split("\t")[0] for line in said.splitlines()] == targets
    assert "fuzz-gateway" in targets


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `.venv` and `config`, whose example files point to servers that exist here."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / ".venv").symlink_to(sys.prefix)
    shutil.copytree(ROOT / "config", folder / "config")
    broker, plc = mosquitto(folder / "broker"), modbus_server(folder / "plc")
    agent = folder / "config" / "agent.example.yaml"
    text = agent.read_text("utf-8").replace("port: 1883", f"port: {broker.port}", 1)
    text = text.replace("host: 192.168.0.10\n    port: 502", f"host: 127.0.0.1\n    port: {plc.port}")
    text = re.sub(r"192\.168\.0\.\d+", "127.0.0.1", text)
    text = text.replace("/var/lib/tsq-agent", str(folder / "agent"))
    text = text.replace("trust_local_clock: false", "trust_local_clock: true")  # a container has no time service
    agent.write_text(text, "utf-8")
    gateway = folder / "config" / "gateway.example.yaml"
    text = gateway.read_text("utf-8").replace("port: 1883", f"port: {broker.port}")
    gateway.write_text(text.replace("/var/lib/tsq-gateway", str(folder / "gateway")), "utf-8")
    os.environ["TECHSQUARE_BROKER"] = f"127.0.0.1:{broker.port}"
    try:
        with running(broker), running(plc):
            yield folder
    finally:
        del os.environ["TECHSQUARE_BROKER"]


def _start(command: str, folder: Path) -> subprocess.Popen[bytes]:
    log = (folder / f"{command.split(maxsplit=1)[0].rsplit('/', maxsplit=1)[1]}.log").open("wb")
    env = {**os.environ, "TSQ_MQTT_PASSWORD": "x", "TSQ_CNC_PASSWORD": "x"}
    with log:
        return subprocess.Popen(command.split(), cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=env)


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "TSQ_MQTT_PASSWORD": "x", "TSQ_CNC_PASSWORD": "x", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command.split(), cwd=folder, capture_output=True, text=True, check=False, timeout=60, env=env
    )


def test_the_commands_on_a_real_machine_work_in_their_order(clone: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    seen = []
    try:
        for command in commands("README.md"):
            if command in ELSEWHERE or _of_platform(command):
                continue
            seen.append(command)
            if " run " in command:
                started.append(_start(command, clone))
                if "tsq-agent" in command:
                    until((clone / "agent" / "control.sock").exists, 20, "the agent does not start")
                    until(lambda: _state(clone, "press-plc") == "up", 20, "the press is not read")
                continue
            done = _run(command, clone)
            output = done.stdout + done.stderr
            if "--connect" in command:
                assert done.returncode == 1, "the meter and the CNC of the example do not exist here"
                assert "모터 전류" in output
            elif " scan " in command:
                assert done.returncode == 1, "nor do they answer"
                assert "press-plc" in output
            else:
                assert done.returncode == 0, output
            if " status " in command:
                assert "press-plc" in output
            if "techsquare report" in command:
                until(lambda: _confirmed(clone) > 0, 20, "nothing is confirmed")
                assert json.loads(done.stdout)["factory"] == "hanil"
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0, (clone / "tsq-agent.log").read_text("utf-8")
    assert len(seen) == 12
    assert len(started) == 2


def _of_platform(command: str) -> bool:
    return ("techsquare " in command and " report " not in command) or command.startswith("export ")


def test_the_commands_of_the_platform_work_in_their_order(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"127.0.0.1:{free_port()}"
    started: list[subprocess.Popen[bytes]] = []
    seen = []
    try:
        for command in commands("README.md"):
            if command in ELSEWHERE or not _of_platform(command) or " simulate " in command:
                continue
            if command.startswith("export "):
                monkeypatch.setenv(*command.removeprefix("export ").split("=", 1))
                continue
            seen.append(command.split()[1])
            if seen[-1] in {"serve", "intake"}:
                started.append(_start(command + (f" --listen {address}" if seen[-1] == "serve" else ""), clone))
                if seen[-1] == "serve":
                    until(lambda: _ready(address), 60, "the API does not start")
                continue
            done = _run(command, clone)
            assert done.returncode == 0, done.stdout + done.stderr
            assert seen[-1] != "operator" or done.stdout.startswith("tsq_")
            assert seen[-1] != "night" or ": failed" not in done.stdout
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0, (clone / "techsquare.log").read_text("utf-8")
    assert seen == ["upgrade", "operator", "serve", "intake", "night"]
    assert (clone / "techsquare.db").exists()


def test_a_programme_to_look_at_is_made(clone: Path) -> None:
    (command,) = (one for one in commands("README.md") if " simulate " in one)
    done = _run(command, clone)
    assert done.returncode == 0, done.stderr
    assert "logins, told once:" in done.stdout
    assert "owner" in done.stdout


def _ready(address: str) -> bool:
    try:
        with urlopen(f"http://{address}/ready") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _state(clone: Path, device: str) -> object:
    devices = ask(clone / "agent", "status")["devices"]
    assert isinstance(devices, dict)
    return devices.get(device, {}).get("state")


def _confirmed(clone: Path) -> int:
    spool = ask(clone / "agent", "status")["spool"]
    assert isinstance(spool, dict)
    return int(spool["confirmed_entries"])


def test_both_readmes_name_every_verb_of_the_agent() -> None:
    for readme in READMES:
        text = (ROOT / readme).read_text("utf-8")
        assert not [verb for verb in VERBS if f"`{verb}`" not in text and f"tsq-agent {verb} " not in text], readme


def test_every_link_in_the_documentation_leads_somewhere() -> None:
    pages = [ROOT / name for name in (*READMES, "CONTRIBUTING.md")] + sorted((ROOT / "docs").rglob("*.md"))
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert not [name for name in pages if f"]({name})" not in index]


def test_make_demo_needs_nothing_but_the_packages_of_the_apt_line() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = makefile[makefile.index("$(VENV)/.demo:") : makefile.index("$(VENV)/.dev:")]
    programs = {line.split()[0].lstrip("@") for line in recipe.splitlines()[1:] if line.strip()}
    assert programs <= {"$(BIN)/python", "touch"}


def test_make_begins_anew_after_an_environment_that_could_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")
    half = tmp_path / "half"  # as Debian without python3-venv: an interpreter is there, pip is not
    half.write_text("#!/bin/sh\nmkdir -p .venv/bin && touch .venv/bin/python\nexit 1\n")
    half.chmod(0o755)
    command = ["make", "-C", str(tmp_path), f"PYTHON={half}", ".venv/bin/python"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
    assert not (tmp_path / ".venv").exists()
