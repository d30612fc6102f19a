"""The edge node at its broker: a thread that says what `node` decides, while the primary host is there.

    event loop --put--> queue, bounded --> thread: node --> session        a connection, a will, a bdSeq
    session --STATE, NCMD--> queue

This is a copy for others. The spool and the gateway are the record: nothing here waits for the disk, and nothing
waits for this. While nobody vouches for the clock nothing is said, because a Sparkplug time is believed.

`bdSeq` stands in the will and in the birth of a connection, and goes up by one with each: it is kept on the disk,
so that a host can tell the late death of an earlier process from ours. A connection has a birth of its own before
anything else is said on it, and begins without knowing of any host: what an earlier one has heard may be long past.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

from agent.errors import WireError
from agent.frame import Event, FrameBlock
from agent.sparkplug import payload, state
from agent.sparkplug.node import REBIRTH, Names, Node
from settings.language import Text
from transport.connection import Client, Connection
from transport.expiry import Expiry
from transport.session import Will, Wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from agent.clock import Clock
    from agent.frame import Item, Source
    from agent.sparkplug.config import SparkplugSettings
    from agent.sparkplug.node import Message
    from settings.broker import Broker
    from settings.handshake import Moment
    from transport.session import Message as Received
    from transport.session import Refusal, Session

logger = logging.getLogger(__name__)

KEEPALIVE_S = 10
QUEUE_ROWS = 50_000  # that wait for the thread; it is far behind, and no more are taken
ORDERS = 100  # messages from others that wait for it
REBIRTH_NS = 10**9  # between two births that hosts ask for
SHORT_NS = 10 * 10**9  # a connection that ended before
SHORTS = 3  # of them in a row: something is wrong that the next one would not mend
YIELD_S = 60.0  # between two attempts then
STOP_S = 5.0
MOST_SAID = 100  # a flood of topics fills neither memory nor log
FILE = "sparkplug.bdseq"
_AWAY = Text("the primary host is away", "주 호스트(SCADA)가 접속해 있지 않습니다")
_UNKNOWN_TIME = Text("the time is not known", "시각이 확인되지 않았습니다(시각 미확인)")


class Output(Client):
    """The agent as a Sparkplug edge node.

    Args:
        settings: As configured.
        broker: Where, the site's when the settings name none.
        node: Edge node id.
        sources: What is read.
        clock: Its trust decides whether anything is said.
        folder: Where `bdSeq` is kept.
        version: Of this release.
        now: What is known of the time, for the dates of certificates.

    Raises:
        ConfigError: a secret or a certificate cannot be read.
    """

    def __init__(
        self,
        settings: SparkplugSettings,
        broker: Broker,
        node: str,
        sources: Sequence[Source],
        clock: Clock,
        folder: Path,
        version: str,
        now: Callable[[], Moment] | None = None,
    ) -> None:
        names = Names(settings.group, node)
        self._names = names
        self._node = Node(names, sources, version, every=settings.every_value, buffer=settings.buffer)
        self._clock = clock
        self._file = folder / FILE
        self._host = None if settings.primary_host is None else state.Host()
        self._state = "" if settings.primary_host is None else state.topic(settings.primary_host)
        self._bdseq = -1
        with contextlib.suppress(OSError, ValueError):
            self._bdseq = int(self._file.read_text("ascii"))
        self._queue: deque[Callable[[], Iterable[Message]]] = deque()
        self._rows = 0  # in the queue
        self._orders = 0  # in the queue
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._ready: Session | None = None  # it has its subscriptions
        self._spoken: Session | None = None  # the node was born on it
        self._wanted = False  # a host asks for a birth
        self._born_ns = 0
        self._opened_ns = 0
        self._shorts = 0
        self._largest = 0  # bytes
        self._closed: Session | None = None  # by us
        self._said: set[str] = set()
        self.expiry = Expiry(broker, "sparkplug.broker")
        """Of our own certificate, where the settings name a broker."""
        self._watched = settings.broker is not None
        self._trouble: Text | None = None
        self.lost_rows = 0
        """Rows that never reached the node: its thread was too far behind, or the clock was not trusted."""
        wishes = Wishes(keep_alive=KEEPALIVE_S, packet=payload.LIMIT, will=self._will, now=now)
        self._connection = Connection(broker, f"tsq-sparkplug-{settings.group}-{node}", wishes, self)
        self._thread = threading.Thread(target=self._run, name="sparkplug", daemon=True)

    def start(self) -> None:
        """Connect, and connect again for ever."""
        self._thread.start()
        self._connection.start()

    def stop(self) -> None:
        """Die in order: the host is told before the connection ends."""
        self._stopping = True
        self._wake.set()
        self._thread.join(STOP_S)
        self._connection.stop()

    @property
    def up(self) -> bool:
        """Whether the node is born."""
        return self._node.awake

    @property
    def trouble(self) -> Text | None:
        """Why nothing is said; None when nothing is known, or nothing is wrong."""
        if self._node.awake:
            return None
        if self._ready is None:
            return self._trouble
        return _AWAY if self._host is not None and not self._host.online else _UNKNOWN_TIME

    def counters(self) -> dict[str, int]:
        """Return totals since the start."""
        return {"sparkplug_lost_rows": self.lost_rows + self._node.lost}

    # The event loop

    def put(self, item: Item) -> None:
        """Take what was read; returns at once."""
        if not isinstance(item, FrameBlock):
            if isinstance(item, Event):
                self._later(lambda: self._node.put(item, self._now_ms()))
            return
        rows = len(item)
        if not self._clock.trusted or self._rows + rows > QUEUE_ROWS:
            self.lost_rows += rows
            return
        self._later(lambda: self._node.put(item, self._now_ms()), rows=rows)

    def begin(self, sources: Sequence[Source]) -> None:
        """Have other sources from now on: the node is born again."""
        self._later(lambda: self._begun(tuple(sources)))

    def _later(self, job: Callable[[], Iterable[Message]], *, rows: int = 0, orders: int = 0) -> None:
        with self._lock:
            self._rows += rows
            self._orders += orders

        def counted() -> Iterable[Message]:
            with self._lock:
                self._rows -= rows
                self._orders -= orders
            return job()

        self._queue.append(counted)
        self._wake.set()

    # The thread

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(1.0)
            self._wake.clear()
            try:
                self._step()
                if self._watched and (soon := self.expiry.look(self._clock.moment())) is not None:
                    logger.warning("%s", soon.en)
            except Exception:  # the record does not suffer; the node is born again
                if "bug" not in self._said:  # it may come again each second
                    self._said.add("bug")
                    logger.exception("Sparkplug: this is a bug, please report it")
                self._node.sleep()
        self._die()

    def _step(self) -> None:
        session = self._ready
        if self._node.awake and (session is not self._spoken or session is None or not session.up):
            self._node.sleep()
        while self._queue:
            self._publish(self._queue.popleft()())
        if session is None or not session.up:
            return
        away = self._host is not None and not self._host.online
        if self._node.awake and (away or not self._clock.trusted):
            logger.info("Sparkplug: %s, changes wait", (_AWAY if away else _UNKNOWN_TIME).en)
            self._die()
            self._closed = session
            session.close()  # the next connection has the next bdSeq
        elif not away and self._clock.trusted and (not self._node.awake or self._asked()):
            self._spoken = session
            self._publish(self._births())

    def _asked(self) -> bool:
        return self._wanted and self._clock.monotonic() - self._born_ns >= REBIRTH_NS

    def _begun(self, sources: Sequence[Source]) -> Iterable[Message]:
        self._node.begin(sources)
        return self._births() if self._node.awake else ()

    def _births(self) -> Iterable[Message]:
        self._wanted, self._born_ns = False, self._clock.monotonic()
        return self._node.births(self._bdseq, self._now_ms())

    def _die(self) -> None:
        if self._node.awake:
            self._publish([self._node.death(self._bdseq, self._now_ms())])
            self._node.sleep()

    def _publish(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._largest = max(self._largest, len(message.payload))
            if self._spoken is not None:
                self._spoken.publish(message.topic, message.payload, qos=0)

    def _now_ms(self) -> int:
        return self._clock.now() // 10**6

    # What comes in

    def _forgotten(self) -> Iterable[Message]:
        if self._host is not None:
            self._host = state.Host()
        self._wanted = False
        return ()

    def _heard(self, topic: str, raw: bytes) -> Iterable[Message]:
        try:
            if topic == self._state and self._host is not None:
                if self._host.heard(raw) and self._host.online:
                    logger.info("Sparkplug: the primary host is there")
                return ()
            wanted = payload.commands(raw)
        except WireError as exc:
            self._once(f"{topic} {exc}", "Sparkplug: %s: ignored: %s", topic, exc)
            return ()
        if topic == self._names.topic("NCMD") and [(c.name, c.value) for c in wanted] == [(REBIRTH, True)]:
            logger.info("Sparkplug: born again because a host asks for it")
            self._wanted = True
            return ()
        self._once(f"command {topic}", "Sparkplug: a command on %s is not obeyed: this agent only reads", topic)
        return ()

    # Of the connection: `troubled` and `ended` in its thread, the others in the network thread

    def opened(self, session: Session) -> None:
        """Ask for commands and for the state of the host."""
        self._opened_ns = self._clock.monotonic()
        self._later(self._forgotten)
        command = self._names.topic("NCMD"), self._names.topic("DCMD", "+")
        session.subscribe(*command, *([self._state] if self._state else []))

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:  # noqa: ARG002
        """Begin to speak; without the right to listen no host can ask for a birth, which is said."""
        for refusal in refusals:
            if refusal is not None:
                self._once("subscription", "Sparkplug: the broker refuses a subscription: %s", refusal.name)
        self._said -= {key for key in self._said if key.startswith("away")}
        self.expiry.again()
        self._ready = session
        self._wake.set()

    def received(self, session: Session, message: Received) -> None:  # noqa: ARG002
        """Hand on what came."""
        if self._orders < ORDERS and len(message.payload) <= payload.LIMIT:
            self._later(lambda: self._heard(message.topic, message.payload), orders=1)

    def ended(self, session: Session) -> None:
        """Wait for the next connection, longer when none of them holds: the site's own may suffer from it."""
        short = session is not self._closed and self._clock.monotonic() - self._opened_ns < SHORT_NS
        self._shorts = self._shorts + 1 if short else 0
        if self._shorts >= SHORTS and not self._stopping:
            self._connection.rest(YIELD_S)
            self._trouble = _flapping(self._largest)
            self._once("short", "Sparkplug: %s", self._trouble.en)
        if self._ready is session:
            self._ready = None
        self._wake.set()

    def troubled(self, text: Text, *, refused: bool) -> None:  # noqa: ARG002
        """Say once why there is no connection."""
        self._trouble = text
        self._once(f"away {text.en}", "Sparkplug: %s", text.en)

    def _once(self, key: str, text: str, *values: object) -> None:
        if key not in self._said and len(self._said) < MOST_SAID:
            self._said.add(key)
            logger.warning(text, *values)

    # bdSeq

    def _will(self) -> Will:
        """Return the death of the next connection, with a number of its own."""
        self._bdseq = (self._bdseq + 1) % 256
        try:
            spare = self._file.with_suffix(".new")
            spare.write_text(f"{self._bdseq}\n", "ascii")
            spare.replace(self._file)
        except OSError as exc:  # it goes on from the number in memory
            self._once("bdseq", "Sparkplug: %s cannot be written: %s", self._file, exc)
        message = self._node.death(self._bdseq, self._now_ms())
        return Will(message.topic, message.payload, retain=False)


def _flapping(largest: int) -> Text:
    """Return why no connection holds, as far as one can tell, and what to do."""
    again = f"{YIELD_S:.0f}"
    return Text(
        f"the broker ends each connection at once, next attempt in {again} s: where it allows one connection a "
        "user, sparkplug.broker needs a user of its own; or another agent has our group and edge node; or it takes "
        f"no message as large as ours ({largest} bytes)",
        f"브로커가 접속을 바로 끊습니다. {again}초 뒤 다시 접속합니다. 사용자마다 접속이 하나인 브로커라면 "
        "sparkplug.broker에 별도 사용자를 쓰십시오. 다른 에이전트와 group·edge_node가 같은지, 브로커의 메시지 "
        f"크기 제한이 {largest}바이트보다 큰지도 확인하십시오",
    )
