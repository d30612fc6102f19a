"""Questions about the time: which answer belongs to which, and what of it is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.gatewaytime import GatewayTime
from contract import codec
from contract.payload import Data, Stored
from contract.topics import AgentTopics
from gateway.births import Births
from gateway.clock import SystemClock as GatewayClock
from gateway.deadletter import DeadLetters
from gateway.ingest import Ingest
from settings.kernelclock import DOUBLE
from settings.released import RELEASED_NS
from tests.gateway.builders import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Listener = Callable[[str, bytes, bool], None]

TOPICS = AgentTopics("hanil", "edge-1")
BIRTH = "0123456789abcdef"


class Wire:
    """An uplink that keeps what is published, and delivers what a test says."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.up = True
        self.listeners: dict[str, Listener] = {}

    def subscribe(self, topic_filter: str, listener: Listener) -> None:
        self.listeners[topic_filter] = listener

    def on_connection(self, watcher: Callable[[bool], None]) -> None:
        watcher(self.up)

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, compressed: bool = False, wait_s: float = 5
    ) -> bool:
        del wait_s
        assert (topic, retain, compressed) == (TOPICS.data, False, True)
        if self.up:
            self.sent.append(payload)
        return self.up

    def hear(self, stored: Stored) -> None:
        self.listeners[TOPICS.stored](TOPICS.stored, codec.encode(stored), False)


def question(wire: Wire) -> Data:
    return codec.decode(codec.decompress(wire.sent[-1], codec.DATA_LIMIT), Data)


class Box:
    """An agent's clock whose wall was wrong by an hour, and its link."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "kernel").write_text('{"synchronised": false}')
        monkeypatch.setenv(DOUBLE, str(tmp_path / "kernel"))
        self.clock = SystemClock(3)
        self.wire = Wire()
        self.link = GatewayTime(self.wire, TOPICS, self.clock)
        self.passed: list[bytes] = []
        self.link.subscribe(TOPICS.stored, lambda _, raw, __: self.passed.append(raw))

    def stored(self, spool: str, off_ns: int = 0, *, trusted: bool = True) -> Stored:
        return Stored(spool, [], str(GatewayClock().now() + off_ns), clock_trusted=trusted, worker="w")


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(tmp_path, monkeypatch)


def test_a_worker_s_answer_is_taken(box: Box, tmp_path: Path) -> None:
    worker = Ingest(
        "w",
        MemoryStore(),
        Births(),
        DeadLetters(tmp_path / "d", 10**6, "w", GatewayClock()),
        GatewayClock(trust=True),
    )
    box.link.ask(BIRTH)
    (answer,) = worker.handle(TOPICS.data, box.wire.sent[-1], codec.CONTENT_TYPE_ZSTD)
    box.wire.listeners[TOPICS.stored](answer.topic, answer.payload, False)
    assert box.passed == []
    change = box.clock.look()
    assert change is not None
    assert (change.after.source, change.after.epoch) == ("gateway", 4)
    assert box.clock.trusted
    assert abs(box.clock.now() - GatewayClock().now()) < 2 * 10**9


def test_only_the_answer_to_the_open_question_counts(box: Box) -> None:
    box.link.ask(BIRTH)
    late = question(box.wire).spool
    box.link.ask(BIRTH)
    box.wire.hear(box.stored(late, 3600 * 10**9))
    assert box.clock.look() is None, "an answer to an earlier question lay somewhere for who knows how long"
    box.wire.hear(box.stored(question(box.wire).spool))
    assert box.clock.look() is not None
    box.wire.hear(box.stored(question(box.wire).spool, 3600 * 10**9))
    assert box.link.answers == 1, "each question has one answer"


def test_confirmations_pass(box: Box) -> None:
    box.link.ask(BIRTH)
    spool = question(box.wire).spool
    box.wire.hear(Stored(spool, [(1, "0" * 16)], "5", clock_trusted=True, worker="w"))
    box.wire.hear(Stored("another", [], "5", clock_trusted=True, worker="w"))
    assert len(box.passed) == 2
    assert box.clock.look() is None


@pytest.mark.parametrize("time_ns", [0, RELEASED_NS - 1, 2**62, 10**29, -5])
def test_a_time_that_cannot_be_is_not_taken(box: Box, time_ns: int) -> None:
    box.link.ask(BIRTH)
    box.wire.hear(Stored(question(box.wire).spool, [], str(time_ns), clock_trusted=True, worker="w"))
    assert box.clock.look() is None


def test_a_worker_that_is_not_sure_says_nothing(box: Box) -> None:
    box.link.ask(BIRTH)
    box.wire.hear(box.stored(question(box.wire).spool, trusted=False))
    assert box.clock.look() is None


def test_a_question_that_did_not_go_out_has_no_answer(box: Box) -> None:
    box.wire.up = False
    box.link.ask(BIRTH)
    assert box.wire.sent == []
    box.wire.hear(box.stored("x"))
    assert len(box.passed) == 1
