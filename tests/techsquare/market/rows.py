"""A drawn market as rows of a registry: what is read back has to be what was drawn.

Bulk, so that a market of 100,000 factories stands in a minute. Each factory has three machines, an agent with a
consent, and a plan of the size that `services.roadmap` writes; each job of the suppliers' past is a project with a
frozen plan and an outcome.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from techsquare.catalogue.load import Catalogue, load
from techsquare.catalogue.model import Capability, Feature, GainPrior
from techsquare.matching.terms import Counted
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.dialect import insert_all
from techsquare.services import catalogue as catalogues
from techsquare.services.days import day_of, quarter
from techsquare.services.market import for_measure
from techsquare.services.shops import UNKNOWN
from tests.techsquare.matching.market import FAMILIES, NEEDS, Market

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from techsquare.registry.store import Registry

DAY = date(2026, 1, 1)
CHUNK = 20_000
GRADES = (0, 0, 0, 0, 1, 1, 1, 2, 2, 3)
"""Of a family's measure: what all factories need of it."""


def needs_of(at: int) -> dict[str, Any]:
    """Return what a family's measure needs, by names that a catalogue takes."""
    return _named(NEEDS[FAMILIES[at], GRADES[at % len(GRADES)]])


def _named(capabilities: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace(".", "-"): ranges for name, ranges in capabilities.items()}


def settled(told: Market) -> Market:
    """Return a market as rows can say it: one need a measure, one owner's mind a factory, words for the unknown."""
    needs = {family: needs_of(at) for at, family in enumerate(FAMILIES)}
    first: dict[str, Any] = {}
    items = []
    for one in told.items:
        mind = first.setdefault(one.factory, one)
        capabilities = {**needs[one.family], for_measure(one.family): {}}
        items.append(replace(one, capabilities=capabilities, consents=mind.consents, excluded=mind.excluded))
    solutions = [
        replace(
            one, id=str(one.id), family=str(one.family),  # drawn as NumPy's own text
            capabilities={**_named(one.capabilities), for_measure(str(one.family)): {}},
            processes=frozenset(map(str, one.processes)) | {UNKNOWN},
            interfaces=frozenset(map(str, one.interfaces)) | {UNKNOWN},
        )
        for one in told.solutions
    ]  # fmt: skip
    counts = {
        (key[0], str(key[1])): Counted(c.improved, c.decided, c.cannot_tell, c.cause_not_shown, sorted(c.gains))
        for key, c in sorted(told.counts.items())
        if c.decided + c.cannot_tell + c.cause_not_shown
    }
    return replace(told, items=items, solutions=solutions, counts=counts)


def catalogue(told: Market) -> Catalogue:
    """Return a catalogue in which each family is a measure."""
    pattern = next(one for one in load().entries if one.gains)
    prior = pattern.gains[0]
    entries = []
    for at, family in enumerate(FAMILIES):
        mean, sd = told.priors[family]
        able = [
            Capability(
                id=name,
                properties=tuple(
                    Feature(name=key, low=p.low, high=p.high, words=tuple(sorted(p.words)))
                    for key, p in ranges.items()
                ),
            )
            for name, ranges in needs_of(at).items()
        ]
        gain = GainPrior(bucket=prior.bucket, mean=mean, sd=sd, source="drawn")
        entries.append(pattern.model_copy(update={"id": family, "gains": (gain,), "capabilities": tuple(able)}))
    return Catalogue(tuple(entries), ())


def put(registry: Registry, told: Market, now: int) -> Catalogue:
    """Store a settled market; return its catalogue."""
    known = catalogue(told)
    registry.decide(lambda s: catalogues.sync(s, known, DAY), Actor("test"))
    abilities = sorted(
        {name for one in told.solutions for name in one.capabilities} - {for_measure(f) for f in FAMILIES}
    )
    missing = set(abilities) - {c.id for entry in known.entries for c in entry.capabilities}
    _fill(
        registry,
        t.Capability,
        [(one, one, one, one) for one in sorted(missing)],
        "id",
        "iri",
        "label_ko",
        "label_en",
    )
    _suppliers(registry, told, now)
    _factories(registry, told, now)
    _past(registry, told)
    return known


def _fill(registry: Registry, model: Any, rows: Sequence[tuple[Any, ...]], *columns: str) -> None:
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        registry.load(lambda s, chunk=chunk: insert_all(s.connection(), model.__table__, columns, chunk))  # type: ignore[misc]


def _suppliers(registry: Registry, told: Market, now: int) -> None:
    group = {one.id: next(iter(one.parties - {one.id}), None) for one in told.suppliers}
    parties = [(one.id, "supplier", one.id, group[one.id], now) for one in told.suppliers]
    _fill(registry, t.Party, parties, "id", "kind", "name", "owner_group", "created_at")
    rows: list[tuple[Any, ...]] = [
        (one.id, "supplier", one.size, ["busan"], [], "active" if one.active else "suspended", DAY)
        for one in told.suppliers
    ]
    _fill(registry, t.Supplier, rows, "id", "kind", "size", "regions", "industries", "state", "joined_on")
    slots = [(one.id, q, one.slots, 0) for one in told.suppliers for q in {quarter(DAY), quarter(day_of(now))}]
    _fill(registry, t.Slot, slots, "supplier_id", "quarter", "declared", "used")
    _fill(
        registry, t.Solution, [(f"p-{one.id}", one.supplier, one.family, one.id) for one in told.solutions],
        "id", "supplier_id", "family", "name",
    )  # fmt: skip
    versions = [
        (
            one.id, f"p-{one.id}", one.supplier, one.version, "registered", sorted(one.processes - {UNKNOWN}),
            sorted(one.interfaces - {UNKNOWN}), sorted(one.regions), one.remote, *map(int, one.price),
            *map(int, one.yearly), *map(int, one.exit_cost), sorted(one.needs_consent), {},
            sorted(one.continuity), "h", now,
        )
        for one in told.solutions
    ]  # fmt: skip
    _fill(
        registry, t.SolutionVersion, versions, "id", "solution_id", "supplier_id", "version", "state", "processes",
        "interfaces", "regions", "remote", "price_low", "price_high", "yearly_low", "yearly_high", "exit_low",
        "exit_high", "needs_consent", "requires", "continuity", "hash", "registered_at",
    )  # fmt: skip
    able = [
        (one.id, name, {key: {"low": p.low, "high": p.high, "words": sorted(p.words)} for key, p in ranges.items()})
        for one in told.solutions
        for name, ranges in one.capabilities.items()
        if name != for_measure(one.family)
    ]
    _fill(registry, t.VersionCapability, able, "version_id", "capability_id", "properties")


def _factories(registry: Registry, told: Market, now: int) -> None:
    owns: dict[str, list[Any]] = {}
    for one in told.items:
        owns.setdefault(one.factory, []).append(one)
    first = {name: items[0] for name, items in owns.items()}
    parties = [(name, "factory", name, next(iter(one.related), None), now) for name, one in first.items()]
    _fill(registry, t.Party, parties, "id", "kind", "name", "owner_group", "created_at")
    rows = [(name, "factory", one.region, "C29", None, "Asia/Seoul") for name, one in first.items()]
    _fill(registry, t.Factory, rows, "id", "kind", "region", "industry", "process", "zone")
    machines = [
        (name, f"m{n}", f"m{n}", one.process, sorted(one.interfaces), 1.0, "unknown", False)
        for name, one in first.items()
        for n in range(3)
    ]
    _fill(
        registry, t.Machine, machines, "factory_id", "id", "name", "process", "interfaces", "weight",
        "limits_output", "comparable",
    )  # fmt: skip
    _fill(
        registry, t.Agent, [(name, "edge", "main", True) for name in first], "factory_id", "id", "site", "reporter"
    )
    consents = [
        (f"c-{name}", name, "edge", "manifest", 1, 1, sorted(one.consents), 1) for name, one in first.items()
    ]
    _fill(
        registry,
        t.Consent,
        consents,
        "id",
        "factory_id",
        "agent_id",
        "source",
        "since",
        "serial",
        "scopes",
        "recorded_at",
    )
    unwanted = [(f"x-{name}", name, s, 1) for name, one in first.items() for s in sorted(one.excluded)]
    _fill(registry, t.Exclusion, unwanted, "id", "factory_id", "supplier_id", "since")
    plans = [(f"r-{name}", name, 1, now, 1.0, 1.0, True, _body(items)) for name, items in owns.items()]
    _fill(
        registry, t.Roadmap, plans, "id", "factory_id", "version", "at", "value", "bound", "proven", "body",
    )  # fmt: skip
    chosen: list[tuple[Any, ...]] = [
        (one.id, f"r-{one.factory}", one.factory, one.measure, "m0", 0, True, [], "open", one.most_won)
        for one in told.items
    ]
    _fill(
        registry, t.RoadmapItem, chosen, "id", "roadmap_id", "factory_id", "measure_id", "machine_id", "phase",
        "solid", "depends", "state", "most_won",
    )  # fmt: skip


def _body(items: Sequence[Any]) -> dict[str, Any]:
    """Return a plan's body of the size that plans have: twenty measures that were not chosen, beside the items."""
    return {
        "asked": {"assessment": "a", "budget": "b", "begins": "2026-01-01", "excluded": [], "standing": []},
        "roadmap": {
            "chosen": [{"measure": f"{one.measure}@m0", "phase": 0, "start": 0.0, "support": 0} for one in items],
            "not_now": [
                {"measure": f"measure-{n}@m0", "why": "cash", "relaxation": None, "worth": 1234567.0 * n}
                for n in range(20)
            ],
        },
        "items": {
            f"{one.measure}@m0": {
                "item": one.id, "loss": {"low": one.loss.low, "high": one.loss.high},
                "needs": sorted(one.missing_prerequisites), "titles": {"ko": "안돈 설치", "en": "andon"},
            }
            for one in items
        },
        "machines": ["m0", "m1", "m2"],
    }  # fmt: skip


def _past(registry: Registry, told: Market) -> None:
    version = {(one.supplier, one.family): one.id for one in told.solutions}
    factory = sorted({one.factory for one in told.items})
    projects: list[tuple[Any, ...]] = []
    plans: list[tuple[Any, ...]] = []
    outcomes: list[tuple[Any, ...]] = []
    at = 0
    for (supplier, family), counts in told.counts.items():
        for word, gain in _words(counts):
            name = f"e{at:07d}"
            state = "decided" if word in {"improved", "no_change"} else "ended"
            ended = DAY if state == "ended" else None
            of = (factory[at % len(factory)], supplier, version[supplier, family], family)
            projects.append((name, *of, state, DAY, DAY, DAY, DAY, ended))
            plans.append((f"p-{name}", name, "availability", DAY, DAY, DAY, DAY, DAY, 0.1, {}, 1, 1, 1, "h"))
            body = {} if gain is None else {"gain": {"share": gain[0], "error": gain[1]}}
            outcomes.append((f"o-{name}", f"p-{name}", 1, DAY, word, 0.1, 0.0, 0.2, body, 1))
            at += 1
    for one in told.suppliers:
        mine = [key for key in version if key[0] == one.id]
        for _ in range(one.open):
            of = (factory[at % len(factory)], one.id, version[mine[0]], mine[0][1])
            projects.append((f"e{at:07d}", *of, "signed", DAY, DAY, None, None, None))
            at += 1
    _fill(
        registry, t.Engagement, projects, "id", "factory_id", "supplier_id", "version_id", "measure_id", "state",
        "agreed_on", "signed_on", "installed_on", "accepted_on", "ended_on",
    )  # fmt: skip
    _fill(
        registry, t.MeasurementPlan, plans, "id", "engagement_id", "metric", "applied_on", "baseline_from",
        "baseline_to", "verdict_on", "extended_to", "least", "body", "owner_at", "supplier_at", "frozen_at", "hash",
    )  # fmt: skip
    _fill(
        registry, t.Outcome, outcomes, "id", "plan_id", "look", "on_date", "word", "estimate", "low", "high",
        "body", "at",
    )  # fmt: skip


def _words(counts: Counted) -> Iterator[tuple[str, tuple[float, float] | None]]:
    for gain in counts.gains:
        yield "improved", gain
    for _ in range(counts.decided - counts.improved):
        yield "no_change", None
    for _ in range(counts.cannot_tell):
        yield "cannot_tell", None
    for _ in range(counts.cause_not_shown):
        yield "cause_not_shown", None
