"""S04 Nodes that we cannot write: what our identity, which only reads, could write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.conduits import MODBUS, XGT, current, devices
from readiness.indicators.base import Census, Indicator, Missing, Outcome

if TYPE_CHECKING:
    from readiness.view import View

WITHOUT_RIGHTS = frozenset({MODBUS, XGT})


def evaluate(view: View, machine: str) -> Outcome:
    """Return the share of nodes that are read and that our user cannot write."""
    asked = writable = 0
    untold = silent = False
    for device, links in devices(view, machine).items():
        if links[0].protocol in WITHOUT_RIGHTS:
            untold = True
            continue
        record = current(view, device)
        access = None if record is None else record.access.get(device)
        if access is None or not access.asked:
            silent = True
            continue
        asked += access.asked
        writable += access.writable
    if not asked:
        return Missing("NA_ASSUME_EXPOSED" if untold and not silent else "NA_NO_EVIDENCE")
    return Census(
        1 - writable / asked,
        asked,
        quality="partial" if untold or silent else "measured",
        flags=("ASSUME_EXPOSED",) if untold else (),
        shown={"asked": asked, "writable": writable},
    )


INDICATOR = Indicator(
    id="S04",
    ko="쓰기권한 없는 노드 비율",
    en="Nodes that we cannot write",
    unit="1",
    formula="1 - nodes that our user could write / nodes that are read and whose device tells our rights",
    source="readiness.md 7.3 S; decision 64 (name)",
    inputs=("access", "catalog", "inventory"),
    reasons=("NA_NO_INVENTORY", "NA_NO_EVIDENCE", "NA_ASSUME_EXPOSED"),
    guard="rights are read as an attribute and never tried; protocols without rights say nothing, so exposure "
    "has to be assumed (NA_ASSUME_EXPOSED; beside devices that tell, the flag ASSUME_EXPOSED)",
    evaluate=evaluate,
)
