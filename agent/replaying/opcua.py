"""Plays a recording of an OPC UA connection; the answers come from `agent.collectors.opcua.replay`."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from agent.clock import SystemClock
from agent.collectors.base import Box, Forgetful
from agent.collectors.opcua.config import OpcUaDevice
from agent.health import Health
from agent.replaying.play import IDLE_S, TICK_S, Made
from agent.replaying.script import FORMAT, LINE_LIMIT
from agent.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEVICE: TypeAdapter[OpcUaDevice] = TypeAdapter(OpcUaDevice)


async def play(lines: Iterable[str]) -> tuple[Made, bool]:
    """Play it until its publications are used up, or nothing new comes of it.

    Returns:
        What the collector made of it, and whether every publication was used.

    Raises:
        ValueError: it is no recording of OPC UA, or this release cannot read the recorded configuration.
    """
    from agent.collectors.opcua import replay  # noqa: PLC0415 - asyncua costs 48 MB

    try:
        parsed = [json.loads(line[:LINE_LIMIT]) for line in lines if line.strip()]
        head, rest = parsed[0], parsed[1:]
        if head["recording"] != FORMAT:
            raise ValueError(f"format {head['recording']}")
        frames = [(line["dir"], bytes.fromhex(line.get("hex", ""))) for line in rest if "dir" in line]
        found = replay.Recorded.of(frames)
        device = _DEVICE.validate_python({"security": "None", **head["config"]})
    except ValidationError as exc:
        raise ValueError(f"the recorded device cannot be configured by this release: {exc}") from exc
    except (IndexError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise ValueError(f"no recording: {exc}") from exc
    made, clock, memory = Made(), SystemClock(trusted=True), Forgetful()
    for topic, body in head.get("memory", {}).items():
        memory.remember(device.id, topic, body)
    collector = replay.collector(device, Box(clock, memory), found)
    task = asyncio.create_task(Supervisor(collector, made, Health(), clock, lambda: 0.0).run())
    idle, before = 0.0, 0
    try:
        while idle < IDLE_S and not task.done() and not found.exhausted.is_set():
            await clock.sleep(TICK_S)
            idle = 0.0 if len(made.frames) > before else idle + TICK_S
            before = len(made.frames)
        await clock.sleep(10 * TICK_S)  # the last publication becomes a frame
        made.refused += collector.refused()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return made, found.exhausted.is_set()
