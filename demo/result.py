"""What a bounded run came to: counted in the store itself, after everybody has stopped."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gateway.stores.embedded import EmbeddedStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from contract.report import Value

EVER = 2**62
VALUES = frozenset({"f", "i", "s", "b", "q"})  # `src` is no sample of its own


@dataclass(frozen=True, slots=True)
class Result:
    """The last line of `python -m demo --for SECONDS --json`.

    Attributes:
        samples_read: Samples that the agent has read from devices, bad ones included: its own count.
        samples_stored: Samples counted in the store, one for each signal of each point.
        lost: Read and not in the store.
        duplicated: In the store and not read.
        resent: Batches that were confirmed more than once; they leave no second point.
        latency_p50_s, latency_p99_s: From acquisition to the commit in the store, seen on the wire.
        indicators: By id: value, lo, hi, coverage; or the reason why it is not assessed.
        replayed_samples, replay_seconds: Of the simulated history.
        live_after_s: From the end of the replay to the first live value in the store.
    """

    samples_read: int
    samples_stored: int
    lost: int
    duplicated: int
    resent: int
    latency_p50_s: float | None
    latency_p99_s: float | None
    indicators: Mapping[str, Mapping[str, float | str | None]]
    replayed_samples: int
    replay_seconds: float
    live_after_s: float | None

    def text(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def count(store: Path) -> tuple[int, int | None]:
    """Count the samples in a store, and find the agent's own count in its farewell.

    Returns:
        Samples in the store; samples that the agent says it has read, None if it did not say farewell.

    Raises:
        StoreUnavailable: the store cannot be read.
    """
    opened = EmbeddedStore(store, read_only=True)
    try:
        stored = sum(
            len({name.rpartition("_")[0] for name in point.fields if name.rpartition("_")[2] in VALUES})
            for measurement in opened.measurements()
            if measurement != "tsq_event"
            for point in opened.read(measurement, 0, EVER)
        )
        read: int | None = None
        for event in opened.read("tsq_event", 0, EVER):
            if dict(event.tags)["kind"] == "agent_stop":
                read = json.loads(str(event.fields["body_s"])).get("rows", read)
        return stored, read
    finally:
        opened.close()


def indicators(found: Iterable[Value]) -> dict[str, dict[str, float | str | None]]:
    """Return the values of a report as they stand in the result."""
    return {
        v.metric: {"reason": v.reason}
        if v.value is None
        else {"value": v.value, "lo": v.lo, "hi": v.hi, "coverage": v.coverage}
        for v in found
    }
