"""Workers at a real broker: shared, killed, restarted; a played agent whose missed days are pulled."""

from __future__ import annotations

import os
import sys
import time
from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from agent.conform.acting.actor import Actor
from contract.topics import AgentTopics
from settings.broker import Broker
from techsquare.intake.repair import Turns
from techsquare.intake.worker import Worker
from techsquare.registry import migrate
from techsquare.registry import tables as t
from techsquare.registry.store import Registry
from tests.support.brokers import mosquitto
from tests.support.processes import Child, running
from tests.techsquare.intake.made import Made, register
from tests.techsquare.intake.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.postgres import Postgres


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """Return a mosquitto that drops nothing."""
    with running(mosquitto(tmp_path / "broker", max_queued_messages="0")) as child:
        assert child.port is not None
        yield Broker(host="127.0.0.1", port=child.port)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Registry]]:
    """Return the URL of a migrated database, and it."""
    name = None
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/registry.db"
    else:
        cluster: Postgres = request.getfixturevalue("cluster")
        name = cluster.create()
        url = cluster.url(name)
    registry = Registry(url)
    migrate.upgrade(registry)
    yield url, registry
    registry.close()
    if name is not None:
        cluster.drop(name)


def eventually(check: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def records(registry: Registry) -> int:
    with registry.reading() as session:
        return int(session.execute(select(func.count()).select_from(t.DayRecord)).scalar_one())


def pinned(registry: Registry) -> int:
    with registry.reading() as session:
        found = select(func.count()).select_from(t.Agent).where(t.Agent.public_key.is_not(None))
        return int(session.execute(found).scalar_one())


def serve(folder: Path, url: str, broker: Broker, name: str) -> Child:
    """Return a worker as a service manager runs it."""
    words = [sys.executable, "-m", "techsquare.cli", "intake", "--broker", broker.address, "--name", name]
    return Child(words, log=folder / f"{name}.log", env={"TECHSQUARE_DATABASE": url, **os.environ})


@pytest.mark.parametrize("migrated", ["postgresql"], indirect=True)
def test_of_two_workers_one_is_killed_and_nothing_is_lost_or_doubled(
    broker: Broker, migrated: tuple[str, Registry], tmp_path: Path
) -> None:
    url, registry = migrated
    factories = [Made(f"f{n}", machines=2, metrics=1) for n in range(6)]
    register(registry, *(made.factory for made in factories))
    manifests = [made.manifest() for made in factories]
    days = [day for made in factories for day in made.sign(80)]
    with Publisher(broker) as publisher:
        publisher.send(manifests, retain=True)
        one, two = (serve(tmp_path, url, broker, name) for name in ("one", "two"))
        with running(one), running(two):
            eventually(lambda: pinned(registry) == 6)
            publisher.send(days[:100])
            eventually(lambda: records(registry) == 100)
            publisher.send(days[100:])
            eventually(lambda: records(registry) > 150)
            one.kill()
            killed = records(registry)
            time.sleep(0.5)
            one.start()
            eventually(lambda: records(registry) == 480, 60)
            assert killed < 480
    with registry.reading() as session:
        rows = session.execute(select(func.count()).select_from(t.MetricDay)).scalar_one()
        tips = session.scalars(select(t.Agent.chain_number)).all()
    assert rows == 480 * 2
    assert list(tips) == [80] * 6


def test_missed_days_of_an_agent_are_pulled(broker: Broker, migrated: tuple[str, Registry], tmp_path: Path) -> None:
    _, registry = migrated
    register(registry, "hanil")
    (tmp_path / "agent").mkdir()
    actor = Actor(broker, AgentTopics("hanil", "played"), tmp_path / "agent", date(2026, 11, 20), 12)
    worker = Worker(registry, broker, "w", Turns(patience=0.3))
    try:
        assert actor.open()
        worker.start()
        eventually(lambda: records(registry) == 12)
        assert worker.link.serving.wait(5)
        actor.next_day()
        actor.next_day(publish=False)
        actor.next_day()
        eventually(lambda: records(registry) == 15)
        assert actor.wait(1)
    finally:
        worker.stop()
        actor.close()
    with registry.reading() as session:
        row = session.get_one(t.Agent, ("hanil", "played"))
        reports = session.execute(select(func.count()).select_from(t.Report)).scalar_one()
        names = set(session.scalars(select(t.Machine.name)))
    assert (row.chain_number, row.chain_head) == (15, actor.head_before(0).hash)
    assert reports >= 1
    assert "프레스 1호" in names


def test_while_the_database_takes_nothing_nothing_is_acknowledged(
    broker: Broker, migrated: tuple[str, Registry]
) -> None:
    _, registry = migrated
    register(registry, "hanil")
    made = Made("hanil")
    days = made.sign(5)
    worker = Worker(registry, broker, "w")
    with Publisher(broker) as publisher:
        try:
            publisher.send([made.manifest(chain=False)], retain=True)
            worker.start()
            assert worker.link.serving.wait(10)
            eventually(lambda: pinned(registry) == 1)
            with registry.migrating() as connection:
                connection.exec_driver_sql("ALTER TABLE day_record RENAME TO away")
            publisher.send(days)
            time.sleep(1.0)
            assert worker.intake.counts["stored"] == 1  # the manifest
            with registry.migrating() as connection:
                connection.exec_driver_sql("ALTER TABLE away RENAME TO day_record")
            eventually(lambda: records(registry) == 5)
            assert worker.alive
        finally:
            worker.stop()
