"""Fit tests: whether a registered version meets a factory's machines, asked of its agent, once.

    needs       what a version needs, said with its draft: metrics that its family is about, within limits
    ask         the owner has a version tested: in the book, and a worker of the intake puts it to the agent
    night       the platform has versions tested that open items are matched with; tells owners what is missing

`fit.book` says whether an agent is asked at all (once for a factory and version, one question of a family a year,
twenty a month for an owner group); what follows without asking is entered as well, so that it never changes. The
supplier reads the word and not whose it is; what is missing is read by owner and mentor (see the table), and is
only there with the owner's consent to it. The answer is written by `intake.fits`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from contract.verbs import Need, Solution
from readiness.indicators import REGISTRY
from techsquare.fit import book, register
from techsquare.intake import agents
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.dialect import among
from techsquare.registry.ids import new_id
from techsquare.registry.store import add
from techsquare.services import shelf
from techsquare.services.alone import alone
from techsquare.services.days import DAY_NS, day_of
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need, seen
from techsquare.services.telling import tell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.fit.book import Answer, Entry, Question
    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller

COMMON = frozenset({"C01", "V01"})
"""Every family may need that a machine is connected and that its state is known."""
ACTOR = Actor("fit")
TOLD_DAYS = 60
"""After the question was put last: an answer is told in the night after it, and what is older was told then."""


def metrics(catalogue: Catalogue, family: str) -> frozenset[str]:
    """Return what needs of a family may be about: what its measure gives, rests on, and what all may need."""
    entries = {entry.id: entry for entry in catalogue.entries}
    entry = entries.get(family)
    if entry is None:
        return COMMON
    before = {name for one in entry.needs if one in entries for name in entries[one].gives}
    return (COMMON | {*entry.gives, *(one.indicator for one in entry.data)} | before) & set(REGISTRY)


def checked(
    session: Session, caller: Caller, catalogue: Catalogue, solution: str, version: str, needs: Sequence[Need]
) -> list[dict[str, Any]]:  # fmt: skip
    """Return needs as they are kept with a draft.

    Raises:
        RefusedError: `not_there`; `bad_needs`, with everything that is wrong.
    """
    if not needs:
        return []
    row = seen(session, caller, t.Solution, solution)
    wrong = register.refusals(Solution(solution, version, list(needs)), metrics(catalogue, row.family), {})
    if wrong:
        raise RefusedError("bad_needs", needs=[{"need": one.need, "code": one.code} for one in wrong])
    return [{"id": one.id, "metric": one.metric, "min": one.min, "max": one.max} for one in needs]


def needs_of(version: t.SolutionVersion) -> list[Need]:
    """Return the needs that a version has registered."""
    return [Need(**one) for one in (version.requires or {}).get("needs", ())]


def ask(session: Session, caller: Caller, factory: str, version: str) -> t.FitCheck:
    """Have a version tested at one's own factory; the one answer there is where it was tested before.

    Raises:
        RefusedError: `not_there`; `wrong_role`: only the owner; `no_needs`; `fit_consent`; `fit_month`, with the
            day from which on it may be tried again.
    """
    for_factory(session, caller, factory)
    need(caller, "owner", factory)
    row = session.get(t.SolutionVersion, version)
    if row is None or row.state != "registered":
        raise RefusedError("not_there")
    told = _enter(session, factory, row, "owner", caller.now)
    if isinstance(told, book.Answer):
        again = {} if told.again is None else {"again": told.again.isoformat()}
        raise RefusedError("fit_consent" if told.because == "consent" else "fit_month", **again)
    return told


def night(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Enter the questions of the platform about open items, and tell owners what was found to be missing."""
    done = {"asked": 0, "known": 0, "told": 0}
    today = day_of(now)
    with registry.reading() as session:
        pairs = _pairs(session, today)
    # Neither ids nor age decide who has the month's questions.
    for factory, version in sorted(pairs, key=lambda pair: _rank(today, *pair)):

        def work(session: Session, factory: str = factory, version: str = version) -> str | None:
            if _there(session, factory, version) is not None:
                return None
            told = _enter(session, factory, session.get_one(t.SolutionVersion, version), "platform", now)
            return None if isinstance(told, book.Answer) else "asked" if told.asked else "known"

        word = alone(registry, work, ACTOR, f"version {version} at {factory}")
        if word is not None:
            done[word] += 1
    with registry.reading() as session:
        put = func.coalesce(t.FitCheck.tried_at, t.FitCheck.at)
        found = session.scalars(
            select(t.FitCheck.id).where(t.FitCheck.missing.is_not(None), put > now - TOLD_DAYS * DAY_NS)
        ).all()
    for key in found:
        done["told"] += alone(registry, lambda s, key=key: _tell(s, key, now), ACTOR, f"fit check {key}") or 0  # type: ignore[misc]
    return done


def _pairs(session: Session, today: date) -> set[tuple[str, str]]:
    """Return factories with the versions that their open items are matched with and that need something."""
    row, version = t.RoadmapItem, t.SolutionVersion
    open_ = session.execute(
        select(row.factory_id, row.measure_id).where(row.state.in_(("open", "offered"))).distinct()
    ).all()
    placed = shelf.placed(session, {family for _, family in open_}, today)
    names = {name for some in placed.values() for name in some}
    asking = {
        key
        for key, requires in session.execute(
            select(version.id, version.requires).where(among(session, version.id, names))
        )
        if (requires or {}).get("needs")
    }
    return {(factory, name) for factory, family in open_ for name in placed.get(family, ()) if name in asking}


def _tell(session: Session, key: str, now: int) -> int:
    row = session.get_one(t.FitCheck, key)
    return tell(session, row.factory_id, "fit", row, now) if row.missing else 0


def _rank(today: date, factory: str, version: str) -> str:
    return hashlib.sha256(f"{today:%Y-%m}\x1f{factory}\x1f{version}".encode()).hexdigest()


def _there(session: Session, factory: str, version: str) -> t.FitCheck | None:
    return session.scalars(
        select(t.FitCheck).where(t.FitCheck.factory_id == factory, t.FitCheck.version_id == version)
    ).one_or_none()


def _enter(session: Session, factory: str, version: t.SolutionVersion, by: Any, now: int) -> t.FitCheck | Answer:
    """Ask the book, and enter what it says; what may be tried again is not entered and is returned."""
    there = _there(session, factory, version.id)
    if there is not None:
        return there
    needs = needs_of(version)
    if not needs:
        raise RefusedError("no_needs")
    on = day_of(now)
    question = book.Question(
        factory, _group(session, version.supplier_id), _family(session, version), version.id, needs, by
    )
    said = book.answer(_lines(session, question), question, on, consent="fit" in agreed(session, factory, now))
    if said.because in {"consent", "month"}:
        return said
    row = t.FitCheck(
        id=new_id(), factory_id=factory, version_id=version.id, month=on.replace(day=1), at=now, by=by,
        asked=said.ask, result=said.word,
    )  # fmt: skip
    add(session, row)
    return row


def agreed(session: Session, factory: str, now: int) -> frozenset[str]:
    """Return what the owner agrees to today of the agent that signs for the factory."""
    agent = session.scalar(select(t.Agent.id).where(t.Agent.factory_id == factory, t.Agent.reporter))
    if agent is None:
        return frozenset()
    held = agents.known(session, [(factory, agent)], now)
    return held[factory, agent].scopes or frozenset()


def _group(session: Session, supplier: str) -> str:
    return shelf.group_of(session.get_one(t.Party, supplier))


def _family(session: Session, version: t.SolutionVersion) -> str:
    return session.get_one(t.Solution, version.solution_id).family


def _lines(session: Session, question: Question) -> list[Entry]:
    """Return the lines of the book that count: all of the factory, and all of the owner group."""
    lines = (
        select(t.FitCheck, t.SolutionVersion, t.Solution.family, t.Party)
        .join(t.SolutionVersion, t.SolutionVersion.id == t.FitCheck.version_id)
        .join(t.Solution, t.Solution.id == t.SolutionVersion.solution_id)
        .join(t.Party, t.Party.id == t.SolutionVersion.supplier_id)
    )
    group = or_(t.Party.owner_group == question.group, t.Party.id == question.group)
    # two statements: an "or" over two tables would have the whole book read for each question
    rows = [
        row
        for one in (t.FitCheck.factory_id == question.factory, group)
        for row in session.execute(lines.where(one))
    ]
    return [
        book.Entry(
            book.Question(row.factory_id, party.owner_group or party.id, family, row.version_id, needs_of(version),
                          row.by),
            day_of(row.at), row.result, row.asked,
        )
        for row, version, family, party in {row[0].id: row for row in rows}.values()
    ]  # fmt: skip
