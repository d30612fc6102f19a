"""One group of signals as the collector sees it: items, rows, and what is wrong with single signals. No I/O.

An item is a node that is read or monitored once, however many signals take a part of its value: three fields of
a structure and two elements of an array are two items. What a server says of an item becomes a row of each signal
that takes from it; of a part, only when that part has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from asyncua import ua

from agent.collectors.opcua import convert, problems
from agent.collectors.opcua.deadband import Deadband
from agent.collectors.opcua.decode import Opaque
from agent.collectors.opcua.node import parse
from agent.collectors.opcua.sourcetime import SourceTimes
from agent.collectors.opcua.structures import Misfit, pick
from agent.errors import WireError
from agent.frame import Rows, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent.collectors.opcua.decode import NodeKey, Sample
    from agent.collectors.opcua.signals import OpcUaGroup
    from agent.collectors.opcua.structures import DataTypeKind, Way
    from agent.config.base import Burst
    from agent.frame import Source, Value
    from settings.language import Text

    Row = tuple[Value, int]

RETRY_NS: Final = 60_000_000_000
RETRY_MOST_NS: Final = 3_600_000_000_000
SERVER: Final = "i=2253"
NOTIFIER: Final = -1
"""Index of the problem of an event notifier, which belongs to no signal."""
OVERLOAD: Final = 0x002F_0000  # GoodOverload: the server skipped samplings


class Group:
    """The signals of one source.

    Attributes:
        rows: Where readings are collected; lives as long as the collector, so that times keep increasing.
        takers: Indices of the signals that take from each item.
        nodes: Node of each item, None where the server does not know its namespace.
        handles: Client handle of each monitored item, 0 for none; `numbers`: the server's numbers of them.
        subscription: The server's number of the group's subscription, 0 for none.
        sampling_ms: Sampling intervals that the server granted; `queue`: queue sizes.
        deadbands: Of the signals that have one.
        problems: Text of each signal that is refused now, by its index.
        dead: Items whose monitored item has to be made (again).
        types: The data types that are known of the server.
        unread: (item, time, sample) of values whose data type is not known yet.
        stale: A notification was lost, so the values have to be read.
        gathered: Events that have come since the server's queue was last empty.
        confirm: The subscription lives on after an outage: what it has not reported since has to be read once.
        unheard: Items that are to be read for this.
        next_ns: Monotonic time of the next poll, or of the next end of a burst's window or pause.
        window_ns: When the next window of a burst may begin.
        next_try_ns: When nodes of unknown namespaces are looked up again.
        late: Polls skipped because the one before took too long.
        overloads: Values before which the server skipped samplings.
        clock_trusted: Whether our clock may be compared with the server's.
    """

    def __init__(self, config: OpcUaGroup, source: Source) -> None:
        self.config = config
        self.source = source
        self.rows = Rows(source)
        self.polled = config.mode == "poll"
        self.events = config.mode == "events"
        self.problems: dict[int, Text] = {}
        self.late = 0
        self.overloads = 0
        self.clock_trusted = False
        self.types: Mapping[NodeKey, DataTypeKind] = {}
        self.deadbands: dict[int, Deadband] = {
            n: Deadband(*signal.width, signal.eu_range or signal.instrument_range)
            for n, signal in enumerate(config.signals)
            if signal.width is not None
        }
        self.takers = [[]] if self.events else _items(config)
        count = len(self.takers)
        self._item_of = {n: item for item, taken in enumerate(self.takers) for n in taken}
        self._addresses = (
            [parse(config.notifier or SERVER)]
            if self.events
            else [parse(config.signals[taken[0]].node) for taken in self.takers]
        )
        self._convert = [convert.converter(signal.type) for signal in config.signals]
        self._ways: list[Way] = [signal.way for signal in config.signals]
        self._last: list[Sample | None] = [None] * count
        self._said: list[Row | None] = [None] * len(config.signals)
        self._times = SourceTimes(count, 2 * config.every)
        self._plain: list[tuple[int, Callable[[int, Any], Row]] | None] = [None] * count
        self.window_ns = 0
        self._again: dict[int, tuple[int, int]] = {}  # item -> monotonic time of the next try, delay before it
        self._simplify()
        self.begin((), 0)

    def _simplify(self) -> None:
        """Note the items whose whole value is one signal's: they are most, and come a thousand times a second."""
        for item, taken in enumerate(self.takers):
            if not taken:
                continue
            (n, *others) = taken
            simple = not others and not self._ways[n] and not (n in self.deadbands and self.deadbands[n].ours)
            self._plain[item] = (n, self._convert[n]) if simple else None

    def begin(self, namespaces: Sequence[str], now_ns: int) -> None:
        """Forget the last subscription; a problem stays until a good value shows that it is solved."""
        self.subscription = 0
        self.sampling_ms: set[float] = set()
        self.queue: set[int] = set()
        self.handles = [0] * len(self.takers)
        self.numbers = [0] * len(self.takers)
        self.dead: set[int] = set()
        self.unread: list[tuple[int, int, Sample]] = []
        self.stale = False
        self.confirm = False
        self.unheard: list[int] = []
        self.gathered = 0
        self.next_ns = max(now_ns, self.window_ns)
        self.next_try_ns = now_ns + RETRY_NS
        self._again.clear()
        self.renew()
        self.resolve(namespaces)

    def resolve(self, namespaces: Sequence[str]) -> None:
        """Find the nodes on a server that has these namespace URIs."""
        indices = [address.index(namespaces) for address in self._addresses]
        self.nodes = [
            None if index is None else ua.NodeId(cast("Any", address.identifier), ua.Int16(index))
            for address, index in zip(self._addresses, indices, strict=True)
        ]

    def node(self, signal: int) -> ua.NodeId | None:
        """Return the node of a signal."""
        return self.nodes[self._item_of[signal]]

    def names(self, item: int) -> list[str]:
        """Return the ids of the signals that take from an item."""
        return [self.source.signals[n].id for n in self.takers[item]]

    def filter_here(self, item: int) -> None:
        """Apply the deadbands of an item ourselves: the server does not."""
        for n in self.takers[item]:
            if n in self.deadbands:
                self.deadbands[n].ours = True
        self._simplify()

    def resume(self) -> None:
        """Go on with a subscription that has outlived its connection; all of it counts as unheard."""
        self.confirm = True
        self.renew()

    def fail(self, time_ns: int, status: int) -> None:
        """Append a bad row for each signal: nothing is known of any until it is reported again."""
        self.rows.fail_all(time_ns, status)
        self.renew()
        self._times.forget()

    def renew(self) -> None:
        """Let the next value of each signal be a row, whatever it is."""
        self._last = [None] * len(self._last)
        self._said = [None] * len(self._said)
        for deadband in self.deadbands.values():
            deadband.forget()

    def silent(self) -> list[int]:
        """Return the items that are monitored and that nothing was heard of since an outage began."""
        return [i for i, last in enumerate(self._last) if last is None and self.handles[i] and i not in self.dead]

    def repeats(self, item: int, sample: Sample) -> bool:
        """Return whether a report is the last one again, same value and source time: no new sample.

        Servers repeat what they have just sent when a session or a subscription moves to another channel.
        """
        last = self._last[item]
        self._last[item] = sample
        return last is not None and 0 != sample.source_ns == last.source_ns and last[:4] == sample[:4]

    def tick(self, now_ns: int) -> None:
        """Set the next slot of the grid after `now_ns`; slots that have passed are skipped and counted."""
        missed = (now_ns - self.next_ns) // self.config.every
        self.late += missed
        self.next_ns += (missed + 1) * self.config.every

    def window(self, now_ns: int, burst: Burst) -> None:
        """Begin a burst's window; however often the connection is lost, the next comes a whole span later."""
        self.window_ns = now_ns + burst.per
        self.next_ns = now_ns + burst.length
        self.renew()

    def add(self, item: int, time_ns: int, sample: Sample) -> None:
        """Append what the server says of one item."""
        if sample.status & 0xFFFF_0000 == OVERLOAD:
            self.overloads += 1
        if self._again and not sample.status >> 31:
            self._again.pop(item, None)
        source_ns = self._times.kept(item, time_ns, sample, clock_trusted=self.clock_trusted)
        plain = self._plain[item]
        if plain is None:
            self._add_parts(item, time_ns, sample, source_ns)
            return
        n, take = plain
        value, status = convert.row(take, sample)
        self.rows.add(n, time_ns, value, status, source_ns, sample.server_ns)
        if status >> 31:
            self._problem(n, item, status, sample)
        elif n in self.problems:
            del self.problems[n]

    def _add_parts(self, item: int, time_ns: int, sample: Sample, source_ns: int) -> None:
        if self._undescribed(item, time_ns, sample):
            return
        for n in self.takers[item]:
            part = sample
            text: Text | None = None
            if self._ways[n] and not sample.status >> 31 and sample.vtype:
                try:
                    vtype, array, value = pick(
                        (sample.vtype, sample.array, sample.value), self._ways[n], self.types
                    )
                    part = sample._replace(vtype=vtype, array=array, value=value)
                except Misfit as exc:
                    text, part = exc.text, sample._replace(vtype=0, value=None, status=exc.status)
                except WireError:
                    part = sample._replace(vtype=0, value=None, status=Status.BAD_DATA_ENCODING_INVALID)
            said = value, status = convert.row(self._convert[n], part)
            if not self.polled and self._ways[n] and self._said[n] == said:
                continue
            self._said[n] = said
            deadband = self.deadbands.get(n)
            if deadband is not None and deadband.ours and deadband.small(value, status):
                continue
            self.rows.add(n, time_ns, value, status, source_ns, sample.server_ns)
            if text is not None:
                self.problems[n] = problems.about(self.config.signals[n], text)
            elif status >> 31:
                self._problem(n, item, status, part)
            else:
                self.problems.pop(n, None)

    def _undescribed(self, item: int, time_ns: int, sample: Sample) -> bool:
        """Whether the value is a structure whose description has yet to be asked for; it is kept until then."""
        if any(kind not in self.types for kind in opaque(sample)):
            self.unread.append((item, time_ns, sample))
            return True
        return False

    def believed(self) -> dict[str, list[str]]:
        """Return why source times are not kept now: by reason, the signals."""
        said: dict[str, list[str]] = {}
        for item, reason in sorted(self._times.wrong.items()):
            said.setdefault(reason, []).extend(self.names(item))
        return said

    # what the server refuses

    def refuse(self, item: int, time_ns: int, status: int, now_ns: int) -> None:
        """Append bad rows for a node that the server does not give us; it is asked for again, ever more seldom."""
        self.lost(item, now_ns)
        if self.events:
            self.problems[NOTIFIER] = problems.of_notifier(self.source.id, self.config.notifier or SERVER, status)
        for n in self.takers[item]:
            self.rows.add(n, time_ns, None, status)
            self._said[n] = None
            self._problem(n, item, status, None)

    def lost(self, item: int, now_ns: int) -> None:
        """Have an item monitored anew: after 60 s, then ever more seldom until a value comes."""
        self.dead.add(item)
        _, delay = self._again.get(item, (0, RETRY_NS // 2))
        delay = min(2 * delay, RETRY_MOST_NS)
        self._again[item] = now_ns + delay, delay

    def revive(self, item: int) -> None:
        """Take that the server monitors an item."""
        self.dead.discard(item)
        self.problems.pop(NOTIFIER, None)

    def due(self, now_ns: int) -> list[int]:
        """Return the dead items that are to be tried again by now."""
        return sorted(item for item in self.dead if self._again.get(item, (0, 0))[0] <= now_ns)

    def due_ns(self) -> int | None:
        """Return the monotonic time of the next such try, None for no dead item."""
        return min((self._again.get(item, (0, 0))[0] for item in self.dead), default=None)

    def good(self) -> int:
        """Return how many signals are not refused now."""
        return len(self.config.signals) - sum(n != NOTIFIER for n in self.problems)

    def _problem(self, n: int, item: int, status: int, sample: Sample | None) -> None:
        signal = self.config.signals[n]
        text = problems.of_node(status)
        if text is None and sample is not None and status != sample.status and status in problems.MISFITS:
            text = problems.misfit(signal, sample.vtype, status, array=sample.array)
        elif text is None and item in self.dead:
            text = problems.unmonitored(status)
        if text is not None:
            self.problems[n] = problems.about(signal, text)
        else:
            self.problems.pop(n, None)


def opaque(sample: Sample) -> set[NodeKey]:
    """Return what structures a value says it is, by their encodings."""
    values = sample.value if isinstance(sample.value, list) else [sample.value]
    return {value.type for value in values if isinstance(value, Opaque) and value.body is not None}


def _items(config: OpcUaGroup) -> list[list[int]]:
    """Return which signals share an item: those of one node, unless one has a filter for its whole value."""
    found: dict[tuple[str, int | None], list[int]] = {}
    for n, signal in enumerate(config.signals):
        alone = n if signal.deadband is not None and not signal.way else None
        found.setdefault((signal.node, alone), []).append(n)
    return list(found.values())
