"""Closed days of evidence as they lie in the spool's file: zstd, recognised by its first bytes.

A day is written once and read for 400 days, so it is worth a high level, though not the highest: of 1,000 signals,
level 9 takes a twentieth of a second a day, and level 19 ten times as long for an eighth less. Days of files that
were written before are plain, and read as they are. So is what a damaged disk has left of one: whoever reads days
tells evidence from what is none, and one lost day must not keep the others from the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.spool.database import Database

KEPT = 400
"""Closed days with evidence; their counts of delays go with them. By number and not by date: a clock that once said
another year must not take them all away."""
LEVEL = 9
MAGIC = zstandard.FRAME_HEADER
LIMIT = 2**30
"""Bytes of a day; a frame that claims more is damaged."""


def keep(db: Database, closed: Iterable[tuple[str, bytes]]) -> None:
    """Add days as they are stored, and let the oldest of too many go, and their counts.

    Raises:
        sqlite3.Error: not in the file.
    """
    for day in closed:
        db.execute("INSERT OR REPLACE INTO day VALUES (?, ?)", day)
    rows = db.execute("SELECT day FROM day ORDER BY day DESC LIMIT 1 OFFSET ?", (KEPT - 1,)).fetchall()
    for (oldest,) in rows:
        db.execute("DELETE FROM day WHERE day < ?", (oldest,))
        db.execute("DELETE FROM tally WHERE day < ?", (oldest,))


def packed(body: bytes) -> bytes:
    """Return a day as it is stored; the same bytes give the same."""
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(body)


def unpacked(stored: bytes) -> bytes:
    """Return the day that `packed` was given; what is no frame, or a damaged one, comes back as it is."""
    if not stored.startswith(MAGIC):
        return stored
    try:
        if not 0 <= zstandard.frame_content_size(stored) <= LIMIT:
            return stored
        return zstandard.ZstdDecompressor().decompress(stored, allow_extra_data=False)
    except zstandard.ZstdError:
        return stored
