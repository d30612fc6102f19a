"""From a factory's first answers, and from its days, to a diagnosis and a roadmap: over the API alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sqlalchemy import func, select

from techsquare.registry import tables as t
from techsquare.services import roadmap
from techsquare.services.days import DAY_NS, day_of
from techsquare.services.said import form, questionnaire
from tests.techsquare.api.story import Story
from tests.techsquare.diagnosis.made import truth
from tests.techsquare.services import made
from tests.techsquare.services.test_assessing import five_a_week

if TYPE_CHECKING:
    import httpx

    from tests.techsquare.api.stand import Stand

KNOWN = {
    "process": "press", "orders": "yes", "limits": "yes", "hours_day": 16, "days_week": 5, "fault_minutes": 90,
    "changeovers": 3, "setup_minutes": 60, "pieces_day": 2_000, "contribution": 1_200, "people": 1,
}  # fmt: skip
"""What an owner knows by heart; the rest is "모름"."""
MEANS = {"cash": [40_000_000, 0, 0], "staff_days": [30.0, 0.0, 0.0], "support": [0] * 3}


def said(answer: httpx.Response, status: int = 201) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    told: dict[str, Any] = found["said"]
    return told


def states(client: httpx.Client, factory: str) -> dict[str, tuple[str, str | None, str]]:
    rows = said(client.get(f"/v1/factories/{factory}/standings"), 200)["standings"]
    return {one["result"]: (one["state"], one["reason"], one["next"]) for one in rows}


def rows_of(client: httpx.Client, table: str, **where: Any) -> list[dict[str, Any]]:
    wanted = [f"{name}={value}" for name, value in where.items()]
    answer = client.get(f"/v1/rows/{table}", params={"limit": 200, "where": wanted})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def test_a_factory_that_never_gets_an_agent_goes_from_answers_to_a_roadmap(stand: Stand) -> None:
    story = Story(stand)
    hana, op = story.who["hana"], story.who["op"]
    # Day 0, before anybody has said anything: every result has a state, and says what to do.
    before = states(hana, "hana")
    assert len(before) == 11
    assert before["losses"] == ("none", "nothing_said", "answer_questions")
    assert hana.post("/v1/factories/hana/assessments").json()["code"] == "nothing_known"
    asked = said(stand.client().get("/v1/entry/questions"), 200)
    assert [q["id"] for q in asked["questions"]] == [q.id for q in form().questions]
    assert all(q["ko"] and q["en"] and q["why"] for q in asked["questions"])
    choices = next(q for q in asked["questions"] if q["id"] == "orders")["choices"]
    assert [(c["id"], bool(c["ko"]), bool(c["en"])) for c in choices] == [("yes", True, True), ("no", True, True)]

    nothing = said(hana.post("/v1/factories/hana/answers", json={"answers": {"hours_day": None}}))
    assert nothing["assessment"] is None
    told = said(hana.post("/v1/factories/hana/answers", json={"answers": KNOWN | {"cash": "많이"}}))
    body = told["assessment"]["body"]
    assert (told["assessment"]["kind"], told["assessment"]["state"]) == ("answered", "day0")
    assert body["answers"]["machine"] == "main"
    assert body["oee"] == pytest.approx(body["accounts"][0]["shares"]["good"])
    assert body["oee"]["low"] < body["oee"]["high"], "answers are no census"
    assert body["answers"]["conflicts"] == [["out_of_range", "cash"]]
    assert {one["source"] for one in body["losses"]} == {"answered"}
    assert {one["confidence"] for one in body["losses"]} == {"low"}
    assert len(body["next"]["measure"]) == 3
    by = {check["id"]: check["won"] for check in asked["checks"]}
    assert [(one["check"], one["cost_won"]) for one in body["next"]["measure"]] == [
        (one["check"], by[one["check"]]) for one in body["next"]["measure"]
    ]
    assert [one["narrows"] > 0 for one in body["next"]["measure"]] == [True] * 3
    assert set(body["answers"]["priors"]) == {"waiting_minutes", "pace_percent", "rejects_percent", "wage"}
    assert "material" in body["next"]["visit"]["ask"]
    now = states(hana, "hana")
    assert now["losses"] == ("answers", "only_said", "count_by_hand")
    assert now["won"][0] == "answers"
    assert now["roadmap"] == now["offers"] == ("none", "no_budget", "say_budget")
    assert {one["result"]: one["state"] for one in told["standings"]} == {k: v[0] for k, v in now.items()}
    fault = next(one for one in body["losses"] if one["bucket"] == "fault")
    # ninety minutes, half to twice of it; two hundred and fifty days, each five hundredths off
    assert fault["hours_year"]["low"] == pytest.approx(45 / 60 * 5 / 1.05 * 50)
    assert fault["won_year"]["low"] > 0
    scrap = next(one for one in body["losses"] if one["bucket"] == "scrap")
    assert (scrap["won_year"], scrap["lacking"]) == (None, ["scrap_piece"])

    # A roadmap of it, in the owner's own hands.
    assert hana.post("/v1/factories/hana/budgets", json=MEANS).status_code == 201
    assert states(hana, "hana")["roadmap"] == ("none", "no_plan", "make_plan")
    plan = hana.post("/v1/factories/hana/roadmaps", json={})
    assert plan.status_code == 201, plan.text
    assert plan.json()["row"]["body"]["asked"]["assessment"] == told["assessment"]["id"]
    now = states(hana, "hana")
    assert now["roadmap"][0] == "answers"
    assert now["offers"] == ("none", "no_offers", "see_advice"), "nobody sells anything yet"
    stored = {
        (r["machine_id"], r["bucket"]): r for r in rows_of(hana, "loss", assessment_id=told["assessment"]["id"])
    }
    assert {at: (r["won_low"], r["won_high"]) for at, r in stored.items() if r["won_low"] is not None} == {
        (one["machine"], one["bucket"]): (one["won_year"]["low"], one["won_year"]["high"])
        for one in body["losses"]
        if one["won_year"]
    }

    # Nobody else gets any of it.
    for name in ("duri", "ada", "mina", "op"):
        for path in ("standings", "peers"):
            assert story.who[name].get(f"/v1/factories/hana/{path}").status_code == 404, (name, path)
    assert stand.client().get("/v1/factories/hana/standings").status_code == 401
    # A visit is asked for once; whoever looks after nobody yet is the operator's house.
    visit = hana.post("/v1/factories/hana/visits", json={})
    assert (visit.status_code, visit.json()["row"]["state"], visit.json()["row"]["kind"]) == (201, "asked", "first")
    assert hana.post("/v1/factories/hana/visits", json={}).json()["code"] == "visit_state"
    tasks = rows_of(op, "task", kind="visit_asked")
    assert [one["source"]["key"] for one in tasks] == [visit.json()["id"]]
    sheet = hana.get(f"/v1/visits/{visit.json()['id']}/sheet").json()["said"]
    assert sheet

    # A week later it has counted five days by hand.
    stand.shift += 8 * DAY_NS
    hana, duri = (stand.client(stand.token(_member(stand, name))) for name in ("hana", "duri"))
    assert states(hana, "hana")["losses"] == ("answers", "only_said", "count_by_hand")
    today = day_of(stand.now())
    lines = [
        {"machine": "main", "day": (today - timedelta(days=i)).isoformat(), "kind": kind, "value": value}
        for i in range(1, 6)
        for kind, value in (
            ("planned_min", 960),
            ("fault_min", 60 + i),
            ("production_min", 890 - i),
            ("pieces", 1_900),
        )
    ]
    counted = said(hana.post("/v1/factories/hana/readings", json={"lines": lines}))
    assert (len(counted["readings"]), len(counted["days"]), counted["refused"]) == (20, 5, [])
    meter = {"machine": "main", "day": lines[0]["day"], "kind": "meter_kwh", "value": 90_000}
    slip = said(hana.post("/v1/factories/hana/readings", json={"lines": [meter, {**lines[1], "value": 900}]}))
    assert [one["why"] for one in slip["refused"]] == ["more_than_planned"]
    assert duri.delete(f"/v1/readings/{slip['readings'][1]}").status_code == 404
    mended = said(hana.delete(f"/v1/readings/{slip['readings'][1]}"), 200)
    assert (len(mended["days"]), mended["refused"]) == (5, [])
    later = hana.post("/v1/factories/hana/assessments")
    assert later.status_code == 201, later.text
    row = later.json()["row"]
    assert (row["kind"], row["state"], row["body"]["window"]["production_days"]) == ("counted", "day7", 5)
    assert states(hana, "hana")["losses"] == ("counted", "not_connected", "connect")
    losses = {one["bucket"]: one for one in row["body"]["losses"]}
    assert losses["fault"]["source"] == "counted"
    assert losses["fault"]["rule"] == "contribution"  # as answered: it limits, and orders wait
    # Nobody counts rejects here, so a stop has no price yet, and the diagnosis says what to enter.
    assert (losses["fault"]["won_year"], losses["fault"]["lacking"]) == (None, ["rejects"])
    share = {"good_share": {"low": 0.97, "high": 0.99}}
    assert hana.post("/v1/factories/hana/rates", json=share).status_code == 201
    priced = hana.post("/v1/factories/hana/assessments").json()
    assert next(o for o in priced["row"]["body"]["losses"] if o["bucket"] == "fault")["won_year"]["low"] > 0
    plan = hana.post("/v1/factories/hana/roadmaps", json={})
    assert plan.json()["row"]["body"]["asked"]["assessment"] == priced["id"]
    stand.shift += 21 * DAY_NS
    hana = stand.client(stand.token(_member(stand, "hana")))
    assert states(hana, "hana")["losses"] == ("counted", "not_connected", "connect")
    assert hana.post("/v1/factories/hana/assessments").json()["row"]["state"] == "day28"


def _member(stand: Stand, party: str) -> str:
    with stand.registry.reading() as session:
        found = session.scalars(select(t.Membership.id).where(t.Membership.party_id == party)).first()
        assert found
        return found


def test_measured_days_become_a_diagnosis_and_a_roadmap_with_the_mentor(stand: Stand) -> None:
    story = Story(stand)
    hana, mina, op = (story.who[name] for name in ("hana", "mina", "op"))
    for name in ("press-1", "press-2"):
        told = hana.put(f"/v1/factories/hana/machines/{name}", json={"process": "press", "limits_output": "no"})
        assert told.status_code == 200
    wrong = KNOWN | {"fault_minutes": 400}
    told_ = said(hana.post("/v1/factories/hana/answers", json={"answers": wrong, "machine": "press-1"}))
    assert told_["assessment"]["body"]["answers"]["used"]
    nobody = hana.post("/v1/factories/hana/answers", json={"answers": KNOWN, "machine": "nobody"})
    assert nobody.status_code == 404
    rng = np.random.default_rng(4)
    days = five_a_week(truth(rng, 30, "press-1")) + five_a_week(truth(rng, 30, "press-2"))
    made.days(stand.registry, "hana", days, metrics={"V01": [2.0, 1.0]}, energy_kwh=120.0)
    assert mina.post("/v1/factories/hana/assessments").status_code == 404
    assert mina.get("/v1/factories/hana/standings").status_code == 404
    assert mina.get("/v1/factories/hana/peers").status_code == 404
    assert op.put("/v1/factories/hana/mentor", json={"mentor_id": "mina"}).status_code == 200
    rates = {"avoidable_hour": {"low": 30_000, "high": 40_000}, "scrap_piece": {"low": 500, "high": 500},
             "tariff_kwh": {"low": 150, "high": 150}}  # fmt: skip
    assert mina.post("/v1/factories/hana/rates", json=rates).status_code == 201
    sheet = {q["id"]: 1 for q in said(mina.get("/v1/entry/questionnaire"), 200)["questions"]}
    assert len(sheet) == len(questionnaire().questions)
    assert len(said(mina.post("/v1/factories/hana/questionnaire", json={"levels": sheet}))["answers"]) == len(sheet)
    off = mina.post("/v1/factories/hana/questionnaire", json={"levels": {"strategy": 9}})
    assert (off.status_code, off.json()["details"]) == (422, {"questions": ["strategy"]})
    made_ = mina.post("/v1/factories/hana/assessments")
    assert made_.status_code == 201, made_.text
    row = made_.json()["row"]
    assert (row["kind"], row["window_from"]) == ("measured", days[0].day.isoformat())
    assert row["coverage"] == pytest.approx(1.0)
    assert {one["source"] for one in row["body"]["losses"]} == {"measured"}
    assert [tuple(one) for one in row["body"]["indicators"]] == [("press-1", "V01", 2.0), ("press-2", "V01", 2.0)]
    coverage = row["body"]["questionnaire"]["coverage"]
    assert {one["by"] for model in coverage for one in model["parts"]} <= {
        "answered",
        "nobody",
    }  # there is no report
    assert all(model["answered"] > 0 for model in coverage)
    again = hana.post("/v1/factories/hana/assessments").json()
    assert again["id"] == made_.json()["id"]
    # Of the machine that was asked about, what was said is shown beside what was measured.
    assert (row["body"]["answers"]["machine"], row["body"]["answers"]["used"]) == ("press-1", False)
    assert {one["machine"] for one in row["body"]["contradictions"]} == {"press-1"}

    assert hana.post("/v1/factories/hana/budgets", json=MEANS).status_code == 201
    plan = hana.post("/v1/factories/hana/roadmaps", json={})
    assert plan.status_code == 201, plan.text
    found = plan.json()["row"]["body"]
    assert found["asked"]["assessment"] == made_.json()["id"]
    assert set(found["machines"]) == {"press-1", "press-2"}
    # What an item's places lose is what the ledger says of them: three years, as far as it is credited.
    stored = {(r["machine_id"], r["bucket"]): r for r in rows_of(hana, "loss", assessment_id=made_.json()["id"])}
    # Around what was seen of it: what unknown time may hide stands in the spans of all buckets at once.
    even = {}
    for one in row["body"]["losses"]:
        at, middle = stored[one["machine"], one["bucket"]], one["middle"]
        half = min(middle - at["won_low"], at["won_high"] - middle)
        even[one["machine"], one["bucket"]] = (middle - half, middle + half)
    assert even.keys() == stored.keys()
    for name, item in found["items"].items():
        kind, _, machine = name.partition("@")
        entry = next(e for e in stand.catalogue.entries if e.id == kind)
        if entry.per == "plant" or not entry.gains or any(g.bucket == "energy" for g in entry.gains):
            continue
        lost = [even[machine, gain.bucket] for gain in entry.gains]
        assert item["loss"]["low"] == 3 * sum(low for low, _ in lost)
        assert item["loss"]["high"] == 3 * sum(high for _, high in lost)
    # What the engine takes are these, and beside them what electricity costs.
    with stand.registry.reading() as session:
        assert session.scalar(select(func.count()).select_from(t.Assessment)) == 2
        budget = session.scalars(select(t.Budget.id)).one()
        asked = roadmap.Asked(made_.json()["id"], budget, days[0].day, (), ())
        taken = roadmap.inputs(session, stand.catalogue, "hana", asked).losses
    power = {
        (one["machine"], "energy"): (one["won_year"]["low"], one["won_year"]["high"])
        for one in row["body"]["energy"]
    }
    assert set(power) == {("press-1", "energy"), ("press-2", "energy")}
    assert taken == power | even
    assert said(hana.get("/v1/factories/hana/peers"), 200) == {"peers": []}


def test_a_machine_that_nobody_had_named_goes_when_it_gets_a_name(stand: Stand) -> None:
    story = Story(stand)
    hana = story.who["hana"]
    said(hana.post("/v1/factories/hana/answers", json={"answers": KNOWN}))
    assert [(m["id"], m["process"], m["retired_on"]) for m in rows_of(hana, "machine")] == [("main", "press", None)]
    assert hana.put("/v1/factories/hana/machines/press-1", json={"name": "프레스 1호기"}).status_code == 200
    told = said(
        hana.post("/v1/factories/hana/answers", json={"answers": {"fault_minutes": 20}, "machine": "press-1"})
    )
    body = told["assessment"]["body"]
    assert body["answers"]["machine"] == "press-1"
    assert body["answers"]["said"]["hours_day"] == 16  # said before, and about the same machine
    assert {one["machine"] for one in body["losses"]} == {"press-1"}
    left = {m["id"]: m["retired_on"] is None for m in rows_of(hana, "machine")}
    assert left == {"main": False, "press-1": True}
    assert {m["machine_id"] for m in rows_of(hana, "answer") if m["question"] == "fault_minutes"} == {
        "main",
        "press-1",
    }
