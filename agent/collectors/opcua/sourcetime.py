"""Whether a server's source times can be believed. Pure.

Servers are seen whose source time stands still while the value changes, and others whose clock is years away. Rows
are stamped by our clock in any case; a source time is kept beside them only while it is believable, because
what analyses it later cannot tell. A value that does not change may have any old source time: that is its meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.collectors.opcua.decode import Sample

FAR_NS: Final = 120_000_000_000
"""How far a source time may be from the moment of reading when the value has just changed."""


STILL_NS: Final = 1_000_000_000
"""How long a source time may stay the same while the value changes: clocks of servers are coarse."""


class SourceTimes:
    """Watches the source times of the items of one group.

    Args:
        items: How many.
        slack_ns: What a source time may lag, or stand still, by the group's own pace: two changes in one
            publishing interval may well have the same.

    Attributes:
        wrong: By item, why its source times are not kept now: "frozen" or "far".
    """

    def __init__(self, items: int, slack_ns: int) -> None:
        self._last: list[Sample | None] = [None] * items
        self._moved_ns = [0] * items  # when we read the first value with the last source time
        self._far_ns = FAR_NS + slack_ns
        self._still_ns = STILL_NS + slack_ns
        self.wrong: dict[int, str] = {}

    def forget(self) -> None:
        """Begin anew after an outage: what changed meanwhile may have done so at any time in it."""
        self._last = [None] * len(self._last)

    def kept(self, item: int, time_ns: int, sample: Sample, *, clock_trusted: bool) -> int:
        """Return the source time to keep, 0 for none.

        Args:
            item: Whose.
            time_ns: When we read it.
            sample: What the server said.
            clock_trusted: Whether ours may be compared with.
        """
        last = self._last[item]
        self._last[item] = sample
        source_ns = sample.source_ns
        if source_ns == 0:
            return 0
        moved = last is None or source_ns != last.source_ns
        near = not clock_trusted or -self._far_ns <= time_ns - source_ns <= self._far_ns
        if moved:
            self._moved_ns[item] = time_ns
            if near and not self.wrong:  # as nearly always
                return source_ns
        return self._judged(item, time_ns, last, sample, moved=moved, near=near)

    def _judged(
        self, item: int, time_ns: int, last: Sample | None, sample: Sample, *, moved: bool, near: bool
    ) -> int:
        source_ns = sample.source_ns
        ahead = not near and source_ns > time_ns
        if last is not None and last.source_ns and sample.value != last.value and not sample.status >> 31:
            if not moved and time_ns - self._moved_ns[item] > self._still_ns:
                self.wrong[item] = "frozen"
            elif not near:
                self.wrong[item] = "far"
            elif moved:
                self.wrong.pop(item, None)
        elif ahead:
            self.wrong[item] = "far"
        return 0 if item in self.wrong else source_ns
