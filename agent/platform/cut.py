"""What of a report is seen under which scopes of consent. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from contract.consent import NAMES

if TYPE_CHECKING:
    from contract.consent import Scope
    from contract.report import Report


def cut(report: Report, scopes: frozenset[Scope]) -> Report | None:
    """Return the part of a report that may be seen, or None if there is none.

    Gates and levels tell of single machines what is needed to know the level, and no value. What other models make
    of it (bands) needs both scopes, because it is made of both. Answers that do not fit, and what has
    changed, stay in the factory with values; of answers about a single machine what was said and seen stays there,
    too, without `machines`. Where no scope speaks of single machines, none is named.
    """
    if not scopes & {"levels", "indicators"}:
        return None
    if not {"levels", "indicators"} <= scopes:
        report = replace(report, siri=[], acatech=None)
    if "levels" not in scopes:
        report = replace(
            report, level=None, conditions=[], machines=[], missing=[], settle=[], chances=[], cascade=None,
            standing=None,
        )  # fmt: skip
    if "indicators" not in scopes:
        report = replace(
            report, values=[], dimensions=[], index=None, answers=[], contradictions=[], measured=None,
            trend=None,
        )  # fmt: skip
    if not scopes & NAMES:
        trend = None if report.trend is None else replace(report.trend, added=[], gone=[])
        report = replace(
            report, trend=trend, contradictions=[c for c in report.contradictions if c.machine is None]
        )
    if "machines" not in scopes:
        found = [c if c.machine is None else replace(c, said="", seen="") for c in report.contradictions]
        report = replace(report, contradictions=found)
    return report
