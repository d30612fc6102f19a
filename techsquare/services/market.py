"""The market of a moment: rows made into the terms of matching, a table at a time.

A market of 100,000 factories has a million rows that matching looks at. They are read by a handful of statements
for all of them, columns instead of objects, and the same few sets (what a process needs, what an owner has agreed
to) are shared by all rows that have them: `matching.columns` looks at each once.

What nobody knows never excludes: an item whose process or protocols are not known has the word `unknown`, and every
solution takes it. That a solution is for the item's measure is a capability like any other, so that solutions of
one family are all that a single item needs.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import Text, and_, cast, func, select

from techsquare.matching.exposure import WINDOW_DAYS, Day, Ledger
from techsquare.matching.night import matched
from techsquare.matching.terms import Item, Property, Solution, Supplier
from techsquare.registry import tables as t
from techsquare.registry.dialect import among
from techsquare.services import shelf
from techsquare.services.days import quarter
from techsquare.services.outcomes import counted, decided
from techsquare.services.shops import UNKNOWN, Open, Shops
from techsquare.span import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.matching.night import Night
    from techsquare.matching.terms import Counted, Level

CHUNK = 2_000
"""Plans that are fetched together: they are the largest rows."""
NO_MONEY = 10**15  # won; an item without a band of what can be paid is not held back by a price
Properties = dict[str, Property]


class Market(NamedTuple):
    """Everything that a night takes. Items whose plan says nothing of them are left out."""

    items: Sequence[Item]
    solutions: Sequence[Solution]
    suppliers: Sequence[Supplier]
    counts: Mapping[tuple[str, str], Counted]
    priors: Mapping[str, tuple[float, float]]
    ledger: Ledger

    def night(self, on: date) -> Night:
        """Return the lists that are made of it on a day."""
        return matched(
            self.items, self.solutions, self.suppliers, counts=self.counts, priors=self.priors,
            ledger=self.ledger, on=on, seed=seed_of(on),
        )  # fmt: skip


def seed_of(on: date) -> str:
    """Return the seed of a day's lists; everybody can say it, and nobody chooses his id after it."""
    return f"night-{on.isoformat()}"


def open_items(session: Session, names: Iterable[str] | None = None) -> list[Open]:
    """Return open items by id: all, or some by name. One with an offer that is wanted or has a place is settled."""
    row = t.RoadmapItem
    settled = select(t.Offer.item_id).where(
        t.Offer.ended_at.is_(None), (t.Offer.answer == "wanted") | t.Offer.round_id.is_not(None)
    )
    asked = select(row.id, row.factory_id, row.roadmap_id, row.measure_id, row.machine_id, row.most_won).where(
        row.state.in_(("open", "offered")), row.id.not_in(settled)
    )
    if names is not None:
        asked = asked.where(among(session, row.id, names))
    return [Open._make(one) for one in session.connection().execute(asked.order_by(row.id))]


def market(session: Session, catalogue: Catalogue, rows: Sequence[Open], on: date, at: int | None = None) -> Market:
    """Return the market for some items on a day.

    Args:
        session: For reading.
        catalogue: What measures need, and gain before outcomes are known.
        rows: The items.
        on: The day: quarter of the slots, end of the ledger.
        at: Outcomes that were known at this instant (ns since 1970); None: all.
    """
    families = {row.measure for row in rows}
    solutions = _solutions(session, families, on)
    return Market(
        items=list(_items(session, catalogue, rows, on)),
        solutions=solutions,
        suppliers=suppliers(session, {one.supplier for one in solutions}, free_slots(session, quarter(on))),
        counts=counted(session, at),
        priors={
            entry.id: (
                sum(gain.mean for gain in entry.gains) / len(entry.gains),
                sum(gain.sd for gain in entry.gains) / len(entry.gains),
            )
            for entry in catalogue.entries
            if entry.gains
        },
        ledger=ledger(session, on),
    )


def ledger(session: Session, on: date) -> Ledger:
    """Return the nights of the window before a day."""
    since = on - timedelta(days=WINDOW_DAYS)
    shown: dict[date, dict[str, int]] = defaultdict(dict)
    asked = select(t.Showing.day, t.Showing.supplier_id, t.Showing.shown).where(
        t.Showing.day >= since, t.Showing.day < on
    )
    for day, supplier, count in session.execute(asked):
        shown[day][supplier] = count
    return Ledger(
        {
            day: Day({name: count for name, count in rows.items() if count}, frozenset(rows))
            for day, rows in sorted(shown.items())
        }
    )


def for_measure(measure: str) -> str:
    """Return the capability of being for a measure at all."""
    return f"measure:{measure}"


class _Loss(msgspec.Struct):
    low: float
    high: float


class _Said(msgspec.Struct):
    loss: _Loss
    needs: list[str]


class _Body(msgspec.Struct):
    items: dict[str, _Said] = {}


_DECODER = msgspec.json.Decoder(_Body)


def _items(session: Session, catalogue: Catalogue, rows: Sequence[Open], on: date) -> Iterator[Item]:
    shops = Shops(session, rows, on)
    needed: dict[str, Mapping[str, Properties]] = defaultdict(dict)
    for entry in catalogue.entries:
        needed[entry.id] = {
            c.id: {p.name: Property(p.low, p.high, frozenset(p.words)) for p in c.properties}
            for c in entry.capabilities
        }
    families = {row.measure for row in rows}
    capabilities = {name: {**needed[name], for_measure(name): {}} for name in families}
    nothing: frozenset[str] = frozenset()
    of_roadmap: dict[str, list[Open]] = defaultdict(list)
    for row in rows:
        of_roadmap[row.roadmap].append(row)
    asked = select(t.Roadmap.id, cast(t.Roadmap.body, Text)).where(among(session, t.Roadmap.id, of_roadmap))
    for roadmap, text in _plans(session, asked.order_by(t.Roadmap.id)):
        try:
            said = _DECODER.decode(text).items
        except msgspec.DecodeError:  # a plan that was not made by `services.roadmap` says nothing of use
            continue
        for row in of_roadmap[roadmap]:
            about = said.get(row.named)
            if about is None:
                continue
            factory = row.factory
            yield Item(
                id=row.id, factory=factory, measure=row.measure, family=row.measure,
                capabilities=capabilities[row.measure], process=shops.process(row),
                interfaces=shops.interfaces(row), region=shops.region[factory],
                most_won=NO_MONEY if row.most_won is None else row.most_won,
                loss=Span(about.loss.low, about.loss.high),
                missing_prerequisites=frozenset(about.needs) - shops.standing.get(factory, nothing),
                consents=shops.consents.get(factory, nothing), excluded=shops.excluded.get(factory, nothing),
                related=shops.related.get(factory, nothing), fit=shops.fit.get(factory, {}),
            )  # fmt: skip


def _plans(session: Session, asked: Any) -> Iterator[Any]:
    yield from session.connection().execute(asked.execution_options(yield_per=CHUNK))


def _solutions(session: Session, families: Iterable[str], on: date) -> list[Solution]:
    """Return the registered versions that have a place on the day: all that lists look at."""
    version, able, laid = t.SolutionVersion, t.VersionCapability, t.EscrowDeposit
    placed = {name for names in shelf.placed(session, families, on).values() for name in names}
    mine = and_(version.state == "registered", among(session, t.Solution.family, families))
    offered: dict[str, dict[str, Properties]] = defaultdict(dict)
    asked = (
        select(able.version_id, able.capability_id, able.properties)
        .join(version, version.id == able.version_id)
        .join(t.Solution, t.Solution.id == version.solution_id)
        .where(mine)
    )
    for name, capability, properties in session.execute(asked):
        offered[name][capability] = {
            key: Property(value.get("low"), value.get("high"), frozenset(value.get("words") or ()))
            for key, value in properties.items()
        }
    escrow: dict[str, Level] = {}
    for name, level in session.execute(
        select(laid.version_id, laid.level).where(laid.engagement_id.is_(None), laid.version_id.is_not(None))
    ):
        if level == "verified" or name not in escrow:
            escrow[name] = level
    rows = session.execute(
        select(version.__table__, t.Solution.family)
        .join(t.Solution, t.Solution.id == version.solution_id)
        .where(mine)
        .order_by(version.id)
    )
    return [
        Solution(
            id=row.id, supplier=row.supplier_id, family=row.family, version=row.version,
            capabilities={**offered.get(row.id, {}), for_measure(row.family): {}},
            processes=frozenset({*row.processes, UNKNOWN}),
            interfaces=frozenset({*row.interfaces, UNKNOWN} if row.interfaces else ()),
            regions=frozenset(row.regions), remote=row.remote, price=Span(row.price_low, row.price_high),
            yearly=Span(row.yearly_low, row.yearly_high), exit_cost=Span(row.exit_low, row.exit_high),
            needs_consent=frozenset(row.needs_consent), continuity=frozenset(row.continuity),
            escrow=escrow.get(row.id, "none"),
        )
        for row in rows
        if row.id in placed
    ]  # fmt: skip


def free_slots(session: Session, of: str) -> dict[str, int]:
    """Return how many projects each supplier can still begin in a quarter; one that is not there has none."""
    rows = select(t.Slot.supplier_id, t.Slot.declared, t.Slot.most, t.Slot.used).where(t.Slot.quarter == of)
    return {
        supplier: max(0, (declared if most is None else min(declared, most)) - used)
        for supplier, declared, most, used in session.execute(rows)
    }


def suppliers(session: Session, names: set[str], slots: Mapping[str, int]) -> list[Supplier]:
    """Return suppliers as matching sees them, with so many free slots each; one that is not there has none."""
    project = t.Engagement
    ours = among(session, project.supplier_id, names)
    verified = _counts(session, select(project.supplier_id, func.count()).where(ours, project.id.in_(decided())))
    begun = _counts(
        session,
        select(project.supplier_id, func.count()).where(
            ours, project.state != "ended", project.id.not_in(decided())
        ),
    )
    rows = session.execute(
        select(t.Supplier.id, t.Supplier.state, t.Supplier.size, t.Supplier.parties, t.Party.owner_group)
        .join(t.Party, t.Party.id == t.Supplier.id)
        .where(among(session, t.Supplier.id, names))
        .order_by(t.Supplier.id)
    )
    return [
        Supplier(
            id=row.id, active=row.state == "active",
            parties=frozenset(name for name in (row.id, row.owner_group, *(row.parties or ())) if name),
            slots=slots.get(row.id, 0), verified=verified.get(row.id, 0), open=begun.get(row.id, 0), size=row.size,
        )
        for row in rows
    ]  # fmt: skip


def _counts(session: Session, asked: Any) -> dict[str, int]:
    return {name: int(count) for name, count in session.execute(asked.group_by(t.Engagement.supplier_id))}
