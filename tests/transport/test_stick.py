"""Files on a stick: whole or seen to be not, never overwritten, and full ones lose nothing."""

from __future__ import annotations

import contextlib
import resource
import signal
from typing import TYPE_CHECKING

import pytest

from transport.stick import FOLDER, PART, Fresh, StickFull, files, folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def room(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    fresh = Fresh(tmp_path, "a.1")
    fresh.write(b"one")
    fresh.write(b"two")
    assert files(tmp_path, ".tsqd") == []
    assert [path.name for path in files(tmp_path, PART)] == [f"a.1{PART}"]
    path = fresh.finish("a.1-9.tsqd")
    assert path.read_bytes() == b"onetwo"
    assert files(tmp_path, PART) == []
    assert files(tmp_path, ".tsqd") == [path]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        fresh = Fresh(tmp_path, "a")
        fresh.write(content)
        with contextlib.suppress(FileExistsError):
            fresh.finish("a.tsqd")
    (path,) = files(tmp_path, ".tsqd")
    assert path.read_bytes() == b"first"
    fresh.finish("b.tsqd")
    assert len(files(tmp_path, ".tsqd")) == 2


def test_a_piece_that_does_not_fit_leaves_the_file_as_it_was_and_it_can_be_ended(tmp_path: Path) -> None:
    fresh = Fresh(tmp_path, "a")
    with room(1000):
        fresh.write(bytes(600))
        with pytest.raises(StickFull):
            fresh.write(bytes(600))
        assert fresh.size == 600
        fresh.write(b"end", reserve=0)
        path = fresh.finish("a.tsqd")
    assert path.read_bytes() == bytes(600) + b"end"


def test_a_piece_is_refused_before_the_last_bytes_of_the_stick_are_taken(tmp_path: Path) -> None:
    fresh = Fresh(tmp_path, "a")
    with pytest.raises(StickFull):
        fresh.write(b"x", reserve=10**15)
    assert fresh.size == 0
    fresh.abandon()
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_stick_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        folder(tmp_path / "usb")
    with pytest.raises(NotADirectoryError):
        Fresh(tmp_path / "usb", "a")
    assert not (tmp_path / "usb").exists()


def test_links_and_folders_are_no_files_of_ours(tmp_path: Path) -> None:
    (tmp_path / FOLDER / "x.tsqd").mkdir(parents=True)
    (tmp_path / FOLDER / "y.tsqd").symlink_to("/etc/hostname")
    assert files(tmp_path, ".tsqd") == []
