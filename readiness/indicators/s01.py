"""S01 Protected conduits: the session in use, not what a server would offer."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from readiness.indicators.base import Census, Indicator, Missing, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from readiness.evidence import Connection
    from readiness.view import View

SIGNED = 0.6


def protection(session: Connection, deprecated: Collection[str]) -> float:
    """Return what a session is worth: 1 protected, 0.6 signed only, 0 plain or with a peer nobody has verified."""
    if not session.peer_authenticated or session.policy.rsplit("#", 1)[-1] in deprecated:
        return 0.0
    return {"SignAndEncrypt": 1.0, "TLS": 1.0, "Sign": SIGNED}.get(session.mode, 0.0)


def evaluate(view: View, machine: str) -> Outcome:
    """Return the mean protection of the sessions with a machine's devices."""
    sessions = view.records[-1].connections if view.records else {}
    devices = sorted({source.device for source, _ in view.tags.get(machine, ())} & set(sessions))
    if not devices:
        return Missing("NA_NO_EVIDENCE")
    deprecated = view.model.semantics.policies_deprecated
    return Census(fmean(protection(sessions[d], deprecated) for d in devices), len(devices))


INDICATOR = Indicator(
    id="S01",
    ko="보호통신 비율",
    en="Protected conduits",
    unit="1",
    formula="mean over devices of 1 for SignAndEncrypt or mutual TLS with a current policy, 0.6 for Sign, 0 "
    "otherwise",
    source="readiness.md 7.3 S",
    inputs=("connection", "catalog", "inventory"),
    reasons=("NA_NO_INVENTORY", "NA_NO_EVIDENCE"),
    guard="the session in use counts, not the endpoints on offer; encryption with an unverified peer "
    "counts as plain",
    evaluate=evaluate,
)
