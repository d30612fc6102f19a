"""Is what was installed used? Read once, for the night's watch and for the part of the price that waits for it.

Use is read from two places. `signal` names a metric of the daily records (as L04, days on which a person looked
or acknowledged): a day on which it has a denominator was observed, and use was seen where its numerator is above
0. The agent's own event `unused` about the plan's system says the same of the agent's log, from which no day may
have come.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from techsquare.registry import tables as t
from techsquare.services.plans import machines_of, terms_of
from techsquare.verdict.use import UNUSED_DAYS, Used, UseDay, assess

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_DAY = timedelta(days=1)


def used(session: Session, row: t.MeasurementPlan, project: t.Engagement, today: date) -> Used:
    """Return what is said of the use of what a plan is about, since the day after its installation."""
    plan = terms_of(session, row)
    if plan.use is None or project.installed_on is None:
        return assess(None if plan.use is None else plan.use, [])
    since, signal = project.installed_on + _DAY, plan.use.signal
    treated = {one.machine_id for one in machines_of(session, row.id) if one.part == "treated"}
    planned, seen = set[date](), dict[date, bool]()
    day = t.MetricDay
    for on, machine, time, metrics, reasons in session.execute(
        select(day.day, day.machine_id, day.planned_s, day.metrics, day.reasons).where(
            day.factory_id == project.factory_id, day.source == "measured", day.day >= since, day.day < today
        )
    ):
        if machine in treated and time > 0:
            planned.add(on)
        num, den = (metrics or {}).get(signal, (0.0, 0.0))
        if den > 0 and (reasons or {}).get(signal) != "HELD":
            seen[on] = seen.get(on, False) or num > 0
    days = [UseDay(on, on in planned, seen.get(on)) for on in sorted(planned | set(seen))]
    found = assess(plan.use, days)
    told = _agent_says(session, project.factory_id, plan.use.system, since)
    if told is not None and (found.last is None or found.last < told) and found.state != "not_used":
        return Used("not_used", None, found.last, max(found.idle, UNUSED_DAYS), *_rest(found))
    return found


def _agent_says(session: Session, factory: str, system: str, since: date) -> date | None:
    """Return the last production day on which an agent found a system unused."""
    events = session.scalars(
        select(t.AgentEvent).where(t.AgentEvent.factory_id == factory, t.AgentEvent.kind == "unused")
    )
    days = [
        date.fromisoformat(one.body["date"])
        for one in events
        if one.body.get("subject") == system and "date" in one.body
    ]
    return max((day for day in days if day >= since + timedelta(days=UNUSED_DAYS)), default=None)


def _rest(found: Used) -> tuple[int, int, float | None]:
    return found.observed, found.censored, found.share
