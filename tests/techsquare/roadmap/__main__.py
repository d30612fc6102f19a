"""The long proof: `python -m tests.techsquare.roadmap --runs 500 --seed 1`.

So many random factories with twelve measures: the plan against trying everything, and of every tenth every rule
read off the plan. A tenth as many with six measures: every told change, and those that are smaller or come before
it. Ends with 1 when anything differs.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import numpy as np

from techsquare.roadmap.plan import roadmap
from techsquare.roadmap.problem import problem
from techsquare.roadmap.search import best
from techsquare.roadmap.worth import in_use, objective
from tests.techsquare.roadmap.brute import Brute
from tests.techsquare.roadmap.held import WON, assert_kept
from tests.techsquare.roadmap.made import case
from tests.techsquare.roadmap.reasons import check

MEASURES, EVERY = 12, 10


def main() -> int:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.techsquare.roadmap")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    seen: Counter[str] = Counter()
    plans, worst, differ = [], 0.0, []
    for run in range(args.runs):
        given = case(np.random.default_rng([args.seed, run]), MEASURES)
        numbers = problem(*given, {})
        found, brute = best(numbers), Brute(given)
        everything = brute.best()
        plans.append(everything.plans)
        off = abs(objective(numbers, found) - everything.worth)
        worst = max(worst, off)
        if off > WON or not found.proven:
            differ.append(run)
        used = in_use(numbers, found.starts)
        taken: Counter[int] = Counter()
        for start in found.starts:
            for gain in numbers.gains[start.measure]:
                taken[gain.place] += round(gain.won)
        seen["nothing is best"] += not found.starts
        seen["support"] += sum(found.support) > 0
        seen["a prerequisite in it"] += any(numbers.needs[s.measure] for s in found.starts)
        seen["one waits for another"] += any(used[s.measure] > numbers.used(s) for s in found.starts)
        seen["a place at its most"] += any(won > numbers.credit[place] for place, won in taken.items())
        seen["cash carried over"] += any(s.phase > 0 for s in found.starts)
        seen["a quick win first"] += any(numbers.quick(s.measure) and s.phase == 0 for s in found.starts)
        seen["the account limits"] += given.means.bridge is not None
        if run % EVERY == 0:
            assert_kept(given, roadmap(*given, reasons=False))
    print(f"{args.runs} factories with {MEASURES} measures, seed {args.seed}")
    print(f"plans tried: median {np.median(plans):,.0f}, most {max(plans):,}, in all {sum(plans):,}")
    print(f"differ or not proven: {len(differ)} {differ[:10]}; largest difference {worst:.2f} won")
    for what, number in sorted(seen.items()):
        print(f"  {what:24} {number:5}")
    changes: Counter[str] = Counter()
    missing = tried = 0
    for run in range(args.runs // EVERY):
        told = check(case(np.random.default_rng([args.seed, run, 6]), 6), most=20)
        changes.update(told.changes)
        missing, tried = missing + told.not_chosen, tried + told.tried
    print(f"not chosen {missing}, with a change that brings it in {sum(changes.values())}: {dict(changes)}")
    print(f"smaller or earlier changes that were tried in vain: {tried}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
