"""The books: what a spool has promised, and whether one that was opened after a fault keeps it.

`Books` takes what a `Plant` tells, in order, and `examine` opens a folder as it is after the fault. What must hold:

- Every entry that was promised and not confirmed waits with the very bytes, or is listed in a gap that says so.
- A number that was promised is never given to other content.
- The evidence restored and replayed is what an uninterrupted run gives for exactly these entries.
- Each gap that was told is told still, and closed; what the process left open is closed by the next.
- Every frame that was promised is in an entry.
- The spool goes on: it commits, hands out, is freed, stops, and opens again.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from agent import entry
from agent.frame import FrameBlock
from contract import codec
from contract.payload import Stored
from tests.faults.plant import BEFORE, SHIFT_NS, Chain, Kept, Told, contents, open_spool, reading, sources_of
from tests.support.clocks import FakeClock
from tests.support.items import START_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from agent.frame import Item


class Gap(NamedTuple):
    """The last that was told of a gap."""

    seq: int
    spool: str
    open: bool
    cause: str
    runs: tuple[tuple[int, int], ...]
    rows: int
    reason: str
    from_ns: int
    to_ns: int


ROWS = {source.id: len(source.signals) for source in BEFORE}
"""Signals of each source, at least."""
YEAR_NS = 365 * 86400 * 10**9
COMMITS = 100
"""In which what is vouched for must have been let go."""


def items_of(kept: Kept, births: dict[str, str]) -> list[Item]:
    """Return the items of an entry."""
    config = births.get(kept.birth, "before")
    return entry.decode(kept.raw, {source.id: source for source in sources_of(config)})


def gaps_of(kept: Kept) -> Iterator[tuple[str, Gap]]:
    """Yield the gap events of an entry: (gap id, what it says)."""
    for event in msgspec.json.decode(kept.raw, type=_Events).events:
        if event.kind == "gap":
            body = event.body
            runs = tuple(
                (int(a), int(b)) for a, b, _ in cast("list[tuple[int, int, str]]", body.get("entries", []))
            )
            named = str(body.get("spool", kept.spool))
            rows, reason = cast("int", body.get("rows", 0)), str(body.get("reason", ""))
            span = int(event.from_ or 0), int(event.to or 0)
            gap = Gap(kept.seq, named, event.to is None, str(body.get("cause")), runs, rows, reason, *span)
            yield str(body["gap_id"]), gap


class _Event(msgspec.Struct, rename={"from_": "from"}):
    kind: str
    body: dict[str, object]
    from_: str | None = None
    to: str | None = None


class _Events(msgspec.Struct):
    events: list[_Event]


class Books:
    """What has been promised so far."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.entries: dict[tuple[str, int], str] = {}  # (spool, seq) -> crc
        self.rows: dict[tuple[str, int], int] = {}
        self.times: dict[tuple[str, int], list[int]] = {}  # of the frames of an entry
        self.confirming: set[tuple[str, int]] = set()
        self.gaps: dict[str, Gap] = {}  # as told by all promised entries
        self.gone: dict[str, Gap] = {}  # as told by those that are confirmed: the store has them
        self.chain = b""
        self.last: dict[str, int] = {}  # spool -> its highest number
        self.frames: set[tuple[str, int]] = set()  # promised, and in no entry yet
        self.births: dict[str, str] = {}
        self._gaps_in: dict[tuple[str, int], list[tuple[str, Gap]]] = {}

    def add(self, told: Told) -> None:
        """Take what a plant has told."""
        self.now_ns = told.now_ns
        self.births.update(told.births)
        self.frames.update(told.frames)
        for kept in told.entries:
            key = (kept.spool, kept.seq)
            known = self.entries.get(key, kept.crc)  # a new life tells again what it has found
            assert kept.crc == known, f"number {kept.seq} was given to other content"
            assert codec.checksum(kept.raw) == kept.crc, f"entry {kept.seq} was not handed out as it was committed"
            self.entries[key] = kept.crc
            self.last[kept.spool] = max(self.last.get(kept.spool, 0), kept.seq)
            self._gaps_in[key] = list(gaps_of(kept))
            self.gaps.update(self._gaps_in[key])
            self.rows[key], self.times[key] = 0, []
            for item in items_of(kept, self.births):
                if isinstance(item, FrameBlock):
                    self.rows[key] += len(item)
                    self.times[key].append(int(item.time_ns[0]))
            self.frames.difference_update(_frames(kept, self.births))
        if told.chain:
            self.chain = told.chain
        for key in told.confirming:
            self.confirming.add(key)
            for name, gap in self._gaps_in.get(key, []):
                if name not in self.gone or self.gone[name].seq < gap.seq:
                    self.gone[name] = gap

    @property
    def given_up(self) -> int:
        """Entries that gaps list."""
        return sum(b - a + 1 for gap in self.gaps.values() for a, b in gap.runs)


def examine(
    folder: Path,
    books: Books,
    *,
    thorough: bool = False,
    damaged: bool = False,
    unseen: int = 0,
    config: str = "before",
    box: str = "box",
) -> list[str]:
    """Open what is left and compare it with the books.

    Args:
        folder: Is changed.
        books: What was promised before the fault.
        thorough: Deliver everything, stop, and open once more.
        damaged: What was on the disk has been damaged: what is missing must be told, that is all.
        unseen: So many entries may be missing without a word.
        config: The configuration it is opened with.
        box: Fingerprint of the box it is opened on.

    Returns:
        What is wrong, nothing when all is well.
    """
    return _Examination(folder, books, config, box, unseen).run(thorough=thorough, damaged=damaged)


def _frames(kept: Kept, births: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Yield (source, time) of the frames of an entry; those that were shifted by the time they were put with."""
    for item in items_of(kept, births):
        if isinstance(item, FrameBlock):
            for t in set(item.time_ns.tolist()):
                yield item.source.id, t - SHIFT_NS if t > START_NS + YEAR_NS else t


class _Examination:
    """One opening of a folder after a fault."""

    def __init__(self, folder: Path, books: Books, config: str, box: str, unseen: int) -> None:
        self._unseen = unseen
        self._books, self._config, self._box, self._folder = books, config, box, folder
        self._wrong: list[str] = []
        self.spool, self.chain = open_spool(folder, config, box=box)
        self._births = books.births | {self.spool.birth: config}

    def run(self, *, thorough: bool, damaged: bool) -> list[str]:
        try:
            before = self._read()
            if not damaged:
                self._compare_chain(before.values())
            clock = FakeClock(self._books.now_ns + 60 * 10**9 if self._books.now_ns else START_NS)
            clock.epoch = self.spool.epoch
            self.spool.begin(clock, self.chain)
            for held in self.spool.held_epochs():
                self.spool.vouch(held.epoch, SHIFT_NS)
            self.spool.put(reading(sources_of(self._config)[1], clock.now(), random.Random(7)))
            self.spool.tick()
            for _ in range(COMMITS):
                if not self.spool.stats().held_entries:
                    break
                self.spool.tick()
            else:
                self._wrong.append("what was vouched for is held still")
            after = self._read()
            if not damaged:
                self._compare_entries(after)
            self._compare_fresh([kept for key, kept in after.items() if key not in before], damaged=damaged)
            self._compare_gaps(after, damaged=damaged)
            if thorough:
                for key, kept in after.items():
                    self.spool.confirm(Stored(key[0], [(kept.seq, kept.crc)], str(clock.now()), True, "w"))
                clock.advance(1)
                self.spool.tick()
        finally:
            self.spool.stop()
        if thorough:
            self._open_again(after)
        return self._wrong

    def _read(self) -> dict[tuple[str, int], Kept]:
        return {(kept.spool, kept.seq): kept for kept in contents(self.spool)}

    def _compare_chain(self, found: Iterable[Kept]) -> None:
        """Compare the evidence with the last that was promised, gone on by what was committed and never told.

        What a clock stamped that nobody vouched for is never fed. Events alone do not show it: both are right.
        """
        values: set[bytes | None] = {self._books.chain or None}
        for kept in sorted(found, key=lambda kept: kept.seq):
            if kept.seq <= self._books.last.get(kept.spool, 0):
                continue
            items = items_of(kept, self._births)
            frames = [item for item in items if isinstance(item, FrameBlock)]
            if any(abs(int(item.time_ns[0]) - START_NS) > YEAR_NS for item in frames):
                continue
            fed: set[bytes | None] = set()
            for value in values:
                chain = Chain(value)
                chain.feed(items)
                fed.add(chain.value)
            values = fed if frames else values | fed
        if self.chain.value not in {Chain(value).value for value in values}:
            self._wrong.append("the evidence is not that of an uninterrupted run")

    def _compare_entries(self, after: dict[tuple[str, int], Kept]) -> None:
        for key, kept in after.items():
            if not codec.checksum(kept.raw) == kept.crc == self._books.entries.get(key, kept.crc):
                self._wrong.append(f"entry {kept.seq} has other content than it had")

    def _compare_fresh(self, fresh: list[Kept], *, damaged: bool) -> None:
        if not any(self.spool.id == kept.spool for kept in fresh):
            self._wrong.append("nothing could be committed after it")
        if damaged:  # what nobody knows of any more has lost its number as well: the checksum tells them apart
            return
        used = [kept.seq for kept in fresh if (kept.spool, kept.seq) in self._books.entries]
        self._wrong += [f"number {seq} is used again" for seq in used]
        told = any(gap.cause == "agent_off" for kept in fresh for _, gap in gaps_of(kept))
        if self._books.entries and not told:
            self._wrong.append("no gap tells that the agent was off")

    def _compare_gaps(self, after: dict[tuple[str, int], Kept], *, damaged: bool) -> None:
        visible = dict(self._books.gone)
        for kept in sorted(after.values(), key=lambda kept: kept.seq):
            visible |= dict(gaps_of(kept))
        listed = {(gap.spool, seq) for gap in visible.values() for a, b in gap.runs for seq in range(a, b + 1)}
        there = self._books.confirming | listed
        missing = [key for key in self._books.entries.keys() - there if not self._has(after, key)]
        if damaged:  # behind the last commit that is known the agent was off, for all that anybody knows
            off = [gap for gap in visible.values() if gap.cause == "agent_off" or gap.reason.startswith("damaged")]
            missing = [
                key
                for key in missing
                if not all(any(gap.from_ns <= t <= gap.to_ns for gap in off) for t in self._books.times[key])
            ]
        counted = sum(gap.rows for gap in visible.values() if gap.reason.startswith("damaged") and not gap.runs)
        if len(missing) > self._unseen and sum(self._books.rows[key] for key in missing) > counted:
            self._wrong.append(f"{len(missing)} promised entries are missing, such as {sorted(missing)[:3]}")
        if missing and not damaged:
            self._wrong.append("entries are missing without damage")
        if not damaged:
            told = {gap.reason for gap in visible.values() if gap.reason.startswith("damaged")}
            self._wrong += [f"a gap blames the disk: {reason}" for reason in sorted(told)]
            self._compare_frames(after, [gap for gap in visible.values() if gap.runs and gap.cause == "overflow"])
            self._wrong += [f"the gap {name} is told no more" for name in self._books.gaps if name not in visible]
            self._wrong += [f"the gap {name} stays open" for name, gap in visible.items() if gap.open]

    def _has(self, after: dict[tuple[str, int], Kept], key: tuple[str, int]) -> bool:
        return key in after and after[key].crc == self._books.entries[key]

    def _compare_frames(self, after: dict[tuple[str, int], Kept], gaps: list[Gap]) -> None:
        """Look for frames that were promised and in no entry told: those were held, and may have been given up."""
        if not self._books.frames:
            return
        missing = self._books.frames.difference(*(_frames(kept, self._births) for kept in after.values()))
        given_up = 0  # rows of entries that nobody has been told of before they were given up
        for gap in gaps:
            known = [self._books.rows.get((gap.spool, seq), 0) for a, b in gap.runs for seq in range(a, b + 1)]
            given_up += gap.rows - sum(known)
        if sum(ROWS[source] for source, _ in missing) > given_up:
            self._wrong.append(f"{len(missing)} promised frames are in no entry, such as {sorted(missing)[:2]}")

    def _open_again(self, after: dict[tuple[str, int], Kept]) -> None:
        again, chain = open_spool(self._folder, self._config, box=self._box)
        if chain.value != self.chain.value:
            self._wrong.append("the evidence differs after a clean stop")
        left = [(kept.spool, kept.seq) for kept in contents(again)]
        if again.stats().rows or after.keys() & set(left):
            self._wrong.append(f"what was confirmed waits again: {left[:3]}")
        again.stop()
