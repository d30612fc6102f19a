"""What the Modbus tests share: devices in a few words, and a scripted peer for what a real server never does."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, Any

from agent.collectors.modbus.config import ModbusDevice
from agent.frame import FrameBlock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence

    from agent.collectors.base import Reading
    from agent.frame import Value


def run(story: Coroutine[Any, Any, None], seconds: float = 20) -> None:
    """Run a test's story with a deadline."""
    asyncio.run(asyncio.wait_for(story, seconds))


def device(port: int, groups: Mapping[str, Sequence[dict[str, Any]]], **options: Any) -> ModbusDevice:
    """Return a device on loopback; `groups` maps "id/every" to signals."""
    return ModbusDevice.model_validate(
        {
            "id": "plc", "type": "modbus", "machine": "press-1", "host": "127.0.0.1", "port": port,
            "groups": [
                {"id": key.split("/")[0], "every": key.split("/")[1], "signals": list(signals)}
                for key, signals in groups.items()
            ],
        }
        | options
    )  # fmt: skip


def words(*addresses: int, table: str = "holding") -> list[dict[str, Any]]:
    """Return uint16 signals named after their addresses."""
    return [{"id": f"r{a}", "address": f"{table}:{a}", "type": "uint16"} for a in addresses]


def frame(readings: Sequence[Reading]) -> FrameBlock:
    """Return the one frame among readings, after checking its promises."""
    (found,) = [r for r in readings if isinstance(r, FrameBlock)]
    assert found.problem() is None
    return found


def values(block: FrameBlock) -> dict[str, Value]:
    """Return the values by signal id; each signal has one row."""
    ids = [block.source.signals[i].id for i in block.signal]
    assert sorted(ids) == sorted(s.id for s in block.source.signals)
    return dict(zip(ids, block.value, strict=True))


def statuses(block: FrameBlock) -> dict[str, int]:
    """Return the status codes by signal id."""
    return {block.source.signals[i].id: int(s) for i, s in zip(block.signal, block.status, strict=True)}


@contextlib.asynccontextmanager
async def scripted(*answers: Callable[[bytes], bytes] | None) -> AsyncIterator[int]:
    """Listen on loopback and answer the requests of all connections in turn by the script; yield the port.

    Each answer is made from the request as it came; None closes the connection instead, and when the script
    is over every further connection is closed at once.
    """
    script = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while script:
                request = await reader.readexactly(12)
                answer = script.pop(0)
                if answer is None:
                    break
                whole = answer(request)
                for piece in (whole[:9], whole[9:]):  # an answer may come in several segments
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def reply(request: bytes, *, unit: int = 1, function: int | None = None, body: bytes | None = None) -> bytes:
    """Return a reply with registers that count up from the start address, or with parts of it changed."""
    start, count = struct.unpack_from(">HH", request, 8)
    if body is None:
        body = bytes([count * 2]) + b"".join((start + i).to_bytes(2) for i in range(count))
    pdu = bytes([request[7] if function is None else function]) + body
    return request[:4] + struct.pack(">HB", len(pdu) + 1, unit) + pdu
