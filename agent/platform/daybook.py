"""The signed days of this box, and where its chain stands.

    days/{date}.json    every record as it was signed; files are only added
    chain.json          the head: written after the record, so that the record is what counts after a power cut

Before anything is signed, the manifest that the broker retains has to be known: of our own key with a newer head it
says that this box was restored from an old image, and the chain goes on from there; a head that does not bear our
signature is nobody's word and is written over. Of another key it says that
another box signs, or did; two chains of one agent would be worth nothing, so nothing is signed until a person says
`tsq-agent reporter take`: the chain then goes on from the other one's head, under our key; what we had signed of
later days is set aside as {date}.{hash}.json, because those days get another record. The same holds for the
manifests of other agents of the factory, where one of several reports: a factory has one chain.

    taken.json          keys of chains that were taken over, and the number of the record that ours goes on behind

Records are small; ten years of them are kept.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from agent.errors import WireError
from agent.files import put, thin
from contract.codec import checksum, decode, encode
from contract.day import SignedDay
from contract.manifest import Head
from contract.signing import check_head, follows, key_id, key_text, open_day, seal_head, sign_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from contract.day import Day, Late
    from contract.manifest import Manifest
    from contract.signing import Opened, PrivateKey
    from contract.topics import AgentTopics

logger = logging.getLogger(__name__)

FOLDER = "days"
HEAD = "chain.json"
TAKEN = "taken.json"
KEPT = 3660
KEPT_BYTES = 500 * 10**6


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
        self._taken_file = folder / TAKEN
        self._topics = topics
        self.private = key
        self.public = key.public_key()
        self.key = key_id(self.public)
        self.public_text = key_text(self.public)
        self._lock = threading.Lock()
        self._foreign: Manifest | None = None  # of our own branch
        self._rivals: dict[str, Manifest] = {}  # of other agents
        self._taken: dict[str, int] = self._known()
        self._stuck = self.trouble = stuck
        self.head = self._restored()

    def _restored(self) -> Head | None:
        """Return where the chain stands: by its file, and the records that follow; the last one without a file."""
        head: Head | None = None
        try:
            head = decode(self._file.read_bytes(), Head)
        except FileNotFoundError:
            pass
        except (OSError, WireError) as exc:
            logger.warning("%s cannot be read, the last record counts: %s", self._file, exc)
        if head is None:
            found = (self._opened(date) for date in reversed(self.dates()))
            return next((opened.head for opened in found if opened is not None), None)
        for date in self.dates():
            opened = self._opened(date) if date > head.date else None
            if opened is not None and follows(opened, head) is None:
                head = opened.head
        return head

    def _known(self) -> dict[str, int]:
        try:
            return decode(self._taken_file.read_bytes(), dict[str, int])
        except FileNotFoundError:
            return {}
        except (OSError, WireError) as exc:  # whoever it concerned is asked again
            logger.warning("%s cannot be read: %s", self._taken_file, exc)
            return {}

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

    def absent(self, date: str) -> frozenset[str]:
        """Return the agents that our record of a date names as absent; none where there is no record."""
        opened = self._opened(date)
        return frozenset() if opened is None else frozenset(one.agent for one in opened.day.absent)

    def late(self) -> Sequence[Late]:
        """Return what the last record names as come too late."""
        opened = None if self.head is None else self._opened(self.head.date)
        return () if opened is None else opened.day.late

    def hear_of(self, agent: str, manifest: Manifest | None) -> None:
        """Take the retained manifest of another agent of the factory, None for none."""
        with self._lock:
            head = None if manifest is None else manifest.chain
            if manifest is None or head is None or self._ours(manifest):
                self._rivals.pop(agent, None)
            else:
                self._rivals[agent] = manifest
            before = self.trouble
            self.trouble = self._stuck or (self.trouble if self._foreign is not None else "") or self._rivalry()
            if self.trouble and self.trouble != before:
                logger.error("%s", self.trouble)

    def _rivalry(self) -> str:
        """Return what to say of other agents that sign for the factory, "" where none does."""
        for agent, manifest in sorted(self._rivals.items()):
            number = 0 if manifest.chain is None else manifest.chain.number
            return (
                f"{agent} has signed days of this factory (key {manifest.key}, {number} records): nothing is "
                "signed here until `tsq-agent reporter take`"
            )
        return ""

    def hear(self, manifest: Manifest | None) -> None:
        """Take the manifest that the broker retains, None for none; a later one replaces it."""
        with self._lock:
            before, self.trouble = self.trouble, self._stuck or self._rivalry()
            self._foreign = None
            head = None if manifest is None else manifest.chain
            if manifest is None or (not head and manifest.key != self.key):
                return
            if not self._ours(manifest):
                self._foreign = manifest
                self.trouble = (
                    f"another box signs the days of {self._topics.root} (key {manifest.key}, "
                    f"{0 if head is None else head.number} records): nothing is signed here "
                    "until `tsq-agent reporter take`"
                )
            elif head is not None and manifest.key == self.key and not self._proven(head, manifest.proof):
                logger.error(
                    "somebody has written a manifest of %s with record %d of %s, which our key has not signed: it "
                    "is written over",
                    self._topics.root,
                    head.number,
                    head.date,
                )
            elif head is not None and manifest.key == self.key and self._forked(head):
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

    @property
    def proof(self) -> str | None:
        """The signature of the head, None where there is none."""
        return None if self.head is None else seal_head(self.head, self._topics, self.private)

    def _proven(self, head: Head, proof: str | None) -> bool:
        """Return whether a head of our key is one that we have, or was signed by it."""
        if self.head is not None and head.number <= self.head.number and not self._forked(head):
            return True
        try:
            check_head(head, proof or "", self._topics, self.public)
        except WireError:
            return False
        return True

    def _forked(self, head: Head) -> bool:
        """Return whether a head of our own key, no newer than ours, is of a record that we have otherwise."""
        if self.head is None or head.number > self.head.number:
            return False
        if head.number == self.head.number:
            return head != self.head
        ours = self._opened(head.date)
        return ours is not None and ours.head != head

    def _ours(self, manifest: Manifest) -> bool:
        """Return whether a chain is our own, or one that ours goes on behind."""
        number = 0 if manifest.chain is None else manifest.chain.number
        return manifest.key == self.key or number <= self._taken.get(manifest.key, 0)

    def take(self) -> bool:
        """Go on with the chain of another box; return whether there was one. A person has said so."""
        with self._lock:
            others = [*self._rivals.values(), *([] if self._foreign is None else [self._foreign])]
            for each in others:
                logger.warning("the chain of the key %s is taken over", each.key)
                number = 0 if each.chain is None else each.chain.number
                ours = 0 if self.head is None else self.head.number
                # Of another agent: ours goes on unless it has more. In our place: gone on with as it stands, but a
                # copy of this box never goes back to a day that is signed.
                ahead = number > ours if each is not self._foreign else each.key != self.key or number >= ours
                if each.chain is not None and ahead:
                    for date in self.dates():
                        if date > each.chain.date:
                            self._set_aside(date)
                    self._set(each.chain)
                self._taken[each.key] = number
            self._foreign, self.trouble = None, self._stuck
            self._rivals.clear()
            if others:
                try:
                    put(self._taken_file, encode(self._taken))
                except OSError as exc:
                    logger.warning("%s: %s: it is asked again at the next start", self._taken_file, exc)
            return bool(others)

    def _set_aside(self, date: str) -> None:
        """Keep a record under another name: it does not belong to the chain any more."""
        path = self._folder / f"{date}.json"
        try:
            aside = path.with_name(f"{date}.{checksum(path.read_bytes())}.json")
            path.replace(aside)
        except OSError as exc:
            logger.error("the record of %s is not set aside: %s", date, exc)  # noqa: TRY400 - no bug
        else:
            logger.warning("the record of %s is no part of the chain any more and kept as %s", date, aside)

    @property
    def free(self) -> bool:
        """Whether this box may sign."""
        return self._foreign is None and not self._rivals and not self._stuck

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
            if (self._folder / f"{day.date}.json").exists():  # of an earlier key, or it could not be set aside
                self._set_aside(day.date)
            put(self._folder / f"{day.date}.json", raw)
            self._set(opened.head)
            thin(sorted(self._folder.glob("*.json")), KEPT, KEPT_BYTES)
        return raw

    def _set(self, head: Head) -> None:
        self.head = head
        try:
            put(self._file, encode(head))
        except OSError as exc:  # the record itself says it again
            logger.warning("the head of the chain is not kept: %s", exc)
