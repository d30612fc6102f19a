"""`tsq-agent spool`: what it tells, in both languages, of made-up numbers and of a running agent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from agent import storage
from agent.cli import main
from agent.cli.spoolview import lines, size_words
from agent.config.load import load
from agent.control import SOCKET
from tests.e2e.rig import until
from tests.support.processes import Child, free_port, running
from tests.support.site import SMALLEST

if TYPE_CHECKING:
    from pathlib import Path

    from settings.language import Language

NOW = 1_795_000_000 * 10**9
DAY_S = 86_400.0


def answer(**spool: int | None) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "spool": "5f0c7a1e9d3b4c62", "entries": 0, "rows": 0, "bytes": 9_000_000, "oldest_ns": None,
        "committed_rows": 86_400_000, "dropped_rows": 0, "ring_lost_rows": 0, "rejected_rows": 0, "ring_rows": 950,
        "held_entries": 0, "journal_bytes": 8_000_000, "block_bytes": 0, "written_pages": 200_000,
    }  # fmt: skip
    return {
        "time": str(NOW),
        "running_s": DAY_S,
        "spool": {**numbers, **spool},
        "storage": {
            "directory": "/var/lib/tsq-agent", "max_size": 2 * 10**9, "max_age": 30 * 86_400 * 10**9,
            "min_free": 500_000_000, "free": 30 * 10**9, "worn": 20,
        },
    }  # fmt: skip


def said(given: dict[str, Any], language: Language = "en", endurance: float = 30e12) -> str:
    return "\n".join(text(language) for text in lines(given, endurance))


def test_an_empty_spool_tells_of_room_and_of_the_disks_life() -> None:
    text = said(answer())
    assert "nothing waits for the gateway" in text
    assert "9.0 MB of 2.0 GB (journal 8.0 MB)" in text
    # 200,000 pages a day are 819 MB: 30 TB last 36,600 days
    assert "819 MB a day; a disk rated for 30.0 TB written lasts 100 years" in text
    assert "lasts 10 years" in said(answer(), endurance=3e12)
    assert "20 % of its life used" in text
    assert "nothing given up" in text
    assert "held back" not in text


def test_room_is_counted_with_what_a_row_really_takes() -> None:
    # 1,000 rows/s at 2 bytes: 1.8 GB of room are 900,000 s
    full = answer(entries=100_000, rows=100_000_000, bytes=200_000_000, oldest_ns=NOW - 61 * 10**9)
    text = said(full)
    assert "waiting: 100000 entries, 100000000 rows, oldest 61s" in text
    assert "about 10d more at 1000 rows/s" in text
    full["storage"]["free"] = 500_000_000
    assert "about 0.0s more" in said(full)


def test_what_has_waited_for_long_does_not_wait_as_long_again() -> None:
    """30 days is how old data may become, not how long it lasts from now on."""
    fresh, old = (answer(entries=2, rows=53, oldest_ns=NOW - days * 86_400 * 10**9) for days in (0, 20))
    for one in (fresh, old):
        one["spool"]["committed_rows"] = 100  # slow enough for the age to be the limit
    assert "about 30d" in said(fresh)
    assert "about 10d" in said(old)


def test_what_was_lost_and_what_is_held_back_is_told() -> None:
    text = said(answer(held_entries=7, dropped_rows=3, ring_lost_rows=4, rejected_rows=5))
    assert "held back: 7 entries" in text
    assert "3 rows given up for want of room, 4 never committed, 5 refused" in text


def test_wear_is_not_told_from_the_first_minutes() -> None:
    fresh = answer()
    fresh["running_s"] = 30.0
    assert "ask again after 10 minutes" in said(fresh)


def test_korean_lines_hold_the_same_figures() -> None:
    figures = answer(held_entries=7, dropped_rows=3, entries=2, rows=53, oldest_ns=NOW)
    korean = said(figures, "ko")
    assert "하루 819 MB" in korean
    assert "100년" in korean
    assert "공간 부족으로 버림 3건" in korean
    assert len(korean.splitlines()) == len(said(figures).splitlines())


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_960, "100 kB"), (2e9, "2.0 GB")]
)
def test_sizes_are_short(size: float, text: str) -> None:
    assert size_words(size) == text


def test_an_emmc_tells_how_worn_it_is(tmp_path: Path) -> None:
    disk = tmp_path / "mmcblk0"
    (disk / "device").mkdir(parents=True)
    (disk / "mmcblk0p2").mkdir()
    (disk / "device" / "life_time").write_text("0x01 0x03\n")
    assert storage.worn(disk) == 30
    assert storage.worn(disk / "mmcblk0p2") == 30
    assert storage.worn(tmp_path / "sda1") is None
    path = tmp_path / "agent.yaml"
    path.write_text(SMALLEST.format(folder=tmp_path, port=1), "utf-8")
    number = tmp_path.stat().st_dev
    (tmp_path / f"{os.major(number)}:{os.minor(number)}").symlink_to(disk / "mmcblk0p2")
    assert storage.about(load(path).storage, tmp_path)["worn"] == 30


def test_a_running_agent_is_asked_and_a_silent_one_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "agent.yaml"
    config.write_text(SMALLEST.format(folder=tmp_path / "state", port=free_port()), "utf-8")
    words = ["spool", "--config", str(config), "--lang", "en"]
    assert main(words) == 1
    assert "is it running with this file" in capsys.readouterr().err
    run: list[str | Path] = [sys.executable, "-m", "agent.cli", "run", "--config", config]
    with running(Child(run, log=tmp_path / "agent.log")) as agent:
        until((tmp_path / "state" / SOCKET).exists, 30, agent.output())
        assert main([*words, "--endurance", "60TB"]) == 0
        assert f"in {tmp_path / 'state'}" in capsys.readouterr().out
        assert main([*words, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["spool"]["written_pages"] >= 0
        assert told["storage"]["free"] > 0
        wrong = [sys.executable, "-m", "agent.cli", *words, "--endurance", "long"]
        done = subprocess.run(wrong, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 2
        assert "30TB" in done.stderr
