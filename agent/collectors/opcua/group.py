"""One group of signals as the collector sees it: rows, nodes, and what is wrong with single signals. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from asyncua import ua

from agent.collectors.opcua import convert
from agent.collectors.opcua.faults import name, node_text
from agent.collectors.opcua.node import parse
from agent.frame import Rows, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.collectors.opcua.decode import Sample
    from agent.collectors.opcua.signals import OpcUaGroup
    from agent.frame import Source

_MISFITS = {Status.BAD_TYPE_MISMATCH, Status.BAD_OUT_OF_RANGE, Status.BAD_DATA_ENCODING_INVALID}


class Group:
    """The signals of one source.

    Attributes:
        rows: Where readings are collected; lives as long as the collector, so that times keep increasing.
        nodes: Node of each signal on the connected server; None while its namespace is unknown there.
        handles: Client handle of each signal's monitored item, 0 for none.
        subscription: The server's number of the group's subscription.
        sampling_ms: Sampling intervals that the server granted; `queue`: queue sizes.
        problems: Text of each signal that is refused now, by its index.
        dead: Signals whose monitored item has to be made (again).
        stale: A notification was lost, so the values have to be read.
        heard_ns: Time of the subscription's last answer, 0 for none.
        confirm: The subscription lives on after an outage: what it has not reported since has to be read once.
        unheard: Signals that are to be read for this.
        next_ns: Monotonic time of the next poll.
        late: Polls skipped because the one before took too long.
    """

    def __init__(self, config: OpcUaGroup, source: Source) -> None:
        self.config = config
        self.source = source
        self.rows = Rows(source)
        self.polled = config.mode == "poll"
        self.problems: dict[int, str] = {}
        self.late = 0
        self._last: list[Sample | None] = [None] * len(source.signals)
        self._addresses = [parse(signal.node) for signal in config.signals]
        self._convert = [convert.converter(signal.type) for signal in config.signals]
        self.begin((), 0)

    def begin(self, namespaces: Sequence[str], now_ns: int) -> None:
        """Forget the last connection; a problem stays until a good value shows that it is solved."""
        self.subscription = 0
        self.sampling_ms: set[float] = set()
        self.queue: set[int] = set()
        self.handles = [0] * len(self._addresses)
        self.dead: set[int] = set()
        self.stale = False
        self.confirm = False
        self.unheard: list[int] = []
        self.heard_ns = 0
        self.next_ns = now_ns
        self.resolve(namespaces)

    def resolve(self, namespaces: Sequence[str]) -> None:
        """Find the nodes on a server that has these namespace URIs."""
        indices = [address.index(namespaces) for address in self._addresses]
        self.nodes = [
            None if index is None else ua.NodeId(cast("Any", address.identifier), ua.Int16(index))
            for address, index in zip(self._addresses, indices, strict=True)
        ]

    def resume(self) -> None:
        """Go on with a subscription that has outlived its connection."""
        self.confirm = True

    def fail(self, time_ns: int, status: int) -> None:
        """Append a bad row for each signal: nothing is known of any until it is reported again."""
        self.rows.fail_all(time_ns, status)
        self._last = [None] * len(self._last)

    def silent(self) -> list[int]:
        """Return the signals that are monitored and that nothing was heard of since an outage began."""
        return [i for i, last in enumerate(self._last) if last is None and self.handles[i] and i not in self.dead]

    def repeats(self, index: int, sample: Sample) -> bool:
        """Return whether a report is the last one again, same value and source time: no new sample.

        Servers repeat what they have just sent when a session or a subscription moves to another channel.
        """
        last, self._last[index] = self._last[index], sample
        return last is not None and sample.source_ns != 0 and last[:5] == sample[:5]

    def tick(self, now_ns: int) -> None:
        """Set the next slot of the grid after `now_ns`; slots that have passed are skipped and counted."""
        missed = (now_ns - self.next_ns) // self.config.every
        self.late += missed
        self.next_ns += (missed + 1) * self.config.every

    def add(self, index: int, time_ns: int, sample: Sample) -> None:
        """Append what the server says of one signal."""
        value, status = convert.row(self._convert[index], sample)
        self.rows.add(index, time_ns, value, status, sample.source_ns, sample.server_ns)
        if status >> 31:
            self._problem(index, status, sample)
        elif index in self.problems:
            del self.problems[index]

    def refuse(self, index: int, time_ns: int, status: int) -> None:
        """Append a bad row for a node that the server does not give us."""
        self.rows.add(index, time_ns, None, status)
        self.dead.add(index)
        self._problem(index, status, None)

    def _problem(self, index: int, status: int, sample: Sample | None) -> None:
        signal = self.config.signals[index]
        text = node_text(status)
        if text is None and sample is not None and status != sample.status and status in _MISFITS:
            served = convert.type_name(sample.vtype, array=sample.array)
            text = f"the server gives {served}, the configuration says {signal.type}: change type ({name(status)})"
        elif text is None and index in self.dead:
            text = f"the server refuses to monitor this node ({name(status)})"
        if text is not None:
            self.problems[index] = f"signal {signal.id} ({signal.node}): {text}"
        else:
            self.problems.pop(index, None)
