"""A process that gets no processor is found, one that wants none is not; and what follows from it is right."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.chaos.causes import windows
from tests.chaos.ledger import Gap
from tests.chaos.load import JUDGE, STARVED_NS, Load, Starved, seconds
from tests.chaos.sums import Served, judge, unjust

S = 10**9
BUSY, IDLE = "while True: pass", "import time; time.sleep(600)"


def test_who_gets_no_processor_is_found() -> None:
    cpu = min(os.sched_getaffinity(0))
    children = {
        name: subprocess.Popen([sys.executable, "-c", code])
        for name, code in (("plc", BUSY), ("other", BUSY), ("third", BUSY), ("cnc", IDLE))
    }
    try:
        for child in children.values():
            os.sched_setaffinity(child.pid, {cpu})
        load = Load(lambda: {name: children[name].pid for name in ("plc", "cnc")})
        deadline = time.monotonic() + 60
        load.look()
        while not any(one.name == "plc" for one in load.starved) and time.monotonic() < deadline:
            time.sleep(1.0)  # so the short waits of sharing fairly add up
            load.look()
    finally:
        for child in children.values():
            child.kill()
            child.wait()
    found = [one for one in load.starved if one.name == "plc"]
    assert found
    assert all(one.waited_ns > STARVED_NS for one in found)
    assert seconds(found)["plc"] >= 0.3
    load.look()  # all have ended


def test_what_a_starved_process_leaves_missing_has_a_right_cause_and_nothing_else() -> None:
    ones = [Served("plc.words", "w0", n * S, n) for n in range(30)]
    stored = {"w0": {n: [n * S + 2_000_000] for n in range(30) if n != 12}}
    gap = Gap("g", "link_down", "plc.words", 11 * S, 14 * S)
    for starved, right in (
        (Starved("plc", 12 * S, 13 * S, S), True),
        (Starved("agent", 12 * S, 13 * S, S), True),
        (Starved(JUDGE, 12 * S, 13 * S, S), True),
        (Starved("cnc", 12 * S, 13 * S, S), False),
        (Starved("plc", 25 * S, 26 * S, S), False),
    ):
        causes = windows([], [], [starved])
        assert judge(ones, stored, [gap], causes, offset={}).good is right
        assert (not unjust([gap], causes, (0, 30 * S), S)) is right
    still = Gap("h", "agent_off", None, 12 * S, 15 * S)
    assert not unjust([still], windows([], [], [Starved("agent", 12 * S, 14 * S, S)]), (0, 30 * S), S)
    assert unjust([still], windows([], [], [Starved("plc", 12 * S, 14 * S, S)]), (0, 30 * S), S)
