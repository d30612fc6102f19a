"""S01 Protected conduits: the session in use, not what a server would offer."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from readiness.conduits import TLS, devices, name, session
from readiness.indicators.base import Census, Indicator, Missing, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from readiness.evidence import Connection
    from readiness.view import View

SIGNED, ISOLATED = 0.6, 0.4


def protection(session: Connection, deprecated: Collection[str]) -> float:
    """Return what a session is worth: 1 protected, 0.6 signed only, 0 plain or with a peer nobody has verified."""
    if not session.peer_authenticated or name(session.policy) in deprecated:
        return 0.0
    return {"SignAndEncrypt": 1.0, TLS: 1.0, "Sign": SIGNED}.get(session.mode, 0.0)


def evaluate(view: View, machine: str) -> Outcome:
    """Return the mean protection of the sessions with a machine's devices."""
    known = {device: said for device in devices(view, machine) if (said := session(view, device)) is not None}
    if not known:
        return Missing("NA_NO_EVIDENCE")
    own = [protection(said, view.model.semantics.policies_deprecated) for said in known.values()]
    isolated = view.plant.of(machine).isolated == "yes"
    worth = [max(each, ISOLATED) for each in own] if isolated else own
    return Census(
        fmean(worth),
        len(worth),
        flags=("ISOLATED_CELL",) if worth != own else (),
        shown={"sessions": len(own), "protected": sum(each == 1.0 for each in own), "measured": fmean(own)},
    )


INDICATOR = Indicator(
    id="S01",
    ko="보호통신 비율",
    en="Protected conduits",
    unit="1",
    formula="mean over devices of 1 for SignAndEncrypt or mutual TLS with a current policy, 0.6 for Sign, 0.4 "
    "for a plain session inside a cell that a person has proven to be isolated, 0 otherwise",
    source="readiness.md 7.3 S",
    inputs=("connection", "catalog", "inventory", "about"),
    reasons=("NA_NO_INVENTORY", "NA_NO_EVIDENCE"),
    guard="the session in use counts, not the endpoints on offer; encryption with an unverified peer counts as "
    "plain; what an isolated cell adds is flagged (ISOLATED_CELL), and the value without it is shown as "
    "measured",
    evaluate=evaluate,
)
