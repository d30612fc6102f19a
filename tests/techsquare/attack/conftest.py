"""Worlds of an attack on both databases, several in one test."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from techsquare.registry.store import Registry
from tests.techsquare.api.conftest import catalogue, quick, stock, stock_file  # noqa: F401 - fixtures
from tests.techsquare.attack.target import Secret, Target
from tests.techsquare.registry.conftest import copied, template, template_file  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from techsquare.catalogue.load import Catalogue

    World = Callable[..., Target]


@pytest.fixture(params=["sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path, catalogue: Catalogue) -> Iterator[World]:  # noqa: F811
    """Return what makes a world with a secret in it; on both databases where a test says so."""
    with ExitStack() as stack:
        made: list[Target] = []

        def make(secret: Secret, suppliers: int = 1, *, exact: bool = False) -> Target:
            folder = tmp_path / str(len(made))
            folder.mkdir()
            address = stack.enter_context(copied(request, folder, "stock_file", "stock"))
            registry = Registry(address)
            stack.callback(registry.close)
            target = Target(registry, catalogue, secret, suppliers, exact=exact)
            stack.callback(target.close)
            made.append(target)
            return target

        yield make
