"""Sources and items for tests of what lies behind the collectors."""

from __future__ import annotations

import numpy as np

from agent.frame import DataType, FrameBlock, RoundTrip, Signal, Source, Status, Value

START_NS = 1_763_769_600_000_000_000


def source(name: str = "plc.main", signals: int = 3, dtype: DataType = DataType.INT32) -> Source:
    """Return a polled source of equal signals."""
    device = name.split(".", maxsplit=1)[0]
    return Source(
        id=name,
        device=device,
        protocol="modbus",
        mode="poll",
        interval_ns=10**9,
        signals=tuple(
            Signal(id=f"s{i}", machine=f"m-{device}", name=f"신호 {i}", dtype=dtype) for i in range(signals)
        ),
    )


def frame(of: Source, time_ns: int, values: list[Value] | None = None, first: int = 0) -> FrameBlock:
    """Return one reading of all signals of a source; without values they are `first`, `first` + 1, ..."""
    n = len(of.signals)
    value = list(range(first, first + n)) if values is None else values
    bad = np.array([v is None for v in value])
    return FrameBlock(
        source=of,
        signal=np.arange(n, dtype=np.int32),
        time_ns=np.full(n, time_ns, np.int64),
        value=value,
        status=np.where(bad, Status.BAD_TIMEOUT, 0).astype(np.uint32),
        round_trips=(RoundTrip(time_ns, 3_000_000),),
    )
