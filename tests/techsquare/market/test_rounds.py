"""A round where places are scarce: who is nearer, who is left over, and whose slot is taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from techsquare.matching.constraints import CONTINUITY
from techsquare.matching.terms import Counted, Supplier
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.policy import Reader
from techsquare.services import lists, nights, offers, projects, rounds
from techsquare.services.days import day_of, quarter
from techsquare.services.refused import RefusedError
from techsquare.services.regions import _CODES, SEATS, farthest, kilometres, place
from techsquare.services.rights import Caller
from techsquare.span import Span
from tests.techsquare.market.conftest import NOW
from tests.techsquare.market.rows import put
from tests.techsquare.matching.market import Market

if TYPE_CHECKING:
    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry

ME = Actor("test")
HOUSE = Caller(Reader("op", frozenset({("operator", "house")})), NOW)
PLACES = ("busan", "seoul", "gangwon", "jeju", "busan", "busan")
SUPPLIERS = ("ada", "bori", "choi", "dara", "eun")
PRICES = (10**6, 2 * 10**6, 3 * 10**6, 60 * 10**6, 61 * 10**6)
"""The last two are too dear for any list of three, and still worth it."""


@pytest.fixture
def scarce(told: Market) -> Market:
    """Return six factories with the same item, and five suppliers with a place each, who can all serve it."""
    family = told.items[0].family
    kind = next(one for one in told.solutions if one.family == family)
    needed = told.items[0].capabilities
    items = [
        replace(
            told.items[0], id=f"i{at}", factory=f"f{at}", region=region, most_won=10**9, excluded=frozenset(),
            missing_prerequisites=frozenset(), related=frozenset(), consents=frozenset({"metrics"}),
            loss=Span(400e6, 500e6),
        )
        for at, region in enumerate(PLACES)
    ]  # fmt: skip
    solutions = [
        replace(
            kind, id=f"v-{name}", supplier=name, capabilities=needed, remote=True, continuity=CONTINUITY,
            processes=kind.processes | {items[0].process}, interfaces=frozenset(), needs_consent=frozenset(),
            price=Span(PRICES[at], PRICES[at]),
        )
        for at, name in enumerate(SUPPLIERS)
    ]  # fmt: skip
    suppliers = [Supplier(name, True, frozenset({name}), 1, 8, 0, "small") for name in SUPPLIERS]
    counts = {(name, family): Counted(8, 8, 0, 0, [(0.3, 0.03)] * 8) for name in SUPPLIERS}
    return Market(items, solutions, suppliers, counts, told.priors, {})


def ready(registry: Registry, scarce: Market) -> tuple[Catalogue, str]:
    """Store it, make all lists, and announce a round."""
    known = put(registry, scarce, NOW)
    registry.decide(lambda s: s.execute(update(t.Supplier).values(regions=["busan"])), ME)
    nights.every(registry, known, NOW, lambda _: None, ME)
    of = quarter(day_of(NOW))
    row = registry.decide(lambda s: rounds.prepare(s, HOUSE, of, date(2026, 9, 1), date(2026, 9, 30)), ME)
    return known, row.id


def test_nearer_factories_go_first_and_the_others_get_what_is_left(registry: Registry, scarce: Market) -> None:
    known, key = ready(registry, scarce)
    with registry.reading() as session:
        tried = rounds.simulate(session, HOUSE, known, key)
    assert tried["blocking"] == 0
    assert (tried["counts"]["factories"], tried["counts"]["unplaced"], tried["counts"]["free"]) == (6, 1, 0)
    assert Counter(one["supplier"] for one in tried["places"]) == Counter(SUPPLIERS)
    accepted = {one["factory"] for one in tried["places"] if one["by"] == "acceptance"}
    assert accepted == {"f0", "f4", "f5"}  # in Busan, as all suppliers are
    left = {one["supplier"] for one in tried["places"] if one["by"] == "leftover"}
    assert (tried["counts"]["leftover"], left) == (2, {"dara", "eun"})

    states = [registry.decide(lambda s: rounds.forward(s, HOUSE, known, key), ME).state for _ in range(2)]
    assert states == ["open", "closed"]
    with pytest.raises(RefusedError, match="round_state"):
        registry.decide(lambda s: rounds.forward(s, HOUSE, known, key), ME)
    done = registry.decide(lambda s: rounds.publish(s, HOUSE, known, key), ME)
    assert done.result is not None
    assert done.result["places"] == tried["places"]
    assert done.result["lapsed"] == []
    of = quarter(day_of(NOW))
    with registry.reading() as session:
        placed = session.scalars(select(t.Offer).where(t.Offer.round_id == key)).all()
        used = {row.supplier_id: row.used for row in session.scalars(select(t.Slot).where(t.Slot.quarter == of))}
    assert {(one.factory_id, one.supplier_id) for one in placed} == {
        (one["factory"], one["supplier"]) for one in tried["places"]
    }
    assert used == dict.fromkeys(SUPPLIERS, 1)
    assert {one.shown_by for one in placed if one.factory_id not in accepted} == {"round"}

    # a place is kept: no night and no owner makes its list anew
    item = placed[0].item_id
    with pytest.raises(RefusedError, match="answered"):
        registry.decide(lambda s: lists.make(s, known, item, NOW + 1, ME), ME)
    nights.every(registry, known, NOW + 1, lambda _: None, ME)
    with registry.reading() as session:
        still = session.scalars(select(t.Offer.id).where(t.Offer.round_id == key, t.Offer.ended_at.is_(None)))
        assert set(still) == {one.id for one in placed}

    # one is declined, and its slot is free again; another becomes a project, with the slot that it has
    no, yes = placed[0], placed[1]
    declined = _owner(no.factory_id)
    registry.decide(lambda s: offers.answer(s, declined, no.id, "declined", contact=False), ME)
    wants = _owner(yes.factory_id)
    registry.decide(lambda s: offers.answer(s, wants, yes.id, "wanted", contact=True), ME)
    sells = Caller(Reader("s", frozenset({("supplier", yes.supplier_id)})), NOW + 3)
    registry.decide(lambda s: projects.take(s, sells, yes.id), ME)
    with registry.reading() as session:
        used = {row.supplier_id: row.used for row in session.scalars(select(t.Slot).where(t.Slot.quarter == of))}
    assert used == {**dict.fromkeys(SUPPLIERS, 1), no.supplier_id: 0}


def test_a_place_that_is_gone_when_it_is_published_has_lapsed(registry: Registry, scarce: Market) -> None:
    known, key = ready(registry, scarce)
    for _ in range(2):
        registry.decide(lambda s: rounds.forward(s, HOUSE, known, key), ME)
    of = quarter(day_of(NOW))

    def work(session: Any) -> None:
        session.get_one(t.Slot, ("ada", of)).used = 1
        session.get_one(t.RoadmapItem, "i0").state = "taken"

    registry.decide(work, ME)
    done = registry.decide(lambda s: rounds.publish(s, HOUSE, known, key), ME)
    assert done.result is not None
    gone = {(one["factory"], one["supplier"]) for one in done.result["lapsed"]}
    assert gone == {
        (one["factory"], one["supplier"])
        for one in done.result["places"]
        if one["supplier"] == "ada" or one["factory"] == "f0"
    }
    assert gone


def test_the_seed_of_a_round_stands_before_it_opens_and_anybody_may_read_it(
    registry: Registry, scarce: Market
) -> None:
    known, key = ready(registry, scarce)
    with registry.reading() as session:
        planned = session.get_one(t.Round, key)
    assert (planned.state, len(planned.seed), planned.result) == ("planned", 32, None)
    for _ in range(2):
        row = registry.decide(lambda s: rounds.forward(s, HOUSE, known, key), ME)
    assert row.result is not None
    assert row.seed == row.result["seed"] == planned.seed


def _owner(factory: str) -> Caller:
    return Caller(Reader("u", frozenset({("owner", factory)})), NOW + 2)


@pytest.mark.parametrize(
    ("here", "there", "least", "most"),
    [
        ("busan", ["busan"], 0, 0), ("부산광역시", ["busan"], 0, 0), ("충청남도 천안시", ["chungnam"], 0, 0),
        ("seoul", ["busan"], 320, 330), ("Gyeonggi-do", ["서울"], 25, 40),
        ("jeju", ["gangwon", "jeonnam"], 140, 155), ("daegu", ["gyeongbuk", "gyeongnam"], 60, 85),
    ],
)  # fmt: skip
def test_distances_are_those_of_the_map(here: str, there: list[str], least: float, most: float) -> None:
    assert least <= kilometres(here, there) <= most


def test_a_place_has_one_name_however_it_is_written() -> None:
    for same in (("busan", "KR-26", "부산광역시"), ("gyeongbuk", "kr-47", "경상북도"), ("sejong", "KR-50", "세종")):
        assert {place(one) for one in same} == {same[0]}
    assert set(_CODES.values()) == set(SEATS)
    assert kilometres("KR-26", ["ulsan"]) == kilometres("busan", ["KR-31"]) < kilometres("KR-26", ["KR-11"])
    assert place("KR-99") is None


def test_who_does_not_say_where_he_is_is_not_near() -> None:
    assert kilometres("달나라", ["busan"]) == kilometres("busan", []) == kilometres("busan", ["?"]) == farthest()
    assert 450 < farthest() < 550
