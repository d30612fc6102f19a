"""The service as a process of its own, with the embedded store: killed, stopped, alone."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from gateway.stores import open_store
from gateway.stores.settings import EmbeddedSettings
from tests.gateway.builders import T0, message
from tests.gateway.peer import Peer, port_of, until
from tests.support.processes import Child, free_port, running

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.stores.base import Store


def service(folder: Path, port: int, name: str = "gw") -> Child:
    """Return the service as a process, with the embedded store."""
    path = folder / "gateway.yaml"
    path.write_text(
        f"worker: {name}\nmqtt: {{host: 127.0.0.1, port: {port}}}\n"
        f"store: {{type: embedded, path: {folder}/store.db}}\n"
        f"dead_letters: {{directory: {folder}/letters}}\n"
    )
    command: list[str | Path] = [
        sys.executable,
        "-c",
        "from gateway.cli import main; raise SystemExit(main())",
        "run",
        "--config",
        path,
    ]
    return Child(command, log=folder / f"{name}.log")


def test_a_worker_killed_in_the_middle_is_replaced_and_every_entry_is_stored_once(
    tmp_path: Path, broker: Child, agent: Peer
) -> None:
    agent.birth()
    confirmed: set[int] = set()
    with running(service(tmp_path, port_of(broker), "gw-a")) as first:
        agent.wait_for_workers("gw-a")
        for seq in range(1, 21):
            agent.send(message(seq))
        confirmed |= {seq for seq, _ in agent.confirmed().stored}
        first.kill()
        agent.wait_for_workers()  # by the will
    with running(service(tmp_path, port_of(broker), "gw-b")):
        agent.wait_for_workers("gw-b")
        while not agent.inbox.empty():
            confirmed |= {seq for seq, _ in agent.confirmed().stored}
        for seq in set(range(1, 21)) - confirmed:
            agent.send(message(seq))
        while confirmed != set(range(1, 21)):
            confirmed |= {seq for seq, _ in agent.confirmed().stored}
    store = open_embedded(tmp_path)
    found = [(point.time_ns - T0, point.fields) for point in store.read("press-1", 0, 2**63 - 1)]
    store.close()
    assert found == [(seq, {"f64_f": float(seq)}) for seq in range(1, 21)]


def open_embedded(folder: Path) -> Store:
    return open_store(EmbeddedSettings(path=folder / "store.db"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_ends_cleanly_by_a_signal(
    tmp_path: Path, broker: Child, agent: Peer, number: signal.Signals
) -> None:
    child = service(tmp_path, port_of(broker))
    with running(child):
        agent.wait_for_workers("gw")
        child.send(number)
        assert child.process is not None
        assert child.process.wait(5) == 0
        agent.wait_for_workers()
    assert "totals" in child.output()


def test_the_service_ends_within_five_seconds_without_a_broker(tmp_path: Path) -> None:
    child = service(tmp_path, free_port())
    with running(child):
        until(lambda: "no broker at" in child.output())
        child.send(signal.SIGTERM)
        assert child.process is not None
        assert child.process.wait(5) == 0


def test_a_frozen_broker_does_not_hold_up_the_end(tmp_path: Path, broker: Child, agent: Peer) -> None:
    child = service(tmp_path, port_of(broker))
    with running(child):
        agent.wait_for_workers("gw")
        broker.send(signal.SIGSTOP)
        try:
            child.send(signal.SIGTERM)
            assert child.process is not None
            assert child.process.wait(5) == 0
        finally:
            broker.send(signal.SIGCONT)


def test_a_store_that_cannot_be_opened_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    child = service(tmp_path, free_port())
    with running(child):
        assert child.process is not None
        assert child.process.wait(10) == 1
    assert "cannot start" in child.output()
    assert "Traceback" not in child.output()
