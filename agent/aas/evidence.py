"""Closed days of evidence: from the journal of an agent, running or not, or from files of `tsq-agent assess`."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from agent.spool.days import unpacked
from agent.spool.spool import NAME
from contract.errors import WireError
from readiness.evidence import current, load
from settings.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def of_spool(folder: Path) -> dict[str, bytes]:
    """Return the days that an agent keeps, none where it has not run yet; nothing is written.

    Raises:
        ConfigError: its journal cannot be read.
    """
    path = folder / NAME
    try:
        if not path.exists():
            return {}
        with sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True) as journal:
            found = dict(journal.execute("SELECT day, body FROM day ORDER BY day"))
        journal.close()
    except (OSError, sqlite3.Error) as exc:
        raise ConfigError(f"{path}: {exc}") from exc
    days = {day: unpacked(stored) for day, stored in found.items()}
    return {day: raw for day, raw in days.items() if current(raw)}


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
