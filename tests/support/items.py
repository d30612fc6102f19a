"""Sources and items for tests of what lies behind the collectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agent.frame import DataType, FrameBlock, RoundTrip, Signal, Source, Status, Value
from contract.payload import Birth, BirthSignal, BirthSource

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def birth_of(factory: str, site: str, agent: str, sources: Iterable[Source]) -> Birth:
    """Return the tag dictionary of these sources."""
    return Birth(
        factory=factory,
        site=site,
        agent=agent,
        sources=[
            BirthSource(
                id=source.id,
                device=source.device,
                protocol=source.protocol,
                mode=source.mode,
                interval_ns=source.interval_ns,
                signals=[
                    BirthSignal(
                        id=s.id,
                        machine=s.machine,
                        name=s.name,
                        dtype=str(s.dtype),
                        unit=s.unit,
                        description=s.description,
                        role=s.role,
                        role_confirmed=s.role_confirmed,
                        wide=s.eu_range is not None and s.eu_range[1] > 2**63,
                    )
                    for s in source.signals
                ],
            )
            for source in sources
        ],
    )
