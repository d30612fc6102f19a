"""What the probe says of brokers that are able, and of each way in which one is not."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from contract import codec, topics
from contract.payload import Worker
from gateway import probe as probing
from gateway.probe import ProbeError, probe
from service import exits
from settings.broker import Broker
from tests.brokers.faulty import faulty
from tests.e2e.rig import tool
from tests.gateway.peer import Peer, peer
from tests.support.brokers import iotcore, mosquitto
from tests.support.processes import Child, free_port, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gateway.verdicts import Table

ABLE = {
    "version": True,
    "branch": True,
    "properties": True,
    "receive": None,
    "retained": True,
    "will": True,
    "expiry": True,
    "heirs": True,
    "in hand": None,
    "shared": True,
    "large": True,
    "rights": False,
}


def found(table: Table) -> dict[str, bool | None]:
    return {finding.name: finding.able for finding in table.findings}


def at(port: int | None, **more: Any) -> Broker:
    return Broker.model_validate({"host": "127.0.0.1", "port": port, **more})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not come is not waited for as long as over a real line."""
    monkeypatch.setattr(probing, "PATIENCE", 0.5)


@pytest.mark.parametrize("broker", [mosquitto, iotcore])
def test_an_able_broker_is_found_able(tmp_path: Path, broker: Callable[[Path], Child]) -> None:
    with running(broker(tmp_path)) as child:
        probed = probe(at(child.port))
    assert found(probed.table) == ABLE
    assert probed.table.shares
    assert probed.table.works
    assert probed.workers == []


FAULTS: list[tuple[str, dict[str, bool | None], str]] = [
    ("none", {}, ""),
    ("has rights", {"rights": True}, "keep us in our branch"),
    ("silent shares", {"shared": False}, "0 of 10 messages came"),
    ("double shares", {"shared": False}, "10 messages came 20 times"),
    ("refuses shares", {"shared": False}, "refused"),
    ("zombies", {"shared": False, "heirs": False}, "messages came to the other"),
    ("forgets retained", {"retained": False}, "births are asked for"),
    ("no wills", {"will": False}, "do not see that a worker has died"),
    ("keeps sessions", {"expiry": False}, "keeps a session"),
    ("loses properties", {"properties": False}, "they get lost"),
    ("ends over 100 kB", {"large": False}, "60000 bytes pass"),
    ("drops over 100 kB", {"large": False}, "60000 bytes pass"),
]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("fault", "differs", "word"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
def test_what_a_broker_cannot_do_is_found_and_nothing_else(
    fault: str, differs: dict[str, bool | None], word: str
) -> None:
    with faulty(fault) as broker:
        table = probe(at(broker.port)).table
    expected = ABLE | differs
    if fault in {"silent shares", "double shares", "refuses shares"}:
        del expected["heirs"], expected["in hand"]  # nobody shares, so nobody inherits
    assert found(table) == expected
    assert table.shares == ("shared" not in differs)
    assert table.works == (fault != "no wills")
    assert word in "\n".join(table.lines("en"))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", ["old, silent", "old, says so"])
def test_a_broker_of_3_1_1_is_understood(fault: str) -> None:
    with faulty(fault) as broker:
        probed = probe(at(broker.port))
    assert found(probed.table) == {
        **{name: able for name, able in ABLE.items() if name not in {"heirs", "in hand"}},
        "version": False, "properties": None, "expiry": None, "shared": False,
    }  # fmt: skip
    assert probed.table.works
    assert probed.negotiation.certain


@pytest.mark.usefixtures("impatient")
def test_a_broker_that_keeps_us_out_of_the_branch_is_asked_nothing_else() -> None:
    with faulty("closed branch") as broker:
        table = probe(at(broker.port)).table
    assert found(table) == {"version": True, "branch": False}
    assert not table.works
    assert "give this user the rights of a gateway" in "\n".join(table.lines("en"))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Child]:
    with running(mosquitto(tmp_path / "broker")) as child:
        yield child


def test_a_presence_that_nobody_renews_is_cleared_and_one_that_lives_is_named(broker: Child) -> None:
    assert broker.port is not None
    ghost, alive = (Worker(name, "1795371158000000000", "1") for name in ("ghost", "alive"))
    with peer(broker.port) as one:
        for worker in (ghost, alive):
            one.publish(topics.worker(worker.worker), codec.encode(worker), retain=True, zstd=False)
        one.wait_for_workers("ghost", "alive")
        renewing = threading.Thread(target=_renew, args=(one, alive))
        renewing.start()
        probed = probe(at(broker.port))
        renewing.join(10)
        assert probed.workers == [alive]
        one.wait_for_workers("alive")


def _renew(one: Peer, worker: Worker) -> None:
    """Do what a worker does whose presence is cleared."""
    with one._changed:
        assert one._changed.wait_for(lambda: worker.worker not in one.workers, 10)
    one.publish(topics.worker(worker.worker), codec.encode(worker), retain=True, zstd=False)


def gateway_file(folder: Path, port: int | None) -> Path:
    path = folder / "gateway.yaml"
    store = {"type": "embedded", "path": str(folder / "store.db")}
    letters = {"directory": str(folder / "letters")}
    path.write_text(
        json.dumps({"mqtt": {"host": "127.0.0.1", "port": port}, "store": store, "dead_letters": letters})
    )
    return path


@pytest.mark.parametrize(("language", "title"), [("en", "several workers"), ("ko", "게이트웨이 여러 대")])
def test_the_verb_prints_the_table(tmp_path: Path, broker: Child, language: str, title: str) -> None:
    command: list[str | Path] = [
        tool("tsq-gateway"),
        "--lang",
        language,
        "probe",
        "--config",
        gateway_file(tmp_path, broker.port),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == exits.CLEAN, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"127.0.0.1:{broker.port}"
    assert len(lines) == 1 + len(ABLE)
    assert title in done.stdout


def test_without_a_broker_the_verb_says_so(tmp_path: Path) -> None:
    command: list[str | Path] = [
        tool("tsq-gateway"),
        "--lang",
        "en",
        "probe",
        "--config",
        gateway_file(tmp_path, free_port()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == exits.FAULT
    assert "no broker at 127.0.0.1" in done.stdout
    assert done.stderr == ""


def test_a_refused_login_is_an_error_that_says_what_to_check(tmp_path: Path) -> None:
    with running(mosquitto(tmp_path, allow_anonymous="false")) as child, pytest.raises(ProbeError) as caught:
        probe(at(child.port))
    assert caught.value.refused
    assert "check user and password" in caught.value.text.en
