"""`python -m tests.validity`: the table of validity, printed and written as a page with plots."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.validity import coverage
from tests.validity.matrix import Matrix, table
from tests.validity.page import page
from tests.validity.shop import LEVELS


def main() -> int:
    """Run the chain at six levels of faults, and the coverage of intervals; return 1 if anything is off."""
    parser = argparse.ArgumentParser(prog="python -m tests.validity", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--runs", type=int, default=20, help="runs a level")
    parser.add_argument(
        "--coverage", type=int, default=1100, help="runs of the coverage of intervals a kind, 0 for none"
    )
    parser.add_argument("--page", type=Path, default=Path("build/validity.html"))
    asked = parser.parse_args()
    matrix, since = Matrix(LEVELS), time.monotonic()
    for run in range(asked.runs):
        for level in LEVELS:
            found = matrix.run(level, asked.seed + run)
            missed = [f"{one.row.id} {one.row.machine}" for one in found if not one.passes]
            took = time.monotonic() - since
            print(
                f"run {run + 1}/{asked.runs} level {level:.0%}: {took:.0f} s, misses: {', '.join(missed) or '-'}",
                flush=True,
            )
    covered = coverage.report(asked.coverage, asked.seed) if asked.coverage else ""
    asked.page.parent.mkdir(parents=True, exist_ok=True)
    asked.page.write_text(page(matrix, covered), encoding="utf-8")
    print(table(matrix), covered, f"{matrix.samples:,} samples; {asked.page}", sep="\n\n")
    return int(any(True for _ in matrix.failed()) or "TOO FEW" in covered)


if __name__ == "__main__":
    sys.exit(main())
