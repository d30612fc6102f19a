"""Problems as RFC 9457 tells them: `application/problem+json`, in the language that was asked for.

A problem never quotes what was sent (it may be a password) or what the database said (it may be somebody else's).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, StatementError
from starlette.exceptions import HTTPException

from techsquare.api.words import WORDS, language
from techsquare.registry.errors import BusyError, ConflictError, DeniedError
from techsquare.services.refused import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

MEDIA = "application/problem+json"
_OF_STATUS = {
    400: "bad_request",
    401: "unauthorized",
    403: "scope",
    404: "no_route",
    405: "method",
    413: "too_large",
}
_log = logging.getLogger(__name__)


class Where(BaseModel):
    """A value that was not taken."""

    at: str = Field(description="where it stands, as `body.name`")
    why: str = Field(description="what is wrong, as a word of the validator")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="a page about it, relative to the server")
    title: str
    status: int
    code: str
    errors: list[Where] = Field(default_factory=list)
    details: dict[str, Any] = Field(default_factory=dict)


class ProblemError(Exception):
    """A problem of the API itself; `code` is one of `words.OF_HTTP`."""

    def __init__(
        self, code: str, headers: Mapping[str, str] | None = None, errors: list[Where] | None = None
    ) -> None:
        super().__init__(code)
        self.code, self.headers, self.errors = code, dict(headers or {}), errors or []


def answer(
    accept: str | None,
    code: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[Where] | None = None,
    details: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """Return a problem as a response."""
    words, lang = WORDS[code], language(accept)
    body = Problem(
        type=f"/problems/{code}", title=words.ko if lang == "ko" else words.en, status=words.status, code=code,
        errors=errors or [], details=dict(details or {}),
    )  # fmt: skip
    more = {"Content-Language": lang, "Vary": "Accept-Language", "Cache-Control": "no-store", **(headers or {})}
    if words.status == 401:
        more["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body.model_dump(mode="json"), words.status, headers=more, media_type=MEDIA)


def install(app: FastAPI) -> None:  # noqa: C901 - a list of handlers
    """Have an application tell everything that goes wrong as a problem."""

    def lang(request: Request) -> str | None:
        return request.headers.get("accept-language")

    @app.exception_handler(ProblemError)
    def told(request: Request, exc: ProblemError) -> JSONResponse:
        return answer(lang(request), exc.code, headers=exc.headers, errors=exc.errors)

    @app.exception_handler(RefusedError)
    def refused(request: Request, exc: RefusedError) -> JSONResponse:
        return answer(lang(request), exc.code, details=exc.details)

    @app.exception_handler(DeniedError)
    def denied(request: Request, _exc: DeniedError) -> JSONResponse:
        return answer(lang(request), "unauthorized")

    @app.exception_handler(ConflictError)
    def conflict(request: Request, exc: ConflictError) -> JSONResponse:
        return answer(lang(request), "conflict", details={"constraint": exc.constraint})

    @app.exception_handler(BusyError)
    def busy(request: Request, _exc: BusyError) -> JSONResponse:
        return answer(lang(request), "busy", headers={"Retry-After": "2"})

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, exc: RequestValidationError) -> JSONResponse:
        errors = [Where(at=".".join(str(part) for part in e["loc"]), why=str(e["type"])) for e in exc.errors()]
        return answer(lang(request), "invalid", errors=errors)

    @app.exception_handler(HTTPException)
    def of_http(request: Request, exc: HTTPException) -> JSONResponse:
        code = _OF_STATUS.get(exc.status_code, "bad_request" if exc.status_code < 500 else "internal")
        return answer(lang(request), code, headers=exc.headers)

    @app.exception_handler(StatementError)
    def statement(request: Request, exc: StatementError) -> JSONResponse:
        # What no column can hold (a number beyond 64 bits, a zero byte) is the caller's; all else is ours.
        theirs = not isinstance(exc, DBAPIError) or type(exc).__name__ == "DataError"
        if theirs:
            return answer(lang(request), "invalid")
        _log.error("the database has refused a statement: %s", type(exc.orig).__name__)
        return answer(lang(request), "internal")

    @app.exception_handler(Exception)
    def internal(request: Request, exc: Exception) -> JSONResponse:
        _log.error("%s %s", request.method, request.scope.get("path"), exc_info=exc)
        return answer(lang(request), "internal")
