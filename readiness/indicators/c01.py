"""C01 Machine reach: how much of the declared plant is read at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.indicators.base import Census, Indicator, Missing, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from readiness.view import View

READ_DAYS = 0.8


def moved(view: View, name: str) -> bool | None:
    """Return whether a signal has ever said two different things in the window; None if no record tells."""
    labels: set[object] = set()
    totals: set[int] = set()
    bounds: set[float] = set()
    for record in view.records:
        for part in record.sources:
            if (track := part.tracks.get(name)) is not None:
                labels.update(track.labels)
            if (count := part.counts.get(name)) is not None:
                totals.update((count.first, count.last))
            if (values := part.values.get(name)) is not None:
                bounds.update((values.low, values.high))
            if max(len(labels), len(totals), len(bounds)) > 1:
                return True
    return False if labels or totals or bounds else None


def _reach(view: View, value: float, n: int, flags: tuple[str, ...] = (), **shown: int) -> Census:
    """Return the outcome beside the inventory that it is measured against."""
    read = {name.split("/")[0] for name in view.parts_of}
    dropped = len(read - {machine.id for machine in view.inventory})
    inventory = ("INVENTORY_SHRUNK",) * bool(dropped) + ("INVENTORY_UNSIGNED",) * (not view.plant.signed)
    numbers = {**shown, "declared": len(view.inventory), **({"dropped": dropped} if dropped else {})}
    return Census(value, n, flags=(*inventory, *flags), shown=numbers)


def evaluate(view: View, machine: str) -> Outcome:
    """Return 1 if a confirmed signal that lives was read on enough production days, else 0."""
    tags = view.tags.get(machine, [])
    if not view.calendar.has_schedule():
        return Missing("NA_NO_SCHEDULE")
    assessable = [m for m, found in view.tags.items() if found and view.shortfall(m) is None]
    if not assessable:
        connected = [m for m, found in view.tags.items() if found]
        return Missing(view.shortfall(connected[0]) or "NA_NO_EVIDENCE") if connected else _reach(view, 0.0, 0)
    if not tags:
        return _reach(view, 0.0, 0)  # declared and not connected: that is the finding
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    counting = view.counting(machine) > 0

    meanings = {name: view.plant.meaning(name) for name in (key(tag) for _, tag in tags)}
    confirmed = {
        name for name, meaning in meanings.items() if meaning.role is not None and meaning.origin != "guess"
    }
    # Signals that it has replaced within the window were a way to the machine on the days before it.
    gone = [view.series[n].known > 0 for n in view.series if n.split("/")[0] == machine and n not in meanings]
    before = np.any([0 * view.planned > 0, *gone], axis=0)

    def read(names: Collection[str]) -> set[str]:
        each = {name: view.series[name] for name in names if name in view.series}
        days = {n: np.where(s.counts > 0, s.known > 0, before) & counting for n, s in each.items()}
        return {name for name, row in days.items() if int(row.sum()) >= READ_DAYS * int(counting.sum())}

    if not confirmed and read(meanings):
        return Missing("NA_ROLE_UNCONFIRMED")  # it is read; whether that tells of the process, nobody has said
    there = read(confirmed)
    lives = any(moved(view, name) is not False for name in there)
    flags = ("NOTHING_MOVES",) if there and not lives else ()
    return _reach(view, float(lives), int(counting.sum()), flags, signals=len(there))


INDICATOR = Indicator(
    id="C01",
    ko="설비 연결률",
    en="Machine reach",
    unit="1",
    formula="sum(w r) / sum(w); r = 1 if at least one signal with a confirmed role was read on 80 % of "
    "production days (before it was configured, those that it replaced) and has said two different things in the "
    "window",
    source="readiness.md 7.3 C; DESIGN 9",
    inputs=("inventory", "catalog", "known", "meanings", "tracks", "counts", "values", "schedule", "censored"),
    reasons=(
        "NA_NO_INVENTORY",
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
    ),
    guard="an inventory for which nobody stands is flagged (INVENTORY_UNSIGNED) and its size shown, and so is one "
    "that lacks machines which were read in the window (INVENTORY_SHRUNK); machines that are not connected or not "
    "reached stay in the denominator, whatever their roles; one that is read without a confirmed role is not "
    "assessed; a controller that answers but in which nothing ever moves is not reached (NOTHING_MOVES)",
    evaluate=evaluate,
    roles=True,
)
