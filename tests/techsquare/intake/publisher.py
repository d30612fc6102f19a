"""Publishes messages to a broker as agents do: QoS 1, as fast as it takes them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from transport.negotiation import MQTT_5
from transport.session import Handler, Session, Wishes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from settings.broker import Broker
    from techsquare.intake.terms import Incoming
    from transport.session import Refusal


class Publisher(Handler):
    """A connection that publishes; a context."""

    def __init__(self, broker: Broker) -> None:
        self._session = Session(broker, "publisher", MQTT_5, Wishes(keep_alive=60, packet=1 << 20), self)
        self._room = threading.Semaphore(100)
        self._left = 0
        self._turn = threading.Condition()

    def __enter__(self) -> Self:
        self._session.open()
        assert self._session.answered.wait(10)
        assert self._session.opened
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def send(self, messages: Iterable[Incoming], *, retain: bool = False) -> None:
        """Publish, and wait until the broker has all of them."""
        for message in messages:
            assert self._room.acquire(timeout=60)
            with self._turn:
                self._left += 1
            assert self._session.publish(message.topic, message.payload, retain=retain) is not None
        with self._turn:
            assert self._turn.wait_for(lambda: self._left == 0, 60)

    def published(self, session: Session, mid: int, refusal: Refusal | None) -> None:
        """Make room."""
        del session, mid
        assert refusal is None or refusal.code == 0x10, refusal
        self._room.release()
        with self._turn:
            self._left -= 1
            self._turn.notify_all()
