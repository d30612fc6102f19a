"""Where the content of an entry is read: a record of the journal, or a file of blocks.

What was read last stays in memory for a while: the sender goes through a block in order, and what it has sent is
asked for again when it is confirmed.
"""

from __future__ import annotations

import errno
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from agent.errors import WireError

if TYPE_CHECKING:
    from agent.spool.blocks import Blocks
    from agent.spool.log import Log

DAMAGE = frozenset({errno.EIO, errno.ENOENT, errno.EUCLEAN, errno.ENODATA, errno.EISDIR})
"""What a disk says of what it does not give back; anything else (too many open files) will pass."""
CACHED = 4 * 2**20
"""Bytes of contents that are kept."""

_Key = tuple[int | None, int | None]


class Contents:
    """Reads contents; any thread.

    Args:
        log: The journal.
        blocks: The files of blocks.
    """

    def __init__(self, log: Log, blocks: Blocks) -> None:
        self._log = log
        self._blocks = blocks
        self._lock = threading.Lock()
        self._cache: OrderedDict[_Key, dict[int, bytes]] = OrderedDict()
        self._size = 0

    def raw(self, seq: int, record: int | None, block: int | None) -> bytes:
        """Return the canonical content of an entry as it was committed.

        Raises:
            WireError: it is not there, or not as it was written.
            OSError: it cannot be read now.
        """
        key = (record, block)
        with self._lock:
            found = self._cache.get(key)
            if found is not None:
                self._cache.move_to_end(key)
        if found is None:
            found = self._read(record, block)
            self._keep(key, found)
        if seq not in found:
            raise WireError("its file does not hold it")
        return found[seq]

    def committed(self, record: int, contents: dict[int, bytes]) -> None:
        """Know what has just been written to the journal: it will be sent at once."""
        self._keep((record, None), contents)

    def gone(self, block: int) -> None:
        """Forget a file of blocks."""
        with self._lock:
            self._drop((None, block))

    def _read(self, record: int | None, block: int | None) -> dict[int, bytes]:
        try:
            if block is not None:
                return self._blocks.read(block)
            if record is None:
                raise WireError("nobody knows where it lies")
            read = self._log.read(record)
        except OSError as exc:
            if exc.errno not in DAMAGE:
                raise
            raise WireError(f"its file cannot be read: {exc}") from exc
        return {row.seq: raw for row, raw in zip(read.rows, read.contents, strict=False)}

    def _keep(self, key: _Key, contents: dict[int, bytes]) -> None:
        with self._lock:
            self._drop(key)
            self._cache[key] = contents
            self._size += sum(map(len, contents.values()))
            while self._size > CACHED and len(self._cache) > 1:
                self._drop(next(iter(self._cache)))

    def _drop(self, key: _Key) -> None:
        old = self._cache.pop(key, None)
        if old is not None:
            self._size -= sum(map(len, old.values()))
