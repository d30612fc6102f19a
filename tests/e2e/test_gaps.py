"""Known time and gaps cover every second of every source, whatever happens to agent and devices."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from gateway.stores.embedded import EmbeddedStore
from tests.chaos import ledger
from tests.e2e.rig import running, until
from tests.e2e.site import Site, device
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.stores.base import Point

pytestmark = pytest.mark.timeout(240)

INTERVAL_NS = 500_000_000
TOLERANCE_NS = INTERVAL_NS // 2 + 500_000_000
FOREVER = 2**63 - 1


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path)
    with child_running(one.servers["press"]), child_running(one.servers["saw"]), running(one.rig):
        one.rig.wait_for_state("press", "up")
        one.rig.wait_for_state("saw", "up")
        yield one


def points(site: Site, measurement: str) -> list[Point]:
    store = EmbeddedStore(site.rig.store_path, read_only=True)
    try:
        return list(store.read(measurement, 0, FOREVER))
    finally:
        store.close()


def covered(site: Site, machine: str, end_ns: int) -> ledger.Coverage:
    """Return what is wrong with the account of a machine's source, from the agent's first start on."""
    rows = points(site, machine)
    events = points(site, "tsq_event")
    times = sorted(p.time_ns for p in rows)
    good = sorted(p.time_ns for p in rows if any(name.endswith("_i") for name in p.fields))
    begun = min(p.time_ns for p in events if dict(p.tags)["kind"] == "agent_start")
    told = ledger.gaps(events)
    return ledger.cover(f"{machine}.main", times, good, told, INTERVAL_NS, (begun, end_ns), TOLERANCE_NS)


def causes(site: Site, machine: str) -> set[str]:
    return {gap.cause for gap in ledger.gaps(points(site, "tsq_event")) if gap.source == f"{machine}.main"}


def rows_come(site: Site, machine: str) -> None:
    now = time.time_ns()
    field = {"press": "w1_i", "saw": "w7_i"}[machine]
    until(lambda: max(site.stored(machine, field).values(), default=0) > now, 30, f"{machine}: no rows", site.rig)


def test_every_second_of_every_source_is_explained(site: Site) -> None:
    rig = site.rig
    rows_come(site, "press")
    # the agent is frozen, and killed
    rig.agent.send(signal.SIGSTOP)
    time.sleep(3)
    rig.agent.send(signal.SIGCONT)
    rows_come(site, "press")
    rig.agent.restart()
    rows_come(site, "press")
    # a device is away
    site.servers["press"].kill()
    rig.wait_for_state("press", "down")
    time.sleep(1)
    site.servers["press"].start()
    rows_come(site, "press")
    # a trial removes it, and the agent dies meanwhile: the file in force still has it
    config = json.loads(rig.config.read_text("utf-8"))
    changed = site.write(
        config["devices"][1], device("new", site.ports["saw"], 5), machines=[{"id": "saw"}, {"id": "new"}]
    )
    with site.applying(changed, "--watch", "10m") as trial:
        until(lambda: set(rig.status()["devices"]) == {"saw", "new"}, 20, "not removed", rig)
        until(lambda: "config" in causes(site, "press"), 20, "the open gap is not told", rig)
        ((_, end),) = site.gaps("config")["press.main"]
        assert end is None, "it is told while it is open"
        time.sleep(2)
        rig.agent.kill()
        trial.kill()
    time.sleep(1)
    rig.agent.start()
    rows_come(site, "press")
    # people work on it
    assert site.run("maintenance", "start", "--device", "press", "--reason", "tool").returncode == 0
    time.sleep(1)
    assert site.run("maintenance", "stop").returncode == 0
    # a stop in order, while a device is away
    site.servers["saw"].kill()
    rig.wait_for_state("saw", "down")
    rig.agent.stop()
    time.sleep(2)
    rig.agent.start()
    rig.wait_for_state("saw", "down")
    site.servers["saw"].start()
    rows_come(site, "saw")
    rows_come(site, "press")
    end_ns = time.time_ns()
    rows_come(site, "press")
    rows_come(site, "saw")
    for machine in ("press", "saw"):
        until(
            lambda m=machine: covered(site, m, end_ns) == ([], []),
            10,
            f"{machine}: {covered(site, machine, end_ns)}",
        )
    assert {"agent_off", "link_down", "waiting", "config", "maintenance"} <= causes(site, "press")
    assert "config" not in causes(site, "saw")
