"""Servers for the stores' tests: each is started once; a test gets its own database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stores.harness import EmbeddedHarness, InfluxDb1Harness, VictoriaHarness
from tests.support.databases import influxdb1, victoria_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stores.harness import Harness
    from tests.support.databases import Database

EXACT = ["embedded", "influxdb1"]


@pytest.fixture(scope="session")
def influx_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return an InfluxDB 1.6 that takes requests of at most 200 kB."""
    server = influxdb1(tmp_path_factory.mktemp("influxdb"), max_body=200_000)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def victoria_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return a VictoriaMetrics."""
    server = victoria_metrics(tmp_path_factory.mktemp("victoria"))
    server.start()
    yield server
    server.stop()


def _harness(name: str, request: pytest.FixtureRequest, folder: Path) -> Harness:
    if name == "embedded":
        return EmbeddedHarness(folder)
    if name == "influxdb1":
        return InfluxDb1Harness(request.getfixturevalue("influx_server"))
    return VictoriaHarness(request.getfixturevalue("victoria_server"))


@pytest.fixture(params=EXACT)
def exact(request: pytest.FixtureRequest, tmp_path: Path) -> Harness:
    """Return each store that keeps everything exactly."""
    return _harness(request.param, request, tmp_path)


@pytest.fixture(params=[*EXACT, "victoria"])
def harness(request: pytest.FixtureRequest, tmp_path: Path) -> Harness:
    """Return each store."""
    return _harness(request.param, request, tmp_path)
