"""How often a device is asked, at most, and what asking it has cost so far: its owner's interest comes first.

`Pace` says how long the next request must wait. Three rules, the strictest counts:

    rate   The answer to a request, or its timeout, must lie a second back before the request that is
           `requests_per_second` later may leave. So no window of one second holds more of them, neither by our
           clock nor by the device's, however the network delays them: it has taken a request before it
           answers. Below one a second the pause is 1 / requests_per_second instead.
    busy   Time under way flows into a bucket that drains at the rate `busy`; a request may leave while the bucket
           holds no more than half a second's share. So over any span the share is exceeded by at most
           that, or by one request. A request without an answer counts for nothing here: the supervisor's
           back-off protects a silent device.
    slow   A device that answers slower than it has shown it can is overloaded, by us or by others. When the
           smoothed latency (round trip without the time on the wire) exceeds three times its best, and by
           20 ms, both rules are stretched by `slowdown`, up to ten times; the stretch goes as the latency
           goes. The best is forgotten within a quarter of an hour, so that a link that has become slower for
           good is not punished for ever.

`Meter` counts; its memory is constant, and counting a request costs about a microsecond. Each unit behind a shared
link has its own of both. Pure: the caller hands in monotonic times.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from agent.collectors.base import Stats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.config.base import Budget
    from agent.frame import Json

SECOND = 1_000_000_000
SMOOTHING = 1 / 16
SLOW_RATIO, SLOW_LEAST_NS, SLOW_MOST = 3.0, 20_000_000, 10.0
FORGET_BEST_NS = 2400 * SECOND
BUCKET_NS = SECOND // 2
LATENCY_LEAST_NS = 1000
RECENT = 100
MINUTE = 60


class Pace:
    """Decides when the next request to a device may leave.

    Attributes:
        slowdown: 1 normally; by how much the pace is stretched now.
    """

    def __init__(self, budget: Budget) -> None:
        self._rate = budget.requests_per_second
        self._busy = budget.busy
        self._ended: deque[int] = deque(maxlen=max(1, int(self._rate)))
        self._filled = 0.0  # nanoseconds in the bucket at `_drained_at`
        self._drained_at = 0
        self._smooth: float | None = None
        self._best = 0.0
        self.slowdown = 1.0

    def wait_ns(self, now: int) -> int:
        """Return how long the next request must wait at monotonic time `now`; 0 to send it."""
        wait = 0
        rate = self._rate / self.slowdown
        most = max(1, int(rate))
        if len(self._ended) >= most:
            window = SECOND if rate >= 1 else math.ceil(SECOND / rate)
            wait = self._ended[-most] + window - now
        share = self._busy / self.slowdown
        over = self._filled - (now - self._drained_at) * share - share * BUCKET_NS
        if over > 0:
            wait = max(wait, math.ceil(over / share))
        return max(wait, 0)

    def answered(self, sent: int, received: int, wire_ns: int = 0) -> None:
        """Take a request that was answered, refusals included.

        Args:
            sent: Monotonic time at which it left.
            received: When the answer came.
            wire_ns: What the bytes alone take on the line; matters on serial lines.
        """
        before = self._ended[-1] if self._ended else sent
        self._ended.append(received)
        share = self._busy / self.slowdown
        self._filled = max(0.0, self._filled - (sent - self._drained_at) * share) + (received - sent) * (1 - share)
        self._drained_at = received
        latency = float(max(received - sent - wire_ns, LATENCY_LEAST_NS))
        if self._smooth is None:
            self._smooth = self._best = latency
            return
        self._smooth += (latency - self._smooth) * SMOOTHING
        away = self._smooth - self._best
        self._best += away if away < 0 else away * min((received - before) / FORGET_BEST_NS, 0.1)
        limit = max(self._best * SLOW_RATIO, self._best + SLOW_LEAST_NS)
        self.slowdown = min(max(self._smooth / limit, 1.0), SLOW_MOST)

    def silent(self, now: int) -> None:
        """Take a request that got no answer, at the time at which it was given up or its connection lost."""
        self._ended.append(now)


class Meter:
    """Counts what a device was asked; `stats` makes the figures of it.

    Attributes:
        requests: Sent.
        exceptions: Answers that were a refusal.
        timeouts: Requests without an answer.
        reconnects: Connections opened after the first.
        idle_reconnects: Of these, the ones that the device had closed while idle and that cost nothing.
    """

    def __init__(self) -> None:
        self.requests = self.exceptions = self.timeouts = self.reconnects = self.idle_reconnects = 0
        self._smooth: float | None = None
        self._recent: deque[int] = deque(maxlen=RECENT)
        self._second = [-MINUTE] * MINUTE  # which second of the monotonic clock each slot is about
        self._count = [0] * MINUTE
        self._busy = [0] * MINUTE
        self._begun: int | None = None

    def answered(self, sent: int, received: int, *, exception: bool = False) -> None:
        """Count a request and its answer, at monotonic times."""
        rtt = received - sent
        self.exceptions += exception
        self._recent.append(rtt)
        self._smooth = rtt if self._smooth is None else self._smooth + (rtt - self._smooth) * SMOOTHING
        self._add(sent, received)

    def silent(self, sent: int, now: int) -> None:
        """Count a request that got no answer."""
        self.timeouts += 1
        self._add(sent, now)

    def lost(self, sent: int, now: int) -> None:
        """Count a request whose answer could not come any more: the connection was closed, or nobody waits."""
        self._add(sent, now)

    def _add(self, sent: int, ended: int) -> None:
        self.requests += 1
        if self._begun is None:
            self._begun = sent
        second = ended // SECOND
        slot = second % MINUTE
        if self._second[slot] != second:
            self._second[slot], self._count[slot], self._busy[slot] = second, 0, 0
        self._count[slot] += 1
        self._busy[slot] += ended - sent

    def stats(
        self,
        now: int,
        *,
        skipped: int = 0,
        late: int = 0,
        slowdown: float = 1.0,
        backoff_ns: int = 0,
        learned: Mapping[str, Json] | None = None,
    ) -> Stats:
        """Return the figures at monotonic time `now`, with those that others count."""
        recent = sorted(self._recent)
        oldest = now // SECOND - MINUTE
        live = [slot for slot in range(MINUTE) if self._second[slot] > oldest]
        span = MINUTE * SECOND if self._begun is None else min(max(now - self._begun, SECOND), MINUTE * SECOND)
        return Stats(
            requests=self.requests,
            exceptions=self.exceptions,
            timeouts=self.timeouts,
            reconnects=self.reconnects,
            idle_reconnects=self.idle_reconnects,
            skipped=skipped,
            late=late,
            rtt_ns=None if self._smooth is None else round(self._smooth),
            rtt_p95_ns=recent[(len(recent) * 95 - 1) // 100] if recent else None,
            busy=min(sum(self._busy[slot] for slot in live) / span, 1.0),
            per_second=sum(self._count[slot] for slot in live) * SECOND / span,
            slowdown=slowdown,
            backoff_ns=backoff_ns,
            learned=learned or {},
        )
