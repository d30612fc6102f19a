"""Blocks with values, and feeding entries to the evidence as the pipeline does, killed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.evidence import make
from agent.frame import FrameBlock
from tests.agent.analyzers.streams import CALENDAR

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from agent.frame import Item, Source, Value


def frame(of: Source, rows: Sequence[tuple[int, int, Value, int]]) -> FrameBlock:
    """Return a block of (signal, ns, value, status)."""
    return FrameBlock(
        source=of,
        signal=np.array([r[0] for r in rows], np.int32),
        time_ns=np.array([r[1] for r in rows], np.int64),
        value=[None if r[3] >> 31 else r[2] for r in rows],
        status=np.array([r[3] for r in rows], np.uint32),
    )


def run(
    sources: Sequence[Source], feeds: Sequence[Sequence[Item]], kill: random.Random | None = None
) -> tuple[bytes, dict[str, bytes]]:
    """Feed entries; with `kill`, throw the process away at random points and go on from the last checkpoint.

    Returns:
        The state at the end, and what has closed by ISO date.
    """
    evidence = make(sources, CALENDAR)
    closed: dict[str, bytes] = {}
    checkpoint, at, position = evidence.state(), 0, 0
    while position < len(feeds):
        evidence.feed(feeds[position])
        position += 1
        if kill is not None and kill.random() < 0.1:
            closed.update(evidence.take_closed())
            checkpoint, at = evidence.state(), position
        elif kill is not None and kill.random() < 0.05:
            evidence, position = make(sources, CALENDAR, checkpoint), at
    closed.update(evidence.take_closed())
    return evidence.state(), closed
