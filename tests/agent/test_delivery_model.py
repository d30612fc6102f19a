"""The delivery protocol as a whole: real spool, sender, gateway; a network that loses, doubles and reorders.

Hypothesis drives boxes (one, or two of which one runs on a copy of the other's disk), two gateway workers before
one store, and the network between. In the end everything works again, everything is drained, and the sum of
DESIGN 6 must come out entry by entry: its rows are in the store, or refused lines named in a gap, or the entry is
listed in exactly one gap that counts its rows. TSQ_EXAMPLES sets how many histories are played.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from agent.frame import Event, FrameBlock, Source, Value
from agent.sender import Sender
from agent.spool import Limits, Spool
from contract import codec, topics
from contract.topics import AgentTopics
from gateway.births import Births
from gateway.deadletter import DeadLetters
from gateway.ingest import Ingest
from tests.gateway.builders import FixedClock, MemoryStore
from tests.support.clocks import FakeClock
from tests.support.items import birth_of, source

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.stores.base import Point

pytestmark = pytest.mark.timeout(400)  # a failing history is made small before it is shown

EXAMPLES = int(os.environ.get("TSQ_EXAMPLES", "30"))
BRANCH = AgentTopics("hanil", "edge-1")
SMALL = 160_000  # bytes of a spool that is soon full: the empty file has 65 kB
UNLUCKY = 499  # a point with a value divisible by this is refused for ever

EITHER = st.integers(0, 1)
ANY = st.integers(0, 1000)

Row = tuple[str, int, str]  # source, time, field


class Sent(NamedTuple):
    """A message on its way to a worker."""

    topic: str
    payload: bytes
    content_type: str


class Network:
    """Between the boxes and the gateway. Retained topics are kept; everything else may get lost."""

    def __init__(self) -> None:
        self.up = True
        self.forth: list[Sent] = []
        self.back: list[tuple[str, bytes]] = []
        self.retained: dict[str, Sent] = {}

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, compressed: bool = False) -> bool:
        """Take a message of a box."""
        if not self.up:
            return False
        sent = Sent(topic, payload, codec.CONTENT_TYPE_ZSTD if compressed else codec.CONTENT_TYPE_JSON)
        if retain and not payload:
            self.retained.pop(topic, None)
        elif retain:
            self.retained[topic] = sent
        self.forth.append(sent)
        return True


class Port:
    """One box's side of the network."""

    def __init__(self, network: Network) -> None:
        self.publish = network.publish
        self.listeners: list[tuple[str, Callable[[str, bytes, bool], None]]] = []
        self.watchers: list[Callable[[bool], None]] = []

    def subscribe(self, topic_filter: str, listener: Callable[[str, bytes, bool], None]) -> None:
        """Register."""
        self.listeners.append((topic_filter, listener))

    def on_connection(self, watcher: Callable[[bool], None]) -> None:
        """Register."""
        self.watchers.append(watcher)

    def receive(self, topic: str, payload: bytes) -> None:
        """Hand a message to who has subscribed."""
        for topic_filter, listener in self.listeners:
            if topic_filter == topic or topic_filter.removesuffix("+") == topic.rsplit("/", 1)[0] + "/":
                listener(topic, payload, False)

    def connection(self, *, up: bool) -> None:
        """Say that the connection is ready or lost."""
        for watcher in self.watchers:
            watcher(up)


class Box:
    """An agent, as far as delivery is concerned, and what the model knows of it."""

    def __init__(self, folder: Path, network: Network, clock: FakeClock, name: str) -> None:
        self.folder, self.network, self.clock, self.name = folder, network, clock, name
        self.entries: dict[tuple[str, int], set[Row]] = {}  # all that was ever committed here
        self.shared: set[tuple[str, int]] = set()  # came with a copied disk
        self.gaps: set[str] = set()
        self.waiting: list[int] = []  # times of rows put and not yet committed
        self.lost: list[int] = []  # times of rows that died with the process
        self.spilt: list[int] = []  # times of rows that found the ring too old
        self.signals = 40
        self.number = 0
        self.open()

    def open(self) -> None:
        """Start the process."""
        self.clock.advance(0.001)  # two boxes with one agent id would else stamp events alike
        self.source: Source = source("plc.main", self.signals)
        self.spool = Spool(
            self.folder,
            birth=birth_of("hanil", "main", "edge-1", [self.source]),
            sources=[self.source],
            limits=Limits(max_bytes=SMALL, min_free_bytes=0),
            fingerprint=lambda: self.name,
        )
        self.spool.begin(self.clock)
        self.seen = self.spool._journal.seq
        self.port = Port(self.network)
        self.sender = Sender(self.spool, self.port, BRANCH, self.clock)
        if self.network.up:
            self.port.connection(up=True)

    def crash(self) -> None:
        """End the process without a word: what is in memory is gone."""
        self.lost += self.waiting
        self.waiting = []
        self.spool._journal.close()

    def read(self, frames: int) -> None:
        """Read the device."""
        rng = np.random.default_rng(self.number)
        self.number += 1
        for _ in range(frames):
            self.clock.advance(0.01)
            values: list[Value] = [int(v) for v in rng.integers(1, 2**31, self.signals)]
            n = len(values)
            self.spool.put(
                FrameBlock(
                    source=self.source,
                    signal=np.arange(n, dtype=np.int32),
                    time_ns=np.full(n, self.clock.now(), np.int64),
                    value=values,
                    status=np.zeros(n, np.uint32),
                )
            )
            self.waiting.append(self.clock.now())

    def commit(self) -> None:
        """Let the spool's thread have its second, and note what it committed."""
        self.clock.advance(1)
        self.spool.tick()
        offered, self.waiting = self.waiting, []
        taken: set[int] = set()
        for committed in self.spool._journal.replay(self.seen):
            self.seen = committed.seq
            rows: set[Row] = set()
            for item in committed.items:
                if isinstance(item, FrameBlock):
                    rows |= {
                        (item.source.id, t, f"{item.source.signals[s].id}_i")
                        for s, t in zip(item.signal.tolist(), item.time_ns.tolist(), strict=True)
                    }
                elif isinstance(item, Event) and item.kind == "gap":
                    self.gaps.add(str(item.body["gap_id"]))
            self.entries[self.spool.id, committed.seq] = rows
            taken |= {time for _, time, _ in rows}
        self.spilt += [time for time in offered if time not in taken]


class DeliveryMachine(RuleBasedStateMachine):
    """Everything that can happen between a reading and the store."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="tsq-delivery-"))
        self.clock = FakeClock()
        self.gateway_clock = FixedClock()
        self.network = Network()
        self.store = MemoryStore(self._refuses)
        self.picky = False
        self.letters: list[DeadLetters] = []
        self.workers = [self._worker(0), self._worker(1)]
        self.boxes = [Box(self.folder / "first", self.network, self.clock, "first")]
        self.refused: dict[Row, int] = {}

    def teardown(self) -> None:
        try:
            self._drain()
            for box in self.boxes:
                self._check(box)
        finally:
            for box in self.boxes:
                box.spool._journal.close()
            for letters in self.letters:
                letters.close()
            shutil.rmtree(self.folder)

    # The world

    def _refuses(self, point: Point) -> str | None:
        if (
            self.picky
            and point.measurement != "tsq_event"
            and any(isinstance(v, int) and v % UNLUCKY == 0 for v in point.fields.values())
        ):
            return "unlucky"
        return None

    def _worker(self, number: int) -> Ingest:
        letters = DeadLetters(self.folder / f"letters-{number}", 10**9, f"w{number}", self.gateway_clock)
        self.letters.append(letters)
        worker = Ingest(f"w{number}", self.store, Births(), letters, self.gateway_clock)
        for sent in self.network.retained.values():
            worker.handle(*sent)
        return worker

    def _deliver(self, sent: Sent, worker: int) -> None:
        if "/birth/" in sent.topic:
            for each in self.workers:
                each.handle(*sent)
            return
        for outgoing in self.workers[worker].handle(*sent):
            self.network.back.append((outgoing.topic, outgoing.payload))

    def _receive(self, topic: str, payload: bytes) -> None:
        for box in self.boxes:
            box.port.receive(topic, payload)

    # What happens

    @initialize(picky=st.booleans())
    def begin(self, picky: bool) -> None:  # noqa: FBT001 - hypothesis passes names
        self.picky = picky

    @rule(box=EITHER, frames=st.integers(1, 12))
    def read_and_commit(self, box: int, frames: int) -> None:
        one = self.boxes[box % len(self.boxes)]
        one.read(frames)
        one.commit()

    @rule(box=EITHER)
    def read_only(self, box: int) -> None:
        self.boxes[box % len(self.boxes)].read(1)

    @rule(box=EITHER, times=st.integers(2, 12))
    def read_for_long(self, box: int, times: int) -> None:
        for _ in range(times):
            self.read_and_commit(box, 20)

    @rule(box=EITHER)
    def send(self, box: int) -> None:
        self.boxes[box % len(self.boxes)].sender.step()

    @rule(seconds=st.sampled_from([1, 11, 70, 400]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.gateway_clock.advance(seconds)

    @precondition(lambda self: self.network.forth)
    @rule(place=ANY, worker=EITHER, copies=st.integers(1, 2))
    def deliver(self, place: int, worker: int, copies: int) -> None:
        sent = self.network.forth.pop(place % len(self.network.forth))
        for i in range(copies):
            self._deliver(sent, (worker + i) % 2)

    @precondition(lambda self: self.network.forth)
    @rule(place=ANY)
    def lose(self, place: int) -> None:
        self.network.forth.pop(place % len(self.network.forth))

    @precondition(lambda self: self.network.back)
    @rule(place=ANY, copies=st.integers(1, 2))
    def confirm(self, place: int, copies: int) -> None:
        topic, payload = self.network.back.pop(place % len(self.network.back))
        for _ in range(copies):
            self._receive(topic, payload)

    @precondition(lambda self: self.network.back)
    @rule(place=ANY)
    def lose_confirmation(self, place: int) -> None:
        self.network.back.pop(place % len(self.network.back))

    @rule()
    def network_changes(self) -> None:
        self.network.up = not self.network.up
        self.network.forth.clear()
        for box in self.boxes:
            box.port.connection(up=self.network.up)

    @rule()
    def store_changes(self) -> None:
        self.store.away = not self.store.away

    @rule(worker=EITHER)
    def worker_restarts(self, worker: int) -> None:
        self.workers[worker] = self._worker(worker)
        self._receive(topics.worker(f"w{worker}"), b"{}")

    @rule(box=EITHER)
    def box_restarts(self, box: int) -> None:
        one = self.boxes[box % len(self.boxes)]
        one.crash()
        one.open()

    @rule(box=EITHER)
    def configuration_changes(self, box: int) -> None:
        one = self.boxes[box % len(self.boxes)]
        one.crash()
        one.signals = 41 if one.signals == 40 else 40
        one.open()

    @rule(box=EITHER)
    def births_are_damaged(self, box: int) -> None:
        one = self.boxes[box % len(self.boxes)]
        one.crash()
        with sqlite3.connect(one.folder / "spool.db") as db:
            db.execute("UPDATE birth SET body = x'00'")
        db.close()
        shutil.rmtree(one.folder / "births")  # their second copies
        one.signals = 41 if one.signals == 40 else 40
        one.open()

    @precondition(lambda self: len(self.boxes) == 1 and self.boxes[0].gaps <= {""})
    @rule()
    def disk_is_copied(self) -> None:
        first = self.boxes[0]
        if first.spool._journal._db.execute("SELECT count(*) FROM dropped").fetchone()[0]:
            return
        first.crash()
        shutil.copytree(first.folder, self.folder / "second")
        first.open()
        second = Box(self.folder / "second", self.network, self.clock, "second")
        second.number = 10**6
        second.entries |= first.entries
        first.shared |= set(first.entries)
        second.shared |= set(first.entries)
        self.boxes.append(second)

    # How it ends

    def _drain(self) -> None:
        self.store.away = False
        self.network.forth.clear()
        self.network.back.clear()
        if not self.network.up:  # otherwise patience alone has to bring everything back
            self.network.up = True
            for box in self.boxes:
                box.port.connection(up=True)
        for turn in range(200):
            for box in self.boxes:
                if turn < 4:
                    box.read(1)
                box.commit()
                box.sender.step()
            self._exchange(turn)
            self.clock.advance(6)
            self.gateway_clock.advance(6)
            if not any(box.spool.stats().entries for box in self.boxes):
                return
        raise AssertionError([box.spool.stats() for box in self.boxes])

    def _exchange(self, turn: int) -> None:
        """Carry everything both ways; at first data is lost, then confirmations: only patience brings them back."""
        for sent in self.network.forth:
            if turn >= 2 or "/birth/" in sent.topic:
                self._deliver(sent, 0)
        for topic, payload in self.network.back:
            if turn != 3:
                self._receive(topic, payload)
        self.network.forth.clear()
        self.network.back.clear()

    def _check(self, box: Box) -> None:
        stored: set[Row] = set()
        gaps: dict[str, tuple[int, dict[str, object]]] = {}
        off: list[tuple[int, int]] = []
        for (measurement, tags, time), fields in self.store.held.items():
            if measurement != "tsq_event":
                stored |= {(dict(tags)["source"], time, field) for field in fields}
                continue
            body = json.loads(str(fields["body_s"]))
            if body.get("cause") == "agent_off":
                off.append((int(fields["from_i"]), int(fields["to_i"])))
            elif "gap_id" in body and body["gap_id"] in box.gaps and time > gaps.get(body["gap_id"], (0, {}))[0]:
                gaps[body["gap_id"]] = (time, body)
        bodies = [body for _, body in gaps.values()]
        given_up = [b for b in bodies if b["cause"] != "rejected" and b["stage"] == "spool"]
        spilt = [b for b in bodies if b["stage"] == "ring"]
        refused = [b for b in bodies if b["cause"] == "rejected"]
        counted = dict.fromkeys((id(b) for b in bodies), 0)
        for key, rows in box.entries.items():
            lists = [(b, run) for b in given_up for run in _runs(b, key)]
            rejected = [b for b in refused if _runs(b, key)]
            assert len(lists) <= 1, f"{key} stands in {len(lists)} gaps"
            assert len(rejected) <= 1
            there = rows & stored
            if lists:
                body, run = lists[0]
                counted[id(body)] += len(rows)
                assert not rejected
                assert not there or run == "yes" or key in box.shared, f"{key} was sent, and its gap says no"
            elif rejected:
                assert rejected[0]["rows"] == len(rows - stored), f"{key}: refused rows"
            else:
                assert rows <= stored, (
                    f"{box.name} {key}: {len(rows - stored)} of {len(rows)} rows are nowhere {bodies}"
                )
        for body in given_up:
            assert body["rows"] == counted[id(body)], f"{body} counts other rows than its entries have"
        assert all(any(_covers(b, time) for b in spilt) for time in box.spilt), "rows that found the ring too old"
        for time in box.lost:
            assert any(start <= time <= end for start, end in off), f"{time} is in no gap of an agent that was off"


def _runs(body: dict[str, object], key: tuple[str, int]) -> list[str]:
    spool, seq = key
    runs = body["entries"]
    assert isinstance(runs, list)
    return [sent for first, last, sent in runs if body["spool"] == spool and first <= seq <= last]


def _covers(body: dict[str, object], time: int) -> bool:
    sources = body["sources"]
    assert isinstance(sources, dict)
    return any(int(span["first"]) <= time <= int(span["last"]) for span in sources.values())


TestDelivery = DeliveryMachine.TestCase
TestDelivery.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
