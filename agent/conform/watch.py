"""A platform that stays: each message is looked at as it comes, and days that were missed are fetched."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from agent.conform import asking, retained
from agent.conform.checks import one
from agent.conform.daybook import links
from agent.conform.findings import DAYS, MANIFEST, Broken, Finding, Open, Result
from agent.conform.reading import read
from contract.consent import RECORDS
from contract.day import SignedDay
from contract.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.conform.bench import Bench
    from contract.manifest import Head
    from transport.session import Message


class Watch:
    """Follows one agent whose retained messages were heard; a day counts when it continues the chain.

    Args:
        bench: Of it.

    Attributes:
        head: The last record that was taken.
        repaired: Dates of records that were fetched, because they had not come, or not whole.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._topics = bench.port.topics
        self.head: Head | None = None
        self.repaired: list[str] = []

    def begin(self) -> Result:
        """Take the days that there are; what was heard before is looked at already."""
        self._bench.port.news(0)
        result = one("chain", asking.chain, self._bench)
        days = self._bench.ledger.days
        self.head = days[max(days)].head if days else None
        return result

    def turn(self, seconds: float) -> Iterator[Result]:
        """Wait for messages, at most so long, and yield what is wrong with them."""
        for message in self._bench.port.news(seconds):
            result = self._one(message)
            if not result.ok:
                yield result

    def _one(self, message: Message) -> Result:
        return one(message.topic, lambda _: self._look(message), self._bench)

    def _look(self, message: Message) -> Iterator[Finding]:
        yield from retained.flag(message, self._topics)
        if message.topic == self._topics.manifest:
            yield from self._manifest(message)
        elif message.topic == self._topics.readiness and message.payload:
            yield from retained.report_in(message, self._bench)
        elif message.topic.startswith(self._topics.day("")) and message.payload:
            yield from self._day(message)
        else:
            yield from retained.event(message, self._bench)

    def _manifest(self, message: Message) -> Iterator[Finding]:
        if not message.payload:
            yield Finding(message.topic, "", "a manifest", "nothing: it was taken away", MANIFEST)
            return
        found, known = read(message.payload, Manifest, message.topic), self._bench.manifest
        yield from retained.of_manifest(found, message, self._topics)
        if found.key != known.key:  # ours stays: another one is for the owner to explain
            yield Finding(message.topic, "key", f"{known.key}, which came first", found.key, DAYS)
            return
        self._bench.seen = found
        head, number = found.chain, 0 if self.head is None else self.head.number
        if (0 if head is None else head.number) < number:
            expected = f"at least record {number}, which was published"
            yield Finding(message.topic, "chain", expected, "an older head", DAYS)
        elif head is not None and head.number > number:
            yield from self._fetch(head.date)

    def _day(self, message: Message) -> Iterator[Finding]:
        told, ledger = message.topic.removeprefix(self._topics.day("")), self._bench.ledger
        known = told in ledger.days
        try:
            found = list(ledger.take(read(message.payload, SignedDay, message.topic), told))
        except Broken as exc:
            found = [exc.finding]
        yield from found
        if known:  # it may come twice
            return
        opened = ledger.days.get(told)
        if opened is not None:
            if self.head is not None and opened.day.number <= self.head.number + 1:
                found = list(links(opened, self.head, self._topics))
                yield from found
                if not found:
                    self.head = opened.head
                    return
            ledger.forget(told)
        yield from self._fetch(told)

    def _fetch(self, until: str) -> Iterator[Finding]:
        """Ask for what is missing up to a date, and take what continues the chain."""
        if not set(self._bench.scopes) >= RECORDS:
            return
        begin = date.fromisoformat(until) - timedelta(days=asking.LOOKED_BACK)
        if self.head is not None:
            begin = date.fromisoformat(self.head.date) + timedelta(days=1)
        if begin.isoformat() > until:
            return
        dates: list[str] = []
        try:
            yield from asking.fetch(self._bench, begin.isoformat(), until, dates)
        except Open:
            return
        for each in dates:
            opened = self._bench.ledger.days.get(each)
            if opened is None:
                return
            wrong = list(links(opened, self.head, self._topics))
            yield from wrong
            if wrong:
                self._bench.ledger.forget(each)
                return
            self.head = opened.head
            self.repaired.append(each)
