"""A start with 400 days of 1,000 signals behind it: seconds to the first report, and memory.

    python -m benchmarks.history [DAYS] [AGENTS]

Three days of 50 machines, read every 10 s, are played again and again. A machine has a state, two counters, a
meter, an alarm and 15 noisy values. Days come as the spool keeps them; another process makes them. With several
agents, the first reports for all: their days come as they lie on its disk, each with 50 machines of its own.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import threading
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Raw

from agent.analyzers.evidence import make
from agent.frame import DataType, FrameBlock, Signal, Source, Watermark
from agent.platform.past import Past
from agent.platform.shelf import Kept as Shelved
from agent.reporter import load_model
from agent.spool.days import packed, unpacked
from benchmarks.report import CALENDAR, SECOND
from contract.codec import checksum, digest, encode
from contract.evidence import FactoryDay
from readiness.evidence import load
from readiness.inventory import Machine
from readiness.plant import configured
from readiness.report import Site, assess
from readiness.together import catalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.frame import Value

FIRST = date(2026, 1, 5)
DAYS, SEEN, EVERY, MACHINES = 400, 3, 10, 50
ROLES = {
    "state": ("state", DataType.INT16), "total": ("count_total", DataType.INT32),
    "bad": ("count_reject", DataType.INT32), "kwh": ("energy", DataType.FLOAT64), "alarm": ("alarm", DataType.BOOL),
} | {f"v{k}": ("pv", DataType.FLOAT32) for k in range(15)}  # fmt: skip


def sources(agent: int) -> list[Source]:
    """Return what an agent reads."""
    return [
        Source(
            id=f"plc{i}.main", device=f"plc{i}", protocol="modbus", mode="poll", interval_ns=EVERY * SECOND,
            signals=tuple(
                Signal(
                    id=name, machine=_machine(agent, i), name=name, dtype=dtype, role=role,  # type: ignore[arg-type]
                    role_confirmed=True, unit="kWh" if role == "energy" else None,
                )
                for name, (role, dtype) in ROLES.items()
            ),
        )
        for i in range(MACHINES)
    ]  # fmt: skip


def _machine(agent: int, number: int) -> str:
    return f"a{agent}-m{number}"


def _columns(rng: np.random.Generator, n: int) -> list[list[Value]]:
    """Return what a machine says on a day: it works in pieces of some minutes, and idles or stops between."""
    work = np.repeat(rng.random(n // 30 + 1) < 0.75, 30)[:n]
    idle = np.repeat(rng.integers(0, 2, n // 30 + 1), 30)[:n]
    phase = rng.random() * 6
    return [
        np.where(work, 2, idle).tolist(), np.cumsum(work).tolist(), (np.cumsum(work) // 50).tolist(),
        np.round(np.cumsum(0.01 + 0.05 * work + rng.random(n) * 0.01), 2).tolist(),
        (rng.random(n) < 0.002).tolist(),
        *(np.round(20 + 5 * np.sin(np.arange(n) / 300 + k + phase) + rng.normal(0, 0.5, n), 2).tolist()
          for k in range(15)),
    ]  # fmt: skip


def seen(agent: int) -> list[bytes]:
    """Return some days as they are stored."""
    rng, start, n = np.random.default_rng(7 + agent), CALENDAR.bounds(FIRST)[0], 86_400 // EVERY
    read = sources(agent)
    evidence = make(read, CALENDAR)
    for day in range(SEEN):
        at = start + (day * n + np.arange(n)) * EVERY * SECOND
        for source in read:
            columns = _columns(rng, n)
            evidence.feed(
                [
                    FrameBlock(
                        source=source,
                        signal=np.tile(np.arange(len(columns), dtype=np.int32), n),
                        time_ns=np.repeat(at, len(columns)),
                        value=[column[row] for row in range(n) for column in columns],
                        status=np.zeros(n * len(columns), np.uint32),
                    )
                ]
            )
    evidence.feed([Watermark(s.id, start + SEEN * 86_400 * SECOND + 900 * SECOND) for s in read])
    return [raw for _, raw in sorted(evidence.take_closed().items())]


class Kept:
    """Closed days as a spool hands them out: the days that were seen, again and again."""

    def __init__(self, days: list[bytes], number: int) -> None:
        self._days = [packed(day) for day in days]
        self._at = [(one.day, one.start, one.end) for one in map(load, days)]
        self._dates = [(FIRST + timedelta(days=k)).isoformat() for k in range(number)]

    def dates(self) -> list[str]:
        """Return the dates."""
        return self._dates

    def day(self, when: str) -> bytes:
        """Return a day, moved to its date."""
        number = self._dates.index(when)
        begin, end = CALENDAR.bounds(date.fromisoformat(when))
        known = self._at[number % len(self._at)]
        raw = unpacked(self._days[number % len(self._at)])
        for name, old, new in (
            ("day", known[0], when), ("start", known[1], str(begin)), ("end", known[2], str(end))
        ):  # fmt: skip
            raw = raw.replace(f'"{name}":"{old}"'.encode(), f'"{name}":"{new}"'.encode(), 1)
        return raw

    def tallies(self) -> Mapping[tuple[str, str], dict[int, int]]:
        """Return none."""
        return {}


class Sent(Kept):
    """Days of another agent as its shelf at the reporter hands them out."""

    def __init__(self, agent: int, days: list[bytes], number: int) -> None:
        super().__init__(days, number)
        self.agent = agent

    def hash(self, when: str) -> str:
        """Return something that tells days apart."""
        return f"{self.agent}{when}"

    def days(self) -> list[Shelved]:
        """Return what is there."""
        return [Shelved(when, self.hash(when)) for when in self._dates]

    def read(self, when: str) -> bytes:
        """Return the content of a day, and look whether it is whole, as a shelf does."""
        told = FactoryDay("h", "main", f"edge-{self.agent}", when, "0" * 32, [], [], Raw(self.day(when)))
        content = encode(told)
        digest(content)
        return content


class Taken:
    """The inbox of a reporter."""

    def __init__(self, days: list[list[bytes]], number: int) -> None:
        self.lock = threading.RLock()
        self.shelves = {f"edge-{agent}": Sent(agent, own, number) for agent, own in enumerate(days, 2)}


def _memory() -> str:
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - no path of ours
        now = next(line for line in file if line.startswith("VmRSS")).split()[1]
    return f"{int(now) / 1024:.0f} MB, at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


def _measure(days: list[list[bytes]], number: int) -> None:
    agents = range(1, len(days) + 1)
    names = [_machine(agent, i) for agent in agents for i in range(MACHINES)]
    links = [
        link for agent in agents for link in catalog("" if agent == 1 else f"edge-{agent}", sources(agent), ())
    ]
    plant, model = configured(links, [Machine(name, name) for name in names]), load_model()
    now = CALENDAR.bounds(FIRST + timedelta(days=number))[0] + 3600 * SECOND
    kept = Kept(days[0], number)
    print(f"before: {_memory()}")
    begin = time.process_time()
    inbox = Taken(days[1:], number) if len(days) > 1 else None
    past = Past(kept, "edge-1", inbox)  # type: ignore[arg-type]  # what is asked of a spool and an inbox
    for turn in ("first", "second"):
        found = dict(past.days(CALENDAR.day_of(now)))
        loaded, there = time.process_time(), _memory()
        made = assess(found, {}, links, plant, CALENDAR, now, model, Site("h", "main", "edge-1"))
        report = made.retained()
        print(
            f"{turn} report of {len(found)} days: loaded in {loaded - begin:.1f} s of processor time ({there}), "
            f"assessed in {time.process_time() - loaded:.1f} s, {_memory()}; {checksum(report)}"
        )
        begin = time.process_time()


def main() -> None:
    """Print seconds and megabytes."""
    words = [*map(int, sys.argv[1:]), *(DAYS, 1)[len(sys.argv) - 1 :]]
    number, agents = words[:2]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        days = [pool.apply(seen, (agent,)) for agent in range(1, agents + 1)]
    one = days[0]
    stored = sum(len(packed(day)) for day in one) / len(one)
    print(f"{stored / 1000:.0f} kB a day on the disk, {sum(map(len, one)) / len(one) / 1e6:.1f} MB of text")
    _measure(days, number)


if __name__ == "__main__":
    main()
