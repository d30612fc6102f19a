"""What a worker counts, by the names of its Prometheus endpoint. Pure: no clock, file, socket or logger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GAUGES = frozenset({"certificate_seconds", "serving"})
TEXTS = {
    "messages": "Messages handled",
    "births": "Parts of tag dictionaries taken",
    "rows": "Samples of messages that were written",
    "points": "Points written to the store",
    "stored": "Entries confirmed, repeated ones included",
    "rejected": "Entries with lines that the store refuses for ever",
    "unavailable": "Messages dropped because the store was away; agents send them again",
    "need_birth": "Messages dropped because their tag dictionary was not known",
    "malformed": "Messages that cannot be read",
    "malformed_dropped": "Messages that cannot be read and are kept nowhere, for want of room",
    "dead_letters_full": "Rejections that could not be kept and are not confirmed",
    "dropped": "Messages dropped because the queue was full, or because they waited there already",
    "bugs": "Messages that met a bug of ours",
    "certificate_seconds": "Time until our own certificate expires",
    "serving": "1 while this worker takes data",
}


def metrics(counts: Mapping[str, int]) -> Iterator[Metric]:
    """Yield every series of `Gateway.stats`."""
    for name, value in sorted(counts.items()):
        text = TEXTS.get(name, name.replace("_", " "))
        if name in GAUGES:
            yield Metric(f"tsq_gateway_{name}", "gauge", text, value)
        else:
            yield Metric(f"tsq_gateway_{name}_total", "counter", text, value)
