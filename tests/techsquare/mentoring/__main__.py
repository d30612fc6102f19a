"""The long tables of mentoring: `python -m tests.techsquare.mentoring --runs 500 --seed 1`.

Small instances against trying everything, forced pairs likewise; then one of a whole platform.
"""

from __future__ import annotations

import argparse
from time import perf_counter

from techsquare.mentoring.assignment import assign
from tests.techsquare.mentoring.made import made
from tests.techsquare.mentoring.test_assignment import check


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    placed = sum(check(args.seed * 100_000 + at) for at in range(args.runs))
    print(f"{args.runs} instances as good as trying everything, {placed} factories with a mentor")
    print("factories mentors | with a mentor   seconds")
    for factories, mentors in ((80, 20), (1_000, 100), (2_000, 500)):
        seekers, helpers = made(args.seed, factories, mentors, most=12)
        begun = perf_counter()
        found = assign(seekers, helpers, seed=str(args.seed))
        took = perf_counter() - begun
        count = sum(one.mentor is not None for one in found.given)
        print(f"{factories:9} {mentors:7} | {count:13}   {took:7.2f}", flush=True)


if __name__ == "__main__":
    main()
