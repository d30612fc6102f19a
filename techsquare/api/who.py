"""From a bearer token to a caller: who it is, what his token is for, and that he does not ask too often."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from techsquare.api.problems import ProblemError
from techsquare.registry import access
from techsquare.registry.errors import DeniedError
from techsquare.registry.people import Token
from techsquare.registry.policy import Reader
from techsquare.services.people import INVITATION
from techsquare.services.rights import Caller

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import BoundedSemaphore

    from sqlalchemy.orm import Session

    from techsquare.api.limits import Limiter
    from techsquare.api.settings import Settings
    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry
    from techsquare.services.jobs import Jobs

T = TypeVar("T")
_bearer = HTTPBearer(auto_error=False, description="a token of POST /v1/login or POST /v1/tokens")


@dataclass(frozen=True, slots=True)
class House:
    """What every request needs; one for the application."""

    registry: Registry
    catalogue: Catalogue
    settings: Settings
    jobs: Jobs
    tokens: Limiter
    accounts: Limiter
    tries: Limiter
    engines: BoundedSemaphore
    clock: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who asks. `scopes` is what his token is for; without one he may read what anyone may."""

    house: House
    caller: Caller
    scopes: frozenset[str]
    token: str | None

    def write(self, work: Callable[[Session, Caller], T], party: str | None = None) -> T:
        """Run a service in a transaction, in the name of a party."""
        whose = party or next((p for _, p in sorted(self.caller.reader.roles)), None)
        return self.house.registry.decide(lambda session: work(session, self.caller), self.caller.actor(whose))

    def read(self, work: Callable[[Session, Caller], T]) -> T:
        """Run something that only reads."""
        with self.house.registry.reading() as session:
            return work(session, self.caller)


def house(request: Request) -> House:
    """Return what the application was made with."""
    found: House = request.app.state.house
    return found


def anyone(
    here: Annotated[House, Depends(house)],
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Asking:
    """Return who asks; somebody without a token is anybody.

    Raises:
        ProblemError: `unauthorized`, `too_many`.
    """
    now = here.clock()
    if shown is None:
        return Asking(here, Caller(Reader(), now), frozenset({"read"}), None)
    with here.registry.reading() as session:
        try:
            identity = access.by_token(session, shown.credentials, now)
        except (DeniedError, UnicodeError, ValueError):
            raise ProblemError("unauthorized") from None
        if session.get_one(Token, identity.token).name == INVITATION:
            raise ProblemError("unauthorized")
    wait = here.tokens.take(identity.token or "")
    if wait:
        raise ProblemError("too_many", {"Retry-After": str(wait)})
    return Asking(here, Caller(identity.reader, now), identity.scopes or frozenset(), identity.token)


def _with(scope: str) -> Callable[..., Asking]:
    def asks(asking: Annotated[Asking, Depends(anyone)]) -> Asking:
        if asking.token is None:
            raise ProblemError("unauthorized")
        if scope not in asking.scopes:
            raise ProblemError("scope")
        return asking

    return asks


Anyone = Annotated[Asking, Depends(anyone)]
Known = Annotated[Asking, Depends(_with("read"))]
Writes = Annotated[Asking, Depends(_with("write"))]
Intakes = Annotated[Asking, Depends(_with("intake"))]
Computes = Annotated[Asking, Depends(_with("compute"))]
Matches = Annotated[Asking, Depends(_with("match"))]
Admin = Annotated[Asking, Depends(_with("admin"))]
Here = Annotated[House, Depends(house)]


def now_ns() -> int:
    """Return the time in ns since 1970."""
    return time.time_ns()


def plain_row(row: Any, *names: str) -> dict[str, Any]:
    """Return columns of a row that its writer may see."""
    return {name: getattr(row, name) for name in names}
