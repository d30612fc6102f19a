"""The notice to the people who work at the machines: served in two languages, and recorded by the owner.

Nothing of a factory is taken in before it is recorded, and nothing beyond the scopes that it names
(`intake.agents`), but for the manifest, which the contract lets every agent send: so there are machines to name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import select

from techsquare.privacy import notice as engine
from techsquare.registry import consents
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.privacy import ConsentScope
from techsquare.services.alone import alone
from techsquare.services.days import day_of
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need
from techsquare.services.telling import over, tell

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.privacy.notice import Notice, Recorded, Scope
    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller

_ACTOR = Actor("notice")
SCOPES: frozenset[str] = frozenset(get_args(ConsentScope)) | {"raw_hosted"}


def text(
    session: Session, caller: Caller, factory: str, contact: str, begins: date | None, scopes: Iterable[str] | None
) -> dict[str, Any]:  # fmt: skip
    """Return the notice of a factory as it would be given today, and what is on record.

    Args:
        session: Any.
        caller: Its owner or mentor.
        factory: Whose.
        contact: Whom to ask: a function in the house, or a person.
        begins: From when on values are read; today when not said.
        scopes: What leaves the factory; what the owner agrees to now when not said.

    Raises:
        RefusedError: `not_there`; `no_contact`: nobody to ask, or no machine is known.
    """
    for_factory(session, caller, factory)
    on = day_of(caller.now)
    made = _notice(session, factory, contact, begins or on, scopes, on)
    given = _given(session.get_one(t.Factory, factory))
    wanted = frozenset(agreed(session, factory, on))
    return {
        "scopes": sorted(made.scopes),
        "machines": list(made.machines),
        "ko": engine.text(made, on, "ko"),
        "en": engine.text(made, on, "en"),
        "hash": engine.recorded(made, on).hash,
        "recorded": None if given is None else {"on": given.given_on.isoformat(), "scopes": sorted(given.scopes)},
        "refused": engine.refuse_release(wanted, given, on),
    }


def record(
    session: Session, caller: Caller, factory: str, contact: str, on: date | None, begins: date | None,
    scopes: Iterable[str] | None,
) -> t.Factory:  # fmt: skip
    """Keep that the owner has given the notice on a day: its scopes, and the hash of both texts.

    A later one takes the place of an earlier one; the audit keeps that there was one.

    Raises:
        RefusedError: `not_there`; `wrong_role`: only the owner can have given it; `no_contact`; `too_early`: the
            day has not come.
    """
    for_factory(session, caller, factory)
    need(caller, "owner", factory)
    today = day_of(caller.now)
    day = on or today
    if day > today:
        raise RefusedError("too_early")
    made = _notice(session, factory, contact, begins or day, scopes, today)
    kept = engine.recorded(made, day)
    row = session.get_one(t.Factory, factory)
    row.notice_at, row.notice_scopes, row.notice_hash = caller.now, sorted(kept.scopes), kept.hash
    row.notice_body = {
        "on": day.isoformat(), "begins": made.begins.isoformat(), "contact": contact.strip(),
        "machines": list(made.machines),
    }  # fmt: skip
    session.flush()
    over(session, factory, "notice", row, caller.now)
    return row


def night(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Ask owners whose agents may release something, and who have recorded no notice that names it, to give it."""
    on, asked = day_of(now), 0
    with registry.reading() as session:
        names = session.scalars(select(t.Consent.factory_id).distinct()).all()
    for name in sorted(names):

        def work(session: Session, name: str = name) -> int:
            row = session.get_one(t.Factory, name)
            if engine.refuse_release(frozenset(agreed(session, name, on)), _given(row), on) is None:
                return 0
            return tell(session, name, "notice", row, now)

        asked += (alone(registry, work, _ACTOR, f"the notice of {name}") or 0) > 0
    return {"asked": asked}


def _notice(
    session: Session, factory: str, contact: str, begins: date, scopes: Iterable[str] | None, today: date
) -> Notice:  # fmt: skip
    machines = session.scalars(
        select(t.Machine)
        .where(t.Machine.factory_id == factory, t.Machine.retired_on.is_(None))
        .order_by(t.Machine.id)
    )
    names = [row.name or row.id for row in machines]
    if not names or not contact.strip():
        raise RefusedError("no_contact")
    wanted = agreed(session, factory, today) if scopes is None else set(scopes) & SCOPES
    found: frozenset[Scope] = frozenset(wanted)  # type: ignore[arg-type]
    return engine.Notice(session.get_one(t.Party, factory).name, names, found, contact.strip(), begins)


def agreed(session: Session, factory: str, today: date) -> set[Any]:
    """Return what the owner agrees to today, of any of his agents."""
    return set(consents.of_factory(session, factory, today)) & SCOPES


def _given(row: t.Factory) -> Recorded | None:
    if row.notice_at is None:
        return None
    scopes: frozenset[Scope] = frozenset(row.notice_scopes or ())
    return engine.Recorded(day_of(row.notice_at), scopes, row.notice_hash or "")
