"""The running platform, as the API's own tests have it, and one with a short catalogue."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from techsquare.catalogue.load import Catalogue
from techsquare.registry.store import Registry
from tests.techsquare.api.conftest import catalogue, quick, stand, stock, stock_file
from tests.techsquare.api.stand import Stand
from tests.techsquare.registry.conftest import copied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["catalogue", "quick", "short", "stand", "stock", "stock_file"]
CALL = "win-win-basic"
KEPT = {
    "plant-network", "plc-link", "retrofit-state", "stop-reasons", "andon", "smed", "quick-clamps", "setup-cart",
    "pm-plan", "skill-matrix",
}  # fmt: skip
"""Of the catalogue: reasons take as long as there are measures."""


@pytest.fixture(params=["sqlite", "postgresql"])
def short(request: pytest.FixtureRequest, tmp_path: Path, catalogue: Catalogue) -> Iterator[Stand]:
    """Return the platform with a short catalogue, and a call of a programme as an operator would write it in."""
    entries = tuple(one for one in catalogue.entries if one.id in KEPT)
    calls = tuple(
        one.model_copy(
            update={
                "example": False, "opens": date(2026, 7, 1), "closes": date(2026, 12, 31),
                "eligible": {**one.eligible, "smed": 1.0},
            }
        )
        for one in catalogue.programmes
        if one.id == CALL
    )  # fmt: skip
    with copied(request, tmp_path, "stock_file", "stock") as address:
        opened = Registry(address)
        with Stand(opened, Catalogue(entries, calls)) as standing:
            yield standing
        opened.close()
