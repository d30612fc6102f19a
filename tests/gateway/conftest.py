"""A broker and an agent for each test that asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway.peer import Peer, peer, port_of
from tests.support.brokers import mosquitto
from tests.support.processes import Child, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Child]:
    """Return a running mosquitto."""
    with running(mosquitto(tmp_path / "broker")) as child:
        yield child


@pytest.fixture
def agent(broker: Child) -> Iterator[Peer]:
    """Return an agent on that broker."""
    with peer(port_of(broker)) as one:
        yield one
