"""What one transaction does besides committing: it frees, gives up, and says so.

A `Ledger` lives for one transaction. Each gap that names rows is a `Loss`; those that may still change are kept
in the table `gap` with the entry that holds their latest event (the holder). Whatever a transaction changes is
told by an event at its end, in an entry that becomes the new holder.

Room is made by whole files of blocks, the oldest first, because nothing less gives the disk anything back. What
lies in the journal costs nothing more where it is; it goes only when its file has to be written over and there is
no room for blocks either.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from agent import entry as content
from agent.entry import Span
from agent.errors import WireError
from agent.frame import Event, FrameBlock
from agent.spool.base import ASIDE, CONFIRMED, HELD, KEPT, UNCONFIRMED, Kept
from agent.spool.gaps import OTHER, Loss

if TYPE_CHECKING:
    from collections.abc import Collection

    from agent.frame import GapCause, Item
    from agent.spool.base import Confirmation, State
    from agent.spool.database import Database
    from agent.spool.gaps import Stage
    from contract.payload import Rejected, WireEvent

logger = logging.getLogger(__name__)

REMEMBERED = 20_000  # entries given up whose late confirmation still shrinks their gap
AT_ONCE = 5_000  # entries given up in one transaction at most
CARRIED = 2_000  # gaps that name no rows and are told again in one transaction
FREE = "DELETE FROM entry WHERE seq = ?"
SETTLE = "UPDATE entry SET state = ? WHERE seq = ?"
_LIVE = "UPDATE block SET live = live - 1 WHERE id = ?"
_PAGE = 64

Read = Callable[[Kept, int], bytes]
"""Returns the canonical content of an entry, its stamps shifted by so much more, or raises `WireError`."""


class Ledger:
    """The effects of one transaction on entries and gaps.

    Args:
        db: Within a savepoint.
        state: Counters that are rolled back with it.
        spools: Names of spools by their key.
        process: Number of this process; entries of earlier ones may have been sent.
        contained: Last seq in the checkpoint: what is freed up to there can go at once.
        now_ns: The moment of this commit.
        sent: Entries that this process has sent.
        read: Gives contents.
    """

    def __init__(
        self,
        db: Database,
        state: State,
        spools: Mapping[int, str],
        process: int,
        contained: int,
        now_ns: int,
        *,
        sent: Collection[int],
        read: Read,
    ) -> None:
        self._db = db
        self._state = state
        self._spools = spools
        self._keys = {name: key for key, name in spools.items()}
        self._process = process
        self._contained = contained
        self._now = now_ns
        self._sent = sent
        self._read = read
        self.freed: list[int] = []
        """Entries that wait no more."""
        self._losses: dict[str, Loss] = {}  # changed, to be told
        self._carried: dict[str, Event] = {}  # unchanged, to be told again

    def events(self) -> list[Event]:
        """Return what this transaction has to say."""
        return [loss.event(self._now) for loss in self._losses.values()]

    def carried(self) -> list[Event]:
        """Return what it says again, at the times of then: a newer word of a gap may have been delivered since."""
        return sorted(self._carried.values(), key=lambda event: event.time_ns)

    def held(self, seq: int, items: list[Item]) -> None:
        """Note which entry holds the latest event of each gap that may still change."""
        for item in items:
            gap_id = item.body.get("gap_id") if isinstance(item, Event) else None
            if isinstance(gap_id, str) and (loss := self._losses.get(gap_id)) and loss.stage == "spool":
                if loss.runs:
                    self._db.write(
                        "INSERT OR REPLACE INTO gap VALUES (?, ?, ?)", gap_id, seq, msgspec.json.encode(loss)
                    )
                else:
                    self._db.write("DELETE FROM gap WHERE id = ?", gap_id)

    # What never became an entry

    def refuse(self, item: Item, problem: str) -> None:
        """Name what breaks the promises of its type and cannot be committed."""
        logger.error("%s is not stored: %s: this is a bug, please report it", type(item).__name__, problem)
        loss = self._new("rejected", "ring", self._state.spool, problem)
        loss.reach(self._now)
        if isinstance(item, FrameBlock) and len(item):
            loss.add([Span(item.source.id, int(item.time_ns.min()), int(item.time_ns.max()), len(item))])

    # Confirmations

    def confirm(self, confirmation: Confirmation) -> None:
        """Free what is stored or refused for ever, by (spool, seq, crc) alone."""
        stored, counts = confirmation.stored, confirmation.counts
        key = self._keys.get(stored.spool)
        if key is None:
            return
        for rejected in stored.rejected:
            if self._free(key, rejected.seq, rejected.crc) is not None:
                self._reject(key, rejected)
        total: Counter[tuple[str, str, int]] = Counter()
        for seq, crc in stored.stored:
            if self._free(key, seq, crc):
                for (day, name), buckets in counts.get((seq, crc), {}).items():
                    for bucket, n in buckets.items():
                        total[day, name, bucket] += n
        self._db.write_many(
            "INSERT INTO tally VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n",
            [(*place, n) for place, n in total.items()],
        )

    def _free(self, spool: int, seq: int, crc: str) -> bool | None:
        """Free one entry.

        Returns:
            True when it was waiting, False when it had been given up, None when it was free already.
        """
        digest = bytes.fromhex(crc)
        given_up = self._db.execute(
            "SELECT id, gap, spans FROM dropped WHERE seq = ? AND spool = ? AND crc = ?", (seq, spool, digest)
        ).fetchone()
        if given_up is not None:
            self._shrink(seq, *given_up)
            return False
        row = self._db.execute(
            "SELECT rows, block FROM entry WHERE seq = ? AND spool = ? AND crc = ? AND state = ?",
            (seq, spool, digest, UNCONFIRMED),
        ).fetchone()
        if row is None:
            self._state.duplicates += 1
            return None
        if seq <= self._contained:
            self._delete(seq, row[1])
        else:
            self._db.write(SETTLE, CONFIRMED, seq)
        self._state.entries -= 1
        self._state.rows -= row[0]
        self._state.confirmed_entries += 1
        self._state.confirmed_rows += row[0]
        self.freed.append(seq)
        return True

    def _delete(self, seq: int, block: int | None) -> None:
        self._db.write(FREE, seq)
        if block is not None:
            self._db.execute(_LIVE, (block,))  # after a crash it may lie in the journal again, and is packed anew

    def _shrink(self, seq: int, row: int, gap_id: str, spans: bytes) -> None:
        loss = self._loss(gap_id)
        if loss is not None:
            arrived = msgspec.json.decode(spans, type=list[Span])
            loss.remove(seq, arrived)
            n = sum(span.rows for span in arrived)
            self._state.dropped_rows -= n
            self._state.confirmed_rows += n
        self._db.write("DELETE FROM dropped WHERE id = ?", row)
        aside = self._db.execute("SELECT block FROM entry WHERE seq = ? AND state = ?", (seq, ASIDE)).fetchone()
        if aside is not None:
            self._delete(seq, aside[0])

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

    # Giving up

    def expire(self, before_ns: int, last: int) -> None:
        """Give up entries up to `last` that were committed before this moment.

        What was let go as it is keeps the time of a clock that was wrong: how old it is, nobody knows.
        """
        after = 0
        for _ in range(AT_ONCE // _PAGE):
            page = self._db.execute(
                KEPT + "WHERE state = 0 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (after, last, _PAGE)
            )
            victims = [Kept(*row) for row in page]
            known = [one for one in victims if one.shift or (one.committed_ns - (one.epoch or -1)) % 1000]
            old = [victim for victim in known if victim.committed_ns < before_ns]
            for victim in old:
                self._give_up(victim, "overflow")
            if len(old) < len(known) or len(victims) < _PAGE:
                return
            after = victims[-1].seq

    def let_go_settled(self, last: int) -> None:
        """Let go of what is set aside, or free but for the checkpoint: nothing more is lost by it."""
        settled = self._db.execute(
            "SELECT seq, block FROM entry WHERE state IN (1, 2) AND seq <= ? ORDER BY seq LIMIT ?", (last, AT_ONCE)
        ).fetchall()
        for seq, block in settled:
            self._delete(seq, block)

    def give_up_block(self, last: int) -> int:
        """Give up what waits in the oldest file of blocks, unless something in it comes after `last`.

        Returns:
            The bytes that the disk gets back, 0 when there is no such file.
        """
        found = self._db.execute(
            "SELECT id, bytes, last FROM block WHERE live > 0 AND last <= ? ORDER BY id LIMIT 1", (last,)
        ).fetchone()
        if found is None:
            return 0
        block, size, until = found
        inside = (block, until, block)
        waiting = KEPT + "WHERE seq BETWEEN ? AND ? AND block = ? AND state IN (0, 3) ORDER BY seq"
        for row in self._db.execute(waiting, inside).fetchall():
            self._give_up(Kept(*row), "overflow")
        rest = "SELECT seq FROM entry WHERE seq BETWEEN ? AND ? AND block = ?"
        for (seq,) in self._db.execute(rest, inside).fetchall():
            self._delete(seq, block)
        return int(size)

    def give_up_records(self, first: int, until: int, last: int) -> None:
        """Give up what waits in these records of the journal, up to entry `last`."""
        rows = self._db.execute(
            KEPT + "WHERE record BETWEEN ? AND ? AND state IN (0, 3) AND seq <= ? ORDER BY seq LIMIT ?",
            (first, until, last, AT_ONCE),
        ).fetchall()
        for row in rows:
            self._give_up(Kept(*row), "overflow")

    def drop_damaged(self, seq: int) -> None:
        """Give up an entry that the disk does not give back as it was written."""
        row = self._db.execute(KEPT + "WHERE state IN (0, 3) AND seq = ?", (seq,)).fetchone()
        if row is not None:
            self._give_up(Kept(*row), "overflow", "damaged on the disk")

    def set_aside(self, birth: int) -> None:
        """Give up all entries of a birth that is lost; they stay on the disk while there is room."""
        rows = self._db.execute(KEPT + "WHERE birth = ? AND state = 0 ORDER BY seq", (birth,)).fetchall()
        for row in rows:
            self._give_up(Kept(*row), "birth_lost")
        if rows:
            logger.error("%d entries are set aside: the tag dictionary they were written under is lost", len(rows))

    def _give_up(self, victim: Kept, cause: GapCause, reason: str = "") -> None:
        seq, spool = victim.seq, victim.spool
        held, offset = self._held(victim)
        shift = offset or 0
        committed_ns = victim.committed_ns + (
            shift if (victim.committed_ns - (victim.epoch or 0)) % 1000 == 0 else 0
        )
        loss = self._growing(cause, spool, reason)
        try:
            spans, events, facts = content.summary(self._read(victim, shift))
        except (WireError, msgspec.DecodeError, OSError):
            spans = [Span(OTHER, committed_ns, committed_ns, victim.rows)] if victim.rows else []
            events, facts = [], 0
        loss.reach(committed_ns)
        loss.add(spans)
        never = held and offset is None
        loss.list_entry(seq, sent=seq in self._sent or (victim.process < self._process and not never))
        loss.events += facts
        if cause == "birth_lost":
            self._db.write(SETTLE, ASIDE, seq)
        else:
            self._delete(seq, victim.block)
        self._db.write(
            "INSERT INTO dropped (spool, seq, crc, gap, spans) VALUES (?, ?, ?, ?, ?)",
            spool, seq, victim.crc, loss.gap_id, msgspec.json.encode(spans),
        )  # fmt: skip
        if held:
            self._state.held -= 1
            self._state.held_rows -= victim.rows
        else:
            self._state.entries -= 1
            self._state.rows -= victim.rows
        self._state.dropped_rows += victim.rows
        self.freed.append(seq)
        for (gap_id,) in self._db.execute("SELECT id FROM gap WHERE holder = ?", (seq,)).fetchall():
            self._loss(gap_id)
        for event in events:
            self._carry(event, loss)

    def _held(self, victim: Kept) -> tuple[bool, int | None]:
        """Return whether an entry is held, and what its stamps would have been shifted by if it is vouched for.

        Taken over without a database, what is vouched for may be held again, and have been sent before.
        """
        row = self._db.execute(
            "SELECT e.shift FROM entry LEFT JOIN epoch AS e ON e.number = entry.epoch WHERE seq = ? AND state = ?",
            (victim.seq, HELD),
        ).fetchone()
        return row is not None, row and row[0]

    def _carry(self, event: WireEvent, loss: Loss) -> None:
        """Tell again of a gap whose entry goes; other events, and gaps still open, go with the entry.

        An open gap has a later version that closes it, which must not be followed by an older one. A correction of
        a clock is told again as well: what it corrects may have been delivered long before, and nobody else knows.
        """
        if event.kind == "clock_correction":
            self._carried[f"{event.kind} {event.body.get('epoch')}"] = content.event(event)
            return
        gap_id = event.body.get("gap_id") if event.kind == "gap" else None
        if isinstance(gap_id, str) and event.to is not None:
            if self._db.execute("SELECT 1 FROM gap WHERE id = ?", (gap_id,)).fetchone() is not None:
                return  # told by `_losses`, or by a later entry
            if "sources" in event.body or len(self._carried) < CARRIED:
                told, known = content.event(event), self._carried.get(gap_id)
                if known is None or known.time_ns <= told.time_ns:  # what is told again comes behind what is newer
                    self._carried[gap_id] = told
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
