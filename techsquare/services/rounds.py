"""Rounds where places are scarce: prepared, tried, held, published; the seed stands in the round before it opens.

    planned -> open -> closed -> published

A factory takes part with one item: of those that have a list, the one of the earliest phase. Its list is in the
order of worth. A supplier has the places that are free in the round's quarter, and on probation no more than that
allows. A factory that nobody on its list could take may get a free place of another supplier that is possible for
its item and worth something (`matching.rounds`). What a trial says is stored nowhere.

Publishing takes the slots: a place is the factory's until it is declined, and then the slot is free again. A place
out of the leftovers becomes an offer of its own. Who got none keeps its list.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from techsquare.matching import rounds
from techsquare.matching.constraints import places
from techsquare.matching.terms import Wish
from techsquare.registry import tables as t
from techsquare.registry.dialect import among
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.days import day_of
from techsquare.services.lists import kept_of
from techsquare.services.market import free_slots, market, open_items, suppliers
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.regions import farthest, kilometres
from techsquare.services.rights import need, seen
from techsquare.services.slots import live

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.matching.night import Night
    from techsquare.matching.terms import Round
    from techsquare.services.rights import Caller

RULE = (
    "1 fit test passed before unknown; 2 nearer, in steps of 50 km between the seats of provinces, unknown as the "
    "farthest; 3 less work, in working days of the measure's duration in the catalogue; "
    "4 sha256 of seed, factory and supplier"
)
FORWARD = {"planned": "open", "open": "closed"}
WORKDAYS = 21.0
"""Of a month."""
LINES = 3


@dataclass(frozen=True, slots=True)
class Entrant:
    """A factory's item in a round, and the offers on its list, best first."""

    item: str
    factory: str
    measure: str
    offers: tuple[Any, ...]


def prepare(session: Session, caller: Caller, quarter: str, opens: date, closes: date) -> t.Round:
    """Announce a round, with its rule and its seed.

    Raises:
        RefusedError: `wrong_role`.
    """
    need(caller, "operator")
    row = t.Round(
        id=new_id(), quarter=quarter, opens=opens, closes=closes, state="planned", rule=RULE,
        seed=secrets.token_hex(16),
    )  # fmt: skip
    add(session, row)
    return row


def forward(session: Session, caller: Caller, catalogue: Catalogue, key: str) -> t.Round:
    """Open a planned round, close an open one: at its closing it is held, and the result kept.

    Raises:
        RefusedError: `wrong_role`, `not_there`, `round_state`.
    """
    row = _round(session, caller, key)
    if row.state not in FORWARD:
        raise RefusedError("round_state", state=row.state)
    row.state = "open" if row.state == "planned" else "closed"
    if row.state == "closed":
        row.result = plain(held(session, catalogue, row, caller.now))
    return row


def simulate(session: Session, caller: Caller, catalogue: Catalogue, key: str) -> dict[str, Any]:
    """Say what the round would give if it were held now; nothing is kept.

    Raises:
        RefusedError: `wrong_role`, `not_there`.
    """
    found: dict[str, Any] = plain(held(session, catalogue, _round(session, caller, key), caller.now))
    return found


def publish(session: Session, caller: Caller, catalogue: Catalogue, key: str) -> t.Round:
    """Publish a closed round: its places stand in the offers, and take slots.

    A place whose item was taken or dropped since is left out, and so is one whose supplier has no slot any more: it
    is named in the result as lapsed.

    Raises:
        RefusedError: `wrong_role`, `not_there`, `round_state`.
    """
    row = _round(session, caller, key)
    if row.state != "closed" or row.result is None:
        raise RefusedError("round_state", state=row.state)
    wanted = [place["item"] for place in row.result["places"]]
    locked = select(t.RoadmapItem.id).where(among(session, t.RoadmapItem.id, wanted)).with_for_update()
    session.execute(locked.order_by(t.RoadmapItem.id))  # or a night would end the places' offers meanwhile
    free = {one.id: one for one in open_items(session, wanted)}
    lapsed = []
    nights: dict[str, Night] = {}
    for place in row.result["places"]:
        slot = session.get(t.Slot, (place["supplier"], row.quarter), with_for_update=True)
        most = 0 if slot is None else slot.declared if slot.most is None else min(slot.declared, slot.most)
        offer = _offer(session, place) if place["item"] in free else None
        if place["item"] in free and offer is None and slot is not None and slot.used < most:
            if not nights:
                items = [free[one["item"]] for one in row.result["places"] if one["item"] in free]
                found = market(session, catalogue, items, day_of(caller.now))
                nights[row.id] = found.night(day_of(caller.now))
            offer = _placed(session, nights[row.id], place, caller.now)
        if offer is None or slot is None or slot.used >= most:
            lapsed.append({"factory": place["factory"], "supplier": place["supplier"]})
            continue
        slot.used += 1
        offer.round_id = row.id
    row.result = {**row.result, "lapsed": lapsed}
    row.state, row.published_at = "published", caller.now
    return row


def held(session: Session, catalogue: Catalogue, row: t.Round, now: int) -> Round:
    """Return what a round gives now: acceptance first, and then what is possible for those who are left."""
    entrants = _entrants(session)
    wishes = _wishes(session, catalogue, entrants)
    free = _places(session, row)
    first = rounds.run(wishes, [], free, seed=row.seed)
    served = {place.factory for place in first.places}
    left = [one for one in entrants if one.factory not in served]
    taken = Counter(place.supplier for place in first.places)
    still = {name for name, places_ in free.items() if places_ > taken[name]}
    if not left or not still:
        return first
    return rounds.run(wishes, _others(session, catalogue, left, wishes, still, now), free, seed=row.seed)


def _round(session: Session, caller: Caller, key: str) -> t.Round:
    need(caller, "operator")
    return seen(session, caller, t.Round, key)


def _entrants(session: Session) -> list[Entrant]:
    """Return factories with the lists of their items, by factory."""
    offer, item = t.Offer, t.RoadmapItem
    shown = session.execute(
        select(
            offer.id, offer.item_id, offer.factory_id, offer.supplier_id, offer.version_id, offer.measure_id,
            offer.q10, item.phase,
        )
        .join(item, item.id == offer.item_id)
        .where(offer.ended_at.is_(None), item.state == "offered")
        .order_by(offer.factory_id, item.phase, offer.item_id, offer.q10.desc(), offer.id)
    ).all()  # fmt: skip
    settled = {one.item_id for one in shown} - {one.id for one in open_items(session)}
    found: dict[str, list[Any]] = {}
    for one in shown:
        mine = found.setdefault(one.factory_id, [])
        if one.item_id not in settled and (not mine or mine[0].item_id == one.item_id):
            mine.append(one)
    return [
        Entrant(lines[0].item_id, factory, lines[0].measure_id, tuple(lines))
        for factory, lines in found.items()
        if lines
    ]


def _wishes(session: Session, catalogue: Catalogue, entrants: Sequence[Entrant]) -> list[Wish]:
    names = {one.factory for one in entrants}
    passed = _passed(session, names)
    far = _Far(session, names)
    days = _days(catalogue)
    wishes = []
    for entrant in entrants:
        suppliers: set[str] = set()
        for offer in entrant.offers:
            if offer.supplier_id in suppliers:
                continue
            wishes.append(
                Wish(
                    item=entrant.item, factory=entrant.factory, supplier=offer.supplier_id, order=len(suppliers),
                    fit="pass" if (entrant.factory, offer.version_id) in passed else "unknown",
                    distance_km=far.between(entrant.factory, offer.supplier_id),
                    load_days=days.get(entrant.measure, max(days.values(), default=0.0)), merit=round(offer.q10),
                )
            )  # fmt: skip
            suppliers.add(offer.supplier_id)
    return wishes


def _others(
    session: Session,
    catalogue: Catalogue,
    left: Sequence[Entrant],
    wishes: Sequence[Wish],
    still: set[str],
    now: int,
) -> list[Wish]:
    """Return what is possible for factories beside their lists, with suppliers that still have places."""
    on = day_of(now)
    found = market(session, catalogue, open_items(session, [one.item for one in left]), on)
    if not found.items:
        return []
    night = found.night(on)
    columns, names = night.columns, {one.factory for one in left}
    listed = {(wish.factory, wish.supplier) for wish in wishes}
    passed, far, days = _passed(session, names), _Far(session, names), _days(catalogue)
    best: dict[tuple[str, str], Wish] = {}
    for items, solutions in columns.candidates():
        known = night.values.known[solutions]
        rows, offered = items[known], solutions[known]
        merits = night.values.merit(rows, offered)
        fine = merits >= 0
        for i, s, merit in zip(rows[fine].tolist(), offered[fine].tolist(), merits[fine].tolist(), strict=True):
            item, solution = columns.items[i], columns.solutions[s]
            key = item.factory, solution.supplier
            if (
                solution.supplier not in still
                or key in listed
                or (key in best and (best[key].merit, solution.id) >= (merit, solution.id))
            ):
                continue
            best[key] = Wish(
                item=item.id, factory=item.factory, supplier=solution.supplier, order=LINES,
                fit="pass" if (item.factory, solution.id) in passed else "unknown",
                distance_km=far.between(*key), load_days=days.get(item.measure, 0.0), merit=merit,
            )  # fmt: skip
    return [best[key] for key in sorted(best)]


def _places(session: Session, row: t.Round) -> dict[str, int]:
    """Return how many projects each supplier can begin in the round's quarter, its probation counted."""
    free = free_slots(session, row.quarter)
    return {one.id: places(one) for one in suppliers(session, set(free), free) if one.active}


def _passed(session: Session, factories: set[str]) -> set[tuple[str, str]]:
    row = t.FitCheck
    asked = select(row.factory_id, row.version_id).where(
        row.result == "pass", among(session, row.factory_id, factories)
    )
    return {(factory, version) for factory, version in session.execute(asked)}


def _days(catalogue: Catalogue) -> Mapping[str, float]:
    """Return the working days that a measure takes from its beginning to its use."""
    return {entry.id: entry.months * WORKDAYS for entry in catalogue.entries}


class _Far:
    """Distances of some factories from suppliers, by the regions that both have told."""

    def __init__(self, session: Session, factories: set[str]) -> None:
        asked = select(t.Factory.id, t.Factory.region).where(among(session, t.Factory.id, factories))
        self._here: dict[str, str] = {name: region for name, region in session.execute(asked)}  # noqa: C416 - rows, not pairs
        self._there = {
            name: tuple(regions) for name, regions in session.execute(select(t.Supplier.id, t.Supplier.regions))
        }
        self._known: dict[tuple[str, tuple[str, ...]], float] = {}

    def between(self, factory: str, supplier: str) -> float:
        key = self._here[factory], self._there.get(supplier, ())
        if key not in self._known:
            self._known[key] = kilometres(*key) if all(key) else farthest()
        return self._known[key]


def _offer(session: Session, place: Mapping[str, Any]) -> t.Offer | None:
    return session.scalars(
        select(t.Offer)
        .where(
            t.Offer.item_id == place["item"],
            t.Offer.supplier_id == place["supplier"],
            t.Offer.ended_at.is_(None),
        )
        .order_by(t.Offer.slot)
    ).first()


def _placed(session: Session, night: Night, place: Mapping[str, Any], now: int) -> t.Offer | None:
    """Make an offer of a place out of the leftovers, in a free line of the item's list or in place of its last."""
    columns = night.columns
    i = columns.item_at[place["item"]]
    able = [
        s
        for s, one in enumerate(columns.solutions)
        if one.supplier == place["supplier"]
        and not columns.failed(np.array([i]), np.array([s]))[0]
        and night.values.known[s]
    ]
    if not able:
        return None
    merit = night.values.merit(np.full(len(able), i), np.array(able)).tolist()
    won, s = max(zip(merit, able, strict=True))
    told = night.match(place["item"], columns.solutions[s].id)
    if told.worth is None or won < 0:
        return None
    item = session.get_one(t.RoadmapItem, place["item"])
    here = session.scalars(live(item.id).order_by(t.Offer.slot)).all()
    slots = set(range(1, LINES + 1)) - {one.slot for one in here}
    if not slots:
        here[-1].ended_at = now
        session.flush()
        slots = {here[-1].slot}
    best = int(night.lists.edges.best[i])
    offer = t.Offer(
        id=new_id(), item_id=item.id, factory_id=item.factory_id, version_id=columns.solutions[s].id,
        supplier_id=place["supplier"], measure_id=item.measure_id, slot=min(slots), shown_by="round",
        cost=float(max(0, best - won)), q10=told.worth.q10, mean=told.worth.mean, q90=told.worth.q90,
        terms=dict(told.worth.terms), reasons=kept_of(told.record), shown_at=now,
    )  # fmt: skip
    add(session, offer)
    return offer
