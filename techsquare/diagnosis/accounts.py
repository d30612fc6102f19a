"""From machine-days to accounts: which share of its planned time a machine spends in which bucket, at 0.90.

What is unknown may have been anything. So each bucket has two numbers a day: what was seen of it, and that and all
unknown time together. The limits are the lower one of the first and the upper one of the second, both from whole
days (`readiness.stats`), and so hold whatever the unknown time was. Production that cannot be told apart does the
same to good, scrap and speed. `unknown` itself is no loss and costs nothing: it makes the others wide.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from readiness.intervals import rates
from readiness.stats import interval
from techsquare.diagnosis.days import chosen
from techsquare.diagnosis.split import BUCKETS, MICRO, scale_of, split, summed, told_apart
from techsquare.diagnosis.terms import Account
from techsquare.span import Span, exactly

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from techsquare.diagnosis.terms import Bucket, Flag, MachineDay, Source, Year

    Floats = NDArray[np.float64]

HOUR_S = 3600.0
ONE = np.ones(1)
OF_PRODUCTION: tuple[Bucket, ...] = ("good", "scrap", "speed")
WEAKEST: tuple[Source, ...] = ("answered", "counted", "measured")


def accounts(days: Iterable[MachineDay], year: Year, seed: int = 0) -> list[Account]:
    """Return an account of each machine that has planned time, in order of machine.

    Args:
        days: Of any sources and in any order; a counted day stands in where the measured one knows nothing.
        year: What the window is scaled to.
        seed: Of the resampling of days.

    Raises:
        ValueError: a row cannot be true (`split`), or there are two of one source for a day.
    """
    found = chosen(days, lambda one: one.known_s > 0)
    used = {machine: [one for one in rows if one.planned_s > 0] for machine, rows in sorted(found.items())}
    return [_account(machine, rows, year, seed_of(machine, seed)) for machine, rows in used.items() if rows]


def _account(machine: str, days: Sequence[MachineDay], year: Year, seed: int) -> Account:
    scale = scale_of(days)
    parts = [split(day, scale) for day in days]
    time = summed(parts)
    rows = {b: np.array([float(part[b]) for part in parts]) / MICRO for b in BUCKETS}
    planned = np.array([float(sum(part.values())) for part in parts]) / MICRO
    apart = told_apart(time)
    hours = year.hours.get(machine, float(planned.mean()) / HOUR_S)
    good = _good(days, seed)
    made = _made(days, rows["unknown"], seed)
    return Account(
        machine=machine,
        planned_hours=exactly(hours * year.production_days),
        time_us=time,
        shares=dict(_shares(rows, planned, seed, apart=apart)),
        made_hour=made,
        ideal_hour=_ideal_hour(made, days) if apart else None,
        good=good,
        coverage=1.0 - time["unknown"] / sum(time.values()),
        days=len(days),
        source=next(source for source in WEAKEST if any(day.source == source for day in days)),
        flags=tuple(_flags(days, scale, apart=apart)),
    )


def _shares(
    rows: Mapping[Bucket, Floats], planned: Floats, seed: int, *, apart: bool
) -> Iterator[tuple[Bucket, Span]]:
    """Yield the span of each bucket that the machine can have, in the order of `BUCKETS`."""
    for bucket in BUCKETS:
        if bucket in OF_PRODUCTION and not apart:
            continue
        if bucket == "production" and apart and not rows[bucket].any():
            continue
        low, most = rows[bucket], rows[bucket]
        if bucket != "unknown":
            most = most + rows["unknown"]
        if bucket in OF_PRODUCTION:
            most = most + rows["production"]
        below = interval(low[None, :], planned[None, :], ONE, seed)
        above = (
            below if most is low or not (most > low).any() else interval(most[None, :], planned[None, :], ONE, seed)
        )
        yield bucket, Span(below.lo, above.hi)


def _made(days: Sequence[MachineDay], unknown: Floats, seed: int) -> Span | None:
    """Return pieces in an hour of production; unknown time may have been production as well."""
    used = [i for i, day in enumerate(days) if day.pieces is not None and (day.production_s or 0.0) > 0]
    if not used:
        return None
    pieces = np.array([float(days[i].pieces or 0.0) for i in used])
    ran = np.array([float(days[i].production_s or 0.0) for i in used])
    if not pieces.any():
        return None
    most = rates(pieces[None, :], ran[None, :] / HOUR_S, ONE, seed).hi
    least = rates(pieces[None, :], (ran + unknown[used])[None, :] / HOUR_S, ONE, seed).lo
    return Span(least, most)


def _ideal_hour(made: Span | None, days: Sequence[MachineDay]) -> Span | None:
    """Return pieces in an hour of ideal time: those of an hour of production over effectiveness."""
    told = [day for day in days if day.ideal_s is not None and day.priced_s is not None]
    ideal, priced = sum(day.ideal_s or 0.0 for day in told), sum(day.priced_s or 0.0 for day in told)
    if made is None or ideal <= 0:
        return None
    return made.times(exactly(priced / ideal))


def _good(days: Sequence[MachineDay], seed: int) -> Span | None:
    """Return the quality rate, weighted by time."""
    told = [day for day in days if day.good_s is not None and (day.checked_s or 0.0) > 0]
    if not told:
        return None
    checked = np.array([float(day.checked_s or 0.0) for day in told])
    good = np.minimum([float(day.good_s or 0.0) for day in told], checked)
    found = interval(good[None, :], checked[None, :], ONE, seed)
    return Span(found.lo, found.hi)


def _flags(days: Sequence[MachineDay], scale: float | None, *, apart: bool) -> Iterator[Flag]:
    if scale is None:
        yield "faster_than_ideal"
    if len({day.formulas for day in days if day.source == "measured"}) > 1:
        yield "mixed_formulas"
    if any(day.simulated > 0 for day in days):
        yield "simulated"
    if any(day.source == "counted" for day in days):
        yield "counted_days"
    if not apart:
        yield "no_split"


def seed_of(machine: str, seed: int) -> int:
    """Return the seed of a machine, the same whichever others there are."""
    return int.from_bytes(sha256(f"{seed} {machine}".encode()).digest()[:4], "big")


def oee(accounts: Iterable[Account]) -> Span | None:
    """Return overall equipment effectiveness of machines together, as far as it is told; None without planned time.

    Sum of ideal time of good pieces over the sum of planned time, never a mean of ratios. What is unknown or cannot
    be told apart lies between nothing and all of it. The time of a machine of which only answers are known is the
    middle of guesses: there the span of its share counts.
    """
    planned, low, high = 0, 0.0, 0.0
    for one in accounts:
        time, said = one.time_us, one.shares.get("good") if one.source == "answered" else None
        whole = sum(time.values())
        planned += whole
        low += time["good"] if said is None else said.low * whole
        high += time["good"] + time["production"] + time["unknown"] if said is None else said.high * whole
    return Span(low / planned, high / planned) if planned > 0 else None
