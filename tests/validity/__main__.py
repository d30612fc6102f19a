"""`python -m tests.validity`: the table of validity, printed and written as a page with plots."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.validity.coverage import cells, heading, line
from tests.validity.matrix import Matrix, table
from tests.validity.page import page
from tests.validity.rows import ROWS
from tests.validity.shop import LEVELS
from tests.validity.tricks import TRICKS, Trick, wrong


def left(since: float, done: int, of: int) -> str:
    """Return how long the rest will take at the pace so far, in words."""
    rest = (time.monotonic() - since) / done * (of - done)
    return f"{rest / 60:.0f} min left" if rest >= 90 else f"{rest:.0f} s left"


def shortfalls(matrix: Matrix, runs: int) -> list[str]:
    """Return what is off in the table: rows without all their runs at a level, runs that are not near enough."""
    few = [
        f"{row.id} {row.machine} {level:.0%}: {len(matrix.cells[row][level])} of {runs} runs"
        for row in ROWS for level in LEVELS if len(matrix.cells[row][level]) < runs
    ]  # fmt: skip
    return few + [
        f"{row.id} {row.machine} {level:.0%}: {one.found} {one.reason} instead of {one.truth}"
        for row, level, one in matrix.failed()
    ]


def main() -> int:
    """Run the chain at six levels of faults, the tricks, and the coverage of intervals; 1 if anything is off."""
    parser = argparse.ArgumentParser(prog="python -m tests.validity", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--runs", type=int, default=20, help="runs a level")
    parser.add_argument(
        "--coverage", type=int, default=1100, help="runs of the coverage of intervals a kind, 0 for none"
    )
    parser.add_argument("--page", type=Path, default=Path("build/validity.html"))
    asked = parser.parse_args()
    matrix, since = Matrix(LEVELS), time.monotonic()
    whole = asked.runs * len(LEVELS)
    for number in range(whole):
        run, level = number // len(LEVELS), LEVELS[number % len(LEVELS)]
        found = matrix.run(level, asked.seed + run)
        missed = [f"{one.row.id} {one.row.machine}" for one in found if not one.passes]
        print(
            f"run {run + 1}/{asked.runs} level {level:.0%}: misses: {', '.join(missed) or '-'};",
            left(since, number + 1, whole),
            flush=True,
        )
    since, told = time.monotonic(), list[tuple[Trick, str]]()
    for number, trick in enumerate(TRICKS):
        told.append((trick, wrong(trick, asked.seed + 1)))
        print(
            f"trick {number + 1}/{len(TRICKS)} {trick}: {told[-1][1] or 'caught'};",
            left(since, number + 1, len(TRICKS)),
            flush=True,
        )
    covered, since = list[str](), time.monotonic()
    for number, cell in enumerate(cells() if asked.coverage else ()):
        covered.append(line(cell, asked.coverage, asked.seed))
        print(covered[-1], "-", left(since, number + 1, len(cells())), flush=True)
    text = "\n".join([heading(asked.coverage), *covered]) if covered else ""
    asked.page.parent.mkdir(parents=True, exist_ok=True)
    asked.page.write_text(page(matrix, told, text), encoding="utf-8")
    print(table(matrix), text, f"{matrix.samples:,} samples; {asked.page}", sep="\n\n")
    off = shortfalls(matrix, asked.runs)
    off += [f"{trick}: {why}" for trick, why in told if why]
    off += [row for row in covered if "TOO FEW" in row]
    print(*off, f"{len(off)} fall short" if off else "valid: nothing falls short", sep="\n")
    return int(bool(off))


if __name__ == "__main__":
    sys.exit(main())
