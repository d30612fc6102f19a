"""A project's whole life over HTTP: everything lacking is said, and until then nothing moves."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from techsquare.registry import tables as t
from techsquare.services.days import day_of
from techsquare.services.following import follow_all
from tests.techsquare.api.deals import KEPT, PRICE, Deals

if TYPE_CHECKING:
    from tests.techsquare.api.stand import Stand


@pytest.fixture
def deals(stand: Stand) -> Deals:
    return Deals(stand)


def test_a_whole_life(deals: Deals) -> None:
    ada, hana, stand = deals.who["ada"], deals.who["hana"], deals.stand
    version = deals.story.offered("ada", "andon", PRICE)
    other = deals.story.offered("bori", "andon", PRICE)
    offer = deals.offer(version, "ada")
    with stand.registry.reading() as session:
        item = session.get_one(t.Offer, offer).item_id
    second = deals.offer(other, "bori", slot=2, item=item)
    assert ada.post(f"/v1/offers/{offer}/agree").json()["code"] == "not_wanted"
    project = deals.chosen(offer)
    assert (deals.row(project)["state"], deals.row(project)["agreed_on"]) == ("agreed", None)
    assert [one["kind"] for one in ada.get("/v1/rows/task").json()["rows"]] == ["asked"]
    assert deals.contract("ada", project).json()["code"] == "not_agreed"
    assert hana.get(f"/v1/rows/offer/{second}").json()["ended_at"] is None, "kept until the supplier has said yes"
    assert ada.post(f"/v1/offers/{offer}/agree").status_code == 201
    assert ada.post(f"/v1/offers/{offer}/agree").json()["code"] == "answered"
    assert hana.get(f"/v1/rows/offer/{second}").json()["ended_at"] is not None

    refused = deals.say("hana", project, "sign").json()["details"]
    assert ([one["why"] for one in refused["lacking"]], refused["conditions"]) == (
        ["conditions", "plan"],
        ["contract"],
    )
    wrong = deals.contract("ada", project, won=PRICE + 1, agreed=["second_supplier"], funding="none").json()
    assert wrong["details"]["why"] == ["price", "second", "funding"]
    assert deals.contract("hana", project).json()["code"] == "wrong_role"
    assert deals.contract("ada", project, agreed=[]).status_code == 200
    refused = deals.say("hana", project, "sign").json()["details"]
    assert ([one["why"] for one in refused["lacking"]], refused["conditions"]) == (
        ["conditions", "plan"], ["escrow_deposited"],
    )  # fmt: skip
    assert deals.contract("ada", project).status_code == 200  # drawn up anew, with the line
    assert deals.lacking("hana", project, "sign") == ["plan"]
    assert deals.lacking("ada", project, "sign") == ["actor", "plan"]
    plan = deals.plan(project)
    assert deals.lacking("hana", project, "accept") == ["state"]
    tomorrow = (day_of(stand.now()) + timedelta(days=1)).isoformat()
    assert deals.lacking("hana", project, "sign", on=tomorrow) == ["future"]
    row = deals.said("hana", project, "sign")
    assert (row["state"], row["signed_on"]) == ("signed", deals.today())
    assert deals.contract("ada", project).json()["code"] == "decided"
    assert deals.lacking("ada", project, "begin", on="2026-01-01") == ["order", "baseline"]
    deals.pass_days(21)
    hana, ada = deals.who["hana"], deals.who["ada"]
    assert deals.said("ada", project, "begin")["life"]["state"] == "installing"
    assert deals.lacking("hana", project, "deliver") == ["actor"]
    assert hana.post(f"/v1/engagements/{project}/drill", json={"proved": KEPT}).json()["code"] == "not_reached"
    row = deals.said("ada", project, "deliver")
    assert (row["state"], row["installed_on"]) == ("installed", deals.today())
    assert _parts(deals, project) == [
        ("due", True),
        ("waiting:not_accepted", False),
        ("waiting:before_verdict", False),
    ]
    assert [one["kind"] for one in hana.get("/v1/rows/task?where=party_id=hana").json()["rows"]].count(
        "accept_due"
    ) == 1
    assert deals.lacking("hana", project, "accept") == ["exit"]
    for proved, lacks in ((KEPT[:3], ["exit"]), (KEPT, [])):
        assert hana.post(f"/v1/engagements/{project}/drill", json={"proved": proved}).status_code == 200
        if lacks:
            assert deals.lacking("hana", project, "accept") == lacks
    deals.said("hana", project, "accept")
    with stand.registry.reading() as session:
        assert session.get_one(t.RoadmapItem, item).state == "done"
    assert [one for one, _ in _parts(deals, project)][1:] == ["due", "waiting:before_verdict"]
    deals.outcome(plan, 1, "cannot_tell")
    assert follow_all(stand.registry, stand.catalogue, stand.now()) == {"tell": 1, "extend": 1}
    assert deals.row(project)["state"] == "accepted"
    assert [one for one, _ in _parts(deals, project)][2] == "due", (
        "what statistics cannot see is not held against it"
    )
    found = deals.outcome(plan, 2, "improved")
    deals.object_to(found, project)
    assert follow_all(stand.registry, stand.catalogue, stand.now()) == {"tell": 1}
    deals.pass_days(11)
    assert follow_all(stand.registry, stand.catalogue, stand.now()) == {}, "an objection is open"
    deals.object_to(found, project, decision="rejected")
    assert deals.night()["projects"] == {"settle": 1}
    assert deals.row(project)["life"]["state"] == "watching"
    deals.outcome(plan, 2, "improved", decayed=True)
    assert deals.night()["projects"] == {"alarm": 1}
    assert deals.night()["projects"] == {}
    assert deals.lacking("hana", project, "finish") == ["early"]
    deals.pass_days(366)
    assert deals.night()["projects"] == {"finish": 1}
    row = deals.row(project)
    assert (row["state"], row["life"]["state"], row["ended_on"]) == ("ended", "ended", day_of(stand.now()))


def test_money_follows_the_verdict_and_is_only_written_down(deals: Deals) -> None:
    hana, stand = deals.who["hana"], deals.stand
    version = deals.story.offered("ada", "andon", PRICE)
    offer = deals.offer(version, "ada")
    project = deals.chosen(offer)
    deals.who["ada"].post(f"/v1/offers/{offer}/agree")
    deals.contract("ada", project)
    plan = deals.plan(project)
    deals.said("hana", project, "sign")
    said = hana.get(f"/v1/engagements/{project}/contract").json()["said"]
    assert [(one["share"], one["won"]) for one in said["milestones"]] == [
        (0.4, PRICE * 40 // 100), (0.5, PRICE * 50 // 100), (0.1, PRICE - PRICE * 40 // 100 - PRICE * 50 // 100),
    ]  # fmt: skip
    assert sum(one["won"] for one in said["milestones"]) == PRICE
    first, _, last = (one["id"] for one in said["milestones"])
    day = {"on": deals.today()}
    early = hana.post(f"/v1/milestones/{first}/paid", json=day).json()
    assert (early["code"], early["details"]["advice"]) == ("not_reached", "waiting:not_delivered")
    deals.pass_days(21)
    hana = deals.who["hana"]
    deals.said("hana", project, "begin")
    deals.said("ada", project, "deliver")
    day = {"on": deals.today()}
    assert deals.who["ada"].post(f"/v1/milestones/{first}/paid", json=day).status_code == 404
    assert hana.post(f"/v1/milestones/{first}/paid", json=day).status_code == 200
    assert hana.post(f"/v1/milestones/{first}/paid", json=day).json()["code"] == "decided"
    hana.post(f"/v1/engagements/{project}/drill", json={"proved": KEPT})
    deals.said("hana", project, "accept")
    deals.outcome(deals.plan(project, "setup"), 1, "worse")
    follow_all(stand.registry, stand.catalogue, stand.now())
    assert _parts(deals, project)[2] == ("waiting:before_verdict", False), "the first plan is the one that counts"
    found = deals.outcome(plan, 1, "worse")
    deals.object_to(found, project)
    follow_all(stand.registry, stand.catalogue, stand.now())
    assert _parts(deals, project)[2] == ("held:objection", False)
    deals.object_to(found, project, decision="rejected")
    follow_all(stand.registry, stand.catalogue, stand.now())
    assert _parts(deals, project)[2] == ("lapsed:worse", False)
    told = hana.get(f"/v1/engagements/{project}/contract").json()["said"]["milestones"][2]["said"]
    assert "악화" in told["ko"]
    assert hana.post(f"/v1/milestones/{last}/paid", json=day).json()["code"] == "not_reached"


def test_who_is_asked_and_does_not_answer_is_not_waited_for(deals: Deals) -> None:
    stand = deals.stand
    version = deals.story.offered("ada", "andon", PRICE)
    other = deals.story.offered("bori", "andon", PRICE)
    offer = deals.offer(version, "ada")
    with stand.registry.reading() as session:
        item = session.get_one(t.Offer, offer).item_id
    second = deals.offer(other, "bori", slot=2, item=item)
    project = deals.chosen(offer)
    assert deals.night()["projects"] == {}
    deals.pass_days(5)
    assert deals.night()["projects"] == {}, "five working days are a week at least"
    deals.pass_days(3)
    assert deals.night()["projects"] == {"lapse": 1}
    row = deals.row(project)
    assert (row["state"], row["life"]["state"], row["ended_on"]) == ("ended", "ended", day_of(stand.now()))
    assert deals.who["ada"].post(f"/v1/offers/{offer}/agree").json()["code"] == "not_wanted"
    again = deals.chosen(second)
    assert deals.who["bori"].post(f"/v1/offers/{second}/agree").status_code == 201
    deals.pass_days(30)
    assert deals.night()["projects"] == {}, "it has said yes, and the owner takes his time"
    slot = deals.used("bori")
    deals.said("bori", again, "refuse")
    assert deals.used("bori") == slot - 1
    with stand.registry.reading() as session:
        assert session.get_one(t.RoadmapItem, item).state == "open"
    third = deals.offer(version, "ada")
    deals.pass_days(89)
    assert deals.night()["offers"] == {"expired": 0}
    deals.pass_days(1)
    assert deals.night()["offers"] == {"expired": 1}
    with stand.registry.reading() as session:
        assert session.get_one(t.Offer, third).answer == "expired"
    said = deals.who["hana"].post(f"/v1/offers/{third}/answer", json={"answer": "wanted", "contact": True})
    assert said.json()["code"] == "not_open"


def test_the_owner_ends_it_at_any_time_and_nobody_else_does(deals: Deals) -> None:
    version = deals.story.offered("ada", "andon", PRICE)
    deals.who["op"].put("/v1/factories/hana/mentor", json={"mentor_id": "mina"})
    asked = deals.chosen(deals.offer(version, "ada"))
    signed = deals.signed(version)
    for project in (asked, signed):
        for who in ("ada", "mina", "op"):
            assert deals.lacking(who, project, "end") == ["actor"]
        assert deals.say("bori", project, "end").status_code == 404
        assert deals.said("hana", project, "end")["state"] == "ended"
        assert deals.lacking("hana", project, "end") == ["state"]
    assert deals.lacking("mina", deals.signed(version), "sign") == ["state"]
    third = deals.signed(version)
    assert deals.said("mina", third, "begin")["life"]["state"] == "installing", (
        "nothing is measured, so nothing waits"
    )
    said = deals.who["ada"].get(f"/v1/engagements/{third}/next").json()["said"]
    assert said["can"] == {"deliver": []}
    said = deals.who["hana"].get(f"/v1/engagements/{third}/next").json()["said"]
    assert {event for event, why in said["can"].items() if not why} == {"part", "end"}


def _parts(deals: Deals, project: str) -> list[tuple[str, bool]]:
    said = deals.who["hana"].get(f"/v1/engagements/{project}/contract").json()["said"]
    return [(one["advice"], one["reached_on"] is not None) for one in said["milestones"]]
