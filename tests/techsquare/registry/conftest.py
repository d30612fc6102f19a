"""Empty registries on both databases: copies of one that is made once."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from techsquare.registry.store import Registry
from techsquare.registry.tables import Base

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgres import Postgres


@contextmanager
def tables(url: str) -> Iterator[Registry]:
    """Give a database its tables, and give it to whoever puts rows into it."""
    registry = Registry(url)
    Base.metadata.create_all(registry.engine)
    yield registry
    registry.close()


@contextmanager
def copied(request: pytest.FixtureRequest, folder: Path, file: str, template: str) -> Iterator[str]:
    """Give the URL of a copy of a database.

    Args:
        request: Whose `param` says of which kind.
        folder: For a file.
        file: Name of the fixture that gives the SQLite file to be copied.
        template: Name of the fixture that gives the PostgreSQL database.
    """
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue(file), folder / "registry.db")
        yield f"sqlite:///{folder}/registry.db"
        return
    cluster: Postgres = request.getfixturevalue("cluster")
    name = cluster.create(request.getfixturevalue(template))
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(scope="session")
def template(cluster: Postgres) -> str:
    """Return a database with all tables and no rows, to be copied."""
    name = cluster.create()
    with tables(cluster.url(name)):
        return name


@pytest.fixture(scope="session")
def template_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same as a file."""
    path = tmp_path_factory.mktemp("registry") / "empty.db"
    with tables(f"sqlite:///{path}"):
        return path


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of a database with all tables and no rows."""
    with copied(request, tmp_path, "template_file", "template") as found:
        yield found


@pytest.fixture
def registry(url: str) -> Iterator[Registry]:
    """Return an empty registry."""
    opened = Registry(url)
    yield opened
    opened.close()
