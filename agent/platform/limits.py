"""How often somebody may ask: a token bucket for each client and verb, on the monotonic clock.

Answers cost an assessment, and answers that may be asked at will tell more than each of them. Pure.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from contract.consent import NEEDS

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE_NS = 60 * 10**9
CLIENTS = 1000
"""Buckets that are remembered. The broker's rights bind a client to its own response topic, so names are not free
to choose; without them a stranger who changes his name is held by the bucket of all clients together."""


class Rate(NamedTuple):
    """`burst` requests at once, and one more in `every_ns`."""

    burst: int
    every_ns: int


USUAL = Rate(10, 6 * 10**9)
RATES: Mapping[str, Rate] = {
    "report.get": Rate(30, 1 * 10**9),
    "fit.check": Rate(20, 10 * MINUTE_NS),
    "baseline.freeze": Rate(5, 10 * MINUTE_NS),
    "exit.test": Rate(3, 10 * MINUTE_NS),
}
"""Verb -> what one client may; the others have `USUAL`."""
TOGETHER = 5
"""All clients together may so many times as much as one of them."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_ns: int


@dataclass(slots=True)
class Limits:
    """Counts. Not thread-safe: the uplink asks from one thread."""

    _buckets: OrderedDict[tuple[str, str], _Bucket] = field(default_factory=OrderedDict)
    _all: dict[str, _Bucket] = field(default_factory=dict)

    def wait_ns(self, client: str, verb: str, now_ns: int) -> int:
        """Return 0 and count a request, or how long the client has to wait before it asks again.

        Args:
            client: Last level of the response topic.
            verb: What is asked; one that nobody answers counts like all of these.
            now_ns: Monotonic.
        """
        verb = verb if verb in NEEDS else ""  # whoever makes up names must not fill our memory
        rate = RATES.get(verb, USUAL)
        own = self._buckets.pop((client, verb), None) or _Bucket(rate.burst, now_ns)
        self._buckets[client, verb] = own
        while len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        every = self._all.setdefault(verb, _Bucket(rate.burst * TOGETHER, now_ns))
        waits = [
            _filled(own, rate.burst, rate.every_ns, now_ns),
            _filled(every, rate.burst * TOGETHER, rate.every_ns // TOGETHER, now_ns),
        ]
        if any(waits):
            return max(waits)
        own.tokens -= 1
        every.tokens -= 1
        return 0


def _filled(bucket: _Bucket, burst: int, every_ns: int, now_ns: int) -> int:
    """Fill up a bucket and return how long it takes until something may be taken, 0 for now."""
    bucket.tokens = min(burst, bucket.tokens + max(0, now_ns - bucket.at_ns) / every_ns)
    bucket.at_ns = now_ns
    return 0 if bucket.tokens >= 1 - 1e-9 else max(1, round((1 - bucket.tokens) * every_ns))
