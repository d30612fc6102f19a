"""The running agent's ear for its own commands: a Unix socket in its state folder, readable by its user only.

One JSON object a line each way: `{"verb": "retry", "target": "press-plc"}` -> `{"ok": true, ...}` or
`{"error": "..."}`. Nothing here reaches a device except a read that is tried earlier.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import TYPE_CHECKING

from agent.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    Answer = Mapping[str, object]
    Handler = Callable[[str], Answer]

SOCKET = "control.sock"
LINE_LIMIT = 64 * 1024
ANSWER_LIMIT = 16 * 1024 * 1024


class NotRunning(AgentError):  # noqa: N818 - reads as what happened
    """No agent listens in that state folder."""


@contextlib.asynccontextmanager
async def listening(folder: Path, handlers: Mapping[str, Handler]) -> AsyncIterator[None]:
    """Answer the verbs of `handlers` while the block runs; each gets the request's `target`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                answer = _answer(await reader.readline(), handlers)
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, ValueError, OSError):
            pass  # a client that sends nothing, too much, or goes away is its own business
        finally:
            writer.close()

    path = folder / SOCKET
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(serve, path, limit=LINE_LIMIT)
    path.chmod(0o600)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


def _answer(line: bytes, handlers: Mapping[str, Handler]) -> Answer:
    try:
        request = json.loads(line)
        verb, target = request["verb"], request.get("target", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {"error": "not a request"}
    if verb not in handlers or not isinstance(target, str):
        return {"error": f"unknown verb {verb!r}"}
    try:
        return handlers[verb](target)
    except KeyError:
        return {"error": f"there is no {target!r} here"}


def ask(folder: Path, verb: str, target: str = "") -> Mapping[str, object]:
    """Ask the agent that runs in `folder`; return its answer.

    Raises:
        NotRunning: nobody listens there, or it does not answer within 5 s.
    """
    path = folder / SOCKET
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(5)
        try:
            link.connect(str(path))
            link.sendall(json.dumps({"verb": verb, "target": target}).encode() + b"\n")
            raw = b""
            while chunk := link.recv(65536):
                raw += chunk
                if len(raw) > ANSWER_LIMIT:
                    break
        except OSError as exc:
            raise NotRunning(f"no agent answers at {path}: {exc}") from exc
    try:
        answer = json.loads(raw)
    except ValueError as exc:
        raise NotRunning(f"the agent at {path} gave no answer") from exc
    if not isinstance(answer, dict):
        raise NotRunning(f"the agent at {path} gave no answer")
    return answer
