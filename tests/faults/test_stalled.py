"""The disk hangs: collection keeps its grid, questions are answered, what does not fit is counted to the row."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.rig import running, until
from tests.e2e.site import Site
from tests.faults import disk
from tests.peers.modbus import read_log
from tests.support.memory import SHARED
from tests.support.processes import running as alive

if TYPE_CHECKING:
    from collections.abc import Iterator

STALL_S = float(os.environ.get("TSQ_STALL", "5"))


@pytest.mark.timeout(150 + 2 * STALL_S)
def test_an_agent_whose_disk_hangs_reads_on_and_answers_and_loses_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    below = disk.Disk(tmp_path / "agent", tmp_path / "control")
    site.rig.agent.env |= below.env
    with alive(site.servers["press"]), alive(site.servers["saw"]), running(site.rig):
        until(lambda: len(read_log(site.logs["saw"])) > 2, 30, "it is not read", site.rig)
        until(site.rig.store_path.exists, 30, "the gateway does not store", site.rig)
        try:
            below.stall()
            begin = time.time_ns()
            until(lambda: below.get("stalled"), 10, "nothing was written", site.rig)
            while time.time_ns() - begin < STALL_S * 1e9:
                asked = time.monotonic()
                assert site.rig.status()["devices"]["saw"]["state"] == "up"
                assert time.monotonic() - asked < 3, "a question has waited for the disk"
                time.sleep(0.3)
            hung, end = below.get("stalled"), time.time_ns()
        finally:
            below.well()
        assert hung >= 1, "the disk did hang"
        served = read_log(site.logs["saw"])
        within = [begin, *(r.time_ns for r in served if begin < r.time_ns < end), end]
        silence = max(b - a for a, b in itertools.pairwise(within)) / 1e9
        assert silence < STALL_S / 2, f"nothing was read for {silence:.1f} s"
        slots = (end - begin) / 500e6
        skipped = site.rig.status()["devices"]["saw"]["stats"]["skipped"]
        assert len(within) - 2 >= int(slots) - 1 - skipped, "slots were late by more than the machine's other load"
        values = {r.uint16(7) for r in served}
        until(lambda: values <= set(site.stored("saw", "w7_i")), 60, "something is missing", site.rig)
        spool = site.rig.status()["spool"]
        assert spool["ring_lost_rows"] == 0, spool


CASES = [(fault, seconds) for fault in ("stall", "read-only", "broken") for seconds in (25, 75)]


@pytest.fixture(scope="module")
def started() -> Iterator[dict[tuple[str, int], subprocess.Popen[bytes]]]:
    """Start the program of each case at once: each waits for the seconds of its spool, and hardly computes."""
    with contextlib.ExitStack() as stack:
        runs = {}
        for fault, seconds in CASES:
            name = stack.enter_context(tempfile.TemporaryDirectory(prefix="tsq-faults-", dir=SHARED))
            work = Path(name).resolve()
            below = disk.Disk(work / "state", work / "control")
            runs[fault, seconds] = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.faults.stalled", work / "state", str(seconds), fault],
                    env={**os.environ, **below.env},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
            )
            stack.callback(runs[fault, seconds].kill)
        yield runs


@pytest.mark.parametrize(("fault", "seconds"), CASES)
def test_below_30_s_nothing_is_lost_and_beyond_it_the_gap_has_every_row(
    started: dict[tuple[str, int], subprocess.Popen[bytes]], seconds: int, fault: str
) -> None:
    out, err = started[fault, seconds].communicate(timeout=110)
    assert started[fault, seconds].returncode == 0, err.decode()[-4000:]
    result = json.loads(out)
    assert result["longest_put_s"] < 1, "put has waited for the disk"
    assert result["stored"] + result["in_gaps"] == result["put"], result
    assert result["lost"] == result["in_gaps"], result
    assert (result["in_gaps"] > 0) == (seconds > 30), result
    assert result["twice"] == 0
