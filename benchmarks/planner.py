"""How many requests, and how much time, the planner needs for large configurations; and a search for bad addresses.

    python -m benchmarks.planner

planner    5,000 values: seconds of processor time to plan them, and the time that one reading takes under the cost
           model, against joining values while the gap is at most 16 (and 50) registers, and one request for each
search     1,000 values at 50 % density, a share of the addresses illegal: requests until all legal values are
           served, against asking for each value, and what one reading takes from then on
"""

from __future__ import annotations

import random
import time

from agent.collectors.binary import Kind
from agent.collectors.modbus.cost import LinkCost
from agent.collectors.modbus.group import Group
from agent.collectors.modbus.learned import Learned
from agent.collectors.modbus.plan import USUAL, Limits, Span, Table, plan
from agent.collectors.planning import Cost
from agent.frame import DataType, Signal, Source

VALUES = 5000
LINKS = {
    "PLC on a network, 5 ms a request": USUAL,
    "fast server, 0.3 ms": Cost(300_000, 300),
    "RTU at 9600 baud": Cost(25_800_000, 2_083_333),
}


def layouts() -> dict[str, list[Span]]:
    """Return what is planned: where 5,000 values lie."""
    rng = random.Random(1)
    h = Table.HOLDING
    return {
        "side by side": [Span(h, 2 * i, 2) for i in range(VALUES)],
        "scattered, 1 of 4": [Span(h, a, 1) for a in rng.sample(range(4 * VALUES), VALUES)],
        "scattered, 1 of 12": [Span(h, a, 1) for a in rng.sample(range(12 * VALUES), VALUES)],
        "clusters of 20": [Span(h, (i // 20) * 220 + i % 20 * 3, 2) for i in range(VALUES)],
        "coils, 1 of 3": [Span(Table.COIL, a, 1) for a in rng.sample(range(3 * VALUES), VALUES)],
    }


def filled(values: list[Span], gap: int) -> list[int]:
    """Return the lengths of requests that are joined from the left while the gap is small enough."""
    ordered = sorted(values, key=lambda v: (v.table, v.start))
    most, gap = (2000, gap * 16) if ordered[0].table.bits else (125, gap)
    lengths: list[int] = []
    start, end = ordered[0].start, ordered[0].end
    for value in ordered[1:]:
        if value.start - end > gap or value.end - start > most:
            lengths.append(end - start)
            start = value.start
        end = max(value.end, start)
    return [*lengths, end - start]


def taken(lengths: list[int], values: list[Span], cost: Cost) -> float:
    """Return the seconds that requests of these lengths take."""
    each = cost.per_unit_ns / (16 if values[0].table.bits else 1)
    return sum(cost.overhead_ns + each * length for length in lengths) / 1e9


def planner() -> None:
    """Print the first table."""
    print(f"{VALUES} values           requests    reading   gap 16    gap 50   one each   planned in")
    for link, cost in LINKS.items():
        print(link)
        for name, values in layouts().items():
            begun = time.process_time()
            requests = plan(values, Limits(), cost)
            planned = time.process_time() - begun
            ours = taken([r.span.count for r in requests], values, cost)
            ratios = [taken(filled(values, gap), values, cost) / ours for gap in (16, 50)]
            each = taken([v.count for v in values], values, cost) / ours
            print(
                f"  {name:20} {len(requests):6}  {ours:8.3f} s  {ratios[0]:6.2f}x  {ratios[1]:6.2f}x  {each:7.2f}x "
                f"  {planned * 1000:7.1f} ms"
            )


def search(share: float) -> tuple[int, int, int]:
    """Return the requests of the first reading, those of a settled one, and those of one for each value."""
    rng = random.Random(3)
    tags = sorted(rng.sample(range(2000), 1000))
    illegal = set(rng.sample(range(2000), round(2000 * share)))
    signals = tuple(Signal(id=f"t{a}", machine="m", name="t", dtype=DataType.UINT16) for a in tags)
    source = Source(id="d.g", device="d", protocol="modbus", mode="poll", interval_ns=10**9, signals=signals)
    spans = [Span(Table.HOLDING, a, 1) for a in tags]
    group = Group(source, spans, [Kind(DataType.UINT16)] * 1000, Limits(), Learned("d"), LinkCost(USUAL))
    counts = []
    for reading in range(1, 6):
        group.begin(reading)
        count = 0
        while (block := group.next(reading, 10**9)) is not None:
            count += 1
            span = block.span
            if any(a in illegal for a in range(span.start, span.end)):
                group.refuse(block, 2, reading, reading * 1000)
            else:
                group.serve(block, bytes(2 * span.count), reading * 1000)
        group.end(reading * 1000)
        legal = sum(a not in illegal for a in tags)
        assert sum(value is not None for value in group.take().value) == legal
        counts.append(count)
    return counts[0], counts[-1], len(tags)


def main() -> None:
    """Print both tables."""
    planner()
    print("\nsearch, 1,000 values       first reading   settled   one each")
    for share in (0, 0.001, 0.01, 0.05, 0.1, 0.2):
        first, settled, each = search(share)
        print(f"  {share:6.1%} illegal         {first:8}      {settled:8}   {each:8}")


if __name__ == "__main__":
    main()
