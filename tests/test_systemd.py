"""The units start what exists, as nobody's root, and stop trying when the file is wrong."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from agent import cli as agent_cli
from agent import counters
from agent.clock import SystemClock
from agent.counters import Around
from agent.health import DeviceHealth
from agent.spool.base import Stats
from agent.timekeeping import Timekeeper
from gateway import cli as gateway_cli
from gateway import counters as gateway_counters
from service import exits
from techsquare import cli as platform_cli

AROUND = Around(now_ns=0, clock="kernel", connected={"site": True}, in_flight=0, usual_s=0.0)
UNITS = Path(__file__).parent.parent / "systemd"


@pytest.mark.parametrize(
    ("unit", "program", "main"),
    [("agent", "tsq-agent", agent_cli.main), ("gateway", "tsq-gateway", gateway_cli.main)],
)
def test_a_unit_starts_a_command_that_exists(
    unit: str, program: str, main: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / f"{unit}.service", "utf-8")
    service = parser["Service"]
    command = shlex.split(service["ExecStart"])
    assert Path(command[0]).name == program
    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    arguments = [str(empty) if word.endswith(".yaml") else word for word in command[1:]]
    assert callable(main)
    assert str(main(arguments)) in service["RestartPreventExitStatus"].split()
    assert "empty.yaml" in capsys.readouterr().err
    assert service["User"] not in {"", "root"}
    assert service["NoNewPrivileges"] == "yes"


@pytest.mark.parametrize("unit", ["techsquare", "techsquare-intake"])
def test_a_unit_of_the_platform_starts_a_command_that_exists(
    unit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without tables it says what to do, and the service manager leaves it at that."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / f"{unit}.service", "utf-8")
    service = parser["Service"]
    command = shlex.split(service["ExecStart"])
    assert Path(command[0]).name == "techsquare"
    assert command[-1].startswith("$TECHSQUARE_")
    given = {"%m%i": "0123456789abcdef0123456789abcdef1"}
    words = [given.get(word, word) for word in command[1:-1]]
    database = f"sqlite:///{tmp_path}/registry.db"
    assert str(platform_cli.main([*words, "--database", database])) in service["RestartPreventExitStatus"].split()
    assert "techsquare upgrade" in capsys.readouterr().err
    assert service["EnvironmentFile"] == "/etc/tsq/techsquare.env"
    assert service["User"] == "techsquare"
    assert service["NoNewPrivileges"] == service["MemoryDenyWriteExecute"] == "yes"


def test_the_platforms_engines_work_where_no_memory_is_written_and_run() -> None:
    """As `MemoryDenyWriteExecute` has it: solvers, hashes of passwords, both databases' drivers."""
    program = (
        "import ctypes, sys\n"
        "if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0): sys.exit(77)  # PR_SET_MDWE, Linux 6.3\n"
        "import numpy as np, psycopg\n"
        "from techsquare.api.app import create\n"
        "from techsquare.matching.night import matched\n"
        "from techsquare.matching.exposure import Ledger\n"
        "from techsquare.registry import access, migrate\n"
        "from techsquare.registry.store import Registry\n"
        "from techsquare.roadmap.plan import roadmap\n"
        "from tests.techsquare.matching.market import market\n"
        "from tests.techsquare.roadmap.made import BEGINS, case\n"
        "found = Registry('sqlite://')\n"
        "migrate.upgrade(found)\n"
        "access._hasher().hash('ten letters')\n"
        "one = case(np.random.default_rng(5), 6)\n"
        "assert roadmap(*one, reasons=False).bound >= 0\n"
        "m = market(200, 40, 1)\n"
        "words = dict(counts=m.counts, priors=m.priors, ledger=Ledger(), on=BEGINS, seed='s')\n"
        "assert list(matched(m.items, m.solutions, m.suppliers, **words).offers())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=UNITS.parent, capture_output=True, text=True, timeout=100, check=False
    )
    if done.returncode == 77:
        pytest.skip("this kernel cannot forbid it")
    assert done.returncode == 0, done.stderr


def test_serial_lines_are_opened_by_a_drop_in_and_nothing_else_is() -> None:
    unit = (UNITS / "agent.service").read_text("utf-8").splitlines()
    more = (UNITS / "agent.service.d" / "serial.conf").read_text("utf-8").splitlines()
    assert "PrivateDevices=yes" in unit
    assert "PrivateDevices=no" in more
    assert "DevicePolicy=closed" in more
    allowed = [line.partition("=")[2] for line in more if line.startswith("DeviceAllow=")]
    assert allowed
    assert all(line.startswith("char-tty") for line in allowed)


def test_the_units_are_well_formed_and_ask_for_little(tmp_path: Path) -> None:
    """In a root of their own: what they start is not installed on the machine of a test."""
    units = tmp_path / "etc" / "systemd" / "system"
    programs = tmp_path / "opt" / "tsq" / ".venv" / "bin"
    for folder in (units, programs, tmp_path / "usr" / "lib"):
        folder.mkdir(parents=True)
    shutil.copytree("/lib/systemd", tmp_path / "usr" / "lib" / "systemd", symlinks=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    names = []
    for unit, name, program in (
        ("agent", "tsq-agent", "tsq-agent"), ("gateway", "tsq-gateway", "tsq-gateway"),
        ("techsquare", "techsquare", "techsquare"), ("techsquare-intake", "techsquare-intake@1", "techsquare"),
    ):  # fmt: skip
        names.append(f"{name}.service")
        copied = name.partition("@")[0] + ("@" if "@" in name else "")
        shutil.copy(UNITS / f"{unit}.service", units / f"{copied}.service")
        (programs / program).write_text("#!/bin/sh\n")
        (programs / program).chmod(0o755)
    command = ["systemd-analyze", "verify", f"--root={tmp_path}", "--man=no", *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("who", ["agent", "gateway", "techsquare", "techsquare-intake"])
def test_a_unit_is_exposed_by_two_at_most(who: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager"]
    done = subprocess.run(
        [*command, str(UNITS / f"{who}.service")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    level = re.search(r"exposure level for .*: ([0-9.]+)", done.stdout)
    assert level is not None
    assert float(level[1]) <= 2.0


def test_the_guides_tell_what_the_programs_do() -> None:
    """Both languages name the same codes and series; the codes are the program's, the series are served."""
    names = {value for name, value in vars(exits).items() if name.isupper()}
    keeper = Timekeeper(SystemClock(1), cast("Any", None), UNITS, str)
    around = AROUND._replace(more=keeper.counters())
    rows = [metric.name for metric in counters.metrics(Stats("s"), {"d": DeviceHealth()}, around)]
    rows += [metric.name for metric in gateway_counters.metrics(dict.fromkeys(gateway_counters.TEXTS, 0))]
    for guide in ("operation.md", "operation.ko.md"):
        text = (UNITS.parent / "docs" / guide).read_text("utf-8")
        assert {int(code) for code in re.findall(r"^\| ([0-9]+) \|", text, re.MULTILINE)} == names
        series = re.findall(r"^\| `(tsq_[a-z_]+)` \|", text, re.MULTILINE)
        assert series
        assert set(series) <= set(rows)
        for unit in ("agent", "gateway"):
            for code in re.findall(
                r"RestartPreventExitStatus=(.*)", (UNITS / f"{unit}.service").read_text("utf-8")
            )[0].split():
                assert int(code) in names
