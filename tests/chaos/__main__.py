"""The command line of a chaos run; see `tests.chaos`."""

from __future__ import annotations

import argparse
import collections
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.act import Actor
from tests.chaos.plan import FAULTS, plan
from tests.chaos.plant import running
from tests.chaos.verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.plant import Plant

HEAL_S = 120.0
DRAIN_S = 180.0


def main() -> int:
    """Run; return the exit code: 0 when the sum comes out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, help="how many; one in 8 s by default")
    parser.add_argument("--targets", help="only these, comma-separated: agent, broker, line:plc, clock, ...")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--longest", type=float, default=60.0, help="of a fault, in s")
    parser.add_argument("--folder", type=Path, help="for logs and configurations; a new one under /tmp by default")
    args = parser.parse_args()
    folder = args.folder or Path(tempfile.mkdtemp(prefix="tsq-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    targets = FAULTS if args.targets is None else {t: FAULTS[t] for t in args.targets.split(",")}
    seconds = args.minutes * 60
    faults = plan(args.seed, seconds, args.faults or round(seconds / 8), targets, args.longest)
    with running(folder, args.workers) as plant:
        _until(lambda: _states(plant) == {"up"}, 60, "the devices are not read")
        plant.begin()
        actor = Actor(plant, lambda line: print(line, flush=True))
        actor.run(faults, seconds)
        healed = _heal(plant)
        good, _, text = verdict(plant, actor.done, actor.clocks)
    met = collections.Counter(f"{done.fault.target} {done.fault.kind}" for done in actor.done)
    ended = collections.Counter(f"{name} {code}" for name, code, _ in plant.ended)
    bugs = sum(child.output().count("Traceback") for child in plant.children.values() if child.log.exists())
    print(text)
    print(json.dumps({
        "seed": args.seed, "minutes": args.minutes, "faults": len(actor.done), "healed_s": round(healed, 1),
        "apart": plant.net.apart, "ended": dict(ended), "tracebacks": bugs,
        "met": dict(sorted(met.items())), "folder": str(folder),
    }))  # fmt: skip
    if not good or bugs:
        print("what was done, in true time:")
        for done in sorted(actor.done, key=lambda d: d.from_ns):
            print(f"  {done.from_ns} to {done.to_ns}  {done.fault}")
    return 0 if good and not bugs else 1


def _until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise SystemExit(f"{what}: not within {seconds:g} s")
        time.sleep(0.2)
    return time.monotonic() - begun


def _states(plant: Plant) -> set[str]:
    status = plant.status()
    return {"nobody"} if status is None else {device["state"] for device in status["devices"].values()}


def _heal(plant: Plant) -> float:
    """Wait until all is read again, let the devices fall silent and everything arrive; return how long it took."""
    took = _until(lambda: _states(plant) == {"up"}, HEAL_S, "not all devices are read again")
    plant.cnc.tell("stop")
    time.sleep(2)
    plant.end("plc", kill=False)
    _until(lambda: "down" in _states(plant), 30, "the end is not seen")

    def empty() -> bool:
        status = plant.status()
        return status is not None and not status["spool"]["rows"] and status["spool"]["entries"] <= 1

    took += _until(empty, DRAIN_S, "the spool does not drain")
    plant.end("agent", kill=False)  # it has time to have its last words confirmed
    return took


if __name__ == "__main__":
    sys.exit(main())
