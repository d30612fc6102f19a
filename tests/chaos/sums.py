"""The sum that must come out: served = stored once + inside a gap with a right cause. Pure.

Values are unique, so each stored one names the request that served it; stamps need not be believed. On the
contrary: the difference between a value's stamp and the moment it was served gives the offset of the agent's clock
in each of its epochs (the last three digits of a stamp name it), and with these offsets the edges of the gaps are
turned into the judge's time. That the offsets are those that the run has set is checked too.

Which causes are right at a moment follows from the faults that were really done, never from what the agent says.
They must be right all along a gap, also where nothing was served that could be missing.
"""

from __future__ import annotations

import bisect
import collections
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tests.chaos.ledger import ANNOTATIONS, EPOCHS, holes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.chaos.ledger import Gap, Span

CLOCK_NS = 100_000_000
"""The servers read the wall clock, the agent an anchored monotonic one, and a log line is not its answer: the
offset of an epoch contains the usual way of an answer, which is longer on a machine that is busy."""
EXACT_NS = 1_500_000_000
"""How exactly an epoch's offset must be one that was set."""
LATE_NS = 5_000_000_000
"""From serving a value to its stamp, undisturbed: on a machine that is busy, and through a subscription."""
SHOWN = 20


class Served(NamedTuple):
    """A value that a device gave out or, under OPC UA, took over from its process."""

    source: str
    signal: str
    time_ns: int
    value: int


class Window(NamedTuple):
    """When a cause is right, for one source or, with None, for all of them."""

    cause: str
    source: str | None
    from_ns: int
    to_ns: int
    why: str


@dataclass
class Sum:
    """What became of each served value.

    Attributes:
        served: All of them.
        stored: In the database, at one time.
        again: Of these, those that a new session has told of again, at another time: what OPC UA servers do.
        in_gaps: Missing inside a gap, by its cause.
        twice: Stored at two times although nobody said them twice.
        lost: Neither stored nor inside a gap.
        wrong: Inside gaps only whose causes were not right then.
        invented: Stored but never served.
        late: Stored at a time that no offset and no fault explains.
        odd: Offsets of clock epochs that nobody has set: (epoch, offset in s).
    """

    served: int = 0
    stored: int = 0
    again: int = 0
    in_gaps: collections.Counter[str] = field(default_factory=collections.Counter)
    twice: list[Served] = field(default_factory=list)
    lost: list[Served] = field(default_factory=list)
    wrong: list[tuple[Served, list[str]]] = field(default_factory=list)
    invented: list[tuple[str, int]] = field(default_factory=list)
    late: list[tuple[Served, float]] = field(default_factory=list)
    odd: list[tuple[int, float]] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether it comes out."""
        whole = self.served == self.stored + self.in_gaps.total()
        return whole and not (self.twice or self.lost or self.wrong or self.invented or self.late or self.odd)

    def text(self) -> str:
        """Return it in words, with what is wrong."""
        causes = "".join(f", {cause} {n}" for cause, n in sorted(self.in_gaps.items()))
        wrong = (
            f"lost {len(self.lost)}, twice {len(self.twice)}, invented {len(self.invented)}, "
            f"wrong cause {len(self.wrong)}, wrong time {len(self.late)}, odd clocks {len(self.odd)}; "
            f"told again by a new session {self.again}"
        )
        lines = [f"served {self.served} = stored {self.stored} + in gaps {self.in_gaps.total()}{causes}", wrong]
        named: Mapping[str, Sequence[object]] = {
            "lost": self.lost, "twice": self.twice, "invented": self.invented, "wrong cause": self.wrong,
            "wrong time": self.late, "odd clock": self.odd,
        }  # fmt: skip
        lines += [f"  {name}: {one}" for name, ones in named.items() for one in ones[:SHOWN]]
        return "\n".join(lines)


def offsets(
    served: Iterable[Served], stored: Mapping[str, Mapping[int, Sequence[int]]], steps: Mapping[int, int]
) -> dict[int, int]:
    """Return by epoch how far the agent's clock was ahead of the judge's.

    Args:
        served: By the devices' own logs.
        stored: Signal -> value -> times in the database, as the agent stamped them.
        steps: Epoch -> by how much it is ahead of the one before, as the agent says: only for those in which
            nothing was read, because all devices were away. That it was set is checked as for the others.
    """
    seen: dict[int, list[int]] = collections.defaultdict(list)
    for one in served:
        times = stored.get(one.signal, {}).get(one.value, ())
        if len(times) == 1:
            seen[times[0] % EPOCHS].append(times[0] - one.time_ns)
    # what was read while something stood still has a later stamp, never an earlier one
    found = {
        epoch: round(statistics.median_low(sorted(values)[: len(values) // 2 + 1]))
        for epoch, values in seen.items()
    }
    for epoch, step in sorted(steps.items()):
        if epoch not in found and epoch - 1 in found:
            found[epoch] = found[epoch - 1] + step
    return found


def true_time(offset: Mapping[int, int], otherwise: int = 0) -> Callable[[int], int]:
    """Return what turns a stamp of the agent into the judge's time; epochs nobody has seen get `otherwise`."""
    return lambda ns: ns - offset.get(ns % EPOCHS, otherwise)


def unjust(
    told: Iterable[Gap], windows: Sequence[Window], service: Span, tolerance_ns: int
) -> list[tuple[Gap, list[Span]]]:
    """Return the gaps whose cause was not right all the time, whether or not anything is missing in them.

    Args:
        told: The gap ledger in the judge's time.
        windows: When which cause is right.
        service: What lies outside is not judged.
        tolerance_ns: Longest span that may be without a right.
    """
    found = []
    for gap in told:
        if gap.cause in ANNOTATIONS:
            continue
        right = [(w.from_ns, w.to_ns) for w in windows if w.cause == gap.cause and w.source in {gap.source, None}]
        parts = [(max(a, service[0]), min(b, service[1])) for a, b in gap.parts]
        over = [span for a, b in parts for span in holes(right, a, b) if span[1] - span[0] > tolerance_ns]
        if over:
            found.append((gap, over))
    return found


class _Gaps:
    """Gaps of one source and of the agent, to be asked for those at a moment."""

    def __init__(self, told: Iterable[Gap], before_ns: int) -> None:
        spans = sorted((a - before_ns, b + CLOCK_NS, gap.cause) for gap in told for a, b in gap.parts)
        self._starts = [a for a, _, _ in spans]
        self._spans = spans
        self._longest = max((b - a for a, b, _ in spans), default=0)

    def at(self, time_ns: int) -> set[str]:
        last = bisect.bisect_right(self._starts, time_ns)
        first = bisect.bisect_left(self._starts, time_ns - self._longest)
        return {cause for a, b, cause in self._spans[first:last] if a <= time_ns <= b}


def judge(
    served: Sequence[Served],
    stored: Mapping[str, Mapping[int, Sequence[int]]],
    told: Sequence[Gap],
    windows: Sequence[Window],
    *,
    offset: Mapping[int, int],
    clocks: Sequence[int] = (0,),
    repeated: frozenset[str] = frozenset(),
    held_ns: int = 0,
    first: frozenset[int] = frozenset(),
) -> Sum:
    """Return where each served value is.

    Args:
        served: By the devices' own logs.
        stored: Signal -> value -> times in the database, as the agent stamped them.
        told: The gap ledger in the judge's time.
        windows: When which cause is right.
        offset: Of the agent's clock by epoch.
        clocks: Offsets that the run has set.
        repeated: Sources whose devices tell the standing value again in each new session.
        held_ns: How long such a device may hold a value back before it hands it out.
        first: Values that a device holds before anybody has set one.
    """
    out = Sum()
    when = true_time(offset)
    sources = {one.source for one in served}
    gaps = {
        name: _Gaps([gap for gap in told if gap.source in {name, None}], held_ns if name in repeated else CLOCK_NS)
        for name in sources
    }
    right = {name: [w for w in windows if w.source in {name, None}] for name in sources}
    known: dict[str, set[int]] = collections.defaultdict(set)
    for one in served:
        out.served += 1
        known[one.signal].add(one.value)
        times = stored.get(one.signal, {}).get(one.value, ())
        if times:
            _found(out, one, sorted(when(t) for t in times), one.source in repeated, right[one.source])
            continue
        causes = gaps[one.source].at(one.time_ns)
        may = {w.cause for w in right[one.source] if w.from_ns <= one.time_ns <= w.to_ns}
        if not causes:
            out.lost.append(one)
        elif not causes & may:
            out.wrong.append((one, sorted(causes)))
        else:
            out.in_gaps["waiting" if "waiting" in causes & may else min(causes & may)] += 1
    out.invented = [
        (signal, value)
        for signal, values in stored.items()
        for value in values
        if value not in known[signal] and value not in first
    ]
    out.odd = [(epoch, by / 1e9) for epoch, by in offset.items() if min(abs(by - c) for c in clocks) > EXACT_NS]
    return out


def _found(out: Sum, one: Served, times: Sequence[int], repeats: bool, windows: Sequence[Window]) -> None:  # noqa: FBT001
    out.stored += 1
    if len(times) > 1:
        if repeats:
            out.again += 1
        else:
            out.twice.append(one)
    by = times[0] - one.time_ns
    disturbed = any(w.from_ns <= one.time_ns <= w.to_ns or w.from_ns <= times[0] <= w.to_ns for w in windows)
    if by < -CLOCK_NS - EXACT_NS * disturbed or (by > LATE_NS and not disturbed):
        out.late.append((one, by / 1e9))
