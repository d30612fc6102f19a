"""Reads the words around one address a few times, through the collector that would read them in service.

So a probe keeps the device's budget, pauses and security, heals a block in which an address is illegal, and says of
each word what the device said. It is a device of the file, or of an address on the command line, with one group of
single words.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from agent import collectors
from agent.collectors.modbus.address import place
from agent.collectors.modbus.config import ModbusDevice
from agent.collectors.modbus.lsmap import is_name
from agent.collectors.modbus.plan import ADDRESSES
from agent.collectors.modbus.signal import ModbusSignal
from agent.collectors.xgt import address as xgt
from agent.collectors.xgt.config import XgtDevice
from agent.errors import Unreachable
from agent.frame import FrameBlock
from settings.base import written
from settings.language import Complaint, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.base import Box
    from agent.config.model import Device
    from agent.frame import Value

D = TypeVar("D", bound=BaseModel)
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
        low_byte_first: Whether the device sends the low byte of a word first.
    """

    device: Device
    address: str
    labels: tuple[str, ...]
    at: int
    bits: bool
    low_byte_first: bool = False


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


def device_of(url: str, address: str) -> Device:
    """Return the device that an address such as `modbus://10.0.0.5:502/1` or `xgt://10.0.0.7` names.

    Raises:
        Complaint: it is written in another way.
    """
    try:
        parts = urlsplit(url)
        host, port, rest = parts.hostname, parts.port, parts.path.strip("/")
    except ValueError:
        parts, host, port, rest = urlsplit(""), None, None, ""
    base: dict[str, Any] = {"id": "probe", "machine": "probe", "host": host}
    if port is not None:
        base["port"] = port
    if parts.scheme == "modbus" and host and (not rest or rest.isdecimal()):
        groups = [{"every": "1s", "signals": [{"id": "word", "address": "holding:0", "type": "uint16"}]}]
        return made(ModbusDevice, base | {"type": "modbus", "unit": int(rest or 1), "groups": groups})
    if parts.scheme == "xgt" and host and not rest:
        iec = address.startswith("%")
        first = {"id": "word", "address": "%MW0" if iec else "D00000", "type": "uint16"}
        more = {"type": "xgt", "cpu": "XGI" if iec else "XGK", "groups": [{"every": "1s", "signals": [first]}]}
        return made(XgtDevice, base | more)
    raise Complaint(
        f"{url}: write the device as modbus://10.0.0.5:502/1 (unit at the end), xgt://10.0.0.7 or "
        "opc.tcp://10.0.0.9, or a file and the id of a device",
        f"{url}: 장치는 modbus://10.0.0.5:502/1(끝은 국번), xgt://10.0.0.7, opc.tcp://10.0.0.9 형식이나 "
        "설정 파일과 장치 id로 쓰십시오",
    )


def made(model: type[D], written: dict[str, Any]) -> D:
    """Return a model of what was written on the command line.

    Raises:
        Complaint: it does not fit.
    """
    try:
        return model.model_validate(written)
    except ValidationError as exc:
        error = exc.errors()[0]
        inner = error.get("ctx", {}).get("error")
        if isinstance(inner, Complaint):
            raise inner from exc
        where = ".".join(map(str, error["loc"]))
        raise Complaint(f"{where}: {error['msg']}", f"{where}: {error['msg']}") from exc


def window(device: Device, address: str, every_ns: int = EVERY_NS) -> Window:
    """Return what to read to know what stands at an address.

    Raises:
        Complaint: there is no such address, or the protocol has no words.
    """
    if isinstance(device, ModbusDevice):
        labels, at, bits = _modbus(device, address)
    elif isinstance(device, XgtDevice):
        labels, at, bits = _xgt(address)
    else:
        raise Complaint(f"{device.type} has no words", f"{device.type} 장치에는 워드가 없습니다")
    low = isinstance(device, XgtDevice)
    kind: dict[str, Any] = {"type": "bool"} if bits else {"type": "uint16", "word_order": "DCBA" if low else "ABCD"}
    signals = [{"id": f"w{i}", "address": label} | kind for i, label in enumerate(labels)]
    group = type(device.groups[0]).model_validate({"id": "probe", "every": written(every_ns), "signals": signals})
    for signal in group.signals:
        if isinstance(signal, ModbusSignal) and is_name(signal.address):
            signal.settle(getattr(device, "ls_map", None))
    one = device.model_copy(update={"groups": (group,)})
    return Window(one, labels[at], tuple(labels), at, bits, low_byte_first=low)


def _modbus(device: ModbusDevice, address: str) -> tuple[list[str], int, bool]:
    if is_name(address):
        if device.ls_map is None:
            raise Complaint(
                f"{address} is a name of the PLC: write the device's ls_map, or an address such as holding:8",
                f"PLC 디바이스 이름입니다({address}). 장치에 ls_map을 쓰거나 holding:8 형식으로 쓰십시오",
            )
        try:
            found = device.ls_map.place(address, bit=False)
        except Complaint:
            found = device.ls_map.place(address, bit=True)
        table, start = found.table, found.start
    else:
        table, start = place(address)
    first = max(0, start - 1)
    last = min(ADDRESSES - 1, start + (BITS_AFTER if table.bits else WORDS_AFTER))
    return [f"{table.word}:{i}" for i in range(first, last + 1)], start - first, table.bits


def _xgt(address: str) -> tuple[list[str], int, bool]:
    """Return the words around an address, or the bits of the word that a bit lies in."""
    percent = address.strip().startswith("%")
    try:
        spot = xgt.place(address, bit=False)
    except Complaint:
        spot = xgt.place(address, bit=True)
    if spot.contact is not None:
        raise Complaint("probe reads words: write the number alone", "워드만 읽을 수 있습니다. 번호만 쓰십시오")
    word = spot.byte // 2
    if spot.bit is not None:
        number = spot.byte % 2 * 8 + spot.bit
        if percent:
            return [f"%{spot.area}X{word * 16 + i}" for i in range(16)], number, True
        return [f"{spot.area}{word:05d}.{i:X}" for i in range(16)], number, True
    first = max(0, spot.byte - 2)
    starts = range(first, spot.byte + 2 * WORDS_AFTER + 1, 2)
    if spot.byte % 2:
        return [f"%{spot.area}B{byte}" for byte in starts], (spot.byte - first) // 2, False
    name = f"%{spot.area}W{{}}" if percent else f"{spot.area}{{:05d}}"
    return [name.format(byte // 2) for byte in starts], (spot.byte - first) // 2, False


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
