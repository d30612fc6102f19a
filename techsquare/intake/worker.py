"""One worker: what the broker gives goes into the registry, and what is missing is asked for.

    network thread    messages -> a queue; bounded by what the broker may leave unacknowledged
    worker thread     a batch -> `Intake.take`, committed -> acknowledged
    repair thread     whose turn it is -> `day.get` -> `Intake.take`
    watch thread      who has fallen silent; consent taken back; what was set aside, once more
    fits thread       fit tests that stand in the book -> `fit.check` -> their words

While the database is away nothing is acknowledged, and the batch is tried again: the broker keeps the rest.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from contract.errors import WireError
from settings.errors import ConfigError
from techsquare.intake import agents, watch
from techsquare.intake.fits import Fits
from techsquare.intake.intake import Intake
from techsquare.intake.link import Arrived, Link
from techsquare.intake.repair import LaterError, Repair, Turns
from techsquare.pull import PullError, request
from techsquare.registry.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contract.signing import PrivateKey
    from settings.broker import Broker
    from techsquare.intake.terms import AgentKey
    from techsquare.registry.store import Registry

logger = logging.getLogger(__name__)

BATCH = 100
LINGER_S = 0.01
AWAY_S = (0.5, 15.0)
REPAIR_S = 1.0
WATCH_S = 600.0
FITS_S = 5.0
STOP_S = 5.0


class Worker:
    """A worker.

    Args:
        registry: Where records go; its schema is up to date.
        broker: The platform's broker.
        name: Of this worker, for its session at the broker.
        turns: When to repair; a minute's patience when None.
        now: UTC ns.
        register: Key by which the platform signs registered solutions; without it no fit test is put.

    Raises:
        ConfigError: a secret cannot be read.

    Attributes:
        intake: What it has taken so far.
        unknown: Agents that send and that nobody has registered, and when each was first heard; at most 1000.
    """

    def __init__(
        self,
        registry: Registry,
        broker: Broker,
        name: str,
        turns: Turns | None = None,
        now: Callable[[], int] = time.time_ns,
        register: PrivateKey | None = None,
    ) -> None:
        self.intake = Intake(registry, now, self._behind)
        self.unknown: dict[AgentKey, int] = {}
        self._broker, self._now = broker, now
        self._queue: queue.SimpleQueue[Arrived | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._turns = Turns() if turns is None else turns
        self._repair = Repair(self.intake, self._ask, now, self._stop.wait)
        self._fits = None if register is None else Fits(registry, self._ask, register, now)
        self.link = Link(broker, name, self._queue.put)
        self._threads = [
            threading.Thread(target=self._guarded, args=(loop,), name=f"intake-{loop.__name__}", daemon=True)
            for loop in (self._work, self._repairs, self._watches, self._tests)
        ]
        self._failed = False

    @property
    def alive(self) -> bool:
        """Whether everything runs; it ends by `stop`, by a bug, or for another worker of our name."""
        return not self._failed and not self.link.gone and self.link.alive

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()
        self.link.start()

    def stop(self) -> None:
        """End after the batch in hand; what was not acknowledged comes again."""
        self._stop.set()
        self._queue.put(None)
        self._threads[0].join(STOP_S)
        self.link.stop()
        for thread in self._threads[1:]:
            thread.join(STOP_S)

    def _guarded(self, loop: Callable[[], None]) -> None:
        try:
            loop()
        except Exception:
            logger.exception("this is a bug, please report it")
            self._failed = True

    # Messages

    def _work(self) -> None:
        while not self._stop.is_set():
            batch = self._batch()
            if not batch or not self._taken(batch):
                continue
            for arrived in batch:
                arrived.ack()

    def _batch(self) -> list[Arrived]:
        """Wait for a message and return it with those that come at once behind it."""
        found: list[Arrived] = []
        deadline = None
        while len(found) < BATCH:
            try:
                one = self._queue.get(timeout=None if deadline is None else max(deadline - time.monotonic(), 0))
            except queue.Empty:
                break
            if one is None:
                return []
            deadline = deadline or time.monotonic() + LINGER_S
            if one.session.up:  # else it comes again, on the next connection
                found.append(one)
        return found

    def _taken(self, batch: list[Arrived]) -> bool:
        """Have a batch taken in; return whether it is committed, False only at the end."""
        wait = AWAY_S[0]
        while not self._stop.is_set():
            try:
                outcomes = self.intake.take([arrived.incoming for arrived in batch])
            except (SQLAlchemyError, RegistryError) as exc:
                logger.warning("the database takes nothing now (%s), trying again", type(exc).__name__)
                self._stop.wait(wait)
                wait = min(2 * wait, AWAY_S[1])
                continue
            for arrived, outcome in zip(batch, outcomes, strict=True):
                levels = arrived.message.topic.split("/")
                if outcome.fate == "unknown" and len(levels) > 4:
                    self._set_aside((levels[2], levels[3]))
            return True
        return False

    def _set_aside(self, of: AgentKey) -> None:
        with self._lock:
            if of in self.unknown or len(self.unknown) >= 1000:
                return
            self.unknown[of] = self._now()

    # Repair

    def _behind(self, agents: set[AgentKey]) -> None:
        with self._lock:
            self._turns.note(agents, time.monotonic())

    def _ask(self, factory: str, agent: str, verb: str, body: Mapping[str, object]) -> bytes:
        try:
            return request(self._broker, factory, agent, verb, body)
        except (ConfigError, WireError) as exc:
            raise PullError(str(exc)) from exc

    def _repairs(self) -> None:
        self._all()
        while not self._stop.wait(REPAIR_S):
            with self._lock:
                of = self._turns.due(time.monotonic())
            if of is None or not self.link.serving.is_set():
                continue
            try:
                done = self._repair.run(of)
            except (LaterError, SQLAlchemyError, RegistryError, WireError) as exc:
                with self._lock:
                    wait = self._turns.failed(of, time.monotonic())
                logger.info("missed days of %s/%s: %s; again in %.0f s", *of, exc, wait)
                continue
            with self._lock:
                self._turns.done(of) if done else self._turns.more(of, time.monotonic())

    def _all(self) -> None:
        """Look for what is missing from before this process."""
        wait = AWAY_S[0]
        while not self._stop.is_set():
            try:
                with self.intake.registry.reading() as session:
                    found = agents.reporters(session)
                for at in range(0, len(found), BATCH):
                    self.intake.settle([], set(), dict.fromkeys(found[at : at + BATCH]))
            except (SQLAlchemyError, RegistryError):
                self._stop.wait(wait)
                wait = min(2 * wait, AWAY_S[1])
                continue
            return

    # Fit tests

    def _tests(self) -> None:
        while self._fits is not None and not self._stop.wait(FITS_S):
            try:
                while self.link.serving.is_set() and not self._stop.is_set() and self._fits.run():
                    pass
            except (SQLAlchemyError, RegistryError) as exc:
                logger.warning("fit tests are put later: %s", type(exc).__name__)

    # Watch

    def _watches(self) -> None:
        while not self._stop.wait(WATCH_S):
            try:
                watch.look(self.intake.registry, self._now())
            except (SQLAlchemyError, RegistryError) as exc:
                logger.warning("who is silent is looked at later: %s", type(exc).__name__)
            with self._lock:
                again, self.unknown = bool(self.unknown), {}
            if again:
                self.link.again()
