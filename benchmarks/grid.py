"""Whether a large site keeps its grid: `python -m benchmarks.grid --seconds 600`.

Twenty servers on libmodbus, a process each, take 5 ms a request. The agent reads 500 tags from each every second,
as a process of its own with spool and evidence; `--delivery` puts broker, gateway and store on the machine too.

A slot is late when its first request leaves more than 50 ms after its time. That is counted twice: by the agent
itself (`Stats.late`, and `Stats.skipped` for slots passed over), and from the servers' logs, which know nothing of
the agent: requests fall into readings by the silence between them, the phase of the grid is the earliest that is
usual within a minute, and a second without a reading is a late one. Prints one JSON line; ends with 1 when more
than 0.01 % are late by either count.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.e2e.rig import Rig, agent_yaml, until
from tests.peers.modbus import read_log, server
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tests.support.processes import Child

DEVICES, TAGS, DELAY_MS = 20, 500, 5
SECOND = 10**9
LATE_NS = 50_000_000
ALLOWED = 1e-4
WINDOW = 60  # readings that a phase is taken from
SILENCE_NS = 200_000_000  # between two readings
WARM_S = 20  # connecting, and the first readings with empty caches


def tags(seed: int) -> list[dict[str, Any]]:
    """Return 500 tags as a controller has them: runs of words, reals and bits with holes between."""
    dice = random.Random(seed)
    found: list[dict[str, Any]] = []
    address = 0
    while len(found) < TAGS:
        kind, width = dice.choice([("uint16", 1), ("int16", 1), ("float32", 2), ("uint32", 2)])
        for _ in range(min(dice.randint(1, 24), TAGS - len(found))):
            found.append({"id": f"t{len(found)}", "address": f"holding:{address}", "type": kind})
            address += width
        address += dice.choice([0, 1, 2, 4, 8, 30, 60])
    return found


def devices(ports: Sequence[int]) -> list[dict[str, Any]]:
    """Return the devices of the file."""
    return [
        {
            "id": f"plc-{i}", "type": "modbus", "machine": f"m-{i}", "host": "127.0.0.1", "port": port,
            "groups": [{"id": "main", "every": "1s", "signals": tags(i)}],
        }
        for i, port in enumerate(ports)
    ]  # fmt: skip


def late_by(requests_ns: NDArray[np.int64], begin_ns: int, end_ns: int) -> NDArray[np.int64]:
    """Return by how much each slot of one device was late, a second where one is missing.

    Args:
        requests_ns: When its requests came, ascending.
        begin_ns: Slots before this moment do not count.
        end_ns: Nor those after it.
    """
    first = np.flatnonzero(np.diff(requests_ns, prepend=-SECOND) > SILENCE_NS)
    readings = requests_ns[first]
    readings = readings[(readings >= begin_ns) & (readings < end_ns)]
    if len(readings) < 2:
        return np.full((end_ns - begin_ns) // SECOND, SECOND, np.int64)
    lateness = []
    for at in range(0, len(readings), WINDOW):
        part = readings[at : at + WINDOW] - readings[at]
        off = (part + SECOND // 2) % SECOND - SECOND // 2  # within half a second of the first one's phase
        lateness.append(off - np.quantile(off, 0.05, method="lower"))
    slots = round((readings[-1] - readings[0]) / SECOND) + 1
    missing = np.full(max(0, slots - len(readings)), SECOND, np.int64)
    return np.concatenate([*lateness, missing]).astype(np.int64)


def _agent_says(status: Mapping[str, Any]) -> dict[str, int]:
    stats = [device["stats"] for device in status["devices"].values()]
    rows = sum(device["rows"] for device in status["devices"].values())
    bad = sum(device["bad_rows"] for device in status["devices"].values())
    return {
        "late": sum(s["late"] for s in stats),
        "skipped": sum(s["skipped"] for s in stats),
        "rows": rows,
        "bad": bad,
    }


def _cpu_s(child: Child) -> float:
    """Return the processor time a process has used."""
    assert child.process is not None
    fields = Path(f"/proc/{child.process.pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--delivery", action="store_true", help="with broker, gateway and store on this machine")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tsq-grid-"))
    logs = [folder / f"requests-{i}" for i in range(DEVICES)]
    peers = [server(folder / f"plc-{i}", "--delay-ms", DELAY_MS, log=log) for i, log in enumerate(logs)]
    ports = [peer.port for peer in peers if peer.port is not None]
    machines = [{"id": f"m-{i}"} for i in range(DEVICES)]
    rig = Rig(folder, devices=devices(ports), machines=machines)
    children = [rig.broker, rig.gateway] if args.delivery else []
    if not args.delivery:
        agent_yaml(folder, free_port(), devices(ports), machines)  # nobody listens there
    with contextlib.ExitStack() as stack:
        for child in (*peers, *children, rig.agent):
            stack.callback(child.stop)
            child.start()
        for i in range(DEVICES):
            rig.wait_for_state(f"plc-{i}", "up", 60)
        until(lambda: _agent_says(rig.status())["rows"] >= DEVICES * TAGS, 60, "no first values", rig)
        time.sleep(WARM_S)
        before, cpu, begin_ns = _agent_says(rig.status()), _cpu_s(rig.agent), time.time_ns()
        time.sleep(args.seconds)
        after, end_ns = _agent_says(rig.status()), time.time_ns()
        busy = (_cpu_s(rig.agent) - cpu) / args.seconds
    by_device = [
        late_by(np.array([r.time_ns - DELAY_MS * 10**6 for r in read_log(log)], np.int64), begin_ns, end_ns)
        for log in logs
    ]
    lateness = np.concatenate(by_device)
    own = {name: after[name] - before[name] for name in after}
    slots, late = len(lateness), int((lateness > LATE_NS).sum())
    result = {
        "seconds": args.seconds,
        "slots": slots,
        "late_at_the_servers": late,
        "late_by_the_agent": own["late"],
        "skipped_by_the_agent": own["skipped"],
        "rows": own["rows"],
        "bad_rows": own["bad"],
        "late_ms": {
            q: round(float(np.quantile(lateness, float(q))) / 1e6, 2) for q in ("0.5", "0.99", "0.999", "1")
        },
        "agent_cpu": round(busy, 3),
        "folder": str(folder),
    }
    print(json.dumps(result))
    return 1 if max(late, own["late"] + own["skipped"]) > ALLOWED * slots else 0


if __name__ == "__main__":
    sys.exit(main())
