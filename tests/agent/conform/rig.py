"""A played agent and a bench on one real broker."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from datetime import date
from typing import TYPE_CHECKING

from agent.conform.acting.actor import Actor
from agent.conform.acting.messages import Out
from agent.conform.bench import Bench, Patience
from agent.conform.port import Port
from contract.signing import private_key
from contract.topics import AgentTopics
from settings.broker import Broker
from tests.agent.test_uplink import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agent.conform.acting.tricks import Trick
    from tests.support.processes import Child

REGISTER = private_key(b"r" * 32)
LAST = date(2026, 11, 20)
QUICK = Patience(answer=1.0, settled=0.2, silence=0.3, busy=0.1)
TOPICS = AgentTopics("hanil", "played")
DAYS = 8
_NAMES = itertools.count(1)


def where(child: Child) -> Broker:
    assert child.port is not None
    return Broker(host="127.0.0.1", port=child.port)


def template(folder: Path) -> Path:
    """Sign the days of the played agent once: to sync each costs more than all the rest of a test."""
    (folder / "template").mkdir()
    Actor(Broker(host="127.0.0.1"), TOPICS, folder / "template", LAST, DAYS)
    return folder / "template"


@contextlib.contextmanager
def played(
    child: Child, signed: Path, folder: Path, trick: Trick | None = None, *, older: bool = False
) -> Iterator[Actor]:
    """An agent with some signed days, connected, which plays a trick from the begin."""
    shutil.copytree(signed, folder / "state")
    actor = Actor(where(child), TOPICS, folder / "state", LAST, 0, REGISTER.public_key(), older=older)
    actor.trick = trick
    try:
        assert actor.open()
        yield actor
    finally:
        actor.close()


def heard(actor: Actor, made: Bench) -> None:
    """Wait until the platform has heard all that the agent has published before now."""
    marker = Out(actor.topics.event(f"marker-{next(_NAMES)}"), b"{}")
    actor._put(marker)
    eventually(lambda: any(message.topic == marker.topic for message in made.port.heard))


@contextlib.contextmanager
def bench(child: Child, topics: AgentTopics, *, older: bool = False, patience: Patience = QUICK) -> Iterator[Bench]:
    """The fake platform, connected."""
    port = Port(where(child), topics, older=older)
    try:
        assert port.open()
        yield Bench(port, patience, REGISTER, freeze=True)
    finally:
        port.close()
