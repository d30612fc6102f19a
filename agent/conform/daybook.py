"""Signed days of somebody else, checked one by one and as a chain, with the field that is wrong. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.conform.findings import DAYS, PAYLOADS, Broken, Finding
from agent.conform.reading import numbers, read
from agent.errors import WireError
from contract.codec import PLAIN_LIMIT, decode, encode
from contract.day import Day
from contract.manifest import Head
from contract.signing import Opened, check, head_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contract.day import SignedDay
    from contract.signing import PublicKey
    from contract.topics import AgentTopics


class Ledger:
    """The days that are known of one agent: verified records by date, and what was wrong with others.

    Args:
        topics: The agent's branch.

    Attributes:
        keys: Whom it believes, by key id.
        days: Records that verify.
        texts: Their texts, to see a day of which there are two.
    """

    def __init__(self, topics: AgentTopics) -> None:
        self._topics = topics
        self.keys: dict[str, PublicKey] = {}
        self.days: dict[str, Opened] = {}
        self.texts: dict[str, str] = {}

    @staticmethod
    def date(signed: SignedDay) -> str | None:
        """Return the date that a record says, None when it cannot be read."""
        try:
            return decode(signed.record.encode(), Day).date
        except (WireError, UnicodeEncodeError):
            return None

    def take(self, signed: SignedDay, date: str | None = None) -> Iterator[Finding]:
        """Check a record by itself and keep it when it is whole.

        Args:
            signed: As it came.
            date: Of the topic that it came in; None for one of `day.get`.
        """
        place = self._topics.day(date or "?")
        try:
            day = read(signed.record.encode(), Day, f"{place} record")
        except UnicodeEncodeError:
            yield Finding(place, "record", "text that UTF-8 can write", "half a character", DAYS)
            return
        except Broken as exc:
            yield exc.finding
            return
        topic = self._topics.day(day.date)
        try:
            found = list(self._wrong(signed, day, topic))
        except Broken as exc:
            found = [exc.finding]
        if date is not None and day.date != date:
            found.append(Finding(place, "record.date", date, day.date, DAYS))
        yield from found
        if found:
            return
        before = self.texts.get(day.date)
        if before is not None and before != signed.record:
            yield Finding(topic, "record", "the record of this day, which never changes", "another one", DAYS)
            return
        self.texts[day.date] = signed.record
        self.days[day.date] = Opened(day, Head(day.number, day.date, head_hash(topic, signed.record)))

    def _wrong(self, signed: SignedDay, day: Day, topic: str) -> Iterator[Finding]:
        size = len(encode(signed))
        if size > PLAIN_LIMIT:
            yield Finding(topic, "", f"at most {PLAIN_LIMIT} bytes", f"{size} bytes", PAYLOADS)
        yield from numbers(signed.record.encode(), f"{topic} record")
        if signed.key not in self.keys:
            known = " or ".join(self.keys) or "a key of a manifest"
            yield Finding(topic, "key", known, signed.key, DAYS)
            return
        try:
            check(topic, signed.record, signed.signature, self.keys[signed.key])
        except WireError as exc:
            expected = "Ed25519 over topic, line feed and record, by the manifest's key"
            yield Finding(topic, "signature", expected, str(exc), DAYS)
            return
        if day.key != signed.key:
            yield Finding(topic, "record.key", signed.key, day.key, DAYS)
        for name, told in (("factory", day.factory), ("agent", day.agent)):
            if told != getattr(self._topics, name):
                yield Finding(topic, f"record.{name}", getattr(self._topics, name), told, DAYS)
        if int(day.end) <= int(day.start):
            yield Finding(topic, "record.end", f"later than {day.start}", day.end, DAYS)
        for one in day.metrics:
            at = [*one.machines, *(index for listed in one.apart.values() for index in listed)]
            if not len(one.machines) == len(one.num) == len(one.den) or max(at, default=-1) >= len(day.machines):
                expected = "columns of one length, of machines of the record"
                yield Finding(topic, f"record.metrics {one.metric}", expected, "others", DAYS)

    def chain(self, dates: list[str], before: Head | None = None) -> Iterator[Finding]:
        """Yield where records that verify by themselves do not follow one another.

        Args:
            dates: Of the records, in the order in which they came.
            before: The record before the first, None where it is not known.
        """
        for date in dates:
            opened = self.days.get(date)
            if opened is None:
                before = None
                continue
            yield from links(opened, before, self._topics)
            before = opened.head

    def forget(self, date: str) -> None:
        """Let a record go that continues no chain."""
        self.days.pop(date, None)
        self.texts.pop(date, None)


def links(opened: Opened, before: Head | None, topics: AgentTopics) -> Iterator[Finding]:
    """Yield how a record does not continue the one before it, None for one that nobody knows."""
    day = opened.day
    topic = topics.day(day.date)
    if before is None:
        if (day.number == 1) is not (day.prev is None):
            yield Finding(topic, "record.prev", "none in record 1 and in no other", str(day.prev), DAYS)
        return
    wanted: Mapping[str, tuple[object, object]] = {
        "number": (before.number + 1, day.number),
        "prev": (before.hash, day.prev),
    }
    for field, (expected, found) in wanted.items():
        if expected != found:
            yield Finding(topic, f"record.{field}", str(expected), str(found), DAYS)
    if day.date <= before.date:
        yield Finding(topic, "record.date", f"later than {before.date}", day.date, DAYS)
