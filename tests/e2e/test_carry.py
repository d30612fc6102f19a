"""A factory without a line: what its agent reads goes to the database on a stick, each value once, and is freed.

Real agent, gateway command, Modbus server; the broker is never started until the last test wants the data twice.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from contract import carry
from gateway.deadletter import read as dead_letters
from gateway.stores.embedded import EmbeddedStore
from tests.e2e.rig import Rig, tool, until
from tests.peers.modbus import read_log
from tests.peers.modbus import server as modbus_server
from tests.support.processes import running as child_running
from transport.stick import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = 20
FOREVER = 2**63 - 1


class Factory:
    """An agent with a stick beside it, and the gateway far away."""

    def __init__(self, folder: Path, port: int, log: Path) -> None:
        words = [{"id": f"w{a}", "address": f"holding:{a}", "type": "uint16"} for a in range(WORDS)]
        device = {
            "id": "plc", "type": "modbus", "machine": "press", "host": "127.0.0.1", "port": port,
            "groups": [{"id": "main", "every": "200ms", "signals": words}],
        }  # fmt: skip
        self.rig = Rig(folder, devices=[device], machines=[{"id": "press"}])
        self.folder = folder
        self.log = log
        self.stick = folder / "usb"
        self.stick.mkdir()

    def run(
        self, name: str, *words: str | Path, language: str = "en", room: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the two commands with the stick, on which a file takes at most `room` bytes."""
        config = self.folder / ("agent.yaml" if name == "tsq-agent" else "gateway.yaml")
        command: list[str | Path] = [tool(name), "--lang", language, "carry", *words, "--config", config]
        if room is not None:
            command = ["prlimit", f"--fsize={room}", *command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def good(self, name: str, *words: str | Path) -> str:
        """Run a command that must succeed; return what it says."""
        done = self.run(name, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def entries(self) -> int:
        """Return how many entries wait in the spool."""
        count: int = self.rig.status()["spool"]["entries"]
        return count

    def files(self, suffix: str) -> list[Path]:
        """Return the files of a kind on the stick."""
        return sorted((self.stick / FOLDER).glob(f"*{suffix}"))

    def stored(self) -> list[tuple[int, Any]]:
        """Return (time, value) of the first word in the store."""
        if not self.rig.store_path.exists():
            return []
        store = EmbeddedStore(self.rig.store_path, read_only=True)
        with contextlib.closing(store):
            return [(p.time_ns, p.fields["w0_i"]) for p in store.read("press", 0, FOREVER) if "w0_i" in p.fields]

    def served(self) -> list[int]:
        """Return what the device has given for the first word, in order."""
        return [one.uint16(0) for one in read_log(self.log)]


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Factory]:
    """Return a factory whose agent runs and has no broker."""
    log = tmp_path / "modbus.requests"
    with child_running(modbus_server(tmp_path / "plc", log=log, sequence=True)) as plc:
        assert plc.port is not None
        one = Factory(tmp_path, plc.port, log)
        one.rig.agent.start()
        try:
            until(lambda: one.rig.status()["spool"]["entries"] >= 2, 30, "nothing is collected", one.rig)
            yield one
        finally:
            one.rig.agent.stop()
            one.rig.gateway.stop()
            one.rig.broker.stop()


def test_both_ways_on_a_stick_each_value_once_and_the_spool_is_empty(factory: Factory) -> None:
    said = factory.good("tsq-agent", "export", factory.stick)
    assert "You may pull the stick out" in said
    exported = factory.entries()
    assert exported >= 2, "nothing is freed by export"
    (data,) = factory.files(carry.DATA)
    first = data.read_bytes()

    time.sleep(1.5)  # more is read while the stick is still in: only that is written the second time
    factory.good("tsq-agent", "export", factory.stick)
    assert data.read_bytes() == first, "nothing is overwritten"
    assert len(factory.files(carry.DATA)) == 2

    nothing = factory.run("tsq-agent", "confirm", factory.stick)
    assert nothing.returncode == 1
    assert "run `tsq-gateway carry`" in nothing.stderr
    assert factory.entries() >= exported

    factory.good("tsq-gateway", factory.stick)
    assert len(factory.files(carry.STORED)) == 2
    stored = factory.stored()
    factory.good("tsq-gateway", factory.stick)  # again: nothing to do
    factory.good("tsq-gateway", factory.stick, "--again")
    assert factory.stored() == stored

    said = factory.good("tsq-agent", "confirm", factory.stick)
    assert "confirmed and freed" in said
    factory.good("tsq-agent", "confirm", factory.stick)  # again: harmless

    factory.rig.agent.stop()  # what is left is carried from its folder, and counted
    said = factory.good("tsq-agent", "export", factory.stick)  # no agent runs: from its folder
    assert "entries written" in said
    factory.good("tsq-gateway", factory.stick)
    values = [value for _, value in factory.stored()]
    served = factory.served()
    assert len(served) > 15
    assert values == served, "each value once"
    factory.rig.agent.start()
    until(lambda: factory.rig.status()["spool"]["entries"] > 0, 30, "it does not come back", factory.rig)
    waited = factory.entries()
    said = factory.good("tsq-agent", "confirm", factory.stick)
    assert waited
    assert not said.startswith("0 entries")
    fresh = factory.stick / FOLDER
    shutil.rmtree(fresh)
    factory.good("tsq-agent", "export", factory.stick)
    assert len(factory.files(carry.DATA)) == 1, "only what was read since then is on the stick now"
    assert not list(dead_letters(factory.folder / "dead-letters"))


def test_a_stick_of_somebody_else_is_refused_and_one_pulled_out_in_the_middle_is_seen(factory: Factory) -> None:
    factory.good("tsq-agent", "export", factory.stick)
    gateway = factory.folder / "gateway.yaml"
    gateway.write_text(gateway.read_text().replace('"worker":', '"factory": "daehan", "worker":'))
    done = factory.run("tsq-gateway", factory.stick)
    assert done.returncode == 1
    assert "of the factory hanil, this gateway is of daehan" in done.stderr
    assert factory.stored() == []
    gateway.write_text(gateway.read_text().replace('"factory": "daehan", ', ""))

    (data,) = factory.files(carry.DATA)
    whole = data.read_bytes()
    data.write_bytes(whole[: len(whole) * 2 // 3])  # as a file system may be left by who pulls it
    (factory.stick / FOLDER / "hanil.edge-1.x.1.part").write_bytes(whole[:100])
    done = factory.run("tsq-gateway", factory.stick)
    assert done.returncode == 1
    assert "damaged" in done.stderr
    mine = factory.folder / "agent.yaml"
    text = mine.read_text()
    mine.write_text(text.replace('"agent": "edge-1"', '"agent": "edge-2"'))
    before = factory.entries()
    done = factory.run("tsq-agent", "confirm", factory.stick, language="ko")
    assert done.returncode == 1
    assert "다른 에이전트의 USB입니다(hanil/edge-1)" in done.stderr
    mine.write_text(text)
    factory.run("tsq-agent", "confirm", factory.stick)
    assert factory.entries() >= before, "what was not stored is not freed"
    said = factory.run("tsq-agent", "export", factory.stick)
    assert said.returncode == 0
    assert "pulled out" in said.stderr
    assert not factory.files(".part")
    factory.run("tsq-gateway", factory.stick)
    factory.good("tsq-agent", "confirm", factory.stick)
    values = [value for _, value in factory.stored()]
    assert values == factory.served()[: len(values)]
    assert values


def test_a_full_stick_loses_nothing_and_the_same_data_by_stick_and_by_broker_is_there_once(
    factory: Factory,
) -> None:
    done = factory.run("tsq-agent", "export", factory.stick, room=1000)
    assert done.returncode == 1
    assert "the stick is full" in done.stderr
    assert not list((factory.stick / FOLDER).iterdir())
    factory.good("tsq-agent", "export", factory.stick)
    factory.rig.broker.start()
    factory.rig.gateway.start()
    until(lambda: factory.entries() <= 2, 60, "it is not delivered", factory.rig)
    factory.good("tsq-gateway", factory.stick)  # beside the running gateway, into the same store
    factory.run("tsq-agent", "confirm", factory.stick)
    factory.rig.agent.stop()
    values = [value for _, value in factory.stored()]
    assert values == factory.served()


pytestmark = pytest.mark.timeout(180)
