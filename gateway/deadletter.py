"""Dead letters: what can never be stored, kept with the reason until a person has looked at it.

One JSON object a line, in files that are only ever appended to:

    {worker}-{start}-{number}.jsonl               rejections, for which an agent waits
    {worker}-{start}-{number}.malformed.jsonl     messages that cannot be read, of whoever sent them
    births/                                       what is needed to read refused rows again (`gateway.birthfiles`)

A worker writes its own files, so that several may share a folder. `append` returns after fsync: a rejection is
confirmed to the agent only then, because the agent frees the entry on it. The folder is bounded. When it is full,
or the disk fails, `append` raises, the entry stays unconfirmed in the agent's spool, and an operator has to act:
nothing is ever deleted here to make room. Anybody can send what cannot be read, and no agent waits for it:
therefore it gets half of the room at most. And no agent takes it from the others: what is left of the last quarter
is for those that hold less than an eighth.

A message that cannot be read comes again and again, because it cannot be confirmed; a rejection comes again when
its confirmation was lost. The content written recently is therefore remembered, each kind for itself, and not
written twice.

Letters that were replayed are taken out of these files (`gateway.settled`) while workers write: both hold the
kernel's lock on the file meanwhile, and a worker whose file was replaced begins another one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections import Counter, OrderedDict
from typing import IO, TYPE_CHECKING

from contract import codec
from gateway import birthfiles, durable
from gateway import letter as letters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gateway.clock import Clock
    from gateway.letter import DeadLetter

FILE_BYTES = 16 * 10**6
MALFORMED_SHARE = 0.5
COMMON = 0.75  # of the room is for whoever comes first
SMALL = 0.125  # of the room: who holds less may use the rest
FULL_SECONDS = 0.2  # that somebody who floods us costs no look at the disk each time
AGENTS = 10_000  # that are told apart in a file; whoever makes up names only fills the common part
_REMEMBERED = 10_000
_MALFORMED = ".malformed.jsonl"


class DeadLettersFull(Exception):  # noqa: N818 - reads as what happened
    """Nothing can be kept: the folder has reached its limit, or the disk refuses."""


class _Series:
    """The files of one kind that this process writes, and what it wrote lately."""

    def __init__(self, directory: Path, prefix: str, suffix: str, max_bytes: int) -> None:
        self.malformed = suffix == _MALFORMED
        self.max_bytes = max_bytes  # of this kind, in the files of all workers
        self.recent: OrderedDict[str, None] = OrderedDict()
        self._suffix = suffix
        self._directory = directory
        self._prefix = prefix
        self._number = 0
        self._path = directory
        self._file: IO[bytes] | None = None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def write(self, line: bytes) -> None:
        if self._file is not None and self._file.tell() > FILE_BYTES:
            self.close()
        file = self._locked()
        try:
            written = file.write(line)
            if written != len(line):
                raise OSError(f"{written} of {len(line)} bytes written")
            os.fsync(file.fileno())
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _locked(self) -> IO[bytes]:
        """Return the file, which nobody replaces until it is unlocked."""
        while True:
            file = self._file or self._begun()
            fcntl.flock(file, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if self._path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                    return file
            self.close()  # moved away, or taken out of it what was replayed

    def _begun(self) -> IO[bytes]:
        self._number += 1
        self._path = self._directory / f"{self._prefix}-{self._number:06}{self._suffix}"
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._file = os.fdopen(handle, "wb", buffering=0)
        durable.hand_over(self._file, self._directory)
        durable.fsync_folder(self._directory)
        return self._file


class _Usage:
    """Who holds how much of the folder, read from the files themselves; what was read before is not read again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read: dict[str, tuple[int, int, Counter[str]]] = {}  # by file: inode, bytes, bytes by agent

    def count(self, agent: str, *, malformed: bool) -> tuple[int, int, int]:
        """Return the bytes of all letters, of this kind, and of this agent among these."""
        whole = of_kind = of_agent = 0
        seen = {}
        for path in self._directory.glob("*.jsonl"):
            try:
                held = seen[path.name] = self._file(path)
            except FileNotFoundError:  # taken away at this moment
                continue
            except PermissionError:  # another user's: it takes room, and stands for nobody
                held = (0, path.stat().st_size, Counter[str]())
            whole += held[1]
            if path.name.endswith(_MALFORMED) is malformed:
                of_kind += held[1]
                of_agent += held[2][agent]
        for owner, size in birthfiles.sizes(self._directory):
            whole += size
            if not malformed:
                of_kind += size
                of_agent += size if owner == agent else 0
        self._read = seen
        return whole, of_kind, of_agent

    def _file(self, path: Path) -> tuple[int, int, Counter[str]]:
        now = path.stat()
        inode, size, agents = self._read.get(path.name, (now.st_ino, 0, Counter[str]()))
        if inode != now.st_ino or now.st_size < size:
            size, agents = 0, Counter[str]()
        if now.st_size > size:
            with path.open("rb") as lines:
                lines.seek(size)
                for line in lines:
                    agent = letters.branch(line)
                    if agent in agents or len(agents) < AGENTS:
                        agents[agent] += len(line)
                size = lines.tell()
        return now.st_ino, size, agents


class DeadLetters:
    """The dead letters of one worker.

    Args:
        directory: Made when missing.
        max_bytes: Of all files in it, those of other workers included.
        worker: Id of the worker.
        clock: For file names.
    """

    def __init__(self, directory: Path, max_bytes: int, worker: str, clock: Clock) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._clock = clock
        self._usage = _Usage(directory)
        self._full: dict[tuple[bool, str], tuple[float, str]] = {}  # by kind and agent: since when, and why
        self._prefix = prefix = f"{worker}-{clock.now()}"
        self._rejections = _Series(directory, prefix, ".jsonl", max_bytes)
        self._malformed = _Series(directory, prefix, _MALFORMED, int(max_bytes * MALFORMED_SHARE))
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def append(self, letter: DeadLetter, birth: Callable[[], bytes | None] | None = None) -> bool:
        """Keep a letter; it is on the disk when this returns.

        Args:
            letter: What to keep.
            birth: Returns the birth that its rows were read with, as JSON; kept once, where they contradict it.

        Returns:
            False if the same content was kept a short while ago.

        Raises:
            DeadLettersFull: it could not be kept.
        """
        line, key = letters.written(letter)
        series = self._malformed if letter.malformed else self._rejections
        if key in series.recent:
            series.recent.move_to_end(key)
            return False
        try:
            with contextlib.ExitStack() as stack:
                if letter.faults and letter.birth is not None and birth is not None:
                    with contextlib.suppress(PermissionError):  # another user's; the broker may know it later
                        stack.enter_context(birthfiles.locked(self._directory, alone=False))
                        self._keep_birth(letters.branch(line), letter.birth, birth, len(line) + 1)
                self._check_room(series, letters.branch(line), len(line) + 1)
                series.write(line + b"\n")
        except OSError as exc:
            series.close()  # a torn line ends its file; the next letter begins another one
            raise DeadLettersFull(f"{self._directory}: {exc}") from exc
        series.recent[key] = None
        if len(series.recent) > _REMEMBERED:
            series.recent.popitem(last=False)
        return True

    def close(self) -> None:
        """Close the files."""
        self._rejections.close()
        self._malformed.close()

    def _keep_birth(self, agent: str, digest: str, birth: Callable[[], bytes | None], more: int) -> None:
        path = birthfiles.place(self._directory, agent, digest)
        if birthfiles.touch(path):
            return
        raw = birth()
        if raw is not None:
            packed = codec.compress(raw)
            self._check_room(self._rejections, agent, len(packed) + more)
            durable.replace(path, packed, self._directory, f".{self._prefix}.new")

    def _check_room(self, series: _Series, agent: str, size: int) -> None:
        """Raise when there is no room; who was told so is told it again for a moment without a look at the disk."""
        now, key = self._clock.monotonic(), (series.malformed, agent)
        told = self._full.get(key)
        if told is not None and now - told[0] < FULL_SECONDS:
            raise DeadLettersFull(told[1])
        self._full.pop(key, None)
        why = self._problem(series, agent, size)
        if why is not None:
            if len(self._full) >= _REMEMBERED:
                self._full.clear()
            self._full[key] = (now, why)
            raise DeadLettersFull(why)

    def _problem(self, series: _Series, agent: str, size: int) -> str | None:
        whole, of_kind, of_agent = self._usage.count(agent, malformed=series.malformed)
        limits = [(whole, self._max_bytes, "all letters"), (of_kind, series.max_bytes, "letters of this kind")]
        if of_agent + size > series.max_bytes * SMALL:
            mine = f"one agent alone, and {agent or 'who sends what is none of ours'} has {of_agent}"
            limits.insert(0, (of_kind, int(series.max_bytes * COMMON), mine))
        for used, limit, what in limits:
            if used + size > limit:
                return (
                    f"{self._directory} holds {used} of {limit} bytes for {what}: look at it with "
                    "`tsq-gateway dead-letters list`, then replay or drop them, or raise dead_letters.max_size"
                )
        return None


def files(directory: Path) -> list[Path]:
    """Return the files of letters, oldest first."""
    return sorted(directory.glob("*.jsonl"), key=lambda p: (p.stat().st_mtime_ns, p.name))


def read(directory: Path) -> Iterator[tuple[Path, int, DeadLetter | None]]:
    """Yield every letter with its file and line number, oldest file first; None stands for a damaged line."""
    for path in files(directory):
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield path, number, letters.read(line)
