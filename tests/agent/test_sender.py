"""What comes in from the broker: whatever it says, the spool goes on, and memory stays bounded."""

from __future__ import annotations

import contextlib
import secrets
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from agent.errors import WireError
from agent.sender import INBOX, Sender
from agent.spool import Limits, Spool, moving
from contract import codec, topics
from contract.payload import Data, Worker
from contract.topics import AgentTopics
from tests.support.clocks import FakeClock
from tests.support.items import birth_of, frame, source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

A = source("a.main")
BRANCH = AgentTopics("hanil", "edge-1")


class Line:
    """A link that keeps what is published and hands on what the test receives."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.payloads: list[bytes] = []
        self.listeners: dict[str, Callable[[str, bytes, bool], None]] = {}
        self.watchers: list[Callable[[bool], None]] = []

    def subscribe(self, topic_filter: str, listener: Callable[[str, bytes, bool], None]) -> None:
        """Remember a listener."""
        self.listeners[topic_filter] = listener

    def on_connection(self, watcher: Callable[[bool], None]) -> None:
        """Remember a watcher."""
        self.watchers.append(watcher)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, compressed: bool = False) -> bool:
        """Keep it."""
        assert retain or compressed
        self.sent.append(topic)
        self.payloads.append(payload)
        return True

    def receive(self, topic: str, payload: str) -> None:
        """Let a message come in."""
        self.listeners[topic](topic, payload.encode(), False)


def begun(folder: Path) -> tuple[Spool, Line, Sender, FakeClock]:
    """Return a sender over a spool with one entry of three rows."""
    clock = FakeClock()
    spool = Spool(
        folder, birth=birth_of("hanil", "main", "edge-1", [A]), sources=[A],
        limits=Limits(min_free_bytes=0), fingerprint=lambda: "box", account=lambda *_: {},
    )  # fmt: skip
    spool.begin(clock)
    spool.put(frame(A, clock.now()))
    spool.tick()
    line = Line()
    return spool, line, Sender(spool, line, BRANCH, clock), clock


def stored(spool: Spool, refs: str, rejected: str = "[]", at: str = "5") -> str:
    return (
        f'{{"spool":"{spool.id}","stored":{refs},"rejected":{rejected},'
        f'"committed_at":"{at}","clock_trusted":true,"worker":"w"}}'
    )


@pytest.mark.parametrize(
    ("refs", "rejected", "at"),
    [
        ('[[1,"00112233445566778"]]', "[]", "5"),
        ('[[18446744073709551615,"0011223344556677"]]', "[]", "5"),
        ('[[1,"CRC"]]', "[]", "yesterday"),
        ('[[1,"CRC"]]', "[]", "9" * 5000),
        ("[]", '[[1,"CRC","r",[["a.main","x","y",5]]]]', "5"),
        ("[]", '[[1,"CRC","r",[["a.main","1","2",-5]]]]', "5"),
        ("[]", f'[[1,"CRC","r",[["{"a" * 200}","1","2",5]]]]', "5"),
    ],
)
def test_a_confirmation_that_says_nonsense_frees_nothing_and_stops_nothing(
    tmp_path: Path, refs: str, rejected: str, at: str
) -> None:
    spool, line, sender, clock = begun(tmp_path)
    (waiting,) = spool.unconfirmed(0, None, 10)
    line.receive(BRANCH.stored, stored(spool, refs, rejected, at).replace("CRC", waiting.crc))
    sender.step()
    spool.put(frame(A, clock.now() + 10**9))
    spool.tick()
    assert [e.seq for e in spool.unconfirmed(0, None, 10)] == [1, 2]
    line.receive(BRANCH.stored, stored(spool, f'[[1,"{waiting.crc}"]]'))
    sender.step()
    spool.tick()
    assert [e.seq for e in spool.unconfirmed(0, None, 10)] == [2]
    spool.stop()


def test_values_that_the_store_refuses_are_said_once_for_each_source(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool, line, sender, clock = begun(tmp_path)
    for second in range(3):
        waiting = spool.unconfirmed(0, None, 10)[-1]
        rows = f'[["{A.id}","1","2",1]]'
        line.receive(BRANCH.stored, stored(spool, "[]", f'[[{waiting.seq},"{waiting.crc}","too large",{rows}]]'))
        sender.step()
        spool.put(frame(A, clock.now() + (second + 1) * 10**9))
        spool.tick()
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert A.id in record.message
    assert "too large" in record.message
    for number in range(3000):
        sender._say_refused([f"made-up-{number}"], "")
    assert len(caplog.records) == len(sender._refused) == 1000
    spool.stop()


def test_requests_for_births_that_nobody_has_leave_no_trace_but_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool, line, sender, _ = begun(tmp_path)
    for _ in range(50):
        line.receive(BRANCH.need_birth, f'{{"birth":"{secrets.token_hex(16)}"}}')
        sender.step()
    assert len(caplog.records) == 1
    assert len(sender._said) == 1
    assert not line.sent
    line.receive(BRANCH.need_birth, f'{{"birth":"{spool.birth}"}}')
    sender.step()
    assert line.sent == [BRANCH.birth(spool.birth, 1, 1)]
    spool.stop()


def test_a_birth_goes_in_parts_that_the_broker_takes_and_all_of_them_are_cleared(tmp_path: Path) -> None:
    many = source("a.main", signals=2000)
    birth = birth_of("hanil", "main", "edge-1", [many])
    names = [replace(signal, name=secrets.token_hex(8)) for signal in birth.sources[0].signals]
    birth = replace(birth, sources=[replace(birth.sources[0], signals=names)])
    spool = Spool(
        tmp_path, birth=birth, sources=[many], limits=Limits(min_free_bytes=0), fingerprint=lambda: "box",
        account=lambda *_: {},
    )  # fmt: skip
    spool.begin(FakeClock())
    line, largest = Line(), 8000
    sender = Sender(spool, line, BRANCH, FakeClock(), lambda: largest)
    line.receive(BRANCH.need_birth, f'{{"birth":"{spool.birth}"}}')
    sender.step()
    n = len(line.sent)
    assert n > 2
    assert line.sent == [BRANCH.birth(spool.birth, i, n) for i in range(1, n + 1)]
    assert max(map(len, line.payloads)) <= largest
    body = spool.birth_named(spool.birth)
    assert body is not None
    assert b"".join(codec.decompress(part, codec.BIRTH_PART_LIMIT) for part in line.payloads) == body
    line.sent.clear()
    assert sender._clear(spool.birth, body)
    assert {BRANCH.birth(spool.birth, n, n), BRANCH.birth(spool.birth, 1, len(codec.birth_parts(body)))} <= {
        *line.sent
    }
    spool.stop()


def test_a_flood_of_messages_does_not_make_us_miss_that_we_are_connected(tmp_path: Path) -> None:
    spool, line, sender, clock = begun(tmp_path)
    line.watchers[0](True)
    for _ in range(2 * INBOX):
        line.receive(BRANCH.stored, "{}")
    sender.step()
    clock.advance(2)
    sender.step()
    assert line.sent == [BRANCH.birth(spool.birth, 1, 1), BRANCH.data]
    spool.stop()


def test_workers_of_other_factories_come_and_go_without_a_repetition(tmp_path: Path) -> None:
    spool, line, sender, clock = begun(tmp_path)
    line.watchers[0](True)
    listener = line.listeners[topics.worker("+")]

    def worker(name: str, factory: str = "", *, here: bool = True) -> int:
        """Return how many messages of data a word of a worker leads to."""
        presence = codec.encode(Worker(name, "1", "1", factory)) if here else b""
        before = line.sent.count(BRANCH.data)
        listener(topics.worker(name), presence, False)
        sender.step()
        return line.sent.count(BRANCH.data) - before

    assert worker("ours", "hanil") == 1
    clock.advance(1)
    assert [worker("theirs", "daehan"), worker("theirs", here=False), worker("theirs", "daehan")] == [0, 0, 0]
    assert worker("of-all") == 1
    assert worker("theirs", "hanil") == 0, "has another factory now, and what is on its way was repeated just now"
    clock.advance(10)
    assert worker("theirs", here=False) == 1
    spool.stop()


def test_what_is_let_go_is_sent_although_as_much_is_held_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 1)
    spool, line, sender, clock = begun(tmp_path)
    line.watchers[0](True)

    def doubt() -> int:
        clock.epoch, clock.trusted = clock.epoch + 1, False
        spool.doubt(clock.epoch, clock.anchor_ns)
        return clock.epoch

    def second() -> None:
        spool.put(frame(A, clock.now()))
        clock.advance(1)
        spool.tick()
        sender.step()

    epoch = doubt()
    for _ in range(4):
        second()
    clock.epoch, clock.trusted = clock.epoch + 1, True
    assert spool.vouch(epoch, 1000, clock.epoch)
    second()
    doubt()
    for _ in range(10):  # one is held and one is let go in each
        second()
    assert spool.stats().held_entries == 10
    found = set()
    for _ in range(100):
        for raw in line.payloads:
            with contextlib.suppress(WireError):
                found |= {seq for seq, _ in codec.decode(codec.decompress(raw, codec.DATA_LIMIT), Data).entries}
        waiting = [e for e in spool.unconfirmed(0, None, 100) if e.seq in found]
        if waiting:
            refs = ",".join(f'[{e.seq},"{e.crc}"]' for e in waiting)
            line.receive(BRANCH.stored, stored(spool, f"[{refs}]"))
        clock.advance(1)
        spool.tick()
        sender.step()
    assert not spool.unconfirmed(0, None, 100)
    spool.stop()
