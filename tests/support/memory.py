"""Folders in memory, where syncing costs nothing."""

from __future__ import annotations

from pathlib import Path

SHARED = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
"""For `tempfile`; None, its own choice, where there is no such place."""
