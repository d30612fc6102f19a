"""The blocks of all sources side by side, in order of time: the agent's analyzers close a day for all of them.

A file is opened when its time comes and closed when it is over: a year of daily files of ten sources keeps ten of
them open.
"""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.frame import FrameBlock

    Opener = Callable[[bool], Iterator[FrameBlock]]


def merged(openers: dict[str, list[Opener]]) -> Iterator[FrameBlock | str]:
    """Yield blocks by the time of their first row, and the id of a source where its last file is over.

    Args:
        openers: Source -> its files, each a function that begins to read it anew; with True it is only a look at
            the beginning, which counts nothing.
    """
    count = itertools.count()
    heap: list[tuple[int, int, str, Opener, Iterator[FrameBlock] | None, FrameBlock | None]] = []
    left = {}
    for source, files in openers.items():
        left[source] = 0
        for opener in files:
            blocks = _filled(opener(True))
            first = next(blocks, None)
            blocks.close()  # type: ignore[attr-defined]  # a generator: its file
            if first is not None:
                left[source] += 1
                heapq.heappush(heap, (_start(first), next(count), source, opener, None, None))
    while heap:
        _, number, source, opener, reading, block = heapq.heappop(heap)
        if reading is None:
            reading = _filled(opener(False))
            block = next(reading)
        assert block is not None
        yield block
        following = next(reading, None)
        if following is None:
            left[source] -= 1
            if not left[source]:
                yield source
        else:
            heapq.heappush(heap, (_start(following), number, source, opener, reading, following))


def _filled(blocks: Iterator[FrameBlock]) -> Iterator[FrameBlock]:
    yield from (block for block in blocks if len(block))


def _start(block: FrameBlock) -> int:
    return int(block.time_ns.min())
