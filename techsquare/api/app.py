"""The application: routes, handlers, jobs, and what is told when it lives and when it is ready."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from sqlalchemy import text

from techsquare.api.guard import Guard
from techsquare.api.limits import Limiter, Rate
from techsquare.api.problems import MEDIA, Problem, install
from techsquare.api.routes import ROUTERS
from techsquare.api.settings import Settings
from techsquare.api.who import House, now_ns
from techsquare.api.words import WORDS
from techsquare.services.jobs import Jobs
from techsquare.services.nightly import Nightly
from techsquare.services.refused import RefusedError
from techsquare.services.work import KINDS, Bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry

VERSION = "1"
_ANY = {
    "default": {
        "description": "a problem (RFC 9457)",
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def create(
    registry: Registry,
    catalogue: Catalogue,
    settings: Settings | None = None,
    *,
    clock: Callable[[], int] = now_ns,
    seconds: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """Return the application on a registry whose tables are there.

    Args:
        registry: Where everything is; the caller closes it.
        catalogue: Measures and programmes, which stand in the tables already (`services.catalogue.sync`).
        settings: Limits.
        clock: ns since 1970.
        seconds: Seconds that only grow, for limits.
    """
    limits = settings or Settings()
    jobs = Jobs(Bench(registry, catalogue, clock), KINDS, limits.threads)
    nights = Nightly(registry, limits.night, clock, jobs.wake)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        jobs.start()
        nights.start()
        yield
        nights.close()
        jobs.close()

    app = FastAPI(
        title="Tech Square Edge",
        version=VERSION,
        description="Diagnosis, roadmap, matching, mentoring and verdict on measured evidence. Every error is a "
        "problem (RFC 9457) in Korean or English, by Accept-Language. Rows are what the reader may see of them.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=_ANY,  # type: ignore[arg-type]
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.house = House(
        registry=registry,
        catalogue=catalogue,
        settings=limits,
        jobs=jobs,
        tokens=Limiter(limits.by_token, seconds),
        accounts=Limiter(Rate(2 * limits.tries.burst, 2 * limits.tries.second), seconds),
        tries=Limiter(limits.tries, seconds),
        engines=BoundedSemaphore(limits.engines),
        clock=clock,
    )
    install(app)
    for router in ROUTERS:
        app.include_router(router)

    @app.get("/health", tags=["service"])
    def health() -> dict[str, str]:
        """Say that the program runs."""
        return {"state": "running"}

    @app.get("/ready", tags=["service"], response_model=dict[str, str])
    def ready() -> Response:
        """Say whether the database answers."""
        try:
            with registry.reading() as session:
                session.execute(text("SELECT 1"))
        except Exception:  # noqa: BLE001 - whatever it is, it is not ready
            return JSONResponse({"state": "not ready"}, 503)
        return JSONResponse({"state": "ready"})

    @app.get("/problems/{code}", tags=["service"])
    def problem(code: str) -> dict[str, Any]:
        """Say what a problem means, in both languages."""
        words = WORDS.get(code)
        if words is None:
            raise RefusedError("not_there")
        return {"code": code, "status": words.status, "ko": words.ko, "en": words.en}

    made = app.openapi

    def schema() -> dict[str, Any]:
        found = made()
        found.setdefault("components", {}).setdefault("schemas", {}).update(_of_problem())
        return found

    app.openapi = schema  # type: ignore[method-assign]
    app.add_middleware(
        Guard,
        addresses=Limiter(limits.by_address, seconds),
        most=limits.body,
        wider={"/v1/intake": limits.handed, "/v1/compute/": limits.problem},
    )
    return app


def _of_problem() -> dict[str, Any]:
    """Return the schema of a problem, and of what it holds."""
    found = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    inner: dict[str, Any] = found.pop("$defs", {})
    return {**inner, "Problem": found}
