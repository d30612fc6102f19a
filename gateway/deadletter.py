"""Dead letters: what can never be stored, kept with the reason until a person has looked at it.

One JSON object a line, in files that are only ever appended to:

    {worker}-{start}-{number}.jsonl               rejections, for which an agent waits
    {worker}-{start}-{number}.malformed.jsonl     messages that cannot be read, of whoever sent them

A worker writes its own files, so that several may share a folder. `append` returns after fsync: a rejection is
confirmed to the agent only then, because the agent frees the entry on it. The folder is bounded. When it is full,
or the disk fails, `append` raises, the entry stays unconfirmed in the agent's spool, and an operator has to act:
nothing is ever deleted here to make room. Anybody can send what cannot be read, and no agent waits for it:
therefore it gets half of the room at most.

A message that cannot be read comes again and again, because it cannot be confirmed; a rejection comes again when
its confirmation was lost. The content written recently is therefore remembered, each kind for itself, and not
written twice.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from typing import IO, TYPE_CHECKING

import msgspec

from contract.codec import digest
from contract.payload import Json, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.clock import Clock

FILE_BYTES = 16 * 10**6
MALFORMED_SHARE = 0.5
_REMEMBERED = 10_000


class DeadLettersFull(Exception):  # noqa: N818 - reads as what happened
    """Nothing can be kept: the folder has reached its limit, or the disk refuses."""


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message that could not be stored as a whole.

    Attributes:
        at: When it was written, ns UTC.
        topic: Where it came from.
        reason: Of the message, or of the first rejection.
        payload: Base64 of a message that cannot be read, as it came.
        spool: Of a message whose entries are rejected in part, with the rest below.
        birth: Hash of the birth it was read with.
        rejected: As confirmed to the agent.
        faults: Rows that contradict their birth: seq, source, first, last, reason, content.
        points: Lines that the database refuses: seq, measurement, tags, time, fields, reason.
    """

    at: int
    topic: str
    reason: str
    payload: str | None = None
    spool: str | None = None
    birth: str | None = None
    rejected: list[Rejected] = []
    faults: list[Json] = []
    points: list[Json] = []

    @property
    def malformed(self) -> bool:
        """Whether the message could not be read."""
        return self.payload is not None


class _Series:
    """The files of one kind that this process writes, and what it wrote lately."""

    def __init__(self, directory: Path, prefix: str, suffix: str, max_bytes: int) -> None:
        self.suffix = suffix
        self.max_bytes = max_bytes  # of this kind, in the files of all workers
        self.recent: OrderedDict[str, None] = OrderedDict()
        self._directory = directory
        self._prefix = prefix
        self._number = 0
        self._file: IO[bytes] | None = None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def write(self, line: bytes) -> None:
        if self._file is not None and self._file.tell() > FILE_BYTES:
            self.close()
        if self._file is None:
            self._number += 1
            path = self._directory / f"{self._prefix}-{self._number:06}{self.suffix}"
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(handle, "wb", buffering=0)
            _fsync_folder(self._directory)
        written = self._file.write(line)
        if written != len(line):
            raise OSError(f"{written} of {len(line)} bytes written")
        os.fsync(self._file.fileno())


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
        prefix = f"{worker}-{clock.now()}"
        self._rejections = _Series(directory, prefix, ".jsonl", max_bytes)
        self._malformed = _Series(directory, prefix, ".malformed.jsonl", int(max_bytes * MALFORMED_SHARE))
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def append(self, letter: DeadLetter) -> bool:
        """Keep a letter; it is on the disk when this returns.

        Returns:
            False if the same content was kept a short while ago.

        Raises:
            DeadLettersFull: it could not be kept.
        """
        content = msgspec.structs.asdict(letter)
        content["rejected"] = [msgspec.structs.astuple(r) for r in letter.rejected]
        try:  # the standard encoder, because integers of any size may stand in a letter
            key = digest(json.dumps({**content, "at": 0}).encode())
            line = (
                json.dumps({k: v for k, v in content.items() if v not in (None, [])}, ensure_ascii=False).encode()
                + b"\n"
            )
        except RecursionError:
            return self.append(msgspec.structs.replace(letter, faults=["nested too deeply to be kept"]))
        series = self._malformed if letter.malformed else self._rejections
        if key in series.recent:
            series.recent.move_to_end(key)
            return False
        try:
            self._check_room(series, len(line))
            series.write(line)
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

    def _check_room(self, series: _Series, size: int) -> None:
        sizes = {path.name: path.stat().st_size for path in self._directory.glob("*.jsonl")}
        of_kind = sum(used for name, used in sizes.items() if name.endswith(series.suffix))
        for used, limit in ((sum(sizes.values()), self._max_bytes), (of_kind, series.max_bytes)):
            if used + size > limit:
                raise DeadLettersFull(
                    f"{self._directory} holds {used} of {limit} bytes: look at it with "
                    "`tsq-gateway dead-letters list`, then move its files away or raise dead_letters.max_size"
                )


def _fsync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(directory: Path) -> Iterator[tuple[Path, int, DeadLetter | None]]:
    """Yield every letter with its file and line number, oldest file first; None stands for a damaged line."""
    for path in sorted(directory.glob("*.jsonl"), key=lambda p: (p.stat().st_mtime_ns, p.name)):
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    letter = msgspec.convert(json.loads(line), DeadLetter)
                except (ValueError, RecursionError, msgspec.ValidationError):
                    letter = None
                yield path, number, letter
