"""A worker's connection to the broker. The network thread hands messages on and never waits.

    opened -> subscribe manifests and reports -> SUBACK -> subscribe days and events, shared -> SUBACK

Manifests and reports are retained, and a broker gives nothing that it retains to a shared subscription: they go to
every worker, and the registry takes each once. Days and events are shared out. Under MQTT 3.1.1 nothing can be
shared: every worker gets all, which is slower and as right.

Messages are acknowledged by the worker after the commit. The broker keeps the session of a worker that was killed
for a minute, in which the service manager has started it again: it gets what it had not acknowledged. A worker that
stays away loses its part, and the chain shows the others what is missing (`techsquare.intake.repair`).
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, NamedTuple

from contract.codec import PLAIN_LIMIT
from contract.topics import PREFIX
from techsquare.intake.terms import Incoming
from transport.connection import Client, Connection, spoken
from transport.negotiation import MQTT_5
from transport.session import TAKEN_OVER, Wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from settings.broker import Broker
    from settings.language import Text
    from transport.session import Message, Refusal, Session

logger = logging.getLogger(__name__)

KEEP_ALIVE_S = 20
KEPT_S = 60
RECEIVE_MAXIMUM = 200
GROUP = "$share/techsquare-intake/"
RETAINED = (f"{PREFIX}/+/+/manifest", f"{PREFIX}/+/+/readiness")
SHARED = (f"{PREFIX}/+/+/day/+", f"{PREFIX}/+/+/event/+")
_ENVELOPE = 4096


class Arrived(NamedTuple):
    """A message, and where to acknowledge it."""

    session: Session
    message: Message

    @property
    def incoming(self) -> Incoming:
        """Topic and bytes."""
        return Incoming(self.message.topic, self.message.payload)

    def ack(self) -> None:
        """Tell the broker that it is kept, or never will be; nothing where that connection has ended."""
        self.session.ack(self.message)


class Link(Client):
    """The connection of one worker.

    Args:
        broker: Where.
        worker: Its name; two of one name fight for one session, and the later one wins.
        received: Takes a message, at once.

    Raises:
        ConfigError: a secret cannot be read.

    Attributes:
        serving: Set while all subscriptions hold.
        gone: Whether another process has taken our name, so that this one has to end.
    """

    def __init__(self, broker: Broker, worker: str, received: Callable[[Arrived], None]) -> None:
        self._received = received
        self._lock = threading.Lock()
        self._mids: dict[int, tuple[str, ...]] = {}
        self._problem = ""
        self.serving = threading.Event()
        self.gone = False
        self._connection = Connection(
            broker,
            f"techsquare-intake-{worker}",
            Wishes(
                keep_alive=KEEP_ALIVE_S, packet=PLAIN_LIMIT + _ENVELOPE, receive=RECEIVE_MAXIMUM, manual=True,
                clean=False, expiry=KEPT_S,
            ),
            self,
        )  # fmt: skip

    @property
    def alive(self) -> bool:
        """Whether the connection is looked after."""
        return self._connection.alive

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        self._connection.start()

    def stop(self) -> None:
        """Say goodbye; what is not acknowledged comes again."""
        self._connection.stop()

    def again(self) -> None:
        """Have everything that is retained sent once more: factories may have been registered since."""
        session = self._connection.session
        if session is not None:
            self._subscribe(session, *RETAINED)

    def _subscribe(self, session: Session, *filters: str) -> None:
        with self._lock:
            mid = session.subscribe(*filters)
            if mid is not None:
                self._mids[mid] = filters

    # What the connection tells

    def opened(self, session: Session) -> None:
        """Begin with what is retained: it says whose keys hold."""
        logger.info("connected to the broker, MQTT %s", spoken(session.version))
        self._problem = ""
        with self._lock:
            self._mids.clear()
        self._subscribe(session, *RETAINED)

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:
        """Go on with days and events."""
        with self._lock:
            filters = self._mids.pop(mid, ())
        refusal = next((one for one in refusals if one is not None), None)
        if refusal is not None:
            logger.error("the broker does not let us read %s: %s: see its access rules", filters, refusal.name)
            self._connection.renew(session)
        elif filters == RETAINED and not self.serving.is_set():
            shares = session.version == MQTT_5 and session.limits.shared
            self._subscribe(session, *(f"{GROUP if shares else ''}{one}" for one in SHARED))
        elif filters and filters != RETAINED:
            self.serving.set()

    def received(self, session: Session, message: Message) -> None:
        """Hand on."""
        self._received(Arrived(session, message))

    def ended(self, session: Session) -> None:
        """The connection is lost, or was ended."""
        self.serving.clear()
        if session.refusal is not None and session.refusal.code == TAKEN_OVER:
            logger.error("another worker has our name: each needs its own")
            self.gone = True

    def troubled(self, text: Text, *, refused: bool) -> None:
        """Say why there is no connection, once until there is another reason."""
        if text.en != self._problem:
            logger.log(logging.ERROR if refused else logging.WARNING, "%s", text.en)
        self._problem = text.en
