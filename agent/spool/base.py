"""What the parts of the spool share: its limits, its numbers, and the state between two transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from agent.frame import Item

if TYPE_CHECKING:
    from agent.frame import Source
    from contract.payload import Birth, Stored

Counts = Mapping[tuple[str, str], Mapping[int, int]]
"""What to add to the tallies, by (day, key) and bucket."""

Account = Callable[[Sequence[Item], int, bool], Counts]
"""(items of a stored entry, when the worker committed it in ns, sent once and live) -> counts to add. Called for
each confirmation, by the thread that brings it; only the one that frees the entry counts."""

UNCONFIRMED, CONFIRMED, ASIDE, HELD = 0, 1, 2, 3
EVERYTHING = 2**62
HOLD_NS = 600 * 10**9
"""How long entries wait for a clock that may be trusted; monotonic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the spool may take of the disk. Ages count only while the clock is trusted."""

    max_bytes: int = 2 * 10**9
    max_age_ns: int = 30 * 86400 * 10**9
    min_free_bytes: int = 500 * 10**6


class Kept(NamedTuple):
    """A row of the table `entry`: what is known of an entry, and where its content lies."""

    seq: int
    spool: int
    crc: bytes
    birth: int
    committed_ns: int
    process: int
    rows: int
    record: int | None
    block: int | None
    epoch: int | None
    shift: int
    size: int


KEPT = "SELECT seq, spool, crc, birth, committed_ns, process, rows, record, block, epoch, shift, size FROM entry "


class Stamping(NamedTuple):
    """The clock as it is at a commit; see `Clock`. `doubted`: epochs that were not trusted, and their anchors."""

    trusted: bool
    epoch: int
    boot_id: str
    anchor_ns: int
    doubted: tuple[tuple[int, int], ...] = ()


class Committed(NamedTuple):
    """One entry as it was committed; `items` are what `replay` would return for it."""

    seq: int
    items: list[Item]


class Confirmation(NamedTuple):
    """A `stored` message, and what was made of it before the commit that frees its entries.

    Attributes:
        stored: The gateway's word.
        clean: (spool, seq) of the entries in it that were sent once and live.
        counts: What each entry, by (seq, crc), adds to the tallies.
    """

    stored: Stored
    clean: frozenset[tuple[str, int]] = frozenset()
    counts: Mapping[tuple[int, str], Counts] = MappingProxyType({})


class HeldEpoch(NamedTuple):
    """A clock epoch of which entries are held: committed while the clock was not trusted, on the disk, not sent.

    They are let go once: by `Spool.vouch`, shifted, or after `HOLD_NS` as they are. The hold of an epoch begins
    with its first entry (of an earlier process: with the start of this one); what is committed in it after it is
    over is not held at all. Whether held, shifted or not, what was committed under a clock that was not trusted is
    never fed to the analyzers: the span is a gap `clock`.

    Attributes:
        epoch: Its number, whose last three digits are those of its stamps.
        boot_id: Of the boot that it was stamped in, as `Clock.boot_id` said.
        anchor_ns: Wall minus monotonic clock in it, as `Clock.anchor_ns` said: within one boot the true offset of
            an earlier process's epoch is the difference of a trusted anchor and this one.
        entries: How many are held.
    """

    epoch: int
    boot_id: str
    anchor_ns: int
    entries: int


class Vouched(NamedTuple):
    """What became known of an epoch: what to add to its stamps, and the trusted epoch in which it did."""

    offset_ns: int
    by: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Another configuration, for the spool's thread; see `Spool.change`."""

    birth: Birth
    sources: tuple[Source, ...]
    applied: Callable[[], None]
    ring_rows: int
    done: threading.Event = field(default_factory=threading.Event)


class Stats(NamedTuple):
    """The spool in numbers. Counters begin with the process."""

    spool: str
    entries: int = 0  # unconfirmed
    rows: int = 0  # in unconfirmed entries
    bytes: int = 0  # used in the file
    oldest_ns: int | None = None  # when the oldest unconfirmed entry was committed
    seq: int = 0
    committed_entries: int = 0
    committed_rows: int = 0
    confirmed_entries: int = 0
    confirmed_rows: int = 0
    rejected_rows: int = 0
    dropped_rows: int = 0  # given up for want of room, or unreadable
    duplicates: int = 0  # confirmations of what was free already
    ring_rows: int = 0  # read, waiting for the next commit
    ring_lost_rows: int = 0  # read and never committed
    held_entries: int = 0  # waiting for a clock that may be trusted; not among `entries`
    held_rows: int = 0  # in them
    released_entries: int = 0  # held, and let go since
    journal_bytes: int = 0  # of the journal's files, whatever is in them
    block_bytes: int = 0  # of the files of blocks
    written_bytes: int = 0  # since the start, checkpoints included
    written_pages: int = 0  # since the start: pages of 4 kB that the writes have touched


@dataclass(slots=True)
class State:
    """What is remembered between transactions; rolled back with them."""

    spool: int
    seq: int
    event_ns: int
    commit_ns: int | None
    total: int  # rows ever committed
    entries: int = 0
    rows: int = 0
    held: int = 0  # entries
    held_rows: int = 0
    released: int = 0  # entries that were held
    committed_entries: int = 0
    committed_rows: int = 0
    confirmed_entries: int = 0
    confirmed_rows: int = 0
    rejected_rows: int = 0
    dropped_rows: int = 0
    duplicates: int = 0
