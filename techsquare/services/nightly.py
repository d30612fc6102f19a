"""The night's job begins once a day, whichever of several servers is up, and however late.

The job's id is made of its date, so the database lets one server write it down and the others find it there. A
server that comes up late finds that the latest night has no job, and begins it: one, however many were missed,
because each task does what is due, not what is due tonight.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from techsquare.registry.audit import Actor
from techsquare.registry.errors import ConflictError, RegistryError
from techsquare.registry.ids import new_id
from techsquare.registry.people import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.registry.store import Registry

ZONE = ZoneInfo("Asia/Seoul")
LOOK_S = 60.0
_log = logging.getLogger(__name__)


def latest(now: int, at: time) -> date:
    """Return the date of the latest night that has begun.

    Args:
        now: UTC ns.
        at: When a night begins, local time in Korea.
    """
    here = datetime.fromtimestamp(now // 10**9, UTC).astimezone(ZONE)
    return here.date() if here.time() >= at else here.date() - timedelta(days=1)


def by_hand(registry: Registry, clock: Callable[[], int], at: time) -> str:
    """Write a job down for somebody who wants the night now, and return its id.

    It is that of the latest night where nobody has begun it, so that no server does it again; else one of its own.
    """
    name = name_of(latest(clock(), at))
    if begin(registry, name, clock()):
        return name
    again = f"{name}-{new_id()}"
    begin(registry, again, clock())
    return again


def begin(registry: Registry, name: str, now: int) -> bool:
    """Write a night's job down; return whether it was this call that did."""
    with registry.reading() as session:
        if session.get(Job, name) is not None:
            return False

    def work(session: Session) -> None:
        session.add(
            Job(
                id=name, user_id=None, kind="night", state="waiting", progress=0.0, asked={"of": {}, "begun": 0},
                created_at=now,
            )
        )  # fmt: skip

    try:
        registry.decide(work, Actor("techsquare"))
    except ConflictError:  # another server was faster
        return False
    return True


def name_of(night: date) -> str:
    """Return the id of a night's job."""
    return f"night-{night.isoformat()}"


class Nightly:
    """A thread that begins the nights of a server.

    Args:
        registry: Where jobs are.
        at: When a night begins, local time in Korea; None: another program begins it.
        clock: UTC ns.
        begun: Is told when a job was written down.
    """

    def __init__(
        self, registry: Registry, at: time | None, clock: Callable[[], int], begun: Callable[[], None]
    ) -> None:
        self._registry, self._at, self._clock, self._begun = registry, at, clock, begun
        self._end = threading.Event()
        self._done: date | None = None
        self._thread = threading.Thread(target=self._run, name="nightly", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        if self._at is not None:
            self._thread.start()

    def close(self) -> None:
        """End."""
        self._end.set()
        if self._at is not None:
            self._thread.join(timeout=10)

    def step(self) -> bool:
        """Begin the latest night unless it has a job; return whether it was begun here."""
        if self._at is None:
            return False
        now = self._clock()
        night = latest(now, self._at)
        if night == self._done:
            return False
        mine = begin(self._registry, name_of(night), now)
        self._done = night
        if mine:
            self._begun()
        return mine

    def _run(self) -> None:
        while True:
            try:
                self.step()
            except (RegistryError, SQLAlchemyError) as exc:
                _log.warning("the night is looked at later: %s", type(exc).__name__)
            if self._end.wait(LOOK_S):
                return
