"""Bytes of a Read or Publish response -> values. Pure, no library.

Our own, because asyncua 2.1.0 reads a DataValue's fields in the order of its mask bits, while OPC UA Part 6,
5.2.2.17 puts the source picoseconds before the server time: with a server that sends picoseconds every server
time comes out wrong. It also turns each time into a datetime and each value into four objects; this costs
a fraction. Lists of values are read to their end even where nothing can be made of a value, so that one odd node
never costs its neighbours.
"""

from __future__ import annotations

import math
import struct
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agent.collectors.opcua.qualified import Qualified
from agent.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

DATA_CHANGE: Final = 811  # encoding ids of notifications, Part 6, Annex A
STATUS_CHANGE: Final = 820
EVENT_LIST: Final = 916
_NOTIFICATIONS: Final = {DATA_CHANGE, STATUS_CHANGE, EVENT_LIST}

_DEPTH: Final = 16  # of variants in variants; the specification lets a decoder stop at 100
TICKS_1970: Final = 116_444_736_000_000_000  # of 100 ns, from 1601 to 1970
TICKS_NEVER: Final = 2_650_467_743_990_000_000  # the end of the year 9999: servers send it for "none"
_TICKS_LAST: Final = (
    TICKS_1970 + (2**63 - 1) // 100
)  # what 64-bit nanoseconds can hold; servers send 9999 for "none"


class Sample(NamedTuple):
    """One DataValue.

    Attributes:
        vtype: Number of the built-in type, 0 for no value.
        array: Whether the value is an array.
        value: Python native; a list for an array, lists in it for a table; `Opaque` for a structure.
        status: 32-bit status code.
        source_ns: Source time, UTC nanoseconds, 0 for none.
        server_ns: Server time likewise.
    """

    vtype: int
    array: bool
    value: Any
    status: int
    source_ns: int
    server_ns: int


def told(sample: Sample, types: Collection[int], *, array: bool = False) -> Any:
    """Return the value of a good answer of these built-in types, None of any other: servers answer all sorts."""
    fits = sample.status >> 30 == 0 and sample.array is array and sample.vtype in types
    return sample.value if fits else None


NodeKey = tuple[int, int | str | uuid.UUID | bytes | None]
"""A node id: (namespace index, identifier)."""


class Opaque(NamedTuple):
    """A structure as it came: what it is (id of its encoding) and its bytes, None where they are not binary."""

    type: NodeKey
    body: bytes | None


Field = tuple[int, bool, Any]
"""One field of an event: built-in type, whether an array, value, as in `Sample`."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One Publish response.

    Attributes:
        subscription: The server's number of it.
        sequence: Of the notification, or, in a keep-alive, of the next one.
        keep_alive: Whether it carries no notification.
        items: (client handle, sample) in the server's order.
        ended: Status with which the server ended the subscription, or None.
        events: (client handle, fields) in the server's order; fields as the filter's select clauses ask for them.
        more: The server holds more that it could send at once; unknown, so True, of a notification sent again.
    """

    subscription: int
    sequence: int
    keep_alive: bool
    items: list[tuple[int, Sample]]
    ended: int | None
    events: list[tuple[int, list[Field]]] = field(default_factory=list)
    more: bool = False


def nanoseconds(ticks: int) -> int:
    """Return UTC nanoseconds since 1970 of an OPC UA time, 0 for none."""
    return (ticks - TICKS_1970) * 100 if TICKS_1970 < ticks < _TICKS_LAST else 0


def samples(body: bytes) -> list[Sample]:
    """Read the results of a Read response that follow its header.

    Raises:
        WireError: the bytes are no such response.
    """
    reader = Reader(body)
    with wire():
        return [reader.sample() for _ in range(reader.count())]


def publication(body: bytes) -> Publication:
    """Read what follows the header of a Publish response.

    Raises:
        WireError: the bytes are no such response.
    """
    reader = Reader(body)
    with wire():
        subscription = reader.uint32()
        for _ in range(reader.count()):  # sequence numbers that could be asked for again
            reader.uint32()
        more = reader.byte() != 0
        return _message(subscription, reader, more=more)


def notification(subscription: int, body: bytes) -> Publication:
    """Read what follows the header of a Republish response of a subscription.

    Raises:
        WireError: the bytes are no such response.
    """
    with wire():
        return _message(subscription, Reader(body))


def _message(subscription: int, reader: Reader, *, more: bool = True) -> Publication:
    sequence = reader.uint32()
    reader.skip(8)  # publish time
    parts = reader.count()
    items: list[tuple[int, Sample]] = []
    events: list[tuple[int, list[Field]]] = []
    ended: int | None = None
    for _ in range(parts):
        kind, start, end = reader.extension_object()
        inner = Reader(reader.data, start)
        if kind == DATA_CHANGE:
            items += [(inner.uint32(), inner.sample()) for _ in range(inner.count())]
        elif kind == EVENT_LIST:
            events += [
                (inner.uint32(), [inner.variant() for _ in range(inner.count())]) for _ in range(inner.count())
            ]
        elif kind == STATUS_CHANGE:
            ended = inner.uint32()
        if kind in _NOTIFICATIONS and inner.at > end:
            raise WireError("a notification is longer than it says")
    return Publication(subscription, sequence, parts == 0, items, ended, events, more)


class wire:  # noqa: N801 - a context manager, used as a verb
    """Raises what bytes that end too early or make no sense raise as one error of ours."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: object) -> None:
        if isinstance(exc, struct.error | IndexError | ValueError | RecursionError):
            raise WireError(f"not readable as OPC UA: {exc}") from exc


_NUMBERS: Final = {
    vtype: struct.Struct(fmt)
    for vtype, fmt in {
        1: "<?", 2: "<b", 3: "<B", 4: "<h", 5: "<H", 6: "<i", 7: "<I", 8: "<q", 9: "<Q", 10: "<f", 11: "<d",
        13: "<q", 19: "<I",
    }.items()
}  # fmt: skip
_INT32: Final = struct.Struct("<i")
_UINT32: Final = struct.Struct("<I")
_TICKS: Final = struct.Struct("<q")


def shaped(flat: list[Any], sizes: list[int]) -> list[Any]:
    """Return a flat array as lists in lists, by the lengths of its dimensions."""
    for size in reversed(sizes[1:]):
        flat = [flat[n : n + size] for n in range(0, len(flat), size)] if size > 0 else []
    return flat


class Reader:
    """A position in bytes."""

    __slots__ = ("at", "data", "depth", "size")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at
        self.size = len(data)
        self.depth = 0

    def skip(self, count: int) -> None:
        """Pass over bytes."""
        self.at += count
        if self.at > self.size:
            raise WireError("the message ends too early")

    def byte(self) -> int:
        """Read a Byte."""
        value = self.data[self.at]
        self.at += 1
        return value

    def uint32(self) -> int:
        """Read a UInt32."""
        (value,) = _UINT32.unpack_from(self.data, self.at)
        self.at += 4
        return int(value)

    def count(self) -> int:
        """Read the length of an array; each element takes a byte at least."""
        (value,) = _INT32.unpack_from(self.data, self.at)
        self.at += 4
        if value > self.size - self.at:
            raise WireError("an array is longer than its message")
        return max(0, int(value))

    def blob(self) -> bytes | None:
        """Read a ByteString."""
        (length,) = _INT32.unpack_from(self.data, self.at)
        self.at += 4
        if length < 0:
            return None
        start = self.at
        self.skip(length)
        return self.data[start : self.at]

    def text(self) -> str | None:
        """Read a String."""
        # bytes that are no UTF-8 stay visible as surrogates, for `convert` to refuse
        raw = self.blob()
        return None if raw is None else raw.decode("utf-8", "surrogateescape")

    def guid(self) -> uuid.UUID:
        """Read a Guid."""
        start = self.at
        self.skip(16)
        return uuid.UUID(bytes_le=self.data[start : self.at])

    def node_id(self) -> NodeKey:
        """Read a NodeId or ExpandedNodeId."""
        kind = self.byte()
        namespace = 0
        identifier: int | str | uuid.UUID | bytes | None
        match kind & 0x3F:
            case 0:
                identifier = self.byte()
            case 1:
                namespace, identifier = self.byte(), self.number(5)
            case 2:
                namespace, identifier = self.number(5), self.uint32()
            case 3:
                namespace, identifier = self.number(5), self.text()
            case 4:
                namespace, identifier = self.number(5), self.guid()
            case 5:
                namespace, identifier = self.number(5), self.blob()
            case _:
                raise WireError("an unknown kind of node id")
        if kind & 0x80:
            self.blob()  # namespace URI of an expanded node id
        if kind & 0x40:
            self.skip(4)  # its server index
        return namespace, identifier

    def extension_object(self) -> tuple[int | None, int, int]:
        """Return (encoding id in namespace 0 or None, start, end) of the body, and go behind it."""
        namespace, identifier = self.node_id()
        encoding = self.byte()
        start = end = self.at
        if encoding:
            (length,) = _INT32.unpack_from(self.data, self.at)
            start = self.at + 4
            end = start + max(0, length)
            self.at += 4
            self.skip(max(0, length))
        return (identifier if namespace == 0 and isinstance(identifier, int) else None), start, end

    def localized_text(self) -> str | None:
        """Read a LocalizedText without its locale."""
        mask = self.byte()
        if mask & 1:
            self.blob()
        return self.text() if mask & 2 else None

    def diagnostic_info(self) -> None:
        """Pass over a DiagnosticInfo."""
        mask = self.byte()
        self.skip(4 * (mask & 0x0F).bit_count())
        if mask & 0x10:
            self.blob()
        if mask & 0x20:
            self.skip(4)
        if mask & 0x40:
            self.nested(self.diagnostic_info)

    def nested(self, read: Callable[[], Any]) -> Any:
        """Read what may hold itself, to a limited depth."""
        self.depth += 1
        if self.depth > _DEPTH:
            raise WireError("values are nested too deep")
        value = read()
        self.depth -= 1
        return value

    def number(self, vtype: int) -> Any:
        """Read a number of a built-in type, as it goes over the wire."""
        form = _NUMBERS[vtype]
        (value,) = form.unpack_from(self.data, self.at)
        self.at += form.size
        return value

    def qualified_name(self) -> Qualified | None:
        """Read a QualifiedName."""
        namespace, name = self.number(5), self.text()
        return None if name is None else Qualified(name, namespace)

    def opaque(self) -> Opaque:
        """Read an ExtensionObject; what is in it, `structures` knows."""
        key = self.node_id()
        encoding = self.byte()
        if not encoding:
            return Opaque(key, None)
        body = self.blob()
        return Opaque(key, body if encoding == 1 else None)

    def expect(self, count: int) -> None:
        """Refuse a count of elements that the message cannot hold; each takes a byte at least."""
        if count > self.size - self.at:
            raise WireError("an array is longer than its message")

    def scalar(self, vtype: int) -> Any:
        """Read one value of a built-in type."""
        if vtype in _NUMBERS:
            return self.number(vtype)
        # byte strings, and reserved numbers, which are byte strings by rule
        return _OTHERS.get(vtype, Reader.blob)(self)

    def variant(self) -> tuple[int, bool, Any]:
        """Return (built-in type, whether an array, value)."""
        encoding = self.byte()
        vtype = encoding & 0x3F
        if encoding & 0x80:
            value: Any = [self.scalar(vtype) for _ in range(self.count())]
            if encoding & 0x40:
                sizes = [max(0, int(self.number(6))) for _ in range(self.count())]
                if len(sizes) > 1 and math.prod(sizes) == len(value):
                    value = shaped(value, sizes)
            return vtype, True, value
        return vtype, False, self.scalar(vtype) if vtype else None

    def sample(self) -> Sample:
        """Read a DataValue; the order of its fields is that of Part 6, 5.2.2.17."""
        mask = self.byte()
        vtype, array, value = self.variant() if mask & 0x01 else (0, False, None)
        status = self.uint32() if mask & 0x02 else 0
        source_ns = self.time() if mask & 0x04 else 0
        if mask & 0x10:
            self.skip(2)
        server_ns = self.time() if mask & 0x08 else 0
        if mask & 0x20:
            self.skip(2)
        return Sample(vtype, array, value, status, source_ns, server_ns)

    def time(self) -> int:
        """Read a DateTime as UTC nanoseconds, 0 for none."""
        (ticks,) = _TICKS.unpack_from(self.data, self.at)
        self.at += 8
        return nanoseconds(ticks)


_OTHERS: Final[dict[int, Callable[[Reader], Any]]] = {
    12: Reader.text,
    16: Reader.text,
    14: Reader.guid,
    17: Reader.node_id,
    18: Reader.node_id,
    20: Reader.qualified_name,
    21: Reader.localized_text,
    22: Reader.opaque,
    23: lambda reader: reader.nested(reader.sample),
    24: lambda reader: reader.nested(reader.variant),
    25: lambda reader: reader.nested(reader.diagnostic_info),
}
