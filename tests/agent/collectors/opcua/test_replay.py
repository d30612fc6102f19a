"""What the tap hands over of a real, encrypted connection, and what the real collector makes of it later."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua import replay
from agent.collectors.opcua.collector import OpcUaCollector
from agent.frame import Status
from tests.agent.collectors.opcua.support import Seen, device, run, signals, trust_all
from tests.peers.opcua import Plant, opcua_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "right-and-long-enough-to-be-found"
GROUPS: tuple[dict[str, Any], ...] = (
    {"id": "sub", "signals": signals(counter="uint32", float="float32", nowhere="bool")},
    {"id": "poll", "mode": "poll", "signals": [{"id": "s", "type": "string", "node": "ns=1;s=string"}]},
)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server with encryption and a user."""
    with opcua_server(
        tmp_path_factory.mktemp("vault"),
        users={"op": SECRET},
        policies=["Basic256Sha256"],
        modes=["SignAndEncrypt"],
    ) as server:
        yield server


def test_a_recording_of_an_encrypted_connection_plays_to_the_same_rows_and_holds_no_secret(
    vault: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPCUA_PASSWORD", SECRET)
    frames: list[tuple[str, bytes]] = []
    config = device(
        vault.endpoint, *GROUPS, security="SignAndEncrypt", login={"user": "op", "password": "env:OPCUA_PASSWORD"}
    )
    told = list(range(1, 8))

    def tap(device: str, direction: str, data: bytes) -> None:
        assert device == "cnc"
        frames.append((direction, data))

    async def record() -> Seen:
        box = Box(SystemClock(trusted=True), pki=str(tmp_path / "pki"))
        reader = OpcUaCollector(config, box)
        with pytest.raises(Exception, match="pki trust"):
            async with reader.connect():
                pass
        trust_all(tmp_path / "pki")
        box.tap = tap
        seen = Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: bool(seen.rows("counter") and seen.rows("s")))
            for value in told:
                vault.tell("set", node="counter", value=value)
                await seen.until(read, lambda: value in seen.values("counter"))  # noqa: B023 - awaited here
        return seen

    async def play() -> Seen:
        found = replay.Recorded.of(frames)
        reader = replay.collector(config, Box(SystemClock(trusted=True)), found)
        seen = Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: seen.values("counter")[-1:] == [told[-1]] and bool(seen.rows("s")))
            await seen.until(read, found.exhausted.is_set)
        return seen

    async def main() -> None:
        real, played = await record(), await play()
        assert real.values("counter")[-len(told) :] == told
        for name in ("counter", "float", "nowhere"):
            assert played.rows(name) == real.rows(name), name
        assert played.rows("nowhere")[0] == (None, Status.BAD_NODE_ID_UNKNOWN)
        assert set(played.values("s")) == {"한일정밀"}
        assert played.facts[0].body["server"] == real.facts[0].body["server"]

    run(main())
    everything = b"".join(data for _, data in frames)
    assert SECRET.encode() not in everything
    assert "한일정밀".encode() in everything  # it is the plain text that was recorded


def test_rubbish_is_an_error_and_half_a_recording_is_none() -> None:
    with pytest.raises(ValueError, match="too short"):
        replay.Recorded.of([("sent", b"x")])
    for answer in (b"\0", b"\1\0\1\0", b"\1\0\x3d\x03rubbish"):
        with pytest.raises(ValueError, match=r"."):
            replay.Recorded.of([("sent", b"\0\0\0\1" + b"\1\0\x3a\x03"), ("received", b"\0\0\0\1" + answer)])
    assert (
        replay.Recorded.of([("note", b"hello"), ("received", b"\0\0\0\7answer to nothing")]).publications == deque()
    )
