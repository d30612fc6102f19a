"""Export of everything that a party owns, and deletion; both are written down.

Who leaves answers nobody any more. So what waits for him ends first, while he still has his name: projects of a
factory that are not accepted, and its mentor's place; offers and projects of a supplier, as when it closes; what a
mentor looks after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from techsquare.registry import leaving
from techsquare.registry.audit import Actor, entry
from techsquare.registry.people import Audit, Party
from techsquare.registry.policy import Reader
from techsquare.registry.suppliers import Supplier
from techsquare.services import mentoring, projects
from techsquare.services.days import day_of
from techsquare.services.notice import agreed
from techsquare.services.people import OWN
from techsquare.services.refused import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.orm import Session

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.privacy import Scope
    from techsquare.registry.store import Registry
    from techsquare.services.rights import Caller

_ACTOR = Actor("retention")


def may(session: Session, caller: Caller, party: str) -> Party:
    """Return a party for which the caller may speak: its own people.

    Raises:
        RefusedError: `not_there`.
    """
    found = session.get(Party, party)
    if found is None or found.closed_at is not None or not caller.has(OWN[found.kind], party):
        raise RefusedError("not_there")
    return found


def told(session: Session, caller: Caller, party: str) -> None:
    """Write down that everything of a party is exported.

    Raises:
        RefusedError: `not_there`.
    """
    found = may(session, caller, party)
    factory = party if found.kind == "factory" else None
    line = entry(caller.actor(party), "export", "party", party, factory, None, None)
    session.connection().execute(insert(Audit), [line])


def export(registry: Registry, caller: Caller, party: str) -> Iterator[bytes]:
    """Give everything that a party owns, a line of JSON a row. Call `told` before."""
    with registry.reading() as session:
        for line in leaving.export(session, _own(session, caller, party)):
            yield line.encode() + b"\n"


def leave(session: Session, caller: Caller, party: str, confirmed: str) -> str:
    """Let a party go; return the pseudonym under which stays what others were judged by.

    Raises:
        RefusedError: `not_there`; `not_confirmed`: it is not the party's id; `not_yours`: the operator's house.
    """
    found = may(session, caller, party)
    if found.kind == "operator":
        raise RefusedError("not_yours")
    if confirmed != party:
        raise RefusedError("not_confirmed")
    if found.kind == "factory":
        projects.given_up(session, party, caller.now)
        mentoring.let_go(session, party, caller.now)
    elif found.kind == "supplier":
        projects.shut(session, session.get_one(Supplier, party), caller.now)
    else:
        mentoring.left(session, party, caller.now)
    return leaving.leave(session, party, caller.now, caller.actor(party))


def forget(session: Session, caller: Caller) -> None:
    """Let the caller himself go.

    Raises:
        RefusedError: `not_there`: nobody has logged in.
    """
    if caller.reader.user is None:
        raise RefusedError("not_there")
    leaving.forget(session, caller.reader.user, caller.now, caller.actor())


def end(session: Session, caller: Caller, factory: str, scopes: Iterable[Scope], confirmed: str) -> dict[str, int]:
    """Delete what came under scopes, and nothing else; return how many rows, by table.

    Raises:
        RefusedError: `not_there`; `not_confirmed`; `consent_first`: what is still agreed to would come again.
    """
    found = may(session, caller, factory)
    if found.kind != "factory":
        raise RefusedError("not_there")
    if confirmed != factory:
        raise RefusedError("not_confirmed")
    wanted = frozenset(scopes)
    still = sorted(wanted & agreed(session, factory, day_of(caller.now)))
    if still:
        raise RefusedError("consent_first", scopes=still)
    return leaving.withdraw(session, factory, wanted, caller.now, caller.actor(factory))


def night(registry: Registry, _catalogue: Catalogue, now: int) -> dict[str, int]:
    """Delete what is older than its table keeps it."""
    return registry.decide(lambda s: leaving.expire(s, now, _ACTOR), _ACTOR)


def _own(session: Session, caller: Caller, party: str) -> Reader:
    found = may(session, caller, party)
    return Reader(None, frozenset({(OWN[found.kind], party)}))
