"""Serial numbers: ids of single pieces, more a day than a track holds (`readiness.records.Ids`).

What is known of them is the time and number of each shape by quarter hour, and a sample of the ids themselves:
those with the smallest hashes. The same id is in the sample of each day and machine that showed it, as far as that
sample reaches (`reach`), so a share of ids that come back, or that came from the machine before, is a share of the
sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from contract.codec import checksum
from readiness.records import MILLI_NS, QUARTER_NS, SAMPLE
from readiness.seen import names_something
from readiness.spans import Spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from readiness.counting import Counted
    from readiness.evidence import DayEvidence
    from readiness.records import Ids
    from readiness.view import View

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

EVERY = 2**64
"""Above every rank: a sample that reaches so far holds all ids."""
ALIKE = 1
"""A text of so many different characters is kept as it is: 0000 and XXXX are no shapes of ids."""


def rank(name: str) -> int:
    """Return a number below 2^64 that an id has everywhere, and that nothing else about it tells."""
    return int(checksum(name.encode()), 16)


def shape(name: str) -> str:
    """Return the shape of an id: digits are 0, letters A or a. A text without digits stays: it may be a word."""
    plain = name.strip()
    if len(set(plain)) <= ALIKE or not any(letter.isdigit() for letter in plain):
        return plain
    return "".join(
        "0" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else c
        for c in plain
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sampled:
    """One time that an id of the sample was shown."""

    id: str
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Serials:
    """The ids of a signal on the days that have too many for a track.

    Attributes:
        days: These days.
        most: Days of the window.
        at: int64[n] starts of quarter hours, increasing.
        valid: [n] share of the time in which anything was said that a valid id was.
        begun: [n] valid ids that began.
        shown: How many ids were shown, as often as they were.
        sample: Those that are known, in order of time.
        invalid: Something that is no valid id was said.
    """

    days: frozenset[int]
    most: int
    at: Ints
    valid: Floats
    begun: Floats
    shown: int
    sample: tuple[Sampled, ...]
    invalid: bool

    def bound(self, counted: Counted, inside: Spans, along: Spans, day_of: Callable[[Ints], Ints]) -> Floats:
        """Return per day the pieces that can have had a valid id of their own, as far as ids were new for them.

        An id that stays while pieces are counted is that of the first of them: each that begins is good for the
        usual number of pieces an id, and of what is left of it only one is taken along to the next quarter hour.

        Args:
            counted: Pieces.
            inside: The time that counts.
            along: When the machine executed.
            day_of: Returns the days of instants.
        """
        pieces = counted.seen_within(inside, along)
        place = np.searchsorted(self.at, counted.at)
        here = np.zeros(len(pieces), np.bool_)
        here[place < len(self.at)] = self.at[place[place < len(self.at)]] == counted.at[place < len(self.at)]
        pieces, at, place = pieces[here], counted.at[here], place[here]
        valid, begun = self.valid[place], self.begun[place]
        told = (begun > 0) & (pieces > 0)
        each = max(1.0, float(np.median(pieces[told] / begun[told]))) if told.any() else 1.0
        bound, left = np.zeros(len(pieces)), each
        for k, (made, new) in enumerate(zip((pieces * valid).tolist(), (each * begun).tolist(), strict=True)):
            bound[k] = min(made, new + left)
            left = min(new + left - bound[k], each)
        return self._by_day(at, bound, day_of)

    def time(self, spans: Spans, day_of: Callable[[Ints], Ints]) -> Floats:
        """Return per day the part of `spans` in which a valid id was shown."""
        part = spans.within(Spans(self.at, self.at + QUARTER_NS)) * self.valid
        return self._by_day(self.at, part, day_of)

    def _by_day(self, at: Ints, amount: Floats, day_of: Callable[[Ints], Ints]) -> Floats:
        day = day_of(at)
        row: Floats = np.bincount(day[day >= 0], weights=amount[day >= 0]).astype(np.float64)
        return np.pad(row, (0, max(self.most - len(row), 0)))


def serials(view: View, name: str, good: Callable[[str], bool]) -> Serials | None:
    """Return the ids of a signal, None where no day has too many for a track.

    Args:
        view: Of the window.
        name: The signal.
        good: Says whether an id can identify anything.
    """
    track = view.seen.track(name)
    whole = frozenset() if track is None else track.whole
    records = [(day, record, ids) for day, record, ids in view.seen.ids(name) if day not in whole]
    if not records:
        return None
    cells: dict[int, list[float]] = {}  # start -> [valid ms, ms, valid ids]
    for _, record, ids in records:
        fine = [names_something(one) and good(one) for one in ids.shapes]
        flat = iter(ids.rest)
        for quarter, place, length, begins in zip(flat, flat, flat, flat, strict=True):
            cell = cells.setdefault(record.start_ns + quarter * QUARTER_NS, [0.0, 0.0, 0.0])
            cell[0] += length * fine[place]
            cell[1] += length
            cell[2] += begins * fine[place]
    at = sorted(cells)
    table = np.array([cells[t] for t in at], np.float64)
    return Serials(
        days=frozenset(day for day, _, _ in records),
        most=len(view.dates),
        at=np.array(at, np.int64),
        valid=np.divide(table[:, 0], table[:, 1], out=np.zeros(len(at)), where=table[:, 1] > 0),
        begun=table[:, 2],
        shown=sum(ids.shown for _, _, ids in records),
        sample=tuple(sorted((s for _, r, i in records for s in _sampled(r, i)), key=lambda s: (s.from_ns, s.id))),
        invalid=any(not good(one) for _, _, ids in records for one in ids.shapes if names_something(one)),
    )


def _sampled(record: DayEvidence, ids: Ids) -> list[Sampled]:
    """Return the sample of a day; of an id shown more often than is kept, the last time again and again."""
    found = []
    for one in ids.sample:
        spans = list(zip(one.spans[0::2], one.spans[1::2], strict=True))
        spans += [spans[-1]] * (one.shows - len(spans))
        found += [
            Sampled(one.label, record.start_ns + begin * MILLI_NS, record.start_ns + (begin + length) * MILLI_NS)
            for begin, length in spans
        ]
    return found


def reach(view: View, name: str) -> int:
    """Return the rank below which every id that a signal ended on any of these days is in its sample."""
    return min((_reach(ids) for _, _, ids in view.seen.ids(name)), default=EVERY)


def _reach(ids: Ids) -> int:
    return EVERY if len(ids.sample) < SAMPLE else max(rank(one.label) for one in ids.sample) + 1
