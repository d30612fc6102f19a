"""What is there of a factory today, counted: from it follows where each result stands (`entry.stages`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from contract.codec import decode
from contract.errors import WireError
from contract.manifest import Manifest
from techsquare.entry.stages import Facts, Standing, standings
from techsquare.registry import tables as t
from techsquare.services import peering, said
from techsquare.services.days import day_of
from techsquare.services.rights import for_factory

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller
    from techsquare.services.said import Told

LARGEST = 2**22
"""Bytes of a kept manifest: it was measured when it came."""


def of(session: Session, caller: Caller, factory: str) -> list[Standing]:
    """Return where each result of a factory stands now.

    Raises:
        RefusedError: `not_there`.
    """
    for_factory(session, caller, factory)
    last = (
        select(t.Assessment.id)
        .where(t.Assessment.factory_id == factory)
        .order_by(t.Assessment.at.desc(), t.Assessment.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    priced = session.scalar(
        select(func.count()).select_from(t.Loss).where(t.Loss.assessment_id == last, t.Loss.won_low.is_not(None))
    )
    told = said.told(session, factory)
    return standings(facts(session, factory, told, caller.now, priced=bool(priced)))


def facts(session: Session, factory: str, told: Told, now: int, *, priced: bool) -> Facts:
    """Return what is there.

    Args:
        session: Of either kind.
        factory: Its id.
        told: What people have said.
        now: UTC ns.
        priced: Whether any loss is known in won.
    """
    entered = session.scalar(select(t.Party.created_at).where(t.Party.id == factory)) or now
    projects = session.execute(
        select(t.Engagement.id, t.Engagement.installed_on).where(
            t.Engagement.factory_id == factory, t.Engagement.installed_on.is_not(None)
        )
    ).all()
    decided = session.scalar(
        select(func.count())
        .select_from(t.Outcome)
        .join(t.MeasurementPlan, t.MeasurementPlan.id == t.Outcome.plan_id)
        .where(t.MeasurementPlan.engagement_id.in_([project for project, _ in projects]))
    )
    return Facts(
        day=max(0, (day_of(now) - day_of(entered)).days),
        answered=told.answered,
        counted=_days(session, factory, "counted", energy=False),
        connected=_connected(session, factory),
        measured=_days(session, factory, "measured", energy=False),
        rates=priced,
        metered=bool(_days(session, factory, "measured", energy=True)),
        read_meters=_days(session, factory, "counted", energy=True),
        questionnaire=any(one.level is not None for one in told.levels),
        others=bool(peering.tables(session, factory)),
        towards=_towards(session, factory),
        installed=bool(projects),
        decided=bool(decided),
    )


def _towards(session: Session, factory: str) -> int:
    """Return how far it is to offers: a budget, a plan, an offer that stands."""
    steps = (
        select(t.Budget.id).where(t.Budget.factory_id == factory),
        select(t.Roadmap.id).where(t.Roadmap.factory_id == factory),
        select(t.Offer.id).where(t.Offer.factory_id == factory, t.Offer.ended_at.is_(None)),
    )
    found = 0
    for asked in steps:
        if session.scalar(asked.limit(1)) is None:
            break
        found += 1
    return found


def _days(session: Session, factory: str, source: str, *, energy: bool) -> int:
    """Return on how many days something is known: of planned time, or of electricity."""
    days = t.MetricDay
    known = (days.energy_kwh.is_not(None),) if energy else (days.planned_s > 0, days.known_s > 0)
    found = session.scalar(
        select(func.count(days.day.distinct())).where(days.factory_id == factory, days.source == source, *known)
    )
    return found or 0


def _connected(session: Session, factory: str) -> int:
    """Return how many machines an agent says that it reads; without a word of it those that it has told days of."""
    declared: set[str] = set()
    for text in session.scalars(
        select(t.Agent.manifest).where(
            t.Agent.factory_id == factory, t.Agent.seen_at.is_not(None), t.Agent.manifest.is_not(None)
        )
    ):
        try:
            declared |= {one.id for one in decode((text or "").encode(), Manifest, LARGEST).machines}
        except WireError:
            continue
    days = t.MetricDay
    seen = session.scalar(
        select(func.count(days.machine_id.distinct())).where(days.factory_id == factory, days.source == "measured")
    )
    return max(len(declared), seen or 0)
