"""From the first signed day to a project that is installed, each step by the person whose step it is.

Eight presses of one hall; press m0 loses two hours a day to set-ups, and a faster die change is bought for it. What
it does from the installation on is the test's to say. The seven others are changed by nobody: they are what m0 is
compared with.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.techsquare.seed.shop import PLANNED_S, Ran, Shop
from tests.techsquare.seed.town import Town

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.techsquare.api.stand import Stand

TODAY = date(2026, 7, 6)
BASELINE_DAYS = 60
INSTALL_DAYS = 14
"""As many as the verdict leaves out before an installation: all sixty are compared."""
MEASURE = "smed"
SETUP_S = 7_200
PRICE = 20_000_001
"""Odd, so that parts of it have to be rounded."""
RATES = {
    "contribution_piece": {"low": 500, "high": 500}, "scrap_piece": {"low": 300, "high": 300},
    "avoidable_hour": {"low": 20_000, "high": 20_000}, "orders_wait": "yes",
}  # fmt: skip
MEANS = {"cash": [30_000_000] * 3, "staff_days": [60.0] * 3, "support": [0] * 3}


@cache
def _restless(machine: str, day: date) -> int:
    """Return seconds of set-up more or less than usual: the hall's own, and the machine's."""
    shared = random.Random(f"hall {day}").gauss(0, 600)
    return round(shared + random.Random(f"{machine} {day}").gauss(0, 700))


def pressed(machine: str, day: date, setup: int = SETUP_S, *, looked: bool | None = None) -> Ran:
    """Return a day of a press with set-ups of so many seconds."""
    took = max(0, min(20_000, setup + _restless(machine, day)))
    fault = 900 + 60 * (day.toordinal() % 5)
    standby = 1_800
    pieces = (PLANNED_S - took - fault - standby) // 12
    return Ran(took, fault, standby, pieces, rejects=pieces // 100, looked=looked)


class Journey:
    """A factory with an agent, and what its people do.

    Args:
        stand: The running application.
        after: What m0 does on a day from the installation on.
        suppliers: Each of whom offers the measure; the first is cheapest.
        mentors: The first looks after the factory.
        factories: Names of factories whose halls are alike, day by day; the first one is walked with.
        presses: In each hall; eight where there is to be a verdict.
        days: Measured before anything is decided.
    """

    def __init__(
        self,
        stand: Stand,
        after: Callable[[date], Ran] | None = None,
        *,
        suppliers: tuple[str, ...] = ("ada", "bori"),
        mentors: tuple[str, ...] = ("mina",),
        factories: tuple[str, ...] = ("hana",),
        presses: int = 8,
        days: int = BASELINE_DAYS,
    ) -> None:
        applied = (TODAY - timedelta(days=BASELINE_DAYS + 5)).isoformat()
        self.town = Town(
            stand, TODAY, factories={name: {"applied_on": applied} for name in factories}, suppliers=suppliers,
            mentors=mentors,
        )  # fmt: skip
        self.installed = TODAY + timedelta(days=INSTALL_DAYS)
        self.first = TODAY - timedelta(days=days)
        self.after = after or (lambda day: pressed("m0", day))
        self.suppliers = suppliers
        self.versions: dict[str, str] = {}
        for name in factories:
            self.town.put("op", f"/v1/factories/{name}/mentor", {"mentor_id": mentors[0]})
        self.shops = {name: Shop(name, machines=presses, metrics=0, ran=self.ran) for name in factories}

    @property
    def shop(self) -> Shop:
        """The one that is walked with."""
        return next(iter(self.shops.values()))

    def ran(self, machine: str, day: date) -> Ran:
        """Return what a press did on a day."""
        if machine == "m0":
            return pressed("m0", day) if day <= self.installed else self.after(day)
        return pressed(machine, day)

    def measured(self) -> None:
        """Have the machines measured for sixty days, and what an hour is worth said."""
        for name, shop in self.shops.items():
            for n in range(shop.machines):
                about = {"process": "press", "limits_output": "yes" if n == 0 else "no", "comparable": n > 0}
                self.town.put(name, f"/v1/factories/{name}/machines/m{n}", about)
            shop.connect(self.town)
            shop.present(self.town)
            shop.hand_in(self.town, self.first, TODAY - timedelta(days=1))
            self.town.post(name, f"/v1/factories/{name}/rates", RATES)
            self.town.post(name, f"/v1/factories/{name}/budgets", MEANS)

    def offered(self, **changed: Any) -> dict[str, Any]:
        """Let the night make diagnoses, owners plans, suppliers their offers and another night the lists."""
        self.town.night()
        for name in self.shops:
            self.town.post(name, f"/v1/factories/{name}/roadmaps", {})
        for n, supplier in enumerate(self.suppliers):
            about = {"continuity": ["store", "tags", "interface", "export"]} | changed
            self.versions[supplier] = self.town.offered(supplier, MEASURE, PRICE + n * 1_000_000, **about)
            self.town.proven(self.versions[supplier])
            laid = {"place": "기술보증기금", "hash": f"{n:064x}"}
            self.town.post(supplier, f"/v1/versions/{self.versions[supplier]}/deposits", laid)
        self.town.night()
        return self.item()

    def item(self, factory: str = "") -> dict[str, Any]:
        """Return the plan's item about the set-ups of m0."""
        name = factory or self.shop.factory
        rows = self.town.rows(name, "roadmap_item", factory_id=name, measure_id=MEASURE)
        return next(row for row in rows if row["machine_id"] == "m0" and row["state"] != "dropped")

    def offers(self, factory: str = "") -> list[dict[str, Any]]:
        """Return the list that stands of that item, in its order."""
        name = factory or self.shop.factory
        item = self.item(name)["id"]
        rows = [row for row in self.town.rows(name, "offer", item_id=item) if row["ended_at"] is None]
        return sorted(rows, key=lambda row: row["slot"])

    def chosen(self, supplier: str = "", factory: str = "") -> str:
        """Have the owner want an offer, and its supplier say yes; return the project."""
        name = factory or self.shop.factory
        offers = self.offers(name)
        offer = next(row for row in offers if not supplier or row["supplier_id"] == supplier)
        said = {"answer": "wanted", "contact": True}
        self.town.post(name, f"/v1/offers/{offer['id']}/answer", said)
        made: str = self.town.post(offer["supplier_id"], f"/v1/offers/{offer['id']}/agree")["id"]
        return made

    def contract(self, project: str, supplier: str = "ada", won: int = PRICE, **changed: Any) -> dict[str, Any]:
        """Have the supplier draw up the contract; return it as the owner reads it."""
        form = {"won": won, "agreed": []} | changed
        self.town.put(supplier, f"/v1/engagements/{project}/contract", form)
        told: dict[str, Any] = self.town.said(self.shop.factory, f"/v1/engagements/{project}/contract")
        return told

    def frozen(self, project: str, supplier: str = "ada", **changed: Any) -> str:
        """Have the plan drafted, told what it can show, agreed by both and frozen; return it."""
        town, name = self.town, self.shop.factory
        form = {
            "metric": "setup", "machines": ["m0"], "baseline_from": self.first.isoformat(),
            "baseline_to": (TODAY - timedelta(days=1)).isoformat(), "installed": self.installed.isoformat(),
            "least": 0.03,
        } | changed  # fmt: skip
        made = town.post(name, f"/v1/engagements/{project}/plans", form)
        town.waited(name, made["row"]["job"])
        for one in (name, supplier):
            town.post(one, f"/v1/plans/{made['id']}/agree")
        town.post(name, f"/v1/plans/{made['id']}/freeze")
        plan: str = made["id"]
        return plan

    def say(self, who: str, project: str, event: str) -> dict[str, Any]:
        """Say an event of a project, and return its row."""
        row: dict[str, Any] = self.town.post(who, f"/v1/engagements/{project}/{event}")["row"]
        return row

    def delivered(self, project: str, supplier: str = "ada") -> None:
        """Have it signed, begun, and delivered on its day."""
        self.say(self.shop.factory, project, "sign")
        self.say(supplier, project, "begin")
        self.until(self.installed)
        self.say(supplier, project, "deliver")

    def accepted(self, project: str) -> None:
        """Have the drill done and the functions accepted."""
        name = self.shop.factory
        kept = ["store", "tags", "interface", "export"]
        self.town.post(name, f"/v1/engagements/{project}/drill", {"proved": kept})
        self.say(name, project, "accept")

    def until(self, day: date) -> None:
        """Let it be a day, with every day before it measured and handed in."""
        self.town.at(day)
        for shop in self.shops.values():
            shop.hand_in(self.town, self.first, day - timedelta(days=1))

    def parts(self, project: str, who: str = "") -> dict[str, tuple[int, str]]:
        """Return the parts of a project's price: won, and what is advised."""
        told = self.town.said(who or self.shop.factory, f"/v1/engagements/{project}/contract")
        return {one["kind"]: (one["won"], one["advice"]) for one in told["milestones"]}
