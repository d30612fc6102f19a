"""The control socket, over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import stat
from typing import TYPE_CHECKING

import pytest

from agent.control import CLIENTS, SOCKET, NotRunning, ask, listening, stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path


def _retry(target: str, _args: Mapping[str, object]) -> Mapping[str, object]:
    if target != "press-plc":
        raise KeyError(target)
    return {"ok": True, "device": target}


def test_a_verb_is_answered_and_an_unknown_target_or_verb_is_named(tmp_path: Path) -> None:
    async def main() -> list[Mapping[str, object]]:
        async with listening(tmp_path, {"retry": _retry}):
            assert stat.S_IMODE((tmp_path / SOCKET).stat().st_mode) == 0o600
            calls = [("retry", "press-plc"), ("retry", "prss"), ("write", "x")]
            return [await asyncio.to_thread(ask, tmp_path, *call) for call in calls]

    assert asyncio.run(main()) == [
        {"ok": True, "device": "press-plc"},
        {"error": "there is no 'prss' here"},
        {"error": "unknown verb 'write'"},
    ]
    assert not (tmp_path / SOCKET).exists()


@pytest.mark.parametrize(
    "raw", [b"\n", b"[]\n", b"{}\n", b'{"verb": 3}\n', b"\xff\xfe\n", b"[" * 60000 + b"\n", b"x" * 200000 + b"\n"]
)
def test_nonsense_on_the_socket_harms_nobody(tmp_path: Path, raw: bytes) -> None:
    def send() -> bytes:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(tmp_path / SOCKET))
            try:
                link.sendall(raw)
                return link.recv(1000)
            except OSError:
                return b""

    async def main() -> Mapping[str, object]:
        async with listening(tmp_path, {"retry": _retry}):
            await asyncio.to_thread(send)
            return await asyncio.to_thread(ask, tmp_path, "retry", "press-plc")

    assert asyncio.run(main())["ok"] is True


def test_no_agent_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="no agent answers"):
        ask(tmp_path, "status")


def test_a_verb_may_take_arguments_and_time(tmp_path: Path) -> None:
    async def later(target: str, args: Mapping[str, object]) -> bytes:
        await asyncio.sleep(0)
        if args["n"] == 0:
            raise ValueError("n is 0")
        return f'{{"got": "{target}", "n": {args["n"]}}}'.encode()

    async def main() -> list[Mapping[str, object]]:
        async def slow(target: str, args: Mapping[str, object]) -> bytes:
            return await later(target, args)

        async with listening(tmp_path, {"later": slow}):
            return [await asyncio.to_thread(ask, tmp_path, "later", "x", {"n": n}) for n in (1, 0)]

    assert asyncio.run(main()) == [{"got": "x", "n": 1}, {"error": "n is 0"}]


def test_several_answers_come_one_by_one_and_end_when_nobody_listens(tmp_path: Path) -> None:
    closed = asyncio.Event()

    async def count(_target: str, _args: Mapping[str, object]) -> AsyncIterator[Mapping[str, object]]:
        try:
            for n in range(10**9):
                yield {"n": n}
                await asyncio.sleep(0.001)
        finally:
            closed.set()

    def some() -> list[Mapping[str, object]]:
        answers = stream(tmp_path, "count")
        found = list(itertools.islice(answers, 3))
        answers.close()
        return found

    async def main() -> list[Mapping[str, object]]:
        async with listening(tmp_path, {"count": count}):
            found = await asyncio.to_thread(some)
            await asyncio.wait_for(closed.wait(), 30)
            return found

    assert asyncio.run(main()) == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_an_agent_that_stops_does_not_wait_for_a_long_answer(tmp_path: Path) -> None:
    async def never(_target: str, _args: Mapping[str, object]) -> AsyncIterator[Mapping[str, object]]:
        yield {"n": 0}
        await asyncio.Event().wait()

    async def main() -> list[Mapping[str, object]]:
        async with listening(tmp_path, {"never": never}):
            answers = stream(tmp_path, "never", seconds=30)
            first = await asyncio.to_thread(next, answers)
            rest = asyncio.ensure_future(asyncio.to_thread(list, answers))
            await asyncio.sleep(0)
        return [first, *await rest]

    assert asyncio.run(asyncio.wait_for(main(), 20)) == [{"n": 0}]


def test_more_clients_than_there_is_room_for_are_told_so_and_harm_nobody(tmp_path: Path) -> None:
    def crowd() -> bytes:
        with contextlib.ExitStack() as stack:
            for _ in range(CLIENTS):
                link = stack.enter_context(socket.socket(socket.AF_UNIX))
                link.connect(str(tmp_path / SOCKET))
            late = stack.enter_context(socket.socket(socket.AF_UNIX))
            late.settimeout(10)
            late.connect(str(tmp_path / SOCKET))
            return late.recv(1000)

    async def main() -> tuple[bytes, Mapping[str, object]]:
        async with listening(tmp_path, {"retry": _retry}):
            told = await asyncio.to_thread(crowd)
            for _ in range(100):
                answer = await asyncio.to_thread(ask, tmp_path, "retry", "press-plc")
                if "error" not in answer:
                    break
            return told, answer

    told, answer = asyncio.run(main())
    assert b"others are asking" in told
    assert answer == {"ok": True, "device": "press-plc"}
