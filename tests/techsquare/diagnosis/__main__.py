"""`python -m tests.techsquare.diagnosis --runs 1000 --seed 0`: the tables behind decisions 97 and 99."""

from __future__ import annotations

import argparse

from tests.techsquare.diagnosis.test_accounts import coverage
from tests.techsquare.diagnosis.test_peers import attack


def main() -> None:
    """Print how often spans hold the truth, and what an attacker learns of a company."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    print(f"spans at 0.90 over days correlated by 0.5, {args.runs} runs: share that hold the long-run truth")
    print("days  unseen   scrap  speed  setup  fault  standby")
    for days in (10, 20, 40):
        for share in (0.0, 0.05, 0.2):
            found = coverage(args.runs, args.seed, days, share)
            print(f"{days:4} {share:7.0%} " + " ".join(f"{found[b]:6.1%}" for b in found), flush=True)
    print("\npeers: an attacker who knows everybody else, with three companies of his own, four tables")
    print(" step  least width of what he knows, mean width (in steps)")
    for step in (0.02, 0.05, 0.1):
        least, mean = attack(max(1, args.runs // 25), args.seed, step)
        print(f"{step:5} {least:10.2f} {mean:10.2f}", flush=True)


if __name__ == "__main__":
    main()
