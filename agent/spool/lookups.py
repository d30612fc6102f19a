"""What can be looked up in the spool's file apart from its entries: births, closed days, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

from agent.spool import births, days, hold

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from agent.spool.base import HeldEpoch
    from agent.spool.database import Database


class Lookups:
    """Reads of `agent.spool.journal.Journal` that need nothing but the file."""

    _db: Database
    _lock: threading.RLock
    _birth_id: int
    _lost_births: set[str]

    def births(self) -> list[tuple[str, bytes, bool]]:
        """Return (hash, canonical JSON, whether an entry names it or it is the present one) of each birth."""
        with self._lock:
            return births.listed(self._db, self._birth_id, self._lost_births)

    def owners(self) -> dict[tuple[str, str], int]:
        """Return how many unconfirmed entries each (factory, agent) has, by the births they were written under."""
        with self._lock:
            return births.owners(self._db, self._lost_births)

    def birth_named(self, digest: str) -> bytes | None:
        """Return the canonical JSON of the birth with this hash, None when it is not here or lost."""
        with self._lock:
            row = self._db.execute("SELECT body FROM birth WHERE hash = ?", (digest,)).fetchone()
        return None if row is None or digest in self._lost_births else row[0]

    def days(self) -> dict[str, bytes]:
        """Return the closed days of evidence."""
        with self._lock:
            stored = self._db.execute("SELECT day, body FROM day ORDER BY day").fetchall()
        return {day: days.unpacked(body) for day, body in stored}

    def dates(self) -> list[str]:
        """Return the dates of the closed days, in order."""
        with self._lock:
            return [date for (date,) in self._db.execute("SELECT day FROM day ORDER BY day").fetchall()]

    def day(self, date: str) -> bytes | None:
        """Return the evidence of one closed day."""
        with self._lock:
            row = self._db.execute("SELECT body FROM day WHERE day = ?", (date,)).fetchone()
        return None if row is None else days.unpacked(row[0])

    def tallies(self) -> dict[tuple[str, str], dict[int, int]]:
        """Return the counts by (day, key) and bucket."""
        out: dict[tuple[str, str], dict[int, int]] = {}
        with self._lock:
            rows = self._db.execute("SELECT day, key, bucket, n FROM tally ORDER BY 1, 2, 3").fetchall()
        for day, key, bucket, n in rows:
            out.setdefault((day, key), {})[bucket] = n
        return out

    def held(self) -> Sequence[HeldEpoch]:
        """Return the clock epochs that entries are held of."""
        with self._lock:
            return hold.held(self._db)

    def frozen(self) -> Sequence[HeldEpoch]:
        """Return the clock epochs that were let go as they are, and whose correction nobody has told."""
        with self._lock:
            return hold.frozen(self._db)

    def checkpoint_state(self) -> tuple[bytes | None, int]:
        """Return the analyzers' state at the last checkpoint, and the last seq in it."""
        with self._lock:
            row = self._db.execute("SELECT state, seq FROM evidence").fetchone()
        if row is None:
            return None, 0
        return zstandard.ZstdDecompressor().decompress(row[0]) if row[0] else b"", row[1]
