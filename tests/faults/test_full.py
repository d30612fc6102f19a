"""The disk is full: collection goes on, the oldest goes first and is listed, and with room again all is well."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faults import disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL = 48 * 2**20


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount a small file system; yield whether that was allowed here."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tsq-small", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.parametrize("kind", ["small file system", "no room by the calls"])
def test_collection_goes_on_while_the_disk_is_full(tmp_path: Path, kind: str) -> None:
    with small_disk(tmp_path / "disk") as mounted:
        work = tmp_path / "disk"
        below = disk.Disk(work / "state", tmp_path / "control")
        # who may not mount has the second kind twice
        small = {"TSQ_SMALL": "1"} if mounted and kind == "small file system" else {}
        run = subprocess.run(
            [sys.executable, "-m", "tests.faults.full", work, "1"],
            env={**os.environ, **below.env, **small},
            capture_output=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr.decode()[-4000:]
        result = json.loads(run.stdout)
    assert result["problems"] == [], result
    assert result["lost_in_ring"] == 0, "what was read meanwhile was not kept"
    assert result["not_taken_after_room"] == 0
    assert result["seconds_not_taken"] < 30, result
    assert result["oldest_first"], result
    assert result["left"] > 0
