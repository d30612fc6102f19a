"""What the readings of one source leave behind on one open day, by watched signal, and the records made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.analyzers.around import Around
from agent.analyzers.longest import Largest, Longest
from agent.analyzers.packing import packed, unpacked
from agent.analyzers.runs import grown
from agent.analyzers.sketches import Sketches
from agent.analyzers.spikes import NOISE, QUIET
from agent.analyzers.worth import ALWAYS, NEVER_BY_ITSELF
from readiness.records import LABELS, MILLI_NS, QUARTER_NS, SEGMENTS, SHORT_NS, SPIKES, STILLS, Values
from readiness.sketch import buckets, index, pairs, quantile, value
from readiness.spans import EMPTY, Spans, intersection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

SPREAD, STEPS = 192, 160
"""Buckets that a signal keeps while a day is open."""
FINE = 64
"""In a record, values nearer to `base` than this part of the width of their distribution are one bucket."""
RARE = 3000
"""In a record, the smallest steps are counted with the first bucket that holds this part of all changes: rarer ones
are no resolution, which is a step that makes up a thousandth, together with its neighbours."""
OFTEN = 5
WORD = 2**16 - 1
AHEAD = 8
"""Quarter hours for which there is room at once."""
SPIKED, LONG_LEFT, WAITING = 128, 2000, 128
OUTER = ("outside", "beyond")


def grains(base: Floats) -> Floats:
    """Return the grain of each base: a power of two, a millionth of the base or less.

    A millionth is what a sensor of the best class tells apart, and a float32 holds 16 such steps; where the base is
    large, a grain of a millionth of a unit keeps a day whose first value was nonsense (65535) from losing the rest.
    A power of two divides without rounding. Beside a base of 0 every size counts.
    """
    exponent = np.frexp(np.abs(base) * 1e-6)[1] - 1
    grain: Floats = np.ldexp(1.0, np.where(base == 0, -40, np.minimum(exponent, -20)))
    return grain


class ValuesDay:
    """One open day.

    Args:
        start_ns: Start of the day.
        end_ns: End of the day.
        n: Number of watched signals.
    """

    COLUMNS = ("n", "low", "high", "base", "grain", "fell")

    def __init__(self, start_ns: int, end_ns: int, n: int) -> None:
        self.start_ns, self.end_ns = start_ns, end_ns
        self._quarters = -(-(end_ns - start_ns) // QUARTER_NS)
        self.n = np.zeros(n, np.int64)
        self.low, self.high, self.base = np.zeros(n), np.zeros(n), np.zeros(n)
        self.grain = np.ones(n)
        self.fell = np.zeros(n, np.bool_)
        self.changed: NDArray[np.integer[Any]] = np.zeros((n, 0), np.uint16)
        """By signal and quarter hour, as far as the day has come; in 16 bits as long as they are enough."""
        self.sketches = {
            "spread": Sketches(SPREAD),
            "steps": Sketches(STEPS, upward=True),
            "runs": Sketches(),
            "spikes": Sketches(SPIKED),
            "outside": Sketches(kind=np.int64),
            "beyond": Sketches(kind=np.int64),
        }
        self.longest = {
            "still": Longest(start_ns, end_ns, STILLS),
            "outside": Longest(start_ns, end_ns, LONG_LEFT),
            "beyond": Longest(start_ns, end_ns, LONG_LEFT),
        }
        self.spikes = Largest(start_ns, SPIKES)
        self.around = Around(n)
        self._candidates: list[tuple[Ints, Ints, NDArray[np.int32]]] = []

    def grow(self, n: int) -> None:
        """Make room for n signals."""
        more = n - len(self.n)
        if more <= 0:
            return
        self.around.grow(n)
        self.n = grown(self.n, n)
        nothing = np.zeros(more)
        self.low, self.high = np.append(self.low, nothing), np.append(self.high, nothing)
        self.base, self.grain = np.append(self.base, nothing), np.append(self.grain, nothing + 1)
        self.fell = np.append(self.fell, nothing > 0)
        self.changed = np.concatenate([self.changed, np.zeros((more, self.changed.shape[1]), self.changed.dtype)])

    def begin(self, signal: Ints, first: Floats) -> None:
        """Take the day's first values of signals."""
        self.base[signal] = self.low[signal] = self.high[signal] = first + 0.0
        self.grain[signal] = grains(first)

    def held(self, signal: int, last: float) -> None:
        """Note what a signal said before a day on which it has not said anything yet."""
        if not self.n[signal]:
            self.begin(np.array([signal]), np.array([last]))

    def change(self, signal: Ints, time: Ints) -> None:
        """Take changes."""
        quarter = (time - self.start_ns) // QUARTER_NS
        latest = int(quarter.max())
        if latest >= self.changed.shape[1]:
            self.changed = self._wide(min(latest + AHEAD, self._quarters))
        if self.changed.dtype == np.uint16 and int(self.changed.max()) + len(signal) > WORD:
            self.changed = self.changed.astype(np.int32)
        if self.changed.size <= 4 * len(signal):
            quarter += signal * self.changed.shape[1]
            more = np.bincount(quarter, minlength=self.changed.size).reshape(self.changed.shape)
            self.changed += more.astype(self.changed.dtype)
        else:
            np.add.at(self.changed, (signal, quarter), 1)

    def _wide(self, quarters: int) -> NDArray[np.integer[Any]]:
        """Return `changed` with so many quarter hours."""
        return np.pad(self.changed, ((0, 0), (0, quarters - self.changed.shape[1])))

    def spike(self, of: Ints, head: Ints, steps: NDArray[np.uint8], found: tuple[Ints, Ints, Ints, Floats]) -> None:
        """Take candidates for spikes among rows that `n` counts already.

        Args:
            of: Signals of the portion.
            head: First row of each.
            steps: Of all rows, see `agent.analyzers.around`.
            found: Index into `of`, place behind the first row, time, and distance from the median.
        """
        before = self.n[of] - np.diff(head, append=len(steps))
        who, at, time, far = found
        table = np.array([of[who], before[who] + at, time, index(far / self.grain[of[who]])], np.int64)
        self._spiked(self.around.take(of, head, before, steps, table))

    def _spiked(self, decided: Ints) -> None:
        """Take what the readings around have not ruled out."""
        if decided.size:
            self._candidates.append((decided[0], decided[2], decided[3].astype(np.int32)))
            if sum(len(of) for of, _, _ in self._candidates) >= WAITING:
                self._spikes()

    def _spikes(self) -> None:
        """Count the candidates that have waited: a few at a time cost as much as hundreds."""
        if self._candidates:
            signal, time, bucket = (np.concatenate(column) for column in zip(*self._candidates, strict=True))
            self._candidates = []
            self.sketches["spikes"].add(signal, bucket)
            self.spikes.add(signal, time, bucket)

    def run(self, signal: Ints, start: Ints, end: Ints) -> None:
        """Take runs of equal readings that lie within the day."""
        short = end - start < SHORT_NS
        if short.all():
            self.sketches["runs"].add(signal, buckets(end - start))
            return
        self.sketches["runs"].add(signal[short], buckets((end - start)[short]))
        self.still(signal[~short], start[~short], end[~short])

    def still(self, signal: Ints, start: Ints, end: Ints) -> None:
        """Take the parts within the day of long runs."""
        self._sum_up(self.longest["still"].add(signal, start, end))

    def _sum_up(self, rest: NDArray[np.int32] | None) -> None:
        """Put runs that are not among the longest into their sketch."""
        if rest is not None:
            self.sketches["runs"].add(rest[0], buckets((rest[2] - rest[1]).astype(np.int64) * MILLI_NS))

    def out(self, which: str, signal: Ints, start: Ints, end: Ints) -> None:
        """Take time within the day out of a range; several quarter hours are cut into their parts."""
        quarter, last = (start - self.start_ns) // QUARTER_NS, (end - 1 - self.start_ns) // QUARTER_NS
        while len(signal):
            stop = np.minimum(end, self.start_ns + (quarter + 1) * QUARTER_NS)
            self.sketches[which].add(signal, quarter, stop - start)
            more = last > quarter
            if not more.any():
                return
            signal, start, end, quarter, last = signal[more], stop[more], end[more], quarter[more] + 1, last[more]

    def out_long(self, which: str, signal: Ints, start: Ints, end: Ints) -> None:
        """Take time out of a range that is cut to what was known when the day closes."""
        rest = self.longest[which].add(signal, start, end)
        if rest is not None:
            self.out(which, *self._absolute(rest))

    def _absolute(self, table: NDArray[np.int32]) -> tuple[Ints, Ints, Ints]:
        times = table[1:].astype(np.int64) * MILLI_NS + self.start_ns
        return table[0].astype(np.int64), times[0], times[1]

    def renew(self, signal: int) -> None:
        """Forget what was out of the ranges of a signal: they have changed."""
        for which in OUTER:
            self.sketches[which].forget(signal)
            self.longest[which].forget(signal)

    def settle(self) -> None:
        """Bring everything into its final form."""
        self._sum_up(self.longest["still"].settle())
        self._spikes()
        self.spikes.settle()
        for which in OUTER:
            rest = self.longest[which].settle()
            if rest is not None:
                self.out(which, *self._absolute(rest))

    def records(self, known: Mapping[int, Spans] | None) -> Records:
        """Return what the day has come to; `known` cuts the long pieces of a subscription."""
        self._spiked(self.around.finish(self.n))
        self.settle()
        return Records(self, known)

    def state(self) -> dict[str, Any]:
        """Return everything as JSON."""
        self.settle()
        return {
            "end": self.end_ns,
            "columns": [packed(getattr(self, name)) for name in self.COLUMNS],
            "changed": packed(self._wide(self._quarters).astype(np.int32)),
            "sketches": {name: sketch.state() for name, sketch in self.sketches.items()},
            "longest": {name: longest.state() for name, longest in self.longest.items()},
            "spikes": self.spikes.state(),
            "around": self.around.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the state that `state` returned."""
        for name, text in zip(self.COLUMNS, state["columns"], strict=True):
            setattr(self, name, unpacked(text, getattr(self, name).dtype))
        changed = unpacked(state["changed"], np.int32, len(self.n), -1)
        self.changed = changed if changed.size and int(changed.max()) > WORD else changed.astype(np.uint16)
        for name, sketch in self.sketches.items():
            sketch.restore(state["sketches"][name])
        for name, longest in self.longest.items():
            longest.restore(state["longest"][name])
        self.spikes.restore(state["spikes"])
        self.around.restore(state["around"])


class Records:
    """Makes the records of a day that has settled."""

    def __init__(self, day: ValuesDay, known: Mapping[int, Spans] | None) -> None:
        self._day = day
        self._known = known
        self._flat = {name: dict(sketch.each()) for name, sketch in day.sketches.items()}

    def record(self, signal: int, want: int, ranges: list[float]) -> Values | None:
        """Return the record of a signal, or None if it leaves none.

        Args:
            signal: Watched signal.
            want: Whether it gets one, see `ALWAYS`.
            ranges: Limits and usual range, NaN where there are none.
        """
        day = self._day
        limits, usual = ([] if np.isnan(ranges[i]) else ranges[i : i + 2] for i in (0, 2))
        runs = pairs(self._flat["runs"].get(signal, ()))
        still = self._still(signal, runs)
        n, low, high = int(day.n[signal]), float(day.low[signal]), float(day.high[signal])
        changes = int(day.changed[signal].sum())
        if not n and not still:
            return None
        if not (limits or usual or want == ALWAYS):
            many = changes > SEGMENTS or (changes >= LABELS and high - low >= LABELS)
            if want == NEVER_BY_ITSELF or not (day.fell[signal] and many):
                return None
        quarters = np.flatnonzero(day.changed[signal])
        steps = self._flat["steps"].get(signal, [])
        small_step = quantile(pairs(steps), QUIET) if steps else 0
        alone = int(index(np.array([NOISE * value(small_step, 1.0)]))[0])
        return Values(
            n=n,
            low=low,
            high=high,
            base=float(day.base[signal]),
            grain=float(day.grain[signal]),
            spread=_coarse(self._flat["spread"].get(signal, [])),
            steps=_recurrent(steps, changes),
            changed=np.stack([quarters, day.changed[signal, quarters]], axis=1).ravel().tolist(),
            runs=_sparse(runs),
            still=_millis(still),
            spikes=[milli for milli, bucket in day.spikes.of(signal) if bucket > alone],
            spiked=sum(n for bucket, n in pairs(self._flat["spikes"].get(signal, ())).items() if bucket > alone),
            outside=self._out("outside", signal) if limits else [],
            beyond=self._out("beyond", signal) if usual else [],
            limits=limits,
            usual=usual,
        )

    def _cut(self, which: str, signal: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the pieces of a signal, and what is left of them by what was known (ms)."""
        pieces = self._day.longest[which].of(signal)
        if self._known is None or not pieces:
            return pieces, pieces
        start = self._day.start_ns
        whole = Spans.of([(start + a * MILLI_NS, start + b * MILLI_NS) for a, b in pieces])
        if which == "still":  # touching runs are different ones
            parts = [
                p for a, b in pieces
                for p in intersection(
                    Spans.between(start + a * MILLI_NS, start + b * MILLI_NS), self._known.get(signal, EMPTY)
                )
            ]  # fmt: skip
        else:
            parts = list(intersection(whole, self._known.get(signal, EMPTY)))
        return pieces, [((a - start) // MILLI_NS, (b - start) // MILLI_NS) for a, b in parts]

    def _still(self, signal: int, runs: dict[int, int]) -> list[tuple[int, int]]:
        """Return the long runs; those that an outage has made short or too many go into `runs`."""
        before, after = self._cut("still", signal)
        if before == after:
            return after
        length = (self._day.end_ns - self._day.start_ns) // MILLI_NS
        own = set(before)
        kept = [p for p in after if p in own or (p[1] - p[0]) * MILLI_NS >= SHORT_NS or p[0] == 0 or p[1] == length]
        kept.sort(key=lambda p: (p[0] != 0 and p[1] != length, p[0] - p[1], p[0]))
        chosen = set(kept[:STILLS])
        for a, b in after:
            if (a, b) not in chosen:
                bucket = int(buckets(np.array([(b - a) * MILLI_NS]))[0])
                runs[bucket] = runs.get(bucket, 0) + 1
        return sorted(chosen)

    def _out(self, which: str, signal: int) -> list[int]:
        """Return [quarter, ms, ...] out of a range."""
        sums = pairs(self._flat[which].get(signal, ()))
        quarter = QUARTER_NS // MILLI_NS
        for a, b in self._cut(which, signal)[1]:
            while a < b:
                stop = min(b, (a // quarter + 1) * quarter)
                sums[a // quarter] = sums.get(a // quarter, 0) + (stop - a) * MILLI_NS
                a = stop  # noqa: PLW2901 - the rest of the piece
        return _sparse({q: ns // MILLI_NS for q, ns in sums.items() if ns >= MILLI_NS})


def _sparse(counts: Mapping[int, int]) -> list[int]:
    return [number for bucket in sorted(counts) for number in (bucket, counts[bucket])]


def _millis(pieces: list[tuple[int, int]]) -> list[int]:
    """Return [hole, length, ...]."""
    flat, last = [], 0
    for begin, end in pieces:
        flat += [begin - last, end - begin]
        last = end
    return flat


def _coarse(flat: list[int]) -> list[int]:
    """Return a sketch of values whose small distances from `base` are one bucket.

    A distance near 0 is told to 2 % of itself, which is far more than 2 % of the width of the distribution: half of
    the buckets would say where within a hundredth of it a value lies.
    """
    counts = pairs(flat)
    if len(counts) <= FINE:
        return flat
    width = value(quantile(counts, 0.99), 1.0) - value(quantile(counts, 0.01), 1.0)
    limit = int(index(np.array([width / FINE]))[0])
    near = sum(count for bucket, count in counts.items() if abs(bucket) <= limit)
    kept = {bucket: count for bucket, count in counts.items() if abs(bucket) > limit}
    return _sparse(kept | ({0: near} if near else {}))


def _recurrent(flat: list[int], changes: int) -> list[int]:
    """Return a sketch of steps without the smallest ones that are each too rare to be a resolution, see `RARE`."""
    counts = pairs(flat)
    common = [bucket for bucket, count in counts.items() if count >= OFTEN and count * RARE >= changes]
    if len(counts) <= FINE or not common:
        return flat
    least = min(common)
    kept = {bucket: count for bucket, count in counts.items() if bucket >= least}
    kept[least] += sum(count for bucket, count in counts.items() if bucket < least)
    return _sparse(kept)
