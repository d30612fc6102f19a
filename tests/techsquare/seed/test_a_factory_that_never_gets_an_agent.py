"""A factory that never gets an agent."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.techsquare.seed.town import KEPT, Town

if TYPE_CHECKING:
    from tests.techsquare.api.stand import Stand

TODAY = date(2026, 7, 6)
ANSWERS = {
    "process": "press", "orders": "yes", "limits": "yes", "hours_day": 16, "days_week": 5, "fault_minutes": 20,
    "changeovers": 4, "setup_minutes": 40, "pieces_day": 2_000, "contribution": 1_200, "people": 1, "material": 500,
    "wage": 15_000,
}  # fmt: skip
PRICE = 3_000_000
SETUP_MIN, PLANNED_MIN, PRODUCTION_MIN, PIECES = 150, 960, 760, 1_900


def result(town: Town, name: str) -> tuple[str, str | None, str]:
    """Return where a result of the factory stands: state, reason, what to do next."""
    found = town.said("hana", "/v1/factories/hana/standings")["standings"]
    one: dict[str, Any] = next(row for row in found if row["result"] == name)
    return one["state"], one["reason"], one["next"]


@pytest.mark.parametrize("stand", ["sqlite", "postgresql"], indirect=True)
def test_a_factory_that_never_gets_an_agent(stand: Stand) -> None:
    """No box comes into my shop: the machines are thirty years old and I want no cables. Am I out?

    Fifteen minutes of questions, a notebook beside the machine, and a mentor. Everything is had but what needs
    signed days: nothing is ever called measured, and no verdict is promised; and nobody is told that it is silent.
    """
    town = Town(stand, TODAY, factories={"hana": {}}, suppliers=("ada",), mentors=("mina",))
    town.put("op", "/v1/factories/hana/mentor", {"mentor_id": "mina"})

    # Day 0: questions, and losses from them, wide and named as answers.
    assert result(town, "losses") == ("none", "nothing_said", "answer_questions")
    town.put("hana", "/v1/factories/hana/machines/p-1", {"process": "press", "limits_output": "yes"})
    form = {"answers": ANSWERS, "machine": "p-1"}
    told = town.post("hana", "/v1/factories/hana/answers", form)["said"]["assessment"]
    assert (told["kind"], told["state"]) == ("answered", "day0")
    loss = {one["bucket"]: one for one in told["body"]["losses"]}
    hours = loss["setup"]["hours_year"]
    # 4 x 40 minutes, as wide as both answers are (1.3 and 1.5 times), on 5 days (1.05) of 50 weeks
    assert hours["low"] == pytest.approx(4 / 1.3 * 40 / 1.5 / 60 * 5 / 1.05 * 50)
    assert hours["high"] == pytest.approx(4 * 1.3 * 40 * 1.5 / 60 * 5 * 1.05 * 50)
    assert {one["confidence"] for one in loss.values()} == {"low"}
    assert len(told["body"]["next"]["measure"]) == 3
    visit = town.post("hana", "/v1/factories/hana/visits", {})
    assert town.get("mina", f"/v1/visits/{visit['id']}/sheet")["said"]

    # A week of counting by hand. The mentor comes, and fills in what no signal could show.
    town.later(8)
    days = [town.today - timedelta(days=n) for n in range(7, 0, -1)]
    for n, day in enumerate(days):
        lines = [
            {"machine": "p-1", "day": day.isoformat(), "kind": kind, "value": value}
            for kind, value in (
                ("planned_min", PLANNED_MIN), ("setup_min", SETUP_MIN + 10 * (n - 3)),
                ("production_min", PRODUCTION_MIN - 10 * (n - 3)), ("pieces", PIECES),
            )
        ]  # fmt: skip
        town.post("hana", "/v1/factories/hana/readings", {"lines": lines})
    done = {"on": town.today.isoformat(), "found": {"설비": "통신 단자 없음"}}
    town.post("mina", f"/v1/visits/{visit['id']}/done", done)
    sheet = {one["id"]: 1 for one in town.said("mina", "/v1/entry/questionnaire")["questions"]}
    town.post("mina", "/v1/factories/hana/questionnaire", {"levels": sheet})
    assert town.night()["diagnoses"]["stored"] == 1
    counted = max(town.rows("hana", "assessment"), key=lambda row: row["at"])
    assert (counted["kind"], counted["state"]) == ("counted", "day7")
    assert result(town, "losses")[0] == "counted"
    account = next(one for one in counted["body"]["accounts"] if one["machine"] == "p-1")
    minutes = {bucket: us / 60e6 for bucket, us in account["time_us"].items()}
    assert minutes["setup"] == 7 * SETUP_MIN
    assert minutes["unknown"] == 7 * (PLANNED_MIN - SETUP_MIN - PRODUCTION_MIN)
    assert sum(minutes.values()) == 7 * PLANNED_MIN
    setup = next(one for one in counted["body"]["losses"] if one["bucket"] == "setup")
    year = counted["body"]["year"]["production_days"]
    assert year == 5 * 50
    assert setup["hours_year"]["low"] < SETUP_MIN / 60 * year < setup["hours_year"]["high"]
    made_hour, good = account["made_hour"], account["good"]
    assert good is None or 0 < good["low"] <= good["high"] <= 1
    assert made_hour["low"] < PIECES / (PRODUCTION_MIN / 60) < made_hour["high"]

    # Four weeks later it has the same, and it has been nobody's silent agent.
    town.later(21)
    town.night()
    assert result(town, "losses")[0] == "counted"
    assert result(town, "verdict")[0] != "measured"
    assert {row["kind"] for row in town.rows("mina", "task")} & {
        "silence",
        "stale",
        "agent_silent",
        "notice",
    } == set()
    assert town.said("mina", "/v1/mentors/mina/queue")["lines"] == []
    assert town.rows("hana", "agent") == []
    assert {row["kind"] for row in town.rows("hana", "assessment")} == {"answered", "counted"}

    # A roadmap, an offer, a project, as anybody.
    town.post("hana", "/v1/factories/hana/rates", {
        "contribution_piece": {"low": 1_100, "high": 1_300}, "good_share": {"low": 0.97, "high": 1.0},
        "orders_wait": "yes",
    })  # fmt: skip
    means: dict[str, Any] = {"cash": [8_000_000, 0, 0], "staff_days": [30.0] * 3, "support": [0] * 3}
    town.post("hana", "/v1/factories/hana/budgets", means)
    town.night()
    plan = town.post("hana", "/v1/factories/hana/roadmaps", {})["row"]["body"]
    chosen = [one["measure"] for one in plan["roadmap"]["chosen"]]
    assert "setup-cart@p-1" in chosen  # what needs no data; what does needs it first
    cost = sum(one["cost"] for one in plan["roadmap"]["chosen"])
    assert cost <= means["cash"][0]
    version = town.offered("ada", "setup-cart", PRICE)
    town.proven(version)
    laid = {"place": "기술보증기금", "hash": "a" * 64}
    town.post("ada", f"/v1/versions/{version}/deposits", laid)
    town.night()
    (offer,) = (row for row in town.rows("hana", "offer") if row["version_id"] == version)
    town.post("hana", f"/v1/offers/{offer['id']}/answer", {"answer": "wanted", "contact": True})
    project = town.post("ada", f"/v1/offers/{offer['id']}/agree")["id"]
    path = f"/v1/engagements/{project}"
    town.put("ada", f"{path}/contract", {"won": PRICE, "agreed": []})

    # A verdict needs signed days: a plan says at once that it cannot tell, and the owner says that he wants none.
    town.post("hana", "/v1/factories/hana/application", {"on": TODAY.isoformat()})
    first = town.today - timedelta(days=20)
    told = town.ask("hana", "POST", f"{path}/plans", {
        "metric": "setup", "machines": ["p-1"], "baseline_from": first.isoformat(),
        "baseline_to": (town.today - timedelta(days=1)).isoformat(),
        "installed": (town.today + timedelta(days=14)).isoformat(), "least": 0.05,
    })  # fmt: skip
    if told.is_success:
        promise = town.waited("hana", told.json()["row"]["job"])
        assert (promise["low"], promise["high"]) == (None, None)
    else:
        assert told.json()["code"] == "plan_refused"
    town.post("hana", f"{path}/unmeasured")
    town.post("hana", f"{path}/sign")
    town.post("ada", f"{path}/begin")
    town.later(10)
    town.post("ada", f"{path}/deliver")
    town.post("hana", f"{path}/drill", {"proved": KEPT})
    assert town.post("hana", f"{path}/accept")["row"]["state"] in {"decided", "accepted"}
    town.night()
    parts = {
        one["kind"]: (one["won"], one["advice"]) for one in town.said("hana", f"{path}/contract")["milestones"]
    }
    assert parts == {
        "delivery": (PRICE * 40 // 100, "due"), "acceptance": (PRICE * 50 // 100, "due"),
        "verdict": (PRICE * 10 // 100, "due"),
    }  # fmt: skip
    assert town.rows("hana", "outcome") == []
    shown = max(town.rows("op", "record"), key=lambda row: row["at"]) if town.rows("op", "record") else None
    assert shown is None or shown["decided"] == 12  # what was not measured is nobody's success
