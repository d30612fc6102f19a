"""Records from a real broker into PostgreSQL: `python -m benchmarks.intake [--records N] [--workers 1 2] [--kill]`.

10,000 signed records of 20 machines in 120 s by one worker, and 1.5 times as fast by two (issue 6). Workers are
processes of `techsquare serve`; the records are signed before the clock starts. It runs from the first message that
is published until the last record is committed, and all that was published has to be there, once. CPU seconds of
workers, database and broker stand beside it: on a busy machine they say more than the wall clock. With `--kill` the
first of two workers is killed in the middle and started again two seconds later.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from settings.broker import Broker
from techsquare.registry import migrate
from techsquare.registry.factories import Agent
from techsquare.registry.measured import DayRecord, MetricDay
from techsquare.registry.store import Registry
from tests.support.brokers import mosquitto
from tests.support.postgres import Postgres, postgres
from tests.support.processes import Child, running
from tests.techsquare.intake.made import Made, register
from tests.techsquare.intake.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from techsquare.intake.terms import Incoming

FACTORIES = 50
MACHINES = 20
METRICS = 45
TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended; 0 where it has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICK


def below(name: bytes) -> list[int]:
    """Return the processes whose command line begins so."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                if (folder / "cmdline").read_bytes().startswith(name):
                    found.append(int(folder.name))
            except OSError:
                continue
    return found


def signed(count: int) -> tuple[list[Made], list[Incoming]]:
    """Return agents and their messages, day by day as factories send them."""
    factories = [Made(f"f{n}", machines=MACHINES, metrics=METRICS) for n in range(FACTORIES)]
    messages = [
        made.sign(1, start=date(2025, 1, 1))[0] for _ in range(-(-count // FACTORIES)) for made in factories
    ]
    return factories, messages[:count]


def run(
    cluster: Postgres, folder: Path, factories: list[Made], messages: list[Incoming], workers: int, *, kill: bool
) -> float:
    """Print one run and return its records a second."""
    folder.mkdir()
    url = cluster.url(cluster.create())
    registry = Registry(url, pool=1)
    migrate.upgrade(registry)
    register(registry, *(made.factory for made in factories))
    with running(mosquitto(folder / "broker", max_queued_messages="0")) as child:
        broker = Broker(host="127.0.0.1", port=child.port or 0)
        names = [f"w{n}" for n in range(workers)]
        started = [
            Child(
                [sys.executable, "-m", "techsquare.cli", "intake", "--broker", broker.address, "--name", name],
                log=folder / f"{name}.log", env={"TECHSQUARE_DATABASE": url},
            )
            for name in names
        ]  # fmt: skip
        try:
            for one in started:
                one.start()
            with Publisher(broker) as publisher:
                publisher.send([made.manifest(chain=False) for made in factories], retain=True)
                wait(registry, Agent, len(factories))
                time.sleep(3)  # for all subscriptions
                pids = [one.process.pid for one in started if one.process is not None]
                before, begun = sum(map(cpu, pids)), time.monotonic()
                database = sum(map(cpu, below(b"postgres: ")))
                publisher.send(messages)
                sent = time.monotonic() - begun
                if kill:
                    wait(registry, DayRecord, len(messages) // 3)
                    started[0].kill()
                    time.sleep(2)
                    started[0].start()
                wait(registry, DayRecord, len(messages))
                wall = time.monotonic() - begun
                used = sum(map(cpu, pids)) - before
                database = sum(map(cpu, below(b"postgres: "))) - database
        finally:
            for one in started:
                one.stop()
    with registry.reading() as session:
        rows = session.execute(select(func.count()).select_from(MetricDay)).scalar_one()
        tips = session.scalars(select(Agent.chain_number)).all()
    registry.close()
    assert rows == len(messages) * MACHINES, f"{rows} machine-days"
    assert sum(tip or 0 for tip in tips) == len(messages), "a chain is not whole"
    rate = len(messages) / wall
    print(
        f"{workers} worker(s){', one killed' if kill else ''}: {len(messages)} records of {MACHINES} machines in "
        f"{wall:.1f} s ({sent:.1f} s to publish), {rate:.0f}/s; 10,000 in {10_000 / rate:.0f} s; "
        f"CPU: workers {used:.1f} s, database {database:.1f} s",
        flush=True,
    )
    return rate


def wait(registry: Registry, model: type[DayRecord | Agent], count: int, seconds: float = 900) -> None:
    """Wait until a table has so many rows."""
    deadline = time.monotonic() + seconds
    while True:
        with registry.reading() as session:
            found = session.execute(select(func.count()).select_from(model)).scalar_one()
        if found >= count:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{found} of {count} rows of {model.__tablename__}")
        time.sleep(0.2)


def main(argv: Sequence[str] | None = None) -> None:
    """Run with one worker and with two, and print how much faster two are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--kill", action="store_true")
    words = parser.parse_args(argv)
    begun = time.monotonic()
    factories, messages = signed(words.records)
    size = sum(len(message.payload) for message in messages) / len(messages)
    print(f"{len(messages)} records of {size / 1000:.0f} kB signed in {time.monotonic() - begun:.0f} s", flush=True)
    with postgres() as cluster, tempfile.TemporaryDirectory() as folder:
        rates = [
            run(cluster, Path(folder) / f"{n}", factories, messages, n, kill=words.kill and n > 1)
            for n in words.workers
        ]
    if len(rates) > 1:
        print(f"{words.workers[-1]} workers are {rates[-1] / rates[0]:.2f} times as fast as {words.workers[0]}")


if __name__ == "__main__":
    main()
