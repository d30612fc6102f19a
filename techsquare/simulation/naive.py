"""The same factories, doing what the supplier says: the comparison for what the platform is worth.

The owner looks at the loss that he believes to be the largest, asks whom everybody asks (suppliers by their share
of the market), and buys what promises most of his believed loss after its price, if he can pay for it. He pays 30 %
ahead. Half a year later he does it again, with the next loss. Truth is drawn by the same rule as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from techsquare.matching.constraints import CONTINUITY, reads
from techsquare.simulation.projects import YEARS, drawn, worth
from techsquare.simulation.seeds import generator
from techsquare.simulation.terms import MONTH_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from techsquare.catalogue.model import Entry
    from techsquare.roadmap.terms import Place
    from techsquare.simulation.terms import Plant, Product, Setting, Vendor

EVERY = 6
"""Months between two purchases."""
ASKED = 3
"""Suppliers that he asks."""
AHEAD = 0.3


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase: what it cost, what was promised, and what it is worth over three years; won."""

    plant: int
    month: int
    vendor: str
    promised: float
    price: int
    net: float
    works: bool


class Naive:
    """Purchases without measurement.

    Args:
        setting: Of the programme.
        entries: The catalogue: which losses a family is about.
        market: All suppliers.
    """

    def __init__(self, setting: Setting, entries: Sequence[Entry], market: Sequence[Vendor]) -> None:
        self._setting = setting
        self._entries = {entry.id: entry for entry in entries}
        self._about = {entry.id: frozenset(str(gain.bucket) for gain in entry.gains) for entry in entries}
        self._market = market
        self._weights = np.array([vendor.weight for vendor in market])
        self._spent: dict[int, float] = {}
        self._had: dict[int, set[Place]] = {}

    def buy(self, plant: Plant, month: int) -> Bought | None:
        """Return what an owner buys in a month; None where nothing is promised that he can pay and would gain."""
        rng = generator(self._setting.seed, "naive", plant.number, month)
        had = self._had.setdefault(plant.number, set())
        open_ = [place for place in plant.says if place not in had]
        if not open_:
            return None
        place = max(open_, key=lambda one: (sum(plant.says[one]), one))
        had.add(place)
        cash = float(sum(plant.means.cash)) - self._spent.get(plant.number, 0.0)
        vendors = self._asked(rng, month)
        asked = [(vendor, product) for vendor in vendors for product in self._fitting(vendor, plant, place)]
        best: tuple[float, str, Vendor, Product] | None = None
        for vendor, product in asked:
            price, yearly = (sum(span) / 2 for span in (product.solution.price, product.solution.yearly))
            believed = sum(sum(plant.says[one]) / 2 for one in self._places(plant, place, product))
            promised = YEARS * (product.says * believed - yearly) - price
            if price <= cash and promised > 0 and (best is None or (promised, product.solution.id) > best[:2]):
                best = promised, product.solution.id, vendor, product
        if best is None:
            return None
        promised, name, vendor, product = best
        places = self._places(plant, place, product)
        truth = drawn(self._setting.seed, f"naive:{plant.id}:{month}:{name}", product, places, self._setting.gain)
        self._spent[plant.number] = self._spent.get(plant.number, 0.0) + truth.price
        net = worth(plant, places, truth)
        if vendor.closes is not None and vendor.closes <= month + 1:
            net = -AHEAD * truth.price  # gone before it stood
        elif vendor.closes is not None and not product.solution.continuity >= CONTINUITY:
            lasted = (vendor.closes - month) * MONTH_DAYS / (365 * YEARS)
            none = replace(truth, gain=dict.fromkeys(truth.gain, 0.0))
            net = lasted * net + (1 - lasted) * worth(plant, places, none)
        works = truth.works and truth.used
        return Bought(plant.number, month, vendor.supplier.id, promised, truth.price, net, works)

    def _places(self, plant: Plant, place: Place, product: Product) -> Sequence[Place]:
        """Return where a product works: on the machine, or on all that it is for where it is one for the plant."""
        tools = [place[0]]
        if self._entries[product.entry].per == "plant":
            tools = [tool.id for tool in plant.tools if tool.process in product.solution.processes]
        return [(tool, bucket) for tool in tools for bucket in sorted(self._about[product.entry] - {"energy"})]

    def _asked(self, rng: np.random.Generator, month: int) -> Sequence[Vendor]:
        alive = np.array([vendor.closes is None or vendor.closes > month for vendor in self._market])
        weights = self._weights * alive
        count = min(ASKED, int(alive.sum()))
        at = rng.choice(len(self._market), size=count, replace=False, p=weights / weights.sum())
        return [self._market[one] for one in at.tolist()]

    def _fitting(self, vendor: Vendor, plant: Plant, place: Place) -> Sequence[Product]:
        tool = next(one for one in plant.tools if one.id == place[0])
        return [
            product
            for product in vendor.products
            if place[1] in self._about[product.entry]
            and tool.process in product.solution.processes
            and reads(tool.interfaces, product.solution)
        ]


def totals(bought: Sequence[Bought]) -> Mapping[str, float]:
    """Return what purchases came to, won."""
    return {
        "bought": len(bought),
        "promised": sum(one.promised for one in bought),
        "paid": sum(one.price for one in bought),
        "net": sum(one.net for one in bought),
        "worked": sum(one.works for one in bought),
    }
