"""A night on both databases: what is read is what was drawn, and what is stored is what the engine says."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from techsquare.matching.exposure import Ledger
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.policy import Reader
from techsquare.services import lists, night, nights, offers
from techsquare.services.days import DAY_NS, day_of
from techsquare.services.market import Market as Read
from techsquare.services.market import ledger, market, open_items
from techsquare.services.refused import RefusedError
from techsquare.services.rights import Caller
from tests.techsquare.market.conftest import NOW
from tests.techsquare.market.rows import put

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry
    from tests.techsquare.matching.market import Market

ME = Actor("test")


def live(registry: Registry) -> list[Any]:
    """Return the offers that are shown, by item and slot."""
    with registry.reading() as session:
        asked = select(t.Offer).where(t.Offer.ended_at.is_(None)).order_by(t.Offer.item_id, t.Offer.slot)
        return list(session.scalars(asked))


def test_what_is_read_is_what_was_drawn(registry: Registry, told: Market) -> None:
    known = put(registry, told, NOW)
    with registry.reading() as session:
        found = market(session, known, open_items(session), day_of(NOW))
    assert sorted(found.items, key=lambda one: one.id) == sorted(told.items, key=lambda one: one.id)
    assert sorted(found.solutions, key=lambda one: one.id) == sorted(told.solutions, key=lambda one: one.id)
    assert found.suppliers == sorted(told.suppliers, key=lambda one: one.id)
    assert found.counts == told.counts
    assert found.priors == told.priors
    assert found.ledger == Ledger()


def test_a_night_stores_what_the_engine_says_and_another_one_takes_its_place(
    registry: Registry, told: Market
) -> None:
    known = put(registry, told, NOW)
    shares: list[float] = []
    said = nights.every(registry, known, NOW, shares.append, ME)
    assert shares == sorted(shares)
    on = day_of(NOW)
    wanted = Read(told.items, told.solutions, told.suppliers, told.counts, told.priors, Ledger()).night(on)
    lines = sorted(wanted.offers(), key=lambda one: (one.item, one.slot))
    stored = live(registry)
    assert len(stored) == len(lines) == said["offers"] > 100
    for row, line in zip(stored, lines, strict=True):
        assert (row.item_id, row.slot, row.version_id, row.shown_by) == (
            line.item, line.slot, line.solution, line.by,
        )  # fmt: skip
        assert (row.q10, row.mean, row.q90, row.cost) == (line.q10, line.mean, line.q90, line.cost)
        assert sum(row.terms.values()) == pytest.approx(row.mean)
        assert row.reasons["record"]["n"] == line.rate.n
    with registry.reading() as session:
        items = {row.id: row for row in session.scalars(select(t.RoadmapItem))}
        assert {key: row.advice for key, row in items.items()} == {
            one.id: wanted.advice(one.id)[0] for one in told.items
        }
        assert {key for key, row in items.items() if row.state == "offered"} == {one.item for one in lines}
        shown = {row.supplier_id: row.shown for row in session.scalars(select(t.Showing))}
        entries = session.execute(select(t.Audit.actor, t.Audit.row_key).where(t.Audit.table_name == "offer")).all()
    names = wanted.columns.suppliers
    edges = wanted.lists.edges
    assert shown == {
        names[at].id: int(count) for at, count in enumerate(wanted.lists.showings()) if edges.feasible[at] or count
    }
    assert 0 in shown.values()  # who could have been shown and was not
    assert [(one.actor, f"{len(lines)} offers" in one.row_key) for one in entries] == [("test", True)]
    assert said["advice"]["offers"] == len({one.item for one in lines})

    assert nights.due(registry, known, NOW + DAY_NS)["offers"] == 0  # lists stand
    wants, place = stored[0], next(one for one in stored if one.item_id != stored[0].item_id)
    _change(registry, wants.id, answer="wanted", answered_at=1)
    _round(registry, place.id)
    again = nights.every(registry, known, NOW + DAY_NS, shares.append, ME)
    now = live(registry)
    assert again["items"] == said["items"] - 2
    kept = {one.id for one in stored if one.item_id in {wants.item_id, place.item_id}}
    assert kept == {one.id for one in now} & {one.id for one in stored}
    with registry.reading() as session:
        found = ledger(session, day_of(NOW + 2 * DAY_NS))
    assert sum(found.shown(day_of(NOW + 2 * DAY_NS)).values()) == len(lines) + again["offers"]
    assert len(found.could(day_of(NOW + 2 * DAY_NS))) == len(shown)


def test_only_what_is_due_is_made_by_itself(registry: Registry, told: Market) -> None:
    known = put(registry, told, NOW)
    done = night.run(registry, known, NOW, lambda _: None)
    first = done["lists"]
    assert first["offers"] == len(live(registry))
    gone = live(registry)[0].version_id
    registry.decide(lambda s: _set(s.get_one(t.SolutionVersion, gone), state="withdrawn"), ME)
    with registry.reading() as session:
        hit = set(
            session.scalars(select(t.Offer.item_id).where(t.Offer.version_id == gone, t.Offer.ended_at.is_(None)))
        )
        silent = set(session.scalars(select(t.RoadmapItem.id).where(t.RoadmapItem.state == "open")))
    assert hit
    before = {one.id for one in live(registry)}
    assert nights.due(registry, known, NOW + DAY_NS)["items"] == len(hit | silent)
    assert {one.item_id for one in live(registry) if one.id not in before} <= hit | silent
    assert gone not in {one.version_id for one in live(registry)}
    late = nights.due(registry, known, NOW + 40 * DAY_NS)
    assert late["items"] == first["items"]


def test_one_item_has_the_first_line_of_the_night_and_its_pairs_are_kept(registry: Registry, told: Market) -> None:
    known = put(registry, told, NOW)
    nights.every(registry, known, NOW, lambda _: None, ME)
    stored = live(registry)
    first = next(one for one in stored if one.slot == 1)
    said = registry.decide(lambda s: lists.make(s, known, first.item_id, NOW + 1, ME), ME)
    assert said["advice"] == "offers"
    again = [one for one in live(registry) if one.item_id == first.item_id]
    assert (again[0].version_id, again[0].q10) == (first.version_id, first.q10)
    with registry.reading() as session:
        pairs = session.scalars(select(t.Failed).where(t.Failed.item_id == first.item_id)).all()
        shown = session.scalar(select(func.sum(t.Showing.shown)))
    family = [one for one in told.solutions if one.family == first.measure_id]
    assert {one.version_id for one in pairs} == {one.id for one in family} - {one.version_id for one in again}
    assert all(bool(one.failed) != (one.short_by is not None) for one in pairs)
    fresh = {one.supplier_id for one in again} - {one.supplier_id for one in stored if one.item_id == first.item_id}
    assert shown == len(stored) + len(fresh)  # the same line on the same day is no new showing
    _change(registry, again[0].id, answer="wanted", answered_at=1)
    with pytest.raises(RefusedError, match="answered"):
        registry.decide(lambda s: lists.make(s, known, first.item_id, NOW + 2, ME), ME)
    nights.every(registry, known, NOW + DAY_NS, lambda _: None, ME)


def test_the_order_of_rows_changes_nothing(registry: Registry, told: Market) -> None:
    turned = replace(told, items=told.items[::-1], solutions=told.solutions[::-1], suppliers=told.suppliers[::-1])
    known: Catalogue = put(registry, turned, NOW)
    nights.every(registry, known, NOW, lambda _: None, ME)
    wanted = Read(told.items, told.solutions, told.suppliers, told.counts, told.priors, Ledger()).night(day_of(NOW))
    assert {(one.item_id, one.slot, one.version_id) for one in live(registry)} == {
        (one.item, one.slot, one.solution) for one in wanted.offers()
    }


def test_what_is_wanted_while_a_night_is_stored_stays(registry: Registry, told: Market) -> None:
    known = put(registry, told, NOW)
    nights.every(registry, known, NOW, lambda _: None, ME)
    one = live(registry)[0]
    owner = Caller(Reader("u", frozenset({("owner", one.factory_id)})), NOW + 1)
    said, go = threading.Event(), threading.Event()

    def wants(session: Session) -> None:
        offers.answer(session, owner, one.id, "wanted", contact=False)
        session.flush()
        said.set()
        go.wait(2)  # it is said, and not yet committed, when the night stores its lists

    asking = threading.Thread(target=lambda: registry.decide(wants, ME))
    asking.start()
    assert said.wait(10)
    nights.every(registry, known, NOW + 2, lambda _: None, ME)
    asking.join()
    here = [(row.id, row.answer) for row in live(registry) if row.item_id == one.item_id]
    assert (one.id, "wanted") in here


def test_who_wants_an_offer_and_has_told_nobody_may_think_again(registry: Registry, told: Market) -> None:
    known = put(registry, told, NOW)
    nights.every(registry, known, NOW, lambda _: None, ME)
    one = live(registry)[0]
    owner = Caller(Reader("u", frozenset({("owner", one.factory_id)})), NOW + 1)

    def say(word: Any, *, contact: bool) -> Any:
        return registry.decide(lambda s: offers.answer(s, owner, one.id, word, contact=contact), ME)

    say("wanted", contact=False)
    row = say("declined", contact=False)
    assert (row.answer, row.ended_at) == ("declined", NOW + 1)
    other = next(row for row in live(registry) if row.item_id == one.item_id)
    registry.decide(lambda s: offers.answer(s, owner, other.id, "wanted", contact=True), ME)
    with pytest.raises(RefusedError, match="answered"):
        registry.decide(lambda s: offers.answer(s, owner, other.id, "declined", contact=False), ME)


def _change(registry: Registry, offer: str, **values: Any) -> None:
    registry.decide(lambda s: _set(s.get_one(t.Offer, offer), **values), ME)


def _set(row: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _round(registry: Registry, offer: str) -> None:
    def work(session: Any) -> None:
        row = t.Round(
            id="r", quarter="2026-Q3", opens=day_of(NOW), closes=day_of(NOW), state="planned", rule="", seed="s"
        )
        session.add(row)
        session.flush()
        session.get_one(t.Offer, offer).round_id = "r"

    registry.decide(work, ME)
