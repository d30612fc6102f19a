"""The command line of a chaos run; see `tests.chaos`.

    python -m tests.chaos --minutes 30 --seed 1
    python -m tests.chaos --scenario database-away --minutes 60
    python -m tests.chaos --scenario worker

The last line is JSON. The exit code is 0 when the sum comes out and every second is explained.
"""

from __future__ import annotations

import argparse
import collections
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.chaos.act import Actor
from tests.chaos.load import seconds
from tests.chaos.plan import FAULTS, plan
from tests.chaos.plant import running
from tests.chaos.scenarios import database_away, until, waiting, worker_lost
from tests.chaos.verdict import verdict

if TYPE_CHECKING:
    from tests.chaos.plant import Plant

HEAL_S = 120.0
DRAIN_S = 180.0
FAULT_EVERY_S = 8.0


def main() -> int:
    """Run; return the exit code."""
    args = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is ended and unmounted
    folder = args.folder or Path(tempfile.mkdtemp(prefix="tsq-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    said: dict[str, Any] = {"seed": args.seed, "minutes": args.minutes, "folder": str(folder)}
    with running(folder, args.workers) as plant:
        until(lambda: _states(plant) == {"up"}, 60, "the devices are not read")
        plant.begin()
        actor = Actor(plant, lambda line: print(line, flush=True))
        as_told = _story(plant, actor, args)
        said["healed_s"] = round(_heal(plant), 1)
        found = verdict(plant, actor.done, actor.clocks)
        bugs = sum(child.output().count("Traceback") for child in plant.children.values() if child.log.exists())
    print(found.text)
    good = as_told and found.good and not bugs
    if not good:
        print("what was done, in true time:")
        for done in sorted(actor.done, key=lambda d: d.from_ns):
            print(f"  {done.from_ns} to {done.to_ns}  {done.fault}")
    said |= {
        "good": good, "faults": len(actor.done), "apart": plant.net.apart, "tracebacks": bugs,
        "waited_s": seconds(plant.load.starved),
        "ended": dict(collections.Counter(f"{name} {code}" for name, code, _ in plant.ended)),
        "met": dict(sorted(collections.Counter(f"{d.fault.target} {d.fault.kind}" for d in actor.done).items())),
    }  # fmt: skip
    print(json.dumps(said))
    return 0 if good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--scenario", choices=["random", "database-away", "worker"], nargs="+", default=["random"],
        help="one after the other, in one plant",
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, help="how many; one in 8 s by default")
    parser.add_argument("--targets", help="only these, comma-separated: agent, broker, line:plc, clock, ...")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--longest", type=float, default=60.0, help="of a fault, in s")
    parser.add_argument("--rate", type=float, default=2000.0, help="samples a second at which a backlog must drain")
    parser.add_argument("--folder", type=Path, help="for logs and configurations; a new one under /tmp by default")
    return parser.parse_args()


def _story(plant: Plant, actor: Actor, args: argparse.Namespace) -> bool:
    results = []
    for scenario in args.scenario:
        if scenario == "database-away":
            results.append(database_away(plant, args.minutes, args.rate))
        elif scenario == "worker":
            results += [worker_lost(plant, pause=pause) for pause in (False, True)]
        else:
            targets = FAULTS if args.targets is None else {t: FAULTS[t] for t in args.targets.split(",")}
            seconds = args.minutes * 60
            faults = args.faults or round(seconds / FAULT_EVERY_S)
            actor.run(plan(args.seed, seconds, faults, targets, args.longest), seconds)
    for _, text in results:
        print(text, flush=True)
    return all(good for good, _ in results)


def _states(plant: Plant) -> set[str]:
    status = plant.status()
    return {"nobody"} if status is None else {device["state"] for device in status["devices"].values()}


def _heal(plant: Plant) -> float:
    """Wait until all is read again, let the devices fall silent and everything arrive; return how long it took."""
    took = until(lambda: _states(plant) == {"up"}, HEAL_S, "not all devices are read again")
    plant.cnc.tell("stop")
    time.sleep(2)
    plant.end("plc", kill=False)
    until(lambda: "down" in _states(plant), 30, "the end is not seen")
    took += until(lambda: not waiting(plant), DRAIN_S, "the spool does not drain")
    plant.end("agent", kill=False)  # it has time to have its last words confirmed
    return took


if __name__ == "__main__":
    sys.exit(main())
