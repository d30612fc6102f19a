"""A small broker with one fault at a choice: what amqtt, aedes, older RabbitMQs and hand-written rules do wrong.

It speaks MQTT 5 and 3.1.1 with QoS 0 and 1 as far as a probe needs it, and shares no code with paho.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14
NOT_AUTHORIZED, NO_SHARES = 0x87, 0x9E
FIVE = 5


@dataclass
class Client:
    """One connection."""

    writer: asyncio.StreamWriter
    level: int = 0
    name: str = ""
    will: tuple[str, bytes, bool] | None = None
    filters: set[str] = field(default_factory=set)
    mid: int = 0


def varint(value: int) -> bytes:
    """Encode a length."""
    out = b""
    while True:
        value, digit = divmod(value, 128)
        out += bytes([digit | (0x80 if value else 0)])
        if not value:
            return out


def text(value: str | bytes) -> bytes:
    """Encode a string."""
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(raw)) + raw


class Reader:
    """Takes a packet apart."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        self.at += count
        return self.raw[self.at - count : self.at]

    def short(self) -> int:
        """Return the next two bytes as a number."""
        return int.from_bytes(self.take(2), "big")

    def string(self) -> bytes:
        """Return the next string."""
        return self.take(self.short())

    def properties(self) -> bytes:
        """Return the next properties as they are."""
        length = shift = 0
        while True:
            (byte,) = self.take(1)
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return self.take(length)


def matches(pattern: str, topic: str) -> bool:
    """Compare a topic with a filter, `+` only."""
    these, those = pattern.split("/"), topic.split("/")
    return len(these) == len(those) and all(a in ("+", b) for a, b in zip(these, those, strict=True))


class FaultyBroker:
    """Runs in a thread; `fault` names what it does wrong."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.clients: list[Client] = []
        self.zombies: list[tuple[str, str]] = []  # dead members: their filter, their name
        self.sessions: set[str] = set()
        self.retained: dict[str, tuple[bytes, bytes]] = {}
        self.turn = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    def run(self) -> None:
        """Serve until the loop is stopped."""
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    def wait(self) -> None:
        """Wait until it listens."""
        assert self._ready.wait(10)

    def spread(self, topic: str, payload: bytes) -> None:
        """Publish something retained, as a client would."""
        self._loop.call_soon_threadsafe(lambda: self._spread(topic, b"", payload, retain=True))

    def hang_up(self) -> None:
        """End every connection."""
        for client in list(self.clients):
            self._loop.call_soon_threadsafe(client.writer.close)

    def stop(self) -> None:
        """Have `run` return."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Client(writer)
        try:
            while await self._packet(client, reader):
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            self._gone(client)
            writer.close()

    async def _packet(self, client: Client, reader: asyncio.StreamReader) -> bool:
        (first,) = await reader.readexactly(1)
        length = shift = 0
        while True:
            (byte,) = await reader.readexactly(1)
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        body = Reader(await reader.readexactly(length))
        match first >> 4:
            case 1:
                return self._connect(client, body)
            case 3:
                return self._publish(client, first, body)
            case 8:
                self._subscribe(client, body)
            case 12:
                client.writer.write(bytes([PINGRESP << 4, 0]))
            case 14:
                client.will = None
                return False
        return True

    def _connect(self, client: Client, body: Reader) -> bool:
        body.string()
        client.level, flags = body.take(2)
        body.short()
        if client.level == FIVE:
            if self.fault == "old, silent":
                return False
            if self.fault == "old, says so":
                client.writer.write(bytes([CONNACK << 4, 2, 0, 1]))
                return False
            body.properties()
        client.name = body.string().decode()
        if flags & 4:
            if client.level == FIVE:
                body.properties()
            client.will = (body.string().decode(), body.string(), bool(flags & 0x20))
        present = self.fault == "keeps sessions" and not flags & 2 and client.name in self.sessions
        self.sessions.add(client.name)
        client.writer.write(bytes([CONNACK << 4, 3 if client.level == FIVE else 2, present, 0]))
        if client.level == FIVE:
            client.writer.write(b"\0")
        self.clients.append(client)
        return True

    def _subscribe(self, client: Client, body: Reader) -> None:
        mid, codes = body.take(2), []
        if client.level == FIVE:
            body.properties()
        while body.at < len(body.raw):
            pattern = body.string().decode()
            body.take(1)
            code = 1
            if self.fault == "closed branch" and "_gateway/probe" in pattern:
                code = NOT_AUTHORIZED
            elif self.fault == "refuses shares" and pattern.startswith("$share/"):
                code = NO_SHARES
            elif self.fault == "refuses reading" and pattern.endswith(("/data", "/stored")):
                code = NOT_AUTHORIZED
            else:
                client.filters.add(pattern)
            codes.append(code)
        answer = mid + (b"\0" if client.level == FIVE else b"") + bytes(codes)
        client.writer.write(bytes([SUBACK << 4]) + varint(len(answer)) + answer)
        for topic, (properties, payload) in self.retained.items():
            if any(matches(pattern, topic) for pattern in client.filters):
                self._send(client, topic, properties, payload, retain=True)

    def _publish(self, client: Client, first: int, body: Reader) -> bool:
        if self.fault == "ends over 100 kB" and len(body.raw) > 100_000:
            return False
        topic = body.string().decode()
        if first & 6:
            mid = body.take(2)
            client.writer.write(bytes([PUBACK << 4, 2]) + mid)
        properties = body.properties() if client.level == FIVE else b""
        payload = body.raw[body.at :]
        if self.fault == "drops over 100 kB" and len(payload) > 100_000:
            return True
        if self.fault == "closed branch" or (self.fault == "has rights" and not topic.startswith("tsq/1/")):
            return True
        self._spread(topic, properties, payload, retain=bool(first & 1))
        return True

    def _spread(self, topic: str, properties: bytes, payload: bytes, *, retain: bool) -> None:
        if retain and self.fault != "forgets retained":
            self.retained.pop(topic, None)
            if payload:
                self.retained[topic] = (properties, payload)
        for client in self.clients:
            if any(matches(pattern, topic) for pattern in client.filters):
                self._send(client, topic, properties, payload)
        members = [c for c in self.clients if any(_shares(pattern, topic) for pattern in c.filters)]
        dead = sum(_shares(pattern, topic) for pattern, _ in self.zombies)
        if not members or self.fault == "silent shares":
            return
        self.turn += 1
        chosen = (
            members
            if self.fault == "double shares"
            else [(members + [None] * dead)[self.turn % (len(members) + dead)]]
        )
        for member in chosen:
            if member is not None:
                self._send(member, topic, properties, payload)

    def _send(self, client: Client, topic: str, properties: bytes, payload: bytes, *, retain: bool = False) -> None:
        client.mid = client.mid % 65535 + 1
        if self.fault == "loses properties":
            properties = b""
        middle = varint(len(properties)) + properties if client.level == FIVE else b""
        body = text(topic) + struct.pack("!H", client.mid) + middle + payload
        client.writer.write(bytes([PUBLISH << 4 | 2 | retain]) + varint(len(body)) + body)

    def _gone(self, client: Client) -> None:
        if client not in self.clients:
            return
        self.clients.remove(client)
        if self.fault == "zombies":
            self.zombies += [(pattern, client.name) for pattern in client.filters if pattern.startswith("$share/")]
        if client.will is not None and self.fault != "no wills":
            topic, payload, retain = client.will
            self._spread(topic, b"", payload, retain=retain)


def _shares(pattern: str, topic: str) -> bool:
    return pattern.startswith("$share/") and matches(pattern.split("/", 2)[2], topic)


@contextlib.contextmanager
def faulty(fault: str) -> Iterator[FaultyBroker]:
    """Run one for the length of a block."""
    broker = FaultyBroker(fault)
    thread = threading.Thread(target=broker.run, daemon=True)
    thread.start()
    broker.wait()
    try:
        yield broker
    finally:
        broker.stop()
        thread.join(10)
