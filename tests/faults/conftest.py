"""Where the programs of these tests work: in memory where that is possible, so that syncing costs nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.memory import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def work() -> Iterator[Path]:
    """Return a folder of our own."""
    with tempfile.TemporaryDirectory(prefix="tsq-faults-", dir=SHARED) as name:
        yield Path(name).resolve()
