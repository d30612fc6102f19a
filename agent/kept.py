"""What a process knew of the time, for the next one: a small file in the state folder.

It bounds the time from below (dates of certificates on a box that thinks it is 1970), and on the same boot it is
the time itself: a restart of the agent loses no trust. Nothing depends on it: a file that cannot be read counts as
none. It is written rarely, see `agent.timekeeping`, because disks wear.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent.files import put
from agent.trust import Kept, Word

if TYPE_CHECKING:
    from pathlib import Path

NAME = "time.json"
VERSION = 1
_LIMIT = 4096
_FAR = 2**62


def read(folder: Path) -> Kept | None:
    """Return what the last process left; None when there is nothing to be relied on."""
    try:
        with (folder / NAME).open("rb") as file:
            body: Any = json.loads(file.read(_LIMIT))
        low, high, base = (int(body["word"][name]) for name in ("low", "high", "base"))
        kept = Kept(
            str(body["boot"]), body["source"], Word(low, high, base), int(body["time"]), body["dark"] is True
        )
        known = body["version"] == VERSION and kept.source in {"kernel", "gateway"}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    sane = low <= high and 0 <= base < _FAR and max(abs(low), abs(high), abs(kept.time_ns)) < _FAR
    return kept if known and sane else None


def write(folder: Path, kept: Kept) -> None:
    """Write it in one piece.

    Raises:
        OSError: the disk does not take it; what was there stays.
    """
    word = {"low": str(kept.word.low_ns), "high": str(kept.word.high_ns), "base": str(kept.word.base_ns)}
    body = {
        "version": VERSION, "boot": kept.boot, "source": kept.source, "word": word, "time": str(kept.time_ns),
        "dark": kept.dark,
    }  # fmt: skip
    put(folder / NAME, json.dumps(body).encode() + b"\n")
