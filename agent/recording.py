"""Raw frames of a device for a while, as they went over the line: `tsq-agent record`.

The box has one tap; it costs nothing while nobody records. Frames wait in a bounded queue for whoever asked; what
does not fit is counted and said, because the one thing a recording must never do is hold up a reading.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from agent.clock import Clock
    from agent.collectors.base import Box

FORMAT = 1
WAITING = 50_000  # frames
MOST_S = 3600.0

Direction = Literal["sent", "received", "note"]


class Recorder:
    """Hands the box's frames to those who record.

    Args:
        box: Whose tap it is.
        clock: Times of the frames, monotonic.
    """

    def __init__(self, box: Box, clock: Clock) -> None:
        self._box = box
        self._clock = clock
        self._queues: dict[str, list[asyncio.Queue[Mapping[str, object]]]] = {}
        self._lost: dict[int, int] = {}

    def _take(self, device: str, direction: Direction, data: bytes) -> None:
        for queue in self._queues.get(device, ()):
            if queue.full():
                self._lost[id(queue)] = self._lost.get(id(queue), 0) + 1
                continue
            said = {"text": data.decode("utf-8", "replace")} if direction == "note" else {"hex": data.hex()}
            queue.put_nowait({"ns": self._clock.monotonic(), "dir": direction, **said})

    async def record(
        self, device: str, seconds: float, header: Mapping[str, object]
    ) -> AsyncGenerator[Mapping[str, object]]:
        """Yield a header and then the frames of a device for `seconds`, and at the end how many were lost.

        Times are nanoseconds since the recording began.
        """
        queue: asyncio.Queue[Mapping[str, object]] = asyncio.Queue(WAITING)
        self._queues.setdefault(device, []).append(queue)
        self._box.tap = self._take
        begun, frames = self._clock.monotonic(), 0
        end = begun + round(min(seconds, MOST_S) * 1e9)
        try:
            yield {"recording": FORMAT, **header}
            while (left := end - self._clock.monotonic()) > 0:
                try:
                    async with asyncio.timeout(left / 1e9):
                        frame = await queue.get()
                except TimeoutError:
                    break
                frames += 1
                yield {**frame, "ns": int(str(frame["ns"])) - begun}
            yield {"end": True, "frames": frames, "lost": self._lost.get(id(queue), 0)}
        finally:
            self._queues[device].remove(queue)
            self._lost.pop(id(queue), None)
            if not self._queues[device]:
                del self._queues[device]
            if not self._queues:
                self._box.tap = None
