"""The spool against a model: a dictionary that never forgets, while the real one is killed, damaged, copied, full.

The file is real. Killing drops the process's state and opens the file again (SIGKILL itself is in `test_killed`).
The stand-in for the analyzers is a hash chain over every item: any entry fed twice, left out or out of order
changes it for ever. TSQ_EXAMPLES sets how many histories are played.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agent import entry
from agent.frame import DataType, Event, Value, Watermark
from agent.spool import Limits, Spool
from contract.payload import Rejected, Stored
from tests.support.clocks import FakeClock
from tests.support.items import birth_of, frame, source
from tests.support.memory import SHARED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.frame import Item

pytestmark = pytest.mark.timeout(400)  # a failing history is made small before it is shown

EXAMPLES = int(os.environ.get("TSQ_EXAMPLES", "30"))
SOURCES = (source("a.main", 20, DataType.STRING), source("b.main", 5))


class Chain:
    """Evidence that depends on every item and its place."""

    def __init__(self, state: bytes | None = None) -> None:
        self.value = state or b"begin"
        self.closed: dict[str, bytes] = {}

    def feed(self, items: Sequence[Item]) -> None:
        """Hash an entry's items."""
        self.value = hashlib.blake2b(self.value + entry.encode(items, 1), digest_size=16).digest()
        self.closed[f"2026-{len(self.closed) % 12 + 1:02}-01"] = self.value

    def state(self) -> bytes:
        """Return the hash."""
        return self.value

    def take_closed(self) -> Mapping[str, bytes]:
        """Return something to keep with the checkpoint."""
        closed, self.closed = self.closed, {}
        return closed


def account(
    items: Sequence[Item],
    committed_at_ns: int,
    clean: bool,  # noqa: FBT001 - the type says so
) -> Mapping[tuple[str, str], Mapping[int, int]]:
    """Count the rows of an entry."""
    return {(str(committed_at_ns), "clean" if clean else "dirty"): {7: entry.rows(items)}}


class SpoolMachine(RuleBasedStateMachine):
    """One spool, and the truth about it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="tsq-spool-", dir=SHARED))
        self.clock = FakeClock()
        self.box = "box-0"
        self.number = 0
        self.limits = Limits()
        self.committed: dict[int, tuple[str, str, int]] = {}  # seq -> spool, crc, rows; all there ever were
        self.waiting: set[int] = set()  # unconfirmed, as far as the model knows; the spool may give up the oldest
        self.gone: set[int] = set()  # confirmed or rejected
        self.chain = Chain()
        self.counted: Counter[tuple[str, str]] = Counter()
        self.gaps: dict[str, Event] = {}
        self.offered = 0
        self.unsaid = 0  # rows put since the last commit
        self.duplicates = 0

    @initialize(small=st.booleans())
    def begin(self, small: bool) -> None:  # noqa: FBT001 - hypothesis passes names
        self.limits = Limits(max_bytes=260_000 if small else 10**9, min_free_bytes=0)
        self.open()

    def open(self) -> None:
        self.spool = Spool(
            self.folder,
            birth=birth_of("hanil", "main", "edge-1", SOURCES),
            sources=SOURCES,
            limits=self.limits,
            account=account,
            fingerprint=lambda: self.box,
            checkpoint_entries=5,
        )
        self.evidence = Chain(self.spool.checkpoint_state())
        for _, items in self.spool.replay():
            self.evidence.feed(items)
        self.spool.begin(self.clock, self.evidence)
        self.seen = self.spool._journal.seq
        self.duplicates = 0

    def close(self) -> None:
        self.spool._journal.close()
        self.unsaid = 0

    def teardown(self) -> None:
        if hasattr(self, "spool"):
            self.spool._journal.close()
        shutil.rmtree(self.folder)

    # What the agent does

    @rule(n=st.integers(1, 5), mark=st.booleans(), tell=st.booleans())
    def put(self, n: int, mark: bool, tell: bool) -> None:  # noqa: FBT001 - hypothesis passes names
        for _ in range(n):
            self.number += 1
            rng = random.Random(self.number)
            one = SOURCES[self.number % 2]
            texts: list[Value] = [rng.randbytes(30).hex() for _ in one.signals]
            block = frame(one, self.clock.now(), texts if one is SOURCES[0] else None, first=self.number)
            self.spool.put(block)
            self.unsaid += len(block)
            self.clock.advance(0.01)
        if mark:
            self.spool.put(Watermark("a.main", self.clock.now()))
        if tell:
            self.spool.put(Event(kind="link_up", time_ns=self.clock.now(), source="b.main"))

    @rule()
    def tick(self) -> None:
        self.clock.advance(1)
        self.spool.tick()
        rows = 0
        for seq, items in self.spool._journal.replay(self.seen):
            crc = self.spool._journal._db.execute("SELECT crc FROM entry WHERE seq = ?", (seq,)).fetchone()[0].hex()
            self.committed[seq] = (self.spool.id, crc, entry.rows(items))
            self.waiting.add(seq)
            self.chain.feed(items)
            rows += entry.rows(items)
            self.seen = seq
            for item in items:
                if isinstance(item, Event) and item.kind == "gap":
                    self.gaps[str(item.body["gap_id"])] = item
        assert rows == self.unsaid, "everything put is committed, once"
        self.unsaid = 0

    @rule(times=st.integers(5, 30))
    def put_and_tick_for_long(self, times: int) -> None:
        for _ in range(times):
            self.put(4, mark=False, tell=False)
            self.tick()

    # What the gateway says

    def _known(self, pick: int) -> int | None:
        known = sorted(self.waiting)
        return known[pick % len(known)] if known else None

    @rule(pick=st.integers(0, 1000), clean=st.booleans(), twice=st.booleans())
    def confirm(self, pick: int, clean: bool, twice: bool) -> None:  # noqa: FBT001 - hypothesis passes names
        seq = self._known(pick)
        if seq is None:
            return
        spool, crc, rows = self.committed[seq]
        listed = self._listed()
        stored = Stored(spool, [(seq, crc)], str(self.clock.now()), clock_trusted=True, worker="w")
        for _ in range(2 if twice else 1):
            self.spool.confirm(stored, frozenset({(spool, seq)}) if clean else frozenset())
        if seq not in listed:  # an entry given up has no content here that could be counted
            self.counted[str(self.clock.now()), "clean" if clean else "dirty"] += rows
        self.waiting.discard(seq)
        self.gone.add(seq)
        self.tick()
        assert seq not in self._lists(), "it has arrived after all"

    @rule(pick=st.integers(0, 1000), rows=st.integers(0, 5))
    def reject(self, pick: int, rows: int) -> None:
        seq = self._known(pick)
        if seq is None:
            return
        spool, crc, _ = self.committed[seq]
        rejected = Rejected(seq, crc, "no", [("a.main", "1", "2", rows)] if rows else [])
        for _ in range(2):
            self.spool.confirm(Stored(spool, [], "0", clock_trusted=True, worker="w", rejected=[rejected]))
        self.waiting.discard(seq)
        self.gone.add(seq)
        self.tick()
        told = [
            g
            for g in self.gaps.values()
            if g.body["cause"] == "rejected" and g.body["entries"] == [[seq, seq, "yes"]]
        ]
        assert [g.body["rows"] for g in told] == [rows]
        assert seq not in self._lists()

    @rule(pick=st.integers(0, 1000))
    def confirm_something_else(self, pick: int) -> None:
        seq = self._known(pick)
        if seq is None:
            return
        spool, crc, _ = self.committed[seq]
        self.tick()
        before = self.spool.stats()
        for other in (
            Stored(spool, [(seq, crc[::-1])], "0", clock_trusted=True, worker="w"),
            Stored(spool[::-1], [(seq, crc)], "0", clock_trusted=True, worker="w"),
            Stored(spool, [(seq + 10**6, crc)], "0", clock_trusted=True, worker="w"),
        ):
            if (other.stored[0][1], other.spool) != (crc, spool) or other.stored[0][0] != seq:
                self.spool.confirm(other)
        self.tick()
        after = self.spool.stats()
        assert (after.confirmed_entries, after.confirmed_rows) == (before.confirmed_entries, before.confirmed_rows)
        assert after.duplicates > before.duplicates

    # What happens to the box

    @rule()
    def killed(self) -> None:
        self.close()
        self.open()

    @rule()
    def stopped(self) -> None:
        self.spool.stop()
        self._catch_up()
        self.close()
        self.open()

    def _catch_up(self) -> None:
        """Note what the last commit of a process held."""
        spool = Spool(
            self.folder,
            birth=birth_of("hanil", "main", "edge-1", SOURCES),
            sources=SOURCES,
            limits=self.limits,
            fingerprint=lambda: self.box,
        )
        for seq, items in spool._journal.replay(self.seen):
            crc = spool._journal._db.execute("SELECT crc FROM entry WHERE seq = ?", (seq,)).fetchone()[0].hex()
            self.committed[seq] = (spool.id, crc, entry.rows(items))
            self.waiting.add(seq)
            self.chain.feed(items)
            for item in items:
                if isinstance(item, Event) and item.kind == "gap":
                    self.gaps[str(item.body["gap_id"])] = item
        spool._journal.close()

    @rule()
    def the_disk_is_put_into_another_box(self) -> None:
        self.close()
        old = self.spool.id
        self.box += "'"
        self.open()
        assert self.spool.id != old
        # gaps of the first box can no longer shrink here
        self.waiting -= self._listed()
        self.gone |= self._listed()

    @precondition(lambda self: self.limits.max_bytes > 10**6)
    @rule(place=st.floats(0, 1), length=st.integers(100, 8000))
    def the_file_is_damaged(self, place: float, length: int) -> None:
        """Garbage somewhere in the file: whatever it hits, the spool goes on and says what it lost."""
        self.spool.stop()
        path = self.folder / "spool.db"
        raw = bytearray(path.read_bytes())
        at = int(place * max(0, len(raw) - length))
        raw[at : at + length] = random.Random(length).randbytes(length)
        path.write_bytes(raw)
        before = self.spool.id
        self.open()
        self.put(1, mark=True, tell=False)
        for _ in range(12):
            self.clock.advance(1)
            self.spool.tick()
        assert not self.spool._ring.rows, "it takes data again"
        if self.spool.id != before:
            assert list(self.folder.glob("spool.db.damaged-*"))
            told = [
                item.body
                for _, items in self.spool._journal.replay(0)
                for item in items
                if isinstance(item, Event) and str(item.body.get("reason", "")).startswith("damaged")
            ]
            assert told, "the loss is recorded"
        self.spool._journal.close()
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        self.__init_model()
        self.open()

    def __init_model(self) -> None:
        """Begin anew: which rows survive damage is not ours to predict."""
        self.committed, self.waiting, self.gone, self.gaps = {}, set(), set(), {}
        self.chain, self.counted, self.unsaid = Chain(), Counter(), 0

    # What must hold

    def _lists(self) -> list[int]:
        """Numbers of entries as often as a gap lists them as given up."""
        out: list[int] = []
        for gap in self.gaps.values():
            runs: Any = gap.body["entries"] if gap.body["cause"] == "overflow" else []
            for first, last, _ in runs:
                out += range(first, last + 1)
        return out

    def _listed(self) -> set[int]:
        return set(self._lists())

    @invariant()
    def every_entry_waits_or_is_free_or_stands_in_one_gap(self) -> None:
        if not hasattr(self, "spool"):
            return
        there = {e.seq: (e.spool, e.crc) for e in self.spool.unconfirmed(0, None, 10**6)}
        listed = self._listed()
        assert there == {seq: self.committed[seq][:2] for seq in self.waiting - listed}
        assert not listed & set(there)
        assert len(self._lists()) == len(listed), "no entry stands in two gaps"
        bodies: list[Any] = [gap.body for gap in self.gaps.values()]
        told = sum(body["rows"] for body in bodies if body["cause"] == "overflow")
        assert told == sum(self.committed[seq][2] for seq in listed)

    @invariant()
    def the_evidence_contains_every_committed_entry_once(self) -> None:
        if hasattr(self, "spool"):
            assert self.evidence.value == self.chain.value

    @invariant()
    def counts_are_exact(self) -> None:
        if not hasattr(self, "spool"):
            return
        tallies = {key: buckets[7] for key, buckets in self.spool.tallies().items() if buckets[7]}
        assert tallies == {key: n for key, n in self.counted.items() if n}
        stats = self.spool.stats()
        waiting = self.waiting - self._listed()
        assert (stats.entries, stats.rows) == (len(waiting), sum(self.committed[s][2] for s in waiting))

    @invariant()
    def the_file_stays_within_its_limit(self) -> None:
        if hasattr(self, "spool"):
            assert self.spool.stats().bytes <= self.limits.max_bytes + 60_000, "one commit more, at most"
            db = self.spool._journal._db
            sums = "SELECT coalesce(sum(bytes), 0), coalesce(sum(bytes * (live > 0)), 0) FROM block"
            assert db.block_bytes() == db.execute(sums).fetchone()


TestSpool = SpoolMachine.TestCase
TestSpool.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
