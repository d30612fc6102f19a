"""One connection to a Modbus device or gateway: one request at a time, and nothing can be written.

The requests that exist here are the four of `_REQUESTS`, made by pymodbus, and so are the frames around them. The
rest of pymodbus' client is left out: it offers writing, and it connects, retries and closes by rules of its own,
where here the bus decides (`agent.collectors.modbus.bus`).

Which answer belongs to the question:

    numbered (tcp, tls)     Each question has a number. An answer with another number is late: skipped and counted.
                            One with our number that does not fit (unit, function, length, byte count) is refused
                            with its reason, and never waited out.
    plain (rtu)             An answer has no number. One of another unit, function or length is skipped and counted;
                            when nothing better comes, it is the reason that is given. A late answer may fit the
                            next question by chance, so a unit that owes one is first asked for something
                            of another length (`probe`): a device answers in order, and what comes after that
                            answer is not late. A line that gives answers which nobody owes (a gateway that asks
                            twice) might give one to the next question: for a minute each question waits until
                            the line has been quiet for 100 ms (`gap_ns`). Our own request, which some lines
                            echo, is no answer even where it looks like one (17 to 24 coils from 300h on).

`Tap`. Every frame is handed on as it went over the line, but for encryption: `sent` and `received` carry one ADU
each (MBAP header, or RTU address and CRC, included); bytes in which no frame was found come as one `received` when
they are given up. Notes are words of UTF-8: `connected`, `timeout`, `closed`, `late`, `garbled: <reason>`. Frames
that come while nobody asks are booked on the device that asked last.
"""

from __future__ import annotations

import asyncio
import struct
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from agent.collectors.modbus.plan import ADDRESSES, Span, Table

if TYPE_CHECKING:
    from agent.clock import Clock
    from agent.collectors.base import Box

_REQUESTS: dict[Table, type[ModbusPDU]] = {
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE: ReadDiscreteInputsRequest,
    Table.HOLDING: ReadHoldingRegistersRequest,
    Table.INPUT: ReadInputRegistersRequest,
}
_HEADER = struct.Struct(">HHHB")
_ANY_UNIT = frozenset({0, 255})
"""Units that mean "whoever is there" on a network; the answer may carry another one."""
_MOST = 512
"""Bytes of noise that are kept while a frame is looked for."""
_NO_ECHO = 3
"""Answers without an echo before them that prove a line to have none."""
_CALM_S = 0.1
"""Silence after which nothing more is on its way."""
_RESTLESS_NS = 60_000_000_000


class LinkLost(Exception):  # noqa: N818 - reads as what happened
    """The connection is closed, by the device or by the network."""


class LinkSilent(Exception):  # noqa: N818
    """No answer within the timeout."""


class LinkGarbled(Exception):  # noqa: N818
    """The answer does not fit the request: another unit, function or length."""


@dataclass(frozen=True, slots=True)
class ModbusRefusal:
    """The device's answer when it will not serve a request.

    Attributes:
        code: Modbus exception code: 1 illegal function, 2 illegal address, 3 illegal value, 4 device failure, ...
    """

    code: int


@dataclass(slots=True, eq=False)
class _Question:
    """What is being asked now."""

    device: str
    unit: int
    span: Span
    number: int
    frame: bytes  # as it was sent
    answer: asyncio.Future[bytes | ModbusRefusal]
    misfit: str | None = None  # why an answer that came was passed over
    echoed: bool = False  # whether the line has sent it back

    @property
    def head(self) -> bytes:
        """How its answer begins on a line without numbers."""
        return bytes([self.unit, self.span.table, size(self.span)])


Owed = defaultdict[int, deque[tuple[int, int]]]
"""By unit: function and data bytes of the last answers that may still come, on a line without numbers."""


def nothing_owed() -> Owed:
    """Return the state of a line on which nobody was asked yet."""
    return defaultdict(lambda: deque(maxlen=8))  # what nine questions later has not come will not come


def size(span: Span) -> int:
    """Return the data bytes of the answer to a span."""
    return (span.count + 7) // 8 if span.table.bits else span.count * 2


class ReadLink(asyncio.Protocol):
    """An open connection; used by one task at a time.

    Args:
        box: Clock and tap.
        device: Id of the device that opens it, for the tap.
        numbered: Whether frames carry numbers (MBAP) or not (RTU).
        owed: What earlier connections to the same line still owe.

    Attributes:
        answered: Whether it has ever served a request.
        late: Frames that were skipped because they answer something else.
        cause: What the transport said when it was lost.
        transport: What it runs on, once it is open.
    """

    def __init__(self, box: Box, device: str, *, numbered: bool, owed: Owed) -> None:
        self._box = box
        self._clock: Clock = box.clock
        self._device = device
        self._numbered = numbered
        self._framer = (FramerSocket if numbered else FramerRTU)(DecodePDU(is_server=False))
        self._owed = owed
        self._buffer = b""
        self._number = 0
        self._question: _Question | None = None
        self._lost = False
        self._restless_until = 0
        self._echoes = False
        self._without_echo = 0  # answers
        self.answered = False
        self.late = 0
        self.cause: Exception | None = None
        self.transport: asyncio.Transport | None = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        if self.transport is None:
            self.transport = transport  # type: ignore[assignment]  # both kinds in use are Transports
            self._note("connected")

    def data_received(self, data: bytes) -> None:
        """Take what has come, which may be less or more than a frame."""
        self._buffer += data
        if self._numbered:
            self._find_numbered()
        else:
            self._find_plain()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail who is waiting."""
        if not self._lost:
            self.cause = exc
            self._end(LinkLost("closed while an answer was awaited"))

    # What the bus calls

    @property
    def active(self) -> bool:
        """Whether a request can be sent, as far as is known."""
        return not self._lost

    @property
    def gap_ns(self) -> int:
        """Pause that the next request needs after the last answer, so that it gets its own answer."""
        restless = self._restless_until and self._clock.monotonic() < self._restless_until
        return round(_CALM_S * 1e9) if restless else 0

    async def read(self, device: str, unit: int, span: Span, timeout_s: float) -> bytes | ModbusRefusal:
        """Read one span; return its data bytes, or the device's refusal.

        Args:
            device: Id of the device in the configuration, for the tap.
            unit: Whom to ask; one that owes nothing.
            span: What to read.
            timeout_s: Longest wait for the answer.

        Raises:
            LinkLost: the connection is closed.
            LinkSilent: no answer in time.
            LinkGarbled: an answer to something else.
        """
        return await self._exchange(device, unit, span, timeout_s)

    async def probe(self, device: str, unit: int, near: Span, timeout_s: float) -> bytes | ModbusRefusal:
        """Ask for as little as possible, at an address where the unit is known to have something.

        Raises:
            LinkLost, LinkSilent, LinkGarbled: as `read`.
        """
        owed = self._owed[unit]
        step = 8 if near.table.bits else 1  # another count, another number of bytes
        small = next(
            span
            for span in (Span(near.table, near.start, 1 + n * step) for n in range(len(owed) + 1))
            if (span.table, size(span)) not in owed
        )
        start = min(small.start, ADDRESSES - small.count)
        answer = await self._exchange(device, unit, Span(small.table, start, small.count), timeout_s)
        if owed:
            if isinstance(answer, ModbusRefusal):  # refusals all look alike: this may be the late one
                await self._calm()
            owed.clear()
        return answer

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        if not self._lost:
            self._end(LinkLost("closed by ourselves"))

    async def _exchange(self, device: str, unit: int, span: Span, timeout_s: float) -> bytes | ModbusRefusal:
        if self._lost or self.transport is None:
            raise LinkLost("closed by the device")
        loop = asyncio.get_running_loop()
        self._device = device
        self._number = self._number % 65535 + 1
        request = _REQUESTS[span.table](address=span.start, count=span.count, dev_id=unit)
        request.transaction_id = self._number
        frame = self._framer.buildFrame(request)
        question = _Question(device, unit, span, self._number, frame, loop.create_future())
        if not self._numbered:
            self._buffer = b""
        self._question = question
        served = False
        if (tap := self._box.tap) is not None:
            tap(device, "sent", frame)
        self.transport.write(frame)
        timer = loop.call_later(timeout_s, self._silent, question)
        try:
            answer = await question.answer
            served = self.answered = True
        finally:
            timer.cancel()
            self._question = None
            if not served and not self._numbered:
                self._owed[unit].append((span.table, size(span)))
        return answer

    async def _calm(self) -> None:
        """Wait until nothing more comes."""
        for _ in range(20):
            self._buffer = b""
            await self._clock.sleep(_CALM_S)
            if not self._buffer:
                return

    def _silent(self, question: _Question) -> None:
        if question.answer.done():
            return
        self._note("timeout")
        if self._buffer:
            self._give_up(len(self._buffer))
        question.answer.set_exception(LinkSilent() if question.misfit is None else LinkGarbled(question.misfit))

    def _end(self, reason: Exception) -> None:
        self._lost = True
        self._note("closed")
        if self._question is not None and not self._question.answer.done():
            self._question.answer.set_exception(reason)
        if self.transport is not None:
            self.transport.close()

    # Finding frames

    def _find_numbered(self) -> None:
        while len(self._buffer) >= 8:  # header, function and one byte
            number, protocol, length, unit = _HEADER.unpack_from(self._buffer)
            if protocol or not 2 <= length <= 254:  # where the next frame begins is unknown from here on
                reason = LinkGarbled("no Modbus TCP frame")
                self._note(f"garbled: {reason}")
                self._give_up(len(self._buffer))
                self._end(reason)
                return
            used, _, _, pdu = self._framer.decode(self._buffer)
            if not used:
                return
            frame, self._buffer = self._buffer[:used], self._buffer[used:]
            self._arrived(frame, number, unit, pdu)

    def _find_plain(self) -> None:
        """Look at every offset for a frame with a right checksum: noise and echoes may come before it.

        What begins as our answer must is waited for: of the bytes within it, one in 65,536 looks like a frame.
        """
        found = True
        while found:
            found = False
            for start in range(len(self._buffer) - 4):
                function = self._buffer[start + 1]
                length = 5 if function & 0x80 else 5 + self._buffer[start + 2]
                frame = self._buffer[start : start + length]
                if function & 0x7F not in {1, 2, 3, 4}:
                    continue
                if len(frame) < length:
                    if self._question is not None and frame.startswith(self._question.head):
                        break
                    continue
                if FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:])):
                    echo = self._is_echo(self._buffer[:start], frame)
                    self._give_up(start)
                    self._buffer = self._buffer[length:]
                    if echo:
                        self._taken(frame)
                    else:
                        self._arrived(frame, None, frame[0], frame[1:-2])
                    found = True
                    break
        if len(self._buffer) > _MOST:
            self._give_up(len(self._buffer) - _MOST)

    def _is_echo(self, noise: bytes, frame: bytes) -> bool:
        """Tell whether a frame is our own request; watch whether the line echoes, also in the noise before it."""
        question = self._question
        if question is None:
            return False
        question.echoed |= question.frame in noise
        if frame != question.frame or question.echoed or not (self._echoes or self._without_echo < _NO_ECHO):
            return False
        question.echoed = True
        return True

    def _taken(self, frame: bytes) -> None:
        if (tap := self._box.tap) is not None:
            tap(self._device, "received", frame)

    def _give_up(self, count: int) -> None:
        """Drop bytes in which no frame was found."""
        if count:
            self._taken(self._buffer[:count])
        self._buffer = self._buffer[count:]

    def _arrived(self, frame: bytes, number: int | None, unit: int, pdu: bytes) -> None:
        question = self._question
        self._taken(frame)
        if question is None or question.answer.done() or number not in {None, question.number}:
            self.late += 1
            self._note("late")
            self._unasked(number, unit)
            return
        right = unit == question.unit or (number is not None and question.unit in _ANY_UNIT)
        answer = (
            _fitting(pdu, question.span)
            if right
            else f"unit {unit} in the answer to a question to unit {question.unit}"
        )
        if not isinstance(answer, str):
            self._echoes |= question.echoed
            self._without_echo += not question.echoed
            question.answer.set_result(answer)
        elif number is None:
            self.late += 1
            self._note(f"garbled: {answer}")
            self._unasked(number, unit)
            question.misfit = answer
        else:
            self._note(f"garbled: {answer}")
            question.answer.set_exception(LinkGarbled(answer))

    def _unasked(self, number: int | None, unit: int) -> None:
        """Take that a unit has sent something that is no answer to the question."""
        if number is None and not self._owed.get(unit):
            self._restless_until = self._clock.monotonic() + _RESTLESS_NS

    def _note(self, text: str) -> None:
        if (tap := self._box.tap) is not None:
            tap(self._device, "note", text.encode())


def _fitting(pdu: bytes, span: Span) -> bytes | ModbusRefusal | str:
    """Return the data of an answer that fits the question, or why it does not fit."""
    function, body = pdu[0], pdu[1:]
    if function == span.table | 0x80 and body:
        return ModbusRefusal(body[0])
    wanted = size(span)
    if function != span.table:
        return f"function {function} in the answer to function {int(span.table)}"
    if len(body) != wanted + 1:
        return f"{len(body[1:])} data bytes where {wanted} were asked for"
    if body[0] != wanted:
        return f"a byte count of {body[0]} where {wanted} were asked for"
    return body[1:]
