"""An invented plant on a spool, second by second, which tells outside all that it was promised.

A life opens the spool as the agent does, goes on for some seconds and ends as it is told to, or dies on the way.
Each second it puts what was read, confirms some of what is there, and ticks; then it tells what the spool has
promised by returning: which entries there are, with their content, and the state of the evidence that contains
them. Time is data time, evidence a hash chain over every entry, so that one that is fed twice, left out or changed
shows for ever.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import random
import threading
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from agent import entry
from agent.errors import SpoolFailed
from agent.frame import DataType, Event, FrameBlock, RoundTrip, Status, Watermark
from agent.spool import Limits, Spool, moving
from contract.payload import Rejected, Stored
from tests.support.clocks import FakeClock
from tests.support.items import START_NS, birth_of, source

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence
    from pathlib import Path

    from agent.frame import Item, Json, Source, Value

PRESS = source("press.main", 40, DataType.FLOAT32)
CNC = source("cnc.main", 20, DataType.INT32)
SCALE = source("scale.main", 3, DataType.STRING)
SECOND = source("cnc.main", 24, DataType.INT32)  # the same source after an edit
moving.AT_ONCE = 8_000  # bytes: in these programs what is vouched for is let go in several commits
AWAY_NS = 55 * 365 * 86400 * 10**9
"""How far a clock that nobody vouches for is behind."""
SHIFT_NS = 60 * 365 * 86400 * 10**9
"""By how much what was stamped by it is shifted: so that it shows, to years that nothing else is stamped in."""
BEFORE, AFTER = (PRESS, CNC, SCALE), (PRESS, SECOND, SCALE)


class Kept(msgspec.Struct, frozen=True):
    """An entry that the spool has shown."""

    spool: str
    seq: int
    crc: str
    birth: str
    raw: bytes


class Told(msgspec.Struct, frozen=True):
    """What the plant knows after a second, or just before it confirms.

    Attributes:
        now_ns: By its clock.
        frames: (source, time) of each frame that was put since the last message and is promised now.
        entries: Not told before, in order.
        confirming: (spool, seq) that the store is said to hold, told before the spool is.
        chain: State of the evidence after the last of `entries`.
        births: Hash of each birth -> "before" or "after".
    """

    now_ns: int
    frames: list[tuple[str, int]] = []
    entries: list[Kept] = []
    confirming: list[tuple[str, int]] = []
    chain: bytes = b""
    births: dict[str, str] = {}


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """How one life goes.

    Attributes:
        seed: Of everything that is random in it.
        seconds: How long it lasts.
        line: Seconds between which there is no line to the gateway, so that nothing is confirmed.
        change_at: When the configuration changes, if at all.
        config: Which one it begins with.
        end: "stop" closes everything, "die" drops all where it stands, "refused" dies as soon as the disk refuses.
        max_bytes: What the spool may take.
        min_free: What it must leave free on the disk.
        checkpoint: Commits after which a checkpoint is made.
        box: Fingerprint of the box.
        bad_sync: Number of the sync that fails, and of how many in a row, when it runs on a recorded disk.
        bad_commit: Number of the commit of SQLite, and of the sync in it, that fails; the process ends with it.
        trust_at: When somebody vouches for the clock, which stands in 1970 until then; None: it is right.
        journal: Bytes of a file of the journal: so small that it is written over, and blocks are, within a life.
    """

    seed: int
    seconds: int
    line: tuple[int, int] = (0, 0)
    change_at: int | None = None
    config: Literal["before", "after"] = "before"
    end: Literal["stop", "die", "refused"] = "die"
    max_bytes: int = 2 * 10**9
    min_free: int = 0
    checkpoint: int = 20
    box: str = "box"
    bad_sync: tuple[int, int] | None = None
    bad_commit: tuple[int, int] | None = None
    trust_at: int | None = None
    journal: int | None = 20_000


class Chain:
    """Evidence that depends on every item and its place."""

    def __init__(self, state: bytes | None = None) -> None:
        self.value = state or b"begin"

    def feed(self, items: Sequence[Item]) -> None:
        """Hash an entry's items."""
        self.value = hashlib.blake2b(self.value + entry.encode(items, 1), digest_size=16).digest()

    def state(self) -> bytes:
        """Return the hash."""
        return self.value

    def take_closed(self) -> Mapping[str, bytes]:
        """Close no day."""
        return {}


def sources_of(config: str) -> tuple[Source, ...]:
    """Return the sources of a configuration."""
    return BEFORE if config == "before" else AFTER


def open_spool(
    folder: Path,
    config: str = "before",
    *,
    max_bytes: int = 2 * 10**9,
    min_free: int = 0,
    checkpoint: int = 20,
    box: str = "box",
    journal: int | None = None,
) -> tuple[Spool, Chain]:
    """Open as the agent does, evidence included; `begin` or `start` comes next."""
    sources = sources_of(config)
    spool = Spool(
        folder,
        birth=birth_of("hanil", "main", "edge-1", sources),
        sources=sources,
        limits=Limits(max_bytes=max_bytes, min_free_bytes=min_free),
        fingerprint=lambda: box,
        checkpoint_entries=checkpoint,
        journal_bytes=journal,
    )
    chain = Chain(spool.checkpoint_state())
    for _, items in spool.replay():
        chain.feed(items)
    return spool, chain


def reading(one: Source, now_ns: int, rng: random.Random) -> FrameBlock:
    """Return what a source reads at a moment, some rows bad."""
    value: list[Value] = []
    for i, signal in enumerate(one.signals):
        if rng.random() < 0.01:
            value.append(None)
        elif signal.dtype is DataType.FLOAT32:
            value.append(round(20 + 5 * math.sin(now_ns / 4e10 + i) + rng.gauss(0, 0.1), 2))
        elif signal.dtype is DataType.INT32:
            value.append(now_ns // 10**9 % 100_000 + i)
        else:
            value.append(f"{rng.getrandbits(128):032x}")
    n = len(value)
    return FrameBlock(
        source=one,
        signal=np.arange(n, dtype=np.int32),
        time_ns=np.full(n, now_ns, np.int64),
        value=value,
        status=np.where([v is None for v in value], Status.BAD_TIMEOUT, 0).astype(np.uint32),
        round_trips=(RoundTrip(now_ns, rng.randrange(2_000_000, 9_000_000)),),
    )


def second(sources: Sequence[Source], now_ns: int, rng: random.Random) -> Iterator[Item]:
    """Yield what is read in a second: a frame and a watermark of each source, outages of the scale."""
    minute, at = divmod(now_ns // 10**9, 60)
    for one in sources:
        if one is SCALE and minute % 3 == 1:
            if at in {0, 30}:
                start = (minute * 60) * 10**9
                body = {"gap_id": f"scale-{minute}", "cause": "link_down"}
                end = None if at == 0 else now_ns
                yield Event(kind="gap", time_ns=now_ns, source=one.id, from_ns=start, to_ns=end, body=body)
            if at < 30:
                continue
        yield reading(one, now_ns, rng)
        yield Watermark(one.id, now_ns)


def contents(spool: Spool, known: Container[tuple[str, int]] = (), page: int = 500) -> Iterator[Kept]:
    """Yield the unconfirmed entries that are not among these, with their content."""
    after = 0
    while True:
        waiting = spool.unconfirmed(after, None, page)
        for one, raw in spool.sending([one for one in waiting if (one.spool, one.seq) not in known]):
            yield Kept(one.spool, one.seq, one.crc, one.birth, raw)
        if len(waiting) < page:
            return
        after = waiting[-1].seq


class Plant:
    """A life of the spool in a folder.

    Args:
        folder: Where it lies.
        life: How it goes.
        start_ns: When, in data time.
        tell: Takes what it knows.
    """

    def __init__(self, folder: Path, life: Life, start_ns: int, tell: Callable[[Told], None]) -> None:
        self.life, self._tell, self._rng = life, tell, random.Random(life.seed)
        self.clock = FakeClock(start_ns if life.trust_at is None else start_ns - AWAY_NS)
        self.clock.trusted = life.trust_at is None
        self.spool, self.chain = open_spool(
            folder,
            life.config,
            max_bytes=life.max_bytes,
            min_free=life.min_free,
            checkpoint=life.checkpoint,
            box=life.box,
            journal=life.journal,
        )
        self._sources = sources_of(life.config)
        self._births: dict[str, str] = {self.spool.birth: life.config}
        self._waiting: list[Kept] = []
        self._known: set[tuple[str, int]] = set()
        self._frames: list[tuple[str, int]] = []
        self.clock.epoch = self.spool.epoch
        self.spool.begin(self.clock, self.chain)

    def run(self) -> None:
        """Live to the end."""
        for number in range(self.life.seconds):
            if not self.second(number) and self.life.end == "refused":
                return
        if self.life.end == "stop":
            self.spool.stop()

    def second(self, number: int) -> bool:
        """Live for a second; return whether the disk took what was read."""
        if number == self.life.change_at:
            self._change()
        if number == self.life.trust_at:
            self._trust()
        for item in second(self._sources, self.clock.now(), self._rng):
            self.spool.put(item)
            if isinstance(item, FrameBlock):
                self._frames.append((item.source.id, int(item.time_ns[0])))
        if not self.life.line[0] <= number < self.life.line[1]:
            self._confirm()
        self.clock.advance(1)
        return self.tick()

    def tick(self) -> bool:
        """Commit, and tell what is promised; return whether the disk took it."""
        self.spool.tick()
        if self.spool.stats().ring_rows:
            return False
        fresh = list(contents(self.spool, self._known))
        self._known.update((kept.spool, kept.seq) for kept in fresh)
        self._waiting += fresh
        frames, self._frames = self._frames, []
        self._tell(Told(self.clock.now(), frames, fresh, chain=self.chain.value, births=self._births))
        return True

    def waiting(self) -> list[tuple[str, int]]:
        """Return (spool, number) of what waits for the store."""
        return [(one.spool, one.seq) for one in contents(self.spool)]

    def _confirm(self) -> None:
        """Have the store say what it holds: most in order, some late, one in a while refused."""
        ready = [one for one in self._waiting[:40] if self._rng.random() < 0.8]
        for spool in sorted({one.spool for one in ready}):
            some = [one for one in ready if one.spool == spool]
            refused = [
                Rejected(one.seq, one.crc, "no such field", [("press.main", "1", "2", 1)])
                for one in some
                if self._rng.random() < 0.02
            ]
            names = {one.seq for one in refused}
            pairs = [(one.seq, one.crc) for one in some if one.seq not in names]
            self._tell(Told(self.clock.now(), confirming=[(spool, one.seq) for one in some]))
            self.spool.confirm(Stored(spool, pairs, str(self.clock.now()), True, "w", refused))
        gone = {(one.spool, one.seq) for one in ready}
        self._waiting = [one for one in self._waiting if (one.spool, one.seq) not in gone]

    def _trust(self) -> None:
        """Have somebody vouch for the clock: what is held is let go, and a new epoch begins with the right time."""
        for held in self.spool.held_epochs():
            self.spool.vouch(held.epoch, SHIFT_NS)
        self.clock.trusted = True
        self.clock.epoch += 1
        self.clock.step(AWAY_NS // 10**9)
        # as the agent does: or the next process has this epoch's number again, and what it vouches for moves these
        body: dict[str, Json] = {"epoch": self.clock.epoch}
        self.spool.put(Event(kind="clock_step", time_ns=self.clock.now(), body=body))

    def _change(self) -> None:
        """Change the configuration, as the agent does from another thread."""
        config = "after" if self._sources is BEFORE else "before"
        sources = sources_of(config)
        birth = birth_of("hanil", "main", "edge-1", sources)
        changing = threading.Thread(
            target=self.spool.change, args=(birth, sources, lambda: None), kwargs={"ring_rows": 200_000}
        )
        changing.start()
        while self.spool._change is None and changing.is_alive():
            changing.join(0.001)
        self.tick()
        changing.join()
        self._sources = sources
        self._births = {**self._births, self.spool.birth: config}


def begin_ns(number: int) -> int:
    """Return when a life begins: an hour after the one before."""
    return START_NS + number * 3600 * 10**9


def grow(folder: Path, life: Life, number: int, tell: Callable[[Told], None]) -> None:
    """Live a life from its beginning to its end; started anew when the disk does not let it begin."""
    for attempt in itertools.count():
        try:
            plant = Plant(folder, life, begin_ns(number), tell)
            break
        except (SpoolFailed, OSError):
            if attempt == 3:
                raise
    plant.run()
