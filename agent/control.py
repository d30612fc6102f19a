"""The running agent's ear for its own commands: a Unix socket in its state folder, readable by its user only.

One JSON object a line each way: `{"verb": "retry", "target": "press-plc", "args": {}}` -> `{"ok": true, ...}` or
`{"error": "..."}`. A verb that takes long (`apply`, `record`) answers in several lines and ends with the
connection; when its client goes away, its generator is closed. Nothing here reaches a device except a read.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from typing import TYPE_CHECKING

import msgspec

from agent.errors import AgentError

if TYPE_CHECKING:
    from pathlib import Path

Answer = Mapping[str, object]
Answers = Answer | bytes | Awaitable[Answer | bytes] | AsyncIterator[Answer]
"""One object, the same encoded, either of them later, or several objects one after another."""
Handler = Callable[[str, Mapping[str, object]], Answers]
"""(target, named arguments) -> what is answered. A `KeyError` says that there is no such target, a `ValueError`
what is wrong with the arguments."""

SOCKET = "control.sock"
LINE_LIMIT = 4 * 1024 * 1024  # a request may carry a configuration file
ANSWER_LIMIT = 64 * 1024 * 1024
PATIENCE_S = 5.0
CLIENTS = 32  # at a time; files that are open belong to the collectors


class NotRunning(AgentError):  # noqa: N818 - reads as what happened
    """No agent listens in that state folder."""


@contextlib.asynccontextmanager
async def listening(folder: Path, handlers: Mapping[str, Handler]) -> AsyncIterator[None]:
    """Answer the verbs of `handlers` while the block runs."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            if len(tasks) > CLIENTS:
                await _send(writer, {"error": f"{CLIENTS} others are asking now, try again"})
                return
            async with asyncio.timeout(PATIENCE_S):
                line = await reader.readline()
            await _serve(line, handlers, reader, writer)
        except (TimeoutError, ValueError, OSError):
            pass  # a client that sends nothing, too much, or goes away is its own business
        except asyncio.CancelledError:
            pass  # below; asyncio would log it as a fault
        finally:
            tasks.discard(task)
            writer.close()

    path = folder / SOCKET
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(serve, path, limit=LINE_LIMIT)
    path.chmod(0o600)
    try:
        yield
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        path.unlink(missing_ok=True)


async def _serve(
    line: bytes, handlers: Mapping[str, Handler], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Answer one request; end early when the client has gone."""
    work = asyncio.ensure_future(_answer(line, handlers, writer))
    gone = asyncio.ensure_future(reader.read(1))  # a client sends nothing more: this ends when it closes
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not work.done():
            work.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)
    if not work.cancelled():
        work.result()


async def _answer(line: bytes, handlers: Mapping[str, Handler], writer: asyncio.StreamWriter) -> None:
    try:
        request = json.loads(line)
        verb, target, args = request["verb"], request.get("target", ""), request.get("args", {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        await _send(writer, {"error": "not a request"})
        return
    if (
        not isinstance(verb, str)
        or verb not in handlers
        or not isinstance(target, str)
        or not isinstance(args, dict)
    ):
        await _send(writer, {"error": f"unknown verb {verb!r}"})
        return
    try:
        answer = handlers[verb](target, args)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, AsyncIterator):
            async with contextlib.aclosing(answer) as several:  # type: ignore[type-var]
                async for one in several:
                    await _send(writer, one)
        else:
            assert isinstance(answer, Mapping | bytes)
            await _send(writer, answer)
    except KeyError:
        await _send(writer, {"error": f"there is no {target!r} here"})
    except ValueError as exc:
        await _send(writer, {"error": str(exc)})


async def _send(writer: asyncio.StreamWriter, answer: Answer | bytes) -> None:
    raw = answer if isinstance(answer, bytes) else json.dumps(answer, ensure_ascii=False).encode()
    writer.write(raw + b"\n")
    async with asyncio.timeout(PATIENCE_S):
        await writer.drain()


def ask(
    folder: Path,
    verb: str,
    target: str = "",
    args: Mapping[str, object] | None = None,
    seconds: float = PATIENCE_S,
) -> Answer:
    """Ask the agent that runs in `folder`; return its answer.

    Raises:
        NotRunning: nobody listens there, or it does not answer within `seconds`.
    """
    for answer in stream(folder, verb, target, args, seconds):
        return answer
    raise NotRunning(f"the agent at {folder / SOCKET} gave no answer")


def stream(
    folder: Path, verb: str, target: str = "", args: Mapping[str, object] | None = None, seconds: float = PATIENCE_S
) -> Generator[Answer]:
    """Ask the agent that runs in `folder`; yield its answers as they come, and tell it when nobody wants more.

    Args:
        folder: Its state folder.
        verb: What it shall do.
        target: With what, such as the id of a device.
        args: The verb's own arguments.
        seconds: Longest wait for the next answer.

    Raises:
        NotRunning: nobody listens there, or it does not answer in time.
    """
    path = folder / SOCKET
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(min(seconds, PATIENCE_S))
        try:
            link.connect(str(path))
            link.sendall(json.dumps({"verb": verb, "target": target, "args": args or {}}).encode() + b"\n")
            link.settimeout(seconds)
            with link.makefile("rb") as lines:
                while line := lines.readline(ANSWER_LIMIT):
                    yield msgspec.json.decode(line, type=dict[str, object])
        except OSError as exc:
            raise NotRunning(f"no agent answers at {path}: {exc}") from exc
        except msgspec.DecodeError as exc:
            raise NotRunning(f"the agent at {path} gave no answer") from exc
