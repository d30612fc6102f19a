"""What a formula found at a machine, computed once per view: formulas that cross-check others ask here."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from readiness.view import View

if TYPE_CHECKING:
    from readiness.indicators.base import Indicator, Missing, Outcome


def outcome(view: View, indicator: Indicator, machine: str) -> Outcome:
    """Return what an indicator finds at a machine, the same object for each call on one view."""
    key = ("outcome", indicator.id, machine)
    if key not in view.derived:
        view.derived[key] = indicator.evaluate(view, machine)
    return cast("Outcome", view.derived[key])


def withhold(view: View, metric: str, machine: str, missing: Missing) -> None:
    """Let an indicator of a machine be not assessed whatever its formula would find: the evidence cannot show it.

    Before anything is asked of the view.
    """
    view.derived["outcome", metric, machine] = missing


def forget(view: View, machine: str | None = None) -> None:
    """Let go of what windows of more days have made of a machine, or of all; it is made again when needed."""
    for place, longer in [(key, one) for key, one in view.derived.items() if isinstance(one, View)]:
        if machine is None:
            del view.derived[place]
            continue
        for key in [key for key in longer.derived if key[-1].partition("/")[0] == machine]:
            del longer.derived[key]
        longer.seen.forget(machine)
