"""What it means that a machine does not say something: another system may know it, unseen by us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.indicators.base import Census, Missing

if TYPE_CHECKING:
    from contract.report import Reason
    from readiness.indicators.base import Outcome
    from readiness.view import View


def absent(view: View, machine: str, reason: Reason) -> Outcome:
    """Return 0 if a person says that no other system collects the machine's data, else what is missing.

    Only for what a machine does not have at all (`NA_NO_EVIDENCE`); a role that waits for its confirmation, or a
    window that is too short, stays missing whatever is said. Source: readiness.md 7.2.
    """
    if reason == "NA_NO_EVIDENCE" and view.plant.of(machine).elsewhere == "no":
        return Census(0.0, 0, flags=("NOT_COLLECTED",))
    return Missing(reason)


def shortfall(view: View, machine: str) -> Outcome | None:
    """Return the outcome of a machine whose window is no basis, or None: one that nobody connected is absent."""
    reason = view.shortfall(machine)
    if reason is None:
        return None
    if view.tags.get(machine):
        return Missing(reason)  # it is connected: what is missing is time
    return absent(view, machine, reason)
