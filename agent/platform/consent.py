"""The owner's word on what the platform may see: a file of his own, and a history that is only added to.

    readiness.consent: /etc/tsq/consent.yaml       version, serial, scopes, until

Where the platform has a broker of its own and nobody has said anything, it sees the retained report of the plant
and no more. Where the factory's broker is the only one, whoever asks is in the factory already, and everything is
answered; a file counts there as well. A file that cannot be read agrees to nothing, so that a slip of the pen while
something is taken back does not leave it open.
"""

from __future__ import annotations

import logging
import os
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field

from agent.errors import ConfigError, WireError
from agent.files import put
from contract.codec import decode, encode
from contract.consent import SCOPES, Consent, Given, Scope
from settings import load as loading
from settings.base import Model
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from settings.tree import Problem

logger = logging.getLogger(__name__)

HISTORY = "consent.jsonl"
KEPT = 1000
"""Entries of the history; the answer to `consent.get` holds twice as many."""
BY_DEFAULT: tuple[Scope, ...] = ("levels", "indicators")
AT_HOME: tuple[Scope, ...] = tuple(scope for scope in SCOPES if scope != "raw_hosted")
_BEGIN = Text(
    "begin with `version: 1`, `serial: 1`, `scopes: []`", "`version: 1`, `serial: 1`, `scopes: []`부터 쓰십시오"
)
DATE = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
_NEVER = object()
"""Stamp of a file before it was looked at: what held at the last start may rest on another configuration."""


class ConsentFile(Model):
    """The owner's file."""

    version: Literal[1] = Field(description="version of this format")
    serial: int = Field(ge=1, le=2**53, description="one more at each change")
    scopes: tuple[Scope, ...] = Field(description="what the platform may see")
    until: Annotated[str, Field(pattern=DATE)] | None = Field(None, description="from this date on nothing")


def date_at(zone: str, now_ns: int, reached: str = "") -> str:
    """Return the date at the site, no earlier than one reached before: a clock set back revives nothing."""
    return max(datetime.fromtimestamp(now_ns // 10**9, ZoneInfo(zone)).date().isoformat(), reached)


def read(raw: bytes) -> tuple[ConsentFile | None, Sequence[Problem]]:
    """Return what a file's content means, or None and what is wrong with it."""
    return loading.read(raw, ConsentFile, _BEGIN)


class Agreed:
    """What is agreed now.

    Args:
        path: The owner's file, None when none is configured.
        folder: State folder of the agent.
        home: Whether the factory's broker is the only one.
        now: UTC ns.
        today: The date at the site.
    """

    def __init__(
        self, path: Path | None, folder: Path, now: Callable[[], int], today: Callable[[], str], *, home: bool
    ) -> None:
        self._path = path
        self._file = folder / HISTORY
        self._silent = AT_HOME if home else BY_DEFAULT
        self._now = now
        self._today = today
        self._lock = threading.Lock()
        self._stamp: object = _NEVER
        self._said = ""
        self._history = self._kept()
        self.look()

    def _kept(self) -> list[Given]:
        try:
            lines = self._file.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as exc:
            logger.warning("the history of consent cannot be read: %s", exc)
            return []
        found = []
        for line in lines:
            try:
                found.append(decode(line, Given))
            except WireError:  # torn by a power cut: never removed, never believed
                logger.warning("%s: a line that cannot be read is passed over", self._file)
        if len(lines) > 2 * KEPT:
            self._cut(found[-KEPT:])
        return found[-KEPT:]

    def _cut(self, kept: list[Given]) -> None:
        """Write the latest entries anew: a file that changes each minute would else fill disk and answer."""
        try:
            put(self._file, b"".join(encode(given) + b"\n" for given in kept))
        except OSError as exc:
            logger.warning("the history of consent is not cut: %s", exc)

    def look(self) -> bool:
        """Take up what the file says now; return whether something else is agreed. Cheap without news."""
        with self._lock:
            stamp = _stamp(self._path)
            if self._history and stamp == self._stamp:
                return False
            self._stamp = stamp
            given = self._read()
            last = self._history[-1] if self._history else None
            if last is not None and (last.scopes, last.serial, last.until) == (
                given.scopes, given.serial, given.until,
            ):  # fmt: skip
                return False
            self._history = [*self._history, given][-KEPT:]
            self._keep(given)
        logger.info("the platform may see: %s", ", ".join(given.scopes) or "nothing")
        return True

    def _read(self) -> Given:
        since = str(self._now())
        if self._path is None:
            return Given(since, list(self._silent))
        try:
            file = loading.load(self._path, read, "en")
        except ConfigError as exc:
            if self._said != str(exc):
                self._said = str(exc)
                logger.error("the platform sees nothing until this is mended: %s", exc)  # noqa: TRY400 - no bug
            return Given(since, [])
        return Given(since, sorted(set(file.scopes), key=SCOPES.index), file.serial, file.until)

    def _keep(self, given: Given) -> None:
        try:
            descriptor = os.open(self._file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(b"\n" * self._torn() + encode(given) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            logger.warning("consent is in force, but the disk does not keep it: %s", exc)

    def _torn(self) -> bool:
        """Return whether the file ends in the middle of a line."""
        try:
            raw = self._file.read_bytes()
        except OSError:
            return False
        return bool(raw) and not raw.endswith(b"\n")

    @property
    def now(self) -> Given:
        """What holds; after its last date nothing is agreed."""
        given = self._history[-1]
        over = given.until is not None and self._today() >= given.until
        return msgspec.structs.replace(given, scopes=[]) if over else given

    @property
    def scopes(self) -> frozenset[Scope]:
        """What may be seen now."""
        return frozenset(self.now.scopes)

    def answer(self) -> bytes:
        """Return the answer to `consent.get`."""
        return encode(Consent(self.now, list(self._history)))

    @property
    def entries(self) -> int:
        """How many entries the history has."""
        return len(self._history)


def _stamp(path: Path | None) -> object:
    try:
        found = None if path is None else path.stat()
    except OSError:
        return (0, 0, 0)
    return None if found is None else (found.st_mtime_ns, found.st_size, found.st_ino)
