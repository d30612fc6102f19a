"""What an attacker learns: `python -m tests.techsquare.privacy --runs 20 --seed 1`.

Offers over a year and over three; with the rules, with exact budgets, and with a question for every version.
"""

from __future__ import annotations

import argparse

import numpy as np

from techsquare.privacy.bands import band, most_won
from tests.techsquare.privacy.attack import STATES, attack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    print("rules                 days | budget: left of the band, median   most   | asked  bits of tags, of 10")
    cases = (
        ("as built", 360, True, True), ("as built", 1080, True, True), ("exact budgets", 360, False, True),
        ("every version asked", 1080, True, False),
    )  # fmt: skip
    for name, days, bands, family in cases:
        shares, asked, bits = [], [], []
        for at in range(args.runs):
            budget, truth = int(rng.integers(1, 900_000_000)), STATES[int(rng.integers(len(STATES)))]
            low, high = band(budget)
            found = attack(
                budget, truth, most_won=most_won if bands else int, one_family=family, days=days, seed=at
            )
            shares.append((found.high - found.low) / (high - low))
            asked.append(found.asked)
            bits.append(found.bits)
        print(
            f"{name:20} {days:5} | {np.median(shares):28.4f}    {max(shares):.4f}"
            f"  | {np.mean(asked):5.1f}  {np.mean(bits):.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
