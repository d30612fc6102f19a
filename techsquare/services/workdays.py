"""Planned days of a factory, learned from its own machine-days; what everybody counts due dates in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from techsquare.mentoring.calendar import WEEKS, Calendar, learned
from techsquare.registry.measured import MetricDay

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy.orm import Session


def calendars(session: Session, factories: Iterable[str], today: date) -> dict[str, Calendar]:
    """Return the calendars of factories; Monday to Friday where too few days are known, and it says so."""
    wanted = sorted(set(factories))
    days: dict[str, set[date]] = {name: set() for name in wanted}
    since = today - timedelta(weeks=WEEKS + 4)
    for at in range(0, len(wanted), 500):
        rows = session.execute(
            select(MetricDay.factory_id, MetricDay.day)
            .where(
                MetricDay.factory_id.in_(wanted[at : at + 500]), MetricDay.planned_s > 0,
                MetricDay.day > since, MetricDay.day <= today,
            )
            .distinct()
        )  # fmt: skip
        for factory, day in rows:
            days[factory].add(day)
    return {name: learned(found, today) for name, found in days.items()}


def calendar(session: Session, factory: str, today: date) -> Calendar:
    """Return the calendar of a factory."""
    return calendars(session, [factory], today)[factory]
