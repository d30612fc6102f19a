"""How long a large configuration takes to load: `python -m benchmarks.configuration`.

50 devices with 100 signals each. Prints seconds for reading YAML with its lines, for everything, and for the same
file with a mistake in every signal.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from agent.config.load import read
from settings.document import parse

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 5


def large(devices: int = 50, signals: int = 100) -> str:
    """Return a configuration."""
    lines = [
        "version: 1\nfactory: hanil\nagent: edge-1\nname: 한일정밀\ntime: {zone: Asia/Seoul}",
        "uplink: {site: {host: 127.0.0.1}}\nmachines:",
        *(f"  - {{id: m{d}}}" for d in range(devices)),
        "devices:",
    ]
    for d in range(devices):
        lines.append(f"  - id: d{d}\n    type: modbus\n    machine: m{d}\n    host: 10.0.0.{d + 1}\n    groups:")
        lines.append("      - every: 1s\n        signals:")
        lines += [
            f"          - {{id: s-{s}, name: 모터 전류 {s}, address: 'holding:{2 * s}', type: float32, unit: A}}"
            for s in range(signals)
        ]
    return "\n".join(lines)


def seconds(work: Callable[[], object]) -> float:
    """Return the median duration of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Print the figures."""
    right = large().encode()
    wrong = right.replace(b"float32", b"flaot32")
    print(f"{len(right) / 1000:.0f} kB, 5,000 signals")
    print(f"YAML with lines       {seconds(lambda: parse(right)):.3f} s")
    print(f"everything            {seconds(lambda: read(right)):.3f} s")
    print(f"with 5,000 mistakes   {seconds(lambda: read(wrong)):.3f} s, {len(read(wrong)[1])} found")


if __name__ == "__main__":
    main()
