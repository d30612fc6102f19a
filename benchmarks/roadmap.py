"""How long a roadmap takes: `python -m benchmarks.roadmap [--runs 40] [--sizes 12 30]`.

Random factories of the tests with 12, 30 and 60 measures on 40 places. Milliseconds of processor time: to write the
program down, to solve its relaxation without whole numbers (the yardstick of this machine), to find the best plan
and prove it, to make the whole roadmap (both ends, what decides, cash), to find what would bring one measure in.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog

from techsquare.roadmap.model import model
from techsquare.roadmap.plan import roadmap
from techsquare.roadmap.problem import problem
from techsquare.roadmap.relax import Why
from techsquare.roadmap.search import best
from tests.techsquare.roadmap.made import case

if TYPE_CHECKING:
    from collections.abc import Callable

    from techsquare.roadmap.model import Model

SIZES, MACHINES = (12, 30, 60), 8


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.roadmap")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--reasons", type=int, default=4, help="of how many factories reasons are looked for")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="numbers of measures")
    args = parser.parse_args()
    for size in args.sizes:
        took: dict[str, list[float]] = {}
        proven = 0
        for run in range(args.runs):
            given = case(np.random.default_rng([args.seed, run, size]), size, MACHINES)
            numbers = problem(*given, {})
            made = _timed(took, "write", partial(model, numbers))
            _timed(took, "relaxation", partial(_relaxed, made))
            found = _timed(took, "plan", partial(best, numbers))
            _timed(took, "roadmap", partial(roadmap, *given, reasons=False))
            proven += found.proven
            for measure in range(size if run < args.reasons else 0):
                if not found.has(measure):
                    _timed(took, "reason", partial(Why(numbers, found).smallest, measure))
        yard = float(np.median(took["relaxation"]))
        print(f"{size} measures, {args.runs} factories, {proven} proven the best")
        for what, times in took.items():
            p50, p95 = np.quantile(times, [0.5, 0.95])
            print(f"  {what:10} p50 {1e3 * p50:8.1f} ms  p95 {1e3 * p95:8.1f} ms   {p50 / yard:6.1f} relaxations")


def _timed(took: dict[str, list[float]], what: str, work: Callable[[], Any]) -> Any:
    begin = time.process_time()
    result = work()
    took.setdefault(what, []).append(time.process_time() - begin)
    return result


def _relaxed(made: Model) -> None:
    if made.gains:
        rows = np.zeros((len(made.rows), len(made.gains)))
        for i, (terms, _) in enumerate(made.rows):
            rows[i, list(terms)] = list(terms.values())
        limits = [most for _, most in made.rows]
        linprog([-g for g in made.gains], A_ub=rows, b_ub=limits, bounds=[(0, u) for u in made.upper])


if __name__ == "__main__":
    main()
