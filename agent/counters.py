"""What the agent counts, by the names of its Prometheus endpoint.

`metrics` is asked by the endpoint's thread, `total` goes into the retained status. Everything is counted where it
happens; nothing here keeps a number of its own.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from service.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.health import DeviceHealth
    from agent.spool.base import Stats
    from service.metrics import Kind

_STATES = ("starting", "up", "down", "refused", "faulty")
_SPOOL: tuple[tuple[str, Kind, str], ...] = (
    ("entries", "gauge", "Entries that wait for the gateway's confirmation"),
    ("rows", "gauge", "Samples in them"),
    ("bytes", "gauge", "Bytes that the spool takes on the disk"),
    ("ring_rows", "gauge", "Samples in memory, waiting for the next commit"),
    ("held_entries", "gauge", "Entries that wait until the clock can be trusted"),
    ("committed_rows_total", "counter", "Samples committed to the disk"),
    ("confirmed_rows_total", "counter", "Samples that the gateway has confirmed"),
    ("rejected_rows_total", "counter", "Samples that the store refuses for ever"),
    ("dropped_rows_total", "counter", "Samples given up, each inside a recorded gap"),
    ("ring_lost_rows_total", "counter", "Samples read and never committed, inside a gap"),
    ("duplicates_total", "counter", "Confirmations of what was free already"),
    ("written_bytes_total", "counter", "Bytes written to the disk"),
    ("written_pages_total", "counter", "Pages of 4 kB that these writes touched: wear"),
)  # fmt: skip


class Around(NamedTuple):
    """What is not in the spool's numbers nor in a device's."""

    now_ns: int
    clock: str  # what vouches for it
    connected: Mapping[str, bool]  # by uplink
    in_flight: int
    usual_s: float
    certificates: Mapping[str, float] = {}  # seconds until ours expires, by uplink
    more: Mapping[str, int] = {}  # counters of other parts, by name without prefix and `_total`


def metrics(stats: Stats, devices: Mapping[str, DeviceHealth], around: Around) -> Iterator[Metric]:
    """Yield every series as it stands.

    Args:
        stats: Of the spool.
        devices: By id.
        around: The rest.
    """
    for name, kind, text in _SPOOL:
        value = getattr(stats, name.removesuffix("_total"))
        yield Metric(f"tsq_agent_spool_{name}", kind, text, value)
    oldest = 0.0 if stats.oldest_ns is None else max(0, around.now_ns - stats.oldest_ns) / 1e9
    yield Metric("tsq_agent_spool_oldest_seconds", "gauge", "Age of the oldest entry that waits", oldest)
    for device, health in sorted(devices.items()):
        label = (("device", device),)
        yield Metric("tsq_agent_rows_total", "counter", "Samples read, bad ones included", health.rows, label)
        yield Metric("tsq_agent_bad_rows_total", "counter", "Samples read with bad quality", health.bad_rows, label)
        yield Metric("tsq_agent_outages_total", "counter", "Times that a device was lost", health.outages, label)
        for state in _STATES:
            yield Metric(
                "tsq_agent_device_state", "gauge", "1 for the state that a device is in",
                float(health.state == state), (*label, ("state", state)),
            )  # fmt: skip
    for uplink, up in sorted(around.connected.items()):
        yield Metric(
            "tsq_agent_uplink_up", "gauge", "1 while the broker is connected", float(up), (("uplink", uplink),)
        )
    for uplink, left in sorted(around.certificates.items()):
        text = "Time until our own certificate expires"
        yield Metric("tsq_agent_certificate_seconds", "gauge", text, left, (("uplink", uplink),))
    yield Metric("tsq_agent_in_flight", "gauge", "Messages sent and not confirmed", around.in_flight)
    yield Metric("tsq_agent_confirm_seconds", "gauge", "Usual time from sending to confirmation", around.usual_s)
    for source in ("kernel", "gateway", "local", "none"):
        yield Metric(
            "tsq_agent_clock_trust", "gauge", "1 for what vouches for the agent's clock",
            float(around.clock == source), (("by", source),),
        )  # fmt: skip
    for name, value in sorted(around.more.items()):
        yield Metric(f"tsq_agent_{name}_total", "counter", name.replace("_", " "), value)
