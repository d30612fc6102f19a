"""Closed days as files: what waits for the reporter, or what the reporter has taken from another agent.

    {date}.{hash}.zst    the content of a `FactoryDay`, zstd with a checksum; there is one for a date

Days are few and written once, so files are enough: each is whole or not there. Of too many the oldest go.
"""

from __future__ import annotations

import contextlib
import logging
import re
from typing import TYPE_CHECKING, NamedTuple

from agent.files import put
from agent.spool.days import packed, unpacked
from contract.codec import digest

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

KEPT = 400
"""Days, as many as the evidence of the box itself."""
KEPT_BYTES = 400 * 10**6
_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9a-f]{32})\.zst")


class Kept(NamedTuple):
    """A day on the disk."""

    date: str
    hash: str


class Shelf:
    """One folder of days. For one thread at a time.

    Args:
        folder: Its own; made when something is kept.
        kept: Days, at most.
        kept_bytes: On the disk, at most; one day is always kept.
    """

    def __init__(self, folder: Path, kept: int = KEPT, kept_bytes: int = KEPT_BYTES) -> None:
        self._folder = folder
        self._kept, self._kept_bytes = kept, kept_bytes
        self._days: dict[str, str] = {}
        for path in sorted(folder.glob("*.zst")):
            if found := _NAME.fullmatch(path.name):
                self._days[found[1]] = found[2]

    def days(self) -> list[Kept]:
        """Return what is there, in order of dates."""
        return [Kept(date, self._days[date]) for date in sorted(self._days)]

    def hash(self, date: str) -> str | None:
        """Return the hash of what is there of a date."""
        return self._days.get(date)

    def read(self, date: str) -> bytes | None:
        """Return the content of a day; what is damaged is set aside, and None."""
        name = self._days.get(date)
        if name is None:
            return None
        path = self._path(Kept(date, name))
        try:
            content = unpacked(path.read_bytes())
        except OSError as exc:
            logger.warning("%s cannot be read now: %s", path, exc)
            return None
        if digest(content) == name:
            return content
        logger.error("%s is damaged and set aside", path)
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".damaged"))
        del self._days[date]
        return None

    def keep(self, date: str, content: bytes) -> list[Kept]:
        """Add a day, on the disk when this returns; return what had to go for it.

        Raises:
            OSError: the disk does not take it.
        """
        day = Kept(date, digest(content))
        put(self._path(day), packed(content))
        before = self._days.get(date)
        self._days[date] = day.hash
        if before not in (None, day.hash):
            self._remove(Kept(date, str(before)))
        return self._prune()

    def drop(self, date: str) -> None:
        """Let a day go.

        Raises:
            OSError: it is still there.
        """
        if name := self._days.get(date):
            self._path(Kept(date, name)).unlink(missing_ok=True)
            del self._days[date]

    def _prune(self) -> list[Kept]:
        gone: list[Kept] = []
        size = 0
        for number, day in enumerate(reversed(self.days())):
            with contextlib.suppress(OSError):
                size += self._path(day).stat().st_size
            if number and (number >= self._kept or size > self._kept_bytes):
                gone.append(day)
        for day in gone:
            del self._days[day.date]
            self._remove(day)
        return gone[::-1]

    def _remove(self, day: Kept) -> None:
        with contextlib.suppress(OSError):
            self._path(day).unlink()

    def _path(self, day: Kept) -> Path:
        return self._folder / f"{day.date}.{day.hash}.zst"
