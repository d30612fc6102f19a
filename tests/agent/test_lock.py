"""Two agents never work in one state folder."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agent.errors import SpoolFailed
from agent.lock import LOCK, hold
from service import exits
from tests.support.processes import free_port
from tests.support.site import SMALLEST

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_agent_on_a_state_folder_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    config = tmp_path / "agent.yaml"
    config.write_text(SMALLEST.format(folder=folder, port=free_port()), "utf-8")
    mine = hold(folder)
    (folder / "control.sock").touch()  # as the first agent's
    second = subprocess.run(
        [sys.executable, "-m", "agent.cli", "run", "--config", config],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    os.close(mine)
    assert second.returncode == exits.IO
    assert f"in use by another agent (process {os.getpid()})" in second.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["control.sock", LOCK]


def test_a_folder_is_free_again_when_its_agent_has_ended(tmp_path: Path) -> None:
    code = "import pathlib, sys; from agent.lock import hold; hold(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, tmp_path / "new" / "state"], check=True, timeout=60)
    os.close(hold(tmp_path / "new" / "state"))
    assert stat.S_IMODE((tmp_path / "new" / "state").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolFailed, match="file/state"):
        hold(tmp_path / "file" / "state")
