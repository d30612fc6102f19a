"""The catalogue's files in the tables that others refer to: measures, what they need, funding programmes.

An entry that goes out of the files is retired, never deleted: roadmaps and records keep its name for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from techsquare.registry.advice import Funding, Measure
from techsquare.registry.store import add
from techsquare.registry.suppliers import Capability, MeasureCapability

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.base import Base

IRI = "urn:techsquare:capability:"


def sync(session: Session, catalogue: Catalogue, on: date) -> int:
    """Bring the tables to what the files say; return how many rows were new or changed. A second run finds none."""
    changed = 0
    for entry in catalogue.entries:
        changed += _put(
            session, Measure, entry.id,
            family=entry.id, title_ko=entry.ko, title_en=entry.en, cost_low=entry.cost.low,
            cost_high=entry.cost.high, body=entry.model_dump(mode="json"), source=entry.cost.source,
            retired_on=None,
        )  # fmt: skip
    for capability in sorted({c.id for entry in catalogue.entries for c in entry.capabilities}):
        changed += _put(
            session, Capability, capability, iri=IRI + capability, label_ko=capability, label_en=capability
        )
    for entry in catalogue.entries:
        for need in entry.capabilities:
            ranges = {p.name: {"low": p.low, "high": p.high, "words": sorted(p.words)} for p in need.properties}
            changed += _put(session, MeasureCapability, (entry.id, need.id), needed=ranges)
    for call in catalogue.programmes:
        changed += _put(
            session, Funding, call.id,
            title_ko=call.ko, title_en=call.en, share=call.share, cap=call.cap, opens=call.opens,
            closes=call.closes, vat=call.vat, upfront=call.upfront, after_months=call.after_months,
            eligible=[[name, share] for name, share in sorted(call.eligible.items())], source=call.source,
        )  # fmt: skip
    here = {entry.id for entry in catalogue.entries}
    for gone in session.scalars(select(Measure).where(Measure.retired_on.is_(None), Measure.id.not_in(here))):
        gone.retired_on = on
        changed += 1
    return changed


def _put(session: Session, model: type[Base], key: str | tuple[str, str], **values: Any) -> int:
    found = session.get(model, key)
    if found is None:
        names = [c.name for c in model.__table__.primary_key.columns]  # type: ignore[attr-defined]
        keys: Mapping[str, str] = dict(zip(names, (key,) if isinstance(key, str) else key, strict=True))
        add(session, model(**keys, **values))
        return 1
    moved = {name: value for name, value in values.items() if getattr(found, name) != value}
    for name, value in moved.items():
        setattr(found, name, value)
    return 1 if moved else 0
