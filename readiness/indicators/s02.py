"""S02 No weak offers: servers that would accept an unprotected or anonymous session, whatever we use ourselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.conduits import OPCUA, TLS, current, devices, name, server
from readiness.indicators.base import Census, Indicator, Missing, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from readiness.records import Offer
    from readiness.view import View

ANONYMOUS = "anonymous"


def weaknesses(offers: Sequence[Offer], deprecated: Collection[str]) -> set[str]:
    """Return what is weak in what a server offers.

    An endpoint without any kind of user token accepts no session: it is there for discovery only.
    """
    usable = [offer for offer in offers if offer.users]
    policies = {name(offer.policy) for offer in usable}
    found = {"DEPRECATED_POLICY"} if policies & set(deprecated) - {"None"} else set()
    if "None" in policies or any(offer.mode == "None" for offer in usable):
        found.add("UNPROTECTED_OFFER")
    if any(ANONYMOUS in offer.users for offer in usable):
        found.add("ANONYMOUS_OFFER")
    return found


def evaluate(view: View, machine: str) -> Outcome:
    """Return the share of a machine's reachable devices that offer nothing weak."""
    weak: dict[str, set[str]] = {}
    silent = 0
    for device, links in devices(view, machine).items():
        record = current(view, device)
        said = None if record is None else record.connections[device]
        offers = None if record is None else record.offers.get(device)
        if links[0].protocol == OPCUA:
            if not offers:  # a server offers at least what it was asked over
                silent += 1
            else:
                found = weaknesses(offers, view.model.semantics.policies_deprecated)
                weak.setdefault(server(view, device), set()).update(found)
        elif said is None:
            silent += 1
        else:
            safe = said.mode == TLS and said.peer_authenticated
            weak.setdefault(server(view, device), set()).update(() if safe else {"UNPROTECTED_PROTOCOL"})
    if not weak:
        return Missing("NA_NO_EVIDENCE")
    return Census(
        sum(not found for found in weak.values()) / len(weak),
        len(weak),
        quality="partial" if silent else "measured",
        flags=tuple(sorted(set().union(*weak.values()))),
        shown={"devices": len(weak), "weak": sum(bool(found) for found in weak.values()), "silent": silent},
    )


INDICATOR = Indicator(
    id="S02",
    ko="취약 엔드포인트 없음",
    en="No weak offers",
    unit="1",
    formula="1 - reachable devices that offer sessions without protection, with a deprecated policy or for "
    "anonymous users / reachable devices; a protocol without protection of its own is weak unless it "
    "runs in mutual TLS",
    source="readiness.md 7.3 S; decisions 64 (name), 77",
    inputs=("offers", "connection", "catalog", "inventory"),
    reasons=("NA_NO_INVENTORY", "NA_NO_EVIDENCE"),
    guard="what the server lists is judged by its user tokens, and nobody logs in to try; an endpoint without "
    "any token is for discovery only and not weak; only devices that have answered are rated, quality "
    "partial",
    evaluate=evaluate,
)
