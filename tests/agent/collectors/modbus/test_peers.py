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
from agent.frame import Event, FrameBlock
from agent.health import Health
from agent.supervise import Supervisor
from tests.agent.collectors.modbus.rig import device, frame, run, values
from tests.peers.modbus import server, station
from tests.peers.modbus_serial import ModbusSerial
from tests.peers.serial_line import SerialLine
from tests.support.processes import free_port, running
from tests.support.sniffer import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agent.frame import Item, Value

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


class Sink:
    """Keeps the last good reading and when it came."""

    def __init__(self) -> None:
        self.good: dict[str, Value] = {}
        self.at = 0.0
        self.down = 0

    def put(self, item: Item) -> None:
        """Take what a supervisor hands on."""
        if isinstance(item, FrameBlock) and not item.quality.any():
            self.good, self.at = values(item), time.monotonic()
        elif isinstance(item, Event) and item.kind == "link_down":
            self.down += 1


async def away_and_back(config: ModbusDevice, leave: Callable[[], object], back: Callable[[], object]) -> None:
    """Let a device go while it is read, and come back when the waiting between attempts is longest."""
    clock, sink = SystemClock(trusted=True), Sink()
    supervisor = Supervisor(ModbusCollector(config, Box(clock)), sink, Health(), clock, jitter=lambda: 1.0)
    running_one = asyncio.ensure_future(supervisor.run())
    try:
        async with asyncio.timeout(20):
            while not sink.good:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        before = sink.good
        await asyncio.to_thread(leave)
        async with asyncio.timeout(20):
            while not sink.down:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(4)  # attempts at 0.5, 1.5 and 3.5 s and from then on each 3 s
        await asyncio.to_thread(back)
        returned = time.monotonic()
        async with asyncio.timeout(20):
            while sink.at < returned:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert sink.at - returned < 10  # 5 on a machine of its own; here others may be testing too
        assert sink.good == before
        assert sink.down == 1, "one outage"
    finally:
        running_one.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running_one


def test_killed_restarted_and_cut_off_servers_deliver_within_seconds_of_their_return(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(running(server(tmp_path / "one")))
        other = stack.enter_context(running(ModbusSerial(tmp_path / "other", port=free_port())))
        line = stack.enter_context(SerialLine())
        on_line = stack.enter_context(running(station(tmp_path / "line", line.theirs)))
        far = stack.enter_context(running(server(tmp_path / "far")))
        assert one.port and other.port and far.port  # noqa: PT018
        relay = stack.enter_context(Relay(far.port))
        tags = TAGS[:8]

        def cut() -> None:
            relay.cut = True

        def mend() -> None:
            relay.cut = False

        async def story() -> None:
            await asyncio.gather(
                away_and_back(device(one.port or 0, {"g/1s": tags}), one.kill, one.start),
                away_and_back(device(other.port or 0, {"g/1s": tags}), other.kill, other.start),
                away_and_back(on_a_line(line.ours, tags), on_line.kill, on_line.start),
                away_and_back(device(relay.port, {"g/1s": tags}), cut, mend),
            )

        run(story(), 60)
