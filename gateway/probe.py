"""What the broker can do, found out by trying it: a few connections of our own on a scratch branch.

    asker    publishes, and reads the workers that are there
    member   two of them, in one shared subscription; one dies with messages in hand
    mortal   has a will and dies
    heavy    sends messages that are as large as ours may be; the broker may end its connection

No broker is believed: some grant a shared subscription and deliver nothing to it, some deliver everything to every
member, some keep a session that was to end. Nothing is waited for by the clock: a message that must not come is
followed by one that must, and when that is there the other one has not come. What does not come at all costs
`PATIENCE` seconds. A broker that is able answers all questions in a fraction of a second.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contract import topics
from gateway.peers import read
from gateway.verdicts import Finding, Table
from transport.connection import nobody, refused, silent, spoken
from transport.negotiation import MQTT_5, Negotiation
from transport.session import ANSWER_SECONDS, Handler, Session, Will, Wishes, unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contract.payload import Worker
    from settings.broker import Broker
    from settings.language import Text
    from transport.session import Message, Refusal

PATIENCE = 2.0
BRANCH = f"{topics.PREFIX}/_gateway/probe"
LARGEST = 600_000
SIZES = (LARGEST, 300_000, 128_000, 60_000, 19_000, 8_000)
_SHARED = 10  # messages to be shared out
_IN_HAND = 4
_AFTER = 6
_PACKET = 1024 * 1024
_KEEP_ALIVE = 5
_ATTEMPTS = 4
_CONTENT_TYPE = "text/plain"


class ProbeError(Exception):
    """The broker could not be asked; the text says why and what to do.

    Args:
        text: For a person.
        refused: Whether it refuses us, so that a person must act.
    """

    def __init__(self, text: Text, *, refused: bool) -> None:
        super().__init__(text.en)
        self.text = text
        self.refused = refused


@dataclass(slots=True)
class Probed:
    """What came out.

    Attributes:
        table: What the broker can do.
        negotiation: Its version.
        workers: Who is there; each has been asked, and lives.
    """

    table: Table
    negotiation: Negotiation
    workers: list[Worker] = field(default_factory=list)


def probe(broker: Broker, stop: threading.Event | None = None) -> Probed:
    """Ask a broker what it can do; takes a fraction of a second, and at most some seconds where it cannot.

    Args:
        broker: Where, and how to log in.
        stop: When set, the rest is left out.

    Raises:
        ProbeError: there is no broker, or it refuses us.
        ConfigError: a secret or a certificate cannot be read.
    """
    probing = _Probing(broker, stop or threading.Event())
    try:
        return probing.run()
    finally:
        for one in probing.clients:
            one.session.close()


class _One(Handler):
    """One client: what it has heard, and how to wait for it."""

    def __init__(self, broker: Broker, version: int, name: str, wishes: Wishes, stop: threading.Event) -> None:
        self._changed = threading.Condition()
        self._stop = stop
        self._answers: dict[int, Sequence[Refusal | None]] = {}
        self.heard: list[Message] = []
        self.holds = False  # acknowledges nothing
        self.session = Session(broker, name, version, wishes, self)

    def open(self) -> bool:
        """Connect; return whether the broker has accepted."""
        self.session.open()
        self.until(self.session.answered.is_set, ANSWER_SECONDS)
        return self.session.opened

    def until(self, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until something holds that messages bring about, or until nothing can come any more.

        Args:
            condition: Looks at what has come.
            seconds: `PATIENCE` when None.
        """
        with self._changed:
            over = self.session.over
            self._changed.wait_for(lambda: condition() or over.is_set() or self._stop.is_set(), seconds or PATIENCE)
            return condition()

    def subscribe(self, *filters: str) -> Refusal | None:
        """Subscribe; return the first refusal, or None."""
        mid = self.session.subscribe(*filters)
        if mid is not None:
            self.until(lambda: mid in self._answers)
            return next((refusal for refusal in self._answers.get(mid, ()) if refusal is not None), None)
        return None

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int | None:
        """Publish with what MQTT 5 adds to a message."""
        return self.session.publish(
            topic,
            payload,
            retain=retain,
            content_type=_CONTENT_TYPE,
            response_topic=topic,
            correlation=b"7",
        )

    def refusal(self, mid: int | None) -> Refusal | None:
        """Return why a message of ours was not taken, as far as that has been said."""
        return next(iter(self._answers.get(mid, ())), None) if mid is not None else None

    def on(self, topic: str) -> list[Message]:
        """Return what has come on a topic."""
        with self._changed:
            return [message for message in self.heard if message.topic == topic]

    def opened(self, session: Session) -> None:
        """Wake who waits."""
        del session
        self._tell(self.session.answered.set)

    def closed(self, session: Session) -> None:
        """Wake who waits."""
        del session
        self._tell(self.session.answered.set)

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:
        """Keep the answer."""
        del session
        self._tell(lambda: self._answers.update({mid: refusals}))

    def published(self, session: Session, mid: int, refusal: Refusal | None) -> None:
        """Keep the answer."""
        del session
        self._tell(lambda: self._answers.update({mid: [refusal]}))

    def received(self, session: Session, message: Message) -> None:
        """Keep the message."""
        if not self.holds:
            session.ack(message)
        self._tell(lambda: self.heard.append(message))

    def _tell(self, change: Callable[[], object]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()


class _Probing:
    def __init__(self, broker: Broker, stop: threading.Event) -> None:
        self._broker = broker
        self._stop = stop
        self._token = secrets.token_hex(6)
        self._branch = f"{BRANCH}/{self._token}"
        self._version = MQTT_5
        self.clients: list[_One] = []
        self._table = Table()

    def run(self) -> Probed:
        """Ask everything, as long as the answers make sense."""
        negotiation = self._negotiated()
        asker = self._client("asker")
        self._say("version", self._version == MQTT_5, spoken(self._version))
        probed = Probed(self._table, negotiation)
        if not self._echo(asker):
            return probed
        probed.workers = self._workers(asker)
        for question in (self._retained, self._will, self._sessions, self._shared, self._large, self._rights):
            if self._stop.is_set():
                break
            question(asker)
        return probed

    def _say(self, name: str, able: bool | None, *values: object) -> None:  # noqa: FBT001 - three answers
        self._table.add(Finding(name, able, tuple(str(value) for value in values)))

    def _wishes(self, *, will: str = "", clean: bool = True) -> Wishes:
        return Wishes(
            keep_alive=_KEEP_ALIVE,
            packet=_PACKET,
            will=(lambda: Will(will, b"will")) if will else None,
            manual=True,
            clean=clean,
        )

    def _client(self, name: str, *, will: str = "", clean: bool = True) -> _One:
        client_id = f"tsq-probe-{self._token}-{name}"
        one = _One(self._broker, self._version, client_id, self._wishes(will=will, clean=clean), self._stop)
        self.clients.append(one)
        if not self._try(one):
            raise _error(one, self._broker)
        return one

    def _try(self, one: _One) -> bool:
        try:
            return one.open()
        except OSError as exc:
            trouble = one.session.trouble
            raise ProbeError(trouble or nobody(self._broker, exc), refused=trouble is not None) from exc

    def _negotiated(self) -> Negotiation:
        """Find out which version the broker speaks."""
        negotiation = Negotiation()
        for attempt in range(_ATTEMPTS):
            client_id = f"tsq-probe-{self._token}-{attempt}"
            one = _One(self._broker, negotiation.version, client_id, self._wishes(), self._stop)
            self.clients.append(one)
            if self._try(one):
                if negotiation.accepted():
                    self._version = negotiation.version
                    return negotiation
            elif unsupported(one.session.refusal):
                negotiation.refused()
            elif one.session.refusal is not None or one.session.trouble is not None:
                raise _error(one, self._broker)
            else:
                negotiation.unanswered()
            one.session.close()
        raise _error(self.clients[-1], self._broker)

    # Questions: each adds what it finds to the table

    def _echo(self, asker: _One) -> bool:
        """Whether we may use the branch at all, and what MQTT 5 adds to a message."""
        topic = f"{self._branch}/echo"
        refusal = asker.subscribe(topic)
        mid = asker.publish(topic, b"echo")
        if refusal is not None or not asker.until(lambda: bool(asker.on(topic))):
            refusal = refusal or asker.refusal(mid)
            self._say("branch", False, f"{BRANCH}/#", refusal.name if refusal else "-")
            return False
        self._say("branch", True, f"{BRANCH}/#")
        heard = asker.on(topic)[0]
        kept = (heard.content_type, heard.response_topic, heard.correlation) == (_CONTENT_TYPE, topic, b"7")
        self._say("properties", kept if self._version == MQTT_5 else None)
        self._say("receive", None, asker.session.limits.receive)
        return True

    def _passed(self, asker: _One) -> None:
        """Wait until everything that was on its way to the asker has come."""
        topic, known = f"{self._branch}/echo", len(asker.on(f"{self._branch}/echo"))
        asker.publish(topic, b"echo")
        asker.until(lambda: len(asker.on(topic)) > known)

    def _workers(self, asker: _One) -> list[Worker]:
        """Return the workers that live: presence that is cleared comes again from them alone."""
        asker.subscribe(topics.worker("+"))
        self._passed(asker)
        found = {message.topic for message in asker.heard if message.retained and message.payload}
        found &= {message.topic for message in asker.heard if message.topic.startswith(topics.worker(""))}
        for topic in found:
            asker.publish(topic, b"", retain=True)

        def answers() -> dict[str, Worker]:
            live = (message for message in asker.heard if message.topic in found and not message.retained)
            return {message.topic: one for message in live if (one := read(message.payload)) is not None}

        asker.until(lambda: answers().keys() == found)
        return sorted(answers().values(), key=lambda one: one.worker)

    def _retained(self, asker: _One) -> None:
        topic = f"{self._branch}/kept/one"
        asker.publish(topic, b"kept", retain=True)
        self._passed(asker)
        late = self._client("late")
        for kind, topic_filter in (("wildcard", f"{self._branch}/kept/+"), ("exact", topic)):
            late.subscribe(topic_filter)
            if late.until(lambda: any(message.retained for message in late.on(topic))):
                self._say("retained", kind == "wildcard", kind)
                break
        else:
            self._say("retained", False, "none")
        asker.publish(topic, b"", retain=True)

    def _will(self, asker: _One) -> None:
        topic = f"{self._branch}/will"
        asker.subscribe(topic)
        mortal = self._client("mortal", will=topic)
        mortal.session.cut()
        self._say("will", asker.until(lambda: bool(asker.on(topic))))
        asker.publish(topic, b"", retain=True)

    def _sessions(self, asker: _One) -> None:
        """Whether a session that is to end with its connection does."""
        del asker
        if self._version != MQTT_5:
            self._say("expiry", None)
            return
        mortal = self._client("session")
        mortal.subscribe(f"{self._branch}/session")
        mortal.session.cut()
        again = self._client("session", clean=False)
        self._say("expiry", not again.session.limits.session_present)

    def _shared(self, asker: _One) -> None:
        topic, end = f"{self._branch}/shared", f"{self._branch}/end"
        if self._version != MQTT_5 or not asker.session.limits.shared:
            self._say("shared", False, "none")
            return
        members = [self._client("member-1", will=f"{self._branch}/dead"), self._client("member-2")]
        for member in members:
            refusal = member.subscribe(f"$share/tsq-probe/{topic}", end)
            if refusal is not None:
                self._say("shared", False, "refused", refusal.name)
                return
        count = self._given(asker, members, topic, range(_SHARED))
        asker.publish(end, b"end")
        for member in members:
            member.until(lambda member=member: bool(member.on(end)))  # type: ignore[misc]
        count = _counted(members, topic)
        if len(count) < _SHARED:
            self._say("shared", False, "silent", len(count), _SHARED)
        elif count.total() > _SHARED:
            self._say("shared", False, "doubled", count.total(), _SHARED)
        else:
            shares = [len(member.on(topic)) for member in members]
            self._say("shared", self._survives(asker, members, topic), "shares", *shares)

    def _survives(self, asker: _One, members: list[_One], topic: str) -> bool:
        """Whether a member that dies with messages in hand leaves the others everything that comes later."""
        victim, heir = sorted(members, key=_len(topic), reverse=True)
        victim.holds = True
        in_hand = range(_SHARED, _SHARED + _IN_HAND)
        self._given(asker, members, topic, in_hand)
        victim.session.cut()
        self._passed(asker)
        later = range(in_hand.stop, in_hand.stop + _AFTER)
        self._given(asker, [heir], topic, later)
        got = _counted([heir], topic)
        survives = all(got[number] for number in later)
        self._say("heirs", survives, sum(bool(got[number]) for number in later), _AFTER)
        mine = [number for number in in_hand if _counted([victim], topic)[number]]
        self._say("in hand", None, sum(bool(got[number]) for number in mine), len(mine))
        return survives

    def _given(self, asker: _One, members: list[_One], topic: str, numbers: range) -> Counter[int]:
        """Publish numbers and wait until the members have all of them between them."""
        for number in numbers:
            asker.publish(topic, str(number).encode())
        waits = PATIENCE / 0.05
        while waits > 0 and not all(_counted(members, topic)[number] for number in numbers):
            if self._stop.wait(0.05):
                break
            waits -= 1
        return _counted(members, topic)

    def _large(self, asker: _One) -> None:
        """How large a message may be; a broker that minds ends the connection, refuses the message or drops it."""
        named = asker.session.limits.packet
        topic = f"{self._branch}/large"
        for size in SIZES:
            if named is not None and size + len(topic) > named:
                continue
            heavy = self._client(f"heavy-{size}")
            heavy.subscribe(topic)
            mid = heavy.publish(topic, bytes(size))
            heavy.until(lambda heavy=heavy, mid=mid: bool(heavy.on(topic) or heavy.refusal(mid)))  # type: ignore[misc]
            if heavy.on(topic):
                self._say("large", size == LARGEST, size, named or "-")
                return
            heavy.session.close()
        self._say("large", False, 0, named or "-")

    def _rights(self, asker: _One) -> None:
        """Whether access rules keep us in our branch; ours do."""
        topic = f"tsq-probe/{self._token}"
        asker.subscribe(topic)
        asker.publish(topic, b"outside")
        self._passed(asker)
        self._say("rights", not asker.on(topic))


def _counted(members: list[_One], topic: str) -> Counter[int]:
    return Counter(int(message.payload) for member in members for message in member.on(topic))


def _len(topic: str) -> Callable[[_One], int]:
    return lambda one: len(one.on(topic))


def _error(one: _One, broker: Broker) -> ProbeError:
    session = one.session
    if session.trouble is not None:
        return ProbeError(session.trouble, refused=True)
    if session.refusal is not None:
        return ProbeError(refused(session.refusal), refused=True)
    return ProbeError(silent(broker), refused=False)
