"""The running application on both databases, with the drawn world of the registry's tests in it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from techsquare.catalogue.load import load
from techsquare.registry import access
from techsquare.registry.audit import Actor
from techsquare.registry.store import Registry
from techsquare.services import catalogue as catalogues
from techsquare.services.days import day_of
from tests.techsquare.api.stand import Stand
from tests.techsquare.registry.conftest import copied, registry, tables, template, template_file, url  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from techsquare.catalogue.load import Catalogue
    from tests.support.postgres import Postgres


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Argon2 take a millisecond instead of fifty: people log in all the time here."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
    monkeypatch.setattr(access, "_hasher", lambda: cheap)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Return the shipped catalogue."""
    return load()


def _stocked(address: str, catalogue: Catalogue) -> None:
    with tables(address) as made:
        made.decide(lambda s: catalogues.sync(s, catalogue, day_of(time.time_ns())), Actor("test"))


@pytest.fixture(scope="session")
def stock(cluster: Postgres, catalogue: Catalogue) -> str:
    """Return a database with the catalogue in it, to be copied: that takes most of what a stand takes."""
    name = cluster.create()
    _stocked(cluster.url(name), catalogue)
    return name


@pytest.fixture(scope="session")
def stock_file(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """Return the same as a file."""
    path = tmp_path_factory.mktemp("api") / "stock.db"
    _stocked(f"sqlite:///{path}", catalogue)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def stand(request: pytest.FixtureRequest, tmp_path: Path, catalogue: Catalogue) -> Iterator[Stand]:
    """Return the application over an empty registry with the catalogue in it."""
    with copied(request, tmp_path, "stock_file", "stock") as address:
        opened = Registry(address)
        with Stand(opened, catalogue) as standing:
            yield standing
        opened.close()
