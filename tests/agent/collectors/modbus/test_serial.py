"""Serial lines: noise, echoes, lost frames, adapters that are pulled out, ports that are not there."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from typing import TYPE_CHECKING

import pytest

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.modbus.config import ModbusDevice
from agent.collectors.modbus.faults import no_connection
from agent.collectors.modbus.plan import Span, Table
from agent.collectors.modbus.unit import Unit, open_unit
from agent.errors import Unreachable
from tests.agent.collectors.modbus.rig import run, words
from tests.peers.modbus import station
from tests.peers.serial_line import SerialLine
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def on_a_line(device_file: str, unit: int = 1, timeout: str = "500ms", baudrate: int = 9600) -> ModbusDevice:
    return ModbusDevice.model_validate(
        {
            "id": f"u{unit}", "type": "modbus", "machine": "press-1", "transport": "rtu", "timeout": timeout,
            "unit": unit, "serial": {"port": device_file, "baudrate": baudrate},
            "groups": [{"every": "1s", "signals": words(1)}],
        }
    )  # fmt: skip


def box() -> Box:
    return Box(SystemClock(trusted=True))


@contextlib.contextmanager
def line_with_a_station(folder: Path, *, tcp: bool = False) -> Iterator[SerialLine]:
    with SerialLine(tcp=tcp) as line, running(station(folder, line.theirs)):
        yield line


async def ask(unit: Unit, start: int, count: int = 3) -> None:
    _, data = await unit.ask(Span(Table.HOLDING, start, count))
    assert data == b"".join((start + n).to_bytes(2) for n in range(count))


def test_noise_and_echoes_before_an_answer_are_passed_over(tmp_path: Path) -> None:
    with line_with_a_station(tmp_path) as line:

        async def story() -> None:
            async with open_unit(on_a_line(line.ours), box()) as unit:
                # noise: nothing, one byte, and what looks like the beginning of a long answer
                for n, noise in enumerate((b"", b"\xff", b"\x00\x01\x03\xf0", b"\x01\x83", bytes(range(64)))):
                    line.noise = noise
                    await ask(unit, 10 * n)
                assert unit.meter.timeouts == 0
                line.echo = True
                for n in range(5):
                    await ask(unit, n, 1)
                assert unit.meter.timeouts == 0

        run(story())


@pytest.mark.parametrize("tcp", [False, True], ids=["rtu", "rtu-over-tcp"])
def test_a_lost_frame_is_asked_for_again_and_nobody_hears_of_it(tmp_path: Path, *, tcp: bool) -> None:
    with line_with_a_station(tmp_path, tcp=tcp) as line:
        config = on_a_line(line.ours)
        if tcp:
            config = ModbusDevice.model_validate(
                {
                    "id": "u1", "type": "modbus", "machine": "m", "transport": "rtu-over-tcp", "host": "127.0.0.1",
                    "port": line.port, "timeout": "500ms", "groups": [{"every": "1s", "signals": words(1)}],
                }
            )  # fmt: skip

        async def story() -> None:
            async with open_unit(config, box()) as unit:
                await ask(unit, 1)
                line.cut = True
                asking = asyncio.ensure_future(ask(unit, 2))
                while not unit.meter.requests == 1:  # noqa: ASYNC110, SIM201
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.1)
                line.cut = False
                await asking
                assert unit.meter.timeouts == 1
                assert unit.meter.reconnects == 0

        run(story())


def test_a_station_that_is_off_leaves_the_line_to_the_others(tmp_path: Path) -> None:
    with line_with_a_station(tmp_path) as line:

        async def story() -> None:
            shared = box()
            async with open_unit(on_a_line(line.ours), shared) as here:
                async with open_unit(on_a_line(line.ours, 2, "200ms"), shared) as away:
                    for n in range(3):
                        with pytest.raises(Unreachable, match=r"u2 \(/dev/.*unit 2\): connected, but no answer"):
                            await away.ask(Span(Table.HOLDING, 1, 1))
                        await ask(here, n)  # libmodbus takes what follows for the other's answer: a lost frame
                assert away.meter.timeouts >= 3

        run(story())


def test_an_adapter_that_is_pulled_out_is_noticed_at_once() -> None:
    async def story() -> None:
        with SerialLine() as line:
            async with open_unit(on_a_line(line.ours, timeout="30s"), box()) as unit:
                asking = asyncio.ensure_future(unit.ask(Span(Table.HOLDING, 1, 1)))
                await asyncio.sleep(0.1)
                line.unplug()
                with pytest.raises(Unreachable):
                    await asyncio.wait_for(asking, 10)

    run(story())


def test_a_port_that_is_not_there_or_in_use_is_explained() -> None:
    async def story() -> None:
        with pytest.raises(Unreachable, match=r"no such serial port: .*/dev/serial/by-id"):
            async with open_unit(on_a_line("/dev/serial/by-id/none"), box()):
                pass
        with SerialLine() as line:
            async with open_unit(on_a_line(line.ours), box()):
                with pytest.raises(Unreachable, match="the serial port is in use"):
                    async with open_unit(on_a_line(line.ours), box()):  # another box: another program
                        pass

    run(story())


@pytest.mark.parametrize(
    ("code", "text"), [(errno.EACCES, "group dialout"), (errno.EIO, "cannot be opened: .*parity")]
)
def test_what_the_system_says_about_a_port_is_explained(code: int, text: str) -> None:
    with pytest.raises(OSError, match=text):
        raise OSError(no_connection(on_a_line("/dev/ttyS0"), OSError(code, "no")).en)


@pytest.mark.parametrize(("baudrate", "gap"), [(9600, 3_645_833), (19200, 1_822_917), (115200, 1_750_000)])
def test_frames_on_a_line_keep_the_silence_between_them(baudrate: int, gap: int) -> None:
    unit = Unit(on_a_line("/dev/ttyS0", baudrate=baudrate), box())
    assert unit.gap_ns == gap
    assert unit.wire_ns(Span(Table.HOLDING, 0, 125)) == round((13 + 250) * 10e9 / baudrate)
