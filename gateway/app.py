"""Composition root of the gateway: configuration -> objects, and the threads.

    main thread       asks the broker what it can do, then connects; watches the others; ends where another worker
                      is in the way
    network thread    messages -> PUBACK -> a bounded queue for each agent
    worker thread     whose turn it is -> a step of ingest -> store -> confirmation; probes the store

The store is used by the worker thread only, so that no slow write keeps the connection from its keep-alive. A
worker whose store has been away for 5 s clears its presence and takes no data until the store answers a ping; it
begins in that state, so that it never announces what it cannot do. Where others are, it also leaves when the store
hangs: does not answer for 5 s, or for twice what it takes at its slowest, up to 15 s.
"""

from __future__ import annotations

import logging
import threading
from importlib.metadata import version
from typing import TYPE_CHECKING

from contract import codec
from contract.payload import Worker
from gateway import counters
from gateway.births import Births
from gateway.clock import SystemClock
from gateway.deadletter import DeadLetters
from gateway.ingest import Ingest
from gateway.mqtt import RECEIVE_MAXIMUM, Incoming, Link
from gateway.peers import Peers
from gateway.probe import ProbeError, probe
from gateway.stores import open_store
from gateway.stores.base import StoreUnavailable
from gateway.turns import Turns
from service import exits
from service.metrics import served
from service.notify import Notifier, watchdog_s
from settings.errors import ConfigError
from settings.handshake import Moment
from settings.language import Text
from transport.expiry import Expiry

if TYPE_CHECKING:
    from collections.abc import Generator

    from gateway.clock import Clock
    from gateway.config import GatewayConfig
    from gateway.ingest import Outgoing
    from gateway.stores.base import Store

    Steps = Generator[None, None, list[Outgoing]]

AWAY_SECONDS = 5.0
SLOW_SECONDS = 15.0  # that a store known to be slow may take
PROBE_SECONDS = 1.0
STATS_SECONDS = 60.0
# mosquitto 2.0 sends more than the receive maximum: 2.0.11 was seen to send two messages for each PUBACK.
# What does not fit is dropped and comes again, late; so the queue is long, and bounded by what it holds.
QUEUE_MESSAGES = 16 * RECEIVE_MAXIMUM
QUEUE_BYTES = 16 * 1024 * 1024
HANDLING_SECONDS = 60.0  # for one message; longer than all its requests to the store may take
STOP_SECONDS = 2.5  # for the message in hand; with the goodbye to the broker a stop takes less than 5 s

log = logging.getLogger(__name__)


class Gateway:
    """One worker.

    Args:
        config: Checked configuration.
        store: Opened from the configuration when None.
        clock: The machine's when None.

    Raises:
        ConfigError: a secret cannot be read.
        StoreUnavailable: the embedded store's file cannot be opened.
        OSError: the folder of dead letters cannot be made.
    """

    def __init__(self, config: GatewayConfig, store: Store | None = None, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock(trust=config.trust_local_clock)
        self._store = store or open_store(config.store)
        letters = config.dead_letters
        self._deadletters = DeadLetters(letters.directory, letters.max_size, config.worker, self._clock)
        self._ingest = Ingest(config.worker, self._store, Births(), self._deadletters, self._clock, config.factory)
        self._turns: Turns[Incoming, Steps] = Turns(QUEUE_MESSAGES, QUEUE_BYTES)
        self._me = Worker(config.worker, str(self._clock.now()), version("techsquare-edge"), config.factory or "")
        self._broker = config.mqtt
        self._link = Link(config.mqtt, self._me, self._received)
        self._lock = threading.Lock()  # guards the change of `_serving`
        self._serving = False
        self._next_probe = 0.0
        self._dropped = 0
        self._bugs = 0
        self._metrics = config.metrics
        self._expiry = Expiry(config.mqtt, "mqtt")
        self._notifier = Notifier()
        self._handling: float | None = None  # since when a message is in hand
        self._usual_s = 0.0  # that the store takes, as it did lately and at worst
        self._stopping = threading.Event()
        self._worker = threading.Thread(target=self._work, name="gateway-worker", daemon=True)

    def stats(self) -> dict[str, int]:
        """Return totals since the start: those of `Ingest.counts`, `dropped`, `bugs`, `serving`.

        Dropped is what found the queue full, and what was sent again while it waited there. With a certificate
        of our own also `certificate_seconds`, until it expires.
        """
        return {
            **self._ingest.counts,
            "dropped": self._dropped,
            "bugs": self._bugs,
            "serving": int(self._serving),
            **({} if self._expiry.seconds is None else {"certificate_seconds": int(self._expiry.seconds)}),
        }

    def run(self, stop: threading.Event) -> int:
        """Work until `stop` is set; return the exit code.

        Returns:
            0 after a clean stop; `exits.FAULT` when a thread has died, so that the service manager starts a new
            process; `exits.UNAVAILABLE` when another worker is in the way, which a new process would not change.
        """
        self._worker.start()
        self._notifier.ready()
        with served(self._metrics, lambda: counters.metrics(self.stats())):
            code = self._watch(stop)
            self._notifier.stopping()
            self._stop()
        log.info("stopped, totals: %s", self.stats())
        return code

    def _watch(self, stop: threading.Event) -> int:
        last = self._clock.monotonic()
        feed_s = (watchdog_s() or 0.0) / 4
        fed = last - feed_s
        wait = 0.0
        while not stop.wait(wait):
            wait = PROBE_SECONDS
            if not self._link.started:
                self._join(stop)
            if self._link.gives_way is not None:
                return exits.UNAVAILABLE
            if not self._worker.is_alive() or not self._link.alive:
                log.error("a thread of the gateway has died, ending the process")
                return exits.FAULT
            if self._clock.monotonic() - last >= STATS_SECONDS:
                last = self._clock.monotonic()
                log.info("totals: %s", self.stats())
            warning = self._expiry.look(Moment(self._clock.now(), exact=True))  # TLS believes this clock too
            if warning is not None:
                log.warning("%s", warning.en)
            since, now = self._handling, self._clock.monotonic()
            if since is not None and now - since >= self._patience_s and self._link.others:
                self._serve(serving=False)  # the store hangs, and others may have a better one
            if feed_s and now - fed >= feed_s and (since is None or now - since < HANDLING_SECONDS):
                self._notifier.feed()
                fed = now
        return exits.CLEAN

    @property
    def _patience_s(self) -> float:
        """How long the store may take; one that is slow for all must not make each worker leave in turn."""
        return max(AWAY_SECONDS, min(2 * self._usual_s, SLOW_SECONDS))

    def _join(self, stop: threading.Event) -> None:
        """Ask the broker what it can do, and connect unless another worker is in the way."""
        try:
            probed = probe(self._broker, stop)
        except ProbeError as exc:
            self._link.troubled(exc.text, refused=exc.refused)
            return
        except ConfigError as exc:  # readable at the start, and not now
            self._link.troubled(Text(str(exc), str(exc)), refused=True)
            return
        if stop.is_set():
            return
        level = logging.INFO if probed.table.works else logging.WARNING
        for line in ("what the broker can do:", *probed.table.lines("en")):
            log.log(level, "%s", line)
        peers = Peers(self._me, shares=probed.table.shares)
        for worker in probed.workers:
            peers.seen(worker.worker, codec.encode(worker))
        conflict = peers.conflict()
        if conflict is None:
            self._link.start(shares=probed.table.shares, known=probed.negotiation)
        else:
            self._link.give_way(conflict[1])

    def _stop(self) -> None:
        self._stopping.set()
        self._turns.wake()
        self._worker.join(STOP_SECONDS)
        self._link.stop()
        if self._worker.is_alive():
            log.warning("the store did not answer in time; what was in hand is not confirmed and comes again")
            return
        self._store.close()
        self._deadletters.close()

    def _received(self, message: Incoming) -> None:
        if self._turns.put(message) is not None:
            self._dropped += 1

    def _work(self) -> None:
        while not self._stopping.is_set():
            healthy = self._serving and self._ingest.away_since is None
            turn = self._turns.take(None if healthy else PROBE_SECONDS / 4)
            if turn is not None:
                self._handling = begin = self._clock.monotonic()
                left = self._step(turn.begun or self._begin(turn.message))
                took = self._clock.monotonic() - begin
                self._turns.give(turn.agent, took, left)
                self._handling = None
                if self._ingest.away_since is None:
                    self._usual_s = max(took, 0.9 * self._usual_s)
            self._attend_store()

    def _begin(self, message: Incoming | None) -> Steps | None:
        if message is None or not (self._serving or "/birth/" in message.topic):
            return None  # what comes after an unsubscription is dropped
        return self._ingest.steps(message.topic, message.payload, message.content_type)

    def _step(self, steps: Steps | None) -> Steps | None:
        """Do one step; return what is left to do."""
        if steps is None:
            return None
        try:
            next(steps)
        except StopIteration as done:
            for outgoing in done.value:
                self._link.publish(outgoing)
        except Exception:  # a bug met one message; the others must go on, and this one stays unconfirmed
            self._bugs += 1
            log.exception("a message could not be handled")
        else:
            return steps
        return None

    def _attend_store(self) -> None:
        away = self._ingest.away_since
        now = self._clock.monotonic()
        if self._serving and (away is None or now - away < AWAY_SECONDS):
            return
        if now < self._next_probe:
            return
        self._next_probe = now + PROBE_SECONDS
        self._handling = now
        try:
            self._store.ping()
        except StoreUnavailable as exc:
            self._ingest.store_failed(exc)
            self._serve(serving=False)
        else:
            self._ingest.store_works()
            self._serve(serving=True)
        finally:
            self._handling = None

    def _serve(self, *, serving: bool) -> None:
        with self._lock:
            if serving != self._serving:
                log.info("taking data" if serving else "taking no data until the store is back")
                self._serving = serving
                self._link.serve(serving)
