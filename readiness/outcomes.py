"""What a formula found at a machine, computed once per view: formulas that cross-check others ask here."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from readiness.indicators.base import Indicator, Outcome
    from readiness.view import View


def outcome(view: View, indicator: Indicator, machine: str) -> Outcome:
    """Return what an indicator finds at a machine, the same object for each call on one view."""
    key = ("outcome", indicator.id, machine)
    if key not in view.derived:
        view.derived[key] = indicator.evaluate(view, machine)
    return cast("Outcome", view.derived[key])
