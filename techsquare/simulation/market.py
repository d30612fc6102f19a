"""Suppliers and their solutions, skewed as the Korean market is.

Of a market with lognormal shares the largest share p holds Phi(s - z) of the work, z = Phi^-1(1 - p). That 15 %
hold two thirds gives s = 1.036 + 0.431. Shares are taken at even quantiles, so that every market has it.

How good a supplier is does not depend on how large it is: that is what a record is for. What it promises does not
depend on how good it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import ndtri

from techsquare.catalogue.offer import capabilities
from techsquare.matching.constraints import CONTINUITY
from techsquare.matching.continuity import Accounts, z_score
from techsquare.matching.terms import Counted, Level, Solution, Supplier
from techsquare.simulation.seeds import generator
from techsquare.simulation.terms import Product, Vendor
from techsquare.span import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from techsquare.catalogue.model import Entry
    from techsquare.simulation.terms import Setting

TOP, TOP_HOLD = 0.15, 2 / 3
SKEW = float(ndtri(1 - TOP) + ndtri(TOP_HOLD))
PROVINCES: Mapping[str, float] = {
    "KR-41": 0.34, "KR-48": 0.11, "KR-47": 0.09, "KR-28": 0.08, "KR-44": 0.07, "KR-26": 0.06, "KR-27": 0.05,
    "KR-43": 0.05, "KR-11": 0.05, "KR-45": 0.03, "KR-29": 0.02, "KR-46": 0.02, "KR-31": 0.01, "KR-30": 0.01,
    "KR-42": 0.01,
}  # fmt: skip
"""ISO 3166-2, and what share of factories stands there: design values, after the shape of the industry census."""
PROCESSES = ("machining", "press", "injection", "assembly", "casting", "heat-treatment")
Size = Literal["micro", "small", "medium", "large"]
SIZES: tuple[tuple[Size, float], ...] = (("large", 0.02), ("medium", 0.13), ("small", 0.45), ("micro", 0.40))
FAMILIES = {"large": (8, 16), "medium": (4, 9), "small": (2, 5), "micro": (1, 3)}
SLOTS = {"large": 24, "medium": 10, "small": 4, "micro": 2}
ABROAD = {"large": 0.95, "medium": 0.6, "small": 0.35, "micro": 0.15}
"""Chance of each other province to be served."""
SUPPLIERS_PER_FACTORY = 1 / 20
LEAST_SUPPLIERS = 60
MEAN_SUCCESS, ALIKE = 0.6, 6.0
"""True rates: Beta with this mean; suppliers are as alike as so many outcomes."""
PAST_PER_VENDOR = 6.0
"""Decided outcomes of earlier years, a supplier on average, by its share of the work."""


def vendors(setting: Setting, entries: Sequence[Entry]) -> list[Vendor]:
    """Return the suppliers with their solutions."""
    count = setting.suppliers or max(LEAST_SUPPLIERS, round(setting.factories * SUPPLIERS_PER_FACTORY))
    weights = np.exp(SKEW * ndtri((np.arange(count) + 0.5) / count))[::-1]
    weights /= weights.sum()
    selling = [entry for entry in entries if any(gain.bucket != "energy" for gain in entry.gains)]
    return [_vendor(setting, rank, count, float(weight), selling) for rank, weight in enumerate(weights)]


def past(setting: Setting, market: Sequence[Vendor]) -> dict[tuple[str, str], Counted]:
    """Return what earlier years have verified of each supplier and family: few outcomes, those of the large.

    It is the past of a world in which gains are as they are: with `Setting.gain` 0 it misleads, which is the
    hardest case for a platform that believes its records.
    """
    found: dict[tuple[str, str], Counted] = {}
    for vendor in market:
        rng = generator(setting.seed, "past", vendor.supplier.id)
        share = PAST_PER_VENDOR * len(market) * vendor.weight / len(vendor.products)
        for product in vendor.products:
            decided = int(rng.poisson(share))
            improved = int(rng.binomial(decided, product.success))
            gains = []
            for _ in range(improved):
                error = float(rng.uniform(0.04, 0.12))
                gains.append((max(0.02, product.factor + error * float(rng.standard_normal())), error))
            if decided:
                unsaid = int(rng.poisson(0.4 * decided))
                key = vendor.supplier.id, product.solution.family
                found[key] = Counted(improved, decided, unsaid - unsaid // 3, unsaid // 3, gains)
    return found


def priors(entries: Sequence[Entry]) -> dict[str, tuple[float, float]]:
    """Return family -> mean and sd of its gain, as shares of all losses that it is about together."""
    found = {}
    for entry in entries:
        gains = [gain for gain in entry.gains if gain.bucket != "energy"]
        if gains:
            found[entry.id] = (
                float(np.mean([gain.mean for gain in gains])),
                float(np.mean([gain.sd for gain in gains])),
            )
    return found


def _vendor(setting: Setting, rank: int, count: int, weight: float, entries: Sequence[Entry]) -> Vendor:
    name = f"s{rank:05d}"
    rng = generator(setting.seed, "vendor", name)
    size = _size((rank + 0.5) / count)
    province = str(rng.choice(list(PROVINCES), p=np.array(list(PROVINCES.values())) / sum(PROVINCES.values())))
    regions = frozenset([province, *(other for other in PROVINCES if rng.random() < ABROAD[size])])
    accounts = _accounts(rng)
    low, high = FAMILIES[size]
    chosen = rng.choice(len(entries), size=min(len(entries), int(rng.integers(low, high))), replace=False)
    quality = float(rng.beta(MEAN_SUCCESS * ALIKE, (1 - MEAN_SUCCESS) * ALIKE))
    products = [_product(rng, name, size, regions, quality, entries[at]) for at in sorted(chosen.tolist())]
    score = z_score(accounts) or 0.0
    hazard = 0.001 if score > 2.6 else 0.004 if score > 1.1 else 0.015
    month = int(rng.geometric(hazard)) - 1
    return Vendor(
        supplier=Supplier(
            id=name,
            active=True,
            parties=frozenset({name, f"g{rank % 97:02d}"} if rng.random() < 0.1 else {name}),
            slots=SLOTS[size],
            verified=0,
            open=0,
            size=size,
        ),
        weight=weight,
        province=province,
        accounts=accounts,
        closes=month if month < setting.months else None,
        products=products,
    )


def _size(quantile: float) -> Size:
    """Return the size of a supplier by its place in the market, the largest first."""
    for size, share in SIZES:
        if quantile < share:
            return size
        quantile -= share
    return SIZES[-1][0]


def _accounts(rng: np.random.Generator) -> Accounts:
    assets = int(np.exp(rng.normal(21.5, 1.2)))
    debt = float(np.clip(rng.normal(0.55, 0.18), 0.1, 0.98))
    current = float(rng.uniform(0.35, 0.8))
    liabilities = int(assets * debt)
    return Accounts(
        current_assets=int(assets * current),
        current_liabilities=int(liabilities * float(rng.uniform(0.4, 0.9))),
        assets=assets,
        liabilities=liabilities,
        retained_earnings=int(assets * (1 - debt) * float(rng.uniform(-0.3, 0.8))),
        ebit=int(assets * float(rng.normal(0.04, 0.07))),
        equity=assets - liabilities,
    )


def _product(
    rng: np.random.Generator, vendor: str, size: str, regions: frozenset[str], quality: float, entry: Entry
) -> Product:
    mean = float(np.mean([gain.mean for gain in entry.gains if gain.bucket != "energy"]))
    about = entry.processes or PROCESSES
    processes = frozenset(one for one in about if rng.random() < 0.85) or frozenset(about[:1])
    level = float(np.clip(rng.normal(0.45, 0.2), 0.05, 0.95))
    width = entry.cost.high - entry.cost.low
    price = Span(round(entry.cost.low + width * level * 0.85), round(entry.cost.low + width * level * 1.15))
    yearly = Span(entry.yearly.low, round(entry.yearly.low + (entry.yearly.high - entry.yearly.low) * level))
    escrow: Level = ("verified" if rng.random() < 0.3 else "deposited") if rng.random() < 0.35 else "none"
    kept = CONTINUITY if rng.random() < 0.9 else CONTINUITY - {sorted(CONTINUITY)[int(rng.integers(4))]}
    solution = Solution(
        id=f"{vendor}-{entry.id}",
        supplier=vendor,
        family=entry.id,
        version="1.0",
        capabilities=capabilities(entry) if rng.random() < 0.94 else {},
        processes=processes,
        interfaces=frozenset(entry.interfaces),
        regions=regions,
        remote=size in ("large", "medium") and bool(rng.random() < 0.3),
        price=price,
        yearly=yearly,
        exit_cost=Span(round(0.05 * price.low), round(0.2 * price.high)),
        needs_consent=frozenset({"days"} if rng.random() < 0.2 else ()),
        continuity=kept,
        escrow=escrow,
    )
    own = float(np.clip(rng.beta(quality * 14 + 0.2, (1 - quality) * 14 + 0.2), 0.02, 0.98))
    return Product(
        solution=solution,
        entry=entry.id,
        success=own,
        factor=mean * float(np.exp(rng.normal(0.0, 0.3))),
        says=min(0.9, mean * (1.3 + float(rng.exponential(0.8)))),
    )
