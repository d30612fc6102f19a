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
from tests.faults.plant import CNC, Chain, Kept, Told, contents, open_spool, reading, sources_of
from tests.support.clocks import FakeClock

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
            gap = Gap(kept.seq, named, event.to is None, str(body.get("cause")), runs)
            yield str(body["gap_id"]), gap


class _Event(msgspec.Struct, rename={"from_": "from"}):
    kind: str
    body: dict[str, object]
    to: str | None = None


class _Events(msgspec.Struct):
    events: list[_Event]


class Books:
    """What has been promised so far."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.entries: dict[tuple[str, int], str] = {}  # (spool, seq) -> crc
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
            for item in items_of(kept, self.births):
                if isinstance(item, FrameBlock):
                    self.frames -= {(item.source.id, int(t)) for t in set(item.time_ns.tolist())}
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


def examine(  # noqa: C901, PLR0912 - one promise after the other
    folder: Path, books: Books, *, thorough: bool = False, config: str = "before", box: str = "box"
) -> list[str]:
    """Open what is left and compare it with the books.

    Args:
        folder: Is changed.
        books: What was promised before the fault.
        thorough: Deliver everything, stop, and open once more.
        config: The configuration it is opened with.
        box: Fingerprint of the box it is opened on.

    Returns:
        What is wrong, nothing when all is well.
    """
    wrong = []
    spool, chain = open_spool(folder, config, box=box)
    try:
        found = {(kept.spool, kept.seq): kept for kept in contents(spool)}
        wrong += _chain(chain, books, found.values(), {spool.birth: config})
        clock = FakeClock(books.now_ns + 60 * 10**9 if books.now_ns else FakeClock().now())
        spool.begin(clock, chain)
        extra = reading(CNC if config == "before" else sources_of("after")[1], clock.now(), random.Random(7))
        spool.put(extra)
        spool.tick()
        after = {(kept.spool, kept.seq): kept for kept in contents(spool)}
        new = [kept for key, kept in after.items() if key not in found]
        if not any(spool.id == kept.spool for kept in new):
            wrong.append("nothing could be committed after it")
        wrong += [f"number {kept.seq} is used again" for kept in new if kept.seq <= books.last.get(kept.spool, 0)]
        for kept in after.values():
            crc = books.entries.get((kept.spool, kept.seq), kept.crc)
            if not codec.checksum(kept.raw) == kept.crc == crc:
                wrong.append(f"entry {kept.seq} has other content than it had")
        visible = dict(books.gone)
        for kept in sorted(after.values(), key=lambda kept: kept.seq):
            visible |= dict(gaps_of(kept))
        listed = {
            (gap.spool, seq) for gap in visible.values() for a, b in gap.runs for seq in range(a, b + 1) if gap.runs
        }
        missing = [key for key in books.entries if key not in after and key not in books.confirming | listed]
        if missing:
            wrong.append(f"{len(missing)} promised entries are missing, such as {sorted(missing, key=str)[:3]}")
        wrong += [f"the gap {name} is told no more" for name in books.gaps if name not in visible]
        wrong += [f"the gap {name} stays open" for name, gap in visible.items() if gap.open]
        if books.entries and not any(gap.cause == "agent_off" for k in new for _, gap in gaps_of(k)):
            wrong.append("no gap tells that the agent was off")
        if books.frames:
            births = books.births | {spool.birth: config}
            there = {
                (item.source.id, int(t))
                for kept in after.values()
                for item in items_of(kept, births)
                if isinstance(item, FrameBlock)
                for t in set(item.time_ns.tolist())
            }
            if books.frames - there:
                wrong.append(f"{len(books.frames - there)} promised frames are in no entry")
        if thorough:
            for kept in after.values():
                spool.confirm(Stored(kept.spool, [(kept.seq, kept.crc)], str(clock.now()), True, "w"))
            clock.advance(1)
            spool.tick()
    finally:
        spool.stop()
    if thorough:
        again, repeated = open_spool(folder, config, box=box)
        if repeated.value != chain.value:
            wrong.append("the evidence differs after a clean stop")
        left = [(kept.spool, kept.seq) for kept in contents(again)]
        if again.stats().rows or set(left) & set(after):
            wrong.append(f"what was confirmed waits again: {left[:3]}")
        again.stop()
    return wrong


def _chain(chain: Chain, books: Books, found: Iterable[Kept], births: dict[str, str]) -> list[str]:
    """Compare the evidence with the last that was promised, gone on by what was committed and never told."""
    expected = Chain(books.chain or None)
    for kept in sorted(found, key=lambda kept: kept.seq):
        if kept.seq > books.last.get(kept.spool, 0):
            expected.feed(items_of(kept, books.births | births))
    return [] if chain.value == expected.value else ["the evidence is not that of an uninterrupted run"]
