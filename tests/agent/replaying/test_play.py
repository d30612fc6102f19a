"""From the field to a test: frames of a misbehaving device, played again, give what they gave then."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from agent import collectors
from agent.clock import SystemClock
from agent.collectors.base import Box, Forgetful
from agent.config.model import Device
from agent.health import Health
from agent.recording import Recorder
from agent.replaying.play import Made, play
from agent.replaying.script import Script, read
from agent.supervise import Supervisor
from tests.peers.modbus import server as modbus_server
from tests.peers.xgt import XgtPlc
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEVICE: TypeAdapter[Device] = TypeAdapter(Device)


def record(
    config: dict[str, Any], during: Callable[[Made], bool], memory: Forgetful | None = None
) -> tuple[list[str], Made]:
    """Run a collector while a recorder listens, until `during` says that it is enough.

    Returns:
        The recording, and what came of it then.
    """
    made, lines = Made(), []

    async def main() -> None:
        clock = SystemClock(trusted=True)
        box = Box(clock, memory or Forgetful())
        recorder = Recorder(box, clock)
        device = DEVICE.validate_python(config)
        collector = collectors.make(device, box)
        known = {topic: body for (_, topic), body in memory._known.items()} if memory else {}
        head = {"device": device.id, "protocol": device.type, "config": config, "memory": known}
        frames = recorder.record(device.id, 60, head)
        lines.append(json.dumps(await anext(frames)))
        task = asyncio.create_task(Supervisor(collector, made, Health(), clock, lambda: 0.0).run())

        async def listen() -> None:
            async for frame in frames:
                lines.append(json.dumps(frame))  # noqa: PERF401 - one by one: it is cancelled

        listening = asyncio.create_task(listen())
        async with asyncio.timeout(50):
            while not during(made):  # noqa: ASYNC110 - whatever it looks at
                await asyncio.sleep(0.02)
        for ended in (task, listening):
            ended.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ended
        assert box.tap is None, "nobody records any more"

    asyncio.run(main())
    return lines, made


def modbus(port: int, *addresses: int) -> dict[str, Any]:
    signals = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in addresses]
    return {
        "id": "plc", "type": "modbus", "machine": "press", "host": "127.0.0.1", "port": port, "timeout": "400ms",
        "groups": [{"id": "main", "every": "500ms", "signals": signals}],
    }  # fmt: skip


def values(made: Made) -> list[tuple[str, Any, int]]:
    return [(signal, value, status) for _, signal, value, status in made.rows()]


def again(lines: list[str]) -> tuple[Script, Made]:
    script = read(lines)
    return script, asyncio.run(play(script))


def test_values_and_refusals_of_a_device_come_again(tmp_path: Path) -> None:
    plc = modbus_server(tmp_path, "--illegal", "5-5", sequence=True)
    assert plc.port is not None
    with running(plc):
        lines, then = record(modbus(plc.port, 1, 2, 5), lambda made: len(made.frames) >= 4)
    script, now = again(lines)
    assert script.exhausted
    ours = values(now)
    assert ours[: len(values(then))] == values(then), "the same values, in the same order"
    assert any(status >> 31 for signal, _, status in ours if signal == "w5")
    assert "holding:5" in " ".join(text.en for text in now.refused)


def test_a_silence_and_a_lost_connection_come_again(tmp_path: Path) -> None:
    plc = modbus_server(tmp_path, "--close-after", 3, sequence=True)
    assert plc.port is not None
    frozen = False

    def enough(made: Made) -> bool:
        nonlocal frozen
        good = sum(status == 0 for _, _, status in values(made))
        if good >= 3 and not frozen:
            plc.send(19)  # SIGSTOP: it accepts and says nothing
            frozen = True
        if any(event.kind == "link_down" for event in made.events):
            plc.send(18)
            return good >= 6
        return False

    with running(plc):
        lines, then = record(modbus(plc.port, 1), enough)
    assert '"timeout"' in "".join(lines)
    script, now = again(lines)
    assert script.exhausted
    assert any(event.kind == "link_down" for event in now.events)
    good = [value for _, value, status in values(then) if not status]
    assert [value for _, value, status in values(now) if not status][: len(good)] == good


def test_an_xgt_plc_comes_again(tmp_path: Path) -> None:
    plc = XgtPlc(tmp_path)
    config = {
        "id": "plc", "type": "xgt", "machine": "press", "host": "127.0.0.1", "port": plc.port,
        "groups": [{
            "id": "main", "every": "200ms",
            "signals": [{"id": "a", "address": "%DW100", "type": "uint16"}],
        }],
    }  # fmt: skip
    with running(plc):
        lines, then = record(config, lambda made: len(made.frames) >= 3)
    script, now = again(lines)
    assert script.exhausted
    assert values(now)[: len(values(then))] == values(then)
    assert any(status == 0 for _, _, status in values(now))


def test_what_was_known_of_the_device_is_known_again(tmp_path: Path) -> None:
    plc = modbus_server(tmp_path, "--max-count", 4)
    assert plc.port is not None
    memory = Forgetful()
    with running(plc):
        record(modbus(plc.port, *range(10)), lambda made: len(made.frames) >= 3, memory)
        lines, _ = record(modbus(plc.port, *range(10)), lambda made: len(made.frames) >= 3, memory)
    head = json.loads(lines[0])
    assert head["memory"], "the device serves four registers at most: that was learned"
    script, made = again(lines)
    assert (script.exhausted, script.unknown) == (True, 0), "the same was known, so the same is asked"
    assert all(status == 0 for _, _, status in values(made))
    other, _ = again([json.dumps(head | {"memory": {}}), *lines[1:]])
    assert other.unknown > 0


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_the_verb_prints_what_came_of_it(tmp_path: Path, words: list[str]) -> None:
    plc = modbus_server(tmp_path, sequence=True)
    assert plc.port is not None
    with running(plc):
        lines, then = record(modbus(plc.port, 1), lambda made: len(made.frames) >= 2)
    file = tmp_path / "plc.jsonl"
    file.write_text("\n".join(lines), "utf-8")
    command = [sys.executable, "-m", "agent.cli", "--lang", "ko", "replay", str(file), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    if words:
        first = json.loads(done.stdout.splitlines()[0])
        assert first == {"source": "plc.main", "signal": "w1", "value": values(then)[0][1], "status": 0}
    else:
        assert "기록된 요청" in done.stdout
        assert "w1" in done.stdout
