"""What the XGT tests share: devices in a few words, and readings as plain values."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from agent.collectors.base import Box
from agent.collectors.xgt.collector import XgtCollector
from agent.collectors.xgt.config import XgtDevice
from agent.frame import FrameBlock
from tests.peers.xgt import XgtPlc
from tests.support.clocks import FakeClock
from tests.support.processes import running

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping, Sequence
    from pathlib import Path

    from agent.collectors.base import Reading
    from agent.frame import Value


def run(story: Coroutine[Any, Any, None], seconds: float = 30) -> None:
    """Run a test's story with a deadline."""
    asyncio.run(asyncio.wait_for(story, seconds))


@contextlib.contextmanager
def plc(folder: Path, *options: str | int) -> Iterator[XgtPlc]:
    """Run the test server."""
    with running(XgtPlc(folder, *options)) as child:
        assert isinstance(child, XgtPlc)
        yield child


def device(port: int, groups: Mapping[str, Sequence[dict[str, Any]]], **options: Any) -> XgtDevice:
    """Return a device on loopback; `groups` maps "id/every" to signals."""
    return XgtDevice.model_validate(
        {
            "id": "plc", "type": "xgt", "machine": "press-1", "host": "127.0.0.1", "port": port, "plc_state": False,
            "groups": [
                {"id": key.split("/")[0], "every": key.split("/")[1], "signals": list(signals)}
                for key, signals in groups.items()
            ],
        }
        | options
    )  # fmt: skip


def words(*numbers: int, area: str = "D") -> list[dict[str, Any]]:
    """Return uint16 signals named after their words."""
    return [{"id": f"{area.lower()}{n}", "address": f"{area}{n:05}", "type": "uint16"} for n in numbers]


def collector(config: XgtDevice, clock: FakeClock | None = None, box: Box | None = None) -> XgtCollector:
    """Return the collector of a device."""
    return XgtCollector(config, box or Box(clock or FakeClock()))


def frame(readings: Sequence[Reading]) -> FrameBlock:
    """Return the one frame among readings, after checking its promises."""
    (found,) = [r for r in readings if isinstance(r, FrameBlock)]
    assert found.problem() is None
    return found


def values(readings: Sequence[Reading]) -> dict[str, Value]:
    """Return the values by signal id; each signal has one row."""
    block = frame(readings)
    ids = [block.source.signals[i].id for i in block.signal]
    assert sorted(ids) == sorted(s.id for s in block.source.signals)
    return dict(zip(ids, block.value, strict=True))


def statuses(readings: Sequence[Reading]) -> dict[str, int]:
    """Return the status codes by signal id."""
    block = frame(readings)
    return {block.source.signals[i].id: int(s) for i, s in zip(block.signal, block.status, strict=True)}
