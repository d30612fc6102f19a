"""A night in a database, from rows to stored offers: `python -m benchmarks.market_night [--factories N] ...`.

100,000 factories with 1.3 open items each and 5,000 suppliers, on 2 cores and 4 GB: under 60 s (issue 6). The world
is built in the database first and is not counted. Two nights: the first stores all lists, the second ends them all
and stores them anew, which no ordinary night does (lists stand for thirty days). Wall seconds and CPU seconds by
step, of this process and of the database's; peak memory of both together, looked at every 50 ms (PSS: memory that
processes share counts once).

Without --database a PostgreSQL cluster of its own is started; `sqlite` is a file in a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from techsquare.registry import migrate
from techsquare.registry.store import Registry
from techsquare.services import lists, nights
from techsquare.services.days import day_of
from techsquare.services.market import market, open_items
from tests.support.postgres import postgres
from tests.techsquare.market.rows import put, settled
from tests.techsquare.matching.market import market as drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from techsquare.catalogue.load import Catalogue

TICK = os.sysconf("SC_CLK_TCK")
NOW = 1_800_000_000_000_000_000
DAY_NS = 86_400 * 10**9


def servers() -> list[int]:
    """Return the processes of the database that this program has started."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
    ours = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in ours} - ours
        if not more:
            return sorted(ours - {os.getpid()})
        ours |= more


def cpu(pids: list[int]) -> float:
    """Return the CPU seconds of processes that are there."""
    found = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        found += (int(fields[11]) + int(fields[12])) / TICK
    return found


def memory() -> float:
    """Return the megabytes of this process and of the database's."""
    found = 0
    for pid in [os.getpid(), *servers()]:
        try:
            told = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8")
        except OSError:
            continue
        found += next(int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:"))
    return found / 1024


class Watch:
    """Looks at the memory until it is ended."""

    def __init__(self) -> None:
        self.most = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._end.wait(0.05):
            self.most = max(self.most, memory())

    def close(self) -> None:
        """End."""
        self._end.set()
        self._thread.join()


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print what a step takes."""
    wall, own, theirs = time.perf_counter(), time.process_time(), cpu(servers())
    yield
    wall, own, theirs = time.perf_counter() - wall, time.process_time() - own, cpu(servers()) - theirs
    print(f"{name:26} {wall:7.2f} s; CPU {own:6.2f} s here, {theirs:6.2f} s in the database", flush=True)


def nightly(registry: Registry, catalogue: Catalogue, name: str, now: int) -> None:
    """Make and store all lists, step by step, and print each."""
    on, watch = day_of(now), Watch()
    with step(f"{name}: together"):
        with step("  read"), registry.reading() as session:
            rows = open_items(session)
            found = market(session, catalogue, rows, on)
        with step("  compute"):
            done = nights.computed(found, rows, on, now)
        del found
        with step("  store"):
            stored = registry.load(lambda session: nights._stored(session, done, nights.ACTOR))  # noqa: SLF001
    watch.close()
    print(f"  {len(done.advice)} items, {done.night.lists.edges.pairs} candidates, {stored} offers", flush=True)
    print(f"  peak memory of all processes: {watch.most:.0f} MB", flush=True)


def main() -> None:
    """Build the world and run two nights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factories", type=int, default=100_000)
    parser.add_argument("--suppliers", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="postgresql", help="a URL, or `postgresql` or `sqlite`: a new one")
    args = parser.parse_args()
    with ExitStack() as stack:
        url = args.database
        if url == "postgresql":
            cluster = stack.enter_context(postgres())
            url = cluster.url(cluster.create())
        elif url == "sqlite":
            url = f"sqlite:///{stack.enter_context(tempfile.TemporaryDirectory())}/registry.db"
        registry = Registry(url, pool=2)
        stack.callback(registry.close)
        migrate.upgrade(registry)
        with step("world (not counted)"):
            catalogue = put(registry, settled(drawn(args.factories, args.suppliers, args.seed)), NOW)
            with registry.migrating() as connection:
                connection.execute(text("ANALYZE"))  # as the database does by itself within minutes
        print(f"other load of the machine before: {os.getloadavg()}")
        nightly(registry, catalogue, "first night", NOW)
        nightly(registry, catalogue, "second night, all anew", NOW + DAY_NS)
        with registry.reading() as session:
            names = [row.id for row in open_items(session)][:: max(1, args.factories // 20)]
        later = NOW + 2 * DAY_NS
        with step(f"lists of {len(names)} single items"):
            for name in names:
                making = partial(lists.make, catalogue=catalogue, item=name, now=later, actor=nights.ACTOR)
                registry.decide(making, nights.ACTOR)
        print(f"other load of the machine after: {os.getloadavg()}")


if __name__ == "__main__":
    main()
