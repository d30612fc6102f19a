"""Time of a readiness report over 28 days, 1,000 signals on 50 machines: `python -m benchmarks.report`."""

from __future__ import annotations

import time
from datetime import time as clock_time
from pathlib import Path

import numpy as np

from agent.analyzers.evidence import make
from agent.frame import DataType, FrameBlock, Signal, Source, Status, Watermark
from readiness.inventory import Machine
from readiness.model import parse
from readiness.plant import configured
from readiness.report import Site, assess
from readiness.schedule import Calendar

SECOND = 1_000_000_000
DAYS = 29
EVERY = 60
CALENDAR = Calendar("Asia/Seoul", clock_time(8), {d: ((clock_time(8), clock_time(20)),) for d in range(5)})
START = 1_761_350_400_000_000_000 // (86400 * SECOND) * 86400 * SECOND - 3600 * SECOND


def history(alike: bool) -> tuple[dict[str, bytes], list[Source]]:  # noqa: FBT001
    """Return closed days: outages shared by all signals of a device, or each signal with outages of its own."""
    rng = np.random.default_rng(7)
    sources = [
        Source(
            id=f"plc{i}.main", device=f"plc{i}", protocol="modbus", mode="poll", interval_ns=EVERY * SECOND,
            signals=tuple(
                Signal(
                    id=f"s{k}", machine=f"m{i}", name=f"s{k}", dtype=DataType.INT16, role="pv", role_confirmed=True
                )
                for k in range(20)
            ),
        )
        for i in range(50)
    ]  # fmt: skip
    evidence = make(sources, CALENDAR)
    for day in range(DAYS):
        at = START + (day * 86400 + np.arange(0, 86400, EVERY)) * SECOND
        for source in sources:
            n = len(at) * 20
            lost = rng.random(n) < 0.002 if not alike else np.repeat(rng.random(len(at)) < 0.002, 20)
            block = FrameBlock(
                source=source,
                signal=np.tile(np.arange(20, dtype=np.int32), len(at)),
                time_ns=np.repeat(at, 20),
                value=range(n),
                status=np.where(lost, Status.BAD_NO_COMMUNICATION, 0).astype(np.uint32),
            )
            evidence.feed([block])
    evidence.feed([Watermark(s.id, START + DAYS * 86400 * SECOND + 900 * SECOND) for s in sources])
    return dict(evidence.take_closed()), sources


def main() -> None:
    """Print seconds."""
    folder = Path(__file__).parent.parent / "config" / "readiness"
    model = parse({p.name: p.read_bytes() for p in folder.glob("*.yaml")})
    inventory = [Machine(f"m{i}", f"m{i}") for i in range(50)]
    for alike in (True, False):
        days, sources = history(alike)
        now = START + DAYS * 86400 * SECOND
        plant = configured(sources, inventory)
        begin = time.perf_counter()
        assessment = assess(days, {}, sources, plant, CALENDAR, now, model, Site("hanil", "main", "edge-1"))
        loaded = time.perf_counter()
        answer = assessment.respond(b"{}")
        done = time.perf_counter()
        print(
            f"outages {'per device' if alike else 'per signal'}: {len(days)} days of "
            f"{sum(map(len, days.values())) / len(days) / 1000:.0f} B a signal; load {loaded - begin:.2f} s, "
            f"report {done - loaded:.2f} s, {len(answer)} bytes"
        )


if __name__ == "__main__":
    main()
