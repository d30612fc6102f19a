"""Connecting, being refused, losing the server, leaving it: against real servers and real signals."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from asyncua import ua

from agent.clock import SystemClock
from agent.collectors.base import Box
from agent.collectors.opcua.connection import Connection
from agent.collectors.opcua.group import Group
from agent.collectors.opcua.limits import Limits
from agent.collectors.opcua.services import VALUE
from agent.errors import Refused, Unreachable
from agent.frame import Quality, Status
from tests.agent.collectors.opcua.support import Seen, collector, device, run, signals, trust_all, trusted
from tests.peers.opcua import Plant, opcua_server
from tests.support.processes import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from agent.collectors.opcua.collector import OpcUaCollector

ONE = {"id": "g", "signals": signals(bool="bool")}


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A login that the servers know."""
    monkeypatch.setenv("OPCUA_PASSWORD", "right")
    return {"user": "op", "password": "env:OPCUA_PASSWORD"}


@pytest.fixture
def plain(login: dict[str, Any]) -> dict[str, Any]:
    """The same where the password may travel in the clear."""
    return {**login, "plain_password": True}


async def refusal(reader: OpcUaCollector) -> str:
    """Connect and return the text of the refusal that this must end in."""
    with pytest.raises(Refused) as caught:
        async with reader.connect():
            pass
    return str(caught.value)


def test_a_killed_server_is_told_at_once_and_gives_data_again_when_it_is_back(mortal_plant: Plant) -> None:
    async def main(plant: Plant) -> None:
        reader = collector(plant.endpoint, {"id": "g", "signals": signals(bool="bool", int32="int32")})
        seen = Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
            plant.kill()
            began = time.monotonic()
            with pytest.raises(Unreachable, match=r"cnc \(opc\.tcp://.*check that the server runs"):
                await seen.until(read, lambda: False)
            assert time.monotonic() - began < 3
        with pytest.raises(Unreachable):
            async with reader.connect():
                pass
        (frame,) = reader.failed(SystemClock().now(), Status.BAD_NO_COMMUNICATION)
        assert set(frame.quality) == {Quality.BAD}
        await asyncio.to_thread(plant.start)
        again = Seen()
        async with reader.connect() as read:
            await again.until(read, lambda: bool(again.frames))
        assert again.values("int32") == [-(2**31)]
        # one row store for the life of the collector: times go on increasing over the outage
        assert seen.frames[-1].time_ns[-1] < frame.time_ns[0] < again.frames[0].time_ns[0]

    run(main(mortal_plant))


@pytest.mark.parametrize("mode", ["subscription", "poll"])
def test_a_server_that_stops_answering_is_told_within_seconds(mortal_plant: Plant, mode: str) -> None:
    async def main(plant: Plant) -> None:
        group = {"id": "g", "mode": mode, "every": "500ms", "signals": signals(bool="bool")}
        reader = collector(plant.endpoint, group, timeout="1s")
        seen = Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
            plant.send(signal.SIGSTOP)
            began = time.monotonic()
            with pytest.raises(Unreachable, match="no answer within 1 s"):
                await seen.until(read, lambda: False)
            assert time.monotonic() - began < 2 + 1 + 1  # heartbeat, timeout, and patience
            began = time.monotonic()
        assert time.monotonic() - began < 2.5  # leaving it does not wait for it either
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"no answer within 1\.5 s"):
            async with reader.connect():
                pass
        assert time.monotonic() - began < 4
        plant.send(signal.SIGCONT)
        async with reader.connect() as read:
            await seen.until(read, lambda: len(seen.frames) > 1)

    run(main(mortal_plant))


def test_nobody_at_the_port_is_unreachable() -> None:
    async def main() -> None:
        with pytest.raises(Unreachable, match="check that the server runs, its address and port"):
            async with collector(f"opc.tcp://127.0.0.1:{free_port()}/plant", ONE).connect():
                pass

    run(main())


def test_a_login_is_encrypted_where_the_server_can_and_said_to_be_plain_where_it_cannot(
    plant: Plant, strict_plant: Plant, login: dict[str, str], tmp_path: Path
) -> None:
    async def main() -> None:
        for server, password in ((plant, "encrypted"), (strict_plant, "plain")):
            seen = Seen()
            more = {**login, "plain_password": password == "plain"}
            reader = await trusted(collector(server.endpoint, ONE, login=more, pki=tmp_path), tmp_path)
            async with reader.connect() as read:
                await seen.until(read, lambda: True in seen.values("bool"))  # noqa: B023 - awaited here
            body = seen.facts[0].body
            assert (body["token"], body["password"]) == ("user", password)
        text = await refusal(collector(strict_plant.endpoint, ONE, login=login))
        assert "only in the clear" in text
        assert "plain_password: true" in text

    run(main())


def test_a_refused_login_says_what_to_check_and_a_mended_one_connects(
    plant: Plant, login: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        reader = await trusted(collector(plant.endpoint, ONE, login=login, pki=tmp_path), tmp_path)
        monkeypatch.setenv("OPCUA_PASSWORD", "wrong")
        text = await refusal(reader)
        assert "log in" in text
        assert "check what stands under login" in text
        assert "wrong" not in text
        assert plant.tell("sessions")["sessions"] == 0
        monkeypatch.delenv("OPCUA_PASSWORD")
        assert "env:OPCUA_PASSWORD: the environment variable is not set" in await refusal(reader)
        monkeypatch.setenv("OPCUA_PASSWORD", "right")
        seen = Seen()
        async with reader.connect() as read:
            await seen.until(read, lambda: bool(seen.frames))

    run(main())


def test_anonymous_is_refused_with_a_reason_where_only_users_may(strict_plant: Plant) -> None:
    async def main() -> None:
        text = await refusal(collector(strict_plant.endpoint, ONE))
        assert "takes no Anonymous login, only UserName: write a login" in text

    run(main())


def test_a_server_without_security_none_is_refused(tmp_path: Path) -> None:
    async def main(plant: Plant) -> None:
        text = await refusal(collector(plant.endpoint, ONE))
        assert "offers SignAndEncrypt/Basic256Sha256: write security: SignAndEncrypt" in text

    with opcua_server(tmp_path, policies=["Basic256Sha256"], modes=["SignAndEncrypt"]) as plant:
        run(main(plant))


def test_no_session_left_is_refused_and_the_server_left_alone_until_somebody_retries(
    strict_plant: Plant, plain: dict[str, Any]
) -> None:
    async def main() -> None:
        reader = collector(strict_plant.endpoint, ONE, login=plain)
        async with contextlib.AsyncExitStack() as others:
            for _ in range(3):
                await others.enter_async_context(collector(strict_plant.endpoint, ONE, login=plain).connect())
            assert "close another client" in await refusal(reader)
        rejected = strict_plant.tell("sessions")["rejected"]
        assert "close another client" in await refusal(reader)  # its sessions may live for a minute yet
        assert strict_plant.tell("sessions")["rejected"] == rejected
        reader.retry()
        async with reader.connect():
            pass

    run(main())


def test_requests_are_cut_to_what_the_server_states(strict_plant: Plant, plain: dict[str, Any]) -> None:
    many = [{"id": f"s{i}", "type": "uint32", "node": f"ns=1;s=seq-{i}"} for i in range(30)]

    async def main() -> None:
        seen = Seen()
        groups: tuple[dict[str, Any], ...] = (
            {"id": "a", "signals": many},
            {"id": "b", "mode": "poll", "signals": many},
        )
        async with collector(strict_plant.endpoint, *groups, login=plain).connect() as read:
            await seen.until(read, lambda: all(len(seen.values(signal["id"])) >= 2 for signal in many))
        (polled,) = [f for f in seen.frames if f.source.id == "cnc.b"][:1]
        assert len(polled.round_trips) == 5  # 7 + 7 + 7 + 7 + 2
        assert (seen.facts[0].body["per_read"], seen.facts[0].body["per_monitor"]) == (7, 5)

    run(main())


def test_cancelled_anywhere_it_closes_its_session(plant: Plant) -> None:
    async def main() -> None:
        reader = collector(plant.endpoint, ONE)

        async def work() -> None:
            async with reader.connect() as read:
                while True:
                    await read()

        ours = asyncio.all_tasks()
        before = plant.tell("sessions")["sessions"]
        began = time.monotonic()
        async with reader.connect() as read:
            await read()
        whole = time.monotonic() - began
        for step in range(12):
            task = asyncio.create_task(work())
            await asyncio.wait({task}, timeout=whole * step / 9)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert asyncio.all_tasks() == ours
        assert plant.tell("sessions")["sessions"] == before

    run(main())


@pytest.mark.parametrize("security", ["None", "SignAndEncrypt"])
def test_the_channel_is_renewed_and_data_goes_on(
    plant: Plant, security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.collectors.opcua.transport.CHANNEL_MS", 2000)

    async def main() -> None:
        config = device(
            plant.endpoint, {"id": "g", "mode": "poll", "signals": signals(bool="bool")}, security=security
        )
        box = Box(SystemClock(trusted=True), pki=str(tmp_path / "pki"))
        connection = Connection(config, box, Limits())
        node = ua.NodeId(ua.String("bool"), ua.Int16(1))
        try:
            with contextlib.suppress(Refused):
                await connection.open()
            trust_all(tmp_path / "pki")
            await connection.open()
            assert 0 < connection.renew_at_ns - SystemClock().monotonic() < 3e9  # what the server made of it
            for _ in range(3):
                await connection.renew()
                (answer,) = await connection.read([(node, VALUE)])
                assert answer.values[0].value is True
        finally:
            await connection.close()

    run(main())


def test_it_connects_from_the_configured_address(plant: Plant) -> None:
    async def main() -> None:
        seen = Seen()
        async with collector(plant.endpoint, ONE, source_address="127.0.0.2").connect() as read:
            await seen.until(read, lambda: bool(seen.frames))
        with pytest.raises(Unreachable, match="connect"):
            async with collector(plant.endpoint, ONE, source_address="192.0.2.1").connect():
                pass

    run(main())


def test_a_poll_keeps_its_grid_and_skips_and_counts_late_slots() -> None:
    config = device("opc.tcp://127.0.0.1:1", {"mode": "poll", "every": "1s", "signals": signals(bool="bool")})
    group = Group(config.groups[0], config.sources()[0])
    group.begin((), 500)
    group.tick(500)
    assert (group.next_ns, group.late) == (500 + 10**9, 0)
    group.tick(500 + 10**9 + 7)
    assert (group.next_ns, group.late) == (500 + 2 * 10**9, 0)
    group.tick(500 + 4 * 10**9 + 1)
    assert (group.next_ns, group.late) == (500 + 5 * 10**9, 2)
