"""Killed at random, spool and evidence go on as if nothing had been."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("TSQ_KILLS", "200"))


LIMIT_S = 120 + 3 * KILLS
"""An idle machine takes a twentieth of it."""


@pytest.mark.timeout(LIMIT_S + 30)
def test_killed_at_random_the_evidence_equals_an_uninterrupted_runs_byte_for_byte(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.agent.spool.victim", str(tmp_path), str(KILLS), "7"],
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()[-4000:]
    result = json.loads(run.stdout)
    assert result["lost"] == 0, "an entry that was committed is gone, or one stands twice"
    assert result["state_equal"], result
    assert result["days_equal"], result
    assert result["days"] > 1, "days closed on the way; how many depends on how fast the machine is"
    assert result["lives_that_replayed"] > KILLS // 5, "kills between commit and checkpoint"
    assert result["left_in_file"] < result["entries"] // 2, "what was confirmed was let go"
