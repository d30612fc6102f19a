"""Dead letters of several users: an administrator's command beside a gateway that has a user of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gateway import birthfiles
from gateway.cli import main
from gateway.deadletter import DeadLetters, files
from gateway.letter import DeadLetter
from gateway.settled import FOLDER, Settling, waiting
from tests.gateway.builders import FixedClock

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = 65534
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")


def letter(number: int) -> DeadLetter:
    return DeadLetter(number, "tsq/1/hanil/edge-1/data", f"reason {number}", payload="AA==")


def contrary(number: int) -> DeadLetter:
    return DeadLetter(number, "tsq/1/hanil/edge-1/data", "contradicts", birth="00" * 16, faults=[{}])


def write(folder: Path, *numbers: int) -> DeadLetters:
    letters = DeadLetters(folder, 10**8, f"w-{numbers[0]}", FixedClock())
    for number in numbers:
        letters.append(letter(number))
    letters.close()
    return letters


@root
def test_what_an_administrator_replays_or_carries_stays_the_gateways(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    os.chown(tmp_path, NOBODY, NOBODY)
    write(tmp_path, 3)  # `tsq-gateway carry` as root
    letters = DeadLetters(tmp_path, 10**8, "w-4", FixedClock())
    letters.append(contrary(4), lambda: b"{}")
    letters.close()
    with Settling(tmp_path) as settling:
        settling.settle(next(iter(waiting(tmp_path))), "dropped", 0)
    folders = [tmp_path / FOLDER, tmp_path / birthfiles.FOLDER]
    made = [*files(tmp_path), *folders, *(path for folder in folders for path in folder.iterdir())]
    assert len(made) == 9
    assert {path.stat().st_uid for path in made} == {NOBODY}


@root
def test_a_file_that_the_gateway_may_not_read_takes_room_and_stops_nothing(tmp_path: Path) -> None:
    write(tmp_path, 1)
    tmp_path.chmod(0o777)
    script = (
        "import os, sys, pathlib; from tests.gateway.test_owners import write, NOBODY;"
        "os.setgroups([]); os.setgid(NOBODY); os.setuid(NOBODY); write(pathlib.Path(sys.argv[1]), 2)"
    )
    place = _open_to_all(tmp_path)
    subprocess.run([sys.executable, "-c", script, str(place)], check=True, timeout=60)
    assert len(files(tmp_path)) == 2


def _open_to_all(folder: Path) -> Path:
    """Let everybody reach a folder of pytest's."""
    for parent in folder.parents:
        if parent.name.startswith("pytest"):
            parent.chmod(0o755)
    return folder


def test_a_folder_that_is_not_there_is_not_said_to_be_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(
        "mqtt: {host: 127.0.0.1}\n"
        f"store: {{type: embedded, path: {tmp_path}/store.db}}\n"
        f"dead_letters: {{directory: {tmp_path}/letters}}\n"
    )
    assert main(["--lang", "en", "dead-letters", "list", "--config", str(config)]) == 1
    assert "does not exist" in capsys.readouterr().out
    (tmp_path / "letters").mkdir()
    assert main(["--lang", "en", "dead-letters", "list", "--config", str(config)]) == 0
    assert "0 dead letters in" in capsys.readouterr().out
