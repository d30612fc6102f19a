"""Whether a solution fits a machine: its needs against measured values, with what is not known left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from contract.verbs import Fit, Lacking
from readiness.indicators import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contract.report import Value
    from contract.verbs import Need, Solution, Verdict
    from readiness.inventory import Named

ORDER: tuple[Verdict, ...] = ("fail", "unknown", "pass")
"""From worse to better."""


class Viewed(Protocol):
    """Says which machines there are."""

    @property
    def inventory(self) -> Sequence[Named]:
        """The declared machines."""


class Judged(Protocol):
    """Values of machines; `readiness.report.Assessment` is one."""

    @property
    def view(self) -> Viewed:
        """Of which machines."""

    def value(self, metric: str, machine: str) -> Value:
        """Return an indicator of one declared machine."""


def judged(need: Need, value: Value | None) -> Verdict:
    """Return whether a value meets a need; one whose interval reaches over the limit leaves it open.

    What does not apply to a machine, it does not have: a need of it is not met. A metric that this release does not
    know is open.
    """
    if value is None:
        return "unknown"
    if value.value is None:
        return "fail" if value.reason == "NOT_APPLICABLE" else "unknown"
    lo = value.value if value.lo is None else value.lo
    hi = value.value if value.hi is None else value.hi
    low, high = -float("inf") if need.min is None else need.min, float("inf") if need.max is None else need.max
    if hi < low or lo > high:
        return "fail"
    return "pass" if low <= lo and hi <= high else "unknown"


def fit(assessment: Judged, solution: Solution, machine: str | None, *, missing: bool) -> Fit | None:
    """Return whether a solution fits a machine, or any machine of the plant; None if there is no such machine.

    Args:
        assessment: What is known now.
        solution: Its needs.
        machine: One of the inventory, or None for the one that it fits best.
        missing: Also say which needs are not met: for owner and mentor only.
    """
    found: list[tuple[Verdict, list[Lacking]]] = []
    for each in assessment.view.inventory:
        if machine is None or each.id == machine:
            lacking = list(_lacking(assessment, solution, each.id))
            worst: Verdict = min((one.verdict for one in lacking), key=ORDER.index, default="pass")
            found.append((worst, lacking))
    if not found:
        return None
    verdict, lacking = max(found, key=lambda pair: (ORDER.index(pair[0]), -len(pair[1])))
    return Fit(solution.solution, solution.version, verdict, machine, lacking if missing else [])


def _lacking(assessment: Judged, solution: Solution, machine: str) -> Iterable[Lacking]:
    for need in solution.needs:
        value = assessment.value(need.metric, machine) if need.metric in REGISTRY else None
        verdict = judged(need, value)
        if verdict != "pass":
            yield Lacking(need.id, machine, verdict, None if value is None else value.reason)
