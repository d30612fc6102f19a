"""What the platform looks at by itself once a day: verdicts that are due, use, and gains that go away.

    verdicts  first looks and extensions whose day has come, of installed projects
    decay     CUSUM over settled "improved" in the 365 days after it; alarm on `Outcome.decayed_on`
    use       only where the plan names a signal and its rhythm; otherwise "use not assessed"

Days are planned days of the factory's machines throughout: a day without planned time moves no watch, and makes
no use late. Each plan has a transaction of its own, so that one that cannot be judged does not keep the others
waiting.

Use itself is told by `using`.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select

from techsquare.mentoring.engagement import WATCH_DAYS
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.errors import RegistryError
from techsquare.services import using, verdicts
from techsquare.services.days import day_of
from techsquare.services.plans import machines_of, plan_of, terms_of
from techsquare.services.refused import RefusedError
from techsquare.services.telling import of_row, over, tell
from techsquare.verdict import decay
from techsquare.verdict.phases import windows
from techsquare.verdict.terms import DECIDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller
    from techsquare.verdict.use import Used

NIGHT = Actor("night")
_DAY = timedelta(days=1)
_log = logging.getLogger(__name__)


def judge_due(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Compute every verdict that is due; return how many, and how many could not be."""
    with registry.reading() as session:
        due = list(due_plans(session, day_of(now)))
    done = {"told": 0, "waiting": 0}
    for plan in due:
        try:
            judge(registry, plan, now)
        except (RefusedError, RegistryError) as exc:
            _log.warning("plan %s is due and has no verdict: %s", plan, exc)
            done["waiting"] += 1
        except Exception:  # noqa: BLE001 - one plan's trouble is not the others'
            _log.exception("plan %s is due and cannot be judged", plan)
            done["waiting"] += 1
        else:
            done["told"] += 1
    return done


def judge(registry: Registry, plan: str, now: int) -> None:
    """Compute what is due of a plan.

    Raises:
        RefusedError: as of `verdicts.judge`.
    """

    def work(session: Session) -> None:
        row = session.get_one(t.MeasurementPlan, plan)
        verdicts.judge(session, row, session.get_one(t.Engagement, row.engagement_id), now)

    registry.decide(work, NIGHT)


def due_plans(session: Session, today: date) -> Iterator[str]:
    """Give the plans of which a look is due, in the order of their dates."""
    plans = session.execute(
        select(t.MeasurementPlan.id, t.MeasurementPlan.extended_to)
        .join(t.Engagement, t.Engagement.id == t.MeasurementPlan.engagement_id)
        .where(
            t.MeasurementPlan.frozen_at.is_not(None), t.MeasurementPlan.withdrawn_at.is_(None),
            t.MeasurementPlan.verdict_on <= today, t.Engagement.installed_on.is_not(None),
        )
        .order_by(t.MeasurementPlan.verdict_on, t.MeasurementPlan.id)
    ).all()  # fmt: skip
    for plan, extended_to in plans:
        looks = session.scalars(select(t.Outcome).where(t.Outcome.plan_id == plan)).all()
        over = any(one.look == 2 or one.word in DECIDED or one.body.get("withdrawn") for one in looks)
        if not over and (not looks or extended_to <= today):
            yield plan


def watch_gains(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Look after every settled gain; return how many are watched, cannot be, and go away."""
    today = day_of(now)
    with registry.reading() as session:
        found = session.execute(
            select(t.Outcome.id).where(
                t.Outcome.word == "improved", t.Outcome.decayed_on.is_(None),
                t.Outcome.on_date >= today - timedelta(days=WATCH_DAYS),
            ).order_by(t.Outcome.id)
        ).scalars().all()  # fmt: skip
    done = {"watching": 0, "no_watch": 0, "decay": 0}
    for outcome in found:
        try:
            with registry.reading() as session:
                seen = watch(session, session.get_one(t.Outcome, outcome), today)
            state = "no_watch" if seen is None else seen.state
            if seen is not None and seen.state == "decay" and seen.on is not None:
                on = seen.on
                registry.decide(lambda s, o=outcome, d=on: _decayed(s, o, d, now), NIGHT)  # type: ignore[misc]
        except (RefusedError, RegistryError) as exc:
            _log.warning("outcome %s cannot be watched: %s", outcome, exc)
            state = "no_watch"
        except Exception:  # noqa: BLE001 - likewise
            _log.exception("outcome %s cannot be watched", outcome)
            state = "no_watch"
        done[state] = done.get(state, 0) + 1
    return done


def watch(session: Session, outcome: t.Outcome, today: date) -> decay.Seen | None:
    """Return where the watch over a gain stands; None where nothing can be watched yet: it is not settled, or rests
    on too few days.

    It ends when one of its machines gets another frozen plan, whose baseline is then what counts.
    """  # noqa: D205 - one sentence
    if not verdicts.standing(session, outcome, today).final or outcome.estimate is None:
        return None
    row = session.get_one(t.MeasurementPlan, outcome.plan_id)
    project = session.get_one(t.Engagement, row.engagement_id)
    plan = terms_of(session, row)
    days, came = verdicts.corrected(
        session, row, verdicts.days_of(session, row, plan, today - _DAY), project.installed_on
    )
    size = abs(outcome.estimate)
    look: Literal[1, 2] = 1 if outcome.look == 1 else 2
    made = decay.start(plan, days, *windows(plan, look, came), size, verdicts.seed_of(plan))
    if made is None:
        return None
    until = min(today - _DAY, outcome.on_date + timedelta(days=WATCH_DAYS))
    return decay.look(made, plan, days, outcome.on_date, until, _refrozen(session, row))


def use_of(session: Session, caller: Caller, plan: str) -> Used:
    """Return what is said of use, to somebody who may see the plan.

    Raises:
        RefusedError: `not_there`; `outdated`.
    """
    row, project = plan_of(session, caller, plan)
    return using.used(session, row, project, day_of(caller.now))


def watch_use(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Tell where something installed is not used; return how many were looked at, and are not."""
    today = day_of(now)
    done = {"assessed": 0, "not_used": 0}
    with registry.reading() as session:
        found = session.scalars(
            select(t.MeasurementPlan.id)
            .join(t.Engagement, t.Engagement.id == t.MeasurementPlan.engagement_id)
            .where(
                t.MeasurementPlan.frozen_at.is_not(None), t.MeasurementPlan.withdrawn_at.is_(None),
                t.Engagement.installed_on.is_not(None), t.Engagement.ended_on.is_(None),
                t.MeasurementPlan.extended_to >= today - timedelta(days=WATCH_DAYS),
            )
            .order_by(t.MeasurementPlan.id)
        ).all()  # fmt: skip
    for plan in found:
        try:
            with registry.reading() as session:
                row = session.get_one(t.MeasurementPlan, plan)
                project = session.get_one(t.Engagement, row.engagement_id)
                use = None if row.body.get("use") is None else using.used(session, row, project, today)
            if use is None:
                continue
            registry.decide(lambda s, p=plan, u=use: _use(s, p, u, now), NIGHT)  # type: ignore[misc]
        except Exception:  # noqa: BLE001 - one plan's trouble is not the others'
            _log.exception("the use of plan %s cannot be looked at", plan)
            continue
        done["assessed"] += 1
        done["not_used"] += use.state == "not_used"
    return done


def _decayed(session: Session, outcome: str, on: date, now: int) -> None:
    row = session.get_one(t.Outcome, outcome)
    plan = session.get_one(t.MeasurementPlan, row.plan_id)
    project = session.get_one(t.Engagement, plan.engagement_id)
    row.decayed_on = on
    session.flush()
    tell(session, project.factory_id, "decay", row, now)


def _use(session: Session, plan: str, use: Used, now: int) -> None:
    """Tell owner, mentor and supplier that something is not used; end the mentor's task once it is again.

    It may fall idle more than once: then it is told anew, by the day since which it is.
    """
    row = session.get_one(t.MeasurementPlan, plan)
    project = session.get_one(t.Engagement, row.engagement_id)
    if use.state == "used":
        over(session, project.factory_id, "unused", row, now)
    elif use.state == "not_used":
        since = use.last or project.installed_on
        tell(session, project.factory_id, "unused", replace(of_row(session, row), since=since), now)


def _refrozen(session: Session, row: t.MeasurementPlan) -> date | None:
    """Return when a later plan about one of the same machines was frozen, the first one."""
    mine = [(one.factory_id, one.machine_id) for one in machines_of(session, row.id) if one.part == "treated"]
    later = session.execute(
        select(t.PlanMachine.factory_id, t.PlanMachine.machine_id, t.MeasurementPlan.frozen_at)
        .join(t.MeasurementPlan, t.MeasurementPlan.id == t.PlanMachine.plan_id)
        .where(
            t.PlanMachine.part == "treated", t.PlanMachine.factory_id.in_({factory for factory, _ in mine}),
            t.MeasurementPlan.withdrawn_at.is_(None), t.MeasurementPlan.frozen_at > (row.frozen_at or 0),
            t.MeasurementPlan.baseline_from >= row.verdict_on, t.MeasurementPlan.metric == row.metric,
        )
    )  # fmt: skip
    at = [when for factory, machine, when in later if when is not None and (factory, machine) in mine]
    return day_of(min(at)) if at else None
