"""What the tests of the OPC UA collector share."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.collector import OpcUaCollector
from agent.collectors.opcua.config import OpcUaDevice
from agent.collectors.opcua.pki import Pki
from agent.errors import Refused
from agent.frame import Event, Facts, FrameBlock, Watermark

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from agent.collectors.base import Read, Reading
    from agent.frame import Value


def run(main: Coroutine[Any, Any, None], seconds: float = 40) -> None:
    """Run a test's coroutine with a deadline."""
    asyncio.run(asyncio.wait_for(main, seconds))


def signals(**types: str) -> list[dict[str, Any]]:
    """Signals named as the server's nodes: `signals(bool="bool")` is node ns=1;s=bool as a bool.

    A uint64 declares its whole range.
    """
    return [
        {"id": name, "type": dtype, "node": f"ns=1;s={name}"}
        | ({"instrument_range": [0, 2**64]} if dtype == "uint64" else {})
        for name, dtype in types.items()
    ]


def device(endpoint: str, *groups: dict[str, Any], **more: Any) -> OpcUaDevice:
    """A device as the YAML would give it."""
    return OpcUaDevice.model_validate(
        {
            "id": "cnc", "machine": "mill", "type": "opcua", "endpoint": endpoint, "security": "None",
            "groups": [{"every": "200ms", **group} for group in groups], **more,
        }
    )  # fmt: skip


def collector(endpoint: str, *groups: dict[str, Any], pki: Path | None = None, **more: Any) -> OpcUaCollector:
    """A collector of such a device on the machine's clock, which is right."""
    return OpcUaCollector(
        device(endpoint, *groups, **more), Box(SystemClock(trusted=True), pki=None if pki is None else str(pki))
    )


def trust_all(folder: Path) -> int:
    """Trust every certificate that was refused, as a person does; return how many."""
    pki = Pki(folder)
    rejected = list(pki.entries("rejected"))
    for entry in rejected:
        pki.trust(entry.certificate)
    return len(rejected)


async def trusted(reader: OpcUaCollector, folder: Path) -> OpcUaCollector:
    """Let the collector meet its server, and trust it; return the collector."""
    with contextlib.suppress(Refused):
        async with reader.connect():
            return reader
    assert trust_all(folder) == 1
    return reader


class Seen:
    """Everything that a `read` has given, by kind; each frame is checked as it comes."""

    def __init__(self) -> None:
        self.frames: list[FrameBlock] = []
        self.watermarks: list[Watermark] = []
        self.events: list[Event] = []
        self.facts: list[Facts] = []

    def take(self, readings: list[Reading]) -> None:
        """Sort what one read gave."""
        for reading in readings:
            match reading:
                case FrameBlock():
                    assert reading.problem() is None
                    self.frames.append(reading)
                case Watermark():
                    self.watermarks.append(reading)
                case Event():
                    self.events.append(reading)
                case Facts():
                    self.facts.append(reading)

    def of(self, kind: str) -> list[Facts]:
        """Facts of one kind in order."""
        return [fact for fact in self.facts if fact.kind == kind]

    def values(self, signal: str) -> list[Value]:
        """Values of one signal in order."""
        return [value for value, _ in self.rows(signal)]

    def rows(self, signal: str) -> list[tuple[Value, int]]:
        """(value, status) of one signal in order."""
        return [
            (value, int(status))
            for frame in self.frames
            for index, value, status in zip(frame.signal, frame.value, frame.status, strict=True)
            if frame.source.signals[index].id == signal
        ]

    async def until(self, read: Read, enough: Callable[[], bool]) -> None:
        """Read until there is enough."""
        while not enough():
            self.take(list(await read()))
