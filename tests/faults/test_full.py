"""The disk is full: collection goes on, the oldest goes first and is listed, and with room again all is well."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

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


KINDS = ["small file system", "no room by the calls"]


def run(tmp_path: Path, kind: str, *words: str) -> Any:
    """Run the program of `full` on a disk of this kind; return what it prints."""
    with small_disk(tmp_path / "disk") as mounted:
        work = tmp_path / "disk"
        below = disk.Disk(work / "state", tmp_path / "control")
        # who may not mount has the second kind twice
        small = {"TSQ_SMALL": "1"} if mounted and kind == "small file system" else {}
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.full", work, "1", *words],
            env={**os.environ, **below.env, **small},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-4000:]
        return json.loads(done.stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_with_the_reserve_used_up_and_nothing_left_to_go_it_starts_and_collects(tmp_path: Path, kind: str) -> None:
    result = run(tmp_path, kind, "starts")
    assert set(result["statuses"]) == {0}, "a start was refused, or what was read was not taken"
    assert result["problems"] == [], result


@pytest.mark.parametrize("kind", KINDS)
def test_collection_goes_on_while_the_disk_is_full(tmp_path: Path, kind: str) -> None:
    result = run(tmp_path, kind)
    assert result["problems"] == [], result
    assert result["lost_in_ring"] == 0, "what was read meanwhile was not kept"
    assert result["not_taken_after_room"] == 0
    assert result["seconds_not_taken"] < 30, result
    assert result["oldest_first"], result
    assert result["left"] > 0
