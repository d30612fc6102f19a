"""One Modbus TCP connection that can only read.

pymodbus does the transport, the framing and the pairing of answers with requests; we take it one layer below
its client classes, which offer writing. The requests that exist here are the four of `_REQUESTS`; replies stay
bytes, to be decoded by `agent.collectors.modbus.decode`.

What pymodbus 3.16 would do by itself and here does not, because the supervisor owns reconnection:
- it connects again inside `execute` when the link is gone: we ask for its state first;
- it waits out the whole timeout when the peer closes: we fail the waiting request at once;
- it closes the link after some silent requests and logs each: our timeout ends the first one;
- its own timeouts use `asyncio.wait_for`, which in Python 3.11 can swallow a cancellation: they are off;
- it skips a reply with a foreign unit id and times out: we let it through, and it is refused with its reason.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest
from pymodbus.transaction import TransactionManager
from pymodbus.transport import CommParams, CommType

from agent.collectors.modbus.plan import Span, Table

# What goes wrong here is raised, and the supervisor logs it once; pymodbus would log it each time.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

_REQUESTS: dict[Table, type[ModbusPDU]] = {
    Table.COIL: ReadCoilsRequest,
    Table.DISCRETE: ReadDiscreteInputsRequest,
    Table.HOLDING: ReadHoldingRegistersRequest,
    Table.INPUT: ReadInputRegistersRequest,
}


class LinkLost(Exception):  # noqa: N818 - reads as what happened
    """The connection is closed, by the device or by the network."""


class LinkSilent(Exception):  # noqa: N818
    """No answer within the timeout; the connection cannot be used further, a late answer would confuse it."""


class LinkGarbled(Exception):  # noqa: N818
    """The answer does not fit the request: another unit, function or length."""


@dataclass(frozen=True, slots=True)
class ModbusRefusal:
    """The device's answer when it will not serve a request.

    Attributes:
        code: Modbus exception code: 1 illegal function, 2 illegal address, 3 illegal value, 4 device failure, ...
    """

    code: int


class _Reply(ModbusPDU):
    """A reply as it came: function code and the bytes after it."""

    def __init__(self, frame: bytes) -> None:
        super().__init__()
        self.function_code = frame[0]
        self.body = frame[1:]


class _Raw(DecodePDU):
    """Leaves replies undecoded."""

    def __init__(self) -> None:
        super().__init__(is_server=False)

    def decode(self, frame: bytes) -> ModbusPDU:
        return _Reply(frame)


class _AnyUnit(FramerSocket):
    """Hands on replies of any unit, so that a foreign one is named and not waited out."""

    def handleFrame(  # noqa: N802 - pymodbus' name
        self,
        data: bytes,
        exp_devid: int,  # noqa: ARG002
        exp_tid: int,
    ) -> tuple[int, ModbusPDU | None]:
        return super().handleFrame(data, 0, exp_tid)


class ReadLink:
    """An open connection. Make one with `open_link`; used by one task."""

    def __init__(self, manager: TransactionManager, unit: int, timeout_s: float) -> None:
        self._manager = manager
        self._unit = unit
        self._timeout_s = timeout_s
        self.answered = False  # whether this connection has ever served a request

    async def read(self, span: Span) -> bytes | ModbusRefusal:
        """Read one span; return its data bytes, or the device's refusal.

        Raises:
            LinkLost: the connection is closed.
            LinkSilent: no answer in time.
            LinkGarbled: an answer to something else.
        """
        if not self._manager.is_active():
            raise LinkLost("closed by the device")
        request = _REQUESTS[span.table](address=span.start, count=span.count, dev_id=self._unit)
        try:
            async with asyncio.timeout(self._timeout_s):
                reply = await self._manager.execute(no_response_expected=False, request=request)
        except TimeoutError as exc:
            raise LinkSilent from exc
        except ModbusException as exc:
            raise LinkGarbled(str(exc)) from exc
        assert isinstance(reply, _Reply)
        data = _checked(reply, span)
        self.answered = True
        return data

    def close(self) -> None:
        """Close the connection; harmless when it is closed already."""
        self._manager.close()


def _checked(reply: _Reply, span: Span) -> bytes | ModbusRefusal:
    """Return the data of a reply that fits the request."""
    if reply.function_code == span.table | 0x80 and reply.body:
        return ModbusRefusal(reply.body[0])
    size = (span.count + 7) // 8 if span.table.bits else span.count * 2
    if reply.function_code != span.table:
        raise LinkGarbled(f"function {reply.function_code} in the answer to function {int(span.table)}")
    if len(reply.body) != size + 1:
        raise LinkGarbled(f"{len(reply.body[1:])} data bytes where {size} were asked for")
    if reply.body[0] != size:
        raise LinkGarbled(f"a byte count of {reply.body[0]} where {size} were asked for")
    return reply.body[1:]


async def open_link(
    host: str, port: int, *, unit: int, timeout_s: float, source_address: str | None = None
) -> ReadLink:
    """Connect and return the link.

    Args:
        host: IP address or name.
        port: TCP port.
        unit: Unit id of every request.
        timeout_s: For connecting, and for each answer.
        source_address: Local address to connect from.

    Raises:
        OSError: the connection was refused, or there is no way to the host, or no such name.
        TimeoutError: nobody answered (a kind of OSError).
    """

    def changed(connected: bool) -> None:  # noqa: FBT001 - pymodbus calls it so
        waiting = manager.response_future
        if not connected and not waiting.done():
            waiting.set_exception(LinkLost("closed while an answer was awaited"))
            waiting.exception()  # seen: nobody may be waiting

    parameters = CommParams(
        comm_name=f"{host}:{port}",
        comm_type=CommType.TCP,
        host=host,
        port=port,
        source_address=(source_address, 0) if source_address else None,
        reconnect_delay=0,
        timeout_connect=None,  # type: ignore[arg-type]  # wait_for without a limit; the limit is ours
    )
    manager = TransactionManager(parameters, _AnyUnit(_Raw()), 0, False, None, None, changed)
    async with asyncio.timeout(timeout_s):
        await manager.call_create()
    return ReadLink(manager, unit, timeout_s)
