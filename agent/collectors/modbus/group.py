"""What one poll group asks for in a reading, and its rows.

A reading asks in this order, so that nobody waits for the search or for a retest:

    planned     the cheapest requests for all that is not known to be refused
    searches    `agent.collectors.modbus.heal`: why a planned request was refused just now or in an earlier reading;
                goes on until the time for it is used up, and in the next reading from where it was
    retests     values that were refused by themselves, and holes, whose time has come

A Modbus exception is an answer: it costs the values of its request, never the connection.

    2, 3        a value, a gap or the length may be to blame: it is searched for
    1           the table is not served; if anything of it is, like 2
    4           the device is in trouble; if one request gets it again and again while others are served, like 2
    others      passing states: the values are bad in this reading, and asked for again in the next

What is found out goes into `Learned`, which all groups of the device share, and the next reading is planned anew.
In the middle of a reading the plan never changes. Each reading has one row for each value, whatever happened.

Pure: the collector does the I/O and hands in the times.
"""

from __future__ import annotations

from array import array
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.collectors.binary import rated
from agent.collectors.modbus.cost import differs
from agent.collectors.modbus.decode import compile_decoder
from agent.collectors.modbus.heal import Density, Search
from agent.collectors.modbus.plan import Span, Table, plan, request
from agent.collectors.modbus.refusal import NOT_SERVED, status_of, tell
from agent.collectors.modbus.values import Values
from agent.collectors.planning import outermost
from agent.frame import Rows, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.collectors.binary import Kind, Marked
    from agent.collectors.modbus.cost import LinkCost
    from agent.collectors.modbus.heal import Finding
    from agent.collectors.modbus.learned import Learned
    from agent.collectors.modbus.plan import Limits, Request
    from agent.collectors.planning import Span as Units
    from agent.frame import Frame, Source, Value
    from settings.language import Text

ANSWERS = frozenset({1, 2, 3, 4})
"""Exceptions that a device gives to a question of a search, and to a value that it will not serve."""
BLAMES_A_VALUE = frozenset({2, 3})
IN_TROUBLE = 4
PATIENCE = 10
REPLAN_NS = 60_000_000_000
NEVER = 1 << 62


@dataclass(slots=True, eq=False)
class Block:
    """One request and how its answer is decoded.

    Attributes:
        request: What is asked for.
        decode: Makes the values of the answer.
        search: The search whose question it is.
        retest: The value, or the hole of a table, that is asked for again.
        indices: The signals that it serves.
    """

    request: Request
    decode: Callable[[bytes], list[Value | Marked]]
    search: Search | None = None
    retest: Span | tuple[Table, Units] | None = None
    indices: array[int] = field(init=False)

    def __post_init__(self) -> None:
        self.indices = array("i", [index for index, _ in self.request.items])

    @property
    def span(self) -> Span:
        """What it asks for."""
        return self.request.span


class Group:
    """One poll group.

    A reading is `begin`, then for each block of `next` either `serve` or `refuse`, then `end`. One that was broken
    off needs no `end`: its rows come out with the next `take`.

    Args:
        source: Of its rows.
        spans: Where each signal of the source lies.
        kinds: How each is decoded.
        limits: Of one request, as configured.
        learned: What is known of the device.
        link: What requests cost.
    """

    def __init__(
        self,
        source: Source,
        spans: Sequence[Span],
        kinds: Sequence[Kind],
        limits: Limits,
        learned: Learned,
        link: LinkCost,
    ) -> None:
        self.source = source
        self._spans = spans
        self._kinds = kinds
        self._configured = limits
        self._learned = learned
        self._link = link
        self._rows = Rows(source)
        self._values = Values(spans)
        self._density = {table: Density() for table in Table}
        self._longest = dict.fromkeys(Table, 0)  # the longest request that was served
        self._searches: list[Search] = []
        self._troubled: Counter[Span] = Counter()  # how often in a row a request got exception 4
        self._told: tuple[int, Sequence[Text]] = (-1, ())
        self._hurried = False  # retests may take the time of a search
        self._serving = False  # whether anything was served in the last reading
        self._failing: dict[Block, int] = {}
        self.planned: tuple[Block, ...] = ()
        self._plan(0)
        self._begin()

    # The plan

    def _plan(self, now: int) -> None:
        learned = self._learned
        self._version, self._planned_at, self._cost, self._changed = learned.version, now, self._link.cost, False
        self._limits = learned.limits(self._configured)
        self._refused = {span: learned.refused[span].code for span in self._values.at if span in learned.refused}
        self._known_bad = [
            (index, status_of(code)) for span, code in self._refused.items() for index in self._values.at[span]
        ]
        unsettled = {
            inner for search in self._searches for span in search.unsettled for inner in self._values.within(span)
        }
        holes = {table: learned.barriers(table) for table in Table}
        for span in unsettled:
            holes[span.table].append((span.start, span.end))
        without = [i for span in unsettled | self._refused.keys() for i in self._values.at[span]]
        known = {block.request: block for block in self.planned}
        self.planned = tuple(
            known.get(r) or self._block(r) for r in plan(self._spans, self._limits, self._cost, holes, without)
        )
        self._holes_due = min((r.due for known in learned.holes.values() for r in known.values()), default=NEVER)

    def _block(self, of: Request) -> Block:
        return Block(of, compile_decoder(of, self._kinds))

    def _asking(self, first: Span, last: Span) -> Block:
        """Return a block that asks for all that lies between two values, and is not known to be refused."""
        whole = Span(first.table, first.start, max(first.end, last.end) - first.start)
        spans = [s for s in self._values.within(whole) if s in {first, last} or s not in self._refused]
        return self._block(request(self._spans, [i for span in spans for i in self._values.at[span]]))

    # A reading

    def _begin(self) -> None:
        self._todo: deque[Block] = deque()
        self._served: list[Block] = []
        self._given: set[int] | None = None  # signals that have a row in this reading; None while all goes well
        self._now = 0
        self._extra = 0  # questions and retests asked
        self._paused: list[Search] = []  # that met a passing state
        self._retested: set[object] = set()
        self._spare_until = 0  # when retests leave off that nobody has asked for
        self._unserved: list[Block] = []  # answered with exception 1

    def begin(self, now: int) -> None:
        """Start a reading at monotonic time `now`."""
        self._searches += self._paused  # of one that was broken off
        self._begin()
        self._spare_until = now + self.source.interval_ns // 2
        if self._changed or self._version != self._learned.version:
            self._plan(now)
        elif now - self._planned_at > REPLAN_NS:
            self._planned_at = now
            if differs(self._link.cost, self._cost):
                self._plan(now)
        self._todo.extend(self.planned)
        self._failing = {}
        if self._searches:
            self._given = set()

    def next(self, now: int, until: int) -> Block | None:
        """Return the next block to ask for; None at the end of the reading.

        Args:
            now: Monotonic time.
            until: When searches and retests leave off, after one question at least; what is planned is asked for
                even then.
        """
        self._now = now
        if self._todo:
            return self._todo.popleft()
        if self._unserved:
            self._judge_unserved(now)
        if self._extra and now >= until:
            return None
        block = self._question()
        if block is None and (self._hurried or not self._retested or now < self._spare_until):
            block = self._retest(now)
        self._extra += block is not None
        return block

    def retry(self) -> None:
        """Ask for all that was refused in the next reading, as long as a search may take."""
        self._hurried = True

    def _question(self) -> Block | None:
        """Return what a search wants to know next."""
        while self._searches:
            search = self._searches[0]
            if not self._extra:  # what was planned and served tells how often something is bad, too
                density = self._density[search.table]
                density.settled = max(density.settled, sum(len(b.request.items) for b in self._served))
            row = search.question(self._limits.of(search.table))
            if row is not None:
                self._changed = True
                block = self._asking(row[0], row[-1])
                block.search = search
                return block
            self._searches.pop(0)
        return None

    def _retest(self, now: int) -> Block | None:
        """Return a value, or a hole with its neighbours, whose time has come."""
        for span in self._refused:
            refusal = self._learned.refused.get(span)
            if refusal is not None and refusal.due <= now and span not in self._retested:
                self._retested.add(span)
                block = self._asking(span, span)
                block.retest = span
                return block
        if now < self._holes_due:
            return None
        for table in Table:
            for units, refusal in self._learned.holes[table].items():
                if refusal.due > now or (table, units) in self._retested:
                    continue
                self._retested.add((table, units))
                pair = self._values.around(table, units, self._refused)
                if pair is not None and pair[1].end - pair[0].start <= self._limits.of(table):
                    block = self._asking(*pair)
                    block.retest = (table, units)
                    return block
        return None

    def serve(self, block: Block, data: bytes, time_ns: int) -> None:
        """Take the data bytes that came for a block, and their acquisition time."""
        items, values, add = block.request.items, block.decode(data), self._rows.add
        if self._given is None and not self._extra:
            if not self._rows.add_numbers(block.indices, time_ns, values):
                for (index, _), found in zip(items, values, strict=True):
                    add(index, time_ns, *rated(found))
            self._served.append(block)
        else:
            given = self._irregular()
            for (index, _), found in zip(items, values, strict=True):
                if index not in given:
                    given.add(index)
                    add(index, time_ns, *rated(found))
            if block.search is None:
                self._served.append(block)
        if (count := block.span.count) > self._longest[block.span.table]:
            self._longest[block.span.table] = count
        if self._extra:
            self._learn(block)
        elif self._troubled:
            self._troubled.pop(block.span, None)

    def _learn(self, block: Block) -> None:
        """Take that a question, or a retest, was served."""
        if block.search is not None:
            self._take(block.search, block.search.served(), self._now)
        elif isinstance(block.retest, Span):
            self._learned.heal(block.retest)
            self._refused.pop(block.retest, None)
        elif block.retest is not None:
            self._learned.fill(*block.retest)

    def refuse(self, block: Block, code: int, now: int, time_ns: int) -> None:
        """Take the exception that came for a block.

        Args:
            block: What was asked for.
            code: Modbus exception code.
            now: Monotonic time of the answer.
            time_ns: Its acquisition time.
        """
        self._irregular()
        if block.search is not None:
            if code in ANSWERS:
                self._take(block.search, block.search.refused(code), now)
            else:
                self._searches.remove(block.search)
                self._paused.append(block.search)
        elif isinstance(block.retest, Span):
            self._bad(block, code, time_ns)
            self._learned.refuse(block.retest, code if code in ANSWERS else self._refused[block.retest], now)
        elif block.retest is not None:
            self._learned.hole(*block.retest, now)
        elif code == NOT_SERVED:
            self._unserved.append(block)
        elif self._blames_a_value(block.span, code):
            self._search(block, code, now)
        else:
            self._bad(block, code, time_ns)
            self._failing[block] = code

    def _blames_a_value(self, span: Span, code: int) -> bool:
        if code == IN_TROUBLE:
            self._troubled[span] += 1
            return self._troubled[span] > (1 if self._serving else PATIENCE)
        return code in BLAMES_A_VALUE

    def _search(self, block: Block, code: int, now: int) -> None:
        """Begin to look for what is to blame in a request that was refused."""
        row = self._values.row(block.request)
        if len(row) > 1:
            self._searches.append(Search(row, code, self._density[block.span.table]))
        else:
            self._blame(row[0], code, now)

    def _judge_unserved(self, now: int) -> None:
        """Learn which tables the device does not serve at all, now that everything planned was asked for."""
        for block in self._unserved:
            if self._longest[block.span.table]:
                self._search(block, NOT_SERVED, now)
                continue
            for span in {self._spans[index] for index, _ in block.request.items}:
                self._learned.refuse(span, NOT_SERVED, now)
                self._refused[span] = NOT_SERVED
        self._unserved.clear()

    def _take(self, search: Search, finding: Finding | None, now: int) -> None:
        """Learn what a search has found out."""
        if finding is None:
            return
        if finding.value is not None:
            self._blame(finding.value, finding.code, now)
        elif finding.hole is not None:
            self._learned.hole(search.table, finding.hole, now)
        elif finding.limit is not None:
            limit = max(finding.limit, self._longest[search.table])
            if limit < finding.too_long:  # else it has been served before: the device is of two minds
                self._learned.limit(search.table, limit)
                self._limits = self._learned.limits(self._configured)

    def _blame(self, span: Span, code: int, now: int) -> None:
        """Learn that a value is refused by itself; what lies within it may be served."""
        self._learned.refuse(span, code, now)
        self._refused[span] = code
        inner = [s for s in self._values.within(span) if s != span]
        outer, _ = outermost([(s.start, s.end) for s in inner])
        if outer:
            self._searches.append(Search([inner[i] for i in outer], code, self._density[span.table], refused=False))

    def end(self, time_ns: int) -> None:
        """End a reading: give each value that has none its bad row."""
        self._searches += self._paused
        self._paused.clear()
        self._serving, self._hurried = bool(self._served), False
        if self._given is None:
            for index, status in self._known_bad:
                self._rows.add(index, time_ns, None, status)
            return
        why = {span: search.code for search in self._searches for span in search.unsettled}
        for span, indices in self._values.at.items():
            missing = [index for index in indices if index not in self._given]
            if missing:
                refusal = self._learned.refused.get(span)
                code = refusal.code if refusal is not None else why.get(span, min(why.values(), default=2))
                for index in missing:
                    self._rows.add(index, time_ns, None, status_of(code))

    def fail_all(self, time_ns: int, status: int) -> None:
        """Add a bad row for each signal: an attempt failed as a whole."""
        self._rows.fail_all(time_ns, status)

    def round_trip(self, time_ns: int, rtt_ns: int, code: int | None) -> None:
        """Record one request and the exception code of its answer, if any."""
        self._rows.round_trip(time_ns, rtt_ns, Status.GOOD if code is None else status_of(code))

    def take(self) -> Frame:
        """Return the rows so far."""
        return self._rows.take()

    @property
    def refuses(self) -> bool:
        """Whether the device refuses anything of it now."""
        return bool(self._refused or self._searches or self._failing)

    def texts(self) -> Sequence[Text]:
        """Say what the device refuses now."""
        passing = bool(self._searches or self._failing)
        if passing or self._told[0] != self._learned.version:
            refused = {s: self._learned.refused[s].code for s in self._refused if s in self._learned.refused}
            rows = [(search.code, search.unsettled) for search in self._searches]
            rows += [(code, [self._spans[i] for i, _ in b.request.items]) for b, code in self._failing.items()]
            texts = tell(refused, rows, lambda span: [self.source.signals[i].id for i in self._values.at[span]])
            self._told = (-1 if passing else self._learned.version, texts)
        return self._told[1]

    def _irregular(self) -> set[int]:
        """Return which signals have a row, from now on kept."""
        if self._given is None:
            self._given = {index for block in self._served for index, _ in block.request.items}
        return self._given

    def _bad(self, block: Block, code: int, time_ns: int) -> None:
        given = self._irregular()
        for index, _ in block.request.items:
            if index not in given:
                given.add(index)
                self._rows.add(index, time_ns, None, status_of(code))
