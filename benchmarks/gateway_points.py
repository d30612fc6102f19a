"""How many rows a second one core turns from a message into points, without the store.

    python -m benchmarks.gateway_points

Prints one line per shape of message: 60 s of 1,000 polled float signals a second in entries of one second, the
same with every tenth row bad or uncertain and with source times, and a subscription where every row has a time of
its own.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from dataclasses import dataclass

from contract import codec
from contract.payload import Birth, BirthSignal, BirthSource, Block, Data, Times
from gateway import points

SIGNALS = 1000
T0 = 1_795_000_000_000_000_000
SECOND = 10**9


def birth(signals: int = SIGNALS) -> Birth:
    """Return a birth of one source."""
    columns = [
        BirthSignal(id=f"signal-{i}", machine=f"machine-{i // 100}", name=f"신호 {i}", dtype="float32", unit="A")
        for i in range(signals)
    ]
    return Birth("hanil", "main", "edge-1", [BirthSource("plc.fast", "plc", "modbus", "poll", SECOND, columns)])


@dataclass(frozen=True)
class Shape:
    """One kind of message."""

    name: str
    faults: bool
    own_times: bool

    def data(self, seconds: int = 20) -> Data:
        """Return a message with `SIGNALS` rows a second."""
        steps = [1000 if self.own_times else 0] * SIGNALS
        blocks = []
        for seq in range(1, seconds + 1):
            bad = [self.faults and i % 10 == 0 for i in range(SIGNALS)]
            uncertain = [self.faults and i % 10 == 5 for i in range(SIGNALS)]
            blocks.append(
                Block(
                    seq=seq,
                    source="plc.fast",
                    signal=list(range(SIGNALS)),
                    time=Times(str(T0 + seq * SECOND), [0, *steps[1:]]),
                    value=[None if b else i + 0.5 * seq for i, b in enumerate(bad)],
                    status=[
                        0x800A_0000 if b else 0x4000_0000 if u else 0 for b, u in zip(bad, uncertain, strict=True)
                    ]
                    if self.faults
                    else [],
                    source_time=[-2 * SECOND] * SIGNALS if self.faults else [],
                )
            )
        return Data("spool", [(seq, f"{seq:016x}") for seq in range(1, seconds + 1)], "ab" * 16, blocks)


def main() -> None:
    """Measure each shape, best of 7, and the memory of a dictionary."""
    dictionary = points.Dictionary(birth())
    for shape in (
        Shape("polled, all good", faults=False, own_times=False),
        Shape("polled, faults and source times", faults=True, own_times=False),
        Shape("subscription, a time a row", faults=False, own_times=True),
    ):
        raw = codec.encode(shape.data())
        payload = codec.compress(raw)
        rows = 20 * SIGNALS
        best = [1e9, 1e9]
        for _ in range(7):
            start = time.perf_counter()
            data = codec.decode(codec.decompress(payload, 2**30), Data, 2**30)
            middle = time.perf_counter()
            batch = points.build(data, dictionary)
            best = [min(best[0], middle - start), min(best[1], time.perf_counter() - middle)]
        print(
            f"{shape.name:34} {rows / sum(best):>9,.0f} rows/s  decode {best[0] / rows * 1e6:.2f} us  "
            f"points {best[1] / rows * 1e6:.2f} us  {len(payload) / rows:.2f} bytes/row  {len(batch.points)} points"
        )
    raw = codec.encode(birth(5000))
    gc.collect()
    tracemalloc.start()
    held = points.Dictionary(codec.decode(raw, Birth, 2**30))
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    print(
        f"a dictionary of {len(held.sources['plc.fast'].columns)} signals: {used / len(raw):.2f} bytes a JSON byte"
    )


if __name__ == "__main__":
    main()
