"""Several workers on one shared subscription: they share, and what one loses the others have.

The broker is a mosquitto, the store an InfluxDB, agent and workers are processes; who confirmed what is heard at
the broker.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Any, Self

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from contract import codec, topics
from contract.payload import Stored
from service import exits
from tests.brokers.plant import Plant, until
from tests.chaos.lines import Line, Lines
from tests.support.brokers import mosquitto
from tests.support.processes import Child, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER_HAS_IT_S = 30.0
pytestmark = pytest.mark.timeout(240)


class Ear:
    """Hears which workers are there and who confirms; plain paho."""

    def __init__(self, port: int) -> None:
        self.present: set[str] = set()
        self.confirmed: dict[str, set[int]] = {}
        self._lock = threading.Lock()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(topics.worker("+"), 1), (f"{topics.PREFIX}/+/+/stored", 1)]
        )
        self._client.on_message = self._heard
        self._client.connect("127.0.0.1", port, clean_start=True)

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _heard(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            if message.topic.endswith("/stored"):
                stored = codec.decode(bytes(message.payload), Stored)
                self.confirmed.setdefault(stored.worker, set()).update(seq for seq, _ in stored.stored)
            else:
                name = message.topic.rsplit("/", 1)[1]
                (self.present.add if message.payload else self.present.discard)(name)

    def sees(self, *names: str, seconds: float = 30, said: tuple[Child, ...] = ()) -> None:
        """Wait until exactly these workers are there."""
        until(lambda: self.present == set(names), seconds, f"not {names} but {self.present}", *said)

    def count(self, name: str) -> int:
        """Return how many entries a worker has confirmed."""
        with self._lock:
            return len(self.confirmed.get(name, ()))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Child]:
    with running(mosquitto(tmp_path / "broker")) as child:
        yield child


@pytest.fixture
def plant(tmp_path: Path, broker: Child) -> Iterator[Plant]:
    assert broker.port is not None
    with Plant(tmp_path, broker.port, influx=True).working() as one:
        yield one


@pytest.fixture
def ear(broker: Child) -> Iterator[Ear]:
    assert broker.port is not None
    with Ear(broker.port) as one:
        yield one


def test_what_a_killed_a_paused_or_a_cut_off_worker_had_in_hand_the_other_has_soon(
    plant: Plant, broker: Child, ear: Ear
) -> None:
    assert broker.port is not None
    line = Line("b", "127.0.0.1", ("127.0.0.1", broker.port))
    a, b = plant.gateway("a"), plant.gateway("b", port=line.address[1])
    with Lines({"b": line}), running(a), running(b):
        ear.sees("a", "b", said=(a, b))
        until(lambda: min(ear.count("a"), ear.count("b")) >= 1, 30, "they do not share", a, b)

        a.kill()
        plant.reads(6)
        assert plant.caught_up(OTHER_HAS_IT_S, a, b) < OTHER_HAS_IT_S
        a.start()
        ear.sees("a", "b", said=(a, b))

        a.send(signal.SIGSTOP)
        try:
            plant.reads(6)
            assert plant.caught_up(OTHER_HAS_IT_S, a, b) < OTHER_HAS_IT_S
            ear.sees("b", said=(a, b))
        finally:
            a.send(signal.SIGCONT)  # what it has in hand it writes and confirms now, late
        ear.sees("a", "b", said=(a, b))

        line.cut = True
        plant.reads(6)
        assert plant.caught_up(OTHER_HAS_IT_S, a, b) < OTHER_HAS_IT_S
        ear.sees("a", said=(a, b))
        line.cut = False
        ear.sees("a", "b", said=(a, b))
        before = ear.count("b")
        until(lambda: ear.count("b") > before, 30, "the one that was cut off takes no part", a, b)
        plant.settle(OTHER_HAS_IT_S, a, b)
        assert "Traceback" not in a.output() + b.output() + plant.agent.output()


def test_a_worker_that_cannot_reach_the_database_leaves_all_to_the_other_until_it_can(
    plant: Plant, ear: Ear
) -> None:
    assert plant.database is not None
    line = Line("b", "127.0.0.1", ("127.0.0.1", plant.database.port))
    a = plant.gateway("a")
    b = plant.gateway("b", url=f"http://127.0.0.1:{line.address[1]}")
    with Lines({"b": line}), running(a), running(b):
        ear.sees("a", "b", said=(a, b))
        until(lambda: min(ear.count("a"), ear.count("b")) >= 1, 30, "they do not share", a, b)
        line.cut = True
        ear.sees("a", said=(a, b))
        plant.reads(4)
        plant.caught_up(OTHER_HAS_IT_S, a, b)
        line.cut = False
        ear.sees("a", "b", said=(a, b))
        before = ear.count("b")
        until(lambda: ear.count("b") > before, 30, "it takes no part", a, b)
        plant.settle(OTHER_HAS_IT_S, a, b)
        assert "taking no data until the store is back" in b.output()


def test_of_two_workers_with_one_id_one_stays_and_both_say_so(plant: Plant, ear: Ear) -> None:
    first, second = plant.gateway("first", worker="w"), plant.gateway("second", worker="w")
    with running(first):
        ear.sees("w", said=(first,))
        with running(second):
            assert second.process is not None
            assert second.process.wait(30) == exits.UNAVAILABLE
        assert "another worker has the id w" in second.output()
        ear.sees("w", said=(first,))
        with contextlib.ExitStack() as both:  # in one instant, with the first: none of them has seen the other
            first.kill()
            ear.sees()
            children = [both.enter_context(running(child)) for child in (first, second)]
            until(lambda: ended(children) == [exits.UNAVAILABLE], 30, "not one of them stays", *children)
            until(
                lambda: all("another worker has the id w" in one.output() for one in children), 10, "one is silent"
            )
            ear.sees("w", said=(first, second))
            plant.settle(60, first, second)


def ended(children: list[Child]) -> list[int]:
    """Return the exit codes of those that have ended."""
    codes = [child.process.poll() for child in children if child.process is not None]
    return [code for code in codes if code is not None]
