"""Who leaves holds nothing any more: no mentor's place, no slot, no list, no factory that nobody looks after."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.dialect import insert_all
from techsquare.registry.policy import Reader
from techsquare.services import mentoring
from techsquare.services.following import follow_all
from techsquare.services.rights import Caller
from techsquare.services.seeking import waiting
from tests.techsquare.api.deals import PRICE, Deals

if TYPE_CHECKING:
    from techsquare.registry.store import Registry
    from tests.techsquare.api.stand import Stand


@pytest.fixture
def deals(stand: Stand) -> Deals:
    """Return people of two factories, two suppliers and a mentor."""
    return Deals(stand)


def _leave(deals: Deals, party: str) -> str:
    answer = deals.who[party].post(f"/v1/parties/{party}/leave", json={"confirm": party})
    assert answer.status_code == 200, answer.text
    name: str = answer.json()["said"]["pseudonym"]
    return name


def _mentor(deals: Deals, factory: str = "hana") -> None:
    said = deals.who["op"].put(f"/v1/factories/{factory}/mentor", json={"mentor_id": "mina"})
    assert said.status_code == 200, said.text


def _open(deals: Deals) -> list[tuple[str, str]]:
    with deals.stand.registry.reading() as session:
        return [
            (row.factory_id, row.mentor_id)
            for row in session.scalars(select(t.Assignment).where(t.Assignment.until.is_(None)))
        ]


def test_a_mentor_who_has_left_gets_no_factory_and_those_that_were_his_wait_again(deals: Deals) -> None:
    _mentor(deals)
    task = _tasks(deals, "mina")
    assert task
    gone = _leave(deals, "mina")
    assert _open(deals) == []
    assert _tasks(deals, gone) == []
    house = Caller(Reader("op", frozenset({("operator", "house")})), deals.stand.now())
    said = deals.stand.registry.decide(lambda s: mentoring.all_waiting(s, house), Actor("test"))
    assert said["assigned"] == {}
    assert set(said["waiting"]) == {"hana", "duri"}
    wrote = deals.who["hana"].post("/v1/factories/hana/messages", json={"text": "누가 담당합니까?"})
    assert wrote.json()["row"]["party_id"] == "house"


def _tasks(deals: Deals, party: str) -> list[str]:
    with deals.stand.registry.reading() as session:
        found = session.scalars(select(t.Task.id).where(t.Task.party_id == party, t.Task.state == "open"))
        return list(found)


def test_a_factory_that_leaves_frees_its_mentors_place_and_its_suppliers_slot(deals: Deals) -> None:
    _mentor(deals)
    version = deals.story.offered("ada", "andon", PRICE)
    offer = deals.offer(version, "ada")
    project = deals.chosen(offer)
    assert deals.who["ada"].post(f"/v1/offers/{offer}/agree").status_code == 201
    assert deals.used("ada") == 1
    _leave(deals, "hana")
    assert _open(deals) == []
    assert deals.used("ada") == 0
    assert deals.row(project)["state"] == "ended"


def test_a_supplier_that_leaves_is_offered_to_nobody_and_its_projects_lose_it_at_once(deals: Deals) -> None:
    version = deals.story.offered("ada", "andon", PRICE)
    deals.signed(version)
    shown = deals.offer(version, "ada", "duri")
    gone = _leave(deals, "ada")
    with deals.stand.registry.reading() as session:
        assert session.get_one(t.Supplier, gone).state == "closed"
        assert session.get_one(t.Offer, shown).ended_at is not None
        takeover = session.scalars(select(t.Takeover)).one()
    assert (takeover.from_supplier, takeover.state, takeover.why) == (gone, "needed", "gone")


def test_a_project_that_cannot_be_followed_keeps_no_other_waiting(deals: Deals) -> None:
    version = deals.story.offered("ada", "andon", PRICE)
    broken, well = (deals.chosen(deals.offer(version, "ada", name), name) for name in ("hana", "duri"))
    life: Any = {"state": "nowhere"}
    deals.stand.registry.load(
        lambda s: s.execute(update(t.Engagement).where(t.Engagement.id == broken).values(life=life))
    )
    deals.pass_days(20)
    assert follow_all(deals.stand.registry, deals.stand.catalogue, deals.stand.now()) == {"failed": 1, "lapse": 1}
    with deals.stand.registry.reading() as session:
        assert session.get_one(t.Engagement, well).state == "ended"


def test_more_factories_wait_than_a_statement_takes_parameters(registry: Registry) -> None:
    names = [f"f{n}" for n in range(70_000)]
    parties = [(name, "factory", name, 1) for name in names]
    factories = [(name, "factory", "busan", "C29", "Asia/Seoul") for name in names]

    def work(session: Any) -> None:
        connection = session.connection()
        insert_all(connection, t.Party.__table__, ("id", "kind", "name", "created_at"), parties)  # type: ignore[arg-type]
        insert_all(connection, t.Factory.__table__, ("id", "kind", "region", "industry", "zone"), factories)  # type: ignore[arg-type]

    registry.load(work)
    with registry.reading() as session:
        assert len(waiting(session, date(2026, 1, 5)).seekers) == len(names)
