"""What an owner says of his factory (or its mentor, with him): rates, budget, machines, consent.

What is said at a moment is kept beside what was said before; the latest holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import func, select

from techsquare.registry import consents, leaving
from techsquare.registry import tables as t
from techsquare.registry.ids import new_id
from techsquare.registry.privacy import ConsentScope
from techsquare.registry.store import add
from techsquare.services.days import day_of
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need, seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller

CONSENT: frozenset[str] = frozenset(get_args(ConsentScope))


def rates(session: Session, caller: Caller, factory: str, body: Mapping[str, Any]) -> t.Rates:
    """Keep what a piece, an hour and a kilowatt-hour are worth.

    Raises:
        RefusedError: `not_there`.
    """
    for_factory(session, caller, factory)
    row = t.Rates(id=new_id(), factory_id=factory, at=caller.now, body=dict(body), by_user=caller.reader.user)
    add(session, row)
    return row


def budget(session: Session, caller: Caller, factory: str, **means: Any) -> t.Budget:
    """Keep what a factory has for each of three phases.

    Raises:
        RefusedError: `not_there`.
    """
    for_factory(session, caller, factory)
    row = t.Budget(id=new_id(), factory_id=factory, at=caller.now, by_user=caller.reader.user, **means)
    add(session, row)
    return row


def exclude(
    session: Session, caller: Caller, factory: str, supplier: str | None, solution: str | None, why: str | None
) -> t.Exclusion:
    """Keep that an owner does not want a supplier, or one of its solutions; the supplier is never told.

    Raises:
        RefusedError: `not_there`: also a supplier or solution that there is not.
        ConflictError: it is excluded already.
    """
    for_factory(session, caller, factory)
    if supplier is not None:
        seen(session, caller, t.Supplier, supplier)
    if solution is not None:
        seen(session, caller, t.Solution, solution)
    row = t.Exclusion(
        id=new_id(), factory_id=factory, supplier_id=supplier, solution_id=solution, why=why, since=caller.now
    )
    add(session, row)
    return row


def include(session: Session, caller: Caller, exclusion: str) -> None:
    """End an exclusion.

    Raises:
        RefusedError: `not_there`.
    """
    row = seen(session, caller, t.Exclusion, exclusion)
    for_factory(session, caller, row.factory_id)
    row.until = row.until or caller.now


def machine(
    session: Session, caller: Caller, factory: str, machine_id: str, changed: Mapping[str, Any]
) -> t.Machine:
    """Keep what is known of a machine; one that is not there yet is registered (a factory without an agent).

    Raises:
        RefusedError: `not_there`.
    """
    for_factory(session, caller, factory)
    row = session.get(t.Machine, (factory, machine_id))
    if row is None:
        known = {"name": machine_id, "weight": 1.0, "limits_output": "unknown", "comparable": False}
        row = t.Machine(factory_id=factory, id=machine_id, **{**known, **changed})
        add(session, row)
    for name, value in changed.items():
        setattr(row, name, value)
    return row


def applied(session: Session, caller: Caller, factory: str, on: date) -> t.Factory:
    """Keep when a factory asked for help: no baseline may begin before. It is said once.

    Raises:
        RefusedError: `not_there`; `decided`: another day was said.
    """
    if not caller.has("operator"):
        for_factory(session, caller, factory)
    row = session.get(t.Factory, factory)
    if row is None:
        raise RefusedError("not_there")
    if row.applied_on is not None and row.applied_on != on:
        raise RefusedError("decided")
    row.applied_on = on
    return row


def consent(
    session: Session, caller: Caller, factory: str, agent: str, scopes: Iterable[str], until: date | None
) -> tuple[t.Consent, list[str], dict[str, int]]:
    """Keep what the owner agrees to from now on; what he takes back is deleted at once (`registry.consents`).

    Returns:
        The line of the history, what holds now, and how many rows went, by table.

    Raises:
        RefusedError: `not_there`; `wrong_role`: consent is the owner's.
    """
    for_factory(session, caller, factory)
    need(caller, "owner", factory)
    if session.get(t.Agent, (factory, agent)) is None:
        raise RefusedError("not_there")
    wanted = sorted(set(scopes) & CONSENT)
    before = consents.effective(consents.latest(session, [(factory, agent)]).get((factory, agent), {}))
    serial = session.scalar(
        select(func.max(t.Consent.serial)).where(
            t.Consent.factory_id == factory, t.Consent.agent_id == agent, t.Consent.source == "platform"
        )
    )
    row = t.Consent(
        id=new_id(), factory_id=factory, agent_id=agent, source="platform", since=caller.now,
        serial=(serial or 0) + 1, until=until, scopes=wanted, recorded_at=caller.now,
    )  # fmt: skip
    add(session, row)
    back = frozenset(scope for scope in get_args(ConsentScope) if scope in (before or ()) and scope not in wanted)
    gone = leaving.withdraw(session, factory, back, caller.now, caller.actor(factory)) if back else {}
    held = consents.effective(consents.latest(session, [(factory, agent)])[factory, agent], day_of(caller.now))
    return row, sorted(held or ()), gone
