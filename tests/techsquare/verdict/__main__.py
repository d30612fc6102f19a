"""`python -m tests.techsquare.verdict --runs 20000 --seed 0`: the tables behind decisions 82 to 84 and 121."""

from __future__ import annotations

import argparse

from tests.techsquare.verdict.firms import coverage
from tests.techsquare.verdict.tables import DAYS, LAYOUTS, RHOS, cells, promise_row, rule_row, watch_row
from tests.techsquare.verdict.watched import LOST, TESTS, watched_rows

PARTS = ("rule", "promise", "decay", "watched", "programme")


def rule(runs: int, seed: int) -> int:
    """Print the rule's table; return how many cells are out of bounds."""
    print(f"\nrule: {runs} runs a cell, nothing gained (* out of 94-97 % or above 3 %)")
    print("others    rho days kind        covered  with gain  improved  worse   half  oracle  ratio")
    wrong = 0
    for cell in cells():
        row = rule_row(cell, runs, seed)
        covered, improved = row.covered / runs, row.improved / runs
        off = not 0.94 <= covered <= 0.97 or not 0.94 <= row.covered_gain / runs <= 0.97 or improved > 0.03
        wrong += off
        print(
            f"{cell.layout:8} {cell.rho:4} {cell.days:4} {cell.kind:11} {covered:7.2%}"
            f" {row.covered_gain / runs:10.2%} {improved:9.2%} {row.worse / runs:6.2%} {row.half:6.2f}"
            f" {row.oracle:7.2f} {row.half / row.oracle:6.2f}{'  *' * off}",
            flush=True,
        )
    return wrong


def promise(runs: int, seed: int) -> int:
    """Print the promises' table; return how many cells do not keep what decision 83 says."""
    print(f"\npromise: {runs} runs a cell; medians, and mean power of the full rule at each run's own promise")
    print("others    rho days kind        baseline: low  high  power   power | past: low  likely  high  power")
    wrong = 0
    for cell in cells():
        if cell.days < 40:
            continue
        row = promise_row(cell, runs, seed)
        p, c = row.power, row.changes
        off = (
            max(p["baseline low"], p["past low"]) > 0.85
            or min(p["baseline high"], p["past high"]) < 0.75
            or abs(p["likely"] - 0.8) > 0.05
        )
        wrong += off
        print(
            f"{cell.layout:8} {cell.rho:4} {cell.days:4} {cell.kind:11} {c['baseline low']:13.1f}"
            f" {c['baseline high']:5.1f} {p['baseline low']:6.1%} {p['baseline high']:7.1%}"
            f" | {c['past low']:9.1f} {c['likely']:7.1f} {c['past high']:5.1f}"
            f" {p['past low']:6.1%} {p['likely']:6.1%} {p['past high']:6.1%}{'  *' * off}",
            flush=True,
        )
    return wrong


def decay(runs: int, seed: int) -> int:
    """Print the watch's table; return how many cells alarm too often."""
    print(
        f"\ndecay: {runs} years a row; gains in sds of z; 80 % = days in which half a gain's loss is found in 80 %"
    )
    print("rho  days  gain  false alarms a year  found in 60 days  80 % days")
    wrong = 0
    for rho in RHOS:
        for days in DAYS[1:]:
            for gain in (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0):
                row = watch_row(rho, days, gain, runs, seed)
                wrong += row.false > 0.05
                print(
                    f"{rho:3} {days:5} {gain:5} {row.false:20.2%} {row.found:17.1%} {row.days80:10.0f}"
                    f"{'  *' * (row.false > 0.05)}",
                    flush=True,
                )
    return wrong


def watched(runs: int, seed: int) -> int:
    """Print what is found of verified gains; return how often stable ones alarm in more than 5 % of years."""
    print(
        f"\nwatched: {runs} projects a row, of which those count that the rule calls improved; half of the gain is"
    )
    print(f"lost on day {', '.join(map(str, LOST))} under watch and found within 60 planned days.")
    print("Gains in sds of z, and x in smallest provable changes")
    print(
        "rho days  gain    x  verified " + "".join(f"| {name + ': false':14}  found " + " " * 10 for name in TESTS)
    )
    wrong = 0
    for rho in RHOS:
        for days in DAYS[1:]:
            for row in watched_rows(rho, days, runs, seed):
                limit = 0.05 + 2 * (0.05 * 0.95 / max(1, runs * row.verified)) ** 0.5
                wrong += row.false["cusum"] > limit
                told = "".join(
                    f"| {row.false[name]:13.1%}  " + " ".join(f"{share:4.0%}" for share in row.found[name]) + "   "
                    for name in TESTS
                )
                print(
                    f"{rho:3} {days:4} {row.gain:5.2f} {row.gain / row.smallest:4.2f} {row.verified:9.1%} {told}",
                    flush=True,
                )
    return wrong


def programme(runs: int, seed: int) -> int:
    """Print how the programme's effect is told; return how often it is out of 93-97 %."""
    print(f"\nprogramme: {runs} programmes of 80 factories and 24 months, 95 % intervals")
    print("true effect  covered  above 0  mean error  half")
    wrong = 0
    for gain in (0.0, 4.0):
        held, above, error, half = coverage(runs, seed, gain)
        wrong += not 0.93 <= held <= 0.97
        print(f"{gain:11} {held:8.2%} {above:8.2%} {error:11.3f} {half:5.2f}")
    return wrong


def main() -> int:
    """Print the tables; 1 if anything is out of its bounds."""
    parser = argparse.ArgumentParser(prog="python -m tests.techsquare.verdict", description=__doc__)
    parser.add_argument("--runs", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=PARTS, action="append")
    asked = parser.parse_args()
    parts = asked.part or PARTS
    wrong = 0
    if "rule" in parts:
        wrong += rule(asked.runs, asked.seed)
    if "promise" in parts:
        wrong += promise(asked.runs, asked.seed)
    if "decay" in parts:
        wrong += decay(asked.runs, asked.seed)
    if "watched" in parts:
        wrong += watched(max(asked.runs // 10, 1), asked.seed)
    if "programme" in parts:
        wrong += programme(max(asked.runs // 10, 1), asked.seed)
    print(f"\n{wrong} out of bounds ({len(cells())} cells, layouts {', '.join(LAYOUTS)})")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
