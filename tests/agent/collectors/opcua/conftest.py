"""Servers shared by the tests of this folder: starting one takes seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.peers.opcua import Plant, opcua_server

if TYPE_CHECKING:
    from collections.abc import Iterator

NODES = 500
MANY = 2300  # children of one folder: more than a server gives in one answer


@pytest.fixture(scope="session")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server for tests that leave it as it was: anonymous and users, sequence nodes, no limits worth naming."""
    folder = tmp_path_factory.mktemp("plant")
    with opcua_server(
        folder,
        sequence={"nodes": NODES, "log": str(folder / "sequence.log")},
        users={"op": "right"},
        policies=["None", "Basic256Sha256"],
        modes=["None", "SignAndEncrypt"],
    ) as server:
        yield server


@pytest.fixture(scope="session")
def strict_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server that takes few nodes at once, and users only, their passwords in the clear, three at once."""
    with opcua_server(
        tmp_path_factory.mktemp("strict"),
        anonymous=False,
        plainPassword=True,
        users={"op": "right"},
        maxSessions=3,
        limits={"maxNodesPerRead": 7, "maxMonitoredItemsPerCall": 5},
        sequence={"nodes": 30, "log": "/dev/null"},
    ) as server:
        yield server


@pytest.fixture(scope="session")
def mortal_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server for tests that kill it or stop it; they leave it running."""
    with opcua_server(tmp_path_factory.mktemp("mortal")) as server:
        yield server


@pytest.fixture(scope="session")
def press(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server with a machine: axes, structures, alarms, a large folder; it gives few references at once."""
    with opcua_server(
        tmp_path_factory.mktemp("press"), press=True, folders=MANY, limits={"maxNodesPerBrowse": 7}
    ) as server:
        yield server
