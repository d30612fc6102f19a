"""The description is the committed one, and no request of schemathesis makes the server fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from techsquare.api.schema import PATH, schema
from tests.techsquare.api.stand import Stand
from tests.techsquare.api.storm import storm
from tests.techsquare.registry.agreement import filled

if TYPE_CHECKING:
    from techsquare.catalogue.load import Catalogue
    from techsquare.registry.store import Registry


def test_the_committed_description_is_current() -> None:
    assert PATH.read_text("utf-8") == schema(), "run `python -m techsquare.api.schema`"


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # PostgreSQL: python -m tests.techsquare.api
def test_no_request_makes_the_server_fail(registry: Registry, catalogue: Catalogue) -> None:
    filled(registry, 1)
    with Stand(registry, catalogue) as stand:
        found = storm(stand, 2, 1)
    asked = {name for name, _ in found}
    assert len(asked) >= 45
    assert {200, 201, 404, 422} <= {status for _, status in found}
