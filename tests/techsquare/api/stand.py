"""An application with people who ask it, over a real HTTP server on loopback."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import httpx
import uvicorn

from techsquare.api.app import create
from techsquare.api.limits import Rate
from techsquare.api.settings import Settings
from techsquare.registry import access
from techsquare.registry.audit import Actor
from techsquare.services import catalogue as catalogues
from techsquare.services import night
from techsquare.services.days import day_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry

WIDE = Settings(by_address=Rate(1e6, 1e6), by_token=Rate(1e6, 1e6), tries=Rate(3, 0.001))


class Stand:
    """A served application.

    Args:
        registry: Its database.
        catalogue: Put into its tables.
        settings: Limits.
    """

    def __init__(self, registry: Registry, catalogue: Catalogue, settings: Settings = WIDE) -> None:
        self.registry, self.catalogue = registry, catalogue
        self.shift = 0
        registry.decide(lambda s: catalogues.sync(s, catalogue, day_of(self.now())), Actor("test"))
        self.app = create(registry, catalogue, settings, clock=self.now)
        self._server = uvicorn.Server(
            uvicorn.Config(self.app, host="127.0.0.1", port=0, log_level="critical", access_log=False)
        )
        self._stack = ExitStack()

    def now(self) -> int:
        """Return the time of this world; `shift` moves it."""
        return time.time_ns() + self.shift

    def night(self) -> dict[str, Any]:
        """Let a night's tasks be done."""
        return night.run(self.registry, self.catalogue, self.now(), lambda _share: None)

    def __enter__(self) -> Self:
        thread = threading.Thread(target=self._server.run, daemon=True)
        thread.start()
        while not self._server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self._thread = thread
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._server.should_exit = True
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()

    def client(self, token: str | None = None, language: str = "en") -> httpx.Client:
        """Return somebody who asks."""
        headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {token}"} if token else {})
        return self._stack.enter_context(httpx.Client(base_url=self.base, headers=headers, timeout=30))

    def token(self, membership: str, *scopes: Any) -> str:
        """Return a token of a membership, made beside the API."""
        wanted = scopes or access.TOKEN_SCOPES
        return self.registry.decide(
            lambda s: access.issue(s, membership, "test", wanted, self.now()), Actor("test")
        )


def finished(client: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """Wait for the job that an answer tells of, and return it."""
    assert answer.status_code == 202, answer.text
    return done(client, answer.headers["Location"].rsplit("/", 1)[1])


def done(client: httpx.Client, job: str, seconds: float = 60) -> dict[str, Any]:
    """Wait for a job."""
    until = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = client.get(f"/v1/jobs/{job}").json()
        if found["state"] not in {"waiting", "running"}:
            return found
        assert time.monotonic() < until, found
        time.sleep(0.02)


def pages(client: httpx.Client, table: str, limit: int = 3, **more: Any) -> Iterator[dict[str, Any]]:
    """Give all rows of a table, page by page."""
    after: dict[str, str] = {}
    while True:
        answer = client.get(f"/v1/rows/{table}", params={"limit": limit, **more, **after})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert len(found["rows"]) <= limit
        yield from found["rows"]
        if found["next"] is None:
            return
        after = {"after": found["next"]}
