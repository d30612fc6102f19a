"""Storing signed records in the platform's PostgreSQL: `python -m benchmarks.registry [--records N]`.

Whole columns against an INSERT a row, and both against the load line: 10,000 records of 20 machines in 120 s by one
worker, verification and broker included. This is the storing alone, `store_days` by 100 records a transaction. CPU
seconds of this process and of the server stand beside the wall clock, which shows what else a machine does.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert, text

from techsquare.registry import migrate
from techsquare.registry.bulk import DayKey, MachineDayRow, Record, add_factory, add_machines, store_days
from techsquare.registry.measured import DayRecord, MetricDay
from techsquare.registry.store import Registry
from tests.support.postgres import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

MACHINES = 20
METRICS = 20
RECORD_BYTES = 30_000  # of a real record of 20 machines


def records(count: int, start: date) -> tuple[list[Record], dict[DayKey, list[MachineDayRow]]]:
    """Return records of ten factories, and their machine-days."""
    rng = random.Random(1)
    body = "".join(rng.choices("0123456789.,", k=RECORD_BYTES))
    found: list[Record] = []
    rows: dict[DayKey, list[MachineDayRow]] = {}
    for i in range(count):
        factory, number = f"f{i % 10}", i // 10
        day, head = start + timedelta(number), f"{start}-{i}"
        key = str(start)
        record = Record(factory, "edge-1", day, number + 1, key, head, None, body, "s" * 88, 1)
        found.append(record)
        rows[record.of] = [
            MachineDayRow(
                factory, f"m{m}", day, "measured", head, 28_800.0, rng.random(), rng.random(), rng.random(),
                rng.random(), rng.random(), rng.random(), rng.random(), rng.random(), rng.random(), rng.random(),
                rng.random(), metrics={f"A{k:02}": [rng.random(), 1.0] for k in range(METRICS)},
                reasons={"E01": "NA_NO_EVIDENCE"},
            )
            for m in range(MACHINES)
        ]  # fmt: skip
    return found, rows


def backend_cpu(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(registry: Registry, name: str, count: int, work: Callable[[], None]) -> float:
    """Print and return the CPU seconds of `work`, client and server together."""
    with registry.reading() as session:
        pid = int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
    wall, client, server = time.monotonic(), time.process_time(), backend_cpu(pid)
    work()
    wall, client, server = time.monotonic() - wall, time.process_time() - client, backend_cpu(pid) - server
    scale = 10_000 / count
    print(
        f"{name:32} {count:6} records: {wall:6.1f} s, CPU {client:5.1f} + {server:5.1f} s; "
        f"of 10,000: {wall * scale:6.1f} s, CPU {(client + server) * scale:6.1f} s"
    )
    return (client + server) / count


def main(argv: Sequence[str] | None = None) -> None:
    """Run both and print their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=2000)
    count = parser.parse_args(argv).records
    with postgres() as cluster:
        registry = Registry(cluster.url(cluster.create()), pool=1)
        migrate.upgrade(registry)

        def prepare(session: Session) -> None:
            for f in range(10):
                add_factory(session, f"f{f}", "edge-1", name="", region="", industry="", at=1)
                add_machines(session, f"f{f}", [(f"m{m}", "", 1.0) for m in range(MACHINES)])

        registry.load(prepare)
        found, rows = records(count, date(2020, 1, 1))

        def columns() -> None:
            for i in range(0, count, 100):
                registry.load(lambda session, i=i: store_days(session, found[i : i + 100], rows))  # type: ignore[misc]

        fast = measured(registry, "whole columns, 100 a transaction", count, columns)
        few, their = records(max(count // 10, 10), date(2010, 1, 1))

        def one_by_one() -> None:
            for record in few:
                with registry.engine.begin() as connection:
                    connection.execute(insert(DayRecord), record._asdict())
                    for row in their[record.of]:
                        connection.execute(insert(MetricDay), row._asdict())

        slow = measured(registry, "an INSERT a row", len(few), one_by_one)
        print(f"an INSERT a row costs {slow / fast:.1f} times as much CPU")
        registry.close()


if __name__ == "__main__":
    main()
