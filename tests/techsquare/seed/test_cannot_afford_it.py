"""It cannot afford it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.techsquare.seed.conftest import CALL
from tests.techsquare.seed.journey import RATES, TODAY, pressed
from tests.techsquare.seed.shop import Shop
from tests.techsquare.seed.town import Town

if TYPE_CHECKING:
    from tests.techsquare.api.stand import Stand

SHARE, CAP = 0.6, 80_000_000
PHASE_ENDS = (3, 12, 36)
POOR: dict[str, Any] = {"cash": [1_500_000, 2_500_000, 3_000_000], "staff_days": [40.0] * 3, "support": [0, 0, 0]}
DIAGNOSIS = 1_800_000


def paid(plan: dict[str, Any], until: int) -> int:
    """Return what of own cash a plan's measures that are begun before a month have cost, in won."""
    begun = [one for one in plan["chosen"] if one["month"] < until]
    return sum(one["cost"] - one["support"] for one in begun)


def within(stand: Stand, plan: dict[str, Any], cash: list[int]) -> None:
    """Look that each phase is paid out of what there is by then, by numbers of the catalogue's file alone."""
    entries = {one.id: one for one in stand.catalogue.entries}
    for phase, end in enumerate(PHASE_ENDS):
        running = 0.0
        for one in plan["chosen"]:
            entry = entries[one["measure"].partition("@")[0]]
            assert one["cost"] == round((entry.cost.low + entry.cost.high) / 2)  # VAT comes back
            yearly = (entry.yearly.low + entry.yearly.high) / 2
            running += yearly * max(0.0, end - one["month"] - entry.months) / 12
        begun = sum(one["cost"] - one["support"] for one in plan["chosen"] if one["phase"] <= phase)
        assert begun + running <= sum(cash[: phase + 1]) * 1.001 + 1_000, phase  # days of months are rounded
    assert sum(one["support"] for one in plan["chosen"]) <= CAP
    months = plan["months"]
    assert sum(one["own"] for one in months) == sum(cash)
    assert sum(one["bills"] for one in months) == sum(one["cost"] for one in plan["chosen"])
    assert sum(one["support"] for one in months) == pytest.approx(plan["support"], abs=len(months))
    assert sum(one["vat"] for one in months) == sum(one["vat_back"] for one in months)
    balance = 0
    for one in months:
        balance += one["own"] + one["support"] + one["vat_back"] - one["bills"] - one["vat"] - one["running"]
        assert one["balance"] == balance
    assert plan["bridged"] == max(0, *(-one["balance"] for one in months))


@pytest.mark.parametrize("short", ["sqlite"], indirect=True)
def test_cannot_afford_it(short: Stand) -> None:
    """They all come with twenty million won and up. I have one and a half now, and something more in autumn.

    The diagnosis costs him nothing. The plan stays within each phase's cash; without any cash it says: buy nothing.
    For what is not in it, it says the smallest change that would bring it in, and with that change it is in. A
    programme pays its share, and the months say what has to be bridged until it does.
    """
    town = Town(short, TODAY, factories={"hana": {}}, mentors=("mina",))
    shop = Shop("hana", machines=1, metrics=0, ran=pressed)
    town.put("hana", "/v1/factories/hana/machines/m0", {"process": "press", "limits_output": "yes"})
    shop.connect(town)
    shop.present(town)
    shop.hand_in(town, TODAY - timedelta(days=28), TODAY - timedelta(days=1))
    town.post("hana", "/v1/factories/hana/rates", RATES)
    town.night()

    # What it has cost to know: the sponsor's, to the won; nobody else reads the ledger.
    bill = {"kind": "diagnosis", "won": DIAGNOSIS, "on": TODAY.isoformat(), "sponsor": 1.0}
    lines = town.post("op", "/v1/factories/hana/costs", bill)
    assert [(one["row"]["payer"], one["row"]["won"]) for one in lines] == [("sponsor", DIAGNOSIS)]
    ledger = town.said("hana", "/v1/factories/hana/ledger")
    assert str(DIAGNOSIS) in str(ledger)
    assert "supplier" not in str(ledger)
    assert {row["payer"] for row in town.rows("hana", "cost")} == {"sponsor"}

    # No money: a plan as well.
    path = "/v1/factories/hana/roadmaps"
    assert town.code("hana", "POST", path, {}) == "no_budget"
    town.post("hana", "/v1/factories/hana/budgets", POOR | {"cash": [0, 0, 0]})
    nothing = town.post("hana", path, {})["row"]["body"]["roadmap"]
    assert (nothing["chosen"], nothing["value"], nothing["cost"]) == ([], 0, 0)
    assert nothing["proven_optimal"]

    # A little money: within it, and worth more than it costs.
    town.post("hana", "/v1/factories/hana/budgets", POOR)
    made = town.post("hana", path, {})
    poor = made["row"]["body"]["roadmap"]
    assert poor["chosen"]
    assert poor["support"] == 0
    within(short, poor, POOR["cash"])
    assert poor["value"] == poor["gain"] + poor["support"] - poor["cost"] - poor["running"] > 0

    # What would bring in what is not there: a number, and with that number it is there.
    told = town.job("hana", f"/v1/roadmaps/{made['id']}/reasons")["not_now"]
    ways = {one["measure"]: one["relaxation"] for one in told}
    assert set(ways) == {one["measure"] for one in poor["not_now"]}
    name, way = next(
        (name, way) for name, way in sorted(ways.items()) if way is not None and way["resource"] == "cash"
    )  # fmt: skip
    assert way["amount"] % 100_000 == 0
    more = list(POOR["cash"])
    more[way["phase"]] += int(way["amount"])
    town.post("hana", "/v1/factories/hana/budgets", POOR | {"cash": more})
    richer = town.post("hana", path, {})["row"]["body"]["roadmap"]
    assert name in {one["measure"] for one in richer["chosen"]}
    within(short, richer, more)

    # A call is open: it pays six tenths of what it is for, and the plan is worth more by it.
    town.post("hana", "/v1/factories/hana/budgets", POOR | {"support": [20_000_000, 0, 0]})
    helped = town.post("hana", path, {})["row"]["body"]["roadmap"]
    within(short, helped, POOR["cash"])
    supported = {one["measure"]: one for one in helped["chosen"] if one["support"]}
    assert supported
    assert any(one.startswith("smed") and supported[one]["phase"] == 0 for one in supported)  # at once, not later
    eligible = short.catalogue.programmes[0].eligible
    for measure, one in supported.items():
        assert one["programme"] == CALL
        share = SHARE * eligible[measure.partition("@")[0]]
        assert one["support"] <= round(share * one["cost"])
    assert sum(one["support"] for one in supported.values()) == helped["support"] <= 20_000_000
    assert helped["value"] > poor["value"]
    assert paid(helped, 36) == helped["cost"] - helped["support"]
    # Nobody offers what he could not pay: his own cash until then is the most that a list's price may be.
    bands = {row["measure_id"]: row["most_won"] for row in town.rows("hana", "roadmap_item", state="open")}
    assert bands
    assert all(won >= 0 for won in bands.values())
