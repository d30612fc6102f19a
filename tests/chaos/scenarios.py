"""Single faults, timed: a database that is away for long, a worker that dies or freezes with messages in hand."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from tests.chaos.plant import INTERVALS_NS, Stored
from tests.peers.modbus import read_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.plant import Plant

TAKEN_OVER_S = 30.0
LIVE_ROWS = 600
"""What waits when only the last seconds do."""
GRID = 0.97
"""Share of the slots that must have been served, but for the time in which somebody got no processor."""


def waiting(plant: Plant) -> int:
    """Return the rows that are not confirmed yet."""
    status = plant.status()
    return 1 << 60 if status is None else int(status["spool"]["rows"]) + int(status["spool"]["ring_rows"])


def until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Poll a condition; return after how many seconds it held.

    Raises:
        SystemExit: it did not hold in time.
    """
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise SystemExit(f"{what}: not within {seconds:g} s")
        time.sleep(0.2)
    return time.monotonic() - begun


def missing(plant: Plant, before_ns: int) -> int:
    """Count the values that were served before a moment and are not in the database."""
    store = plant.store()
    try:
        stored = Stored(store)
    finally:
        store.close()
    ours = [one for one in plant.served() if one.time_ns < before_ns]
    return sum(one.value not in stored.values.get(one.signal, {}) for one in ours)


def database_away(plant: Plant, minutes: float, rate: float) -> tuple[bool, str]:
    """Take the database away and give it back; what was read meanwhile must be there soon.

    Args:
        plant: It runs.
        minutes: How long the database is away.
        rate: Samples a second at which the backlog must at least be drained.
    """
    time.sleep(3)
    plant.end("database", kill=True)
    from_ns = time.time_ns()
    time.sleep(minutes * 60)
    to_ns = time.time_ns()
    backlog = waiting(plant)
    plant.start("database")
    begun = time.monotonic()
    until(lambda: waiting(plant) < LIVE_ROWS, 60 + backlog / rate, "the backlog is not drained")
    took = time.monotonic() - begun
    starved_ns = sum(one.waited_ns for one in plant.load.starved if from_ns <= one.to_ns < to_ns)
    slots = max(0, to_ns - from_ns - starved_ns) / INTERVALS_NS["plc.words"]
    asked = sum(from_ns <= r.time_ns < to_ns and r.start == 0 for r in read_log(plant.logs[0]))
    until(lambda: missing(plant, to_ns) == 0, 30, "not all of it is in the database")
    text = (
        f"database away {minutes:g} min: {asked} of {slots:.0f} slots read, backlog {backlog} samples drained in "
        f"{took:.1f} s ({backlog / took:.0f}/s), none missing"
    )
    # until a worker notices and announces itself again, a few seconds pass
    return asked >= GRID * slots - 2 and backlog / max(took - 10, 0.1) >= rate, text


def worker_lost(plant: Plant, *, pause: bool) -> tuple[bool, str]:
    """Have both workers hold messages, take one away, and measure when the other has everything."""
    plant.lines["database"].cut = True
    time.sleep(3)  # messages come and cannot be written
    child = plant.children["worker-1"]
    with plant.lock:
        if pause:
            child.send(signal.SIGSTOP)
        else:
            plant.end("worker-1", kill=True)
    moment = time.time_ns()
    begun = time.monotonic()
    plant.lines["database"].tear()  # what was on its way does not arrive
    plant.lines["database"].cut = False
    took = until(
        lambda: missing(plant, moment - 10**9) == 0, 3 * TAKEN_OVER_S, "the other worker has not everything"
    )
    took = max(took, time.monotonic() - begun)
    with plant.lock:
        if pause:
            child.send(signal.SIGCONT)
        else:
            plant.start("worker-1")
    what = "paused" if pause else "killed"
    return took <= TAKEN_OVER_S, f"worker {what} with messages in hand: the other had everything after {took:.1f} s"
