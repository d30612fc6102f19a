"""C02 Protocol openness: how open the way is on which a machine's own controller tells its data."""

from __future__ import annotations

from collections import Counter
from statistics import fmean
from typing import TYPE_CHECKING

from readiness.catalog import key
from readiness.conduits import MODBUS, OPCUA, XGT, devices, session
from readiness.indicators.base import Census, Indicator, Missing, Outcome
from readiness.naming import companion

if TYPE_CHECKING:
    from readiness.view import View

TAP, DRIVER, OPEN, VENDOR, COMPANION = 25, 50, 70, 85, 100
CLASSES = {XGT: DRIVER, MODBUS: OPEN, OPCUA: VENDOR}
AT_MOST = {"tap": TAP, "gateway": DRIVER, "none": COMPANION}
"""By what stands before the controller. Behind a gateway its own protocol is one that needs a driver, whatever the
gateway speaks; a tap reads the machine past its controller."""


def evaluate(view: View, machine: str) -> Outcome:
    """Return the mean class of the machine's devices that have been reached."""
    limit = AT_MOST[view.plant.of(machine).retrofit]
    native = view.native()
    classes: list[int] = []
    flags: set[str] = {"GATEWAY"} if limit == DRIVER else {"TAP"} if limit == TAP else set()
    for device, links in devices(view, machine).items():
        said, speaks = session(view, device), CLASSES.get(links[0].protocol)
        if said is None or speaks is None:
            continue
        if speaks == VENDOR:
            own = [tag for link in links for tag in link.signals if tag.machine == machine]
            modelled = any("companion" in native.get(key(tag), ()) for tag in own)
            if modelled:
                speaks = COMPANION
            elif any(companion(uri) for uri in said.namespaces):
                flags.add("MODEL_UNUSED")
            others = {tag.machine for link in view.catalog if link.device == device for tag in link.signals}
            if len(others) > 1:
                flags.add("AGGREGATED")
        classes.append(min(speaks, limit))
    if not classes:
        return Missing("NA_NO_EVIDENCE")
    shown = {f"at_{value}": number for value, number in sorted(Counter(classes).items())}
    return Census(fmean(classes), len(classes), flags=tuple(sorted(flags)), shown=shown)


INDICATOR = Indicator(
    id="C02",
    ko="프로토콜 개방성",
    en="Protocol openness",
    unit="{class}",
    formula="mean over reached devices of 25 retrofit tap, 50 proprietary protocol through a driver, 70 open "
    "protocol without a model, 85 OPC UA with a vendor's model, 100 OPC UA nodes of a companion "
    "specification; ordinal, so the number of devices in each class is shown",
    source="readiness.md 7.3 C; decision 0047",
    inputs=("connection", "native", "catalog", "inventory", "about"),
    reasons=("NA_NO_INVENTORY", "NA_NO_EVIDENCE"),
    guard="the controller is rated, not the gateway or tap before it (GATEWAY, TAP); a companion specification "
    "counts when signals that are read belong to it, not when the server only lists it (MODEL_UNUSED); a "
    "server that holds several machines may be a gateway that nobody has declared (AGGREGATED)",
    evaluate=evaluate,
)
