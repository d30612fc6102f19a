"""Who acts, and the transaction that he acts in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from techsquare.registry.audit import Actor
from techsquare.registry.policy import Reader
from techsquare.services.rights import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from techsquare.registry.privacy import Role
    from techsquare.registry.store import Registry
    from techsquare.simulation.advice import Books
    from techsquare.simulation.sink.clock import Clock

T = TypeVar("T")
PROGRAM = "simulation"


class Desk:
    """The registry with people who act in it.

    Args:
        registry: To be filled.
        books: Catalogue and questions.
        clock: The simulated moment.
    """

    def __init__(self, registry: Registry, books: Books, clock: Clock) -> None:
        self.registry, self.books, self.clock = registry, books, clock
        self.users: dict[tuple[str, str], str] = {}
        """(role, party) -> user."""

    def caller(self, role: Role, party: str) -> Caller:
        """Return a party's user at this moment."""
        return Caller(Reader(self.users[role, party], frozenset({(role, party)})), self.clock.now())

    def do(self, role: Role, party: str, work: Callable[[Session, Caller], T]) -> T:
        """Let a party's user do something, as a request over the API would."""
        caller = self.caller(role, party)
        return self.registry.decide(lambda session: work(session, caller), caller.actor(party))

    def write(self, work: Callable[[Session], T]) -> T:
        """Write what nobody decides: the platform itself, or years before it."""
        return self.registry.decide(work, Actor(PROGRAM))
