"""Frames that wait for whoever records: bounded in bytes, and what did not fit is said."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from agent.collectors.base import Box, Forgetful
from agent.recording import FRAME, WAITING, Recorder
from tests.support.clocks import FakeClock


def test_a_slow_client_costs_frames_and_no_memory() -> None:
    async def main() -> list[Any]:
        clock = FakeClock()
        box = Box(clock, Forgetful())
        recorder = Recorder(box, clock)
        lines = []
        async with contextlib.aclosing(recorder.record("press", 10.0, {"device": "press"})) as recording:
            lines.append(await anext(recording))
            tap = box.tap
            assert tap is not None
            for n in range(1000):
                tap("press", "received", bytes([n % 256]) * 64_000)
                tap("saw", "received", b"of another device")
            held = WAITING // (64_000 + FRAME)
            lines += [await anext(recording) for _ in range(held)]
            tap("press", "note", "끝".encode())
            lines.append(await anext(recording))
            clock.advance(11)
            lines += [line async for line in recording]
        return [*lines, box.tap]

    head, *frames, note, end, tap = asyncio.run(main())
    assert head == {"recording": 1, "device": "press"}
    assert [frame["hex"][:2] for frame in frames] == [f"{n % 256:02x}" for n in range(len(frames))]
    assert 200 < len(frames) < 1000
    assert note["text"] == "끝"
    assert tap is None
    assert end == {"end": True, "frames": len(frames) + 1, "lost": 1000 - len(frames)}
