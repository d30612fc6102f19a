"""Fill a spool in data time: each second of the plant goes through `put` and `tick`, as fast as the machine can."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.frame import FrameBlock
from agent.spool import Limits, Spool
from tests.support.clocks import FakeClock
from tests.support.items import birth_of

if TYPE_CHECKING:
    from contract.payload import Birth
    from tests.support.plant import Plant

SECOND = 1_000_000_000
FACTORY, AGENT = "hanil", "edge-1"
LIMITS = Limits(max_bytes=20 * 10**9, min_free_bytes=10**8)
SETTLED_S = 1_800
"""Data time after which memory should not grow any more: three checkpoints."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What an outage has cost.

    Attributes:
        samples: Rows that were put.
        values: Those of them that have a value.
        seconds: Of data time.
        took_s: Of real time.
        disk: Bytes by the lengths of all files of the spool, when it was closed.
        blocks: Bytes by the file system's own count of the folder, likewise.
        fixed: Those of them that any outage takes, however short: the journal's files and the reserve.
        written: Bytes that the spool says it has written.
        pages: Pages of 4 kB that these writes have touched.
        machine: Bytes that all of the machine has written to its disks meanwhile.
        grown: Bytes by which the process's memory has grown since it had settled.
    """

    samples: int
    values: int
    seconds: int
    took_s: float
    disk: int
    blocks: int
    fixed: int
    written: int
    pages: int
    machine: int
    grown: int

    def a_sample(self) -> float:
        """Bytes on the disk for each sample."""
        return max(self.disk, self.blocks) / self.samples

    def a_day(self) -> float:
        """Bytes written a day, in whole pages."""
        return self.pages * 4096 / self.seconds * 86_400


def birth(plant: Plant) -> Birth:
    """Return the plant's dictionary."""
    return birth_of(FACTORY, "main", AGENT, plant.sources)


def fill(folder: Path, plant: Plant, seconds: int) -> Filled:
    """Let so many seconds pass without any line."""
    clock = FakeClock(plant.start_ns)
    spool = Spool(
        folder, birth=birth(plant), sources=plant.sources, limits=LIMITS, fingerprint=lambda: "box",
        account=lambda *_: {},
    )  # fmt: skip
    spool.begin(clock)
    begun, machine = time.perf_counter(), machine_written()
    samples = values = 0
    settled = 0
    for second, items in enumerate(plant.seconds(seconds)):
        for item in items:
            if isinstance(item, FrameBlock):
                samples += len(item)
                values += len(item) - sum(value is None for value in item.value)
            spool.put(item)
        clock.advance(1)
        spool.tick()
        if second == SETTLED_S:
            settled = resident()
    grown = resident() - settled if settled else 0
    stats = spool.stats()
    assert stats.rows == samples, f"{samples - stats.rows} of {samples} samples are not in the spool"
    spool.stop()
    fixed = [folder / "ballast", *(folder / "journal").iterdir()]
    return Filled(
        samples=samples,
        values=values,
        seconds=seconds,
        took_s=time.perf_counter() - begun,
        disk=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        blocks=sum(path.stat().st_blocks * 512 for path in [folder, *folder.rglob("*")]),
        fixed=sum(path.stat().st_blocks * 512 for path in fixed),
        written=stats.written_bytes,
        pages=stats.written_pages,
        machine=machine_written() - machine,
        grown=grown,
    )


def resident(process: int | str = "self") -> int:
    """Return the resident memory of a process in bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return pages * 4096


def machine_written() -> int:
    """Return the bytes that all disks of the machine have written, partitions not counted twice."""
    total = 0
    for line in Path("/proc/diskstats").read_text("ascii").splitlines():
        fields = line.split()
        if Path(f"/sys/block/{fields[2]}").exists():
            total += int(fields[9]) * 512
    return total


def begin_ns(seconds: int) -> int:
    """Return when an outage has begun that ends about now, on a full second."""
    return (time.time_ns() // SECOND - seconds - 120) * SECOND
