"""Malformed messages and packets against a running gateway, while a healthy agent's sequence goes on.

    rogue ----payloads---> mosquitto <---> tap <---> gateway -> store
    healthy agent -----------^             ^
                                     packets of no honest broker, between the broker's own

The tap is a relay that cuts the broker's stream into packets and puts its own between them: PUBLISH packets with
odd topics, properties and payloads, which reach the decoder, and now and then one that no client can bear, after
which the gateway must come back by itself. Afterwards the same process runs, its memory is bounded, and everything
that the healthy agent has sent is stored once and confirmed.

`python -m tests.fuzz --live 200000`; a short run stands in `make test`.
"""

from __future__ import annotations

import ast
import contextlib
import logging
import random
import re
import select
import socket
import threading
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

from contract import codec
from gateway.stores.embedded import EmbeddedStore
from tests.e2e.rig import gateway_yaml, tool, until
from tests.e2e.test_fairness import Sender, rows
from tests.fuzz.storm import ROGUE, ROGUE_BIRTH, Storm
from tests.support.brokers import mosquitto
from tests.support.processes import Child, free_port
from tests.support.processes import running as child_running

logger = logging.getLogger(__name__)

PACE = 1000  # a second: what comes faster than it can be handled is dropped unread, and would prove nothing
FATAL = 400  # one packet in so many is one that no client can bear
EVERY_S = 0.2
PATIENCE_S = 5.0  # until the healthy agent sends again
GROWTH_MB = 300.0
PUBLISH = 0x30
MARK = b"\xfd\xe8"
"""Packet id of a message of the tap's own, whose acknowledgement says that all before it was read."""


class Report(NamedTuple):
    """What came of it."""

    messages: int  # that the decoder has handled, the healthy agent's included
    packets: int  # of the tap, read by the gateway
    fatal: int  # of the tap, that no client can bear; what came behind them in the same breath is not counted
    totals: dict[str, int]  # of the gateway, at its end
    healthy: int  # messages of the healthy agent, all stored and confirmed
    slowest_s: float  # confirmation, the times without a connection included
    grown_mb: float


def string(text: bytes) -> bytes:
    return len(text).to_bytes(2) + text


def varint(value: int) -> bytes:
    out = b""
    while True:
        value, low = divmod(value, 128)
        out += bytes([low | 0x80 * (value > 0)])
        if not value:
            return out


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + varint(len(body)) + body


class Packets:
    """Packets of no honest broker."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._storm = Storm(chance)

    def bearable(self) -> bytes:
        """Return a PUBLISH whose frame is right, with a mutant in it and odd properties around it."""
        mutant, chance = self._storm.next(), self._chance
        topic = mutant.topic.encode("utf-8", "replace").replace(b"\x00", b"?")[:2000] or b"x"
        topic = re.sub(rb"[#+]", b"_", topic)
        kind = mutant.content_type
        properties = b"" if kind is None else b"\x03" + string(kind.encode().replace(b"\x00", b""))
        properties += chance.choice((b"", b"", b"\x01\x01", b"\x01\x00", b"\x02\x00\x00\x00\x01"))
        for _ in range(chance.choice((0, 0, 1, 3))):
            properties += b"\x26" + string(b"k" * chance.randint(0, 50)) + string(b"v")
        # without QoS: a PUBACK that the broker does not expect would end the connection
        return packet(
            PUBLISH | chance.choice((0, 1)), string(topic) + varint(len(properties)) + properties + mutant.payload
        )

    def fatal(self) -> bytes:
        """Return what no broker may send."""
        chance = self._chance
        good = packet(PUBLISH, string(ROGUE.data.encode()) + b"\x00" + b"x")
        a, end = string(b"a"), b"\x00"
        connect = b"\x00\x04MQTT\x05\x00\x00\x00\x00\x00\x00"
        twice = varint(8) + b"\x03" + string(b"x") + b"\x03" + string(b"y")
        bodies = {
            PUBLISH: (
                string(b"\xff\xfe") + end, string(b"a\x00b") + end, string(b"tsq/1/+/#") + end, b"\xff\xff", b"",
                a + b"\x05\x7f\x00", a + b"\xff\xff\xff\xff\x7f", a + b"\x03\x23\xff\xff", a + twice,
            ),
            PUBLISH | 2: (a + b"\x00\x00\x00", a + b"\x00\x07\x00x"),  # packet id 0; one that the broker never gave
            PUBLISH | 4: (a + b"\x00\x09\x00x",),  # QoS 2
            PUBLISH | 6: (a + b"\x00\x01\x00",),  # QoS 3
            0x40: (b"", b"\x00", b"\xff\xff\xff\xff"), 0x50: (b"\x00\x01",), 0x62: (b"\x00\x01",),
            0x90: (b"\x00\x01\x00\xff", b""), 0xB0: (b"\x00",), 0x20: (b"\x00\x00\x00", b""), 0x10: (connect,),
            0xC0: (b"",), 0xD0: (b"abc",), 0xE0: (b"\x8e", b"", b"\xff\xff"), 0xF0: (b"", b"\x18\x02\x15\x00"),
            0x00: (b"",), 0x82: (b"\x00\x01",),
        }  # fmt: skip
        whole = [packet(first, body) for first, some in bodies.items() for body in some]
        whole += [b"\x30\xff\xff\xff\xff\xff", b"\x30\xff\xff\xff\x7f" + bytes(100), good[:-1] + good, b"\xff" * 40]
        return chance.choice([*whole, chance.randbytes(chance.randint(1, 60))])


class Tap:
    """A relay before a broker that adds packets of its own to what it says to the gateway.

    Args:
        broker: Port of the broker.
        chance: Decides which packets.
        packets: How many the gateway has to read in all.
    """

    def __init__(self, broker: int, chance: random.Random, packets: int) -> None:
        self.port = free_port()
        self.wanted = packets
        self.read = 0  # up to an acknowledgement that the gateway has sent behind them
        self.fatal = 0
        self.open = threading.Event()  # begin
        self._broker = broker
        self._chance = chance
        self._packets = Packets(chance)
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.settimeout(0.2)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """End all connections."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                client, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._relay, args=(client,)))
                self._threads[-1].start()

    def _relay(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._broker)) as broker, contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            broker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            held, worker, ready = b"", False, time.monotonic() + 0.3
            marked = 0  # packets since the last mark
            while not self._stop.is_set():
                readable, _, _ = select.select([client, broker], [], [], 0.005)
                if client in readable:
                    said = client.recv(65536)
                    if not said:
                        return
                    worker |= b"tsq-gateway-worker-1" in said
                    answer = b"\x40\x02" + MARK
                    if marked and answer in said:
                        self.read += marked
                        marked = 0
                    broker.sendall(said.replace(answer, b""))  # which the broker would not understand
                if broker in readable:
                    said = broker.recv(65536)
                    if not said:
                        return
                    held = self._pass_on(client, held + said)
                calm = worker and not held and not marked and time.monotonic() > ready
                if calm and self.open.is_set() and self.read < self.wanted:
                    ready = time.monotonic() + 0.02
                    marked = self._add(client)

    def _pass_on(self, client: socket.socket, stream: bytes) -> bytes:
        """Hand on whole packets; return what is left."""
        whole = 0
        while True:
            size, at, shift = 0, whole + 1, 0
            while at < len(stream):
                size |= (stream[at] & 0x7F) << shift
                shift += 7
                at += 1
                if not stream[at - 1] & 0x80:
                    break
            else:
                break
            if at + size > len(stream):
                break
            whole = at + size
        client.sendall(stream[:whole])
        return stream[whole:]

    def _add(self, client: socket.socket) -> int:
        count = 0
        while count < PACE // 50:
            count += 1
            if self._chance.randrange(FATAL) == 0:
                self.fatal += 1
                client.sendall(self._packets.fatal())
                break
            client.sendall(self._packets.bearable())
        client.sendall(packet(PUBLISH | 2, string(ROGUE.data.encode()) + MARK + b"\x00x"))
        return count


class Healthy:
    """An agent whose every entry must arrive: what is not confirmed is sent again."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.times: dict[int, int] = {}
        self._stop = threading.Event()
        self._first: dict[int, float] = {}
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        seq = 0
        due: dict[int, float] = {}
        while not self._stop.is_set() or due:
            now = time.monotonic()
            if not self._stop.is_set():
                seq += 1
                self.times[seq] = time.time_ns()
                due[seq] = now
            for one, at in list(due.items()):
                if one in self.sender.took:
                    del due[one]
                elif at <= now:
                    due[one] = now + PATIENCE_S
                    first = self._first.setdefault(one, now)
                    self.sender.send(one, [rows(one, [self.times[one]], float(one))])
                    self.sender.sent[one] = first
            self._stop.wait(EVERY_S) if not self._stop.is_set() else time.sleep(EVERY_S)

    def served(self) -> bool:
        """Whether the gateway is there: what is sent while it is not would not be read."""
        return max(self.sender.took, default=0) + 5 > len(self.times)

    def end(self, seconds: float = 60) -> float:
        """Send no more, wait for the confirmations; return how long the slowest took."""
        self._stop.set()
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the healthy agent's entries are not confirmed"
        return max(self.sender.took.values())


def run(folder: Path, messages: int, packets: int, seed: int) -> Report:
    """Do it; every promise is checked.

    Args:
        folder: For logs, store and dead letters.
        messages: How many the gateway's decoder has to handle, whichever way they come.
        packets: How many of the tap's packets the gateway has to read.
        seed: Decides everything but the timing.
    """
    with child_running(mosquitto(folder / "broker")) as broker, contextlib.ExitStack() as stack:
        assert broker.port is not None
        tap = Tap(broker.port, random.Random(seed), packets)
        stack.callback(tap.close)
        config = gateway_yaml(folder, tap.port, {"type": "embedded", "path": str(folder / "store.db")})
        metrics = free_port()
        text = re.sub(r'("directory": "[^"]*")', r'\1, "max_size": "2MB"', config.read_text())
        config.write_text(text.replace('"worker":', f'"metrics": {{"port": {metrics}}}, "worker":'))
        gateway = Child([tool("tsq-gateway"), "run", "--config", config], log=folder / "gateway.log")
        stack.enter_context(child_running(gateway))
        assert gateway.process is not None
        process = gateway.process
        sender = Sender(broker.port, "healthy")
        stack.callback(sender.close)
        rogue = Sender(broker.port, "rogue", birth=False)
        stack.callback(rogue.close)
        assert sender.workers.wait(60), gateway.output()[-3000:]
        rogue.publish(ROGUE.birth(codec.digest(ROGUE_BIRTH), 1, 1), codec.compress(ROGUE_BIRTH), retain=True)
        healthy = Healthy(sender)
        until(lambda: len(sender.took) > 5, 30, "the healthy agent is not served")
        before, watched = _rss_mb(process.pid), []
        tap.open.set()
        storm = Storm(random.Random(seed + 1))
        handled = 0
        while handled < messages or tap.read < packets:
            for _ in range(PACE // 20 if handled < messages else 0):
                mutant = storm.next()
                rogue.publish_raw(mutant.topic, mutant.payload, mutant.content_type)
            time.sleep(0.05)
            assert process.poll() is None, gateway.output()[-6000:]
            watched.append(_rss_mb(process.pid))
            until(healthy.served, 60, "the gateway does not come back")
            handled = _handled(metrics)
        slowest = healthy.end()
        grown = max([*watched, _rss_mb(process.pid)]) - before
        assert process.poll() is None, "the gateway has ended"
        gateway.stop()
        said = gateway.output()
        assert "Traceback" not in said, said[said.index("Traceback") - 500 :][:6000]
        assert grown < GROWTH_MB, f"its memory has grown by {grown:.0f} MB"
        _check_store(folder, healthy)
    totals = ast.literal_eval(said.rpartition("stopped, totals: ")[2].splitlines()[0])
    assert totals["bugs"] == 0, totals
    return Report(totals["messages"], tap.read, tap.fatal, totals, len(healthy.times), slowest, grown)


def _handled(port: int) -> int:
    """Return how many messages the gateway has handled, by its own counter."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        found = re.search(r"^tsq_gateway_messages_total ([0-9.e+]+)$", answer.read().decode(), re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def _check_store(folder: Path, healthy: Healthy) -> None:
    store = EmbeddedStore(folder / "store.db", read_only=True)
    with contextlib.closing(store):
        found = {p.time_ns: p.fields.get("f64_f") for p in store.read("press-1", 0, 2**63 - 1)}
    lost = [seq for seq, at in healthy.times.items() if found.get(at) != float(seq)]
    assert not lost, f"lost: {lost[:20]}"


def _rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1000
