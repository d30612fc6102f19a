"""Events to the platform, each told once: what was told is kept until it does not hold any more.

    events.json    kind and subject of what was told, and still holds

An event is told when there is a connection and its scope is agreed, so what began before either is told then. It is
written down behind the message: a power cut between repeats it, and loses none.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from agent.errors import WireError
from agent.files import put
from contract.codec import decode, encode
from contract.consent import may_tell
from contract.event import Event
from readiness.happenings import Happening, happenings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from agent.platform.consent import Agreed
    from agent.uplink import Uplink
    from contract.topics import AgentTopics
    from readiness.report import Assessment

logger = logging.getLogger(__name__)

FILE = "events.json"
OF_REPORTS = frozenset({"unused", "stale", "decay"})


class Events:
    """Tells. For the reporter's thread.

    Args:
        folder: State folder.
        topics: The agent's branch.
        uplink: To the platform.
        agreed: What may be seen.
        now: UTC ns.
        changed: Returns our devices that are not as they were confirmed.
    """

    def __init__(
        self,
        folder: Path,
        topics: AgentTopics,
        uplink: Uplink,
        agreed: Agreed,
        now: Callable[[], int],
        changed: Callable[[], Iterable[str]],
    ) -> None:
        self._file = folder / FILE
        self._topics = topics
        self._uplink = uplink
        self._agreed = agreed
        self._now = now
        self._changed = changed
        self._told = self._kept()
        self._of: tuple[object, ...] = ()
        self._found: list[Happening] = []

    def _kept(self) -> set[tuple[str, str]]:
        try:
            return set(decode(self._file.read_bytes(), list[tuple[str, str]]))
        except FileNotFoundError:
            return set()
        except (OSError, WireError) as exc:
            logger.warning("%s cannot be read, what holds is told once more: %s", self._file, exc)
            return set()

    def turn(self, made: Assessment | None, date: str) -> None:
        """Tell what is new.

        Args:
            made: The latest assessment; None where another agent reports.
            date: The production day that the latest data are of.
        """
        if not self._uplink.up:
            return
        holds = [Happening("device_changed", device) for device in self._changed()]
        over = {"device_changed"}
        if made is not None:
            found, trend_known = self._reported(made)
            holds += found
            over |= OF_REPORTS if trend_known else OF_REPORTS - {"decay"}
        before, scopes = set(self._told), self._agreed.scopes
        there = {(one.kind, one.subject) for one in holds}
        self._told = {place for place in self._told if place in there or place[0] not in over}
        for one in holds:
            if (one.kind, one.subject) not in self._told and may_tell(one.kind, scopes):
                self._tell(one, date)
        if self._told != before:
            try:
                put(self._file, encode(sorted(self._told)))
            except OSError as exc:
                logger.warning("%s: %s: what holds is told again after a restart", self._file, exc)

    def _reported(self, made: Assessment) -> tuple[list[Happening], bool]:
        """Return what the report tells, looked at once for each, and whether it knows of earlier windows yet."""
        told = None if made.past is None else made.past.of(made)
        of = (*made.depends, None if told is None else told.trend)
        if of != self._of:
            self._found = happenings(made.view, None if told is None else told.trend)
            self._of = of
        return self._found, told is not None

    def _tell(self, one: Happening, date: str) -> None:
        event = Event(
            factory=self._topics.factory,
            agent=self._topics.agent,
            kind=one.kind,
            subject=one.subject,
            date=date,
            made_at=str(self._now()),
            why=one.why,
            before=one.before,
            after=one.after,
        )
        self._uplink.publish_once(self._topics.event(one.kind), encode(event))
        self._told.add((one.kind, one.subject))
        logger.warning("%s: %s", one.kind, one.subject)
