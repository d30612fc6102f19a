"""The control socket, over a real socket."""

from __future__ import annotations

import asyncio
import socket
import stat
from typing import TYPE_CHECKING

import pytest

from agent.control import SOCKET, NotRunning, ask, listening

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def _retry(target: str) -> Mapping[str, object]:
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
