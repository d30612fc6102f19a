"""The signed days of this box, and where its chain stands.

    days/{date}.json    every record as it was signed; files are only added
    chain.json          the head: written after the record, so that the record is what counts after a power cut

Before anything is signed, the manifest that the broker retains has to be known: of our own key with a newer head it
says that this box was restored from an old image, and the chain goes on from there. Of another key it says that
another box signs, or did; two chains of one agent would be worth nothing, so nothing is signed until a person says
`tsq-agent reporter take`: the chain then goes on from the other one's head, under our key.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from agent.errors import WireError
from agent.platform.files import put
from contract.codec import decode, encode
from contract.day import SignedDay
from contract.manifest import Head
from contract.signing import key_id, key_text, open_day, sign_day

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contract.day import Day
    from contract.manifest import Manifest
    from contract.signing import Opened, PrivateKey
    from contract.topics import AgentTopics

logger = logging.getLogger(__name__)

FOLDER = "days"
HEAD = "chain.json"


class Daybook:
    """Signs and keeps.

    Args:
        folder: State folder of the agent.
        topics: The agent's branch.
        key: Its own.
        stuck: Why nothing can be signed, "" if it can.
    """

    def __init__(self, folder: Path, topics: AgentTopics, key: PrivateKey, stuck: str = "") -> None:
        self._folder = folder / FOLDER
        self._file = folder / HEAD
        self._topics = topics
        self.private = key
        self.public = key.public_key()
        self.key = key_id(self.public)
        self.public_text = key_text(self.public)
        self._lock = threading.Lock()
        self._foreign: Manifest | None = None
        self._taken: set[str] = set()
        self._stuck = self.trouble = stuck
        self.head = self._restored()

    def _restored(self) -> Head | None:
        heads = []
        try:
            heads.append(decode(self._file.read_bytes(), Head))
        except FileNotFoundError:
            pass
        except (OSError, WireError) as exc:
            logger.warning("%s cannot be read, the last record counts: %s", self._file, exc)
        for date in reversed(self.dates()):
            opened = self._opened(date)
            if opened is not None:
                heads.append(opened.head)
                break
        return max(heads, key=lambda head: head.number, default=None)

    def dates(self) -> list[str]:
        """Return the dates that there is a record of, in order."""
        return sorted(path.stem for path in self._folder.glob("????-??-??.json"))

    def signed(self, date: str) -> SignedDay | None:
        """Return the record of a date as it was signed, or None: there is none, or it cannot be read."""
        try:
            return decode((self._folder / f"{date}.json").read_bytes(), SignedDay)
        except (OSError, WireError):
            return None

    def _opened(self, date: str) -> Opened | None:
        try:
            return open_day((self._folder / f"{date}.json").read_bytes(), self._topics, {self.key: self.public})
        except (OSError, WireError):  # of an earlier key, or damaged
            return None

    def records(self, first: str, last: str) -> Iterator[tuple[SignedDay, Opened]]:
        """Yield the records of these dates that are whole and signed by this box, in order."""
        for date in self.dates():
            if first <= date <= last:
                signed, opened = self.signed(date), self._opened(date)
                if signed is not None and opened is not None:
                    yield signed, opened

    def hear(self, manifest: Manifest | None) -> None:
        """Take the manifest that the broker retains, None for none; a later one replaces it."""
        with self._lock:
            before, self.trouble = self.trouble, self._stuck
            self._foreign = None
            head = None if manifest is None else manifest.chain
            if manifest is None or (manifest.key not in self._ours and not head):
                return
            if manifest.key not in self._ours:
                self._foreign = manifest
                self.trouble = (
                    f"another box signs the days of {self._topics.root} (key {manifest.key}, "
                    f"{0 if head is None else head.number} records): nothing is signed here "
                    "until `tsq-agent reporter take`"
                )
            elif head is not None and self._forked(head):
                self._foreign = manifest
                self.trouble = (
                    f"two boxes sign with the key {self.key}: give each box a state folder of its own, then "
                    "`tsq-agent reporter take` on the one that goes on"
                )
            elif head is not None and (self.head is None or head.number > self.head.number):
                logger.warning("the chain goes on from record %d, which this box does not have", head.number)
                self._set(head)
            if self.trouble and self.trouble != before:
                logger.error("%s", self.trouble)

    def _forked(self, head: Head) -> bool:
        """Return whether a head of our own key, no newer than ours, is of a record that we have otherwise."""
        if self.head is None or head.number > self.head.number:
            return False
        if head.number == self.head.number:
            return head != self.head
        ours = self._opened(head.date)
        return ours is not None and ours.head != head

    @property
    def _ours(self) -> set[str]:
        return {self.key, *self._taken}

    def take(self) -> bool:
        """Go on with the chain of another box; return whether there was one. A person has said so."""
        with self._lock:
            if self._foreign is None:
                return False
            logger.warning("the chain of the key %s is taken over", self._foreign.key)
            theirs = self._foreign.chain
            # A copy of this box that is behind has nothing that ours goes on from: no day is signed twice.
            ours = self.head.number if self.head is not None and self._foreign.key == self.key else 0
            if theirs is not None and theirs.number >= ours:
                self._set(theirs)
            self._taken.add(self._foreign.key)
            self._foreign, self.trouble = None, self._stuck
            return True

    @property
    def free(self) -> bool:
        """Whether this box may sign."""
        return self._foreign is None and not self._stuck

    def next(self) -> tuple[int, str | None]:
        """Return number and `prev` of the next record."""
        return (1, None) if self.head is None else (self.head.number + 1, self.head.hash)

    def add(self, day: Day) -> bytes:
        """Sign a record and keep it; return its message.

        Raises:
            WireError: it is too large, or does not continue the chain.
            OSError: the disk does not take it; the chain stands where it stood.
        """
        raw = sign_day(day, self._topics, self.private)
        opened = open_day(raw, self._topics, {self.key: self.public})
        with self._lock:
            if (day.number, day.prev) != self.next() or (self.head is not None and day.date <= self.head.date):
                raise WireError(f"record {day.number} of {day.date} does not continue the chain")
            put(self._folder / f"{day.date}.json", raw)
            self._set(opened.head)
        return raw

    def _set(self, head: Head) -> None:
        self.head = head
        try:
            put(self._file, encode(head))
        except OSError as exc:  # the record itself says it again
            logger.warning("the head of the chain is not kept: %s", exc)
