"""Offers that an item has now, and slots that places of a round have taken, given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Select, select

from techsquare.registry import tables as t

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def live(item: str) -> Select[t.Offer]:
    """Return what asks for the offers of an item that have not ended."""
    return select(t.Offer).where(t.Offer.item_id == item, t.Offer.ended_at.is_(None))


def released(session: Session, offer: t.Offer) -> None:
    """Give the slot of a place back: its offer was declined or has ended without a project."""
    if offer.round_id is None:
        return
    quarter = session.get_one(t.Round, offer.round_id).quarter
    slot = session.get(t.Slot, (offer.supplier_id, quarter), with_for_update=True)
    if slot is not None and slot.used:
        slot.used -= 1
