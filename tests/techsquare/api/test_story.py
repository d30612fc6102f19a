"""From a diagnosis to a project, over the API alone, on both databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from techsquare.registry import tables as t
from techsquare.registry.policy import models
from tests.techsquare.api.stand import finished
from tests.techsquare.api.story import Story

if TYPE_CHECKING:
    from tests.techsquare.api.stand import Stand


def test_a_diagnosis_becomes_a_roadmap_offers_and_a_project(stand: Stand) -> None:
    story = Story(stand)
    hana, ada, bori, op = (story.who[name] for name in ("hana", "ada", "bori", "op"))
    assert hana.post("/v1/factories/hana/roadmaps", json={}).json()["code"] == "no_diagnosis"
    made = story.planned()
    plan = made["row"]["body"]["roadmap"]
    assert plan["chosen"]
    assert plan["value"] > 0
    assert plan["value"] == plan["gain"] + plan["support"] - plan["cost"] - plan["running"]
    items = hana.get("/v1/rows/roadmap_item?limit=100").json()["rows"]
    assert len(items) == len(plan["chosen"])
    job = finished(hana, hana.post(f"/v1/roadmaps/{made['id']}/reasons"))
    assert job["state"] == "done", job
    assert {one["measure"] for one in job["answer"]["not_now"]} == {one["measure"] for one in plan["not_now"]}

    entries = {e.id: e for e in stand.catalogue.entries}
    free = [
        i for i in items if not made["row"]["body"]["items"][named(i)]["needs"] and entries[i["measure_id"]].gains
    ]
    assert free, items
    item = free[0]
    nobody = hana.post(f"/v1/items/{item['id']}/match").json()["said"]
    assert (nobody["advice"], nobody["offers"]) == ("nobody", [])
    cheap = story.offered("ada", item["measure_id"], 1_000_000)
    dear = story.offered("bori", item["measure_id"], 2_000_000)
    far = story.offered("bori", item["measure_id"], 1_000_000, regions=["seoul"])
    unproven = hana.post(f"/v1/items/{item['id']}/match").json()["said"]
    assert (unproven["advice"], unproven["offers"]) == ("not_now", [])  # nobody has shown yet that it helps
    for version in (cheap, dear):
        story.proven(version, item["measure_id"])
    said = hana.post(f"/v1/items/{item['id']}/match").json()["said"]
    assert said["advice"] == "offers", said
    shown = sorted(hana.get("/v1/rows/offer?where=ended_at=null").json()["rows"], key=lambda o: o["slot"])
    assert [one["version_id"] for one in shown][:1] == [cheap]
    assert {one["version_id"] for one in shown} == {cheap, dear}
    assert abs(sum(shown[0]["terms"].values()) - shown[0]["mean"]) < 1
    failed = hana.get("/v1/rows/failed_pair").json()["rows"]
    assert [(one["version_id"], one["failed"]) for one in failed] == [(far, ["region"])]
    why = {one["said"]["version"]: one["said"] for one in hana.get(f"/v1/items/{item['id']}/why-not/bori").json()}
    assert why[far]["failed"] == ["region"]
    assert why[dear]["failed"] == []
    assert ada.get(f"/v1/items/{item['id']}/why-not/ada").status_code == 404
    assert op.get(f"/v1/items/{item['id']}/why-not/ada").status_code == 404

    reasons = hana.get(f"/v1/offers/{shown[0]['id']}/reasons").json()["said"]
    assert (reasons["same"], reasons["failed"], len(reasons["passed"])) == (True, [], 13)
    assert reasons["worth"]["q10"] == shown[0]["q10"]
    for other in ("ada", "bori", "op", "duri", "mina"):  # the offer's own supplier as well
        assert story.who[other].get(f"/v1/offers/{shown[0]['id']}/reasons").status_code == 404
    told = hana.put("/v1/factories/hana/machines/press-1", json={"interfaces": ["xgt"]}).json()["row"]
    assert told["interfaces"] == ["xgt"]

    mine = ada.get("/v1/rows/offer").json()["rows"]
    assert mine
    assert all("factory_id" not in one for one in mine)
    first = shown[0]["id"]
    assert ada.post(f"/v1/offers/{first}/agree").json()["code"] == "not_wanted"
    wanted = hana.post(f"/v1/offers/{first}/answer", json={"answer": "wanted", "contact": True})
    assert wanted.status_code == 200, wanted.text
    assert hana.post(f"/v1/offers/{shown[1]['id']}/answer", json={"answer": "wanted"}).json()["code"] == "answered"
    assert hana.post(f"/v1/items/{item['id']}/match").json()["code"] == "not_open"
    assert ada.get(f"/v1/rows/offer/{first}").json()["factory_id"] == "hana"
    assert bori.post(f"/v1/offers/{first}/agree").status_code in {403, 404}
    agreed = ada.post(f"/v1/offers/{first}/agree")
    assert agreed.status_code == 201, agreed.text
    project = agreed.json()["id"]
    paper = {"won": 1_000_000, "agreed": ["escrow_deposited"]}
    assert ada.put(f"/v1/engagements/{project}/contract", json=paper).status_code == 200
    assert hana.post(f"/v1/engagements/{project}/unmeasured").status_code == 200
    signed = hana.post(f"/v1/engagements/{project}/sign")
    assert signed.json()["row"]["state"] == "signed", signed.text
    again = hana.post("/v1/factories/hana/roadmaps", json={}).json()
    assert again["row"]["version"] == 2
    assert named(item) in again["row"]["body"]["asked"]["standing"]
    night = finished(op, op.post("/v1/matching"))
    assert night["state"] == "done", night
    assert night["answer"]["items"] == len(again["row"]["body"]["items"])
    assert hana.post("/v1/matching").json()["code"] == "wrong_role"


def test_a_round_is_announced_tried_held_and_published(stand: Stand) -> None:
    story = Story(stand)
    hana, duri, op = story.who["hana"], story.who["duri"], story.who["op"]
    plans = {name: story.planned(name) for name in ("hana", "duri")}
    item = {}
    for name, client in (("hana", hana), ("duri", duri)):
        rows = client.get("/v1/rows/roadmap_item?limit=100").json()["rows"]
        gains = {e.id for e in stand.catalogue.entries if e.gains}
        free = [
            i
            for i in rows
            if not plans[name]["row"]["body"]["items"][named(i)]["needs"] and i["measure_id"] in gains
        ]
        item[name] = free[0]
    assert item["hana"]["measure_id"] == item["duri"]["measure_id"]
    story.proven(story.offered("ada", item["hana"]["measure_id"], 1_000_000), item["hana"]["measure_id"])
    now = story.who["ada"].get("/v1/rows/slot").json()["rows"][0]["quarter"]
    assert story.who["ada"].put(f"/v1/suppliers/ada/slots/{now}", json={"declared": 1}).status_code == 200
    for name, client in (("hana", hana), ("duri", duri)):
        assert client.post(f"/v1/items/{item[name]['id']}/match").json()["said"]["advice"] == "offers"
    form = {"quarter": now, "opens": "2026-11-01", "closes": "2026-11-30"}
    assert hana.post("/v1/rounds", json=form).json()["code"] == "wrong_role"
    made = op.post("/v1/rounds", json=form).json()
    path = f"/v1/rounds/{made['id']}"
    tried = op.post(f"{path}/simulate").json()["said"]
    assert (tried["counts"]["accepted"], tried["counts"]["unplaced"], tried["blocking"]) == (1, 1, 0)
    assert op.post(f"{path}/publish").json()["code"] == "round_state"
    assert [op.post(f"{path}/forward").json()["row"]["state"] for _ in range(2)] == ["open", "closed"]
    told = op.post(f"{path}/publish").json()["row"]["result"]
    assert told["places"] == tried["places"]  # the seed stood before
    assert "result" not in hana.get(f"/v1/rows/match_round/{made['id']}").json()
    placed = [o for c in (hana, duri) for o in c.get("/v1/rows/offer").json()["rows"] if o["round_id"]]
    assert [o["factory_id"] for o in placed] == [p["factory"] for p in told["places"]]


def test_a_mentor_is_changed_at_any_time_without_a_reason(stand: Stand) -> None:
    story = Story(stand)
    hana, mina, moon, duri, op = (story.who[name] for name in ("hana", "mina", "moon", "duri", "op"))
    assert mina.post("/v1/factories/hana/rates", json={}).status_code == 404
    assert op.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    assert mina.post("/v1/factories/hana/rates", json={"staff_hour": {"low": 1, "high": 2}}).status_code == 201
    assert mina.get("/v1/rows/rates").json()["rows"]
    assert mina.post("/v1/factories/hana/notice", json={"contact": "x"}).json()["code"] == "wrong_role"
    assert duri.put("/v1/factories/hana/mentor", json={"mentor_id": "moon"}).status_code == 404
    changed = hana.put(
        "/v1/factories/hana/mentor", json={"mentor_id": "moon", "reason": "싫어서", "handover": "열쇠"}
    )
    assert changed.status_code == 200
    assert mina.get("/v1/rows/rates").json()["rows"] == []
    assert mina.post("/v1/factories/hana/rates", json={}).status_code == 404
    assert moon.get("/v1/rows/rates").json()["rows"]
    seen = moon.get("/v1/rows/assignment?where=until=null").json()["rows"][0]
    assert seen["handover"]["text"] == "열쇠"
    assert seen["handover"]["entries"] == []
    assert "싫어서" not in mina.get("/v1/rows/assignment").text + moon.get("/v1/rows/assignment").text
    assert hana.put("/v1/factories/hana/mentor", json={"mentor_id": "moon"}).json()["code"] == "same_mentor"
    assert duri.put("/v1/factories/duri/mentor", json={"mentor_id": "moon"}).json()["code"] == "mentor_full"


def test_a_party_takes_everything_along_and_goes(stand: Stand) -> None:
    story = Story(stand)
    hana, duri = story.who["hana"], story.who["duri"]
    story.planned()
    assert duri.get("/v1/parties/hana/export").status_code == 404
    lines = [json.loads(line) for line in hana.get("/v1/parties/hana/export").text.splitlines()]
    tables = {line["table"] for line in lines}
    assert {"party", "factory", "machine", "budget", "roadmap", "roadmap_item", "loss", "audit"} <= tables
    assert sum(line["table"] == "machine" for line in lines) == 1
    assert duri.post("/v1/parties/hana/leave", json={"confirm": "hana"}).status_code == 404
    assert hana.post("/v1/parties/hana/leave", json={"confirm": "duri"}).json()["code"] == "not_confirmed"
    gone = hana.post("/v1/parties/hana/leave", json={"confirm": "hana"})
    assert gone.status_code == 200, gone.text
    assert hana.get("/v1/me").status_code == 401
    with stand.registry.reading() as session:
        for model in (t.Budget, t.Roadmap, t.Loss, t.Machine):
            assert session.scalar(select(func.count()).select_from(model)) == 0, model
        kept = session.scalars(select(t.Party.name).where(t.Party.id == gone.json()["said"]["pseudonym"])).one()
    assert kept == ""
    assert models()


def named(item: dict[str, Any]) -> str:
    """Return an item's measure as a plan names it."""
    return item["measure_id"] if item["machine_id"] is None else f"{item['measure_id']}@{item['machine_id']}"
