"""Letters that are done with, replayed or dropped by a person: they leave the files that workers go on writing.

    settle   a line in replayed/{file}: digest of the letter's line, when and how, and of a replayed one the letter
    tidy     the file anew without the lines whose digests stand there, under the kernel's lock on it

A letter is settled by the first of these alone, synced before `settle` returns: killed between the two, the next
run tidies up. What is in `replayed/` is there for people and may be deleted when no replay runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from typing import IO, TYPE_CHECKING, Literal, NamedTuple, Self

from contract.codec import digest
from gateway import birthfiles, durable
from gateway import letter as letters
from gateway.deadletter import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.letter import DeadLetter

FOLDER = "replayed"
How = Literal["replayed", "dropped"]


class Busy(Exception):  # noqa: N818 - reads as what is
    """Another process is at it."""


class Kept(NamedTuple):
    """A letter where it lies."""

    path: Path
    number: int  # of the line, from 1
    raw: bytes  # the line without its newline

    @property
    def letter(self) -> DeadLetter | None:
        """The letter, read anew each time because many take much memory; None when its line is damaged."""
        return letters.read(self.raw)

    @property
    def name(self) -> str:
        """By which people speak of it."""
        return letters.name(self.raw)


def waiting(folder: Path) -> Iterator[Kept]:
    """Yield the letters that nobody has settled, oldest file first."""
    for path in files(folder):
        done = _settled(folder, path.name)
        for number, raw in enumerate(_lines(path), 1):
            if digest(raw) not in done:
                yield Kept(path, number, raw)


def _lines(path: Path) -> list[bytes]:
    """Return the lines of a file at a moment when no worker is writing one."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def _settled(folder: Path, name: str) -> set[str]:
    done = set()
    with contextlib.suppress(FileNotFoundError), (folder / FOLDER / name).open("rb") as lines:
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):  # torn by a kill: the letter is not settled
                done.add(str(json.loads(line)["key"]))
    return done


class Settling:
    """The right to settle letters of a folder: one process at a time.

    Raises:
        Busy: another process has it.
        OSError: the disk does not let us.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = folder / FOLDER
        durable.make_folder(self._done)
        self._lock = (self._done / "lock").open("wb")
        durable.hand_over(self._lock, folder)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            self._lock.close()
            raise Busy(str(self._done)) from exc

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Tidy up, and let others."""
        try:
            self.tidy()
        finally:
            self._lock.close()

    def settle(self, kept: Kept, how: How, at_ns: int) -> None:
        """Note that a letter is done with; it is on the disk when this returns."""
        mark: dict[str, object] = {"key": digest(kept.raw), "at": at_ns, "how": how}
        line = json.dumps(mark).encode()
        if how == "replayed":
            line = line[:-1] + b', "letter": ' + kept.raw + b"}"
        path = self._done / kept.path.name
        new = not path.exists()
        with path.open("ab", buffering=0) as file:
            os.fchmod(file.fileno(), 0o600)
            durable.hand_over(file, self._folder)
            _whole(file, b"\n" if _torn(path) else b"")
            _whole(file, line + b"\n")
            os.fsync(file.fileno())
        if new:
            durable.fsync_folder(self._done)

    def tidy(self) -> None:
        """Take out of each file what is settled, and away the births that no letter needs any more."""
        for path in files(self._folder):
            done = _settled(self._folder, path.name)
            if not done:
                continue
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                lines = file.read().splitlines(keepends=True)
                left = [line for line in lines if digest(line.rstrip(b"\n")) not in done]
                if len(left) < len(lines):
                    self._replace(path, b"".join(left))
        birthfiles.sweep(self._folder, lambda: (kept.letter for kept in waiting(self._folder)))

    def _replace(self, path: Path, content: bytes) -> None:
        if content:
            durable.replace(path, content, self._folder)
        else:
            path.unlink()
            durable.fsync_folder(self._folder)


def _torn(path: Path) -> bool:
    content = path.read_bytes()[-1:]
    return bool(content) and content != b"\n"


def _whole(file: IO[bytes], content: bytes) -> None:
    if file.write(content) != len(content):
        raise OSError(f"{file.name}: the disk is full")
