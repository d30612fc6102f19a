"""What a device has taught its collector: limits, holes and refused values; it survives a restart.

    limits    A request longer than this was refused, though all it spans is served in pieces.
    holes     Gaps between values, or borders between neighbours, that no request may touch: their sides were served
              alone and refused together. Asked again once a day, and an hour after each start: there are
              boxes that nobody leaves on overnight.
    refused   Values that the device refuses by themselves. Asked again after 60 s, twice as long after each
              refusal, at most 1 h; all of a table when one of them is served again: then somebody has been there.

Every group of a device shares one of these. On disk it is a JSON object that names the device's place, so that an
edited configuration (another host or unit) does not inherit what is wrong for it; anything malformed is ignored, as
is what is about values that the configuration no longer has: nobody would ever ask for it again.
Pure: the collector hands in monotonic times.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.collectors.modbus.plan import ADDRESSES, Limits, Span, Table
from agent.collectors.planning import Cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agent.collectors.planning import Span as Units
    from agent.frame import Json

SECOND = 1_000_000_000
RETEST_NS, RETEST_MOST_NS = 60 * SECOND, 3600 * SECOND
HOLE_NS = 24 * 3600 * SECOND
VERSION = 1
TOPIC = "modbus"
ILLEGAL_FUNCTION = 1
MOST = 10_000
"""Entries that are kept: a device cannot fill the disk."""


@dataclass(slots=True)
class Refusal:
    """A value, or a hole, that is asked again now and then."""

    code: int
    wait: int
    due: int  # monotonic


@dataclass(slots=True)
class Learned:
    """See the module's text.

    Attributes:
        place: Names the device: transport, address and unit.
        version: Counts what changes plans.
        registers: Learned limit, None when the configured one holds.
        bits: Likewise.
        holes: Per table.
        refused: Values.
        cost: What was measured, for the next start.
    """

    place: str
    version: int = 0
    registers: int | None = None
    bits: int | None = None
    holes: dict[Table, dict[Units, Refusal]] = field(default_factory=lambda: {table: {} for table in Table})
    refused: dict[Span, Refusal] = field(default_factory=dict)
    cost: Cost | None = None

    def limits(self, configured: Limits) -> Limits:
        """Return the stricter of what is configured and what was learned."""
        return Limits(
            min(configured.registers, self.registers or configured.registers),
            min(configured.bits, self.bits or configured.bits),
            configured.gap,
        )

    def limit(self, table: Table, most: int) -> None:
        """Learn that requests of a table may span so many addresses and no more."""
        if table.bits:
            self.bits = most
        else:
            self.registers = most
        self.version += 1

    def barriers(self, table: Table) -> list[Units]:
        """Return what no request of a table may touch."""
        return [*self.holes[table], *((span.start, span.end) for span in self.refused if span.table == table)]

    def hole(self, table: Table, units: Units, now: int) -> None:
        """Learn that two neighbours of this gap, or border, are refused together."""
        if units not in self.holes[table]:
            self.version += 1
        self.holes[table][units] = Refusal(2, HOLE_NS, now + HOLE_NS)

    def fill(self, table: Table, units: Units) -> None:
        """Forget a hole: a request over it was served."""
        if self.holes[table].pop(units, None) is not None:
            self.version += 1

    def refuse(self, span: Span, code: int, now: int) -> None:
        """Learn that a value is refused by itself, or that it still is."""
        known = self.refused.get(span)
        if known is None:
            self.version += 1
            self.refused[span] = Refusal(code, RETEST_NS, now + RETEST_NS)
            return
        if code != known.code:
            self.version += 1
        wait = min(known.wait * 2, RETEST_MOST_NS)
        self.refused[span] = Refusal(code, wait, now + wait)
        if code == known.code == ILLEGAL_FUNCTION:  # one speaks for its table
            for other, refusal in self.refused.items():
                if other.table == span.table and refusal.code == code:
                    refusal.wait, refusal.due = wait, now + wait

    def heal(self, span: Span) -> None:
        """Learn that a value is served again; the others of its table may be too, and are asked soon."""
        if self.refused.pop(span, None) is None:
            return
        self.version += 1
        for other, refusal in self.refused.items():
            if other.table == span.table:
                refusal.wait, refusal.due = RETEST_NS, 0

    def retry(self) -> None:
        """Make everything due at once, and believe the configured limits again."""
        for refusal in self.refused.values():
            refusal.wait, refusal.due = RETEST_NS, 0
        for holes in self.holes.values():
            for refusal in holes.values():
                refusal.due = 0
                self.version += 1
        if self.registers is not None or self.bits is not None:
            self.registers = self.bits = None
            self.version += 1

    def fit(self, groups: Sequence[Sequence[Span]]) -> None:
        """Forget refused values that no group has any more, and holes that are no gap between values of any."""
        configured = {span for spans in groups for span in spans}
        self.refused = {span: refusal for span, refusal in self.refused.items() if span in configured}
        for table, holes in self.holes.items():
            gaps: set[Units] = set()
            for spans in groups:
                starts = sorted({span.start for span in spans if span.table == table})
                ends = {span.end for span in spans if span.table == table}
                for start, end in holes:
                    behind = bisect.bisect_left(starts, start)
                    if starts[behind : behind + 1] == [end] and (start == end or start in ends):
                        gaps.add((start, end))
            self.holes[table] = {units: refusal for units, refusal in holes.items() if units in gaps}

    # On disk

    def body(self) -> Json:
        """Return it as JSON; times are left out, so that equal knowledge gives equal text."""
        limits: dict[str, Json] = {
            name: most for name, most in (("registers", self.registers), ("bits", self.bits)) if most is not None
        }
        holes: list[Json] = [[table.word, *units] for table in Table for units in sorted(self.holes[table])[:MOST]]
        refused: list[Json] = [
            [span.table.word, span.start, span.count, self.refused[span].code]
            for span in sorted(self.refused, key=lambda s: (s.table, s.start, s.count))[:MOST]
        ]
        cost: Json = None if self.cost is None else [self.cost.overhead_ns, self.cost.per_unit_ns]
        return {
            "version": VERSION,
            "place": self.place,
            "limits": limits,
            "holes": holes,
            "refused": refused,
            "cost": cost,
        }

    @classmethod
    def of(cls, body: Json, place: str, now: int) -> Learned:
        """Return what `body` says about the device at `place`; what is not understood is left out."""
        it = cls(place)
        if not isinstance(body, dict) or body.get("version") != VERSION or body.get("place") != place:
            return it
        limits = body.get("limits")
        if isinstance(limits, dict):
            it.registers = _whole(limits.get("registers"), 1, 125)
            it.bits = _whole(limits.get("bits"), 1, 2000)
        for table, numbers in _entries(body.get("holes"), 2):
            start, end = numbers
            if 0 <= start <= end <= ADDRESSES:
                it.holes[table][start, end] = Refusal(2, HOLE_NS, now + RETEST_MOST_NS)
        for table, numbers in _entries(body.get("refused"), 3):
            start, count, code = numbers
            if 0 <= start < start + count <= ADDRESSES and 0 < code < 256:
                it.refused[Span(table, start, count)] = Refusal(code, RETEST_NS, now + RETEST_NS)
        cost = body.get("cost")
        if isinstance(cost, list) and len(cost) == 2:
            overhead, per_unit = (_whole(part, 1, 60 * SECOND) for part in cost)
            if overhead is not None and per_unit is not None:
                it.cost = Cost(overhead, per_unit)
        return it

    def words(self) -> Mapping[str, Json]:
        """Return it for `Stats.learned`: short, for people."""
        found: dict[str, Json] = {}
        if self.registers is not None:
            found["max_registers"] = self.registers
        if self.bits is not None:
            found["max_bits"] = self.bits
        holes: list[Json] = [
            str(Span(table, start, end - start)) if end > start else f"{table.word}:{start - 1}|{start}"
            for table in Table
            for start, end in sorted(self.holes[table])
        ]
        refused: list[Json] = [
            str(span) for span in sorted(self.refused, key=lambda s: (s.table, s.start, s.count))
        ]
        for name, entries in (("holes", holes), ("refused", refused)):
            if entries:
                found[name] = len(entries)
                found[f"{name}_first"] = entries[:10]
        return found


def _whole(value: Json, least: int, most: int) -> int | None:
    return value if type(value) is int and least <= value <= most else None


def _entries(body: Json, numbers: int) -> Iterator[tuple[Table, list[int]]]:
    """Yield the well-formed entries of a list of [table, number, ...]."""
    tables = {table.word: table for table in Table}
    for entry in body if isinstance(body, list) else ():
        if not isinstance(entry, list) or len(entry) != numbers + 1 or not isinstance(entry[0], str):
            continue
        found = [number for number in entry[1:] if type(number) is int]
        if entry[0] in tables and len(found) == numbers:
            yield tables[entry[0]], found
