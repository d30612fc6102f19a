"""The collector under the supervisor: what the log and the store see of a server that goes and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from agent.clock import SystemClock
from agent.frame import Event, FrameBlock, Quality
from agent.health import Health
from agent.supervise import Supervisor
from tests.agent.collectors.opcua.support import collector, run, signals, trusted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import pytest

    from agent.collectors.opcua.collector import OpcUaCollector
    from agent.frame import Item
    from tests.peers.opcua import Plant


class Sink:
    """Keeps what it is given, and wakes whoever waits for something in it."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._changed = asyncio.Event()

    def put(self, item: Item) -> None:
        self.items.append(item)
        self._changed.set()

    async def until(self, enough: Callable[[], bool], seconds: float = 30) -> float:
        """Wait until there is enough; return how long that took."""
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            while not enough():
                self._changed.clear()
                await self._changed.wait()
        return time.monotonic() - began

    def qualities(self, signal: str) -> list[Quality]:
        """Qualities of one signal in order."""
        return [
            Quality(quality)
            for frame in self.items
            if isinstance(frame, FrameBlock)
            for index, quality in zip(frame.signal, frame.quality, strict=True)
            if frame.source.signals[index].id == signal
        ]

    def gaps(self) -> list[Event]:
        """Events about gaps in order."""
        gaps = [item for item in self.items if isinstance(item, Event) and item.kind == "gap"]
        return [gap for gap in gaps if gap.body["cause"] not in {"agent_off", "waiting"}]  # those are ours


@contextlib.asynccontextmanager
async def supervised(reader: OpcUaCollector) -> AsyncIterator[tuple[Supervisor, Sink]]:
    sink = Sink()
    supervisor = Supervisor(reader, sink, Health(), SystemClock())
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, sink
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def test_an_outage_is_two_lines_and_a_closed_gap_and_data_is_back_within_five_seconds(
    mortal_plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        reader = collector(mortal_plant.endpoint, {"id": "g", "signals": signals(bool="bool", nowhere="bool")})
        async with supervised(reader) as (_, sink):
            await sink.until(lambda: Quality.GOOD in sink.qualities("bool"))
            mortal_plant.kill()
            await sink.until(lambda: sink.qualities("bool")[-1] == Quality.BAD)
            await asyncio.to_thread(mortal_plant.start)
            # `start` returns when its control port listens, which is after the server's own
            assert await sink.until(lambda: sink.qualities("bool")[-1] == Quality.GOOD) < 5
        lines = warnings(caplog)
        assert len(lines) == 3
        assert "cnc: signal nowhere (ns=1;s=nowhere)" in lines[0]
        assert "cnc: not reachable: (opc.tcp" in lines[1]
        assert "cnc: back after" in lines[2]
        opened, closed = sink.gaps()
        assert opened.body["gap_id"] == closed.body["gap_id"]
        assert opened.body["cause"] == "link_down"
        assert (opened.from_ns, opened.to_ns) == (closed.from_ns, None)
        assert closed.to_ns is not None
        assert opened.from_ns is not None
        assert closed.to_ns > opened.from_ns

    run(main(), 60)


def test_a_refused_login_is_two_lines_and_retry_connects_at_once(
    plant: Plant, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPCUA_PASSWORD", "wrong")

    async def main() -> None:
        login = {"user": "op", "password": "env:OPCUA_PASSWORD"}
        reader = collector(plant.endpoint, {"id": "g", "signals": signals(bool="bool")}, login=login, pki=tmp_path)
        await trusted(reader, tmp_path)
        async with supervised(reader) as (supervisor, sink):
            await sink.until(lambda: bool(sink.gaps()))
            assert set(sink.qualities("bool")) == {Quality.BAD}
            monkeypatch.setenv("OPCUA_PASSWORD", "right")
            supervisor.retry()
            assert await sink.until(lambda: sink.qualities("bool")[-1] == Quality.GOOD) < 5
        lines = warnings(caplog)
        assert len(lines) == 2
        assert "cnc: refused: " in lines[0]
        assert "check what stands under login" in lines[0]
        assert "cnc: back after" in lines[1]

    run(main())


def test_an_unknown_node_is_one_line_going_and_one_coming_and_its_neighbour_reads_on(
    plant: Plant, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        group = {"id": "g", "signals": signals(later="int32", bool="bool")}
        async with supervised(collector(plant.endpoint, group)) as (supervisor, sink):
            await sink.until(lambda: bool(sink.qualities("bool")))
            assert sink.qualities("later") == [Quality.BAD]
            plant.tell("add", node="later", type="Int32", value=1)
            supervisor.retry()
            assert await sink.until(lambda: sink.qualities("later")[-1] == Quality.GOOD) < 5
            plant.tell("remove", node="later")
        lines = warnings(caplog)
        assert len(lines) == 2
        assert lines[0].startswith("cnc: signal later")
        assert lines[1].startswith("cnc: resolved: signal later")
        assert set(sink.qualities("bool")) == {Quality.GOOD}
        assert sink.gaps() == []

    run(main())
