"""One reading of every source, whatever the device does."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from agent.collectors.base import Stats
from agent.errors import ConfigError, Refused, Unreachable
from agent.frame import DataType, FrameBlock, Rows, Signal, Source, Status, Watermark
from agent.probe import Probe, probe
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent.collectors.base import Read, Reading


def source(name: str, count: int) -> Source:
    signals = tuple(
        Signal(id=f"{name}-{i}", machine="m", name=f"{name}-{i}", dtype=DataType.INT32) for i in range(count)
    )
    return Source(id=f"d.{name}", device="d", protocol="fake", mode="poll", interval_ns=10**9, signals=signals)


A, B = source("a", 2), source("b", 1)


def frame(of: Source, *rows: tuple[int, int | None, int]) -> FrameBlock:
    made = Rows(of)
    for index, value, status in rows:
        made.add(index, 10**9, value, status)
    return made.take()


class Script:
    """A collector that plays readings and exceptions, then waits for ever."""

    device = "d"
    sources = (A, B)
    stats = Stats()

    def __init__(self, *steps: Sequence[Reading] | Exception, connecting: Exception | None = None) -> None:
        self.steps = list(steps)
        self.connecting = connecting
        self.closed = False

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Read]:
        if self.connecting is not None:
            raise self.connecting
        try:
            yield self._read
        finally:
            self.closed = True

    async def _read(self) -> Sequence[Reading]:
        if not self.steps:
            await asyncio.Event().wait()
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def failed(self, time_ns: int, status: int) -> Sequence[FrameBlock]:
        del time_ns, status
        return ()

    def refused(self) -> Sequence[Text]:
        return (Text("signal b-0: unknown", "signal b-0: unknown"),)

    def retry(self) -> None:
        pass


def probed(collector: Script, seconds: float = 5) -> Probe:
    return asyncio.run(asyncio.wait_for(probe(collector, seconds), 10))


def said(result: Probe) -> str | None:
    return None if result.trouble is None else result.trouble.en


def test_each_source_is_read_until_all_its_signals_have_spoken_and_then_it_is_closed() -> None:
    collector = Script(
        [frame(A, (0, 1, 0)), Watermark("d.a", 1)],
        [frame(B, (0, None, Status.BAD_NODE_ID_UNKNOWN))],
        [frame(A, (1, 2, 0), (0, 3, 0))],
        [frame(A, (0, 99, 0), (1, 99, 0))],
    )
    result = probed(collector)
    assert result.values == {
        ("d.a", 0): (3, 0),
        ("d.a", 1): (2, 0),
        ("d.b", 0): (None, Status.BAD_NODE_ID_UNKNOWN),
    }
    assert result.refused == (Text("signal b-0: unknown", "signal b-0: unknown"),)
    assert result.trouble is None
    assert collector.closed
    assert len(collector.steps) == 1


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Unreachable("d: no answer"), "d: no answer"), (Refused("d: login refused"), "d: login refused"),
        (ConfigError("env:P is not set"), "env:P is not set"),
        (ZeroDivisionError("oh"), "bug in the collector, please report it: ZeroDivisionError: oh"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told_and_what_came_before_is_kept(trouble: Exception, words: str) -> None:
    assert said(probed(Script(connecting=trouble))) == words
    collector = Script([frame(A, (0, 1, 0), (1, 2, 0))], trouble)
    result = probed(collector)
    assert said(result) == words
    assert result.values == {("d.a", 0): (1, 0), ("d.a", 1): (2, 0)}
    assert collector.closed


def test_a_silent_source_ends_the_reading_and_is_named() -> None:
    collector = Script([frame(A, (0, 1, 0), (1, 2, 0))])
    result = probed(collector, seconds=0.05)
    assert said(result) == "no values of d.b within 0.05 s"
    assert result.trouble is not None
    assert result.trouble.ko == "0.05초 안에 값이 오지 않았습니다(d.b)"
    assert len(result.values) == 2
    assert collector.closed
