"""What holds when a supplier is gone: accounts that rank nobody, deposits, closing in each state, tickets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from techsquare.registry import tables as t
from tests.techsquare.api.deals import KEPT, PRICE, Deals
from tests.techsquare.api.test_story import named

if TYPE_CHECKING:
    from tests.techsquare.api.stand import Stand

POOR = {
    "current_assets": 10, "current_liabilities": 50, "assets": 100, "liabilities": 120,
    "retained_earnings": -30, "ebit": -10, "equity": -20, "consent": True,
}  # fmt: skip
RICH = POOR | {"current_assets": 90, "liabilities": 10, "retained_earnings": 40, "ebit": 30, "equity": 90}
DEBTLESS = RICH | {"liabilities": 0, "current_liabilities": 0}


@pytest.fixture
def deals(stand: Stand) -> Deals:
    return Deals(stand)


def test_accounts_set_conditions_and_nothing_else(deals: Deals) -> None:
    story, hana, op = deals.story, deals.who["hana"], deals.who["op"]
    plan = story.planned()
    gains = {e.id for e in deals.stand.catalogue.entries if e.gains}
    needs = plan["row"]["body"]["items"]
    items = hana.get("/v1/rows/roadmap_item?limit=100").json()["rows"]
    item = next(i for i in items if i["measure_id"] in gains and not needs[named(i)]["needs"])
    for supplier, price in (("ada", 1_000_000), ("bori", 2_000_000)):
        story.proven(story.offered(supplier, item["measure_id"], price), item["measure_id"])
    story.offered("bori", item["measure_id"], 1_000_000, regions=["seoul"])
    before = _lists(deals, item["id"])
    assert b'"slot": 2' in before

    op.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"})
    for who in ("bori", "op", "risk", "hana"):
        assert (
            deals.who[who].post("/v1/suppliers/ada/accounts", json=POOR | {"year": 2025}).json()["code"]
            == "wrong_role"
        )
    ada = deals.who["ada"]
    assert ada.post("/v1/suppliers/ada/accounts", json=POOR | {"year": 2025, "consent": False}).status_code == 422
    this = int(deals.today()[:4])
    early = ada.post("/v1/suppliers/ada/accounts", json=POOR | {"year": this})
    assert early.json()["code"] == "too_early"
    filed = ada.post("/v1/suppliers/ada/accounts", json=POOR | {"year": this - 1})
    assert (filed.status_code, filed.json()["row"]["zone"]) == (201, "distress")
    rich = deals.who["bori"].post("/v1/suppliers/bori/accounts", json=DEBTLESS | {"year": this - 1}).json()["row"]
    assert (rich["zone"], rich["z2"]) == ("safe", None), "without debts it is infinite, not a number"
    assert _lists(deals, item["id"]) == before

    for who in deals.who:
        rows = deals.who[who].get("/v1/rows/filed_account").json()["rows"]
        own = {"ada": ["ada"], "bori": ["bori"], "risk": ["ada", "bori"]}.get(who, [])
        assert sorted(one["supplier_id"] for one in rows) == own, who
    offers = hana.get("/v1/rows/offer?where=ended_at=null").json()["rows"]
    papers = {}
    for supplier in ("ada", "bori"):
        offer = next(one["id"] for one in offers if one["supplier_id"] == supplier)
        project = deals.chosen(offer)
        assert deals.who[supplier].post(f"/v1/offers/{offer}/agree").status_code == 201
        form = {"won": 1_000_000}
        paper = deals.who[supplier].put(f"/v1/engagements/{project}/contract", json=form).json()["row"]
        seen = [deals.who[w].get(f"/v1/engagements/{project}/contract") for w in ("hana", "mina", supplier)]
        seen += [deals.who[w].get("/v1/rows/contract") for w in ("hana", "mina", supplier)]
        for one in seen:
            assert one.status_code == 200
            assert not {"z2", "zone", "tier", "distress", "risk"} & set(
                json.dumps(one.json()).replace('"', " ").split()
            )
        for one in (deals.who[w].get(f"/v1/engagements/{project}/contract") for w in ("op", "risk", "duri")):
            assert one.status_code == 404
        papers[supplier] = paper["conditions"]["asked"]
        assert set(paper["conditions"]) == {"asked", "agreed", "second"}
        if supplier == "ada":
            deals.said("hana", project, "end")
            offers = _again(deals, item["id"])
    assert papers == {
        "ada": [*KEPT, "milestones", "escrow_deposited", "escrow_verified", "second_supplier"],
        "bori": [*KEPT, "milestones"],
    }  # fmt: skip
    account = filed.json()["id"]
    assert deals.who["bori"].delete(f"/v1/accounts/{account}").status_code == 404
    assert deals.who["risk"].delete(f"/v1/accounts/{account}").json()["code"] == "wrong_role"
    assert ada.delete(f"/v1/accounts/{account}").status_code == 204
    assert [one["supplier_id"] for one in deals.who["risk"].get("/v1/rows/filed_account").json()["rows"]] == [
        "bori"
    ]


def _again(deals: Deals, item: str) -> list[dict[str, Any]]:
    hana = deals.who["hana"]
    assert hana.post(f"/v1/items/{item}/match").json()["said"]["advice"] == "offers"
    rows: list[dict[str, Any]] = hana.get("/v1/rows/offer?where=ended_at=null").json()["rows"]
    return rows


def _lists(deals: Deals, item: str) -> bytes:
    """Make the list of an item anew; return it with its reasons, as bytes, without ids and times of rows."""
    hana = deals.who["hana"]
    made = hana.post(f"/v1/items/{item}/match").json()["said"] | {"offers": None, "best": None}
    shown = sorted(hana.get("/v1/rows/offer?where=ended_at=null").json()["rows"], key=lambda one: one["slot"])
    failed = sorted(hana.get("/v1/rows/failed_pair").json()["rows"], key=lambda one: one["version_id"])
    why = [hana.get(f"/v1/items/{item}/why-not/{supplier}").json() for supplier in ("ada", "bori")]
    strip = {"id", "shown_at", "at"}
    rows = [{k: v for k, v in one.items() if k not in strip} for one in (*shown, *failed)]
    return json.dumps([made, rows, why], sort_keys=True).encode()


def test_a_supplier_closes_in_each_state(deals: Deals) -> None:  # noqa: C901 - one story
    op, stand = deals.who["op"], deals.stand
    version = deals.story.offered("ada", "andon", PRICE)
    own = deals.story.offered("bori", "andon", PRICE)
    ada = deals.who["ada"]
    for who in ("ada", "bori"):
        deals.slots(who)
    laid = ada.post(f"/v1/versions/{version}/deposits", json={"place": "기술보증기금", "hash": "a" * 64}).json()[
        "id"
    ]
    assert (
        deals.who["bori"].post(f"/v1/deposits/{laid}/verify", json={"built_by": "bori"}).json()["code"]
        == "wrong_role"
    )
    by_itself = op.post(f"/v1/deposits/{laid}/verify", json={"built_by": "ada"})
    assert by_itself.json()["code"] == "conflict_of_interest"
    assert op.post(f"/v1/deposits/{laid}/verify", json={"built_by": "bori"}).json()["row"]["level"] == "verified"

    offered = deals.offer(version, "ada")
    asked = deals.chosen(deals.offer(version, "ada"))
    at: dict[str, str] = {}
    for state in ("contracted", "installing", "commissioning", "watching", "ended"):
        at[state] = deals.signed(version)
    for state in ("installing", "commissioning", "watching"):
        deals.said("ada", at[state], "begin")
    for state in ("commissioning", "watching"):
        deals.said("ada", at[state], "deliver")
    deals.who["hana"].post(f"/v1/engagements/{at['watching']}/drill", json={"proved": KEPT})
    deals.said("hana", at["watching"], "accept")
    deals.said("hana", at["ended"], "end")
    for state in ("measuring", "verdict"):
        at[state] = deals.signed(version)
        plan = deals.plan(at[state])
        deals.pass_days(21)
        deals.said("ada", at[state], "begin")
        deals.said("ada", at[state], "deliver")
        deals.who["hana"].post(f"/v1/engagements/{at[state]}/drill", json={"proved": KEPT})
        deals.said("hana", at[state], "accept")
        if state == "verdict":
            deals.outcome(plan, 1, "improved")
    deals.night()
    assert {state: deals.row(project)["life"]["state"] for state, project in at.items()} == {s: s for s in at}
    before = {state: deals.row(project) for state, project in at.items()}
    release = deals.who["hana"].get(f"/v1/engagements/{at['contracted']}/deposit").json()["said"]
    assert (release["free"], release["held"]) == (False, "supplier_there")
    assert deals.lacking("op", at["contracted"], "part") == ["actor"], "it is still there"
    assert deals.who["hana"].post("/v1/suppliers/ada/close").json()["code"] == "wrong_role"
    closed = deals.who["op"].post("/v1/suppliers/ada/close")
    assert (closed.status_code, closed.json()["row"]) == (200, {"state": "closed"})
    assert deals.who["op"].post("/v1/suppliers/ada/close").json()["code"] == "decided"
    with stand.registry.reading() as session:
        assert session.get_one(t.Offer, offered).ended_at is not None
    assert deals.row(asked)["life"]["state"] == "ended"
    for state, project in at.items():
        row = deals.row(project)
        if state == "ended":
            assert row == before[state]
            continue
        assert (row["life"]["parted"], row["life"]["state"], row["state"]) == (
            "gone",
            state,
            before[state]["state"],
        )
    assert deals.night()["projects"] == {}
    hana, bori = deals.who["hana"], deals.who["bori"]
    assert deals.lacking("hana", at["contracted"], "begin") == ["supplier_gone"]
    assert deals.lacking("hana", at["contracted"], "part") == ["supplier_gone"]
    assert deals.lacking("hana", at["contracted"], "take_over") == ["successor"]
    resumed = {"contracted": "contracted", "installing": "contracted", "measuring": "measuring"}
    for state, project in at.items():
        if state == "ended":
            assert hana.get(f"/v1/engagements/{project}/takeover").json()["details"]["why"] == ["not_gone"]
            continue
        said = hana.get(f"/v1/engagements/{project}/takeover").json()["said"]
        assert [(one["supplier"], one["step"]) for one in said["candidates"]] == [("bori", "rebuilds")]
        assert (said["release"]["free"], said["release"]["hash"]) == (True, "a" * 64)
        assert said["checklist"]["unpaid"] == PRICE
        proved = said["checklist"]["stays"]["proved"]
        assert proved == (KEPT if state in {"watching", "measuring", "verdict"} else [])
        if state not in resumed:
            continue
        path = f"/v1/takeovers/{said['takeover']}"
        assert bori.post(f"{path}/agree", json={}).status_code == 404, "nobody has asked it"
        assert hana.post(f"{path}/offer", json={"supplier": "ada"}).json()["details"]["why"] == ["candidate"]
        assert hana.post(f"{path}/offer", json={"supplier": "bori"}).status_code == 200
        assert "candidates" not in bori.get("/v1/rows/takeover").text
        if state == "contracted":
            assert bori.post(f"{path}/decline").json()["row"]["state"] == "needed"
            assert deals.lacking("hana", project, "take_over") == ["successor"]
            hana.post(f"{path}/offer", json={"supplier": "bori"})
            assert bori.post(f"{path}/agree", json={"version": version}).json()["details"]["why"] == ["version"]
        ticked = hana.put(f"{path}/steps", json={"done": ["data", "deposit"]}).json()["row"]["checklist"]["steps"]
        assert [step for step, done in ticked.items() if done] == ["data", "deposit"]
        form = {"version": own} if state == "contracted" else {}
        assert bori.post(f"{path}/agree", json=form).json()["row"]["state"] == "agreed"
        row = deals.said("hana", project, "take_over")
        assert (row["life"]["state"], row["life"]["parted"]) == (resumed[state], None)
        kept = deals.row(project)
        assert kept["supplier_id"] == "bori"
        assert kept["version_id"] == (own if state == "contracted" else version)
        assert hana.get(f"/v1/rows/takeover/{said['takeover']}").json()["state"] == "done"
        assert deals.say("ada", project, "deliver").status_code == 404, "it is somebody else's now"
    assert deals.said("bori", at["installing"], "begin")["life"]["state"] == "installing"
    assert deals.said("bori", at["installing"], "deliver")["state"] == "installed"
    assert deals.used("bori") == len(resumed)


def test_tickets_show_who_answers_and_who_is_out_of_reach(deals: Deals) -> None:
    version = deals.story.offered("ada", "andon", PRICE)
    project = deals.signed(version)
    hana, ada = deals.who["hana"], deals.who["ada"]
    path = f"/v1/engagements/{project}/tickets"
    asked = deals.chosen(deals.offer(version, "ada"))
    form = {"severity": "high", "text": "화면이 멈춤"}
    assert hana.post(f"/v1/engagements/{asked}/tickets", json=form).json()["code"] == "not_agreed"
    assert ada.post(path, json=form).status_code == 404
    keys = [hana.post(path, json=form).json()["id"] for _ in range(5)]
    assert [one["kind"] for one in ada.get("/v1/rows/task?limit=100").json()["rows"]].count("ticket") == 5
    assert hana.get("/v1/suppliers/ada/service").json()["said"] == {
        "tickets": 5, "in_time": None, "days": None, "reopened": 0,
    }  # fmt: skip
    for key in keys[:4]:
        assert hana.post(f"/v1/tickets/{key}/answer", json={"text": "x"}).json()["code"] == "wrong_role"
        assert ada.post(f"/v1/tickets/{key}/answer", json={"text": "내일 갑니다"}).status_code == 200
    assert ada.post(f"/v1/tickets/{keys[0]}/close").status_code == 404
    assert hana.post(f"/v1/tickets/{keys[0]}/close").json()["row"]["state"] == "closed"
    assert ada.post(f"/v1/tickets/{keys[0]}/answer", json={"text": "x"}).json()["details"]["why"] == ["closed"]
    assert hana.post(f"/v1/tickets/{keys[1]}/reopen").json()["details"]["why"] == ["open"]
    assert hana.post(f"/v1/tickets/{keys[0]}/reopen").json()["row"] == {"state": "answered", "reopened": 1}
    deals.pass_days(7)
    hana, ada = deals.who["hana"], deals.who["ada"]
    said = {one["said"]["id"]: one["said"] for one in hana.get(path).json()}
    assert [said[key]["late"] for key in keys] == [False, False, False, False, True]
    figures = ada.get("/v1/suppliers/ada/service").json()["said"]
    assert (figures["in_time"], figures["days"], figures["reopened"]) == (0.8, 0.0, 1)
    assert deals.who["bori"].get("/v1/suppliers/ada/service").json()["code"] == "wrong_role"

    laid = {"place": "기술보증기금", "hash": "b" * 64}
    assert ada.post(f"/v1/versions/{version}/deposits", json=laid | {"engagement": project}).status_code == 201
    assert hana.post(path, json={"severity": "stopped", "text": "설비 정지"}).status_code == 201
    deals.pass_days(14)
    assert deals.lacking("op", project, "part") == ["actor"], "ten working days are its own"
    deals.pass_days(3)
    assert deals.said("op", project, "part")["life"]["parted"] == "gone"
    held = deals.who["hana"].get(f"/v1/engagements/{project}/deposit").json()["said"]
    assert (held["free"], held["held"], held["until"] > deals.today()) == (False, "waiting", True)
    deals.pass_days(16)
    assert deals.who["hana"].get(f"/v1/engagements/{project}/deposit").json()["said"]["free"]

    deals.slots("ada")
    other = deals.signed(version)
    assert deals.said("hana", other, "part")["life"]["parted"] == "unwanted"
    held = deals.who["hana"].get(f"/v1/engagements/{other}/deposit").json()["said"]
    assert (held["free"], held["held"]) == (False, "no_deposit"), "the deposit is of the other project"
    ada, free = deals.who["ada"], {"place": "기술보증기금", "hash": "c" * 64, "engagement": other}
    key = ada.post(f"/v1/versions/{version}/deposits", json=free).json()["id"]
    held = deals.who["hana"].get(f"/v1/engagements/{other}/deposit").json()["said"]
    assert (held["free"], held["held"]) == (False, "supplier_there")
    assert ada.post(f"/v1/deposits/{key}/hand-out").status_code == 200
    assert deals.who["hana"].get(f"/v1/engagements/{other}/deposit").json()["said"]["free"]
    assert deals.said("hana", other, "end")["state"] == "ended"
    assert deals.who["hana"].get("/v1/rows/takeover?where=state=dropped").json()["rows"]
