"""From rows to a stored diagnosis: by its owner or mentor at any time, by the night where it says something new.

A diagnosis is never changed. Who asks for one when nothing has changed since gets the latest (equal bodies have
equal hashes), so that asking costs no rows.

The night looks at a factory with days since its latest diagnosis: every night in its first month, then on one
night of the week (whose it is follows from its id, so that the nights have equal work); a new report is as a new
day. What people have said or counted since is looked at in the next night whatever the day. Stored is what is worth
it (`services.changes`).
"""

from __future__ import annotations

import zlib
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from contract.codec import PLAIN_LIMIT, decode
from contract.errors import WireError
from contract.report import Report
from settings.language import Text
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import counting, measured, said, standing
from techsquare.services.alone import alone
from techsquare.services.changes import worth
from techsquare.services.days import DAY_NS, day_of
from techsquare.services.diagnosing import Diagnosis, Known, diagnose, won
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory
from techsquare.services.telling import About, tell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller
    from techsquare.span import Span

MONTH_DAYS, WEEK = 28, 7
REPORTS = 100
"""So many of the latest reports are looked through for one of the plant and one of each machine."""


def assess(session: Session, caller: Caller, factory: str) -> t.Assessment:
    """Return the diagnosis of this moment; stored, where the latest one does not say the very same.

    Raises:
        RefusedError: `not_there`; `nothing_known`: no answer, no day and no report.
    """
    for_factory(session, caller, factory)
    found = stored(session, factory, caller.now)
    if found is None:
        raise RefusedError("nothing_known")
    return found


def stored(session: Session, factory: str, now: int) -> t.Assessment | None:
    """Return the diagnosis of this moment as `assess` does, None without any; the caller has looked at rights."""
    found = diagnose(known(session, factory, now))
    if found is None:
        return None
    last = latest(session, factory)
    return last if last is not None and last.hash == found.hash else _store(session, factory, found, now)


def latest(session: Session, factory: str) -> t.Assessment | None:
    """Return the latest diagnosis of a factory."""
    return session.scalars(
        select(t.Assessment)
        .where(t.Assessment.factory_id == factory)
        .order_by(t.Assessment.at.desc(), t.Assessment.id.desc())
    ).first()


def known(session: Session, factory: str, now: int) -> Known:
    """Return everything that the rows of a factory say."""
    told = said.told(session, factory)
    plant, machines = reports(session, factory)
    return Known(
        rows=measured.measured(session, factory, day_of(now)),
        lines=[
            measured.Impossible(one.machine, one.day, one.why) for one in counting.by_hand(session, factory).refused
        ],
        told=told,
        report=plant,
        machines=machines,
        facts=standing.facts(session, factory, told, now, priced=False),
    )


def reports(session: Session, factory: str) -> tuple[Report | None, list[Report]]:
    """Return the latest readiness report of the plant, and those of machines, in order of machine."""
    plant: Report | None = None
    machines: dict[str, Report] = {}
    rows = session.scalars(
        select(t.Report.body)
        .where(t.Report.factory_id == factory)
        .order_by(t.Report.made_at.desc(), t.Report.id.desc())
        .limit(REPORTS)
    )
    for body in rows:
        try:
            one = decode(body.encode(), Report, PLAIN_LIMIT)
        except WireError:  # what was stored by an older release may have another shape
            continue
        if one.machine is not None:
            machines.setdefault(one.machine, one)
        elif plant is None:
            plant = one
    return plant, [one for _, one in sorted(machines.items())]


def _store(session: Session, factory: str, found: Diagnosis, now: int) -> t.Assessment:
    first, last = found.window or (None, None)
    row = t.Assessment(
        id=new_id(), factory_id=factory, at=now, kind=found.kind, state=found.state, window_from=first,
        window_to=last, formulas=found.formulas, model=found.model, coverage=found.coverage, body=found.body,
        hash=found.hash,
    )  # fmt: skip
    losses = [
        t.Loss(
            id=new_id(), assessment_id=row.id, machine_id=one.machine, bucket=one.bucket, share_low=one.share.low,
            share_high=one.share.high, coverage=one.coverage, days=one.days, lacking=list(one.lacking),
            **_hours(one.hours_year), **_won(one.won_year),
        )
        for one in found.losses
    ]  # fmt: skip
    gaps = [
        t.Gap(
            id=new_id(), assessment_id=row.id, dimension=one.dimension, machine_id=one.machine, bucket=one.bucket,
            confidence=one.confidence, why=list(one.why), **_hours(one.hours_year), **_won(one.won_year),
        )
        for one in found.gaps
    ]  # fmt: skip
    add(session, row, *losses, *gaps)
    return row


def _hours(span: Span | None) -> dict[str, float | None]:
    low, high = (None, None) if span is None else span
    return {"hours_low": low, "hours_high": high}


def _won(span: Span | None) -> dict[str, int | None]:
    found = won(span) or {}
    return {"won_low": found.get("low"), "won_high": found.get("high")}


# By itself


def night(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Look at the factories whose turn it is, and store what is worth it."""
    with registry.reading() as session:
        wanted = due(session, now)
    done = {"looked": 0, "stored": 0, "failed": 0}
    for factory in wanted:
        new = alone(registry, partial(_looked, factory=factory, now=now), Actor("night", factory), factory)
        done["looked"] += new is not None
        done["stored"] += bool(new)
        done["failed"] += new is None
    return done


def _looked(session: Session, factory: str, now: int) -> bool:
    found = diagnose(known(session, factory, now))
    if found is None:
        return False
    last = latest(session, factory)
    since = 0 if last is None else (day_of(now) - day_of(last.at)).days
    if last is not None and (last.hash == found.hash or worth(last.body, found.body, since) is None):
        return False
    row = _store(session, factory, found, now)
    about = About(row.__tablename__, row.id, Text("diagnosis", "진단"), on=day_of(now))
    tell(session, factory, "diagnosis", about, now)
    return True


def due(session: Session, now: int) -> list[str]:
    """Return the factories that the night looks at, in order."""
    today = day_of(now)
    made = {
        factory: (at, to)
        for factory, at, to in session.execute(
            select(t.Assessment.factory_id, func.max(t.Assessment.at), func.max(t.Assessment.window_to)).group_by(
                t.Assessment.factory_id
            )
        )
    }
    here = session.execute(
        select(t.Party.id, t.Party.created_at).where(t.Party.kind == "factory", t.Party.closed_at.is_(None))
    )
    news, said_at, reported = _newest(session, today), _said(session), _reported(session)
    found = []
    for factory, since in here:
        at, to = made.get(factory, (-1, None))
        said_now = said_at.get(factory, -1)
        if said_now > at and said_now > now - MONTH_DAYS * DAY_NS:
            found.append(factory)
        elif _new(news.get(factory), to) or reported.get(factory, -1) > at:
            young = (today - day_of(since)).days <= MONTH_DAYS
            if at < 0 or young or zlib.crc32(factory.encode()) % WEEK == today.toordinal() % WEEK:
                found.append(factory)
    return sorted(found)


def _new(day: date | None, last: date | None) -> bool:
    return day is not None and (last is None or day > last)


def _newest(session: Session, today: date) -> Mapping[str, date]:
    """Return the latest day of each factory that has any of late."""
    days = t.MetricDay
    rows = session.execute(
        select(days.factory_id, func.max(days.day))
        .where(days.day > today - timedelta(days=measured.WINDOW_DAYS), days.day <= today)
        .group_by(days.factory_id)
    )
    return dict(rows.all())


def _said(session: Session) -> Mapping[str, int]:
    """Return when people of each factory last said something, or wrote a line into the form."""
    found: dict[str, int] = {}
    for factory, at in (
        (t.Answer.factory_id, t.Answer.at),
        (t.Rates.factory_id, t.Rates.at),
        (t.Reading.factory_id, t.Reading.at),
    ):
        for name, when in session.execute(select(factory, func.max(at)).group_by(factory)):
            found[name] = max(when, found.get(name, when))
    return found


def _reported(session: Session) -> Mapping[str, int]:
    rows = session.execute(
        select(t.Report.factory_id, func.max(t.Report.received_at)).group_by(t.Report.factory_id)
    )
    return dict(rows.all())
