"""The measurement plan of a project: drafted, promised, agreed by both, frozen; or withdrawn.

    draft --promise--> promised --agree (factory, supplier)--> agreed --freeze--> frozen --verdicts-->
    draft, agreed --withdraw (either party)--> withdrawn;  frozen, no verdict yet --withdraw (operator)--> withdrawn

Nobody agrees to a plan before he could read what it can show (`promising`): "it cannot be told" is an answer too.

**Who signs what.** The agent of each factory signs its daily records with its own key, and chains them; the
platform verified both when it took them in and cannot make one. Freezing binds a plan to the days of its baseline
as they stand at that moment: `Plan.evidence` is SHA-256 over every day of every machine (values, and the head of
the signed record that it was read from), and `Plan.hash` covers it beside windows, dates and machines. Owner and
supplier have both agreed and both get the hash; nobody signs for them. A baseline's day that comes, or is
changed, later changes no verdict: the one is left out, the other refuses it (`verdicts`).

Inside a plan machines have names of its own (t01, c01): neither body nor hash names a factory, so that the hash
holds when one leaves and its machine-days stay under a pseudonym.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services.comparison import Asked, comparison
from techsquare.services.days import day_of
from techsquare.services.plain import plain
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, seen
from techsquare.services.series import METRICS, evidence, frozen, rows
from techsquare.services.telling import over, tell
from techsquare.verdict import plan as planning
from techsquare.verdict.controls import Choice
from techsquare.verdict.terms import Plan, Use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller


def draft(
    session: Session, caller: Caller, engagement: str, *, metric: str, machines: Sequence[str],
    baseline: tuple[date, date], installed: date, days_after: int, extension_days: int, least: float,
    use: Use | None = None,
) -> t.MeasurementPlan:  # fmt: skip
    """Draft a plan with the comparison machines of this moment.

    Raises:
        RefusedError: `not_there`; `incomplete`: nobody has said when the factory applied; `plan_refused`, with why.
        ConflictError: the project has a plan for this metric.
    """
    project = seen(session, caller, t.Engagement, engagement)
    factory = party_of(session, caller, project)
    applied = session.get_one(t.Factory, factory).applied_on
    if applied is None:
        raise RefusedError("incomplete", missing=["applied_on"])
    asked = Asked(factory, machines, metric, baseline, installed, days_after, extension_days)
    chosen = comparison(session, asked, engagement)
    named = dict(zip((f"t{n:02}" for n in range(1, 100)), chosen.treated, strict=False))
    others = dict(zip((f"c{n:02}" for n in range(1, 100)), chosen.controls, strict=False))
    about = METRICS[metric]
    plan = planning.draft(
        project=engagement, metric=metric, unit=about.unit, sign=1 if about.sign > 0 else -1,
        treated=list(named), choice=Choice(list(others), chosen.over, {}), applied=applied,
        frozen=max(day_of(caller.now), baseline[1] + timedelta(days=1)), baseline=baseline, installed=installed,
        days_after=days_after, extension_days=extension_days, least=least, use=use,
    )  # fmt: skip
    _check(plan)
    key = new_id()
    row = t.MeasurementPlan(
        id=key, engagement_id=engagement, metric=metric, applied_on=applied, baseline_from=baseline[0],
        baseline_to=baseline[1], verdict_on=plan.verdict_on, extended_to=plan.extended_to, least=least,
        body=_body(plan),
    )  # fmt: skip
    parts = [
        t.PlanMachine(plan_id=key, factory_id=pair[0], machine_id=pair[1], part=part, alias=alias)
        for part, pairs in (("treated", named), ("control", others))
        for alias, pair in pairs.items()
    ]
    add(session, row, *parts)
    tell(session, factory, "plan", row, caller.now)
    return row


def agree(session: Session, caller: Caller, plan: str) -> t.MeasurementPlan:
    """Agree to a plan, as the factory or as the supplier.

    Raises:
        RefusedError: `not_there`; `frozen`; `no_promise`: nobody could read yet what it can show.
    """
    row, project = plan_of(session, caller, plan)
    if row.frozen_at is not None or row.withdrawn_at is not None:
        raise RefusedError("frozen")
    supplier = caller.has("supplier", project.supplier_id)
    if not supplier:
        for_factory(session, caller, project.factory_id)
    if row.promise is None:
        raise RefusedError("no_promise")
    if supplier:
        row.supplier_at = row.supplier_at or caller.now
    else:
        row.owner_at = row.owner_at or caller.now
    return row


def freeze(session: Session, caller: Caller, plan: str) -> t.MeasurementPlan:
    """Freeze a plan that both have agreed to, before the installation begins, with the days of its baseline.

    Raises:
        RefusedError: `not_there`; `frozen`; `not_agreed`; `plan_refused`: today it is too early or too late.
    """
    row, project = plan_of(session, caller, plan)
    party_of(session, caller, project)
    if row.frozen_at is not None or row.withdrawn_at is not None:
        raise RefusedError("frozen")
    if row.owner_at is None or row.supplier_at is None:
        raise RefusedError("not_agreed")
    parts = machines_of(session, plan)
    baseline = (row.baseline_from, row.baseline_to)
    days = rows(session, [(one.factory_id, one.machine_id) for one in parts], row.metric, *baseline)
    kept = {one.alias: frozen(days.get((one.factory_id, one.machine_id), []), baseline) for one in parts}
    for one in parts:
        one.days, one.digest = kept[one.alias]
    made = replace(terms_of(session, row), frozen=day_of(caller.now), evidence=evidence(kept))
    made = replace(made, hash=planning.digest(made))
    _check(made)
    row.body, row.hash, row.frozen_at = _body(made), made.hash, caller.now
    over(session, project.factory_id, "plan", row, caller.now)
    return row


def withdraw(session: Session, caller: Caller, plan: str, why: str) -> t.MeasurementPlan:
    """Withdraw a plan: one that is not frozen, either party; a frozen one without a verdict, the operator.

    A party that could withdraw a frozen plan would do so when its days look bad.

    Raises:
        RefusedError: `not_there`; `frozen`: and he is not the operator; `decided`: there is a verdict, or it was
            withdrawn before.
    """
    row, project = plan_of(session, caller, plan)
    if not caller.has("operator"):
        party_of(session, caller, project)
    looks = session.scalar(select(func.count()).where(t.Outcome.plan_id == plan))
    if row.withdrawn_at is not None or looks:
        raise RefusedError("decided")
    if row.frozen_at is not None and not caller.has("operator"):
        raise RefusedError("frozen")
    row.withdrawn_at, row.body = caller.now, {**row.body, "withdrawn": why}
    over(session, project.factory_id, "plan", row, caller.now)
    return row


def plan_of(session: Session, caller: Caller, plan: str) -> tuple[t.MeasurementPlan, t.Engagement]:
    """Return a plan that somebody may see, and its project.

    Raises:
        RefusedError: `not_there`.
    """
    row = seen(session, caller, t.MeasurementPlan, plan)
    return row, session.get_one(t.Engagement, row.engagement_id)


def party_of(session: Session, caller: Caller, project: t.Engagement) -> str:
    """Return a project's factory, for its supplier or whoever acts for the factory.

    Raises:
        RefusedError: `not_there`: he is neither.
    """
    if not caller.has("supplier", project.supplier_id):
        for_factory(session, caller, project.factory_id)
    return project.factory_id


def machines_of(session: Session, plan: str) -> Sequence[t.PlanMachine]:
    """Return the machines of a plan, by their names in it."""
    return session.scalars(
        select(t.PlanMachine).where(t.PlanMachine.plan_id == plan).order_by(t.PlanMachine.alias)
    ).all()


def terms_of(session: Session, row: t.MeasurementPlan) -> Plan:
    """Return a plan out of its row.

    Raises:
        RefusedError: `outdated`: it was not drafted here.
    """
    parts, body, day = machines_of(session, row.id), row.body, date.fromisoformat
    if row.metric not in METRICS or "evidence" not in body:
        raise RefusedError("outdated")
    use = body["use"]
    return Plan(
        project=body["project"], metric=body["metric"], unit=body["unit"], sign=body["sign"],
        treated=tuple(one.alias for one in parts if one.part == "treated"),
        controls=tuple(one.alias for one in parts if one.part == "control"), over=body["over"],
        applied=row.applied_on, frozen=day(body["frozen"]), baseline=(row.baseline_from, row.baseline_to),
        installed=day(body["installed"]), blackout_days=body["blackout_days"], verdict_on=row.verdict_on,
        extended_to=row.extended_to, least=row.least, use=None if use is None else Use(**use),
        hash=body["hash"] if row.hash is None else row.hash, evidence=body["evidence"],
    )  # fmt: skip


def _check(plan: Plan) -> None:
    why = planning.refusals(plan)
    if why:
        raise RefusedError("plan_refused", why=list(why))


def _body(plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = plain(plan)
    return {name: value for name, value in found.items() if name != "controls"} | {"machines": len(plan.controls)}
