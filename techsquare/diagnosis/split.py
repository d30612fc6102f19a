"""A machine-day cut into exclusive buckets that add up to planned time, to the microsecond.

    good        PRI GQ                          of the pieces whose quality is counted
    scrap       PRI PQ - PRI GQ                 likewise
    speed       priced production - PRI PQ      production of products with an ideal cycle
    production  what is left of APT             without an ideal cycle, or nobody counts rejects
    setup, fault, standby, off                  as measured
    unknown     what is left of planned time

Whole microseconds, because sums of floats add up to nearly the same. Nothing is imputed: a part of production whose
product has no ideal cycle stays `production`, however well the rest is known. One day may have been faster than
ideal (pieces end on it that were begun the day before), so `speed` of a day may be negative and only its sum over a
window says something; `scale` is for windows, see `scale_of`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.kpi import SLACK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from techsquare.diagnosis.terms import Bucket, MachineDay

MICRO = 1_000_000
BUCKETS: tuple[Bucket, ...] = (
    "good", "scrap", "speed", "production", "setup", "fault", "standby", "off", "unknown",
)  # fmt: skip
STOPS: tuple[Bucket, ...] = ("setup", "fault", "standby", "off")
ROUNDING_US = 1_000
"""Records are rounded to microseconds, five states together to a few of them; above this something is wrong."""


def split(day: MachineDay, scale: float | None = 1.0) -> dict[Bucket, int]:
    """Return microseconds by bucket, `sum` of which is planned time exactly.

    Args:
        day: Of any source.
        scale: What ideal times are multiplied by; None keeps all production in one bucket.

    Raises:
        ValueError: a time is negative, or the states have more time than was planned.
    """
    planned = _us(day.planned_s)
    made = _us(day.production_s)
    stops = {"setup": day.setup_s, "fault": day.fault_s, "standby": day.standby_s, "off": day.off_s}
    found: dict[Bucket, int] = {bucket: _us(stops[bucket]) for bucket in STOPS}
    if min(planned, made, *found.values()) < 0:
        raise ValueError(f"{day.machine} has a negative time on {day.day}")
    over = made + sum(found.values()) - planned
    if over > ROUNDING_US:
        raise ValueError(f"{day.machine} has more time than planned on {day.day}")
    if over > 0:
        # What was rounded up goes where it is seen least.
        largest = max(STOPS, key=lambda bucket: found[bucket])
        if made >= found[largest]:
            made -= over
        else:
            found[largest] -= over
    priced, ideal, checked, good = (0, 0, 0, 0) if scale is None else _ideal(day, made, scale)
    return {
        "good": good,
        "scrap": checked - good,
        "speed": priced - ideal,
        "production": made - priced + ideal - checked,
        **found,
        "unknown": planned - made - sum(found.values()),
    }


def _ideal(day: MachineDay, made: int, scale: float) -> tuple[int, int, int, int]:
    """Return (priced, ideal, checked, good), each within the one before where it has to be."""
    if day.ideal_s is None or day.priced_s is None or day.priced_s <= 0:
        return 0, 0, 0, 0
    inside = min(1.0, made / _us(day.priced_s)) if _us(day.priced_s) else 0.0  # never more than the state knows
    priced = min(made, round(_us(day.priced_s) * inside))
    ideal = round(_us(day.ideal_s) * inside * scale)
    if day.good_s is None or day.checked_s is None or day.checked_s <= 0:
        return priced, ideal, 0, 0
    checked = min(ideal, round(_us(day.checked_s) * inside * scale))
    good = round(checked * min(1.0, max(0.0, day.good_s / day.checked_s)))
    return priced, ideal, checked, good


def _us(seconds: float | None) -> int:
    return 0 if seconds is None else round(seconds * MICRO)


def scale_of(days: Sequence[MachineDay]) -> float | None:
    """Return what ideal times of a window are multiplied by so that speed is no gain; None: do not believe them.

    Up to 5 % faster than ideal is within what ISO 22400-2 is used for, and there is no loss of speed then. Beyond,
    the ideal cycle is wrong (`readiness.kpi`), and with it every part of production that it tells apart.
    """
    parts = [_ideal(day, _us(day.production_s), 1.0) for day in days]
    priced, ideal = sum(part[0] for part in parts), sum(part[1] for part in parts)
    if ideal <= priced:
        return 1.0
    return priced / ideal if priced > 0 and ideal <= SLACK * priced else None


def summed(parts: Iterable[Mapping[Bucket, int]]) -> dict[Bucket, int]:
    """Return microseconds by bucket over days, or machines."""
    total = dict.fromkeys(BUCKETS, 0)
    for one in parts:
        for bucket in BUCKETS:
            total[bucket] += one[bucket]
    return total


def told_apart(time_us: Mapping[Bucket, int]) -> bool:
    """Return whether any production is cut into good, scrap and speed."""
    return any(time_us[bucket] for bucket in ("good", "scrap", "speed"))
