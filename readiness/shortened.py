"""The report of a plant as the broker retains it, at most 32 kB.

Of a plant too large for that, details go that `report.get` gives: first contradictions, then which machines are
new, then for which machines evidence is missing, then the machines' gates, then at which machines the level would
settle. Values, level and reasons always stay, and `omitted` says what has gone.
"""

from __future__ import annotations

from typing import get_args

from msgspec.structs import replace

from contract.codec import REPORT_LIMIT, encode
from contract.report import Missing, Omitted, Report

LEFT_OUT: tuple[Omitted, ...] = get_args(Omitted)
"""What goes, in this order."""


def shortened(report: Report) -> bytes:
    """Return the bytes of a report, without as much of it as it takes."""
    for part in LEFT_OUT:
        if len(encode(report)) <= REPORT_LIMIT:
            break
        report = _without(report, part)
    return encode(report)


def _without(report: Report, part: Omitted) -> Report:
    """Return a report without one of its parts; the report says so."""
    field, _, machines = part.partition(".")
    before = getattr(report, field)
    if field == "trend":
        after = before and replace(before, added=[], gone=[])
    else:
        after = [Missing(m.metric, m.reason) for m in before] if machines else []
    return report if after == before else replace(report, omitted=[*report.omitted, part], **{field: after})
