"""Reads the words around one address a few times, through the collector that would read them in service.

So a probe keeps the device's budget, pauses and security, heals a block in which an address is illegal, and says of
each word what the device said. It is a device of the file, or of an address on the command line, with one group of
single words.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agent import collectors
from agent.collectors.modbus.config import ModbusDevice, ModbusGroup
from agent.errors import Unreachable
from agent.frame import FrameBlock
from settings.base import written
from settings.language import Complaint, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.base import Box
    from agent.config.model import Device
    from agent.frame import Value

WORDS_AFTER = 9
BITS_AFTER = 15
EVERY_NS = 500_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """What is read.

    Attributes:
        device: With one group of single words or bits.
        address: What was asked for, in the notation of the file.
        labels: Address of each word or bit.
        at: Index of the one that was asked for.
        bits: Whether they are bits.
    """

    device: Device
    address: str
    labels: tuple[str, ...]
    at: int
    bits: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What the device said.

    Attributes:
        readings: Values of all words, oldest first, None for what was refused.
        status: Of each word in the last reading.
        rtt_ns: Mean round trip.
    """

    readings: tuple[tuple[Value, ...], ...]
    status: tuple[int, ...]
    rtt_ns: int | None


def device_of(url: str) -> Device:
    """Return the device that an address such as `modbus://10.0.0.5:502/1` names.

    Raises:
        Complaint: it is written in another way.
    """
    try:
        parts = urlsplit(url)
        host, port, rest = parts.hostname, parts.port, parts.path.strip("/")
    except ValueError:
        host, port, rest, parts = None, None, "", urlsplit("")
    base: dict[str, Any] = {"id": "probe", "machine": "probe", "host": host}
    if port is not None:
        base["port"] = port
    if parts.scheme == "modbus" and host and (not rest or rest.isdecimal()):
        unit = int(rest) if rest else 1
        first = {"id": "word", "address": "holding:0", "type": "uint16"}
        groups = [{"id": "probe", "every": "1s", "signals": [first]}]
        return ModbusDevice.model_validate(base | {"type": "modbus", "unit": unit, "groups": groups})
    raise Complaint(
        f"{url}: write the device as modbus://10.0.0.5:502/1 (unit at the end), or a file and the id of a device",
        f"{url}: 장치는 modbus://10.0.0.5:502/1(끝은 국번) 형식이나 설정 파일과 장치 id로 쓰십시오",
    )


def window(device: Device, address: str, every_ns: int = EVERY_NS) -> Window:
    """Return what to read to know what stands at an address.

    Raises:
        Complaint: there is no such address, or the protocol has no words.
    """
    from agent.collectors.modbus.address import place  # noqa: PLC0415
    from agent.collectors.modbus.plan import ADDRESSES  # noqa: PLC0415

    if not isinstance(device, ModbusDevice):
        raise Complaint(f"{device.type} has no words", f"{device.type} 장치에는 워드가 없습니다")
    table, start = place(address)
    first = max(0, start - 1)
    last = min(ADDRESSES - 1, start + (BITS_AFTER if table.bits else WORDS_AFTER))
    labels = tuple(f"{table.word}:{i}" for i in range(first, last + 1))
    kind: dict[str, Any] = {"type": "bool"} if table.bits else {"type": "uint16", "word_order": "ABCD"}
    signals = [{"id": f"w{i}", "address": label} | kind for i, label in enumerate(labels)]
    group = ModbusGroup.model_validate({"id": "probe", "every": written(every_ns), "signals": signals})
    one = device.model_copy(update={"groups": (group,)})
    return Window(one, f"{table.word}:{start}", labels, start - first, bits=table.bits)


async def look(what: Window, box: Box, count: int, seconds: float) -> Seen:
    """Read the window `count` times.

    Args:
        what: From `window`.
        box: Clock and memory.
        count: Readings.
        seconds: Longest wait in all.

    Raises:
        Unreachable: the device does not answer.
        Refused: it does not let us in.
    """
    collector = collectors.make(what.device, box)
    readings: list[tuple[Value, ...]] = []
    trips: list[int] = []
    status = [0] * len(what.labels)
    try:
        async with asyncio.timeout(seconds), collector.connect() as read:
            while len(readings) < count:
                for item in await read():
                    if isinstance(item, FrameBlock) and len(item) >= len(what.labels):
                        row: list[Value] = [None] * len(what.labels)
                        for i, value, code in zip(item.signal, item.value, item.status.tolist(), strict=True):
                            row[int(i)], status[int(i)] = value, code
                        readings.append(tuple(row))
                        trips += [trip.rtt_ns for trip in item.round_trips]
    except TimeoutError as exc:
        if not readings:
            raise Unreachable(
                Text(f"no answer within {seconds:g} s", f"{seconds:g}초 안에 응답이 없습니다")
            ) from exc
    best = max(sum(v is not None for v in row) for row in readings)
    whole = tuple(row for row in readings if sum(v is not None for v in row) == best)
    return Seen(whole, tuple(status), sum(trips) // len(trips) if trips else None)


def words(seen: Seen) -> Sequence[tuple[int | None, ...]]:
    """Return the readings as words."""
    return [tuple(v if isinstance(v, int) else None for v in row) for row in seen.readings]
