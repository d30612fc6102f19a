"""Blocks of columns under hostile input: whatever decodes is small, and encodes and decodes to the same again."""

from __future__ import annotations

import numpy as np

from agent import entry
from agent.errors import WireError
from agent.frame import DataType, Event, FrameBlock, RoundTrip, Signal, Source, Value, Watermark
from agent.spool import columns, columns_streams
from agent.spool.columns_arrays import CONTENTS_LIMIT
from tests.fuzz.target import Target

CHECKED = 12  # bytes of magic and checksum
KINDS: dict[DataType, list[Value]] = {
    DataType.BOOL: [True, False],
    DataType.INT64: [5, 2**60],
    DataType.FLOAT32: [0.5, 24.540000915527344],
    DataType.FLOAT64: [23.1, -1e-300],
    DataType.STRING: ["P1", "로트"],
}
SOURCE = Source(
    id="d.main",
    device="d",
    protocol="opcua",
    mode="subscription",
    interval_ns=10**9,
    signals=tuple(Signal(id=f"s{n}", machine="m", name=f"{n}", dtype=t) for n, t in enumerate(KINDS)),
)


def seeds() -> list[bytes]:
    """Blocks of every type of value, without their head."""
    found = []
    for count in (1, 3):
        entries = []
        for seq in range(1, count + 1):
            at = 10**18 + seq * 10**9
            block = FrameBlock(
                source=SOURCE,
                signal=np.arange(len(KINDS), dtype=np.int32),
                time_ns=np.full(len(KINDS), at),
                value=[values[seq % 2] for values in KINDS.values()],
                status=np.full(len(KINDS), 0x4000_0000, np.uint32),
                source_ns=np.full(len(KINDS), at - 5),
                server_ns=np.full(len(KINDS), at - 1),
                round_trips=(RoundTrip(at, 3_000),),
            )
            event = Event(kind="link_up", time_ns=at, source="d.main")
            entries.append((seq, entry.encode([block, event, Watermark("d.main", at)], seq)))
        found.append(columns.encode(entries)[CHECKED:])
    return found


def run(data: bytes) -> None:
    """Decode with a good checksum over anything; what comes out must be stable."""
    try:
        found = columns.decode(columns_streams.MAGIC + columns_streams.checksum(data) + data)
    except WireError:
        return
    assert sum(len(raw) for _, raw in found) <= CONTENTS_LIMIT
    assert columns.decode(columns.encode(found)) == found


TARGET = Target(
    run, ("agent.spool.columns", "agent.spool.columns_streams", "agent.spool.columns_values"), seeds, share=2
)
