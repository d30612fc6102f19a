"""The list of one item: made anew, explained line by line, and why a named supplier is not on it.

An owner or mentor may have it made at any time. The first line is what a night would show; lines of fair exposure
may differ, because a night sees all items. Only solutions for the item's measure are read, which is what makes an
answer take a fraction of a second in a market of any size.

A line is explained when somebody asks. What it rests on is kept: the seed is the day's, a registered version and a
plan are never changed, and outcomes have the instant since which they are known. So the figures can be computed
again, and the answer says whether they are the stored ones. Slots, consents and exclusions are those of now: where
they do not allow the line any more, the answer says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from techsquare.matching.constraints import checks
from techsquare.matching.whynot import Reasons
from techsquare.registry import tables as t
from techsquare.registry.audit import in_bulk, row_hash
from techsquare.registry.dialect import insert_all
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.days import day_of
from techsquare.services.exposure import showings, store
from techsquare.services.market import market
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, seen
from techsquare.services.shops import Open
from techsquare.services.slots import live

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.matching.night import Night, Offer
    from techsquare.matching.terms import Rate
    from techsquare.registry.audit import Actor
    from techsquare.services.rights import Caller


def for_item(session: Session, caller: Caller, catalogue: Catalogue, item: str) -> dict[str, Any]:
    """Make the list of one item anew, store it, and return what is said of it.

    Raises:
        RefusedError: `not_there`; `not_open`; `answered`: one of its offers is wanted, or has a place in a round;
            `outdated`: its plan says nothing of it.
    """
    row = seen(session, caller, t.RoadmapItem, item)
    for_factory(session, caller, row.factory_id)
    return make(session, catalogue, item, caller.now, caller.actor(row.factory_id))


def make(session: Session, catalogue: Catalogue, item: str, now: int, actor: Actor) -> dict[str, Any]:
    """Make the list of an item anew, for whom nobody has to be asked.

    Raises:
        RefusedError: As `for_item`.
    """
    row = session.get(t.RoadmapItem, item, with_for_update=True)
    if row is None:
        raise RefusedError("not_there")
    if row.state not in {"open", "offered"}:
        raise RefusedError("not_open", state=row.state)
    old = session.scalars(live(item)).all()
    if any(one.answer == "wanted" or one.round_id is not None for one in old):
        raise RefusedError("answered")
    on = day_of(now)
    night, given = _alone(session, catalogue, row, now)
    for one in old:
        one.ended_at = now
    session.flush()
    offers = [_stored(night, one, row, now) for one in night.offers()]
    word, best = night.advice(item)
    row.state, row.advice = ("offered" if offers else "open"), word
    add(session, *offers)
    _keep_failed(session, row, _failed(night, given, row, {one.version_id for one in offers}, now), actor)
    before = {one.supplier_id for one in old if day_of(one.shown_at) == on}
    store(session, on, showings(night, without=before))
    return {"item": item, "advice": word, "best": best, "offers": [one.id for one in offers]}


def explained(session: Session, caller: Caller, catalogue: Catalogue, offer: str) -> dict[str, Any]:
    """Return why an offer stands where it does: what it passed, its worth, the record behind it.

    Returns:
        `same`: whether today's computing gives the figures that were stored. `failed`: the constraints that it
        does not meet any more; then there is no more to say.

    Raises:
        RefusedError: `not_there`; `outdated`: its plan says nothing of the item.
    """
    row = seen(session, caller, t.Offer, offer)
    for_factory(session, caller, row.factory_id)
    item = session.get_one(t.RoadmapItem, row.item_id)
    night, _ = _alone(session, catalogue, item, row.shown_at)
    if row.version_id not in night.columns.solution_at:
        return {"offer": offer, "same": False, "failed": ["active"]}
    failed = [one["constraint"] for one in _checks(night, item.id, row.version_id) if not one["holds"]]
    if failed:
        return {"offer": offer, "same": False, "failed": failed}
    told = night.match(item.id, row.version_id)
    same = told.worth is not None and abs(told.worth.q10 - row.q10) < 1 and abs(told.worth.mean - row.mean) < 1
    return {"offer": offer, "same": same, "failed": [], **plain(told)}


def why_not(
    session: Session, caller: Caller, catalogue: Catalogue, item: str, supplier: str
) -> list[dict[str, Any]]:
    """Return, for each solution of a supplier for an item's measure, why it is not on the list as it would be now.

    Raises:
        RefusedError: `not_there`; `no_candidates`: the supplier has no registered solution for the measure.
    """
    row = seen(session, caller, t.RoadmapItem, item)
    for_factory(session, caller, row.factory_id)
    night, _ = _alone(session, catalogue, row, caller.now)
    own = [one.id for one in night.columns.solutions if one.supplier == supplier]
    if not own:
        raise RefusedError("no_candidates")
    told = Reasons(night.lists, night.values)
    return [
        {"version": name, **plain(told.why_not(item, name)), "checks": _checks(night, item, name)}
        for name in sorted(own)
    ]


def kept_of(rate: Rate) -> dict[str, Any]:
    """Return what is kept of the record behind an offer."""
    return {"record": {"mean": rate.mean, "low": rate.low, "high": rate.high, "n": rate.n}}


def terms_of(one: Offer) -> dict[str, float]:
    """Return the terms of an offer's mean worth in won."""
    return {"gain": one.gain, "price": one.price, "yearly": one.yearly, "leaving": one.leaving}


def _alone(session: Session, catalogue: Catalogue, row: t.RoadmapItem, at: int) -> tuple[Night, Iterable[str]]:
    """Return the night of one item, and the solutions for its measure."""
    one = Open(row.id, row.factory_id, row.roadmap_id, row.measure_id, row.machine_id, row.most_won)
    on = day_of(at)
    found = market(session, catalogue, [one], on, at)
    if not found.items:
        raise RefusedError("outdated")
    return found.night(on), [one.id for one in found.solutions]


def _stored(night: Night, one: Offer, row: t.RoadmapItem, now: int) -> t.Offer:
    columns = night.columns
    supplier = columns.solutions[columns.solution_at[one.solution]].supplier
    return t.Offer(
        id=new_id(), item_id=row.id, factory_id=row.factory_id, version_id=one.solution, supplier_id=supplier,
        measure_id=row.measure_id, slot=one.slot, shown_by=one.by, cost=float(one.cost), q10=one.q10, mean=one.mean,
        q90=one.q90, terms=terms_of(one), reasons=kept_of(one.rate), shown_at=now,
    )  # fmt: skip


def _checks(night: Night, item: str, solution: str) -> list[dict[str, Any]]:
    columns = night.columns
    s = columns.solution_at[solution]
    told = checks(
        columns.items[columns.item_at[item]], columns.solutions[s], columns.suppliers[columns.supplier_of[s]]
    )
    return [{"constraint": one.constraint, "holds": one.holds, "evidence": one.evidence} for one in told]


_FAILED = ("id", "item_id", "factory_id", "version_id", "at", "failed", "evidence", "short_by")


def _failed(
    night: Night, given: Iterable[str], row: t.RoadmapItem, shown: set[str], now: int
) -> list[tuple[Any, ...]]:
    """Return what keeps the other solutions for the item's measure from its list; columns of `failed_pair`."""
    told = Reasons(night.lists, night.values)
    kept = []
    for name in given:
        if name in shown:
            continue
        why = told.why_not(row.id, name)
        evidence = {c["constraint"]: c["evidence"] for c in _checks(night, row.id, name) if not c["holds"]}
        kept.append(
            (
                new_id(), row.id, row.factory_id, name, now, list(evidence), evidence,
                None if why.gap is None else max(0, why.gap),
            )
        )  # fmt: skip
    return kept


def _keep_failed(session: Session, item: t.RoadmapItem, rows: list[tuple[Any, ...]], actor: Actor) -> None:
    """Put an item's pairs in the place of those that were kept: hundreds in a large family, one audit entry."""
    quiet = {"synchronize_session": False}
    session.execute(delete(t.Failed).where(t.Failed.item_id == item.id).execution_options(**quiet))
    insert_all(session.connection(), t.Failed.__table__, _FAILED, rows)  # type: ignore[arg-type]
    if rows:
        said = f"{item.id} {len(rows)} pairs"
        in_bulk(session, actor, "failed_pair", said, row_hash({"rows": rows}), item.factory_id)
