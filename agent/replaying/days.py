"""Days of evidence, computed anew from what a spool holds: after an update, or when people say something else.

The analyzers are given what they were given when it was committed: sources and signals of then, with the ranges,
roles, bands and the calendar of now. What was read without the time is left out, as it was then. A day counts as
whole when every entry from before it until it was closed was there: the first day of what a spool holds, and one in
which entries are missing because they were confirmed and let go, is told and not given.
"""

from __future__ import annotations

import contextlib
import gc
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from agent import entry as content
from agent.analyzers.evidence import make
from agent.errors import WireError
from agent.frame import FrameBlock
from agent.replaying.tall import Tall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from agent.analyzers.evidence import DayLedger
    from agent.analyzers.ledger import Ranges
    from agent.frame import Item, Source
    from agent.replaying.kept import Folder, Group
    from readiness.plant import ControlLoop
    from readiness.schedule import Calendar

    Progress = Callable[[int], None]


@dataclass(slots=True)
class Seen:
    """What a replay has come across.

    Attributes:
        entries: That were fed.
        rows: In them.
        held: Entries that were read without the time.
        holes: Times at which entries are missing before the next one, UTC nanoseconds.
        partial: Days that are not given because not all of them was there.
        damaged: What could not be read.
    """

    entries: int = 0
    rows: int = 0
    held: int = 0
    holes: list[int] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Do without the collector of cycles: a replay makes none, and millions of objects that it would look at."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


class Replay:
    """One pass over a spool's folder.

    Args:
        folder: The files.
        calendar: Cuts time into production days.
        loops: Control loops that people have declared.
        ranges: What people say of signals' values, by `{machine}/{signal}`.
        now: Sources as they are configured now.
        progress: Is told of each number of bytes read.
    """

    def __init__(
        self,
        folder: Folder,
        calendar: Calendar,
        loops: Sequence[ControlLoop] = (),
        ranges: Mapping[str, Ranges] | None = None,
        now: Sequence[Source] = (),
        progress: Progress | None = None,
    ) -> None:
        self.seen = Seen()
        self._folder = folder
        self._calendar = calendar
        self._loops, self._ranges = tuple(loops), dict(ranges or {})
        self._now = {(s.machine, s.id, s.dtype): s for source in now for s in source.signals}
        self._progress = progress
        self._ledger: DayLedger | None = None
        self._birth = ""
        self._sources: dict[str, Source] = {}
        self._tall = Tall({})
        self._last = 0  # number of the last entry
        self._whole_ns = 0  # since when nothing is missing

    def days(self) -> Iterator[tuple[str, bytes]]:
        """Yield each whole day, ISO date and canonical evidence, as it closes."""
        for group in self._folder.groups():
            try:
                yield from self._take(group)
            except WireError as exc:
                self.seen.damaged.append(f"{group.place}: {exc}")
                self._missing(group.committed_ns)
            if self._progress is not None:
                self._progress(group.size)
        yield from self._feed(self._tall.take())
        self.seen.damaged += self._folder.damaged

    def _take(self, group: Group) -> Iterator[tuple[str, bytes]]:
        """Feed a group, or keep it for the next."""
        seqs = [one.seq for one in group.entries]
        if seqs[-1] <= self._last:  # the journal still has what was packed since
            return
        if group.birth != self._birth:
            yield from self._begin(group.birth)
        arrays = None
        if all(one.epoch is None for one in group.entries) and seqs[0] > self._last:
            arrays = group.arrays()
        if arrays is not None and seqs == list(range(seqs[0], seqs[-1] + 1)):
            self._follow(seqs[0], group.committed_ns)
            if self._tall.add(arrays):
                self._last = seqs[-1]
                self.seen.entries += len(seqs)
                self.seen.rows += len(arrays.time)
                if self._tall.is_tall:
                    yield from self._feed(self._tall.take())
                return
        yield from self._feed(self._tall.take())
        for one, raw in group.singly():
            if one.seq <= self._last:
                continue
            self._follow(one.seq, getattr(one, "committed_ns", group.committed_ns))
            self._last = one.seq
            if one.epoch is not None:
                self.seen.held += 1
                continue
            items = content.decode(raw, self._sources)
            self.seen.entries += 1
            self.seen.rows += sum(len(item) for item in items if isinstance(item, FrameBlock))
            yield from self._feed(items)

    def _begin(self, birth: str) -> Iterator[tuple[str, bytes]]:
        sources = {name: self._defined(source) for name, source in self._folder.sources(birth).items()}
        yield from self._feed(self._tall.take())
        self._birth, self._sources, self._tall = birth, sources, Tall(sources)
        if self._ledger is None:
            self._ledger = make([*sources.values()], self._calendar, None, self._loops, self._ranges)
        else:
            self._ledger.begin([*sources.values()])

    def _defined(self, source: Source) -> Source:
        """Return a source of then with ranges, roles and meanings of now; one whose type has changed is another."""
        return replace(source, signals=tuple(self._now.get((s.machine, s.id, s.dtype), s) for s in source.signals))

    def _follow(self, seq: int, committed_ns: int) -> None:
        """Note whether this entry follows the last one; the first entry of all begins with its agent."""
        if seq != self._last + 1:
            self._missing(committed_ns)

    def _missing(self, committed_ns: int) -> None:
        if self._last:
            self.seen.holes.append(committed_ns)
        self._whole_ns = committed_ns

    def _feed(self, items: Sequence[Item]) -> Iterator[tuple[str, bytes]]:
        if self._ledger is None or not items:
            return
        self._ledger.feed(items)
        for day, raw in self._ledger.take_closed().items():
            start, _ = self._calendar.bounds(date.fromisoformat(day))
            if self._whole_ns <= start:
                yield day, raw
            else:
                self.seen.partial.append(day)
