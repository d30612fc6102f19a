"""Blocks of columns, of a minute of 1,000 signals in 50 sources: `python -m benchmarks.spool_codec [--pcodec]`.

For each kind of signal: bytes a sample, time to encode (decoding for comparison included) and to decode, and the
memory of the decoding; beside them the same entries compressed one by one and together. With `--pcodec` the numeric
columns also go through that library: bytes there and in our streams.
"""

from __future__ import annotations

import argparse
import importlib
import time
import tracemalloc
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import zstandard

from agent import entry
from agent.spool import columns, columns_streams
from tests.support.plant import KINDS, Plant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

MINUTE, SAMPLES = 60, 60_000
ROUNDS = 7


def best(work: Callable[[], Any]) -> float:
    """Return the shortest of some runs, in seconds."""
    took = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        took.append(time.perf_counter() - begin)
    return min(took)


class Beside(columns_streams.Writer):
    """A writer that also gives each numeric column to pcodec, and adds up what both need."""

    def __init__(self) -> None:
        super().__init__()
        self.ours = self.theirs = 0
        self._pcodec = importlib.import_module("pcodec")

    def numbers(self, values: Sequence[int] | NDArray[np.int64]) -> None:
        """Write, and compare."""
        before = len(self.blob())
        super().numbers(values)
        column = np.asarray(values, np.int64)
        if len(column) > 1:
            self.ours += len(self.blob()) - before
            config = self._pcodec.ChunkConfig(compression_level=8)
            self.theirs += len(self._pcodec.standalone.simple_compress(column, config))

    def planes(self, values: NDArray[np.unsignedinteger]) -> None:
        """Likewise; what comes here are floats, XORed with the one before."""
        before = len(self.blob())
        super().planes(values)
        if len(values) > 1:
            self.ours += len(self.blob()) - before
            floats = np.bitwise_xor.accumulate(values).view(f"f{values.itemsize}")
            config = self._pcodec.ChunkConfig(compression_level=8)
            self.theirs += len(self._pcodec.standalone.simple_compress(floats, config))


def main() -> None:
    """Print a line for each kind of signal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spool_codec")
    parser.add_argument("--pcodec", action="store_true")
    args = parser.parse_args()
    for kind in KINDS:
        entries = [
            (n, entry.encode(entry.arrange(items), n))
            for n, items in enumerate(Plant(kind, hours=1).seconds(MINUTE, 600), 1)
        ]
        single = sum(len(zstandard.compress(raw, 3)) for _, raw in entries)
        together = len(zstandard.compress(b"".join(raw for _, raw in entries), 9))
        blob = columns.encode(entries)
        written = best(lambda entries=entries: columns.encode(entries))  # type: ignore[misc]
        read = best(lambda blob=blob: columns.decode(blob))  # type: ignore[misc]
        tracemalloc.start()
        columns.decode(blob)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        print(
            f"{kind:8} {len(blob) / SAMPLES:6.3f} bytes a sample (zstd one by one {single / SAMPLES:.2f}, together "
            f"{together / SAMPLES:.2f})  encode {written * 1e3:.0f} ms  decode {read * 1e3:.0f} ms: "
            f"{SAMPLES / read:,.0f} samples/s, {peak / 1e6:.1f} MB"
        )
        if args.pcodec:
            compare(entries)


def compare(entries: Sequence[tuple[int, bytes]]) -> None:
    """Print what pcodec makes of the numeric columns of a block."""
    made: list[Beside] = []

    def writer() -> Beside:
        made.append(Beside())
        return made[-1]

    with patch.object(columns, "Writer", writer):
        columns.encode(entries)
    print(f"         numeric columns: {made[0].ours:,} bytes here, {made[0].theirs:,} by pcodec")


if __name__ == "__main__":
    main()
