"""What a plan can show, told before anyone buys: of a drafted plan, and of an offer before there is a project.

`verdict.promise` simulates the whole rule on the very machines that would be compared with; that takes seconds, so
it is a job. Days are read first, nothing is locked while it is computed, and what comes out is stored at the end.
Below 40 days of baseline, and with too few comparison machines, nothing is promised and the reason is said.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.services import jobs
from techsquare.services.comparison import Asked, comparison
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.plans import machines_of, party_of, plan_of, terms_of
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, seen
from techsquare.services.series import METRICS, rows, series
from techsquare.verdict import plan as planning
from techsquare.verdict.controls import Choice
from techsquare.verdict.promise import MOST_WINDOWS, promise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller
    from techsquare.services.work import Bench, Told
    from techsquare.verdict.terms import Plan, Series

BASELINE_DAYS = 60
"""Of the question before there is a project, where no dates are said: the latest ones."""


def begin(session: Session, caller: Caller, plan: str) -> t.Job:
    """Begin to compute what a drafted plan can show, as one of its parties.

    Raises:
        RefusedError: `not_there`; `frozen`: it is agreed, or withdrawn.
    """
    row, project = plan_of(session, caller, plan)
    party_of(session, caller, project)
    if row.owner_at is not None or row.supplier_at is not None or row.withdrawn_at is not None:
        raise RefusedError("frozen")
    theirs = caller.has("supplier", project.supplier_id)
    return jobs.begin(session, caller, "promise", {"plan": plan}, None if theirs else project.factory_id)


def of_plan(bench: Bench, asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """Compute the promise of a plan and store it with the plan: the work of the job `promise`."""
    told(0.0)
    key, registry = str(asked["plan"]), bench.registry
    with registry.reading() as session:
        row = session.get(t.MeasurementPlan, key)
        if row is None:
            raise RefusedError("not_there")
        plan = terms_of(session, row)
        past = _past(session, plan, {p.alias: (p.factory_id, p.machine_id) for p in machines_of(session, key)})
    said: dict[str, Any] = plain(promise(plan, past))
    told(0.9)
    return _store(registry, key, plan.hash, said)


def ask(session: Session, caller: Caller, item: str, form: Mapping[str, Any]) -> t.Job:
    """Ask what a project on an item of a roadmap could show, as its factory: before anything is bought.

    Args:
        session: In a decision.
        caller: Who asks.
        item: Of the roadmap.
        form: `metric`, `machines`; `baseline`: two days, or None for the latest `BASELINE_DAYS`; `installed`: a
            day, or None for the first possible one; `days_after`, `extension_days`.

    Raises:
        RefusedError: `not_there`; `plan_refused`: days that no plan can have.
    """
    row = seen(session, caller, t.RoadmapItem, item)
    for_factory(session, caller, row.factory_id)
    last = day_of(caller.now) - timedelta(days=1)
    baseline = form["baseline"] or (last - timedelta(days=BASELINE_DAYS - 1), last)
    installed = form["installed"] or baseline[1] + timedelta(days=planning.BLACKOUT_DAYS + 1)
    asked = Asked(
        row.factory_id, form["machines"], form["metric"], baseline, installed, form["days_after"],
        form["extension_days"],
    )  # fmt: skip
    _draft(item, asked, Choice((), "none", {}), form["machines"])
    said = {"item": item, "user": caller.user, "of": plain(asked)}
    return jobs.begin(session, caller, "provable", said, row.factory_id)


def of_item(bench: Bench, asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """Say what a project on an item could show: the job `provable`. Nothing is stored but its answer."""
    told(0.0)
    caller, said = bench.caller(str(asked["user"])), asked["of"]
    first, last = (date.fromisoformat(day) for day in said["baseline"])
    of = Asked(**{**said, "baseline": (first, last), "installed": date.fromisoformat(said["installed"])})
    with bench.registry.reading() as session:
        for_factory(session, caller, seen(session, caller, t.RoadmapItem, str(asked["item"])).factory_id)
        chosen = comparison(session, of, str(asked["item"]))
        names = {f"c{n:02}": pair for n, pair in enumerate(chosen.controls, 1)}
        plan = _draft(str(asked["item"]), of, Choice(list(names), chosen.over, {}), ["t01"])
        past = _past(session, plan, names)
    told(0.2)
    return {
        "promise": plain(promise(plan, past)), "over": chosen.over, "metric": of.metric, "unit": plan.unit,
        "baseline": [first.isoformat(), last.isoformat()], "installed": of.installed.isoformat(),
        "verdict_on": plan.verdict_on.isoformat(), "extended_to": plan.extended_to.isoformat(),
    }  # fmt: skip


def _draft(project: str, asked: Asked, choice: Choice, treated: Sequence[str]) -> Plan:
    """Return the plan that this would be, as if the factory had applied on the day before its baseline.

    Raises:
        RefusedError: `plan_refused`.
    """
    about = METRICS[asked.metric]
    plan = planning.draft(
        project=project, metric=asked.metric, unit=about.unit, sign=1 if about.sign > 0 else -1,
        treated=sorted(set(treated)), choice=choice, applied=asked.baseline[0] - timedelta(days=1),
        frozen=asked.baseline[1] + timedelta(days=1), baseline=asked.baseline, installed=asked.installed,
        days_after=asked.days_after, extension_days=asked.extension_days, least=1.0,
    )  # fmt: skip
    why = planning.refusals(plan)
    if why:
        raise RefusedError("plan_refused", why=list(why))
    return plan


def _past(session: Session, plan: Plan, pairs: Mapping[str, tuple[str, str]]) -> list[Series]:
    """Return the comparison machines' days, as far back as pretended projects reach."""
    controls = {name: pairs[name] for name in plan.controls}
    whole = (plan.verdict_on - plan.baseline[0]).days + 1
    since = plan.baseline[0] - timedelta(days=MOST_WINDOWS * whole)
    days = rows(session, controls.values(), plan.metric, since, plan.baseline[1])
    return [series(name, pair[0], days[pair]) for name, pair in controls.items() if days.get(pair)]


def _store(registry: Registry, plan: str, drafted: str, said: dict[str, Any]) -> dict[str, Any]:
    def work(session: Session) -> None:
        row = session.get_one(t.MeasurementPlan, plan)
        # What somebody has agreed to with a promise beside it keeps that one.
        if row.owner_at is None and row.supplier_at is None and terms_of(session, row).hash == drafted:
            row.promise = said

    registry.decide(work, Actor("promise"))
    return said
