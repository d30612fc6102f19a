"""A plant of 50 sources of 20 signals at 1 s, second by second in data time: a load for the spool and its way out.

Three kinds of signal: `demo` are the demo factory's own, each copy of the factory shifted in time, so that no two
show the same at once; `float32` is uniform noise of that type; `float64` are random bit patterns, which nothing
can compress. Every reading has one acquisition time, a few hundred microseconds from the grid, one round trip and
one watermark, as the Modbus collector gives them.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import yaml

from agent.frame import DataType, FrameBlock, RoundTrip, Signal, Source, Watermark
from demo.machines import factory
from demo.timeline import LEAD_S, SECOND, Shift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from agent.frame import Item, Value

Kind = Literal["demo", "float32", "float64"]
KINDS: tuple[Kind, ...] = get_args(Kind)
START_NS = 1_763_769_600_000_000_000
SIGNALS, SOURCES = 1_000, 50
CHUNK_S = 60
EPOCH = 7  # of the clock, as it stands in the last three digits of each time
DEMO = Path(__file__).parent.parent.parent / "demo" / "agent.yaml"


class Plant:
    """Sources, and what they say.

    Args:
        kind: Of signal.
        start_ns: When its time begins.
        hours: How long the demo's machines live.
        signals: How many, in all.
        sources: How many.
    """

    def __init__(
        self,
        kind: Kind = "demo",
        *,
        start_ns: int = START_NS,
        hours: float = 73,
        signals: int = SIGNALS,
        sources: int = SOURCES,
    ) -> None:
        self.kind = kind
        self.start_ns = start_ns
        self._rng = np.random.default_rng(11)
        each = signals // sources
        if kind == "demo":
            self._tags = _tags()
            life = int((hours + 1) * 3600 * SECOND)
            shift = Shift(start_ns=start_ns - LEAD_S * SECOND, stop_ns=start_ns + life, live=True)
            self._machines = factory([shift])
            made = [self._demo_signal(n) for n in range(signals)]
        else:
            dtype = DataType(kind)
            made = [
                Signal(id=f"s{n % 20}", machine=f"m{n // 20}", name=f"신호 {n}", dtype=dtype)
                for n in range(signals)
            ]
        self.sources = tuple(
            Source(
                id=f"plc-{n}.main",
                device=f"plc-{n}",
                protocol="modbus",
                mode="poll",
                interval_ns=SECOND,
                signals=tuple(made[n * each : (n + 1) * each]),
            )
            for n in range(sources)
        )

    def seconds(self, count: int, first: int = 0) -> Iterator[list[Item]]:
        """Yield the items of each second, `count` of them from second `first` on."""
        seconds = iter(range(first, first + count))
        while chunk := list(islice(seconds, CHUNK_S)):
            grid = self.start_ns + np.array(chunk, np.int64) * SECOND
            parts = [self._readings(n, grid) for n in range(len(self.sources))]
            for row in range(len(chunk)):
                yield [item for part in parts for item in part[row]]

    def _readings(self, n: int, grid: NDArray[np.int64]) -> list[tuple[Item, Item]]:
        """Return a block and a watermark of one source for each moment of the grid."""
        source = self.sources[n]
        width, count = len(source.signals), len(grid)
        trips = (1_900_000 + self._rng.gamma(2.0, 60_000, count)).astype(np.int64)
        late = trips + np.abs(self._rng.normal(0, 80_000, count)).astype(np.int64)
        times = (grid + n * 17_000_000 + late) // 1_000 * 1_000 + EPOCH
        rows, status = self._values(n, times)
        index = np.arange(width, dtype=np.int32)
        out: list[tuple[Item, Item]] = []
        for at, trip, values, codes in zip(times.tolist(), trips.tolist(), rows, status, strict=True):
            block = FrameBlock(
                source,
                index,
                np.full(width, at, np.int64),
                values,
                codes,
                round_trips=(RoundTrip(at, trip),),
            )
            out.append((block, Watermark(source.id, at)))
        return out

    def _values(self, n: int, times: NDArray[np.int64]) -> tuple[list[list[Value]], NDArray[np.uint32]]:
        width, count = len(self.sources[n].signals), len(times)
        status = np.zeros((count, width), np.uint32)
        if self.kind == "float32":
            return self._rng.random((count, width), np.float32).tolist(), status
        if self.kind == "float64":
            bits = self._rng.integers(0, 2**64, (count, width), np.uint64, endpoint=False)
            bits &= np.uint64(0xBFFF_FFFF_FFFF_FFFF)  # no NaN and no infinity among the exponents
            return bits.view(np.float64).tolist(), status
        table = np.empty((count, width), object)
        for column in range(width):
            machine, tag, shift = self._place(n * width + column)
            model = self._machines[machine]
            moments = times // SECOND * SECOND - shift
            table[:, column] = _as_read(model.columns([tag["id"]], moments)[0], tag)
            status[:, column] = model.status(tag["id"], moments)
        table[status >= 1 << 31] = None
        return table.tolist(), status

    def _place(self, n: int) -> tuple[str, dict[str, Any], int]:
        """Return machine, tag and time shift of signal n."""
        copy, tag = divmod(n, len(self._tags))
        return *self._tags[tag], copy * 223 * SECOND

    def _demo_signal(self, n: int) -> Signal:
        machine, tag, _ = self._place(n)
        scaled = "scale" in tag
        return Signal(
            id=tag["id"],
            machine=f"{machine}-{n // len(self._tags)}",
            name=tag["name"],
            dtype=DataType.FLOAT64 if scaled else DataType(tag["type"]),
            unit=tag.get("unit"),
        )


def _tags() -> list[tuple[str, dict[str, Any]]]:
    """Return (machine, tag) of every signal of the demo's configuration."""
    config = yaml.safe_load(DEMO.read_text("utf-8"))
    return [
        (device["machine"], tag)
        for device in config["devices"]
        for group in device["groups"]
        for tag in group["signals"]
    ]


def _as_read(column: NDArray[Any], tag: dict[str, Any]) -> list[Value]:
    """Return a formula's values as the agent reads them from registers or nodes of that type."""
    if tag["type"] == "string":
        return [str(v) for v in column.tolist()]
    if "scale" in tag:
        parts = round(1 / tag["scale"])
        return [v / parts for v in np.rint(column * parts).astype(np.int64).tolist()]
    if tag["type"].startswith("float"):
        values: list[Value] = column.astype(tag["type"]).astype(np.float64).tolist()
        return values
    if tag["type"] == "bool":
        return [bool(v) for v in column.tolist()]
    whole: list[Value] = column.astype(np.int64).tolist()
    return whole
