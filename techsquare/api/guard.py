"""Around the whole application: limits by address, size of a body, headers of every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from techsquare.api.problems import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from techsquare.api.limits import Limiter

FREE = {"/health", "/ready"}
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class _TooLargeError(HTTPException):
    """It passes FastAPI's reading of bodies as it is, because that lets its own kind of errors through."""

    def __init__(self) -> None:
        super().__init__(413)


class Guard:
    """An ASGI middleware; it counts a body as it comes, so that a lie about its length does not help.

    Args:
        app: What is behind it.
        addresses: Limits requests by address; None: no limit.
        most: Bytes of a body.
        wider: Beginning of a path -> bytes of a body there.
    """

    def __init__(self, app: ASGIApp, addresses: Limiter, most: int, wider: Mapping[str, int] | None = None) -> None:
        self._app, self._addresses, self._most, self._wider = app, addresses, most, wider or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: C901 - told in one piece
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        accept = headers.get(b"accept-language", b"").decode("latin-1")
        started, read = False, 0
        path = scope["path"]
        most = next((n for begin, n in self._wider.items() if path.startswith(begin)), self._most)

        async def out(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        async def into() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > most:
                    raise _TooLargeError
            return message

        if path not in FREE:
            client = scope.get("client")
            wait = self._addresses.take(client[0] if client else "")
            if wait:
                await answer(accept, "too_many", headers={"Retry-After": str(wait)})(scope, receive, out)
                return
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > most:
            await answer(accept, "too_large", headers={"Connection": "close"})(scope, receive, out)
            return
        try:
            await self._app(scope, into, out)
        except _TooLargeError:
            if started:
                raise
            await answer(accept, "too_large", headers={"Connection": "close"})(scope, receive, out)
