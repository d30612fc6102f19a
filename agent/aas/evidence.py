"""Closed days of evidence: of an agent, running or not, or from files of `tsq-agent assess`."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from agent import control
from agent.spool.days import unpacked
from agent.spool.spool import NAME
from contract.errors import WireError
from readiness.evidence import load
from settings.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

LAST = 42
"""Days that are read: a window of 28, and some on which nothing was recorded."""


def of_spool(folder: Path) -> dict[str, bytes]:
    """Return the latest days that an agent keeps, none where it has not run yet; nothing is written.

    One that runs is asked: it keeps its journal for itself. Days of an older release, and damaged ones, are left
    out.

    Raises:
        ConfigError: its journal cannot be read.
    """
    with contextlib.suppress(control.NotRunning):
        told = list(control.stream(folder, "days", args={"last": LAST}, seconds=60))
        days = {str(one["day"]): str(one["body"]).encode() for one in told if "day" in one}
        return {day: raw for day, raw in days.items() if _usable(raw)}
    path = folder / NAME
    try:
        if not path.exists():
            return {}
        with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as journal:
            found = dict(journal.execute("SELECT day, body FROM day ORDER BY day DESC LIMIT ?", (LAST,)))
        journal.close()
    except (OSError, sqlite3.Error) as exc:
        raise ConfigError(f"{path}: {exc}") from exc
    days = {day: unpacked(stored) for day, stored in found.items()}
    return {day: raw for day, raw in sorted(days.items()) if _usable(raw)}


def _usable(raw: bytes) -> bool:
    """Return whether a day is evidence of this release, and whole."""
    try:
        load(raw)
    except WireError:
        return False
    return True


def of_folder(folder: Path) -> dict[str, bytes]:
    """Return the days that `tsq-agent assess --out` has written.

    Raises:
        ConfigError: one cannot be read, or there is none.
    """
    days: dict[str, bytes] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            raw = path.read_bytes()
            days[load(raw).day] = raw
        except (OSError, WireError) as exc:
            raise ConfigError(f"{path}: {exc}") from exc
    if not days:
        raise ConfigError(f"{folder}: no days of evidence")
    return days
