"""The played agent: the verbs, the chain, the limits and the consent of a real one, over days that are made up.

    network thread   requests come, and go to the queue; what others write into the branch is noted
    own thread       answers, late ones too

Everything that leaves passes the trick that is played (`agent.conform.acting.tricks`). What a platform is owed is
known exactly: the days that have gone to it neither by topic nor in an answer, whole.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from agent.clock import SystemClock
from agent.conform.acting import plant
from agent.conform.acting.messages import Out, Reply, Seen
from agent.errors import WireError
from agent.platform.asked import Asked as Verbs
from agent.platform.consent import Agreed
from agent.platform.cut import cut
from agent.platform.daybook import Daybook
from agent.platform.gate import Gate
from agent.platform.key import own_key
from agent.requests import RequestError, answer, asked_by, refuse
from contract.codec import PLAIN_LIMIT, decode, encode
from contract.consent import NAMES, RECORDS, SCOPES
from contract.day import Days, SignedDay
from contract.manifest import Head, Manifest
from contract.report import STANDS_S
from contract.report import Refusal as Refused
from contract.signing import open_signed
from transport.connection import Client, Connection
from transport.negotiation import MQTT_5
from transport.session import Wishes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from agent.conform.acting.tricks import Trick
    from contract.day import Day
    from contract.signing import PublicKey
    from contract.topics import AgentTopics
    from settings.broker import Broker
    from settings.language import Text
    from transport.session import Message, Refusal, Session

ENVELOPE = 8192


class Actor(Client):
    """Plays one agent.

    Args:
        broker: Where the platform is.
        topics: Its branch.
        folder: For its key, days and consent; anything that is there goes on.
        last: The last of the days that there are at the begin.
        days: How many there are then.
        register: Key by which the platform signs what is registered.
        older: Speak MQTT 3.1.1.

    Attributes:
        trick: What it does wrong now.
        seen: Requests, in order.
        foreign: Topics of its branch that somebody else has written.
        owed: Dates of records that no platform can have got from it.
        late: Seconds after which a late answer comes.
        trouble: Why there is no connection.

    Raises:
        ConfigError: a secret cannot be read.
        OSError: the folder.
    """

    def __init__(
        self,
        broker: Broker,
        topics: AgentTopics,
        folder: Path,
        last: date,
        days: int = 30,
        register: PublicKey | None = None,
        *,
        older: bool = False,
    ) -> None:
        self.topics = topics
        self.trick: Trick | None = None
        self._gate: Gate
        self.seen: list[Seen] = []
        self.foreign: list[str] = []
        self.owed: set[str] = set()
        self.late = 65.0
        self.trouble: Text | None = None
        self._clock = SystemClock(0, trusted=True)
        self._consent = folder / "consent.yaml"
        self._serial = 0
        self.book = Daybook(folder, topics, own_key(folder))
        self._scopes(SCOPES)
        self._agreed = Agreed(self._consent, folder, self._clock.now, self._day, home=False)
        self.forgive()
        self.today = last - timedelta(days=days)
        self._verbs = Verbs(
            plant.Factory(plant.Past(self.book.dates), self._assessed),
            self.book,
            self._agreed,
            topics,
            folder,
            self._clock.now,
            register,
            self._tell,
        ).table()
        for _ in range(days):
            self.sign()
        self._turn = threading.Condition()
        self._ready = threading.Event()
        self._jobs: queue.SimpleQueue[tuple[Session, Message] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="played-agent", daemon=True)
        self._timers: list[threading.Timer] = []
        self._session: Session | None = None
        self._unacked = 0
        self._kept: set[str] = set()  # topics on which something of ours is retained
        self._connection = Connection(
            broker,
            f"tsq-{topics.factory}-{topics.agent}-platform",
            Wishes(keep_alive=10, packet=PLAIN_LIMIT + ENVELOPE),
            self,
        )
        if older:
            self._connection.negotiation.refused()

    # Life

    def open(self, seconds: float = 10) -> bool:
        """Connect and publish what is retained; return whether a connection came about."""
        self._connection.start()
        self._thread.start()
        if not self._ready.wait(seconds):
            return False
        self.publish_retained()
        return True

    def close(self) -> None:
        """Take away what is retained, and end."""
        for topic in sorted(self._kept):
            self._put(Out(topic, b"", retain=True))
        with self._turn:  # else the goodbye overtakes them
            self._turn.wait_for(lambda: self._unacked <= 0, 2)
        for timer in self._timers:
            timer.cancel()
        self._jobs.put(None)
        self._connection.stop()
        self._thread.join(5)

    def forgive(self) -> None:
        """Forget how often it was asked, so that one trick does not use up the allowance of the next."""
        self._gate = Gate(self._agreed, self._clock.monotonic)

    def now(self) -> int:
        """Return monotonic nanoseconds."""
        return self._clock.monotonic()

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is owed, at most so long; return whether nothing is."""
        with self._turn:
            return self._turn.wait_for(lambda: not self.owed, seconds)

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        with self._turn:
            self._turn.wait_for(lambda: False, seconds)

    # Doing what an agent does

    def sign(self) -> str:
        """Close and sign the next day, and owe it; return its date."""
        self.today += timedelta(days=1)
        number, prev = self.book.next()
        self.book.add(plant.day(self.topics, self.today, plant.Place(number, prev), self.book.key))
        self.owed.add(self.today.isoformat())
        return self.today.isoformat()

    def next_day(self, *, publish: bool = True) -> str:
        """Sign a day, publish it or not, and then what is retained; return its date."""
        when = self.sign()
        if publish:
            self.publish_day(when)
        self.publish_retained()
        return when

    def publish_day(self, when: str) -> None:
        """Publish a signed day."""
        signed = self.book.signed(when)
        if signed is not None and set(self._agreed.scopes) >= RECORDS:
            self._publish(Out(self.topics.day(when), encode(signed)))

    def publish_retained(self) -> None:
        """Publish manifest and report."""
        part = cut(self._assessed().plant(), self._agreed.scopes)
        self._publish(Out(self.topics.manifest, encode(self.manifest()), retain=True))
        self._publish(Out(self.topics.readiness, b"" if part is None else encode(part), True, STANDS_S))

    def agree(self, scopes: Iterable[str]) -> None:
        """Have the owner agree to these scopes and no others."""
        self._scopes(scopes)
        self._agreed.look()

    def _scopes(self, scopes: Iterable[str]) -> None:
        self._serial += 1
        text = f"version: 1\nserial: {self._serial}\nscopes: [{', '.join(scopes)}]\n"
        self._consent.write_text(text, "utf-8")

    def manifest(self) -> Manifest:
        """Return the manifest."""
        return Manifest(
            factory=self.topics.factory,
            site=plant.SITE,
            agent=self.topics.agent,
            reporter=self.topics.agent,
            made_at=str(self._clock.now()),
            key=self.book.key,
            public_key=self.book.public_text,
            formulas=plant.FORMULAS,
            model=plant.MODEL,
            config=plant.CONFIG,
            plant=plant.PLANT,
            machines=list(plant.MACHINES) if NAMES & set(self._agreed.scopes) else [],
            metrics=list(plant.METRICS),
            verbs=sorted(self._verbs),
            consent=self._agreed.now,
            chain=self.book.head,
            proof=self.book.proof,
        )

    def head_before(self, back: int) -> Head:
        """Return where the chain stood so many records ago."""
        return [opened.head for _, opened in self.book.records("", "9")][-1 - back]

    def _day(self) -> str:
        return self.today.isoformat()

    def _assessed(self) -> plant.Assessed:
        days: list[Day] = [opened.day for _, opened in self.book.records("", "9")]
        return plant.Assessed(self.topics, days)

    def _tell(self, topic: str, payload: bytes) -> None:
        self._publish(Out(topic, payload))

    # What leaves

    def _publish(self, out: Out) -> None:
        for each in [out] if self.trick is None else self.trick.spoil(self, out):
            self._put(each)
            if each.topic.startswith(self.topics.day("")):
                self._delivered([each.payload], each.topic)

    def _put(self, out: Out) -> None:
        session = self._session
        if session is not None:
            self._kept |= {out.topic} if out.retain else set()
            self._sent(session.publish(out.topic, out.payload, qos=out.qos, retain=out.retain, expiry=out.expiry))

    def _sent(self, mid: int | None) -> None:
        with self._turn:
            self._unacked += mid is not None

    def _delivered(self, records: Iterable[bytes], topic: str | None = None) -> None:
        """Note the records that are genuine: nothing else counts as delivered."""
        with self._turn:
            for raw in records:
                try:
                    signed = decode(raw, SignedDay)
                    opened = open_signed(signed, self.topics, {self.book.key: self.book.public})
                except WireError:
                    continue
                kept = self.book.signed(opened.day.date)
                if kept == signed and topic in {None, self.topics.day(opened.day.date)}:
                    self.owed.discard(opened.day.date)
            self._turn.notify_all()

    # What is asked

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            session, message = job
            self._request(session, message)

    def _request(self, session: Session, message: Message) -> None:
        verb = message.topic.removeprefix(self.topics.request("")).replace("/", ".")
        asked = None if message.retained else asked_by(message, verb, self.topics.response(""))
        seen = Seen(self.now(), message, verb, asked)
        if asked is None:
            self.seen.append(seen)
            return
        try:
            self._gate.admit(asked, self._gate.arrived())
            handler = self._verbs.get(verb)
            content = refuse("unknown_verb", "") if handler is None else handler(asked.body)
        except RequestError as exc:
            content = refuse(exc.code, str(exc))
        replies = (
            [Reply(asked, content)] if self.trick is None else list(self.trick.reply(self, Reply(asked, content)))
        )
        code, text = _code(replies[0].content) if replies else (None, "")
        self.seen.append(replace(seen, code=code, text=text))
        for each in replies:
            if each.late:
                self._timers.append(threading.Timer(each.late, self._answer, (session, each)))
                self._timers[-1].start()
            else:
                self._answer(session, each)

    def _answer(self, session: Session, reply: Reply) -> None:
        asked = reply.asked
        if reply.retain and not isinstance(asked.correlation, str):
            self._kept.add(asked.topic)
            self._sent(session.publish(asked.topic, reply.content, retain=True, correlation=asked.correlation))
        else:
            self._sent(answer(session, asked, reply.content))
        if asked.verb == "day.get" and not reply.late:
            try:
                self._delivered([encode(one) for one in decode(reply.content, Days).days])
            except WireError:
                return

    # In the connection's threads

    def opened(self, session: Session) -> None:
        """Listen to the branch: what others write there is not all for us to answer."""
        session.subscribe(f"{self.topics.root}/#", as_published=True, others=True)

    def subscribed(self, session: Session, mid: int, refusals: Sequence[Refusal | None]) -> None:
        """Begin; where the whole branch may not be read, requests must do."""
        del mid
        if len(refusals) == 1 and refusals[0] is not None and self._session is not session:
            session.subscribe(self.topics.request("+"), as_published=True, others=True)
            return
        self._session = session
        self._ready.set()

    def troubled(self, text: Text, *, refused: bool) -> None:
        """Keep why there is no connection."""
        del refused
        self.trouble = text

    def ended(self, session: Session) -> None:
        """Nothing is published until the next one."""
        del session
        self._session = None

    def published(self, session: Session, mid: int, refusal: Refusal | None) -> None:
        """Count what has arrived at the broker."""
        del session, mid, refusal
        with self._turn:
            self._unacked -= 1
            self._turn.notify_all()

    def received(self, session: Session, message: Message) -> None:
        """Take requests, and note what is not ours."""
        level = message.topic.removeprefix(f"{self.topics.root}/").split("/")[0]
        if level == "req":
            if message.payload:
                self._jobs.put((session, message))
        elif level not in {"answers", "rsp"} and session.version == MQTT_5:  # else our own comes back, too
            self.foreign.append(message.topic)


def _code(content: bytes) -> tuple[str, str]:
    try:
        found = decode(content, Refused)
    except WireError:
        return "", ""
    return found.error, found.message
