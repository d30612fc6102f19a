"""Complaints 16 to 19: OPC UA connections that die unnoticed, sessions that leak, certificates nobody can mend."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.cli import main as tsq_agent
from agent.clock import SystemClock
from agent.collectors.opcua.pki import Pki
from agent.errors import Refused
from agent.frame import Event, Facts, FrameBlock, Quality
from agent.health import Health
from agent.supervise import Supervisor
from tests.agent.collectors.opcua.support import collector, run, signals
from tests.peers.opcua import Plant, opcua_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from agent.collectors.opcua.collector import OpcUaCollector
    from agent.frame import Item

ROOT = Path(__file__).parents[2]
GROUP: dict[str, Any] = {"id": "g", "every": "100ms", "signals": signals(counter="uint32", bool="bool")}
SESSION_MS = 60_000


class Watched:
    """A collector under its supervisor; nobody helps it."""

    def __init__(self, reader: OpcUaCollector) -> None:
        self.items: list[Item] = []
        self.changed = asyncio.Event()
        self.health = Health()
        self.supervisor = Supervisor(reader, self, self.health, SystemClock(trusted=True))

    def put(self, item: Item) -> None:
        self.items.append(item)
        self.changed.set()

    def rows(self, name: str) -> list[tuple[Any, Quality]]:
        return [
            (value, Quality(quality))
            for frame in self.items
            if isinstance(frame, FrameBlock)
            for index, value, quality in zip(frame.signal, frame.value, frame.quality, strict=True)
            if frame.source.signals[index].id == name
        ]

    def state(self) -> str:
        device = self.health.devices.get("cnc")
        return "" if device is None else device.state

    def text(self) -> str:
        device = self.health.devices.get("cnc")
        return "" if device is None else device.text.en

    def facts(self) -> list[Facts]:
        return [item for item in self.items if isinstance(item, Facts) and item.kind == "connection"]

    def gaps(self) -> list[Event]:
        gaps = [item for item in self.items if isinstance(item, Event) and item.kind == "gap"]
        return [gap for gap in gaps if gap.body["cause"] == "link_down"]

    async def until(self, enough: Callable[[], bool], seconds: float = 40) -> None:
        async with asyncio.timeout(seconds):
            while not enough():
                self.changed.clear()
                await self.changed.wait()

    async def shows(self, plant: Plant, value: int) -> None:
        """Set a value at the server and wait for it."""
        plant.tell("set", node="counter", value=value)
        await self.until(lambda: (value, Quality.GOOD) in self.rows("counter"))


@contextlib.asynccontextmanager
async def watched(reader: OpcUaCollector) -> AsyncIterator[Watched]:
    seen = Watched(reader)
    task = asyncio.create_task(seen.supervisor.run())
    try:
        yield seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server that tests may kill; they leave it running."""
    with opcua_server(tmp_path_factory.mktemp("plant"), maxSessions=2) as server:
        yield server


def test_complaint_16_a_subscription_that_dies_while_its_socket_lives_is_made_anew(plant: Plant) -> None:
    async def main() -> None:
        async with watched(collector(plant.endpoint, GROUP)) as seen:
            await seen.shows(plant, 1)
            assert plant.tell("mute")["count"] == 1
            await seen.shows(plant, 2)
            assert plant.tell("drop_subscriptions")["count"] == 1
            await seen.shows(plant, 3)
            assert len({gap.body["gap_id"] for gap in seen.gaps()}) == 2  # no silence without a record
            assert plant.tell("sessions")["subscriptions"] == 1  # and nothing is left behind

    run(main(), 90)


def test_complaint_17_it_comes_back_by_itself_whatever_stood_at_the_port_meanwhile(plant: Plant) -> None:
    async def main() -> None:
        async with watched(collector(plant.endpoint, GROUP, timeout="1s")) as seen:
            for value, meanwhile in enumerate((b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"ACKF\xff\xff\xff\x7f")):
                await seen.shows(plant, 100 + value)
                await asyncio.to_thread(plant.kill)
                await seen.until(lambda: seen.rows("counter")[-1][1] == Quality.BAD)
                with stranger(plant.opcua_port, meanwhile):
                    failures = len(seen.rows("counter"))
                    await seen.until(lambda: len(seen.rows("counter")) > failures)  # noqa: B023 - awaited here
                await asyncio.to_thread(plant.start)
            await seen.shows(plant, 200)
            assert seen.state() == "up"

    run(main(), 120)


@contextlib.contextmanager
def stranger(port: int, says: bytes) -> Iterator[None]:
    """Something else answers at a port: it says so much and closes, or nothing and keeps the line."""
    done = threading.Event()
    lines: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(0.1)

        def serve() -> None:
            while not done.is_set():
                with contextlib.suppress(TimeoutError):
                    line, _ = server.accept()
                    lines.append(line)
                    if says:
                        line.sendall(says)
                        line.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            for line in lines:
                line.close()


CLIENT = """
import asyncio, sys
from tests.agent.collectors.opcua.support import collector, signals
async def main():
    async with collector(sys.argv[1], {"signals": signals(bool="bool")}).connect() as read:
        await read()
        print("open", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""


def client(endpoint: str) -> subprocess.Popen[bytes]:
    """Start a client of its own process."""
    return subprocess.Popen([sys.executable, "-c", CLIENT, endpoint], cwd=ROOT, stdout=subprocess.PIPE)


def test_complaint_18_sessions_do_not_leak_and_a_full_server_is_left_alone(plant: Plant) -> None:
    async def main() -> None:
        async with watched(collector(plant.endpoint, GROUP)) as seen:
            await seen.shows(plant, 300)
            (fact,) = seen.facts()
            assert 0 < fact.body["session_timeout_ms"] <= SESSION_MS  # type: ignore[operator]
        assert plant.tell("sessions")["sessions"] == 0  # closed, not left to time out
        # others die without closing theirs
        for _ in range(2):
            other = client(plant.endpoint)
            assert other.stdout is not None
            assert await asyncio.to_thread(other.stdout.readline) == b"open\n"
            other.send_signal(signal.SIGKILL)
            other.communicate(timeout=10)
        reader = collector(plant.endpoint, GROUP)
        async with watched(reader) as seen:
            await seen.until(lambda: seen.state() == "refused")
            text = seen.text()
            assert "no session left" in text
            assert "close another client" in text
            rejected = plant.tell("sessions")["rejected"]
            with pytest.raises(Refused):  # asked sooner than the others' sessions can have ended, it asks nobody
                async with reader.connect():
                    pass
            assert plant.tell("sessions")["rejected"] == rejected
            plant.tell("end_sessions")
            seen.supervisor.retry()
            await seen.shows(plant, 301)

    run(main(), 90)


def test_complaint_19_the_refusal_names_the_command_that_trusts_a_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And each side's ApplicationUri is checked, with words that name the mend."""
    file = tmp_path / "agent.yaml"
    file.write_text(
        "version: 1\nfactory: hanil\nagent: line-1\nname: 한일정밀\ntime: {zone: Asia/Seoul}\nmachines: [{id: m}]\n"
        f"storage: {{directory: {tmp_path}/state}}\nuplink: {{site: {{host: 127.0.0.1}}}}\n",
        "utf-8",
    )
    folder = tmp_path / "state" / "pki"
    secure: dict[str, Any] = {"security": "SignAndEncrypt", "pki": folder}
    offers = {"policies": ["Basic256Sha256"], "modes": ["SignAndEncrypt"], "strict": True}

    async def trust_each_other(plant: Plant) -> None:
        reader = collector(plant.endpoint, GROUP, **secure)
        async with watched(reader) as seen:
            await seen.until(lambda: seen.state() == "refused")
            text = seen.text()
            words = text[text.index("tsq-agent pki trust") :].split()[1:4]
            assert tsq_agent([*words, "--config", str(file)]) == 0
            assert "CN=plant" in capsys.readouterr().out
            seen.supervisor.retry()
            await seen.until(lambda: "our certificate" in seen.text())
            assert "tsq-agent pki own" in seen.text()
            ours = tmp_path / "agent.der"
            capsys.readouterr()
            assert tsq_agent(["pki", "own", "--out", str(ours), "--config", str(file)]) == 0
            plant.tell("trust", certificate=base64.b64encode(ours.read_bytes()).decode())
            seen.supervisor.retry()
            await seen.shows(plant, 1)

    async def renamed(plant: Plant) -> None:
        with pytest.raises(Refused) as caught:
            async with collector(plant.endpoint, GROUP, **secure).connect():
                pass
        for text in (caught.value.text.en, caught.value.text.ko):
            assert "urn:test:plant" in text
            assert "urn:renamed:plant" in text
        assert "make a new certificate in the server, or set its ApplicationUri" in caught.value.text.en

    plant_folder = tmp_path / "plant"
    with opcua_server(plant_folder, **offers) as plant:
        run(trust_each_other(plant), 60)
        plant.kill()  # its goodbye takes ten seconds
    with opcua_server(plant_folder, applicationUri="urn:renamed:plant", **offers) as plant:
        run(renamed(plant))
        plant.kill()
    assert [entry.state for entry in Pki(folder).entries("trusted")] == ["trusted"]
