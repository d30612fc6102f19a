"""Entries that wait for a clock that may be trusted.

    committed while the clock is not trusted --> held --vouched for--> shifted, ordinary
                                                   |
                                                   +--10 min---------> as it is, frozen

An epoch is held as a whole: from its first entry on until somebody vouches for it or its time is over. What carries
its stamps and is committed later (a reading that was under way, an event about the past) follows it: shifted where
it was vouched for, as it is where the hold is over. A shift is a number beside the entry: nothing is written again,
and its checksum is over the shifted content. The offset is on the disk first, in one commit; the entries follow,
some in each commit (see `moving`), and are held until then.

Nothing with an epoch is ever fed to the analyzers: for them the span is a gap `clock`. What its events tell of
gaps, also of the time before it when the agent was off, is told again in trusted time when it is vouched for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent.frame import Event
from agent.spool import stamps
from agent.spool.adoption import BEGUN, CORRECTED, DOUBTED, LET_GO, MOVED, OVER, TAKEN, VOUCHED
from agent.spool.base import HELD, UNCONFIRMED, HeldEpoch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agent.frame import Item, Json
    from agent.spool.base import Stamping, State, Vouched
    from agent.spool.database import Database


class Part(NamedTuple):
    """Items that are committed alike."""

    items: list[Item]
    epoch: int | None
    state: int


class Moved(NamedTuple):
    """What an entry becomes when it is vouched for."""

    seq: int
    crc: bytes
    size: int
    rows: int
    committed_ns: int


Told = dict[int, dict["Json", Event]]
"""The last word of each gap, by its id, that the held entries of each epoch tell."""


def note(told: Told, epoch: int, items: Iterable[Item]) -> None:
    """Remember what a held entry tells of gaps.

    The gap `clock` itself is not among them: it is closed in trusted time by who has opened it.
    """
    for item in items:
        if isinstance(item, Event) and item.kind == "gap" and item.body.get("cause") != "clock":
            told.setdefault(epoch, {})[item.body.get("gap_id")] = item


def again(told: Told, vouched: Mapping[int, Vouched], clock: Stamping) -> list[Item]:
    """Return the last word of each gap in entries that are vouched for, under a trusted epoch, for the analyzers.

    That is the present one or, when trust has gone again, the one that has vouched.
    All of them come with the offset: what is told of the same gap later must not be followed by an older word.
    """
    last: dict[Json, Item] = {}
    for epoch, (shift, by) in vouched.items():
        digits = (clock.epoch if clock.trusted or by is None else by) % 1000
        for gap_id, event in told.get(epoch, {}).items():
            last[gap_id] = stamps.shifted(event, epoch, shift + digits - epoch % 1000)
    return list(last.values())


def parts(db: Database, items: list[Item], clock: Stamping, process: int, *, stamped: bool = True) -> list[Part]:
    """Part items by what becomes of them, and shift what has been vouched for.

    Args:
        db: Within the transaction that commits them.
        items: As `arrange` left them.
        clock: As it is now.
        process: Number of this process: the epochs of others are not in its items. It has had another number if
            its file was damaged and begun afresh; then it takes over what it had doubted under that.
        stamped: As the clock said it; what the ledger tells is of entries that have been shifted already.
    """
    known = {
        number: (shift, over)
        for number, shift, over in db.execute("SELECT number, shift, over FROM epoch WHERE process = ?", (process,))
    }
    doubted = clock.doubted if clock.trusted else ((clock.epoch, clock.anchor_ns), *clock.doubted)
    if not items or not (doubted or known):
        return [Part(items, None, UNCONFIRMED)] if items else []
    for number, anchor_ns in doubted:
        if number not in known:
            taken = db.execute("SELECT shift, over FROM epoch WHERE number = ?", (number,)).fetchone()
            if taken is None:
                db.write(DOUBTED, number, process, clock.boot_id, anchor_ns)
            else:
                db.write(TAKEN, process, number)
            known[number] = taken or (None, 0)
    for number, (shift, _) in known.items():
        if shift and stamped:
            items = [stamps.shifted(item, number, shift) for item in items]
    other = None if clock.trusted else clock.epoch
    parted = stamps.part(items, {number % 1000: number for number in known}, other)
    out = []
    for epoch in sorted(parted, key=lambda number: (number is None, number)):
        shift, over = known[epoch] if epoch is not None else (0, 1)
        out.append(Part(parted[epoch], epoch, HELD if shift is None and not over & 1 else UNCONFIRMED))
    return out


def with_trusted(items: list[Item], parted: list[Part]) -> list[Part]:
    """Put items whose time is known before those of the trusted part."""
    if not items:
        return parted
    others = [part for part in parted if part.epoch is not None]
    return [*others, Part([*items, *(i for p in parted if p.epoch is None for i in p.items)], None, UNCONFIRMED)]


def vouch(db: Database, state: State, epoch: int, shift: int, process: int) -> None:
    """Enter by how much the stamps of an epoch are shifted; its held entries follow by `move`.

    Args:
        db: Within a transaction.
        state: Rolled back with it.
        epoch: Number of the epoch.
        shift: Nanoseconds to add to its stamps.
        process: Number of this process, under which an epoch is entered that has no entries yet.
    """
    db.write(VOUCHED, epoch, process, shift)
    for table, column in (("reached", "ns"), ("open_gap", "from_ns"), ("still", "from_ns"), ("still", "to_ns")):
        db.write(
            f"UPDATE {table} SET {column} = {column} + ? WHERE {column} % 1000 = ?",  # noqa: S608 - names from above
            shift, epoch % 1000,
        )  # fmt: skip
    state.event_ns = _moved(state.event_ns, epoch, shift)
    if state.commit_ns is not None:
        state.commit_ns = _moved(state.commit_ns, epoch, shift)


def moving(db: Database) -> list[tuple[int, int, int]]:
    """Return (number, process, shift) of the epochs that are vouched for and have entries held still."""
    rows = db.execute(
        "SELECT number, process, shift FROM epoch WHERE shift IS NOT NULL "
        "AND EXISTS (SELECT 1 FROM entry WHERE state = 3 AND epoch = number) ORDER BY number"
    )
    return rows.fetchall()


def shifts(db: Database) -> dict[int, int]:
    """Return the shift of each epoch that is vouched for, by its last three digits."""
    rows = db.execute("SELECT number, shift FROM epoch WHERE shift IS NOT NULL ORDER BY number")
    return {number % 1000: shift for number, shift in rows}


def move(db: Database, state: State, epoch: tuple[int, int, int], moved: Iterable[Moved]) -> None:
    """Let entries of an epoch go that is vouched for, shifted.

    The offset is written down once more: who has nothing but the end of the journal has to know it for the rest.

    Args:
        db: Within a transaction.
        state: Rolled back with it.
        epoch: As `moving` has it.
        moved: Some of its held entries.
    """
    db.write(VOUCHED, *epoch)
    for one in moved:
        db.write(MOVED, epoch[2], one.crc, one.size, one.committed_ns, one.seq)
        _released(state, 1, one.rows)


def let_go(db: Database, state: State, epoch: int) -> None:
    """Let the entries of an epoch go as they are."""
    entries, rows = db.execute(
        "SELECT count(*), coalesce(sum(rows), 0) FROM entry WHERE epoch = ? AND state = 3", (epoch,)
    ).fetchone()
    db.write(LET_GO, epoch)
    db.write(OVER, epoch)
    _released(state, entries, rows)


def _released(state: State, entries: int, rows: int) -> None:
    state.held -= entries
    state.held_rows -= rows
    state.released += entries
    state.entries += entries
    state.rows += rows


def _moved(time_ns: int, epoch: int, shift: int) -> int:
    return time_ns + shift if (time_ns - epoch) % 1000 == 0 else time_ns


def held(db: Database) -> Sequence[HeldEpoch]:
    """Return the epochs that entries are held of."""
    rows = db.execute(
        "SELECT number, boot_id, anchor_ns, (SELECT count(*) FROM entry WHERE state = 3 AND epoch = number) AS n "
        "FROM epoch WHERE over & 1 = 0 ORDER BY number"
    )
    return [HeldEpoch(*row) for row in rows if row[3]]


def frozen(db: Database) -> Sequence[HeldEpoch]:
    """Return the epochs that were let go as they are, and of which no correction has been told."""
    rows = db.execute(
        "SELECT number, boot_id, anchor_ns, 0 FROM epoch WHERE over = 1 AND shift IS NULL ORDER BY number"
    )
    return [HeldEpoch(*row) for row in rows]


def follow(db: Database, items: Iterable[Item]) -> None:
    """Know which epochs these items correct; and let the next process begin behind those that they begin."""
    for item in items:
        if isinstance(item, Event) and item.kind == "clock_step":
            db.write(BEGUN, item.body.get("epoch", 0))
        elif isinstance(item, Event) and item.kind == "clock_correction":
            db.write(CORRECTED, item.body.get("epoch", 0))


def forget(db: Database, process: int) -> None:
    """Let go of the epochs of processes before this one, unless something is held of one or to be told of it."""
    db.execute(
        "DELETE FROM epoch WHERE process < ? AND number NOT IN (SELECT epoch FROM entry WHERE state = 3) "
        "AND NOT (over = 1 AND shift IS NULL)",
        (process,),
    )
