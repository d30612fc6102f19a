"""The long tables of matching: `python -m tests.techsquare.matching --factories 10000 --seed 1`.

exposure   ninety days of lists at each size up to --factories: who is never shown, beside the least that any flow
           under the lists' rule allows and beside merit alone, and what it costs
worth      mean and quantiles beside simulations of drawn offers, in standard deviations
record     error against true rates over the raw share's, and what 90 % intervals hold
why not    every pair of small crowded nights asked, and each night solved again a won above and below the gap
rounds     deferred acceptance of the largest size: counts, and pairs that block
"""

from __future__ import annotations

import argparse

import numpy as np

from techsquare.matching.record import Record
from techsquare.matching.rounds import run as hold
from tests.techsquare.matching.market import market
from tests.techsquare.matching.programme import SIGNS, ninety_days
from tests.techsquare.matching.test_rounds import instance
from tests.techsquare.matching.test_whynot import run as ask
from tests.techsquare.matching.test_worth import MEAN, Q10, Q90, spread

SIZES = ((100, 900, 3), (1_000, 900, 5), (10_000, 5_000, 10), (100_000, 5_000, 15))
"""Factories, suppliers, and days between nights."""


def exposure(factories: int, seed: int) -> None:
    print(
        "factories suppliers signed | never   bound   allowed  by merit | gini  by merit"
        " | top 15 %  by merit | price   dearest"
    )
    for size, suppliers, every in SIZES:
        if size > factories:
            continue
        for signs in (0.0, SIGNS):
            told = ninety_days(market(size, suppliers, seed), every=every, signs=signs)
            fair, plain = told.fairness, told.plain
            assert fair.never is not None
            assert plain.never is not None
            print(
                f"{size:9} {suppliers:9} {told.signed:6} | {fair.never:6.1%}  {told.bound:6.1%}  "
                f"{max(0.1, 1.2 * told.bound):6.1%}   {plain.never:6.1%}  | {fair.gini:.2f}  {plain.gini:.2f}     "
                f"| {fair.top_share:6.1%}    {plain.top_share:6.1%}   | {fair.price:.2%}   {told.most_cost:.1%}",
                flush=True,
            )


def record(seed: int, runs: int) -> None:
    print("decided | RMSE raw  ours   ratio | held, all suppliers   with an outcome   suppliers")
    for share in (0.25, 0.75):
        raw: list[float] = []
        ours: list[float] = []
        held: list[bool] = []
        seen: list[bool] = []
        for at in range(runs):
            told = market(1, 900, seed * 1000 + at, decided=share)
            fit = Record(told.counts)
            for pair, counted in told.counts.items():
                rate = fit.rate(*pair)
                inside = rate.low <= told.rates[pair] <= rate.high
                held.append(inside)
                if counted.decided:
                    seen.append(inside)
                    raw.append(counted.improved / counted.decided - told.rates[pair])
                    ours.append(rate.mean - told.rates[pair])
        errors = [float(np.sqrt(np.mean(np.square(one)))) for one in (raw, ours)]
        print(
            f"{share:7} | {errors[0]:.3f}     {errors[1]:.3f}  {errors[1] / errors[0]:.3f} | {np.mean(held):.3f}"
            f"                 {np.mean(seen):.3f}             {len(held)}",
            flush=True,
        )


def worth(runs: int, seed: int) -> None:
    off = np.abs([spread(seed * 10_000 + at, 400_000) for at in range(runs)])
    for name, column, within in zip(("mean", "q10", "q90"), off.T, (MEAN, Q10, Q90), strict=True):
        print(f"worth: {name:4} off by {column.mean():.4f} sd, at most {column.max():.3f}, of {runs} ({within})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--factories", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=20, help="markets of the record, nights of why not")
    args = parser.parse_args()
    exposure(args.factories, args.seed)
    worth(args.runs * 20, args.seed)
    record(args.seed, args.runs)
    told = ask(args.runs, args.seed * 1000)
    print(
        f"why not: {told['asked']} asked; {told['wrong']} gaps wrong; {told['least of all']} the smallest that is; "
        f"one more slot said of {told['slot']}, wrong of {told['slot wrong']}"
    )
    factories = min(args.factories, 20_000)
    wishes, others, places = instance(args.seed, factories, 40)
    places = {name: room * factories // 60 for name, room in places.items()}
    found = hold(wishes, others, places, seed=str(args.seed))
    print(f"round: {dict(found.counts)}, {found.blocking} pairs block")


if __name__ == "__main__":
    main()
