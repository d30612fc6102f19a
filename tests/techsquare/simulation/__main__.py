"""The long table: `python -m tests.techsquare.simulation --runs 5 --seed 1 --factories 300 --months 18`.

Programmes of several seeds, with plans as they are advised, all at once instead of in two stages, only where what
is expected can be shown, without any gain, and without comparison machines: what was said against what is true,
added up over the runs; behind each kind figures of its last run.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from techsquare.simulation.programme import simulate
from techsquare.simulation.report import lines, report
from techsquare.simulation.terms import Setting
from tests.techsquare.simulation.worlds import books

KINDS = {
    "advised": Setting(0, 0, 0),
    "at once": Setting(0, 0, 0, staged=False),
    "provable": Setting(0, 0, 0, only_provable=True),
    "no gain": Setting(0, 0, 0, gain=0.0),
    "alone": Setting(0, 0, 0, beside=False),
}
SECTIONS = ("ends", "advice", "provable", "verdicts", "bad_months", "drift", "exposure", "mentors")


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--runs", type=int, default=3)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--factories", type=int, default=300)
    words.add_argument("--months", type=int, default=18)
    words.add_argument("--promised", type=float, default=0.0, help="share of plans with a promise; seconds each")
    args = words.parse_args()
    known = books()
    print("world     seed  told  improved  false  of nothing  right/decided  covers  never  platform  without it")
    for kind, like in KINDS.items():
        told = improved = false = nothing = right = decided = intervals = covered = 0
        for seed in range(args.seed, args.seed + args.runs):
            setting = replace(like, seed=seed, factories=args.factories, months=args.months, promised=args.promised)
            figures = report(simulate(setting, known))
            v, won, exposure = (figures[name] for name in ("verdicts", "won", "exposure"))
            assert isinstance(v, dict)
            assert isinstance(won, dict)
            assert isinstance(exposure, dict)
            told, improved = told + v["told"], improved + v["words"].get("improved", 0)
            false, nothing = false + v["improved_false"], nothing + v["without_true_gain"]
            right, decided = right + v["decided_right"], decided + v["decided"]
            intervals, covered = intervals + v["intervals"], covered + v["intervals"] * (v["interval_covers"] or 0)
            print(
                f"{kind:<9} {seed:>4} {v['told']:>5} {v['words'].get('improved', 0):>9} {v['improved_false']:>6}"
                f" {v['without_true_gain']:>11} {v['decided_right']:>7}/{v['decided']:<6}"
                f" {v['interval_covers'] or 0:>7.3f} {exposure['never_shown_share'] or 0:>6.3f}"
                f" {won['platform']['net_a_factory'] / 1e6:>9.1f}"
                f" {won['supplier_says']['net_a_factory'] / 1e6:>11.1f}",
                flush=True,
            )
        cover = covered / intervals if intervals else 0.0
        whole = f"{told:>5} {improved:>9} {false:>6} {nothing:>11} {right:>7}/{decided:<6}"
        print(f"{kind:<9}  all {whole} {cover:>8.3f}")
        print("\n".join(lines({name: figures[name] for name in SECTIONS}, 4)), flush=True)
    print("won: millions a factory over three years")


main()
