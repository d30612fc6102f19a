"""What one transaction does besides committing: it frees, gives up, and says so.

A `Ledger` lives for one transaction. Each gap that names rows is a `Loss`; those that may still change are kept
in the table `gap` with the entry that holds their latest event (the holder). Whatever a transaction changes is
told by an event at its end, in an entry that becomes the new holder.
"""

from __future__ import annotations

import logging
import os
import secrets
from typing import TYPE_CHECKING

import msgspec

from agent import entry as content
from agent.entry import Span
from agent.errors import WireError
from agent.frame import Event, FrameBlock
from agent.spool.base import ASIDE, CONFIRMED, EVERYTHING, UNCONFIRMED
from agent.spool.gaps import OTHER, Loss
from contract import codec

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from agent.frame import GapCause, Item
    from agent.spool.base import Account, Confirmation, Decode, Limits, State
    from agent.spool.gaps import Stage
    from contract.payload import Rejected, WireEvent

logger = logging.getLogger(__name__)

REMEMBERED = 20_000  # entries given up whose late confirmation still shrinks their gap
AT_ONCE = 5_000  # entries given up in one transaction at most
CARRIED = 2_000  # gaps that name no rows and are told again in one transaction
SLACK = 128  # part of the room that is made at a time, so that not every commit has to
_PAGE = 64
_VICTIM = "SELECT seq, spool, crc, process, committed_ns, rows, body FROM entry "

_Victim = tuple[int, int, bytes, int, int, int, bytes]


def verified(body: bytes, crc: bytes) -> bytes:
    """Return the canonical content of an entry.

    Raises:
        WireError: not what was committed.
    """
    raw = codec.decompress(body, codec.DATA_LIMIT)
    if codec.checksum(raw) != crc.hex():
        raise WireError("its checksum differs")
    return raw


class Ledger:
    """The effects of one transaction on entries and gaps.

    Args:
        db: Inside a transaction.
        state: Counters that are rolled back with it.
        spools: Names of spools by their key.
        process: Number of this process; entries of earlier ones may have been sent.
        contained: Last seq in the checkpoint: what is freed up to there can go at once.
        now_ns: The moment of this commit.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        state: State,
        spools: Mapping[int, str],
        process: int,
        contained: int,
        now_ns: int,
    ) -> None:
        self._db = db
        self._state = state
        self._spools = spools
        self._keys = {name: key for key, name in spools.items()}
        self._process = process
        self._contained = contained
        self._now = now_ns
        self._losses: dict[str, Loss] = {}  # changed, to be told
        self._carried: dict[str, Event] = {}  # unchanged, to be told again

    def events(self) -> list[Event]:
        """Return what this transaction has to say."""
        return [*self._carried.values(), *(loss.event(self._now) for loss in self._losses.values())]

    def held(self, seq: int, items: list[Item]) -> None:
        """Note which entry holds the latest event of each gap that may still change."""
        for item in items:
            gap_id = item.body.get("gap_id") if isinstance(item, Event) else None
            if isinstance(gap_id, str) and (loss := self._losses.get(gap_id)) and loss.stage == "spool":
                if loss.runs:
                    self._db.execute(
                        "INSERT OR REPLACE INTO gap VALUES (?, ?, ?)", (gap_id, seq, msgspec.json.encode(loss))
                    )
                else:
                    self._db.execute("DELETE FROM gap WHERE id = ?", (gap_id,))

    # What never became an entry

    def refuse(self, item: Item, problem: str) -> None:
        """Name what breaks the promises of its type and cannot be committed."""
        logger.error("%s is not stored: %s: this is a bug, please report it", type(item).__name__, problem)
        loss = self._new("rejected", "ring", self._state.spool, problem)
        loss.reach(self._now)
        if isinstance(item, FrameBlock) and len(item):
            loss.add([Span(item.source.id, int(item.time_ns.min()), int(item.time_ns.max()), len(item))])

    # Confirmations

    def confirm(self, confirmation: Confirmation, account: Account | None, decode: Decode) -> None:
        """Free what is stored or refused for ever, by (spool, seq, crc) alone."""
        stored, clean = confirmation
        key = self._keys.get(stored.spool)
        if key is None:
            return
        for rejected in stored.rejected:
            if self._free(key, rejected.seq, rejected.crc) is not None:
                self._reject(key, rejected)
        for seq, crc in stored.stored:
            row = self._free(key, seq, crc)
            if not row or account is None:
                continue
            try:
                items = decode(*row)
            except WireError as exc:
                logger.warning("entry %d is stored, but damaged here: it does not count for latency: %s", seq, exc)
                continue
            fresh = stored.clock_trusted and (stored.spool, seq) in clean
            self._count(account, items, int(stored.committed_at), clean=fresh)

    def _free(self, spool: int, seq: int, crc: str) -> tuple[int, bytes, bytes] | tuple[()] | None:
        """Free one entry.

        Returns:
            (birth, crc, body) when it was waiting, () when it had been given up, None when it was free already.
        """
        digest = bytes.fromhex(crc)
        row = self._db.execute(
            "SELECT state, rows, birth, body FROM entry WHERE seq = ? AND spool = ? AND crc = ?",
            (seq, spool, digest),
        ).fetchone()
        given_up = self._db.execute(
            "SELECT id, gap, spans FROM dropped WHERE seq = ? AND spool = ? AND crc = ?", (seq, spool, digest)
        ).fetchone()
        if given_up is not None:
            return self._shrink(seq, *given_up)
        if row is None or row[0] != UNCONFIRMED:
            self._state.duplicates += 1
            return None
        if seq <= self._contained:
            self._db.execute("DELETE FROM entry WHERE seq = ?", (seq,))
        else:
            self._db.execute("UPDATE entry SET state = ? WHERE seq = ?", (CONFIRMED, seq))
        self._state.entries -= 1
        self._state.rows -= row[1]
        self._state.confirmed_entries += 1
        self._state.confirmed_rows += row[1]
        self._state.sent.discard(seq)
        return row[2], digest, row[3]

    def _shrink(self, seq: int, row: int, gap_id: str, spans: bytes) -> tuple[()]:
        loss = self._loss(gap_id)
        if loss is not None:
            arrived = msgspec.json.decode(spans, type=list[Span])
            loss.remove(seq, arrived)
            n = sum(span.rows for span in arrived)
            self._state.dropped_rows -= n
            self._state.confirmed_rows += n
        self._db.execute("DELETE FROM dropped WHERE id = ?", (row,))
        self._db.execute("DELETE FROM entry WHERE seq = ? AND state = ?", (seq, ASIDE))
        return ()

    def _reject(self, spool: int, rejected: Rejected) -> None:
        # named after the entry: a box with a copy of this disk gives it the same name
        name = f"rejected-{self._spools[spool]}-{rejected.seq}-{rejected.crc}"
        loss = self._new("rejected", "store", spool, rejected.reason[:500], name)
        loss.add(Span(source, int(first), int(last), n) for source, first, last, n in rejected.rows)
        if not rejected.rows:
            loss.reach(self._now)
        loss.list_entry(rejected.seq, sent=True)
        self._state.rejected_rows += loss.rows
        self._state.confirmed_rows -= loss.rows

    def _count(self, account: Account, items: list[Item], committed_at_ns: int, *, clean: bool) -> None:
        for (day, key), buckets in account(items, committed_at_ns, clean).items():
            self._db.executemany(
                "INSERT INTO tally VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
                [(day, key, bucket, n) for bucket, n in buckets.items()],
            )

    # Giving up

    def make_room(self, path: Path, limits: Limits, last: int, inserted: int, *, trusted: bool) -> None:
        """Give up the oldest entries up to `last` while the file is too large, too old, or the disk too full.

        Args:
            path: The file.
            limits: What it may take.
            last: Entries after this one stay.
            inserted: Bytes that this transaction has added.
            trusted: Whether ages may be believed.
        """
        if (need := self._need(path, limits, inserted)) > 0:
            # what is set aside, or free but for the checkpoint, goes first: nothing more is lost by it
            self._db.execute(
                "DELETE FROM entry WHERE seq IN "
                "(SELECT seq FROM entry WHERE state != 0 AND seq <= ? ORDER BY seq LIMIT ?)",
                (last, AT_ONCE),
            )
            need = self._need(path, limits, inserted)
        enough = self._used() - need - limits.max_bytes // SLACK if need > 0 else EVERYTHING
        too_old = self._now - limits.max_age_ns if trusted else 0
        for _ in range(AT_ONCE // _PAGE):
            page = self._db.execute(
                _VICTIM + "WHERE state = 0 AND seq <= ? ORDER BY seq LIMIT ?", (last, _PAGE)
            ).fetchall()
            for victim in page:
                if self._used() <= enough and victim[4] >= too_old:
                    return
                self._give_up(victim, "overflow")
            if not page:
                return

    def _need(self, path: Path, limits: Limits, inserted: int) -> int:
        need = self._used() - limits.max_bytes
        disk = os.statvfs(path.parent)
        if disk.f_bavail * disk.f_frsize < limits.min_free_bytes:  # then the file must not grow
            need = max(need, inserted - self._pragma("freelist_count") * self._pragma("page_size"))
        return need

    def drop_damaged(self, seq: int) -> None:
        """Give up an entry that the disk does not give back as it was written."""
        victim = self._db.execute(_VICTIM + "WHERE state = 0 AND seq = ?", (seq,)).fetchone()
        if victim is not None:
            self._give_up(victim, "overflow", "damaged on the disk")

    def set_aside(self, birth: int) -> None:
        """Give up all entries of a birth that is lost; they stay in the file while there is room."""
        victims = self._db.execute(_VICTIM + "WHERE birth = ? AND state = 0 ORDER BY seq", (birth,)).fetchall()
        for victim in victims:
            self._give_up(victim, "birth_lost")
        if victims:
            logger.error(
                "%d entries are set aside: the tag dictionary they were written under is lost", len(victims)
            )

    def _give_up(self, victim: _Victim, cause: GapCause, reason: str = "") -> None:
        seq, spool, crc, process, committed_ns, rows, body = victim
        loss = self._growing(cause, spool, reason)
        try:
            raw = verified(body, crc)
            spans, events, facts = content.summary(raw)
        except (WireError, msgspec.DecodeError):
            spans, events, facts = [Span(OTHER, committed_ns, committed_ns, rows)] if rows else [], [], 0
        loss.reach(committed_ns)
        loss.add(spans)
        loss.list_entry(seq, sent=process < self._process or seq in self._state.sent)
        loss.events += facts
        if cause == "birth_lost":
            self._db.execute("UPDATE entry SET state = ? WHERE seq = ?", (ASIDE, seq))
        else:
            self._db.execute("DELETE FROM entry WHERE seq = ?", (seq,))
        self._db.execute(
            "INSERT INTO dropped (spool, seq, crc, gap, spans) VALUES (?, ?, ?, ?, ?)",
            (spool, seq, crc, loss.gap_id, msgspec.json.encode(spans)),
        )
        self._state.entries -= 1
        self._state.rows -= rows
        self._state.dropped_rows += rows
        self._state.sent.discard(seq)
        for held in self._db.execute("SELECT id FROM gap WHERE holder = ?", (seq,)).fetchall():
            self._loss(held[0])
        for event in events:
            self._carry(event, loss)

    def _carry(self, event: WireEvent, loss: Loss) -> None:
        """Tell again of a gap whose entry goes; other events, and gaps still open, go with the entry.

        An open gap has a later version that closes it, which must not be followed by an older one.
        """
        gap_id = event.body.get("gap_id") if event.kind == "gap" else None
        if isinstance(gap_id, str) and event.to is not None:
            if self._db.execute("SELECT 1 FROM gap WHERE id = ?", (gap_id,)).fetchone() is not None:
                return  # told by `_losses`, or by a later entry
            if "sources" in event.body or len(self._carried) < CARRIED:
                self._carried[gap_id] = content.event(event)
                return
        loss.events += 1

    # Gaps

    def _new(self, cause: GapCause, stage: Stage, spool: int, reason: str = "", gap_id: str = "") -> Loss:
        loss = Loss(gap_id or secrets.token_hex(8), cause, stage, self._spools[spool], reason=reason)
        self._losses[loss.gap_id] = loss
        return loss

    def _loss(self, gap_id: str) -> Loss | None:
        """Return a gap that may still change; it will be told again."""
        if gap_id not in self._losses:
            row = self._db.execute("SELECT body FROM gap WHERE id = ?", (gap_id,)).fetchone()
            if row is None:
                return None
            self._losses[gap_id] = msgspec.json.decode(row[0], type=Loss)
        return self._losses[gap_id]

    def _growing(self, cause: GapCause, spool: int, reason: str) -> Loss:
        """Return the gap that grows: one is told anew as long as nobody has confirmed its last event."""
        for loss in reversed(self._losses.values()):
            if loss.fits(cause, self._spools[spool], reason):
                return loss
        row = self._db.execute("SELECT holder, body FROM gap ORDER BY holder DESC LIMIT 1").fetchone()
        if row is not None and self._waits(row[0]):
            loss = msgspec.json.decode(row[1], type=Loss)
            if loss.gap_id not in self._losses and loss.fits(cause, self._spools[spool], reason):
                self._losses[loss.gap_id] = loss
                return loss
        return self._new(cause, "spool", spool, reason)

    def _waits(self, seq: int) -> bool:
        row = self._db.execute("SELECT 1 FROM entry WHERE seq = ? AND state = ?", (seq, UNCONFIRMED)).fetchone()
        return row is not None

    def _pragma(self, name: str) -> int:
        value: int = self._db.execute(f"PRAGMA {name}").fetchone()[0]
        return value

    def _used(self) -> int:
        return (self._pragma("page_count") - self._pragma("freelist_count")) * self._pragma("page_size")
