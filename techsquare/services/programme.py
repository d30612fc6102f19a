"""What the programme does for its factories, of one metric: staggered difference in differences, for the operator.

    begun     factories with a frozen plan of the metric whose project is installed: from that month on
    waiting   factories with such a plan that is not installed yet, and those that have applied and have no project
    value     ratio of sums over a factory's month: of the treated machines, and of all machines where none is

A factory that began in the month in which it applied, or before, has no time of its own to be compared with: it is
left out and counted. Only measured days of which enough is known count, as in a verdict (`LEAST_COVERAGE`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.services import jobs
from techsquare.services.plain import plain
from techsquare.services.rights import need
from techsquare.services.series import BATCH, METRICS, real
from techsquare.verdict.programme import NEVER, Panel, effect
from techsquare.verdict.terms import LEAST_COVERAGE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller
    from techsquare.services.work import Bench, Told

SHUFFLES = 200
"""Random dates of begin beside the interval."""
LEAST_DAYS = 10
"""Days of a month with values; fewer are no month."""


def ask(session: Session, caller: Caller, metric: str) -> t.Job:
    """Ask for the programme's effect, as the operator.

    Raises:
        RefusedError: `wrong_role`.
    """
    need(caller, "operator")
    return jobs.begin(session, caller, "programme", {"metric": metric, "user": caller.user})


def work(bench: Bench, asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """Compute it: the work of the job `programme`."""
    told(0.0)
    bench.caller(str(asked["user"]), "operator")
    metric = str(asked["metric"])
    with bench.registry.reading() as session:
        found, left_out = panel(session, metric)
    told(0.3)
    if found is None:
        return {"metric": metric, "effect": None, "left_out": left_out}
    return {
        "metric": metric, "unit": METRICS[metric].unit, "sign": METRICS[metric].sign, "left_out": left_out,
        "effect": plain(effect(found, shuffles=SHUFFLES)),
    }  # fmt: skip


def panel(session: Session, metric: str) -> tuple[Panel | None, int]:
    """Return factories and months of a metric, None without any; and how many factories were left out."""
    treated, begun, applied = _plans(session, metric)
    waiting = _waiting(session, set(treated))
    sums = _sums(session, metric, treated, waiting)
    names = sorted(sums)
    if not names:
        return None, 0
    first = min(min(months) for months in sums.values())
    width = max(max(months) for months in sums.values()) - first + 1
    when = {name: month(day) - first for name, day in {**waiting, **applied}.items()}
    start = {name: month(day) - first for name, day in begun.items()}
    kept = [name for name in names if name not in start or start[name] > when[name]]
    kept = [name for name in kept if name not in start or start[name] >= 0]
    values = np.full((len(kept), width), np.nan)
    for row, name in enumerate(kept):
        for at, (num, den, days) in sums[name].items():
            if days >= LEAST_DAYS and den > 0:
                values[row, at - first] = num / den
    found = Panel(
        kept,
        values,
        np.array([max(when[name], NEVER) for name in kept], np.int64),
        np.array([start.get(name, NEVER) for name in kept], np.int64),
    )
    return found, len(names) - len(kept)


def month(day: date) -> int:
    """Return the number of a day's month."""
    return day.year * 12 + day.month - 1


def _plans(session: Session, metric: str) -> tuple[dict[str, set[str]], dict[str, date], dict[str, date]]:
    """Return factory -> treated machines, -> first day of a begun project, -> day of application."""
    treated: dict[str, set[str]]
    begun: dict[str, date]
    applied: dict[str, date]
    treated, begun, applied = defaultdict[str, set[str]](set), {}, {}
    rows = session.execute(
        select(
            t.PlanMachine.factory_id, t.PlanMachine.machine_id, t.Engagement.installed_on,
            t.MeasurementPlan.applied_on,
        )
        .join(t.MeasurementPlan, t.MeasurementPlan.id == t.PlanMachine.plan_id)
        .join(t.Engagement, t.Engagement.id == t.MeasurementPlan.engagement_id)
        .where(
            t.PlanMachine.part == "treated", t.MeasurementPlan.metric == metric,
            t.MeasurementPlan.frozen_at.is_not(None), t.MeasurementPlan.withdrawn_at.is_(None),
        )
    )  # fmt: skip
    for factory, machine, installed, asked in rows:
        treated[factory].add(machine)
        applied[factory] = min(asked, applied.get(factory, asked))
        if installed is not None:
            begun[factory] = min(installed, begun.get(factory, installed))
    return treated, begun, applied


def _waiting(session: Session, planned: set[str]) -> dict[str, date]:
    """Return the factories that have applied and have no project, and when."""
    found = session.execute(
        select(t.Factory.id, t.Factory.applied_on).where(
            t.Factory.applied_on.is_not(None),
            ~select(t.Engagement.id).where(t.Engagement.factory_id == t.Factory.id).exists(),
        )
    )  # fmt: skip
    return {factory: applied for factory, applied in found if factory not in planned and applied is not None}


def _sums(
    session: Session, metric: str, treated: Mapping[str, set[str]], waiting: Mapping[str, date]
) -> dict[str, dict[int, tuple[float, float, int]]]:
    """Return factory -> month -> sums of numerators and denominators, and days."""
    about, day = METRICS[metric], t.MetricDay
    num, den = getattr(day, about.num), getattr(day, about.den)
    found: dict[str, dict[int, tuple[float, float, int]]] = defaultdict(dict)
    seen: dict[tuple[str, int], set[date]] = defaultdict(set)
    wanted = sorted({*treated, *waiting})
    for first in range(0, len(wanted), BATCH):
        for factory, machine, on, top, bottom in session.execute(
            select(day.factory_id, day.machine_id, day.day, num, den)
            .where(
                day.factory_id.in_(wanted[first : first + BATCH]), day.source == "measured", num.is_not(None),
                den.is_not(None), day.planned_s > 0, day.known_s >= LEAST_COVERAGE * day.planned_s, real(),
            )
            .order_by(day.factory_id, day.machine_id, day.day)
        ):  # fmt: skip
            if factory in treated and machine not in treated[factory]:
                continue
            at = month(on)
            seen[factory, at].add(on)
            old = found[factory].get(at, (0.0, 0.0, 0))
            found[factory][at] = (old[0] + top, old[1] + bottom, len(seen[factory, at]))
    return dict(found)
