"""Markets to match in, skewed as the Korean one is: 15 % of the suppliers have done two thirds of the work.

Suppliers' true rates and gains are known; their records are drawn from them. Nothing here is the engines' own code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from techsquare.matching.constraints import CONTINUITY
from techsquare.matching.terms import Counted, Item, Property, Solution, Supplier
from techsquare.span import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FAMILIES = (
    "downtime", "setup", "counting", "vision", "spc", "energy", "maintenance", "mes", "tools", "scheduling",
    "traceability", "robot", "conveying", "recipes", "compressor", "training", "weighing", "testing", "cnc_dnc",
    "wireless", "lubrication", "coolant", "warehouse", "kitting", "andon", "moulds", "pressure", "thermal",
    "dryers", "power_factor",
)  # fmt: skip
PROCESSES = ("cutting", "moulding", "press", "welding", "plating", "assembly", "casting", "food")
INTERFACES = (
    frozenset({"modbus"}), frozenset({"modbus", "xgt"}), frozenset({"xgt"}), frozenset({"opcua"}),
    frozenset({"opcua", "mqtt"}), frozenset({"mqtt"}),
)  # fmt: skip
REGIONS = (
    "gyeonggi", "gyeongnam", "gyeongbuk", "incheon", "chungnam", "busan", "daegu", "chungbuk", "ulsan", "jeonbuk",
    "gwangju", "seoul", "jeonnam", "daejeon", "gangwon", "sejong", "jeju",
)  # fmt: skip
REGION_SHARE = np.array([30, 14, 9, 8, 7, 6, 5, 5, 3, 3, 2.5, 2, 2, 1.5, 1, 0.7, 0.3]) / 100
TOP_SHARE, TOP_WORK = 0.15, 2 / 3
PROTOCOLS = ("modbus", "xgt", "opcua", "mqtt")
CONSENTS = frozenset({"metrics", "states"})
JOBS_A_SUPPLIER = 5003 / 919
"""Of the Korean programme, 2014-2018."""


@dataclass(frozen=True)
class Market:
    items: Sequence[Item]
    solutions: Sequence[Solution]
    suppliers: Sequence[Supplier]
    counts: Mapping[tuple[str, str], Counted]
    priors: Mapping[str, tuple[float, float]]
    rates: Mapping[tuple[str, str], float]


def work(rng: np.random.Generator, suppliers: int) -> np.ndarray:
    """Return shares of the work, of which the largest 15 % hold two thirds: lognormal, sigma by halving."""
    normal = rng.standard_normal(suppliers)
    low, high = 0.1, 5.0
    for _ in range(50):
        middle = (low + high) / 2
        shares = np.sort(np.exp(middle * normal))[::-1]
        held = shares[: max(1, round(TOP_SHARE * suppliers))].sum() / shares.sum()
        low, high = (middle, high) if held < TOP_WORK else (low, middle)
    shares = np.exp(low * normal)
    return np.asarray(shares / shares.sum())


def capability(family: str, grade: int) -> Mapping[str, Mapping[str, Property]]:
    return {
        f"{family}.core": {"points": Property(high=float(16 * 2**grade)), "step_s": Property(low=float(4 - grade))},
        f"{family}.report": {"language": Property(words=frozenset({"ko"}))},
    }


def offered(family: str, grade: int) -> Mapping[str, Mapping[str, Property]]:
    return {
        f"{family}.core": {
            "points": Property(0.0, float(16 * 2**grade)), "step_s": Property(float(4 - grade), None),
        },
        f"{family}.report": {"language": Property(words=frozenset({"ko", "en"}))},
    }  # fmt: skip


NEEDS = {(family, grade): capability(family, grade) for family in FAMILIES for grade in range(4)}
OFFERS = {(family, grade): offered(family, grade) for family in FAMILIES for grade in range(4)}


def market(
    factories: int, suppliers: int, seed: int, *, items_a_factory: float = 1.3, decided: float = 0.25
) -> Market:
    """Return a market with so many factories and suppliers."""
    rng = np.random.default_rng(seed)
    gain = dict(zip(FAMILIES, rng.uniform(0.15, 0.4, len(FAMILIES)), strict=True))
    chance = dict(zip(FAMILIES, rng.uniform(0.5, 0.75, len(FAMILIES)), strict=True))
    price = dict(zip(FAMILIES, rng.uniform(15e6, 45e6, len(FAMILIES)), strict=True))
    demand = rng.dirichlet(np.full(len(FAMILIES), 3.0))
    shares = work(rng, suppliers)
    jobs = rng.poisson(shares * JOBS_A_SUPPLIER * suppliers)
    solutions: list[Solution] = []
    people: list[Supplier] = []
    counts: dict[tuple[str, str], Counted] = {}
    rates: dict[tuple[str, str], float] = {}
    order = np.argsort(np.argsort(shares)) / suppliers
    for at in range(suppliers):
        name, top = f"s{at:05d}", order[at]
        kinds = rng.choice(FAMILIES, size=1 + int(top > 0.7) + int(top > 0.9), replace=False, p=demand)
        reach = 2 + int(4 * top) + int(6 * (top > 0.85))
        regions = frozenset(rng.choice(REGIONS, size=reach, replace=False, p=REGION_SHARE).tolist())
        verified = 0
        for kind, done in zip(
            kinds, rng.multinomial(jobs[at], rng.dirichlet(np.full(len(kinds), 2.0))), strict=True
        ):
            told = outcomes(rng, int(done), chance[kind], gain[kind], decided)
            rates[name, kind], counts[name, kind] = told
            verified += counts[name, kind].decided
            base = price[kind] * rng.lognormal(0, 0.12)
            solutions.append(
                Solution(
                    id=f"{name}-{kind}",
                    supplier=name,
                    family=str(kind),
                    version="1",
                    capabilities=OFFERS[str(kind), int(rng.choice(4, p=[0.05, 0.15, 0.3, 0.5]))],
                    processes=frozenset(rng.choice(PROCESSES, size=int(rng.integers(3, 8)), replace=False)),
                    interfaces=frozenset(rng.choice(PROTOCOLS, size=int(rng.integers(1, 4)), replace=False)),
                    regions=regions,
                    remote=bool(rng.random() < 0.15),
                    price=Span(round(base), round(base * rng.uniform(1.0, 1.3))),
                    yearly=Span(round(base * 0.04), round(base * 0.08)),
                    exit_cost=Span(round(base * 0.1), round(base * rng.uniform(0.15, 0.4))),
                    needs_consent=frozenset({"metrics"} if rng.random() < 0.3 else ()),
                    continuity=CONTINUITY if rng.random() < 0.95 else frozenset({"store"}),
                )
            )  # fmt: skip
        people.append(
            Supplier(
                id=name,
                active=bool(rng.random() < 0.97),
                parties=frozenset({name, f"group{int(rng.integers(0, suppliers))}"}),
                slots=int(rng.poisson(2 + 8 * top)),
                verified=verified,
                open=int(rng.random() < 0.3),
                size="micro" if top < 0.5 else "small" if top < 0.85 else "medium" if top < 0.97 else "large",
            )
        )
    return Market(
        _items(rng, factories, suppliers, demand, price, gain, items_a_factory),
        solutions, people, counts,
        {family: (gain[family], 0.08) for family in FAMILIES}, rates,
    )  # fmt: skip


def outcomes(
    rng: np.random.Generator, jobs: int, chance: float, gain: float, share: float
) -> tuple[float, Counted]:
    """Return a supplier's true rate and what has been counted of so many jobs, of which a share is ever decided."""
    rate = float(rng.beta(chance * 6, (1 - chance) * 6))
    own = gain + 0.04 * rng.standard_normal()
    decided = int(rng.binomial(jobs, share))
    improved = int(rng.binomial(decided, rate))
    gains = tuple((float(own + se * rng.standard_normal()), float(se)) for se in rng.uniform(0.02, 0.08, improved))
    silent = jobs - decided
    return rate, Counted(improved, decided, silent - silent // 3, silent // 3, gains)


def _items(
    rng: np.random.Generator, factories: int, suppliers: int, demand: np.ndarray, price: Mapping[str, float],
    gain: Mapping[str, float], items_a_factory: float,
) -> list[Item]:  # fmt: skip
    found: list[Item] = []
    wanted = 1 + (rng.random(factories) < items_a_factory - 1)
    for at in range(factories):
        region = str(REGIONS[int(rng.choice(len(REGIONS), p=REGION_SHARE))])
        process = PROCESSES[int(rng.integers(0, len(PROCESSES)))]
        spoken = INTERFACES[int(rng.integers(0, len(INTERFACES)))]
        related = frozenset({f"group{int(rng.integers(0, suppliers))}"} if rng.random() < 0.1 else ())
        kinds = rng.choice(len(FAMILIES), size=int(wanted[at]), replace=False, p=demand)
        for kind in kinds:
            family = FAMILIES[int(kind)]
            middle = price[family] / gain[family] * rng.lognormal(1.6, 0.35)
            width = rng.uniform(0.05, 0.3)
            found.append(
                Item(
                    id=f"f{at:06d}-{family}",
                    factory=f"f{at:06d}",
                    measure=family,
                    family=family,
                    capabilities=NEEDS[family, int(rng.choice(4, p=[0.4, 0.3, 0.2, 0.1]))],
                    process=process,
                    interfaces=spoken,
                    region=region,
                    most_won=round(price[family] * rng.lognormal(0.3, 0.3)),
                    loss=Span(round(middle * (1 - width)), round(middle * (1 + width))),
                    missing_prerequisites=frozenset({"counters"} if rng.random() < 0.03 else ()),
                    consents=CONSENTS if rng.random() < 0.9 else frozenset(),
                    excluded=frozenset({f"s{int(rng.integers(0, suppliers)):05d}"} if rng.random() < 0.1 else ()),
                    related=related,
                )
            )
    return found
