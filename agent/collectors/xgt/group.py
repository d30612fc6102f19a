"""What one poll group asks a PLC for, what it has learned from refusals, and its rows.

A refusal is an answer: it costs the values of its block, never the connection. It is followed in the same reading
until each value has been served or refused by itself:

    an address, an area, an unknown code   the request is halved by its values
    too many bytes, too many variables     the limit is halved; what was asked is planned anew
    the data type, of a continuous read    tried with individual reads; when they are served, always from then on
    the header                             nothing to search: it concerns every request

What was learned outlives the reading. A value refused by itself is asked for again every 60 s, by itself, and each
reading has a bad row for it. Where a search has cut, later blocks end, until a reading tries to ask across the cut
again (see `agent.collectors.xgt.learned`); it is then refused in one piece and served in two at worst. `Learned` is
kept on disk by the collector: after a restart the first reading asks as the last one did. A search that a reading
had no time for goes on where it stopped.

Pure: the collector does the I/O and hands in the times.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.collectors.binary import compile_decoder, rated
from agent.collectors.planning import touches
from agent.collectors.xgt.frame import Continuous
from agent.collectors.xgt.plan import again, halves, plan
from agent.collectors.xgt.refusal import describe, explain, status_of
from agent.frame import Rows, Status
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from agent.collectors.binary import Kind, Marked
    from agent.collectors.planning import Span
    from agent.collectors.xgt.frame import PlcInfo, Refusal, Reply
    from agent.collectors.xgt.learned import Learned
    from agent.collectors.xgt.plan import Limits, Request, Value
    from agent.frame import Frame, Source
    from agent.frame import Value as Plain

RETEST_NS = 60_000_000_000
TRIED = 8
"""Borders that are tried in one reading."""


@dataclass(slots=True, eq=False)
class Block:
    """One request, how its answer is decoded, and what it was cut from.

    Attributes:
        request: What to ask.
        decode: From the joined data to an item per value.
        parts: Of the halving that made it: both halves.
        served: Whether this reading has served it.
        trial: It asks individually for what was refused as a continuous read.
        joint: It asks across a border: the first byte behind it.
        cut: It came out of a search.
    """

    request: Request
    decode: Callable[[bytes], list[Plain | Marked]]
    parts: tuple[Block, ...] = ()
    served: bool = False
    trial: bool = False
    joint: int | None = None
    cut: bool = False

    @property
    def indices(self) -> list[int]:
        """The values that it reads."""
        return [index for index, _ in self.request.items]


class Group:
    """One poll group.

    A reading is `begin`, then for each block `serve` or `refuse`, then `end`. One that was broken off needs no
    `end`: its rows come out with the next `take`.

    Args:
        source: Of its rows.
        values: Where each value lies; None for one that is made of the header, see `told`.
        kinds: How each is decoded.
        told: Index to what of the header it is: "state" or "error".
        limits: What the module serves.
        learned: What all groups of the PLC have learned.
    """

    def __init__(
        self,
        source: Source,
        values: Sequence[Value | None],
        kinds: Sequence[Kind],
        told: Mapping[int, str],
        limits: Limits,
        learned: Learned,
    ) -> None:
        self.source = source
        self._asked = [i for i, value in enumerate(values) if value is not None]
        self._values = [value for value in values if value is not None]
        self._kinds = [kinds[i] for i in self._asked]
        self._told = told
        self._limits = limits
        self.learned = learned
        self._rows = Rows(source)
        self._info: PlcInfo | None = None
        self._tried: list[tuple[str, Span]] = []
        self.forget()

    def forget(self) -> None:
        """Ask for everything again in the next reading, as if nothing was refused."""
        self.refused: dict[int, Refusal] = {}  # a value refused by itself
        self.failing: dict[Block, Refusal] = {}
        self._retest_at = 0
        self._planned_for = -1

    def _plan(self) -> None:
        """Make the requests anew when what is known has changed."""
        if self._planned_for == self.learned.version:
            return
        limits = self.learned.of(self._limits)
        only = [i for i in range(len(self._values)) if i not in self.refused]
        self.blocks = self._blocks(plan(self._values, limits, self.learned.barriers, only))
        for block in self.blocks:
            ask = block.request.ask
            for area, (_, start) in self._tried:
                if isinstance(ask, Continuous) and area == ask.area and ask.start < start < ask.start + ask.count:
                    block.joint = start
        reached = {i for block in self.blocks for i in block.indices}
        self._out_of_reach = [i for i in only if i not in reached]
        self._planned_for = self.learned.version

    def begin(self, now: int) -> deque[Block]:
        """Start a reading at monotonic time `now`; return the blocks to ask for, in order."""
        self._tried = [] if self.failing else self.learned.try_some(TRIED)
        self._plan()
        self._info = None
        self._served: list[Block] = []
        self._now_failing: dict[Block, Refusal] = {}
        self._now_refused: dict[int, Refusal] = {}
        # a header comes with an answer only: with nothing else to ask, what is refused is asked each time
        no_answer = bool(self._told) and not self.blocks
        self._retesting = bool(self.refused) and (now >= self._retest_at or no_answer)
        self._now = now
        for block in self.blocks:
            block.served, block.parts, block.cut = False, (), False
        todo = deque(self.blocks)
        if self._retesting:
            alone = self._limits if self.learned.of(self._limits).continuous else self.learned.of(self._limits)
            for index in self.refused:
                todo.extend(self._blocks(plan(self._values, alone, only=[index])))
        return todo

    def serve(self, block: Block, reply: Reply, time_ns: int) -> None:
        """Take the data that came for a block, and its acquisition time."""
        self._info = reply.info
        block.served = True
        if block.trial:
            self.learned.no_continuous()
        for index, found in zip(block.indices, block.decode(b"".join(reply.blocks)), strict=True):
            self._rows.add(self._asked[index], time_ns, *rated(found))
            if self.refused.pop(index, None) is not None:
                self.learned.open_up(self._values[index].area, self._values[index].span)
                self.learned.changed()
        self._served.append(block)
        if block.parts and all(part.served for part in block.parts):
            self._hole_between(block.parts)

    def _hole_between(self, parts: Sequence[Block]) -> None:
        """Both halves of what was refused are served: what lies between them is not to be read."""
        asks = [part.request.ask for part in parts]
        blocks = sorted((ask for ask in asks if isinstance(ask, Continuous)), key=lambda ask: ask.start)
        if len(blocks) == 2:
            first, second = blocks
            self.learned.hole(first.area, first.start + first.count, second.start, self._now)

    def refuse(self, block: Block, refusal: Refusal, time_ns: int, *, search: bool) -> tuple[Block, ...]:
        """Take the refusal that came for a block; return the blocks to ask for in its place, now.

        Args:
            block: What was asked for.
            refusal: The PLC's answer.
            time_ns: Acquisition time of the answer.
            search: Whether this reading may go on looking for the value to blame.
        """
        self._info = refusal.info
        means = explain(refusal.code).means
        if blocks := self._instead(block, means):
            reached = {i for made in blocks for i in made.indices}
            self._bad([i for i in block.indices if i not in reached], refusal, time_ns)
            return blocks
        several = len(block.indices) > 1
        if several and (search or block.joint is not None) and means != "header":
            parts = self._blocks(self._split(block))
            for part in parts:
                part.parts, part.cut = parts, True
            return parts
        self._bad(block.indices, refusal, time_ns)
        if several or means == "header":
            self._now_failing[block] = refusal
        else:
            self._now_refused[block.indices[0]] = refusal
        return ()

    def _split(self, block: Block) -> tuple[Request, ...]:
        """Return two requests for the values of one: cut at its joint, or in the middle."""
        left = [i for i in block.indices if self._values[i].start < (block.joint or 0)]
        right = [i for i in block.indices if i not in left]
        if left and right:
            return (*again(block.request, self._values, left), *again(block.request, self._values, right))
        return halves(block.request, self._values)

    def _instead(self, block: Block, means: str) -> tuple[Block, ...]:
        """Return the blocks to try when the request was too much for this module, or of a type it has not."""
        ask, limits = block.request.ask, self.learned.of(self._limits)
        if isinstance(ask, Continuous):
            if means == "type" and limits.continuous:
                blocks = self._blocks(plan(self._values, replace(limits, continuous=False), only=block.indices))
                for made in blocks:
                    made.trial = True
                return blocks
            most = ask.count // 2
            if means != "size" or most < max(self._values[i].size for i in block.indices):
                return ()
            self.learned.most_bytes(min(limits.bytes, most))
        else:
            fewer = len(ask.places) // 2
            if means != "blocks" or fewer < max(len(self._values[i].words) for i in block.indices):
                return ()
            self.learned.most_blocks(min(limits.blocks, fewer))
        return self._blocks(
            plan(self._values, self.learned.of(self._limits), self.learned.barriers, only=block.indices)
        )

    def end(self, now: int, time_ns: int) -> None:
        """End a reading: give what was not asked for its bad rows and the header's values theirs, and learn."""
        if not self._retesting:
            for index, refusal in self.refused.items():
                self._bad([index], refusal, time_ns)
        for index in self._out_of_reach:
            self._rows.add(self._asked[index], time_ns, None, Status.BAD_NOT_SUPPORTED)
        for index, what in self._told.items():
            self._tell(index, what, time_ns)
        if self._retesting or self._now_refused:
            self._retest_at = now + RETEST_NS
        for index in self._now_refused:
            value = self._values[index]
            if not value.contact and explain(self._now_refused[index].code).means == "address":
                self.learned.hole(value.area, *value.span, now)
        if self._now_refused.keys() - self.refused.keys():
            self.learned.changed()
        self.refused |= self._now_refused
        self._mark_cuts()
        self.failing = self._now_failing
        if any(len(block.indices) > 1 for block in self.failing):  # go on with the search, do not begin anew
            asked = [block for block in self._served if self.refused.keys().isdisjoint(block.indices)]
            self.blocks = (*asked, *self.failing)
            self._planned_for = self.learned.version

    def _mark_cuts(self) -> None:
        """Remember where this reading's searches have cut between bytes that are served."""
        asks = [b.request.ask for b in self._served if b.cut]
        ordered = sorted((a for a in asks if isinstance(a, Continuous)), key=lambda a: (a.area, a.start))
        for left, right in itertools.pairwise(ordered):
            gap = left.start + left.count, right.start
            if left.area == right.area and not any(
                v.area == left.area and touches(v.span, gap) for v in self._values
            ):
                self.learned.border(left.area, *gap)

    def _tell(self, index: int, what: str, time_ns: int) -> None:
        """Add what the header of the last answer says."""
        info = self._info
        if info is None or info.state is None:
            self._rows.add(index, time_ns, None, Status.BAD_NOT_SUPPORTED)
        else:
            self._rows.add(index, time_ns, info.state if what == "state" else info.error)

    def fail_all(self, time_ns: int, status: int) -> None:
        """Add a bad row for each signal: an attempt failed as a whole."""
        self._rows.fail_all(time_ns, status)

    def round_trip(self, time_ns: int, rtt_ns: int, refusal: Refusal | None) -> None:
        """Record one request and its refusal, if any."""
        self._rows.round_trip(time_ns, rtt_ns, Status.GOOD if refusal is None else status_of(refusal.code))

    def take(self) -> Frame:
        """Return the rows so far."""
        return self._rows.take()

    def texts(self) -> list[Text]:
        """Say what the PLC refuses now."""
        found = [
            describe(refusal, str(block.request.ask), self._ids(block.indices))
            for block, refusal in self.failing.items()
        ]
        for index, refusal in sorted(self.refused.items()):
            (request,) = plan(self._values, self._limits, only=[index]) or (None,)
            found.append(describe(refusal, str(request.ask if request else "-"), self._ids([index])))
        if self._planned_for >= 0 and self._out_of_reach:
            names = ", ".join(self._ids(self._out_of_reach))
            found.append(
                Text(
                    f"signal {names}: the module serves no continuous reads, and one individual read is too short",
                    f"태그 {names}: 통신 모듈이 연속 읽기를 지원하지 않고, 개별 읽기 한 번으로는 길이가 부족합니다",
                )
            )
        return found

    def _ids(self, indices: Iterable[int]) -> list[str]:
        return [self.source.signals[self._asked[i]].id for i in indices]

    def _bad(self, indices: Iterable[int], refusal: Refusal, time_ns: int) -> None:
        for index in indices:
            self._rows.add(self._asked[index], time_ns, None, status_of(refusal.code))

    def _blocks(self, requests: Iterable[Request]) -> tuple[Block, ...]:
        return tuple(Block(r, compile_decoder(r.items, r.size, self._kinds)) for r in requests)
