"""Work that takes longer than a request: rows of `job`, and threads that do them.

    waiting -> running -> done | failed | stopped

A thread takes the oldest waiting job by an update that only one can win. While it works, `begun_at` is written anew
every `BEAT_S`: a running job that was not for `LOST_S` has lost its program, and is taken again. After
`MOST` beginnings it has failed, because what kills its program every time would do so for ever. Work is a function
that may be begun again: what it stores it stores in one transaction at its end.

Steps of a job are not audited (its beginning and what it stores are): they are written beside the audited session.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select, update

from techsquare.registry.errors import RegistryError
from techsquare.registry.people import Job
from techsquare.services.refused import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.orm import Session

    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller
    from techsquare.services.work import Bench, Work

BEAT_S = 10.0
LOST_S = 60.0
MOST = 3
IDLE_S = 1.0
_log = logging.getLogger(__name__)


class StoppedError(Exception):
    """Somebody has stopped the job, or the program ends."""


def begin(session: Session, caller: Caller, kind: str, asked: Mapping[str, Any], factory: str | None = None) -> Job:
    """Write a job down; a thread will take it. `factory`: whose it is, where it is about one.

    Who asks the same again while it waits gets the job that waits: asking costs others no time.
    """
    waiting = select(Job).where(Job.user_id == caller.reader.user, Job.kind == kind, Job.state == "waiting")
    for one in session.scalars(waiting.order_by(Job.id)):
        if one.asked.get("of") == dict(asked) and one.factory_id == factory:
            return one
    job = Job(
        user_id=caller.reader.user, factory_id=factory, kind=kind, state="waiting", progress=0.0,
        asked={"of": dict(asked), "begun": 0}, created_at=caller.now,
    )  # fmt: skip
    session.add(job)
    session.flush()
    return job


def stop(session: Session, caller: Caller, job: str) -> Job:
    """Stop a job of one's own.

    Raises:
        RefusedError: `not_there`; `job_over`.
    """
    found = session.get(Job, job)
    if found is None or found.user_id is None or found.user_id != caller.reader.user:
        raise RefusedError("not_there")
    if found.state not in {"waiting", "running"}:
        raise RefusedError("job_over")
    found.state, found.ended_at = "stopped", caller.now
    return found


class Jobs:
    """Threads that do the jobs of a database.

    Args:
        bench: Where they stand, and are done.
        kinds: What does a job, by its kind; jobs of other kinds are left to other programs.
        threads: How many.
    """

    def __init__(self, bench: Bench, kinds: Mapping[str, Work], threads: int = 1) -> None:
        self._bench, self._registry, self._kinds, self._clock = bench, bench.registry, kinds, bench.clock
        self._wake, self._end = threading.Event(), threading.Event()
        self._threads = [threading.Thread(target=self._run, name=f"job-{i}", daemon=True) for i in range(threads)]

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End: what is running stops at its next step, and waits for the next program."""
        self._end.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def wake(self) -> None:
        """Say that there is something to do."""
        self._wake.set()

    def step(self) -> bool:
        """Do one job, if there is one; return whether there was."""
        taken = self._registry.load(self._take)
        if taken is None:
            return False
        job, kind, asked, begun = taken
        held = _Held(self._registry, job, begun)

        def told(progress: float) -> None:
            if self._end.is_set() or not held.write(progress=progress):
                raise StoppedError

        try:
            with self._beating(held):
                answer = self._kinds[kind](self._bench, asked, told)
        except StoppedError:  # by its owner, and then it is no longer running; or because the program ends
            held.write(state="waiting", progress=0.0)
        except (RefusedError, RegistryError) as exc:
            held.write(state="failed", ended_at=self._clock(), error=str(exc))
        except Exception:  # noqa: BLE001 - whatever it was, the next job must not wait for it
            _log.exception("job %s (%s) has failed", job, kind)
            held.write(state="failed", ended_at=self._clock(), error="internal")
        else:
            held.write(state="done", ended_at=self._clock(), answer=answer, progress=1.0)
        return True

    @contextmanager
    def _beating(self, held: _Held) -> Iterator[None]:
        """Renew a job while it is worked at, however long a step of it takes."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT_S):
                try:
                    held.write(begun_at=self._clock())
                except RegistryError:
                    continue  # the next beat may do

        thread = threading.Thread(target=beat, name=f"beat-{held.job}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                busy = self.step()
            except RegistryError:
                busy = False  # the next round tries again
            except Exception:  # noqa: BLE001 - likewise
                _log.exception("jobs cannot be looked at")
                busy = False
            if not busy:
                self._wake.wait(IDLE_S)
                self._wake.clear()

    def _take(self, session: Session) -> tuple[str, str, Mapping[str, Any], int] | None:
        now = self._clock()
        lost = and_(Job.state == "running", Job.begun_at < now - int(LOST_S * 1e9))
        found = session.execute(
            select(Job.id, Job.kind, Job.asked, Job.state, Job.begun_at)
            .where(Job.ended_at.is_(None), or_(Job.state == "waiting", lost), Job.kind.in_(sorted(self._kinds)))
            .order_by(Job.created_at, Job.id)
            .limit(1)
        ).one_or_none()
        if found is None:
            return None
        job, kind, asked, state, begun = found
        same = Job.begun_at.is_(None) if begun is None else Job.begun_at == begun
        times = int(asked.get("begun", 0)) + 1
        values: dict[str, Any] = {"state": "running", "begun_at": now, "asked": {**asked, "begun": times}}
        if times > MOST:
            values |= {"state": "failed", "ended_at": now, "error": "begun too often"}
        won = session.execute(update(Job).where(Job.id == job, Job.state == state, same).values(values))
        if not won.rowcount or times > MOST:  # type: ignore[attr-defined]
            return None
        return job, kind, asked.get("of", {}), now


class _Held:
    """A job that this thread does, for as long as nobody has stopped it or taken it after a long silence of ours.

    `begun_at` tells whose it is: who takes a job writes another one. A thread that was held up for longer than
    `LOST_S` (a long transaction in SQLite, a machine that slept) must neither go on beside who took it nor end it.
    """

    def __init__(self, registry: Registry, job: str, begun: int) -> None:
        self.job, self._registry, self._begun = job, registry, begun
        self._lock = threading.Lock()

    def write(self, **values: Any) -> bool:
        """Write to the job; return whether it still is ours."""
        with self._lock:
            mine = (Job.id == self.job, Job.state == "running", Job.begun_at == self._begun)
            done = self._registry.load(lambda s: s.execute(update(Job).where(*mine).values(values)).rowcount)  # type: ignore[attr-defined]
            if done:
                self._begun = values.get("begun_at", self._begun)
            return bool(done)
