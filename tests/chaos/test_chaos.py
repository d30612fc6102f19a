"""Short chaos runs with real processes; `make chaos` is the long one."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(400)


def chaos(folder: Path, *words: str) -> tuple[dict[str, Any], str]:
    """Run it in a process of its own, because it enters a network namespace; return its last line and all lines."""
    command = [sys.executable, "-m", "tests.chaos", "--folder", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380, check=False)
    said = done.stdout + done.stderr[-4000:]
    assert done.stdout.strip(), said
    assert done.returncode == 0, said
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result, said


def test_every_sample_is_stored_once_or_in_a_gap_with_a_right_cause(tmp_path: Path) -> None:
    result, said = chaos(tmp_path, "--minutes", "0.3", "--seed", "13", "--faults", "10", "--longest", "3")
    assert result["faults"] >= 10, said
    assert len({fault.split()[0] for fault in result["met"]}) >= 6, "too few targets to mean anything"


def test_a_database_that_comes_back_gets_all_and_a_worker_that_is_lost_is_replaced(tmp_path: Path) -> None:
    _, said = chaos(tmp_path, "--scenario", "database-away", "worker", "--minutes", "0.1", "--rate", "200")
    assert said.count("had everything") == 2
