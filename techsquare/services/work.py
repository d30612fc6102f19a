"""What does a job, by its kind: what it needs, how far it is, and what comes out.

A kind is a function of the bench, what was asked, and whom to tell how far it is. It may be begun again from the
start, and stores what it stores in one transaction at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from techsquare.registry import access
from techsquare.registry.audit import Actor
from techsquare.services import mentoring, night, nights, programme, promising, roadmap
from techsquare.services.refused import RefusedError
from techsquare.services.rights import Caller

if TYPE_CHECKING:
    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.privacy import Role
    from techsquare.registry.store import Registry

Told = Callable[[float], None]
"""Is told the share of a job that is done; raises where the job is to end."""


class Bench(NamedTuple):
    """Where jobs work: the registry, the catalogue, and what tells ns since 1970."""

    registry: Registry
    catalogue: Catalogue
    clock: Callable[[], int]

    def caller(self, user: str, role: Role | None = None) -> Caller:
        """Return who asked, as what he is now: what he was when he asked may be over.

        Raises:
            RefusedError: `wrong_role`: he is not, or no longer, what the job needs.
        """
        now = self.clock()
        with self.registry.reading() as session:
            caller = Caller(access.reader_of(session, user, now), now)
        if role is not None and not caller.has(role):
            raise RefusedError("wrong_role", needed=role)
        return caller


Work = Callable[[Bench, Mapping[str, Any], Told], dict[str, Any]]


def _reasons(bench: Bench, asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
    with bench.registry.reading() as session:
        return roadmap.reasons(session, bench.catalogue, asked["roadmap"], told)


def _matching(bench: Bench, asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
    bench.caller(asked["user"], "operator")
    return nights.every(bench.registry, bench.catalogue, bench.clock(), told, Actor(asked["user"]))


def _night(bench: Bench, _asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
    return night.run(bench.registry, bench.catalogue, bench.clock(), told)


def _mentors(bench: Bench, asked: Mapping[str, Any], told: Told) -> dict[str, Any]:
    told(0.0)
    caller = bench.caller(asked["user"], "operator")
    return bench.registry.decide(lambda s: mentoring.all_waiting(s, caller), Actor(asked["user"]))


KINDS: dict[str, Work] = {
    "reasons": _reasons,
    "matching": _matching,
    "mentors": _mentors,
    "night": _night,
    "promise": promising.of_plan,
    "provable": promising.of_item,
    "programme": programme.work,
}
