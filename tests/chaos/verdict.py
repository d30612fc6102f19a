"""Reads back what the database holds and says what became of every sample and of every second."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from tests.chaos import ledger, sums
from tests.chaos.causes import windows
from tests.chaos.load import seconds
from tests.chaos.plant import INTERVALS_NS, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from gateway.stores.base import Point
    from tests.chaos.causes import Done
    from tests.chaos.ledger import Gap
    from tests.chaos.plant import Plant
    from tests.chaos.sums import Served, Sum

SECOND = 10**9
HELD_NS = SECOND // 2
"""A publishing interval: what an OPC UA server still holds back nobody has read."""
EXACT_NS = SECOND // 2
"""How exactly the beginning of a standstill is known, and how late a machine under load may be."""
SILENT_NS = 5 * SECOND
"""A subscription says nothing while nothing changes, and what it says may be held up: so long it needs no account.
That its link lives is known by keep-alives, which do not reach the database."""


BEGIN_NS = 30 * SECOND
"""Until the agent reads its devices for the first time."""
UNJUST_NS = 3 * SECOND
"""How long a gap of the agent's own may last on a machine that is busy, without a fault of ours."""


class Verdict(NamedTuple):
    """The sum, what each second of each source is, and whether both are as they must be."""

    good: bool
    total: Sum
    text: str


def verdict(plant: Plant, done: Sequence[Done], clocks: Sequence[int] = (0,)) -> Verdict:
    """Judge a run.

    Args:
        plant: Its database and the logs of its devices are read.
        done: What has happened to it.
        clocks: Offsets of the agent's clock that were set, in ns.
    """
    store = plant.store()
    try:
        stored = Stored(store)
    finally:
        store.close()
    served = plant.served()
    _keep(plant.folder, stored)
    offset = sums.offsets(served, stored.values, ledger.steps(stored.events))
    when = sums.true_time(offset)
    told = ledger.gaps(stored.events, when)
    causes = windows(done, plant.ended, plant.load.starved)
    total = sums.judge(
        served, stored.values, told, causes, offset=offset, clocks=clocks,
        repeated=frozenset({"cnc.main"}), held_ns=HELD_NS, first=frozenset({0}),
    )  # fmt: skip
    found = _coverage(served, stored, told, when)
    begin = min(when(p.time_ns) for p in stored.events if dict(p.tags)["kind"] == "agent_start")
    right = [*causes, sums.Window("agent_off", None, begin, begin + BEGIN_NS, "it begins")]
    end = min(max(one.time_ns for one in served if one.source == source) for source in INTERVALS_NS)
    unjust = sums.unjust(told, right, (begin, end), UNJUST_NS)
    waited = ", ".join(f"{name} {s:.1f} s" for name, s in seconds(plant.load.starved).items())
    excused = ledger.joined((w.from_ns, w.to_ns) for w in windows((), (), plant.load.starved))
    excused_s = sum(b - a for a, b in excused) / SECOND
    lines = [
        total.text(),
        f"waited for a processor: {waited or 'nobody'}; causes are excused in {excused_s:.0f} s",
    ]
    lines += [*(line for name, (service, one) in found.items() for line in _lines(name, service, one))]
    lines += [f"  a cause that was not there: {gap}: {spans}" for gap, spans in unjust[: sums.SHOWN]]
    good = total.good and not unjust and not any(one.uncovered or one.double for _, one in found.values())
    return Verdict(good, total, "\n".join(lines))


def _keep(folder: Path, stored: Stored) -> None:
    """Write down what the database holds: with the logs, what a run that fails is understood from."""
    lines = [json.dumps({"time": e.time_ns, **dict(e.tags), **e.fields}) for e in sorted(stored.events, key=_time)]
    (folder / "events.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "values.json").write_text(json.dumps({"values": stored.values, "rows": stored.rows}), "utf-8")


def _time(point: Point) -> int:
    return point.time_ns


def _coverage(
    served: Sequence[Served], stored: Stored, told: Sequence[Gap], when: Callable[[int], int]
) -> Mapping[str, tuple[float, ledger.Coverage]]:
    begin = min(when(p.time_ns) for p in stored.events if dict(p.tags)["kind"] == "agent_start")
    found = {}
    for source, interval in INTERVALS_NS.items():
        end = max(one.time_ns for one in served if one.source == source)
        rows = sorted(when(t) for t in stored.rows.get(source, []))
        good = sorted(when(t) for t in stored.good.get(source, []))
        tolerance = SILENT_NS if source == "cnc.main" else interval // 2 + EXACT_NS
        found[source] = (
            (end - begin) / SECOND,
            ledger.cover(source, rows, good, told, interval, (begin, end), tolerance),
        )
    return found


def _lines(source: str, service_s: float, found: ledger.Coverage) -> list[str]:
    open_s = sum(b - a for a, b in found.uncovered) / SECOND
    return [
        f"{source}: {open_s:.1f} s of {service_s:.0f} s without explanation, {len(found.double)} spans with two",
        *(f"  unexplained: {a} to {b} ({(b - a) / SECOND:.2f} s)" for a, b in found.uncovered[: sums.SHOWN]),
        *(f"  explained twice: {a} to {b}, {x} and {y}" for (a, b), x, y in found.double[: sums.SHOWN]),
    ]
