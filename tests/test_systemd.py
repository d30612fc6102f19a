"""The units start what exists, as nobody's root, and stop trying when the file is wrong."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

import pytest

from agent import cli as agent_cli
from gateway import cli as gateway_cli

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
    assert main(arguments) == int(service["RestartPreventExitStatus"])
    assert "empty.yaml" in capsys.readouterr().err
    assert service["User"] not in {"", "root"}
    assert service["NoNewPrivileges"] == "yes"


def test_serial_lines_are_opened_by_a_drop_in_and_nothing_else_is() -> None:
    unit = (UNITS / "agent.service").read_text("utf-8").splitlines()
    more = (UNITS / "agent.service.d" / "serial.conf").read_text("utf-8").splitlines()
    assert "PrivateDevices=yes" in unit
    assert "PrivateDevices=no" in more
    assert "DevicePolicy=closed" in more
    allowed = [line.partition("=")[2] for line in more if line.startswith("DeviceAllow=")]
    assert allowed
    assert all(line.startswith("char-tty") for line in allowed)
