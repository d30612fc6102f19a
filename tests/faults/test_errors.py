"""Each call that changes the disk fails once, in several ways. TSQ_EVERY_CALL=1 makes it each instead of some."""

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

EVERY = int(os.environ.get("TSQ_EVERY_CALL", "11"))


@pytest.mark.timeout(120 + 900 // EVERY)
def test_no_failing_call_loses_what_was_committed_or_ends_the_process(work: Path) -> None:
    recorder = disk.Disk(work / "state", work / "control")
    run = subprocess.run(
        [sys.executable, "-m", "tests.faults.errors", work, str(EVERY), "3"],
        env={**os.environ, **recorder.env},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()[-4000:]
    result = json.loads(run.stdout)
    assert result["problems"] == {}, result
    assert len(result["trials"]) == 6
    assert all(result["trials"].values()), result
