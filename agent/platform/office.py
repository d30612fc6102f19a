"""Everything that the platform gets of this agent beside the report: signed days, the manifest, answers.

    reporter thread   each turn: consent, days that have closed since the last record, the manifest
    uplink thread     requests (`agent.platform.asked`)

Days are signed in order and never twice; a turn signs few, because each costs an assessment. While no manifest can
have been heard yet, or another box signs for this agent, nothing is signed: the evidence waits for 400 days. Nor is
it while nobody vouches for the time, or a day ends later than it is now: a record of a date to come would leave
those before it without one.

Of a factory with several agents one reports, and it alone signs and answers. A day is signed when the evidence of
all is in, or a day after its end; who has not come by then is named in the record. The others say who reports.
"""

from __future__ import annotations

import logging
import secrets
from datetime import date as calendar_date
from typing import TYPE_CHECKING

from agent.answering import key_of
from agent.errors import WireError
from agent.platform.asked import Asked
from agent.platform.consent import Agreed, date_at
from agent.platform.cut import cut
from agent.platform.daybook import Daybook
from agent.platform.events import Events
from agent.platform.gate import Gate
from agent.platform.key import own_key
from agent.platform.team import Team
from agent.requests import RequestError
from contract.codec import decode, encode
from contract.consent import NAMES, RECORDS, SCOPES
from contract.day import Absent, Day
from contract.manifest import Manifest, ManifestMachine
from contract.report import Report
from contract.signing import private_key
from contract.topics import AgentTopics, split
from readiness import daily
from readiness.fingerprint import fingerprint
from readiness.model import FORMULAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from agent.clock import Clock
    from agent.config.model import AgentConfig
    from agent.reporter import Reporter
    from agent.uplink import Uplink
    from contract.consent import Given
    from contract.day import Late
    from contract.signing import PublicKey
    from readiness.evidence import Recorded
    from readiness.report import Assessment

logger = logging.getLogger(__name__)

PER_TURN = 4
LATE = 100
"""Late days that one record names, at most; the next one goes on."""
LATEST_NS = 24 * 3600 * 10**9
"""So long after its end a day is signed without those who have not come."""
LISTENING_NS = 3600 * 10**9
"""So long the others must have been able to send: they try again each half hour."""
OWN_VERBS = frozenset({"consent.get"})
"""What an agent answers for which another one reports."""
HEARING_NS = 5 * 10**9
"""A retained manifest comes at once after the subscription; what has not come by then is not there."""


class Office:
    """Signs, publishes and answers.

    Args:
        reporter: Assesses; its thread calls `turn`.
        book: Signed days.
        agreed: What may be seen.
        uplink: To the platform; not yet started.
        topics: The agent's branch.
        clock: Data time, and how long it is since the connection.
        folder: State folder.
        register: Key by which the platform signs what is registered.
        team: Who reports.
        changed: Returns our devices that are not as they were confirmed.
    """

    def __init__(
        self,
        reporter: Reporter,
        book: Daybook,
        agreed: Agreed,
        uplink: Uplink,
        topics: AgentTopics,
        clock: Clock,
        folder: Path,
        register: PublicKey | None,
        team: Team | None = None,
        changed: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._team = team or Team(topics.agent)
        self._reports = self._team.reporter == topics.agent
        self._reporter = reporter
        self._book = book
        self._agreed = agreed
        self._uplink = uplink
        self._topics = topics
        self._clock = clock
        self._connected_ns: int | None = None
        self._events = Events(folder, topics, uplink, agreed, clock.now, changed)
        self._ahead_of = ""  # the head's date of which was told that it lies ahead
        self._heard = False
        asked = Asked(reporter, book, agreed, topics, folder, clock.now, register, uplink.publish_once)
        self._verbs = {
            verb: handler if self._reports or verb in OWN_VERBS else self._elsewhere
            for verb, handler in asked.table().items()
        }
        for verb, handler in self._verbs.items():
            uplink.on_request(verb, handler)
        self._shown: Given | None = None  # what was agreed when the retained report was made
        reporter.retained = self._retained
        reporter.sooner = self._otherwise
        reporter.turns.append(self.turn)
        uplink.desk.gate = Gate(agreed, clock.monotonic)
        uplink.subscribe(topics.manifest, self._manifest)
        uplink.on_connection(self._connection)
        inbox = self._team.inbox
        if inbox is not None:
            inbox.absent = book.absent
            inbox.changed = reporter.renew
            inbox.named(book.late())  # a power cut may have come between a record and this
            every = AgentTopics(topics.factory, "x").manifest.replace("/x/", "/+/")
            uplink.subscribe(every, self._of_another)

    # Asked by people

    def about(self) -> dict[str, object]:
        """Return who signs, how far the chain has come, and what may be seen."""
        head = self._book.head
        return {
            "key": self._book.key,
            "chain": None if head is None else {"number": head.number, "date": head.date, "hash": head.hash},
            "scopes": sorted(self._agreed.scopes, key=SCOPES.index),
            "trouble": self._book.trouble or self._ahead(),
            "reporter": self._team.reporter,
            "agents": [] if self._team.inbox is None else self._team.inbox.about(),
            "outbox": None if self._team.outbox is None else self._team.outbox.about(),
            "contested": self._reporter.contested,
        }

    def take(self, author: str) -> bool:
        """Go on with the chain of another box; return whether there was one."""
        taken = self._book.take()
        if taken:
            logger.warning("%s has this box sign for %s from now on", author or "somebody", self._topics.root)
        return taken

    def _ahead(self) -> str:
        """Return what to say of a chain that was signed under a clock in the future, "" of any other."""
        head, now = self._book.head, self._clock.now()
        if head is None or not self._clock.trusted or head.date <= self._today(now):
            return ""
        return (
            f"the last record is of {head.date} and it is {self._today(now)}: it was signed under a clock that was "
            "wrong; days are signed again from the day after that date on, and the evidence of those before is kept"
        )

    def _today(self, now_ns: int) -> str:
        return self._reporter.joined.calendar.day_of(now_ns).isoformat()

    # In the uplink's threads

    def _elsewhere(self, _body: bytes) -> bytes:
        raise RequestError("no_data", f"{self._team.reporter} reports for this factory: ask that one")

    def _of_another(self, topic: str, payload: bytes, _retained: bool) -> None:  # noqa: FBT001 - a Listener
        try:
            self._book.hear_of(split(topic)[0].agent, decode(payload, Manifest) if payload else None)
        except WireError as exc:
            logger.warning("the retained manifest under %s cannot be read: %s", topic, exc)

    def _connection(self, up: bool) -> None:  # noqa: FBT001 - a watcher
        self._connected_ns = self._clock.monotonic() if up else None

    def _manifest(self, _topic: str, payload: bytes, _retained: bool) -> None:  # noqa: FBT001 - a Listener
        try:
            self._book.hear(decode(payload, Manifest) if payload else None)
        except WireError as exc:
            logger.warning("the retained manifest cannot be read and is replaced: %s", exc)
        self._heard = True

    # In the reporter's thread

    def _retained(self, made: Assessment) -> bytes:
        """Return the retained report as far as it may be seen; nothing, which takes it away, where nothing may.

        Where another agent reports, there is none of this one: it would be taken for the factory's.
        """
        self._agreed.look()
        self._shown = self._agreed.now
        if not self._reports:
            return b""
        whole = made.retained()
        scopes = self._agreed.scopes
        if {"levels", "indicators", "machines"} <= scopes:
            return whole
        part = cut(decode(whole, Report), scopes)
        return b"" if part is None else encode(part)

    def _otherwise(self) -> bool:
        """Return whether something else is agreed than when the retained report was made."""
        self._agreed.look()
        return self._agreed.now != self._shown

    def turn(self) -> None:
        """Do what is due."""
        self._agreed.look()
        if not self._heard:
            since = self._connected_ns
            if since is None or self._clock.monotonic() - since < HEARING_NS:
                return
            self._heard = True
        if not self._book.free:
            return
        if self._reports and self._clock.trusted:
            self._sign()
        self._uplink.publish_retained(self._topics.manifest, encode(self.manifest()))
        self._events.turn(self._reporter.assessment() if self._reports else None, self._today(self._clock.now()))

    def manifest(self) -> Manifest:
        """Return what may be asked now."""
        plant = self._reporter.joined.plant
        config, agreed = self._reporter.config, self._agreed.now
        named = plant.machines if NAMES & set(agreed.scopes) else ()
        return Manifest(
            factory=self._topics.factory,
            site=config.site,
            agent=self._topics.agent,
            reporter=self._team.reporter,
            made_at=str(self._clock.now()),
            key=self._book.key,
            public_key=self._book.public_text,
            formulas=FORMULAS,
            model=self._reporter.model.hash,
            config=self._reporter.digest,
            plant=plant.hash or fingerprint(plant),
            machines=[ManifestMachine(m.id, m.name, m.weight) for m in named],
            metrics=list(daily.METRICS),
            verbs=sorted(self._verbs),
            consent=agreed,
            chain=self._book.head,
            proof=self._book.proof,
        )

    def _sign(self) -> None:
        past, inbox, head = self._reporter.past, self._team.inbox, self._book.head
        if (ahead := self._ahead()) and head is not None and head.date != self._ahead_of:
            self._ahead_of = head.date
            logger.error("%s", ahead)
        for date in [d for d in past.dates() if head is None or d > head.date][:PER_TURN]:
            absent = past.absent(date) if inbox is not None else []
            recorded = past.day(date)
            if recorded is None:
                continue
            if not self._over(recorded.day.end_ns, absent):
                return
            day = self._day(date, recorded, absent, [] if inbox is None else list(inbox.late)[:LATE])
            with past.lock:  # what comes from here on is too late for this record
                if absent and past.absent(date) != absent:
                    return  # somebody has come while this was computed
                try:
                    raw = self._book.add(day)
                except (WireError, OSError) as exc:
                    logger.error("the day %s is not signed: %s", date, exc)  # noqa: TRY400 - no bug
                    return
                if inbox is not None:
                    inbox.named(day.late)
            if absent:
                logger.warning("%s is signed without %s", date, ", ".join(absent))
            if self._agreed.scopes >= RECORDS:
                self._uplink.publish_once(self._topics.day(date), raw)

    def _over(self, end_ns: int, absent: list[str]) -> bool:
        """Return whether a day has ended, and nobody is waited for: by data time, and after all were heard."""
        inbox, now = self._team.inbox, self._clock.now()
        if not absent:
            return now >= end_ns
        return (inbox is None or inbox.listening_ns >= LISTENING_NS) and now >= end_ns + LATEST_NS

    def _day(self, date: str, recorded: Recorded, absent: list[str], late: list[Late]) -> Day:
        evidence = recorded.day
        # By the calendar and not by the evidence: the day's start may have been moved since, and of that window
        # this day is the last.
        made = self._reporter.at(self._reporter.joined.calendar.bounds(calendar_date.fromisoformat(date))[1])
        plant, (number, prev) = self._reporter.joined.plant, self._book.next()
        length = evidence.end_ns - evidence.start_ns
        return Day(
            factory=self._topics.factory,
            site=self._reporter.config.site,
            agent=self._topics.agent,
            date=date,
            zone=evidence.zone,
            start=evidence.start,
            end=evidence.end,
            number=number,
            made_at=str(self._clock.now()),
            key=self._book.key,
            formulas=FORMULAS,
            model=self._reporter.model.hash,
            config=self._reporter.digest,
            plant=plant.hash or fingerprint(plant),
            evidence=recorded.checksum,
            simulated=round(evidence.spans(evidence.simulated).length() / length, 6) if length else 0.0,
            machines=daily.machines(made),
            metrics=daily.metrics(made),
            prev=prev,
            absent=[Absent(agent) for agent in absent],
            late=late,
        )


def opened(
    config: AgentConfig,
    folder: Path,
    reporter: Reporter,
    uplink: Uplink,
    topics: AgentTopics,
    clock: Clock,
    team: Team,
    changed: Callable[[], Iterable[str]] = tuple,
) -> Office:
    """Return the office of an agent. A disk that gives no key stops nothing but signing.

    Raises:
        ConfigError: the platform's key cannot be read.
    """
    stuck = ""
    try:
        key = own_key(folder)
    except OSError as exc:
        stuck = f"the signing key cannot be read or made: {exc}"
        logger.error("no day is signed: %s", stuck)  # noqa: TRY400 - no bug
        key = private_key(secrets.token_bytes(32))
    platform, zone = config.uplink.platform, config.calendar().zone
    book = Daybook(folder, topics, key, stuck)
    agreed = Agreed(
        config.readiness.consent,
        folder,
        clock.now,
        lambda: date_at(zone, clock.now(), "" if book.head is None else book.head.date),
        home=platform is None,
    )
    register = None if platform is None else key_of(platform.answers_key)
    return Office(reporter, book, agreed, uplink, topics, clock, folder, register, team, changed)
