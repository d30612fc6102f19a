"""What the box has learned: on the disk soon, and never in anybody's way."""

from __future__ import annotations

import stat
import time
from typing import TYPE_CHECKING

import pytest

from agent.memory import DEVICE_LIMIT, FOLDER, DiskMemory

if TYPE_CHECKING:
    from pathlib import Path

    from agent.frame import Json

HOLES: Json = {"holes": [[100, 3], [2**53, 1]], "text": "온도"}


def test_what_was_remembered_is_there_after_a_restart(tmp_path: Path) -> None:
    memory = DiskMemory(tmp_path)
    memory.remember("press", "holes", HOLES)
    memory.remember("saw", "limits", 32)
    memory.remember("saw", "gone", 1)
    memory.remember("saw", "gone", None)
    memory.stop()
    again = DiskMemory(tmp_path)
    assert again.recall("press", "holes") == HOLES
    assert (again.recall("saw", "limits"), again.recall("saw", "gone"), again.recall("x", "y")) == (32, None, None)
    assert stat.S_IMODE((tmp_path / FOLDER / "press.json").stat().st_mode) == 0o600


def test_the_thread_writes_without_being_asked(tmp_path: Path) -> None:
    memory = DiskMemory(tmp_path)
    memory.start()
    memory.remember("press", "holes", HOLES)
    deadline = time.monotonic() + 30
    while not (tmp_path / FOLDER / "press.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    memory.stop()
    assert [p.name for p in (tmp_path / FOLDER).iterdir()] == ["press.json"], "nothing half-written is left"


def test_the_caller_s_object_stays_the_caller_s(tmp_path: Path) -> None:
    memory = DiskMemory(tmp_path)
    holes: list[Json] = [1]
    memory.remember("press", "holes", {"holes": holes})
    holes.append(2)
    recalled = memory.recall("press", "holes")
    assert recalled == {"holes": [1]}
    assert recalled is not memory.recall("press", "holes")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"\xff", b"[" * 100_000, b"[]", b'{"version":2,"device":"press","topics":{}}',
        b'{"version":1,"device":"saw","topics":{}}', b'{"version":1,"device":"press","topics":[]}',
        b'{"version":1,"device":"press","topics":{"a":"' + b"x" * DEVICE_LIMIT + b'"}}',
    ],
)  # fmt: skip
def test_a_foreign_file_is_set_aside_and_said_once(
    tmp_path: Path, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "press.json").write_bytes(raw)
    memory = DiskMemory(tmp_path)
    assert memory.recall("press", "a") is None
    assert (folder / "press.damaged").read_bytes() == raw
    DiskMemory(tmp_path)
    assert len(caplog.records) == 1
    memory.remember("press", "a", 1)
    memory.stop()
    assert DiskMemory(tmp_path).recall("press", "a") == 1


def test_what_does_not_fit_is_said_once_and_the_rest_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory = DiskMemory(tmp_path)
    memory.remember("press", "limits", 32)
    for size in (DEVICE_LIMIT, DEVICE_LIMIT + 1):
        memory.remember("press", "holes", "x" * size)
    memory.stop()
    assert [r.levelname for r in caplog.records] == ["ERROR"]
    assert DiskMemory(tmp_path).recall("press", "limits") == 32


def test_a_disk_that_takes_nothing_is_said_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    memory = DiskMemory(tmp_path)
    memory.remember("press", "limits", 32)
    assert [memory.write(), memory.write()] == [False, False]
    assert len(caplog.records) == 1
    (tmp_path / FOLDER).unlink()
    assert memory.write()
    assert DiskMemory(tmp_path).recall("press", "limits") == 32


def test_a_device_of_which_nothing_is_remembered_has_no_file(tmp_path: Path) -> None:
    memory = DiskMemory(tmp_path)
    memory.remember("press", "limits", 32)
    memory.write()
    memory.remember("press", "limits", None)
    memory.write()
    assert list((tmp_path / FOLDER).iterdir()) == []
    assert memory.recall("press", "limits") is None


def test_whatever_a_device_calls_itself_can_be_remembered(tmp_path: Path) -> None:
    memory = DiskMemory(tmp_path)
    for name in ("\ud800", "\x00", "프레스", "\U0001f600"):
        memory.remember("press", "identity", name)
        memory.remember("press", "limits", 32)
        memory.write()
        assert DiskMemory(tmp_path).topics("press") == {"identity": name, "limits": 32}
