"""L03 Alert-to-action lift: whether alerts and advice make anybody do something that they would not do anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.indicators.base import Given, Indicator, Missing, Outcome
from readiness.lift import lift
from readiness.matching import RESPONSE_NS, match

if TYPE_CHECKING:
    from contract.report import Reason
    from readiness.indicators.base import Shown
    from readiness.view import View

LEAST = 20
ACTIONS = ("intervention", "mode", "sp")


def _lack(view: View, machine: str) -> Reason | None:
    """Return what is missing: alarms of which somebody said that one has to act, or anything that shows actions."""
    if (reason := view.shortfall(machine) or view.lack(machine, "state")) is not None:
        return reason
    if not any(view.signals(machine, role) for role in ACTIONS):
        guessed = any(view.guessed(machine, role) for role in ACTIONS)
        return "NA_ROLE_UNCONFIRMED" if guessed else "NA_NO_EVIDENCE"
    return None


def evaluate(view: View, machine: str) -> Outcome:
    """Return how much more often an action follows an alert than it happens in matched windows without one."""
    if (reason := _lack(view, machine)) is not None:
        return Missing(reason)
    found = match(view, machine)
    if found is None:
        alarms = [*view.signals(machine, "alarm"), *view.guessed(machine, "alarm")]
        return Missing("NA_ROLE_UNCONFIRMED" if alarms else "NA_NO_EVIDENCE")
    result = lift(found.followed, found.day, found.control)
    if result is None or result.alerts < LEAST:
        return Missing("NA_FEW_EVENTS")
    proven = result.lo > 0
    shown: dict[str, Shown] = {
        "alerts": result.alerts,
        "given_alert": result.given,
        "anyway": result.anyway,
        "minutes": RESPONSE_NS // 60_000_000_000,
        "automatic_excluded": found.automatic,
    }
    return Given(
        result.value, result.lo, result.hi, result.days,
        cap=100.0 if proven else 0.0, flags=("NOT_PROVEN",) * (not proven), shown=shown,
    )  # fmt: skip


INDICATOR = Indicator(
    id="L03",
    ko="경보·권고 대응 효과",
    en="Alert-to-action lift",
    unit="1",
    formula="share of alerts followed by an action within 15 minutes - share of windows without an alert in which "
    "one happened, of the same machine at the same time of day in the same state on other days; no credit unless "
    "the lower limit is above 0",
    source="readiness.md 7.3 L; decision 49",
    inputs=("alarms", "tracks", "meanings", "loops", "schedule", "censored"),
    reasons=(
        "NA_NO_SCHEDULE",
        "NA_NO_EVIDENCE",
        "NA_SHORT_WINDOW",
        "NA_SELF_FAULT",
        "NA_ROLE_UNCONFIRMED",
        "NA_FEW_EVENTS",
    ),
    guard="coincidence is subtracted by matched windows; changes that come with the alert or its end are the "
    "machine's own, set points that a system writes are no action, and alerts in a row are one",
    evaluate=evaluate,
    roles=True,
)
