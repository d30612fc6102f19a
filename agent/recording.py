"""Raw frames of a device for a while, as they went over the line: `tsq-agent record`.

The box has one tap; it costs nothing while nobody records. Frames wait in a bounded queue for whoever asked; what
does not fit is counted and said, because the one thing a recording must never do is hold up a reading.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from agent.clock import Clock
    from agent.collectors.base import Box

FORMAT = 1
WAITING = 16 * 1024 * 1024
"""Bytes of frames that wait; a frame of OPC UA may be 64 kB."""
FRAME = 200
"""Bytes that a frame takes in memory beside its content."""
MOST_S = 3600.0

Direction = Literal["sent", "received", "note"]


@dataclass(slots=True, eq=False)
class _Waiting:
    """Frames that somebody records and has not taken yet."""

    frames: asyncio.Queue[tuple[int, Direction, bytes]] = field(default_factory=asyncio.Queue)
    size: int = 0
    lost: int = 0


class Recorder:
    """Hands the box's frames to those who record.

    Args:
        box: Whose tap it is.
        clock: Times of the frames, monotonic.
    """

    def __init__(self, box: Box, clock: Clock) -> None:
        self._box = box
        self._clock = clock
        self._waiting: dict[str, list[_Waiting]] = {}

    def _take(self, device: str, direction: Direction, data: bytes) -> None:
        for waiting in self._waiting.get(device, ()):
            if waiting.size + len(data) + FRAME > WAITING:
                waiting.lost += 1
                continue
            waiting.size += len(data) + FRAME
            waiting.frames.put_nowait((self._clock.monotonic(), direction, bytes(data)))

    async def record(
        self, device: str, seconds: float, header: Mapping[str, object]
    ) -> AsyncGenerator[Mapping[str, object]]:
        """Yield a header and then the frames of a device for `seconds`, and at the end how many were lost.

        Times are nanoseconds since the recording began.
        """
        waiting = _Waiting()
        self._waiting.setdefault(device, []).append(waiting)
        self._box.tap = self._take
        begun, frames = self._clock.monotonic(), 0
        end = begun + round(min(seconds, MOST_S) * 1e9)
        try:
            yield {"recording": FORMAT, **header}
            while (left := end - self._clock.monotonic()) > 0:
                try:
                    async with asyncio.timeout(left / 1e9):
                        at, direction, data = await waiting.frames.get()
                except TimeoutError:
                    break
                frames += 1
                waiting.size -= len(data) + FRAME
                said = {"text": data.decode("utf-8", "replace")} if direction == "note" else {"hex": data.hex()}
                yield {"ns": at - begun, "dir": direction, **said}
            yield {"end": True, "frames": frames, "lost": waiting.lost}
        finally:
            self._waiting[device].remove(waiting)
            if not self._waiting[device]:
                del self._waiting[device]
            if not self._waiting:
                self._box.tap = None
