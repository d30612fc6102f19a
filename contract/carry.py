"""Messages in a file, for a site without any line: what crosses the wire otherwise is carried on a stick.

    the line `tsq-carry/1`, and then records, each
    kind 1 byte | length 4 bytes | body | checksum 8 bytes

    H   JSON `Head`: whose file this is, first and once
    M   2 bytes length of a topic, the topic, the payload: exactly as they would have been published
    E   JSON number of messages, last: without it the file was broken off

A checksum covers its record and the checksum before it, so that a record is good only where it stands and behind
good ones: what a reader has got of a file that is broken off or damaged is what was written, and nothing else. The
file says nothing about who wrote it. Numbers are big-endian.

    {name}.tsqd       from an agent: births, then data
    {name}.*tsqs      from the gateway: what it has stored of the file of that name, or refused
    {name}.*.part     being written, or torn off

Pure: what is read and written are bytes of somebody's file.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from contract import codec
from contract.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATA, STORED = ".tsqd", ".tsqs"
FILE_BYTES = 64 * 10**6
"""A file is ended behind this many bytes: small enough for any file system, and for beginning again."""
_MAGIC = b"tsq-carry/1\n"
_RECORD = 1024 * 1024
_TOPIC = 500
_CHECK = 8


class Head(msgspec.Struct, frozen=True):
    """Whose file this is: `kind` is data or stored, `made` when in ns UTC, `version` of the program."""

    kind: Literal["data", "stored"]
    factory: str
    agent: str
    made: str
    version: str


class Message(NamedTuple):
    """As it would have come by the broker."""

    topic: str
    payload: bytes


class Packer:
    """Makes the bytes of a file, piece by piece, in the order of the calls: head, messages, end."""

    def __init__(self) -> None:
        self._last = b""
        self.messages = 0

    def head(self, head: Head) -> bytes:
        """Return how the file begins."""
        return _MAGIC + self._record(b"H", codec.encode(head))

    def message(self, topic: str, payload: bytes) -> bytes:
        """Return one message."""
        name = topic.encode()
        self.messages += 1
        return self._record(b"M", len(name).to_bytes(2) + name + payload)

    def end(self) -> bytes:
        """Return how the file ends."""
        return self._record(b"E", codec.encode(self.messages))

    def _record(self, kind: bytes, body: bytes) -> bytes:
        front = kind + len(body).to_bytes(4)
        self._last = _checksum(self._last, front, body)
        return front + body + self._last


class Container:
    """Reads a file from front to back.

    Args:
        read: Returns that many bytes from where the last call has ended, or fewer at the end of the file.

    Attributes:
        head: Whose file it is.
        complete: Whether the end was reached; known when all messages were taken.

    Raises:
        WireError: not such a file, or of a later version.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._last = b""
        self._at = len(_MAGIC)
        self.complete = False
        if read(len(_MAGIC)) != _MAGIC:
            raise WireError("not a file of `carry`, or of a later version")
        kind, body = self._next()
        if kind != b"H":
            raise WireError("a file of `carry` begins with its head")
        self.head = codec.decode(body, Head)

    def messages(self) -> Iterator[Message]:
        """Yield the messages.

        Raises:
            WireError: damaged or broken off there; what came before is as it was written.
        """
        count = 0
        while True:
            kind, body = self._next()
            if kind == b"E":
                if codec.decode(body, int) != count:
                    raise WireError("the end counts other messages than there are")
                self.complete = True
                return
            size = int.from_bytes(body[:2])
            if kind != b"M" or size > _TOPIC or len(body) < 2 + size:
                raise self._damage("no such record")
            try:
                topic = body[2 : 2 + size].decode()
            except UnicodeDecodeError as exc:
                raise self._damage("a topic that is no text") from exc
            count += 1
            yield Message(topic, body[2 + size :])

    def _next(self) -> tuple[bytes, bytes]:
        front = self._read(5)
        size = int.from_bytes(front[1:])
        if len(front) < 5:
            raise self._damage("broken off")
        if size > _RECORD:
            raise self._damage(f"a record of {size} bytes")
        rest = self._read(size + _CHECK)
        if len(rest) < size + _CHECK:
            raise self._damage("broken off")
        body, check = rest[:size], rest[size:]
        self._last = _checksum(self._last, front, body)
        if check != self._last:
            raise self._damage("a checksum differs")
        self._at += len(front) + len(rest)
        return front[:1], body

    def _damage(self, what: str) -> WireError:
        return WireError(f"damaged at byte {self._at}: {what}")


def _checksum(last: bytes, front: bytes, body: bytes) -> bytes:
    made = hashlib.blake2b(last, digest_size=_CHECK)
    made.update(front)
    made.update(body)
    return made.digest()
