"""What comes over the wire: XGT and Modbus frames, OPC UA responses, the gateway's messages."""

from __future__ import annotations

import asyncio
import io
import struct
from typing import TYPE_CHECKING, Any

from asyncua.ua.ua_binary import variant_to_binary
from asyncua.ua.uatypes import Variant, VariantType

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.modbus.link import LinkGarbled, LinkLost, LinkSilent, ModbusRefusal, ReadLink, nothing_owed
from agent.collectors.modbus.plan import Span, Table
from agent.collectors.opcua import decode
from agent.collectors.xgt.frame import Continuous, Individual, Reader, Reply, Width, answer
from agent.errors import WireError
from contract import codec
from contract.carry import Container, Head, Packer
from contract.payload import Birth, Data, Stored
from tests.fuzz.supply import Supply
from tests.fuzz.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.collectors.xgt.frame import Ask, Frame

ANSWERS = {0x54: 0x55}
COMPANY = b"LSIS-XGT\0\0"


# XGT


def xgt_answer(invoke: int, kind: int, blocks: list[bytes]) -> bytes:
    """Build an answer from the manual's table, field by field."""
    body = struct.pack("<HHHHH", 0x55, kind, 0, 0, len(blocks))
    body += b"".join(struct.pack("<H", len(block)) + block for block in blocks)
    return COMPANY + struct.pack("<HBBHHBB", 0x0101, 0xA0, 0x11, invoke, len(body), 0, 0) + body


def frames(pieces: list[bytes]) -> list[Frame] | str:
    """Return the frames that a reader finds, or how it gave up; never anything else."""
    reader, found = Reader(), []
    try:
        for piece in pieces:
            reader.feed(piece)
            while (frame := reader.next()) is not None:
                found.append(frame)
    except WireError as exc:
        return f"{len(found)} {exc}"
    return found


def xgt(data: bytes) -> None:
    """A stream means the same wherever it is cut; an answer is refused, or is what the manual says it is."""
    supply = Supply(data)
    invoke = supply.number(0, 65535)
    ask: Ask
    if supply.number(0, 1):
        ask = Continuous("D", supply.number(0, 5000), supply.number(1, 1400))
    else:
        ask = Individual(supply.choice(list(Width)), tuple(("D", i) for i in range(supply.number(1, 16))))
    blocks = [supply.take(size) for size in ask.sizes]
    good = xgt_answer(invoke, ask.type, blocks)
    at, hurt = supply.number(0, len(good) - 1), supply.take(supply.number(0, 3))
    stream = good[:at] + hurt + good[at + len(hurt) :] + supply.take(supply.number(0, 30))
    pieces = supply.cut(stream)
    found = frames(pieces)
    assert found == frames([stream]) or isinstance(found, str)
    whole = frames([good])
    assert isinstance(whole, list)
    reply = answer(whole[0], ask, invoke)
    assert isinstance(reply, Reply)
    assert list(reply.blocks) == blocks
    if isinstance(found, list):
        for frame in found:
            try:
                other = answer(frame, ask, invoke)
            except WireError:
                continue
            if isinstance(other, Reply):  # then it is one, byte for byte
                assert frame.raw[20:] == xgt_answer(invoke, ask.type, list(other.blocks))[20:24] + (
                    frame.raw[24:26] + xgt_answer(invoke, ask.type, list(other.blocks))[26:]
                )


def xgt_raw(data: bytes) -> None:
    """Any bytes at all."""
    frames([COMPANY + data])
    frames([data])


# Modbus

_LOOP: list[asyncio.AbstractEventLoop] = []


class Silent(asyncio.Transport):
    """Takes what is written and says nothing."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Forget it."""

    def close(self) -> None:
        """Stay."""


def modbus(data: bytes) -> None:
    """An answer that is served stands in the stream as a frame of its own, for our question."""
    if not _LOOP:
        _LOOP.append(asyncio.new_event_loop())
    supply = Supply(data)
    numbered = bool(supply.number(0, 1))
    table = supply.choice(list(Table))
    span = Span(table, supply.number(0, 60000), supply.number(1, 2000 if table.bits else 125))
    unit = supply.number(1, 247)
    payload = supply.take((span.count + 7) // 8 if table.bits else span.count * 2)
    pdu = bytes([table, len(payload) & 255]) + payload
    kind = supply.number(0, 3)
    if kind == 0:
        pdu = bytes([table | 0x80, supply.number(0, 255)])
    elif kind == 1:
        pdu = supply.take(supply.number(1, 252))
    noise = supply.take(supply.number(0, 12))
    if numbered:
        frame = struct.pack(">HHHB", 1, 0, len(pdu) + 1, unit) + pdu
        stream = frame if kind else noise + frame
    else:
        stream = noise + bytes([unit]) + pdu + crc(bytes([unit]) + pdu)
    pieces = supply.cut(stream)

    async def ask() -> bytes | ModbusRefusal | None:
        link = ReadLink(Box(SystemClock(trusted=True)), "d", numbered=numbered, owed=nothing_owed())
        link.connection_made(Silent())
        task = asyncio.ensure_future(link.read("d", unit, span, 0.01))
        await asyncio.sleep(0)
        for piece in pieces:
            link.data_received(piece)
        try:
            return await task
        except (LinkGarbled, LinkLost, LinkSilent):
            return None
        finally:
            link.close()

    reply = _LOOP[0].run_until_complete(ask())
    if reply is None:  # on a line without numbers, an answer that equals the question may be its echo
        question = bytes([unit, table]) + struct.pack(">HH", span.start, span.count)
        assert kind < 2 or noise or question + crc(question) == stream, "a right answer was not taken"
        return
    taken = (
        bytes([table | 0x80, reply.code])
        if isinstance(reply, ModbusRefusal)
        else bytes([table, len(reply)]) + reply
    )
    assert isinstance(reply, ModbusRefusal) or len(reply) == len(payload)
    assert taken in stream
    assert numbered or bytes([unit]) + taken + crc(bytes([unit]) + taken) in stream


def crc(frame: bytes) -> bytes:
    """Return the checksum of a serial frame, bit by bit as the specification draws it."""
    register = 0xFFFF
    for byte in frame:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return struct.pack("<H", register)


# OPC UA

_RANGES = {
    VariantType.SByte: (-(2**7), 2**7 - 1), VariantType.Byte: (0, 2**8 - 1),
    VariantType.Int16: (-(2**15), 2**15 - 1), VariantType.UInt16: (0, 2**16 - 1),
    VariantType.Int32: (-(2**31), 2**31 - 1), VariantType.UInt32: (0, 2**32 - 1),
    VariantType.Int64: (-(2**63), 2**63 - 1), VariantType.UInt64: (0, 2**64 - 1),
}  # fmt: skip


def refused_or_read(read: Callable[[bytes], object], data: bytes) -> None:
    """Nothing but `WireError` comes out of bytes that are no response."""
    try:
        read(data)
    except WireError:
        return


def opcua_raw(data: bytes) -> None:
    """Any bytes at all."""
    for read in (decode.samples, decode.publication, lambda body: decode.notification(1, body)):
        refused_or_read(read, data)


def opcua(data: bytes) -> None:
    """Values come out as the other library has encoded them, whatever stands behind them."""
    supply = Supply(data)
    values: list[tuple[VariantType, Any]] = []
    for _ in range(supply.number(0, 8)):
        vtype = supply.choice(list(_RANGES))
        low, high = _RANGES[vtype]
        if supply.number(0, 3):
            values.append((vtype, supply.number(low, high)))
        else:
            values.append((vtype, [supply.number(low, high) for _ in range(supply.number(1, 5))]))
    body = struct.pack("<i", len(values))
    body += b"".join(b"\x01" + variant_to_binary(Variant(value, vtype)) for vtype, value in values)
    tail = supply.rest()
    found = decode.samples(body + tail)
    assert [(s.vtype, s.value) for s in found] == [(int(vtype), value) for vtype, value in values]
    if body[4:]:
        refused_or_read(decode.samples, body[: 4 + len(tail) % len(body[4:])])


# What agents and gateways send one another


def messages(data: bytes) -> None:
    """A payload of anybody is read or refused."""
    for kind in (Data, Birth, Stored):
        refused_or_read(lambda raw, kind=kind: codec.decode(raw, kind), data)  # type: ignore[misc]
    refused_or_read(lambda raw: codec.decompress(raw, 100_000), data)


def carried() -> bytes:
    """Return a file of a stick with two messages."""
    packer = Packer()
    head = packer.head(Head("data", "hanil", "edge-1", "1", "1"))
    return head + packer.message("tsq/1/hanil/edge-1/data", b"one") + packer.message("t", b"two") + packer.end()


def carry(data: bytes) -> None:
    """A file that somebody has had in his hands gives messages of the good one, in order, or is refused."""
    good = [message.payload for message in Container(io.BytesIO(carried()).read).messages()]
    for raw in (data, carried()[: len(data) % len(carried())] + data):
        found: list[bytes] = []
        try:
            found.extend(message.payload for message in Container(io.BytesIO(raw).read).messages())
        except WireError:
            assert not raw.startswith(carried())
        assert raw == data or found == good[: len(found)]


XGT = Target(xgt, ("agent.collectors.xgt.frame",))
XGT_RAW = Target(xgt_raw, ("agent.collectors.xgt.frame",), lambda: [xgt_answer(1, 0x14, [b"abcd"])[10:]])
MODBUS = Target(modbus, ("agent.collectors.modbus.link",))
OPCUA = Target(opcua, ("agent.collectors.opcua.decode",))
OPCUA_RAW = Target(opcua_raw, ("agent.collectors.opcua.decode",))
MESSAGES = Target(messages, ("contract",), lambda: [b'{"spool":"s","entries":[],"birth":"x","blocks":[]}'])
CARRY = Target(carry, ("contract.carry",), lambda: [carried()])
