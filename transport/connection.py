"""A connection that comes back: one session after the other, each with secrets and certificates as they are then.

    supervisor thread    connect, wait for the answer, wait for the end, wait a little, again
    paho's thread        the callbacks of the session in hand; it has ended before the next one begins

Which version of MQTT is spoken is found out on the way (`transport.negotiation`).
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from settings.errors import ConfigError
from settings.language import Text
from transport.negotiation import MQTT_3, Negotiation
from transport.session import ANSWER_SECONDS, Handler, Session, unsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transport.session import Message, Refusal, Where, Wishes

logger = logging.getLogger(__name__)

AGAIN_SECONDS = (1.0, 3.0)  # between two attempts: at first, and at most
RENEW_SECONDS = 60  # of a session that lacks something
_NOW = 0.02


class Client(Handler):
    """Whom a connection tells, beside what its sessions tell."""

    def ended(self, session: Session) -> None:
        """A session that was opened has ended; `session.refusal` is what the broker said about it, if anything."""

    def troubled(self, text: Text, *, refused: bool) -> None:
        """There is no connection now.

        Args:
            text: Why, and what to do; the same text comes again with each attempt.
            refused: Whether the broker refuses us, or its certificate is not accepted, so that a person must act.
        """


class Connection(Handler):
    """Keeps a client connected until `stop`.

    Args:
        broker: Where, and how to log in.
        client_id: Unique at the broker.
        wishes: How each session is to be.
        client: Whom to tell; all but `troubled` and `ended` in the network thread, these in the supervisor's.

    Raises:
        ConfigError: a secret cannot be read.

    Attributes:
        negotiation: What is known of the broker's version.
    """

    def __init__(self, broker: Where, client_id: str, wishes: Wishes, client: Client) -> None:
        broker.login()  # certificates are left to the first attempt: one half renewed keeps nobody from collecting
        self.negotiation = Negotiation()
        self._broker = broker
        self._client_id = client_id
        self._wishes = wishes
        self._client = client
        self._session: Session | None = None
        self._awaited: Session | None = None  # its answer is still of interest
        self._lacking: Session | None = None  # not all that it needs was granted
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._rest = 0.0
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{client_id}", daemon=True)

    @property
    def session(self) -> Session | None:
        """The session that is open now."""
        session = self._session
        return session if session is not None and session.up else None

    @property
    def alive(self) -> bool:
        """Whether the supervisor runs; it ends only by `stop` or by a bug."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        self._thread.start()

    def renew(self, session: Session) -> None:
        """Have this session end in a minute, and begin another: what it lacks somebody may grant meanwhile."""
        self._lacking = session

    def stop(self) -> None:
        """Say goodbye and end; takes a few seconds at most."""
        self._stopping.set()
        session = self._session or self._awaited
        if session is not None:
            session.close()
        if self._thread.is_alive():  # it may never have been started
            self._thread.join(ANSWER_SECONDS)

    def rest(self, seconds: float) -> None:
        """Wait so long before the next attempt; called by the client, in `ended`."""
        self._rest = seconds

    def _run(self) -> None:
        wait = _NOW
        while not self._stopping.wait(wait):
            version = self.negotiation.version
            try:
                opened = self._attempt(version)
            except Exception:  # without this thread nothing would be delivered any more
                logger.exception("%s: this is a bug, please report it", self._client_id)
                opened = False
            if self.negotiation.version != version:
                wait = _NOW
            elif opened:
                wait = AGAIN_SECONDS[0]
            else:
                wait = min(max(2 * wait, AGAIN_SECONDS[0]), AGAIN_SECONDS[1])
            wait, self._rest = max(wait, self._rest), 0.0

    def _attempt(self, version: int) -> bool:
        """Live through one session; return whether it was opened."""
        try:
            session = Session(self._broker, self._client_id, version, self._wishes, self)
        except ConfigError as exc:
            self._client.troubled(Text(str(exc), str(exc)), refused=True)
            return False
        self._awaited = session
        try:
            session.open()
        except (OSError, UnicodeError) as exc:  # the second one of a name that is none
            self._client.troubled(session.trouble or nobody(self._broker, exc), refused=session.trouble is not None)
            session.close(0)
            return False
        session.answered.wait(ANSWER_SECONDS)
        with self._lock:
            self._awaited = None
            wanted = self._session is session
            if not session.opened:
                self._judge(session)
        left = RENEW_SECONDS
        while wanted and left and not self._stopping.is_set() and session.alive and not session.over.wait(1):
            left -= self._lacking is session
        session.close()
        self._session = None
        if wanted:
            self._client.ended(session)
        return wanted

    def _judge(self, session: Session) -> None:
        """Learn from a connection that was not accepted."""
        if session.trouble is not None:
            self._client.troubled(session.trouble, refused=True)
        elif unsupported(session.refusal):
            self.negotiation.refused()
        elif session.refusal is not None:
            self.negotiation.accepted()
            self._client.troubled(refused(session.refusal), refused=True)
        elif not self._stopping.is_set():
            self.negotiation.unanswered()
            self._client.troubled(silent(self._broker), refused=False)

    # What sessions tell

    def opened(self, session: Session) -> None:
        """Keep the session, or have the other version tried."""
        with self._lock:
            if self._awaited is not session or not self.negotiation.accepted():
                return
            self._session = session
        self._client.opened(session)

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:
        """Hand on."""
        self._client.subscribed(session, mid, refusals)

    def published(self, session: Session, mid: int, refusal: Refusal | None) -> None:
        """Hand on."""
        self._client.published(session, mid, refusal)

    def received(self, session: Session, message: Message) -> None:
        """Hand on."""
        self._client.received(session, message)


def spoken(version: int) -> str:
    """Return a version as people write it."""
    return "3.1.1" if version == MQTT_3 else "5"


def refused(refusal: Refusal) -> Text:
    """Return why a broker does not accept us, and what to do about it."""
    en, ko = _ADVICE.get(refusal.code, ("see its log", "브로커 로그를 확인하십시오"))
    return Text(f"the broker refuses us: {refusal.name}: {en}", f"브로커가 접속을 거부합니다({refusal.name}). {ko}")


_LOGIN = ("check user and password", "user와 password를 확인하십시오")
_BUSY = ("it has too much to do; we try again", "브로커가 바쁩니다. 잠시 후 다시 접속합니다")
_ADVICE = {
    0x85: ("it does not take our client id: see its rules", "클라이언트 ID 규칙을 확인하십시오"),
    0x86: _LOGIN,
    0x87: _LOGIN,
    0x88: _BUSY,
    0x89: _BUSY,
    0x8A: ("it has banned us: ask its operator", "차단된 상태입니다. 브로커 관리자에게 문의하십시오"),
    0x90: ("we may not write our will: check its access rules", "브로커 접근 규칙(will 토픽)을 확인하십시오"),
    0x97: _BUSY,
    0x9F: _BUSY,
}  # fmt: skip
"""Reason code of a CONNACK -> what to do."""


def nobody(broker: Where, exc: OSError | UnicodeError) -> Text:
    """Return that no connection can be made at all."""
    why = getattr(exc, "strerror", None) or exc
    return Text(
        f"no broker at {broker.address} ({why}), trying again",
        f"{broker.address}에 브로커가 없습니다. 계속 시도합니다({why})",
    )


def silent(broker: Where) -> Text:
    """Return that a connection was made, and nobody spoke."""
    return Text(
        f"{broker.address} takes the connection and gives no answer: does a broker listen there, and on this port?",
        f"{broker.address}: 연결은 되지만 응답이 없습니다. MQTT 브로커의 포트가 맞는지 확인하십시오",
    )
