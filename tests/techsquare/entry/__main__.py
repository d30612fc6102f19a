"""`python -m tests.techsquare.entry --runs 2000 --seed 0`: the numbers of decision 98."""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from techsquare.diagnosis.ledger import losses
from techsquare.entry.cheapest import cheapest
from techsquare.entry.load import load
from techsquare.entry.provisional import provisional
from tests.techsquare.entry.owners import owner


def main() -> None:
    """Print how often spans of answers hold the truth, how wide they are, and what is proposed to be measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    form, rng = load(), np.random.default_rng(args.seed)
    held: Counter[str] = Counter()
    wide: dict[str, list[float]] = {}
    first: Counter[str] = Counter()
    for run in range(args.runs):
        answers, truth = owner(form, rng)
        for loss in provisional(form, answers, losses).losses:
            held[loss.bucket] += loss.hours_year.low <= truth[loss.bucket] * 1.0001 <= loss.hours_year.high * 1.0002
            wide.setdefault(loss.bucket, []).append(loss.hours_year.high - loss.hours_year.low)
        if run < args.runs // 10:
            first.update(one.check for one in cheapest(form, answers, losses))
    print(f"{args.runs} owners who are off by less than each spread and do not know 30 % of the times")
    print("bucket    holds the truth   median width, hours a year")
    for bucket, widths in sorted(wide.items()):
        print(f"{bucket:9} {held[bucket] / args.runs:14.2%} {np.median(widths):18.0f}")
    print("\nproposed to be measured, share of owners")
    for check, count in first.most_common():
        print(f"{check:12} {count / max(1, args.runs // 10):6.1%}")


if __name__ == "__main__":
    main()
