"""What must hold if a supplier disappears: continuity minimum, escrow, and conditions by its financial risk.

Altman's Z'' (1995, for firms that are not listed and need not manufacture):

    Z'' = 6.56 X1 + 3.26 X2 + 6.72 X3 + 1.05 X4
    X1 (current assets - current liabilities) / assets      X2 retained earnings / assets
    X3 EBIT / assets                                        X4 book equity / liabilities

    above 2.60 safe, 1.10 to 2.60 grey, below 1.10 distress

1.23 and 2.90 are often seen beside it; they belong to Z', another formula. Accounts are the supplier's own, filed
with consent; without them the tier is grey, not bad. The tier sets conditions of a contract and nothing else: it
is no part of `terms.Supplier`, so that neither constraints nor ranks can see it. Services show it to the supplier
and one operator role.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from techsquare.matching.constraints import CONTINUITY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from techsquare.matching.terms import Level, Solution

SAFE, DISTRESS = 2.60, 1.10
Tier = Literal["safe", "grey", "distress"]
Condition = Literal[
    "store", "tags", "interface", "export",  # the minimum, whatever the tier
    "milestones",  # paid by milestones, nothing ahead of delivery
    "escrow_deposited",  # source, build recipe, database and interface design, manual
    "escrow_verified",  # somebody has built the software from it
    "second_supplier",  # one that is trained to take over
]  # fmt: skip
ESCROW: dict[Level, int] = {"none": 0, "deposited": 1, "verified": 2}


@dataclass(frozen=True, slots=True)
class Accounts:
    """A year's accounts as filed; whole won."""

    current_assets: int
    current_liabilities: int
    assets: int
    liabilities: int
    retained_earnings: int
    ebit: int
    equity: int


def z_score(accounts: Accounts) -> float | None:
    """Return Z''; None without assets. Without liabilities nothing can be defaulted on: it is infinite then."""
    if accounts.assets <= 0:
        return None
    if accounts.liabilities <= 0:
        return float("inf")
    return (
        6.56 * (accounts.current_assets - accounts.current_liabilities) / accounts.assets
        + 3.26 * accounts.retained_earnings / accounts.assets
        + 6.72 * accounts.ebit / accounts.assets
        + 1.05 * accounts.equity / accounts.liabilities
    )


def tier(accounts: Accounts | None) -> Tier:
    """Return the tier of a supplier; grey where nothing is known."""
    score = None if accounts is None else z_score(accounts)
    if score is None or DISTRESS <= score <= SAFE:
        return "grey"
    return "safe" if score > SAFE else "distress"


def asked(risk: Tier) -> Sequence[Condition]:
    """Return what a contract must hold for a tier, the minimum first."""
    minimum: tuple[Condition, ...] = ("store", "tags", "interface", "export")
    if risk == "safe":
        return (*minimum, "milestones")
    if risk == "grey":
        return (*minimum, "milestones", "escrow_deposited")
    return (*minimum, "milestones", "escrow_deposited", "escrow_verified", "second_supplier")


def open_conditions(solution: Solution, risk: Tier, agreed: frozenset[Condition]) -> Sequence[Condition]:
    """Return the conditions that are neither met by a solution nor agreed in its contract, in order."""
    return unmet(asked(risk), solution.continuity, solution.escrow, agreed)


def unmet(
    wanted: Iterable[Condition], kept: Collection[str], escrow: Level, agreed: Collection[Condition]
) -> Sequence[Condition]:
    """Return which of some conditions are neither met nor agreed, in their order.

    Args:
        wanted: What a contract has to hold.
        kept: What of the minimum the solution has by itself.
        escrow: How far its deposit is.
        agreed: What the contract holds.
    """
    met: set[str] = {*agreed, *(CONTINUITY & set(kept))}
    met |= {"escrow_deposited"} if ESCROW[escrow] >= ESCROW["deposited"] else set()
    met |= {"escrow_verified"} if ESCROW[escrow] >= ESCROW["verified"] else set()
    return [one for one in wanted if one not in met]
