"""When this release was made: no machine that runs it can be earlier. Renewed with each, never the future."""

from __future__ import annotations

from typing import Final

RELEASED_NS: Final = 1_793_491_200 * 10**9
"""The first of November 2026, UTC nanoseconds."""
