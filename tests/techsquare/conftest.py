"""One PostgreSQL for all tests of the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.postgres import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import Postgres


@pytest.fixture(scope="session")
def cluster() -> Iterator[Postgres]:
    """Return a PostgreSQL cluster that is started when the first test asks for it."""
    with postgres() as running:
        yield running
