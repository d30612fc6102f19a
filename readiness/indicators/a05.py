"""A05 Clock skew and source time: whether values bear the device's own time, and how right that is."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from readiness.clocks import hours_off, look
from readiness.conduits import OPCUA, devices
from readiness.indicators.base import Buckets, Census, Indicator, Missing, Outcome
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from collections import Counter

    from readiness.clocks import Clocks
    from readiness.view import View

WITHOUT = 60.0
"""Score at most, when no value bears a source time; it rises to 100 with the share of values that do."""


def evaluate(view: View, machine: str) -> Outcome:
    """Return |device's clock - ours| per production day."""
    if (reason := view.shortfall(machine)) is not None:
        return Missing(reason)
    found = look(view, machine)
    if not found.rows:
        return Missing("NA_NO_EVIDENCE")
    share = found.stated / found.rows
    cap, shown = WITHOUT + (100.0 - WITHOUT) * share, {"source_time_share": round(share, 6)}
    flags = {"NO_SOURCE_TIME"} if not found.stated else set()
    if not found.trips:
        protocols = [links[0].protocol for links in devices(view, machine).values()]
        if found.dropped or OPCUA in protocols:
            return Missing("NA_SELF_FAULT" if found.dropped else "NA_NO_EVIDENCE")
        # No device has a clock: all times are ours, right by definition, and nothing tells when a value came about.
        return Census(
            0.0, len(protocols), quality="edge-only", cap=cap, flags=tuple(sorted(flags)), shown=dict(shown)
        )
    compared = tuple(day for day in found.days if day)
    if len(compared) >= NEEDED_DAYS:
        return _compared(found, compared, cap, flags, shown)
    return Missing("NA_SELF_FAULT" if found.dropped else "NA_SHORT_WINDOW")


def _compared(
    found: Clocks, days: tuple[Counter[int], ...], cap: float, flags: set[str], shown: dict[str, float]
) -> Buckets:
    hours = {device: off for device, each in found.skews.items() if (off := hours_off(each))}
    return Buckets(
        days,
        0.5,
        cap=cap,
        flags=tuple(sorted(flags | ({"ZONE"} if hours else set()))),
        shown={
            **shown,
            "within_s": round(median(found.trips), 6),
            "worst_device_s": round(max(median(map(abs, each)) for each in found.skews.values() if each), 3),
            "comparisons": len(found.trips),
            "hours_off": max(hours.values(), key=abs, default=0),
        },
    )


INDICATOR = Indicator(
    id="A05",
    ko="시계 오차·원천시각",
    en="Clock skew and source time",
    unit="s",
    formula="median of |device's clock - (sent + received) / 2|, right within half a round trip; score at most "
    "60 where no value bears a source time, 100 where all do",
    source="readiness.md 7.3 A; decision 0047",
    inputs=("skew", "order", "catalog", "schedule", "censored"),
    reasons=("NA_NO_SCHEDULE", "NA_NO_EVIDENCE", "NA_SHORT_WINDOW", "NA_SELF_FAULT"),
    guard="a clock that is off by whole hours is a wrong zone or summer time and flagged as an error of "
    "configuration (ZONE); comparisons made while our own clock was not trusted are left out; devices "
    "without a clock are tagged edge-only and capped (NO_SOURCE_TIME)",
    evaluate=evaluate,
)
