"""Small files of the state folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from agent.files import put, thin

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_whole_and_for_its_user_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "chain.json"
    put(path, b"one")
    path.with_name("chain.json.new").write_bytes(b"left by a power cut")
    put(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["chain.json"]


def test_of_too_many_files_the_first_go(tmp_path: Path) -> None:
    names = ["d", "c", "b", "a"]  # written in this order
    for at, name in enumerate(names):
        put(tmp_path / f"{name}.json", b"12345")
        os.utime(tmp_path / f"{name}.json", (at, at))

    def left() -> list[str]:
        return sorted(path.stem for path in tmp_path.glob("*.json"))

    def named() -> list[Path]:
        return sorted(tmp_path.glob("*.json"))

    thin(named(), 4, 20)
    assert left() == ["a", "b", "c", "d"]
    thin(sorted(named(), key=lambda path: path.stat().st_mtime_ns), 3, 20)
    assert left() == ["a", "b", "c"], "the oldest, whatever it is called"
    thin(named(), 2, 20)
    assert left() == ["b", "c"]
    thin(named(), 2, 9)
    assert left() == ["c"]
    thin(named(), 0, 0)
    assert left() == ["c"], "the last one stays"
