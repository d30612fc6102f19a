"""Time of the evidence per sample, on blocks of 1 s, 60 s and 1 h: `python -m benchmarks.evidence`.

1,000 Modbus signals at 1 Hz in two requests, all good; and the same with 1 % of the readings lost in bursts.
"""

from __future__ import annotations

import time
from datetime import time as clock_time

import numpy as np

from agent.analyzers.evidence import make
from agent.frame import DataType, FrameBlock, Signal, Source, Status
from readiness.schedule import Calendar

SECOND = 1_000_000_000
SIGNALS = 1000
START = 1_763_769_600_000_000_000


def blocks(source: Source, seconds: int, total: int, lost: float) -> list[FrameBlock]:
    """Return `total` seconds of readings as blocks of `seconds`."""
    rng = np.random.default_rng(1)
    bad = rng.random(total) < lost / 20
    bad = np.convolve(bad, np.ones(20), "full")[:total] > 0
    found = []
    for first in range(0, total, seconds):
        at = START + np.arange(first, first + seconds) * SECOND
        stamp = np.repeat(at, SIGNALS) + np.tile(np.repeat([0, 3_000_000], SIGNALS // 2), seconds)
        status = np.where(np.repeat(bad[first : first + seconds], SIGNALS), Status.BAD_NO_COMMUNICATION, 0)
        found.append(
            FrameBlock(
                source=source,
                signal=np.tile(np.arange(SIGNALS, dtype=np.int32), seconds),
                time_ns=stamp.astype(np.int64),
                value=range(SIGNALS * seconds),
                status=status.astype(np.uint32),
            )
        )
    return found


def main() -> None:
    """Print microseconds per sample."""
    signals = tuple(
        Signal(id=f"s{i}", machine=f"m{i % 20}", name=f"s{i}", dtype=DataType.INT16) for i in range(SIGNALS)
    )
    source = Source(
        id="plc.fast", device="plc", protocol="modbus", mode="poll", interval_ns=SECOND, signals=signals
    )
    for lost in (0.0, 0.01):
        for seconds in (1, 60, 3600):
            tall = blocks(source, seconds, max(seconds, 1800), lost)
            evidence = make([source], Calendar("Asia/Seoul", clock_time(8)))
            begin = time.perf_counter()
            for block in tall:
                evidence.feed([block])
            spent = time.perf_counter() - begin
            samples = sum(len(b) for b in tall)
            begin = time.perf_counter()
            size = len(evidence.state())
            print(
                f"lost {lost:4.0%}, blocks of {seconds:4d} s: {spent / samples * 1e6:.3f} us/sample; "
                f"state {size / 1000:.0f} kB in {(time.perf_counter() - begin) * 1e3:.0f} ms"
            )


if __name__ == "__main__":
    main()
