"""A replay beside the gateway: what it needs of the broker, and what the gateway would refuse it refuses too."""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING

from contract import codec
from contract.payload import NeedBirth
from gateway.backstage import Backstage
from gateway.config import DeadLetterSettings, GatewayConfig
from gateway.letter import DeadLetter
from gateway.stores.settings import EmbeddedSettings
from gateway.verbs.dead_letters import arrive
from settings.broker import Broker
from tests.gateway.builders import BIRTH_HASH, BRANCH, T0, FixedClock, MemoryStore, crc, message, wire
from tests.gateway.peer import Peer, port_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.processes import Child


def settings(folder: Path, port: int, factory: str | None = None) -> GatewayConfig:
    return GatewayConfig(
        worker="gw-1",
        factory=factory,
        mqtt=Broker(host="127.0.0.1", port=port),
        store=EmbeddedSettings(path=folder / "store.db"),
        dead_letters=DeadLetterSettings(directory=folder / "letters"),
    )


def letter() -> DeadLetter:
    payload = base64.b64encode(wire(message(1))).decode()
    return DeadLetter(T0, BRANCH.data, "once unreadable", payload=payload, content_type=codec.CONTENT_TYPE_ZSTD)


def test_an_agent_is_asked_for_the_birth_that_its_broker_has_lost(
    tmp_path: Path, broker: Child, agent: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.backstage.WAIT_SECONDS", 2.0)  # what the broker has not, it is waited for
    store = MemoryStore()
    config = settings(tmp_path, port_of(broker))
    answered = []

    def answer() -> None:
        topic, payload = agent.next()
        assert topic == BRANCH.need_birth
        answered.append(codec.decode(payload, NeedBirth).birth)
        agent.birth()

    agents = threading.Thread(target=answer)
    agents.start()
    with Backstage(config.mqtt) as backstage:
        assert arrive(letter(), config, store, backstage, FixedClock()) is None
        agents.join(10)
        assert answered == [BIRTH_HASH]
        assert agent.confirmed().stored == [(1, crc(1))]
        assert backstage.ask(BRANCH, BIRTH_HASH) is not None
    assert len(store.held) == 1
    assert agent.inbox.empty(), "asked once"


def test_a_letter_of_another_factory_is_replayed_into_no_store_of_this_one(
    tmp_path: Path, broker: Child, agent: Peer
) -> None:
    store = MemoryStore()
    agent.birth()
    config = settings(tmp_path, port_of(broker), "daehan")
    with Backstage(config.mqtt) as backstage:
        why = arrive(letter(), config, store, backstage, FixedClock())
    assert why is not None
    assert "this gateway takes daehan" in why
    assert store.held == {}
    assert agent.inbox.empty()
