"""The supplier goes bankrupt after it was paid."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.techsquare.seed.journey import PRICE, SETUP_S, TODAY, Journey, pressed
from tests.techsquare.seed.town import KEPT

if TYPE_CHECKING:
    from tests.techsquare.api.stand import Stand

POOR = {
    "current_assets": 10, "current_liabilities": 50, "assets": 100, "liabilities": 120,
    "retained_earnings": -30, "ebit": -10, "equity": -20, "consent": True, "year": 2025,
}  # fmt: skip
ALTMAN = 6.56 * (10 - 50) / 100 + 3.26 * -30 / 100 + 6.72 * -10 / 100 + 1.05 * -20 / 120
"""Of these accounts; below 1.10 is distress."""


@pytest.mark.parametrize("stand", ["sqlite", "postgresql"], indirect=True)
def test_supplier_bankrupt(stand: Stand) -> None:
    """I paid in advance, they closed, the phone is dead, and nobody else knows how to open their program.

    The accounts of this supplier are bad. It is on the list all the same and where it was; but its contract asks
    for more than that of others, and was not signed before. When it closes the factory has what it paid for, the
    days go on, the program's source is handed out, and another one goes on for the rest of the price.
    """
    journey = Journey(stand, lambda day: pressed("m0", day, SETUP_S * 6 // 10))
    town = journey.town
    journey.measured()
    journey.offered()
    list_before = [(o["supplier_id"], o["slot"], o["q10"], o["mean"]) for o in journey.offers()]
    assert [row[:2] for row in list_before] == [("ada", 1), ("bori", 2)]

    # Its own accounts, by its own consent: they change no list, and only it and the risk role read them.
    filed = town.post("ada", "/v1/suppliers/ada/accounts", POOR)["row"]
    assert ALTMAN < 1.10
    assert (filed["z2"], filed["zone"]) == (pytest.approx(ALTMAN), "distress")
    town.post("hana", f"/v1/items/{journey.item()['id']}/match")
    assert [(o["supplier_id"], o["slot"], o["q10"], o["mean"]) for o in journey.offers()] == list_before
    for who in ("hana", "mina", "bori", "op"):
        assert town.rows(who, "filed_account") == []

    # The contract says what must hold on the day it is gone; both read what, nobody but itself can know why.
    project = journey.chosen("ada")
    paper = journey.contract(project)
    more = ["escrow_deposited", "escrow_verified", "second_supplier"]
    assert paper["conditions"]["asked"] == [*KEPT, "milestones", *more]
    assert paper["conditions"]["open"] == ["escrow_verified", "second_supplier"]
    assert not {"z2", "zone", "distress", "risk"} & set(json.dumps(paper).replace('"', " ").split())
    town.post("hana", f"/v1/engagements/{project}/unmeasured")
    refused = town.ask("hana", "POST", f"/v1/engagements/{project}/sign").json()
    assert refused["details"]["conditions"] == ["escrow_verified", "second_supplier"]
    laid = next(one["id"] for one in town.rows("ada", "escrow_deposit"))
    assert town.code("op", "POST", f"/v1/deposits/{laid}/verify", {"built_by": "ada"}) == "conflict_of_interest"
    town.post("op", f"/v1/deposits/{laid}/verify", {"built_by": "bori"})
    paper = journey.contract(project, agreed=["second_supplier"], second=["bori"])
    assert paper["conditions"]["open"] == []
    plan = journey.frozen(project)

    # Delivered, and paid so far as it was delivered.
    journey.delivered(project)
    parts = {one["kind"]: one["id"] for one in town.rows("hana", "milestone")}
    first, second = PRICE * 40 // 100, PRICE * 50 // 100
    town.post("hana", f"/v1/milestones/{parts['delivery']}/paid", {"on": town.today.isoformat()})
    held = town.said("hana", f"/v1/engagements/{project}/deposit")
    assert (held["free"], held["held"]) == (False, "supplier_there")

    # It closes. The same day owner and mentor know; what was not reached is not paid.
    journey.until(journey.installed + timedelta(days=3))
    days = len(town.rows("hana", "metric_day"))
    assert days == 8 * (town.today - journey.first).days
    town.post("op", "/v1/suppliers/ada/close")
    assert [len(town.rows(who, "notification", kind="bankruptcy")) for who in ("hana", "mina")] == [1, 1]
    assert town.said("mina", "/v1/mentors/mina/queue")["lines"][0]["kind"] == "bankruptcy"
    assert journey.parts(project) == {
        "delivery": (first, "due"), "acceptance": (second, "waiting:not_accepted"),
        "verdict": (PRICE - first - second, "waiting:before_verdict"),
    }  # fmt: skip
    for kind in ("acceptance", "verdict"):
        form = {"on": town.today.isoformat()}
        assert town.code("hana", "POST", f"/v1/milestones/{parts[kind]}/paid", form) == "not_reached"
    left = town.said("hana", f"/v1/engagements/{project}/takeover")
    assert left["checklist"]["unpaid"] == PRICE - first
    assert left["checklist"]["stays"] == {"proved": [], "promised": KEPT, "missing": []}
    assert left["release"]["free"]
    assert (left["release"]["place"], left["release"]["hash"]) == ("기술보증기금", f"{0:064x}")

    # The data stays where it was and goes on; everything can be taken along; nobody is shown the closed one again.
    assert len(town.rows("hana", "metric_day")) == days
    journey.until(town.today + timedelta(days=2))
    lines = [json.loads(line) for line in town.who["hana"].get("/v1/parties/hana/export").text.splitlines()]
    assert sum(one["table"] == "metric_day" for one in lines) == days + 2 * 8
    assert sum(one["table"] == "day_record" for one in lines) == days // 8 + 2
    town.night()
    shown = {one["supplier_id"] for one in town.rows("hana", "offer") if one["ended_at"] is None}
    assert "ada" not in shown

    # The second supplier goes on with what there is, for what is unpaid.
    assert [one["supplier"] for one in left["candidates"]] == ["bori"]
    path = f"/v1/takeovers/{left['takeover']}"
    town.post("hana", f"{path}/offer", {"supplier": "bori"})
    town.slots("bori")
    town.post("bori", f"{path}/agree", {})
    town.put("hana", f"{path}/steps", {"done": ["data", "access", "deposit"]})
    row = journey.say("hana", project, "take-over")
    assert (row["life"]["state"], row["life"]["parted"], row["installed_on"]) == (
        "commissioning", None, journey.installed.isoformat(),
    )  # fmt: skip
    assert town.ask("ada", "POST", f"/v1/engagements/{project}/deliver").status_code == 404
    journey.accepted(project)
    assert journey.parts(project)["acceptance"] == (second, "due")
    assert journey.parts(project, "bori") == journey.parts(project)
    town.post("hana", f"/v1/milestones/{parts['acceptance']}/paid", {"on": town.today.isoformat()})
    assert town.said("mina", "/v1/mentors/mina/queue")["lines"] == []

    # What it has brought is told on the day that was agreed with the first one.
    on = next(one["verdict_on"] for one in town.rows("hana", "measurement_plan", id=plan))
    assert on == (journey.installed + timedelta(days=14 + 60 + 1)).isoformat()
    journey.until(TODAY.fromisoformat(on))
    town.night()
    (outcome,) = town.rows("hana", "outcome")
    assert (outcome["word"], outcome["low"] < -0.05 < outcome["high"]) == ("improved", True)
    assert journey.parts(project)["verdict"] == (PRICE - first - second, "due")
