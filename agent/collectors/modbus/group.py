"""What one poll group asks for, what it has learned about the device's refusals, and its rows.

A Modbus exception is an answer: it costs the values of its block, never the connection. A merged block refused
with "illegal address" or "illegal value" may owe that to a single value, or to a register in a gap that nobody
asked for. So it is halved in the same reading until each value has been served or refused by itself:

    blocks    asked for in each reading; halves that worked take the place of the block that did not
    failing   those of them that the device answered with an exception just now, and may serve the next time
    refused   blocks that it will go on refusing until a person acts: asked for again every 60 s and after
              `forget`; each reading has bad rows for them

When all that was refused is served again, the merged plan is restored. The memory is lost with the process.

Pure: the collector does the I/O and hands in the times.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.collectors.binary import rated
from agent.collectors.modbus.decode import compile_decoder
from agent.collectors.modbus.plan import halves, plan
from agent.collectors.modbus.refusal import UNLISTED, describe, status_of
from agent.frame import Rows, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from agent.collectors.binary import Kind, Marked
    from agent.collectors.modbus.plan import Limits, Request, Span
    from agent.frame import Frame, Source, Value

RETEST_NS = 60_000_000_000
PERHAPS_ONE_VALUE = frozenset({2, 3})
"""Exceptions that a single address can cause for its whole block."""
LASTING = frozenset({1, 2, 3})
"""Exceptions that the device will repeat until a person acts."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One request and how its answer is decoded."""

    request: Request
    decode: Callable[[bytes], list[Value | Marked]]

    @property
    def span(self) -> Span:
        """What it asks for."""
        return self.request.span


class Group:
    """One poll group.

    A reading is `begin`, then for each block `serve` or `refuse`, then `end`. One that was broken off needs no
    `end`: its rows come out with the next `take`.

    Args:
        source: Of its rows.
        spans: Where each signal of the source lies.
        kinds: How each is decoded.
        limits: Of one request.
    """

    def __init__(self, source: Source, spans: Sequence[Span], kinds: Sequence[Kind], limits: Limits) -> None:
        self.source = source
        self._spans = spans
        self._kinds = kinds
        self._rows = Rows(source)
        self._planned = self._blocks(plan(spans, limits))
        self.forget()

    def forget(self) -> None:
        """Ask for everything again in the next reading, as planned."""
        self.blocks: tuple[Block, ...] = self._planned
        self.refused: dict[Block, int] = {}  # -> exception code
        self.failing: dict[Block, int] = {}
        self._retest_at = 0
        self._start(retesting=False)

    def _start(self, *, retesting: bool) -> None:
        self._retesting = retesting
        self._served: list[Block] = []
        self._healed: list[Block] = []
        self._now_refused: dict[Block, int] = {}
        self._now_failing: dict[Block, int] = {}

    def begin(self, now: int) -> deque[Block]:
        """Start a reading at monotonic time `now`; return the blocks to ask for, in order."""
        self._start(retesting=bool(self.refused) and now >= self._retest_at)
        return deque([*self.blocks, *(self.refused if self._retesting else ())])

    def serve(self, block: Block, data: bytes, time_ns: int) -> None:
        """Take the data bytes that came for a block, and their acquisition time."""
        add = self._rows.add
        for (index, _), found in zip(block.request.items, block.decode(data), strict=True):
            add(index, time_ns, *rated(found))
        (self._healed if block in self.refused else self._served).append(block)

    def refuse(self, block: Block, code: int, time_ns: int, *, halve: bool) -> tuple[Block, ...]:
        """Take the exception that came for a block; return the blocks to ask for in its place, now.

        Args:
            block: What was asked for.
            code: Modbus exception code.
            time_ns: Acquisition time of the answer.
            halve: Whether this reading may go on looking for the value to blame.
        """
        several = code in PERHAPS_ONE_VALUE and len(block.request.items) > 1
        if several and halve:
            return self._blocks(halves(block.request, self._spans))
        self._bad(block, code, time_ns)
        (self._now_refused if code in LASTING and not several else self._now_failing)[block] = code
        return ()

    def end(self, now: int, time_ns: int) -> None:
        """End a reading: give what was not asked for its bad rows, and learn."""
        if not self._retesting:
            for block, code in self.refused.items():
                self._bad(block, code, time_ns)
        if not (self._retesting or self._now_refused or self._now_failing or self.failing) and len(
            self._served
        ) == len(self.blocks):
            return
        if self._retesting or self._now_refused:
            self._retest_at = now + RETEST_NS
        refused = self._now_refused if self._retesting else self.refused | self._now_refused
        if self._healed and not refused:
            self.forget()
            return
        asked = [*self._served, *self._healed, *self._now_failing]
        self.blocks = tuple(sorted(asked, key=lambda b: (b.span.table, b.span.start)))
        self.refused, self.failing = refused, self._now_failing

    def fail_all(self, time_ns: int, status: int) -> None:
        """Add a bad row for each signal: an attempt failed as a whole."""
        self._rows.fail_all(time_ns, status)

    def round_trip(self, time_ns: int, rtt_ns: int, code: int | None) -> None:
        """Record one request and the exception code of its answer, if any."""
        self._rows.round_trip(time_ns, rtt_ns, Status.GOOD if code is None else status_of(code))

    def take(self) -> Frame:
        """Return the rows so far."""
        return self._rows.take()

    def texts(self) -> list[str]:
        """Say what the device refuses now."""
        refusals = sorted(
            (self.refused | self.failing).items(), key=lambda pair: (pair[0].span.table, pair[0].span.start)
        )
        return [
            describe(code, block.span, [self.source.signals[i].id for i, _ in block.request.items])
            for block, code in refusals
            if code not in UNLISTED
        ]

    def _bad(self, block: Block, code: int, time_ns: int) -> None:
        for index, _ in block.request.items:
            self._rows.add(index, time_ns, None, status_of(code))

    def _blocks(self, requests: Iterable[Request]) -> tuple[Block, ...]:
        return tuple(Block(request, compile_decoder(request, self._kinds)) for request in requests)
