"""The service against a real mosquitto."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

import pytest

from contract import codec, topics
from contract.payload import NeedBirth, Worker
from gateway.app import (
    AWAY_SECONDS,
    PROBE_SECONDS,
    QUEUE_BYTES,
    QUEUE_MESSAGES,
    SLOW_SECONDS,
    STOP_SECONDS,
    Gateway,
)
from gateway.config import DeadLetterSettings, GatewayConfig
from gateway.deadletter import read
from gateway.mqtt import RECEIVE_MAXIMUM, Link
from gateway.stores.settings import EmbeddedSettings
from gateway.turns import OVERHEAD
from settings.broker import Broker
from tests.gateway.builders import BRANCH, T0, FixedClock, MemoryStore, crc, message
from tests.gateway.peer import Peer, peer, port_of, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gateway.stores.base import Point, Refusal
    from tests.support.processes import Child


def config(folder: Path, port: int) -> GatewayConfig:
    return GatewayConfig(
        worker="gw-1",
        mqtt=Broker(host="127.0.0.1", port=port),
        store=EmbeddedSettings(path=folder / "store.db"),
        dead_letters=DeadLetterSettings.model_validate({"directory": folder / "letters", "max_size": "10MB"}),
    )


@contextlib.contextmanager
def working(gateway: Gateway, code: int = 0) -> Iterator[Gateway]:
    """Run a gateway in a thread and stop it at the end of the block."""
    stop = threading.Event()
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(gateway.run(stop)))
    thread.start()
    try:
        yield gateway
    finally:
        stop.set()
        thread.join(10)
    assert codes == [code]


def test_a_worker_announces_itself_confirms_what_is_stored_and_leaves_no_trace(
    tmp_path: Path, broker: Child, agent: Peer
) -> None:
    store = MemoryStore()
    agent.birth()
    with working(Gateway(config(tmp_path, port_of(broker)), store, FixedClock())) as gateway:
        agent.wait_for_workers("gw-1")
        agent.send(message(1))
        stored = agent.confirmed()
        assert (stored.spool, stored.stored, stored.worker) == ("spool-1", [(1, crc(1))], "gw-1")
        assert gateway.stats()["stored"] == 1
        assert gateway.stats()["need_birth"] == 0
    assert [point.fields for point in store.read("press-1", 0, 2**63)] == [{"f64_f": 1.0}]
    agent.wait_for_workers()


def test_an_unknown_birth_is_asked_for_and_the_same_message_is_then_confirmed(
    tmp_path: Path, broker: Child, agent: Peer
) -> None:
    with working(Gateway(config(tmp_path, port_of(broker)), MemoryStore(), FixedClock())):
        agent.wait_for_workers("gw-1")
        agent.send(message(1))
        topic, payload = agent.next()
        assert topic == BRANCH.need_birth
        assert codec.decode(payload, NeedBirth).birth == message(1).birth
        agent.birth()
        agent.send(message(1))
        assert agent.confirmed().stored == [(1, crc(1))]


def test_a_worker_whose_store_is_away_for_five_seconds_leaves_and_comes_back_with_it(
    tmp_path: Path, broker: Child, agent: Peer
) -> None:
    store, clock = MemoryStore(), FixedClock()
    agent.birth()
    store.away = True
    with working(Gateway(config(tmp_path, port_of(broker)), store, clock)) as gateway:
        agent.send(message(1))  # nobody is there yet
        store.comes_back()
        clock.advance(1)
        agent.wait_for_workers("gw-1")
        store.away = True
        agent.send(message(2))  # taken, dropped, not confirmed
        until(lambda: gateway.stats()["unavailable"] == 1)
        clock.advance(4.9)
        for count in (2, 3):  # the second one comes after the worker has looked at the clock
            agent.send(message(2))
            until(lambda count=count: gateway.stats()["unavailable"] == count)  # type: ignore[misc]
        clock.advance(0.1)
        agent.wait_for_workers()
        agent.send(message(3))  # not taken
        store.comes_back()
        clock.advance(1)
        agent.wait_for_workers("gw-1")
        agent.send(message(4))
        assert agent.confirmed().stored == [(4, crc(4))]
        assert gateway.stats()["unavailable"] == 3
    assert [point.time_ns - T0 for point in store.read("press-1", 0, 2**63)] == [4]
    assert agent.inbox.empty()


def test_a_store_that_is_back_before_five_seconds_are_over_costs_no_presence(
    tmp_path: Path, broker: Child, agent: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store, clock = MemoryStore(), FixedClock()
    agent.birth()
    with working(Gateway(config(tmp_path, port_of(broker)), store, clock)) as gateway:
        agent.wait_for_workers("gw-1")
        store.away = True
        agent.send(message(1))
        until(lambda: gateway.stats()["unavailable"] == 1)
        store.comes_back()
        clock.advance(60)
        agent.send(message(2))
        assert agent.confirmed().stored == [(2, crc(2))]
        assert gateway.stats()["serving"] == 1
        until(lambda: "totals: {'messages': 3" in caplog.text)  # a minute has passed


def test_after_a_restart_of_the_broker_the_worker_is_back_and_confirms(
    tmp_path: Path, broker: Child, agent: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with working(Gateway(config(tmp_path, port_of(broker)), MemoryStore(), FixedClock())):
        agent.birth()
        agent.wait_for_workers("gw-1")
        broker.kill()
        with pytest.raises(queue.Empty):
            agent.next(1)  # the broker is away for a while
        broker.start()
        agent.wait_for_workers("gw-1")
        agent.send(message(1))  # this broker has forgotten the birth, the worker has not
        assert agent.confirmed().stored == [(1, crc(1))]
    lines = [record.getMessage() for record in caplog.records if record.name == "gateway.mqtt"]
    assert lines[0] == lines[-1] == "connected to the broker, MQTT 5"
    assert len(lines) <= 4, lines  # one line going, one while it is away, one coming


def test_a_refused_login_is_said_once_and_tried_again(
    tmp_path: Path, broker: Child, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "broker" / "mosquitto.conf"
    open_to_all = file.read_text()
    file.write_text(open_to_all.replace("allow_anonymous true", "allow_anonymous false"))
    broker.restart()
    settings = config(tmp_path, port_of(broker))
    secret = tmp_path / "password"
    secret.write_text("geheim")
    login = Broker.model_validate({**settings.mqtt.model_dump(), "user": "gw", "password": f"file:{secret}"})
    settings = settings.model_copy(update={"mqtt": login})
    with working(Gateway(settings, MemoryStore(), FixedClock())) as gateway:
        until(lambda: "the broker refuses us" in caplog.text)
        tries = broker.output().count("not authorised")
        until(lambda: broker.output().count("not authorised") > tries)
        assert caplog.text.count("the broker refuses us") == 1
        assert not gateway._link.connected
        broker.stop()
        file.write_text(open_to_all)
        broker.start()
        with peer(port_of(broker)) as one:
            one.wait_for_workers("gw-1")
    assert "geheim" not in caplog.text


def test_what_cannot_be_read_never_stops_what_comes_after_it(tmp_path: Path, broker: Child, agent: Peer) -> None:
    with working(Gateway(config(tmp_path, port_of(broker)), MemoryStore(), FixedClock())) as gateway:
        agent.birth()
        agent.wait_for_workers("gw-1")
        agent.publish(BRANCH.data, b"")
        agent.publish(BRANCH.data, b"\xff" * 1000)
        agent.publish(BRANCH.data, b"{}", zstd=False)
        agent.publish(BRANCH.data, codec.compress(b"[" * 400_000))
        agent.publish(BRANCH.birth("ab" * 16, 1, 1), b"\0")
        agent.publish("tsq/1/Hanil/x/data", b"x", qos=0)
        agent.publish(BRANCH.data, bytes(900_000))
        agent.send(message(1))
        assert agent.confirmed().stored == [(1, crc(1))]
        assert gateway.stats()["malformed"] == 7
        assert gateway.stats()["bugs"] == 0
    assert len(list(read(tmp_path / "letters"))) == 7


class Broken(MemoryStore):
    """Has a bug that one time stamp meets."""

    def write(self, points: Sequence[Point]) -> Sequence[Refusal]:
        """Divide by zero."""
        for point in points:
            _ = 1 // (point.time_ns - T0 - 1)
        return super().write(points)


def test_a_bug_met_by_one_message_leaves_it_unconfirmed_and_the_others_go_on(
    tmp_path: Path, broker: Child, agent: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    with working(Gateway(config(tmp_path, port_of(broker)), Broken(), FixedClock())) as gateway:
        agent.birth()
        agent.wait_for_workers("gw-1")
        agent.send(message(1))
        agent.send(message(2))
        assert agent.confirmed().stored == [(2, crc(2))]
        assert gateway.stats()["bugs"] == 1
    assert [record.exc_info is not None for record in caplog.records if record.levelname == "ERROR"] == [True]


class Fatal(MemoryStore):
    """Ends the thread that writes."""

    def write(self, points: Sequence[Point]) -> Sequence[Refusal]:
        """Raise what no thread survives."""
        del points
        raise SystemExit


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_gateway_with_a_dead_thread_ends_so_that_it_is_started_again(
    tmp_path: Path, broker: Child, agent: Peer
) -> None:
    gateway = Gateway(config(tmp_path, port_of(broker)), Fatal(), FixedClock())
    thread = threading.Thread(target=lambda: codes.append(gateway.run(threading.Event())))
    codes: list[int] = []
    thread.start()
    agent.birth()
    agent.wait_for_workers("gw-1")
    agent.send(message(1))
    thread.join(10)
    assert codes == [1]
    agent.wait_for_workers()


class Slow(MemoryStore):
    """Writes only when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def write(self, points: Sequence[Point]) -> Sequence[Refusal]:
        """Wait for the test."""
        self.entered.release()
        self.gate.acquire()
        return super().write(points)


def test_behind_a_slow_store_messages_wait_and_all_are_confirmed_in_the_end(
    tmp_path: Path, broker: Child, agent: Peer
) -> None:
    store = Slow()
    gateway = Gateway(config(tmp_path, port_of(broker)), store, FixedClock())
    with working(gateway):
        agent.birth()
        agent.wait_for_workers("gw-1")
        count = 3 * RECEIVE_MAXIMUM
        for seq in range(1, count + 1):
            agent.send(message(seq))  # returns with the broker's PUBACK, which waits for no store
        assert store.entered.acquire(timeout=10)
        store.gate.release(count)
        found = [seq for _ in range(count) for seq, _ in agent.confirmed().stored]
        assert found == list(range(1, count + 1))
        assert gateway.stats()["dropped"] == 0


def sent_until_confirmed(agent: Peer, seq: int) -> list[tuple[int, str]]:
    """Send a message again and again, as an agent does whose message met a full queue."""
    for _ in range(20):
        agent.send(message(seq))
        with contextlib.suppress(queue.Empty):
            return list(agent.confirmed(1).stored)
    pytest.fail("never confirmed")


def test_a_flood_without_qos_is_dropped_and_counted_and_never_fills_the_memory(
    tmp_path: Path, broker: Child, agent: Peer
) -> None:
    store = Slow()
    gateway = Gateway(config(tmp_path, port_of(broker)), store, FixedClock())
    with working(gateway):
        agent.birth()
        agent.wait_for_workers("gw-1")
        agent.send(message(1))
        assert store.entered.acquire(timeout=10)
        for number in range(2 * QUEUE_MESSAGES):
            agent.publish(BRANCH.data, b"%d" % number, qos=0)
        until(lambda: gateway.stats()["dropped"] >= QUEUE_MESSAGES // 2)
        store.gate.release(10)
        assert agent.confirmed().stored == [(1, crc(1))]
        assert sent_until_confirmed(agent, 2) == [(2, crc(2))]


def test_a_few_large_messages_fill_the_queue_as_many_small_ones_do(
    tmp_path: Path, broker: Child, agent: Peer
) -> None:
    store = Slow()
    gateway = Gateway(config(tmp_path, port_of(broker)), store, FixedClock())
    with working(gateway):
        agent.birth()
        agent.wait_for_workers("gw-1")
        agent.send(message(1))
        assert store.entered.acquire(timeout=10)
        size = 1_000_000
        for number in range(3 * QUEUE_BYTES // size):
            agent.publish(BRANCH.data, number.to_bytes(size), qos=0)
        until(lambda: gateway.stats()["dropped"] >= 1)
        assert len(gateway._turns) == QUEUE_BYTES // (size + OVERHEAD)
        store.gate.release(10)
        assert agent.confirmed().stored == [(1, crc(1))]
        assert sent_until_confirmed(agent, 2) == [(2, crc(2))]


def test_a_store_that_is_slow_for_all_makes_no_worker_leave_again_and_again(
    tmp_path: Path, broker: Child, agent: Peer
) -> None:
    store, clock = Slow(), FixedClock()
    other = Worker("gw-2", "1", "1")
    agent.birth()
    with working(Gateway(config(tmp_path, port_of(broker)), store, clock)) as gateway:
        agent.wait_for_workers("gw-1")
        agent.publish(topics.worker("gw-2"), codec.encode(other), retain=True, zstd=False)
        until(lambda: gateway._link.others)

        def takes(seq: int, seconds: float) -> None:
            agent.send(message(seq))
            assert store.entered.acquire(timeout=10)
            clock.advance(seconds)

        takes(1, AWAY_SECONDS + 1)  # it may hang
        agent.wait_for_workers("gw-2")
        store.gate.release()
        clock.advance(1)
        agent.wait_for_workers("gw-1", "gw-2")
        assert agent.confirmed().stored == [(1, crc(1))]
        for seq in (2, 3):  # it does not, it is slow
            takes(seq, AWAY_SECONDS + 1)
            time.sleep(1.5 * PROBE_SECONDS)
            assert gateway.stats()["serving"] == 1
            store.gate.release()
            assert agent.confirmed().stored == [(seq, crc(seq))]
        takes(4, SLOW_SECONDS + 1)
        agent.wait_for_workers("gw-2")
        store.gate.release()


def test_who_leaves_takes_no_more_data_before_others_are_told() -> None:
    link = Link(Broker(host="127.0.0.1", port=1), Worker("gw-1", "1", "1"), lambda _: None)
    said: list[str] = []

    class Recorded:
        def unsubscribe(self, topic_filter: str) -> None:
            said.append(topic_filter)

        def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
            assert retain
            assert not payload
            said.append(topic)

    link._leave(Recorded())  # type: ignore[arg-type]
    assert said == ["tsq/1/+/+/data", topics.worker("gw-1")]


def test_a_stop_waits_for_the_message_in_hand_but_not_for_a_hung_store(
    tmp_path: Path, broker: Child, agent: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    store = Slow()
    agent.birth()
    with working(Gateway(config(tmp_path, port_of(broker)), store, FixedClock())):
        agent.wait_for_workers("gw-1")
        agent.send(message(1))
        assert store.entered.acquire(timeout=10)
        timer = threading.Timer(STOP_SECONDS / 4, store.gate.release)
        timer.start()
    assert agent.confirmed().stored == [(1, crc(1))]
    timer.join()
    with working(Gateway(config(tmp_path, port_of(broker)), store, FixedClock())):
        agent.wait_for_workers("gw-1")
        agent.send(message(2))
        assert store.entered.acquire(timeout=10)
    agent.wait_for_workers()
    assert "not confirmed" in caplog.text
    assert agent.inbox.empty()
    store.gate.release()


def test_the_presence_is_the_payload_that_the_contract_names(tmp_path: Path, broker: Child) -> None:
    store = MemoryStore()
    with peer(port_of(broker)) as one, working(Gateway(config(tmp_path, port_of(broker)), store, FixedClock())):
        one.wait_for_workers("gw-1")
        seen: queue.Queue[bytes] = queue.Queue()
        one._client.message_callback_add(topics.worker("gw-1"), lambda *args: seen.put(bytes(args[2].payload)))
        one._client.subscribe(topics.worker("gw-1"), qos=1)
        presence = codec.decode(seen.get(timeout=10), Worker)
        assert (presence.worker, presence.since) == ("gw-1", str(T0))
