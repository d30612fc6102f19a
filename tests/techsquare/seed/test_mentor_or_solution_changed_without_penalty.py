"""The promise: mentor or solution is changed at any time without penalty."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.techsquare.seed.journey import MEASURE, PRICE, TODAY, Journey

if TYPE_CHECKING:
    from tests.techsquare.api.stand import Stand
    from tests.techsquare.seed.town import Town

WHY = "약속을 세 번 어겼습니다"
"""Said by the owner, because he likes to; nobody has asked."""
TWINS = ("hana", "duri")
MENTORS = ("mina", "moon", "muri")
OF_PEOPLE = ("party", "factory", "mentor", "supplier", "solution", "solution_version")
"""Where something would stand that is held against somebody."""


def standing(town: Town, factory: str) -> dict[str, Any]:
    """Return everything by which somebody could be served earlier, better or cheaper than his twin."""
    measure = {row["id"]: (row["measure_id"], row["machine_id"]) for row in town.rows(factory, "roadmap_item")}
    offers = sorted(
        (
            *measure[row["item_id"]],
            row["slot"],
            row["supplier_id"],
            row["shown_by"],
            row["q10"],
            row["mean"],
            row["cost"],
        )
        for row in town.rows(factory, "offer")
        if row["ended_at"] is None and row["measure_id"] != MEASURE
    )
    points = {name: town.said(factory, f"/v1/factories/{factory}/mentors/{name}") for name in MENTORS}
    peers = town.said(factory, f"/v1/factories/{factory}/peers")
    return {
        "offers": offers,
        "mentors": {name: (one["barriers"], one["points"], one["lacking"]) for name, one in points.items()},
        "peers": peers,
        "ledger": town.said(factory, f"/v1/factories/{factory}/ledger"),
    }  # fmt: skip


def record(town: Town) -> list[Any]:
    """Return what is published of suppliers' work."""
    names = ("supplier_id", "family", "improved", "decided", "cannot_tell", "cause_not_shown", "mean")
    return sorted([row[name] for name in names] for row in town.rows("op", "record"))


@pytest.mark.parametrize("stand", ["sqlite"], indirect=True)
def test_mentor_or_solution_changed_without_penalty(stand: Stand) -> None:
    """With the government's programme I was stuck with whom they had sent. Here, they say, I only need to say so.

    Two factories that are alike to the second. One changes its mentor twice, takes back what it has chosen, and
    parts from a supplier in the middle of the work. Whatever the platform says of it afterwards, and to whom, is
    what it says of the other.
    """
    journey = Journey(
        stand, suppliers=("ada", "bori", "choi"), mentors=MENTORS, factories=TWINS, presses=2, days=28
    )
    town = journey.town
    journey.measured()
    journey.offered()
    for n, supplier in enumerate(journey.suppliers):  # something else is open as well
        town.proven(town.offered(supplier, "setup-cart", 2_000_000 + n * 100_000))
    town.job("op", "/v1/matching")
    town.night()
    twin = {name: standing(town, name) for name in TWINS}
    assert twin["hana"] == twin["duri"]
    people = {table: town.rows("op", table) for table in OF_PEOPLE}

    # A mentor, with a reason; the next one without. He who goes sees nothing from that moment on.
    changed = town.put("hana", "/v1/factories/hana/mentor", {"mentor_id": "moon", "reason": WHY})
    assert changed["row"]["mentor_id"] == "moon"
    assert town.rows("mina", "assessment", factory_id="hana") == []
    assert town.ask("mina", "GET", f"/v1/rows/roadmap_item/{journey.item()['id']}").status_code == 404
    third = town.put("hana", "/v1/factories/hana/mentor", {})["row"]["mentor_id"]
    assert third == "muri"  # neither of whom it has let go, unless it asks for him
    sheet = town.rows("muri", "assignment", factory_id="hana")
    assert [one["handover"]["made_on"] for one in sheet if one["until"] is None] == [TODAY.isoformat()]
    assert town.put("hana", "/v1/factories/hana/mentor", {"mentor_id": "mina"})["row"]["mentor_id"] == "mina"
    # What mentors are for others has not changed. Whom hana has let go it gets by name only: its own wish.
    now = {name: standing(town, name)["mentors"] for name in TWINS}
    assert now["duri"] == twin["duri"]["mentors"]
    assert now["hana"]["mina"] == now["duri"]["mina"]
    assert {name: now["hana"][name][0] for name in ("moon", "muri")} == {"moon": ["refused"], "muri": ["refused"]}

    # What it has chosen it takes back before the signature: the slot is the supplier's again, the list is open.
    free = town.rows("ada", "slot")[0]
    project = journey.chosen("ada")
    assert town.rows("ada", "slot")[0]["used"] == free["used"] + 1
    journey.contract(project)
    journey.say("hana", project, "end")
    assert town.rows("ada", "slot")[0]["used"] == free["used"]
    assert town.rows("hana", "milestone", advice="due") == []
    town.post("hana", f"/v1/items/{journey.item()['id']}/match")
    again = {name: [(o["supplier_id"], o["slot"], o["q10"]) for o in journey.offers(name)] for name in TWINS}
    assert again["hana"] == again["duri"]

    # Signed, delivered, and parted from in the middle: what was not reached is not paid, and nothing else follows.
    project = journey.chosen("ada")
    journey.contract(project)
    town.post("hana", f"/v1/engagements/{project}/unmeasured")
    journey.delivered(project)
    assert journey.say("hana", project, "part")["life"]["parted"] == "unwanted"
    (takeover,) = (one for one in town.rows("hana", "takeover") if one["engagement_id"] == project)
    assert takeover["why"] == "unwanted"
    assert takeover["checklist"]["unpaid"] == PRICE
    kept = {kind: advice for kind, (_, advice) in journey.parts(project).items()}
    assert kept == {
        "delivery": "due", "acceptance": "waiting:not_accepted", "verdict": "waiting:before_verdict",
    }  # fmt: skip
    town.slots("bori")
    town.post("hana", f"/v1/takeovers/{takeover['id']}/offer", {"supplier": "bori"})
    town.post("bori", f"/v1/takeovers/{takeover['id']}/agree", {"version": journey.versions["bori"]})
    assert journey.say("hana", project, "take-over")["life"]["state"] == "commissioning"
    journey.accepted(project)

    # The month is closed. The supplier that was let go has the record that it had, and so has everybody.
    before = record(town)
    journey.until(TODAY.replace(month=TODAY.month + 1))
    for supplier in journey.suppliers:
        town.slots(supplier)
    town.night()
    after = [row for row in record(town) if row not in before]
    assert {(row[0], row[1]): (row[2], row[3]) for row in after or before} == {
        (supplier, family): (12, 12) for supplier in journey.suppliers for family in (MEASURE, "setup-cart")
    }  # fmt: skip
    town.job("op", "/v1/matching")
    town.night()
    twin = {name: standing(town, name) for name in TWINS}
    waited = {name: one["mentors"]["mina"][1]["waited"] for name, one in twin.items()}
    assert waited["hana"] == waited["duri"]  # since its application, whatever it has changed
    assert twin["hana"]["offers"] == twin["duri"]["offers"]
    assert twin["hana"]["peers"] == twin["duri"]["peers"]
    assert twin["hana"]["ledger"] == twin["duri"]["ledger"]

    # Nobody's own row has changed, and the reason stands at the assignment, for the operator's statistics, alone.
    assert {table: town.rows("op", table) for table in OF_PEOPLE} == people
    for who in ("mina", "moon", "duri", "ada", "op"):
        seen = town.sees(who)
        if who == "op":
            del seen["assignment"]
        assert WHY not in json.dumps(seen, ensure_ascii=False), who
    for who in ("choi", "duri", "moon"):  # the two suppliers know of the takeover, and nobody else
        assert town.rows(who, "takeover") == []
