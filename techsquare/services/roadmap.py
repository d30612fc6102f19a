"""A roadmap: the latest diagnosis and budget of a factory, and the catalogue, made into a plan that is stored.

What is stored names what it was made of (assessment, budget, first day, what the owner did not want), so that
reasons can be found later for the same plan. A plan is never changed; a newer one takes its open items' place.
What somebody has taken or done stands, and is no item again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select

from techsquare.catalogue import offer as offering
from techsquare.credit import YEARS
from techsquare.privacy.bands import MOST, most_won
from techsquare.registry.advice import Assessment, Loss, Measure, Roadmap, RoadmapItem
from techsquare.registry.factories import Budget, Factory, Machine
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.roadmap import plan as planning
from techsquare.roadmap.problem import problem
from techsquare.roadmap.relax import Why
from techsquare.roadmap.search import NODES, best
from techsquare.roadmap.terms import Means
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, seen
from techsquare.services.slots import live, released
from techsquare.span import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.roadmap import terms
    from techsquare.services.rights import Caller

ENERGY = "energy"
"""The catalogue's word for what a machine's electricity costs."""


class Asked(NamedTuple):
    """What a plan was asked for; stored with it."""

    assessment: str
    budget: str
    begins: date
    excluded: tuple[str, ...]
    standing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the engine takes."""

    measures: Sequence[terms.Measure]
    losses: Mapping[terms.Place, Span]
    means: Means
    programmes: Sequence[terms.Programme]
    begins: date


def compute(
    session: Session, caller: Caller, catalogue: Catalogue, factory: str, begins: date, excluded: Iterable[str] = ()
) -> Roadmap:
    """Make a factory's plan of this moment, store it, and return it.

    Raises:
        RefusedError: `not_there`; `no_diagnosis`, `no_price` (no loss is known in won), `no_budget`.
    """
    for_factory(session, caller, factory)
    assessment = session.scalars(
        select(Assessment)
        .where(Assessment.factory_id == factory)
        .order_by(Assessment.at.desc(), Assessment.id.desc())
    ).first()
    if assessment is None:
        raise RefusedError("no_diagnosis")
    budget = session.scalars(
        select(Budget).where(Budget.factory_id == factory).order_by(Budget.at.desc(), Budget.id.desc())
    ).first()
    if budget is None:
        raise RefusedError("no_budget")
    unwanted = tuple(sorted(set(excluded)))
    asked = Asked(assessment.id, budget.id, begins, unwanted, _standing(session, factory))
    given = inputs(session, catalogue, factory, asked)
    if not given.losses:
        raise RefusedError("no_price")
    found = planning.roadmap(given.measures, given.losses, given.means, given.programmes, begins, reasons=False)
    return _store(session, caller, factory, asked, given, found)


def inputs(session: Session, catalogue: Catalogue, factory: str, asked: Asked) -> Inputs:
    """Return what the engine takes for what was asked."""
    budget = session.get_one(Budget, asked.budget)
    assessment = session.get_one(Assessment, asked.assessment)
    priced = session.scalars(
        select(Loss).where(Loss.assessment_id == asked.assessment, Loss.won_low.is_not(None))
    ).all()
    seen = {(one["machine"], one["bucket"]): one.get("middle") for one in assessment.body.get("losses", [])}
    losses = {
        (row.machine_id, row.bucket): _even(
            Span(float(row.won_low or 0), float(row.won_high or 0)), seen.get((row.machine_id, row.bucket))
        )
        for row in sorted(priced, key=lambda row: (row.machine_id, row.bucket))
    } | _electricity(assessment.body)
    machines = session.scalars(
        select(Machine).where(Machine.factory_id == factory, Machine.retired_on.is_(None)).order_by(Machine.id)
    )
    about = session.get_one(Factory, factory)
    shop = offering.Factory(
        machines=[offering.Machine(m.id, m.name, m.process or about.process or "") for m in machines],
        losses=losses,
        indicators=_indicators(assessment.body),
        standing=frozenset(asked.standing),
    )
    means = Means(
        cash=budget.cash,
        staff_days=budget.staff_days,
        support=budget.support,
        most_measures=budget.most_measures,
        excluded=frozenset(asked.excluded),
        standing=frozenset(asked.standing),
    )
    calls = offering.programmes([one for one in catalogue.programmes if not one.example])
    return Inputs(offering.offer(catalogue.entries, shop), losses, means, calls, asked.begins)


def reasons(session: Session, catalogue: Catalogue, roadmap: str, told: Callable[[float], None]) -> dict[str, Any]:
    """Return for each measure that is not in a plan the smallest change that would bring it in.

    Args:
        session: For reading.
        catalogue: The one that the plan was made with.
        roadmap: Its id.
        told: Is told the share that is done, after each measure.

    Raises:
        RefusedError: `outdated`: the plan would be another one by now.
    """
    row = session.get_one(Roadmap, roadmap)
    if "asked" not in row.body:  # it was not made by `compute`
        raise RefusedError("outdated")
    asked = _asked(row.body["asked"])
    if session.get(Assessment, asked.assessment) is None or session.get(Budget, asked.budget) is None:
        raise RefusedError("outdated")  # deleted by the owner, with all that came under a scope
    given = inputs(session, catalogue, row.factory_id, asked)
    session.rollback()  # what follows takes long, and needs nothing more of the database
    middle = problem(given.measures, given.losses, given.means, given.programmes, given.begins, {})
    found = best(middle, NODES)
    chosen = sorted(middle.names[start.measure] for start in found.starts)
    if chosen != sorted(one["measure"] for one in row.body["roadmap"]["chosen"]):
        raise RefusedError("outdated")
    why = Why(middle, found, NODES)
    others = [(i, name) for i, name in enumerate(middle.names) if not found.has(i)]
    said = []
    for done, (i, name) in enumerate(others):
        told(done / len(others))
        said.append({"measure": name, "relaxation": plain(why.smallest(i))})
    return {"roadmap": roadmap, "not_now": said}


def reasons_of(session: Session, caller: Caller, roadmap: str) -> Roadmap:
    """Return a plan for which somebody may ask reasons.

    Raises:
        RefusedError: `not_there`.
    """
    row = seen(session, caller, Roadmap, roadmap)
    for_factory(session, caller, row.factory_id)
    return row


def band(won: float) -> int:
    """Return the upper end of the public band in which an amount lies, in won (`privacy.bands`)."""
    return most_won(min(MOST, max(0, math.ceil(won))))


def named(item: RoadmapItem) -> str:
    """Return the id that an item's measure has in a plan."""
    return item.measure_id if item.machine_id is None else f"{item.measure_id}@{item.machine_id}"


def _standing(session: Session, factory: str) -> tuple[str, ...]:
    rows = session.scalars(
        select(RoadmapItem).where(RoadmapItem.factory_id == factory, RoadmapItem.state.in_(("taken", "done")))
    )
    return tuple(sorted({named(row) for row in rows}))


def _indicators(body: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """Return what an assessment says of indicators: rows of machine (empty: the plant), indicator, value."""
    rows = body.get("indicators", [])
    return {(str(machine), str(name)): float(value) for machine, name, value in rows if value is not None}


def _even(won: Span, middle: float | None) -> Span:
    """Return a loss as far as it lies evenly around what was seen of it, which is what engines take the middle for.

    Beyond lies what unknown time may hide. It may be in any bucket, and is in all their spans; nothing is bought on
    it. Diagnoses of earlier releases have no middle.
    """
    if middle is None:
        return won
    half = max(0.0, min(middle - won.low, won.high - middle))
    return Span(middle - half, middle + half)


def _electricity(body: Mapping[str, Any]) -> dict[terms.Place, Span]:
    """Return what machines' electricity costs a year, where a tariff is known: a ledger beside the losses."""
    rows = [(one["machine"], one["won_year"]) for one in body.get("energy", [])]
    return {(m, ENERGY): Span(float(won["low"]), float(won["high"])) for m, won in rows if won is not None}


def _asked(body: Mapping[str, Any]) -> Asked:
    return Asked(
        body["assessment"], body["budget"], date.fromisoformat(body["begins"]), tuple(body["excluded"]),
        tuple(body["standing"]),
    )  # fmt: skip


def _store(
    session: Session, caller: Caller, factory: str, asked: Asked, given: Inputs, found: terms.Roadmap
) -> Roadmap:
    for old in session.scalars(
        select(RoadmapItem).where(RoadmapItem.factory_id == factory, RoadmapItem.state.in_(("open", "offered")))
    ):
        old.state = "dropped"
        for shown in session.scalars(live(old.id)):
            shown.ended_at = caller.now
            released(session, shown)
    by_name = {measure.id: measure for measure in given.measures}
    items, machines = [], {m for m, _ in given.losses}
    version = (session.scalar(select(func.max(Roadmap.version)).where(Roadmap.factory_id == factory)) or 0) + 1
    key = new_id()
    for one in found.chosen:
        measure = by_name[one.measure]
        kind = measure.kind or measure.id
        _, _, machine = one.measure.partition("@")
        pays = sum(given.means.cash[: one.phase + 1]) + one.support
        items.append(
            RoadmapItem(
                id=new_id(), roadmap_id=key, factory_id=factory, measure_id=kind, machine_id=machine or None,
                phase=one.phase, solid=one.solid, depends=plain(list(one.depends)), state="open",
                most_won=band(pays),
            )
        )  # fmt: skip
    body = {
        "asked": {**plain(asked._asdict()), "excluded": list(asked.excluded), "standing": list(asked.standing)},
        "roadmap": plain(found),
        "items": {
            named(item): {
                "item": item.id,
                "loss": plain(_held(by_name[named(item)], given.losses)),
                "needs": sorted(by_name[named(item)].needs - by_name[named(item)].together),
                "titles": dict(by_name[named(item)].title),
            }
            for item in items
        },
        "machines": sorted(machines),
    }
    row = Roadmap(
        id=key, factory_id=factory, assessment_id=asked.assessment, version=version, at=caller.now,
        value=float(found.value), bound=float(found.bound), proven=found.proven_optimal, body=body,
    )  # fmt: skip
    lacking = [i.measure_id for i in items if session.get(Measure, i.measure_id) is None]
    if lacking:
        raise RefusedError("no_measure", measures=lacking)
    add(session, row, *items)
    return row


def _held(measure: terms.Measure, losses: Mapping[terms.Place, Span]) -> Span:
    """Return what an item's places lose over three years, all of it: `matching` credits of it what is credited."""
    at = [losses[place] for place in measure.gain if place in losses]
    return Span(*(YEARS * sum(ends) for ends in zip(*at, strict=True))) if at else Span(0.0, 0.0)
