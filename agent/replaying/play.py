"""Plays a recording against the real collector, over a real connection on the loopback.

    collector --(TCP, 127.0.0.1)--> server that plays the script
        |
        +--supervise--> what it made of it: frames, events, refusals

Fast by default: the groups are read as often as the shortest interval allows, their ratio kept, and answers come at
once; a silence lasts as long as the shortened timeout. `real` keeps intervals, timeouts and delays as they were.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from agent import collectors
from agent.clock import SystemClock
from agent.collectors.base import Box, Forgetful
from agent.config.base import EVERY_LEAST
from agent.config.model import Device
from agent.frame import Event, FrameBlock
from agent.health import Health
from agent.supervise import Supervisor
from settings.base import written

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agent.frame import Item, Json, Value
    from agent.replaying.script import Script
    from settings.language import Text

_DEVICE: TypeAdapter[Device] = TypeAdapter(Device)
TIMEOUT = "500ms"
IDLE_S = 5.0
"""So long without a request that the recording has, and the play is over."""
TICK_S = 0.05


@dataclass(slots=True)
class Made:
    """What the collector made of a recording.

    Attributes:
        frames: In their order.
        events: Links, gaps and whatever else.
        refused: Each text of a refused signal that ever stood.
    """

    frames: list[FrameBlock] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    refused: list[Text] = field(default_factory=list)

    def put(self, item: Item) -> None:
        """Take what the supervisor hands on."""
        if isinstance(item, FrameBlock):
            self.frames.append(item)
        elif isinstance(item, Event):
            self.events.append(item)

    def rows(self) -> list[tuple[str, str, Value, int]]:
        """Return (source, signal id, value, status) of every row, in order."""
        return [
            (frame.source.id, frame.source.signals[index].id, value, status)
            for frame in self.frames
            for index, value, status in zip(frame.signal.tolist(), frame.value, frame.status.tolist(), strict=True)
        ]


def device_of(script: Script, port: int, *, real: bool = False) -> Device:
    """Return the recorded device as configured, but on the loopback.

    Raises:
        ValueError: this release cannot read that configuration.
    """
    config: dict[str, Any] = {**script.head.get("config", {})}
    config.setdefault("id", script.head.get("device", "device"))
    for name in ("serial", "source_address"):
        config.pop(name, None)
    config |= {"host": "127.0.0.1", "port": port}
    match config.get("transport"):
        case "tls":
            config["transport"] = "tcp"
        case "rtu":
            config["transport"] = "rtu-over-tcp"
    try:
        device = _DEVICE.validate_python(config)
        if not real:
            config |= {"timeout": TIMEOUT, "budget": {"requests_per_second": 10_000, "busy": 1}}
            for name in ("request_gap", "warmup"):
                config.pop(name, None)
            least = min(group.every for group in device.groups)
            for entry, group in zip(config["groups"], device.groups, strict=True):
                entry["every"] = written(round(group.every / least) * EVERY_LEAST)
                entry.pop("burst", None)
            config["timeout"] = written(EVERY_LEAST)
            device = _DEVICE.validate_python(config)
    except ValidationError as exc:
        raise ValueError(f"the recorded device cannot be configured by this release: {exc}") from exc
    return device


async def play(script: Script, *, real: bool = False, longest_s: float = 3600.0) -> Made:
    """Play it until every recorded request has been asked again, or the collector asks nothing of it any more.

    Raises:
        ValueError: this release cannot read the recorded configuration.
    """
    made, clock = Made(), SystemClock(trusted=True)
    memory = Forgetful()
    async with _served(script, clock, real=real) as port:
        device = device_of(script, port, real=real)
        for topic, body in script.head.get("memory", {}).items():
            memory.remember(device.id, topic, _moved(body, device))
        collector = collectors.make(device, Box(clock, memory))
        supervisor = Supervisor(collector, made, Health(), clock, lambda: 0.0)
        task = asyncio.create_task(supervisor.run())
        waited, idle, before = 0.0, 0.0, 0
        try:
            while waited < longest_s and not task.done() and not script.exhausted and idle < IDLE_S:
                await clock.sleep(TICK_S)
                waited += TICK_S
                idle = 0.0 if script.served > before or real else idle + TICK_S
                before = script.served
                made.refused += [text for text in collector.refused() if text not in made.refused]
            await clock.sleep(2 * TICK_S)  # the last answer becomes a frame
            made.refused += [text for text in collector.refused() if text not in made.refused]
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    return made


def _moved(body: Json, device: Device) -> Json:
    """Return what was known of the device at its place, at the place where it is now."""
    if isinstance(body, dict) and "place" in body and device.type == "modbus":
        return {**body, "place": f"{device.transport} {device.place} {device.unit}"}
    return body


@contextlib.asynccontextmanager
async def _served(script: Script, clock: SystemClock, *, real: bool) -> AsyncIterator[int]:
    """Play the script on a port of the loopback; yield the port."""
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer = b""
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        writers.append(writer)
        with contextlib.suppress(OSError, asyncio.CancelledError), contextlib.closing(writer):
            while data := await reader.read(4096):
                buffer += data
                while True:
                    request, buffer = script.framing.split(buffer)
                    if request is None:
                        break
                    begun = 0
                    for piece in script.answer(request):
                        if real and piece.after_ns > begun:
                            await clock.sleep((piece.after_ns - begun) / 1e9)
                            begun = piece.after_ns
                        if not piece.data:
                            return
                        writer.write(piece.data)
                    await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await clock.sleep(0)  # who was accepted last becomes a task
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:  # nobody reads what is still on its way, and it would keep the socket
            writer.transport.abort()
        await clock.sleep(0)
