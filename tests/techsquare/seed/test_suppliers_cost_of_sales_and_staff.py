"""What it costs a supplier to be found: sales, promotion, and the people for both."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.techsquare.seed.town import Town

if TYPE_CHECKING:
    from tests.techsquare.api.stand import Stand

TODAY = date(2026, 7, 6)
NAMES = tuple(f"shop-{n:02}" for n in range(12))
POOR = NAMES[:3]
"""These cannot pay what the dear one asks."""
MEASURE, CHEAP, DEAR = "setup-cart", 2_000_000, 12_000_000
ANSWERS = {
    "process": "press", "orders": "yes", "limits": "yes", "hours_day": 16, "days_week": 5, "fault_minutes": 20,
    "changeovers": 4, "setup_minutes": 40, "waiting_minutes": 10, "pace_percent": 95, "rejects_percent": 1,
    "pieces_day": 2_000, "contribution": 1_200, "people": 1, "wage": 15_000,
}  # fmt: skip


@pytest.mark.parametrize("short", ["sqlite"], indirect=True)
def test_suppliers_cost_of_sales_and_staff(short: Stand) -> None:  # noqa: C901 - one story
    """We are six people. Two of them drive from factory to factory with a catalogue, and nine in ten say no.

    Twelve factories look for what four suppliers have. Nobody buys a place or pays for a lead; who is asked is
    asked by a factory that it fits, and only as often as it has people. Why it was not shown it learns as sums,
    never of one factory, and there is nobody whom it could call.
    """
    town = Town(
        short,
        TODAY,
        factories={name: {} for name in NAMES},
        suppliers=("ada", "bori", "choi", "dodam"),
        mentors=("mina",),
    )
    for name in NAMES:
        town.put(name, f"/v1/factories/{name}/machines/p-1", {"process": "press", "limits_output": "yes"})
        town.post(name, f"/v1/factories/{name}/answers", {"answers": ANSWERS, "machine": "p-1"})
        cash = 3_500_000 if name in POOR else 40_000_000
        means = {"cash": [cash, 0, 0], "staff_days": [90.0] * 3, "support": [0] * 3, "most_measures": 9}
        town.post(name, f"/v1/factories/{name}/budgets", means)
        plan = town.post(name, f"/v1/factories/{name}/roadmaps", {})["row"]["body"]["roadmap"]
        assert f"{MEASURE}@p-1" in {one["measure"] for one in plan["chosen"]}, name
    version = {
        "ada": town.offered("ada", MEASURE, CHEAP), "bori": town.offered("bori", MEASURE, CHEAP, regions=["seoul"]),
        "choi": town.offered("choi", MEASURE, DEAR), "dodam": town.offered("dodam", MEASURE, CHEAP),
    }  # fmt: skip
    for one in version.values():
        town.proven(one)
    town.slots("ada", 2)
    town.post(NAMES[5], f"/v1/factories/{NAMES[5]}/exclusions", {"supplier_id": "dodam", "why": "사돈 회사"})
    town.night()

    # Shown where it fits, at its price and no won more: what an offer is worth holds no fee of anybody's.
    seen = town.rows("ada", "offer")
    assert len(seen) >= 1
    assert all("factory_id" not in row for row in seen)
    lists = {name: [row for row in town.rows(name, "offer") if row["measure_id"] == MEASURE] for name in NAMES}
    for rows in lists.values():
        assert 1 <= len(rows) <= 3
        for row in rows:
            assert row["version_id"] != version["bori"]  # another region: nobody had to drive there to learn it
            price = DEAR if row["version_id"] == version["choi"] else CHEAP
            assert set(row["terms"]) == {"gain", "price", "yearly", "leaving"}
            assert row["terms"]["price"] == -price
            assert sum(row["terms"].values()) == pytest.approx(row["mean"])
    assert not any(row["supplier_id"] == "choi" for name in POOR for row in lists[name])
    assert not any(row["supplier_id"] == "dodam" for row in lists[NAMES[5]])
    for who in ("ada", "bori", "choi", "dodam"):
        assert town.rows(who, "cost") == []

    # There is nobody to call: a supplier reads no factory, no need and no list, and can write to none.
    for who in ("ada", "bori"):
        assert town.rows(who, "factory") == []
        assert not [row for row in town.rows(who, "party") if row["kind"] == "factory"]
        for table in ("roadmap", "roadmap_item", "failed_pair", "budget", "assessment", "exclusion"):
            assert town.rows(who, table) == [], table
        letter = {"to": "mentor", "text": "한번 찾아뵙겠습니다"}
        assert town.ask(who, "POST", f"/v1/factories/{NAMES[4]}/messages", letter).status_code == 404
    item = lists[NAMES[4]][0]["item_id"]
    assert town.ask("bori", "GET", f"/v1/items/{item}/why-not/bori").status_code == 404

    # It is called by who wants it, and learns that moment whom it fits; as often as it has people.
    asking = [(name, row["id"]) for name, rows in lists.items() for row in rows if row["supplier_id"] == "ada"]
    *asking, (late, third) = asking[:3]
    projects = []
    for name, offer in asking:
        town.post(name, f"/v1/offers/{offer}/answer", {"answer": "wanted", "contact": True})
        projects.append(town.post("ada", f"/v1/offers/{offer}/agree")["id"])
    town.post(late, f"/v1/offers/{third}/answer", {"answer": "wanted", "contact": True})
    assert town.code("ada", "POST", f"/v1/offers/{third}/agree") == "slots_used"  # it has people for two
    (waiting,) = (row for row in town.rows("ada", "engagement") if row["offer_id"] == third)
    town.post("ada", f"/v1/engagements/{waiting['id']}/refuse")
    begun = {row["factory_id"] for row in town.rows("ada", "engagement") if row["state"] == "agreed"}
    assert begun == {name for name, _ in asking}
    assert town.post("ada", f"/v1/engagements/{projects[0]}/messages", {"text": "화요일에 찾아뵙겠습니다"})
    assert [row["state"] for row in town.rows("ada", "task", kind="asked")] == ["done"] * 3
    town.job("op", "/v1/matching")
    shown = [
        row for name in NAMES for row in town.rows(name, "offer")
        if row["ended_at"] is None and row["supplier_id"] == "ada" and row["answer"] is None
    ]  # fmt: skip
    assert shown == []  # nobody is sent to a firm without people

    # What all of it has cost the suppliers: nothing. The bill of the programme has no line for them.
    for n, name in enumerate(NAMES[:2]):
        kind = ("diagnosis", "measure")[n]
        bill = {"kind": kind, "won": 1_000_000, "on": TODAY.isoformat(), "sponsor": 0.0}
        town.post("op", f"/v1/factories/{name}/costs", bill)
    assert {row["payer"] for row in town.rows("op", "cost")} == {"sponsor", "factory"}
    assert "supplier" not in str(town.said("op", "/v1/ledger"))

    # The month is over: why it was not shown, over ten factories or more; what is less is not told.
    town.at(date(2026, 8, 1))
    assert town.night()["months"]["sums"] > 0
    sums = {
        who: {row["reason"]: row["factories"] for row in town.rows(who, "reason_sum")}
        for who in ("bori", "choi", "dodam")
    }
    assert {row["supplier_id"] for row in town.rows("bori", "reason_sum")} == {"bori"}
    assert len(NAMES) - len(asking) == 10  # whose item is open still
    assert sums["bori"]["region"] == 10
    for found in sums.values():
        assert all(count >= 10 for count in found.values())
    # Three could not pay choi, and one has excluded dodam: neither reads a word of it.
    assert "price" not in sums["choi"]
    assert "excluded" not in sums["dodam"]
