"""Where the spool of these tests lies: in memory where that is possible, so that syncing costs nothing.

What a disk makes of syncs that are missing or fail is tested in `tests/faults`; that one is slow tests nothing.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.memory import SHARED

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Return a folder of our own."""
    with tempfile.TemporaryDirectory(prefix="tsq-spool-", dir=SHARED) as name:
        yield Path(name).resolve()
