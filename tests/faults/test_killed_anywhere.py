"""Killed at any call that changes the disk, the spool keeps its promises. TSQ_KILLS_ANYWHERE sets how often."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults import disk

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("TSQ_KILLS_ANYWHERE", "60"))


@pytest.mark.timeout(120 + 2 * KILLS)
def test_nothing_committed_is_missing_after_a_kill_at_any_call(work: Path) -> None:
    recorder = disk.Disk(work / "state", work / "control")
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults.kills", work, str(KILLS), "5"],
        env={**os.environ, **recorder.env},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()[-4000:]
    result = json.loads(run.stdout)
    assert result["problems"] == {}, result
    assert result["kills"] == KILLS
    assert result["lives"] < 3 * KILLS, "most lives end by being killed"
    assert result["entries"] > KILLS, "there was something to lose"
