"""Servers that others wrote serve all four tables over every transport, and are found again when they were away."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.modbus.collector import ModbusCollector
from agent.collectors.modbus.config import ModbusDevice
from agent.errors import Unreachable
from tests.agent.collectors.modbus.rig import device, frame, run, values
from tests.peers.modbus import server, station
from tests.peers.modbus_serial import ModbusSerial
from tests.peers.serial_line import SerialLine
from tests.support.processes import free_port, running
from tests.support.sniffer import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.collectors.base import Read
    from agent.frame import Value
    from tests.support.processes import Child

TAGS: list[dict[str, Any]] = [
    *({"id": f"h{a}", "address": f"holding:{a}", "type": "uint16"} for a in (0, 7, 8, 300, 9999)),
    *({"id": f"i{a}", "address": f"input:{a}", "type": "uint16"} for a in (0, 7, 8, 300)),
    *({"id": f"c{a}", "address": f"coil:{a}", "type": "bool"} for a in (0, 1, 9, 2000)),
    *({"id": f"d{a}", "address": f"discrete:{a}", "type": "bool"} for a in (0, 1, 3, 8, 2001)),
    {"id": "wide", "address": "holding:4660", "type": "uint64", "instrument_range": [0, 2**64]},
    {"id": "long", "address": "holding:500", "type": "string", "length": 240, "encoding": "cp949"},
]


def by_libmodbus(signal: str, address: int) -> Value:
    return address if signal in {"h", "i"} else address % 2 == 1


def by_modbus_serial(signal: str, address: int) -> Value:
    return {
        "h": (address + 1000) % 65536, "i": address ^ 0x5555, "c": address % 2 == 1, "d": address % 3 == 0,
    }[signal]  # fmt: skip


def expected(served: Callable[[str, int], Value]) -> dict[str, Value]:
    """Return the tags' values where each register stands alone."""
    return {
        tag["id"]: served(tag["id"][0], int(tag["id"][1:])) for tag in TAGS if tag["id"] not in {"wide", "long"}
    }


def collector(config: ModbusDevice) -> ModbusCollector:
    return ModbusCollector(config, Box(SystemClock(trusted=True)))


def on_a_line(device_file: str, tags: list[dict[str, Any]], **options: Any) -> ModbusDevice:
    return ModbusDevice.model_validate(
        {
            "id": "plc", "type": "modbus", "machine": "press-1", "transport": "rtu", "timeout": "1s",
            "serial": {"port": device_file}, "groups": [{"every": "100ms", "signals": tags}],
        }
        | options
    )  # fmt: skip


@contextlib.contextmanager
def libmodbus_tcp(folder: Path) -> Iterator[ModbusDevice]:
    with running(server(folder)) as peer:
        assert peer.port is not None
        yield device(peer.port, {"g/100ms": TAGS})


@contextlib.contextmanager
def modbus_serial_tcp(folder: Path) -> Iterator[ModbusDevice]:
    with running(ModbusSerial(folder, port=free_port())) as peer:
        assert peer.port is not None
        yield device(peer.port, {"g/100ms": TAGS})


@contextlib.contextmanager
def libmodbus_rtu(folder: Path) -> Iterator[ModbusDevice]:
    with SerialLine() as line, running(station(folder, line.theirs)):
        yield on_a_line(line.ours, TAGS)


@contextlib.contextmanager
def modbus_serial_rtu(folder: Path) -> Iterator[ModbusDevice]:
    with SerialLine() as line, running(ModbusSerial(folder, serial=line.theirs)):
        yield on_a_line(line.ours, TAGS)


@contextlib.contextmanager
def libmodbus_rtu_over_tcp(folder: Path) -> Iterator[ModbusDevice]:
    with SerialLine(tcp=True) as line, running(station(folder, line.theirs)):
        yield device(line.port, {"g/100ms": TAGS}, transport="rtu-over-tcp", timeout="1s")


@pytest.mark.parametrize(
    ("peer", "served"),
    [
        (libmodbus_tcp, by_libmodbus),
        (libmodbus_rtu, by_libmodbus),
        (libmodbus_rtu_over_tcp, by_libmodbus),
        (modbus_serial_tcp, by_modbus_serial),
        (modbus_serial_rtu, by_modbus_serial),
    ],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_all_four_tables_arrive_right(
    tmp_path: Path,
    peer: Callable[[Path], contextlib.AbstractContextManager[ModbusDevice]],
    served: Callable[[str, int], Value],
) -> None:
    with peer(tmp_path) as config:

        async def story() -> None:
            async with collector(config).connect() as read:
                for _ in range(3):
                    got = values(frame(await read()))
            assert {name: got[name] for name in got if name not in {"wide", "long"}} == expected(served)
            word = [served("h", 4660 + n) for n in range(4)]
            assert got["wide"] == int.from_bytes(b"".join(int(w or 0).to_bytes(2) for w in word))

        run(story())


async def until_it_fails(read: Read) -> None:
    for _ in range(3):
        await read()


async def until_read(it: ModbusCollector, seconds: float) -> dict[str, Value]:
    """Try as the supervisor does until a reading is good; return its values."""
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(Unreachable):
                async with it.connect() as read:
                    return values(frame(await read()))
            await asyncio.sleep(0.3)


@pytest.mark.parametrize("make", [server, ModbusSerial], ids=["libmodbus", "modbus-serial"])
def test_a_server_that_was_killed_delivers_within_five_seconds_of_its_return(
    tmp_path: Path, make: Callable[..., Child]
) -> None:
    peer = make(tmp_path, port=free_port())

    async def story() -> None:
        assert peer.port is not None
        it = collector(device(peer.port, {"g/100ms": TAGS}, timeout="500ms"))
        async with it.connect() as read:
            before = values(frame(await read()))
            await asyncio.to_thread(peer.kill)
            with pytest.raises(Unreachable, match="connection refused"):
                await until_it_fails(read)
        returning = asyncio.to_thread(peer.start)
        got, _ = await asyncio.gather(until_read(it, 20), returning)
        assert got == before
        peer.kill()
        await asyncio.to_thread(peer.start)
        begun = time.monotonic()
        assert await until_read(it, 5) == before
        assert time.monotonic() - begun < 5

    with running(peer):
        run(story(), 40)


def test_a_cut_cable_is_noticed_and_delivers_within_five_seconds_of_its_return(tmp_path: Path) -> None:
    with running(server(tmp_path)) as peer:
        assert peer.port is not None
        with Relay(peer.port) as relay:

            async def story() -> None:
                it = collector(device(relay.port, {"g/100ms": TAGS}, timeout="300ms"))
                async with it.connect() as read:
                    before = values(frame(await read()))
                    relay.cut = True
                    with pytest.raises(Unreachable, match=r"no answer within 0\.3 s"):
                        await until_it_fails(read)
                with pytest.raises(Unreachable):
                    async with it.connect() as read:
                        await read()
                relay.cut = False
                assert await until_read(it, 5) == before
                assert it.stats.timeouts >= 2

            run(story())
