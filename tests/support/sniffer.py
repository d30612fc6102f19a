"""A TCP relay on loopback that keeps every byte a client sends, and readers of what those bytes ask for.

The readers share no code with the agent's clients: they read Modbus' MBAP header, OPC UA's chunks and XGT's header
from the specifications (Modbus Messaging on TCP/IP 1.0b; OPC UA Part 6, 6.7 and Annex A; XGL-EFMF manual 7-2), no
more.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import struct
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable


class Relay:
    """Passes connections on to a port of loopback and records the client's side, one buffer a connection.

    Attributes:
        sent: What each connection's client has sent.
        port: Where to connect.
        cut: While true, a cable is out: nothing is passed on, nothing is closed, nothing is lost.
        says: What becomes of the server's words on their way: somebody stands between.
    """

    def __init__(self, target_port: int) -> None:
        self._target = target_port
        self.sent: list[bytearray] = []
        self.port = 0
        self.cut = False
        self.says: Callable[[bytes], bytes] = lambda data: data
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._quiet(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _quiet(self) -> None:
        """Wait until the last words of connections that are ending have been recorded."""
        open_ones = asyncio.all_tasks() - {asyncio.current_task()}
        if open_ones:
            await asyncio.wait(open_ones, timeout=2)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        record = bytearray()
        self.sent.append(record)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        up = asyncio.ensure_future(self._pump(reader, far_writer, record))
        down = asyncio.ensure_future(self._pump(far_reader, writer, None))
        # asyncio's own callback on this task raises when the task was cancelled, so it ends without that
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
                await asyncio.wait((up,), timeout=0.2)  # what the client had sent before the server closed
        finally:
            for task in (up, down):
                task.cancel()
            writer.close()
            far_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: bytearray | None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if record is not None:
                    record += data
                else:
                    data = self.says(data)
                while self.cut:  # noqa: ASYNC110 - told from another thread
                    await asyncio.sleep(0.01)
                writer.write(data)
                await writer.drain()


def modbus_functions(stream: bytes) -> Counter[int]:
    """Count the function codes of the requests in a client's byte stream."""
    found: Counter[int] = collections.Counter()
    position = 0
    while position + 8 <= len(stream):
        _, protocol, length = struct.unpack_from(">HHH", stream, position)
        assert protocol == 0, f"no Modbus at byte {position}"
        assert 2 <= length <= 254, f"no Modbus at byte {position}"
        found[stream[position + 7]] += 1
        position += 6 + length
    return found


# Numeric ids of the DefaultBinary encodings, OPC UA Part 6, Annex A (NodeIds.csv).
OPCUA_SERVICES = {
    428: "GetEndpoints", 422: "FindServers", 452: "CloseSecureChannel", 461: "CreateSession",
    467: "ActivateSession",
    473: "CloseSession", 488: "AddNodes", 494: "AddReferences", 500: "DeleteNodes", 506: "DeleteReferences",
    527: "Browse", 533: "BrowseNext", 554: "TranslateBrowsePathsToNodeIds", 560: "RegisterNodes", 631: "Read",
    664: "HistoryRead", 673: "Write", 700: "HistoryUpdate", 712: "Call", 751: "CreateMonitoredItems",
    763: "ModifyMonitoredItems", 769: "SetMonitoringMode", 781: "DeleteMonitoredItems", 787: "CreateSubscription",
    793: "ModifySubscription", 799: "SetPublishingMode", 826: "Publish", 832: "Republish",
    841: "TransferSubscriptions", 847: "DeleteSubscriptions",
}  # fmt: skip


def opcua_services(stream: bytes) -> Counter[str]:
    """Count the services that a client's byte stream asks for (security mode None or Sign)."""
    found: Counter[str] = collections.Counter()
    position = 0
    begun: set[int] = set()
    while position + 8 <= len(stream):
        kind, final = stream[position : position + 3], stream[position + 3 : position + 4]
        (size,) = struct.unpack_from("<I", stream, position + 4)
        assert kind in {b"HEL", b"OPN", b"MSG", b"CLO"}, f"no OPC UA at byte {position}: {kind!r}"
        if kind in {b"MSG", b"CLO"} and position + 24 <= len(stream):
            (request,) = struct.unpack_from("<I", stream, position + 20)
            if request not in begun:  # the type stands in a message's first chunk
                encoding, namespace, number = struct.unpack_from("<BBH", stream, position + 24)
                assert (encoding, namespace) == (1, 0), f"unexpected type id at byte {position}"
                found[OPCUA_SERVICES.get(number, f"unknown {number}")] += 1
            begun.add(request) if final == b"C" else begun.discard(request)
        position += size
    return found


def xgt_commands(stream: bytes) -> Counter[int]:
    """Count the commands in what an XGT client has sent: 54h reads, 58h writes."""
    found: Counter[int] = collections.Counter()
    at = 0
    while at + 22 <= len(stream):
        assert stream[at : at + 8] == b"LSIS-XGT"
        length, command = struct.unpack_from("<H2xH", stream, at + 16)
        found[command] += 1
        at += 20 + length
    assert at == len(stream)
    return found
