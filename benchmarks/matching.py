"""A night's matching, from rows to offers that could be stored: `python -m benchmarks.matching`.

A market of 100,000 factories (1.3 open items each) and 5,000 suppliers, skewed as the Korean one. Wall and
processor seconds of each step, the process's peak memory, and the slowest of 200 answers to "why not". Making the
market is not counted; storing the offers is not in it. The issue's limit for both is 60 s on 2 cores and 4 GB.
"""

from __future__ import annotations

import argparse
import resource
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from techsquare.matching.columns import Columns
from techsquare.matching.edges import edges
from techsquare.matching.gains import fitted
from techsquare.matching.lists import shortlists
from techsquare.matching.night import Night
from techsquare.matching.record import Record
from techsquare.matching.whynot import Reasons
from techsquare.matching.worth import Values
from tests.techsquare.matching.market import market

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED = 200


@contextmanager
def step(name: str, counted: list[float]) -> Iterator[None]:
    """Print what a step takes, and add its wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counted.append(wall)
    print(f"{name:22} {wall:7.2f} s {cpu:7.2f} s of a processor {peak:7.0f} MB", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factories", type=int, default=100_000)
    parser.add_argument("--suppliers", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    spent: list[float] = []
    with step("market (not counted)", []):
        told = market(args.factories, args.suppliers, args.seed)
    with step("records, gains", spent):
        record, gains = Record(told.counts), fitted(told.counts, told.priors)
    with step("columns", spent):
        columns = Columns(told.items, told.solutions, told.suppliers, seed="night")
    with step("values", spent):
        rates = [record.rate(row.supplier, row.family) for row in columns.solutions]
        known = [gains.of(row.supplier, row.family) for row in columns.solutions]
        values = Values(columns.items, columns.solutions, rates, known)
    with step("candidates and merit", spent):
        pairs = edges(columns, values)
    with step("flow", spent):
        lists = shortlists(columns, pairs, {})
    with step("offers", spent):
        offers = list(Night(columns, record, values, lists).offers())
    print(f"{'together':22} {sum(spent):7.2f} s; {pairs.pairs} candidates, {len(offers)} offers")
    with step("why not, once a night", []):
        reasons = Reasons(lists, values)
    rng = np.random.default_rng(args.seed)
    slowest = 0.0
    crowded = np.flatnonzero(pairs.candidates > 3)
    for at in range(ASKED):
        item = int(rng.choice(crowded))
        here = pairs.of(item)
        near = at % 2 and here.stop - here.start > 0
        solution = (
            int(pairs.solution[rng.integers(here.start, here.stop)]) if near else int(rng.integers(len(rates)))
        )
        start = time.perf_counter()
        reasons.why_not(columns.items[item].id, columns.solutions[solution].id)
        slowest = max(slowest, time.perf_counter() - start)
    print(f"why not: the slowest of {ASKED} took {slowest * 1000:.1f} ms")


if __name__ == "__main__":
    main()
