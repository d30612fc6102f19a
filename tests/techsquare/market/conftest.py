"""Empty registries on both databases, and a small drawn market."""

from __future__ import annotations

import pytest

from tests.techsquare.market.rows import settled
from tests.techsquare.matching.market import Market, market
from tests.techsquare.registry.conftest import registry, template, template_file, url  # noqa: F401 - fixtures

NOW = 1_790_000_000_000_000_000


@pytest.fixture(scope="session")
def told() -> Market:
    """Return a market that is small enough to be looked at pair by pair."""
    return settled(market(150, 150, 3))
