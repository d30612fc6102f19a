"""What a window rests on: machines, signals, planned time, and how much of it is known at all. No score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.report import Measured
from readiness.catalog import key

if TYPE_CHECKING:
    from readiness.view import View


def measured(view: View, machine: str | None = None) -> Measured:
    """Return what the window of a plant, or of one of its machines, rests on."""
    inventory = [m for m in view.inventory if machine is None or m.id == machine]
    planned = float(view.planned.sum())
    weight = sum(m.weight for m in inventory)
    found = sum(m.weight * _known(view, m.id, planned) for m in inventory)
    return Measured(
        machines=len(inventory),
        reached=sum(bool(view.counting(m.id).any()) for m in inventory),
        signals=sum(len(view.tags[m.id]) for m in inventory),
        planned_s=round(planned / 1e9),
        known=round(min(found / weight, 1.0), 6) if weight else 0.0,
    )


def _known(view: View, machine: str, planned: float) -> float:
    """Return the share of planned time in which a machine's signals were known."""
    tags = view.tags[machine]
    if not tags or not planned:
        return 0.0
    series = [view.series[name] for _, tag in tags if (name := key(tag)) in view.series]
    return sum(float(each.known.sum()) for each in series) / (planned * len(tags))
