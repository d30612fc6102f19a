"""A third party on the broker: what passes between agent and gateway, and how long it took.

It subscribes to what the agent sends and to what the gateway confirms, and believes neither side's counters: the
latency of a sample is the time from its acquisition to the commit that the first confirmation of its entry names.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from contract import codec
from contract.errors import WireError
from contract.payload import Data, Stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from contract.topics import AgentTopics

RECENT = 4_000  # samples that the figures of the screen look at
OPEN_ENTRIES = 10_000


class Wire:
    """Listens from `start` to `stop`; the figures may be read at any time."""

    def __init__(self, port: int, topics: AgentTopics) -> None:
        self._port = port
        self._topics = topics
        self._lock = threading.Lock()
        self._times: dict[tuple[str, int], list[int]] = {}  # entry -> acquisition times of its rows
        self._confirmed: set[tuple[str, int]] = set()
        self._latencies: list[NDArray[np.float64]] = []
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._report: bytes | None = None
        self._rows = 0
        self._resent = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.suppress_exceptions = True  # an exception would end paho's thread
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(topic, 1) for topic in (topics.data, topics.stored, topics.readiness)]
        )
        self._client.on_message = self._message

    def start(self) -> None:
        """Connect; the broker listens already."""
        self._client.reconnect_delay_set(1, 2)
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()

    def stop(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def entries(self) -> int:
        """Entries confirmed."""
        return len(self._confirmed)

    @property
    def rows(self) -> int:
        """Samples in confirmed entries."""
        return self._rows

    @property
    def resent(self) -> int:
        """Confirmations of entries that were confirmed before."""
        return self._resent

    @property
    def report(self) -> bytes | None:
        """The latest readiness report as it came."""
        return self._report

    def recent(self) -> tuple[float, float] | None:
        """Median and 99th percentile of the last samples' latency in seconds; None before the first."""
        with self._lock:
            return _quantiles(np.array(self._recent))

    def all(self) -> tuple[float, float] | None:
        """The same of all samples since the start."""
        with self._lock:
            return _quantiles(np.concatenate(self._latencies)) if self._latencies else None

    def _message(self, _client: mqtt.Client, _user: object, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        try:
            if message.topic == self._topics.data:
                raw = codec.decompress(payload, codec.DATA_LIMIT)
                self._sent(codec.decode(raw, Data, codec.DATA_LIMIT))
            elif message.topic == self._topics.stored:
                self._stored(codec.decode(payload, Stored))
            else:
                self._report = payload or None
        except WireError:
            return  # not ours to judge: gateway and agent have their own words for it

    def _sent(self, data: Data) -> None:
        for seq, _ in data.entries:
            self._times.setdefault((data.spool, seq), [])
        fresh = {seq for seq, _ in data.entries if not self._times[data.spool, seq]}
        for block in data.blocks:
            if block.seq in fresh:
                times = self._times[data.spool, block.seq]
                moment = int(block.time.first)
                for step in block.time.steps:
                    moment += int(step)
                    times.append(moment)
        while len(self._times) > OPEN_ENTRIES:
            self._times.pop(next(iter(self._times)))

    def _stored(self, stored: Stored) -> None:
        committed = int(stored.committed_at)
        for seq, _ in stored.stored:
            entry = (stored.spool, seq)
            if entry in self._confirmed:
                self._resent += 1
                continue
            self._confirmed.add(entry)
            times = self._times.pop(entry, [])
            latency = (committed - np.array(times, np.int64)) / 1e9
            with self._lock:
                self._rows += len(times)
                self._latencies.append(latency)
                self._recent.extend(latency.tolist())


def _quantiles(seconds: NDArray[np.float64]) -> tuple[float, float] | None:
    if not len(seconds):
        return None
    p50, p99 = np.quantile(seconds, (0.5, 0.99))
    return float(p50), float(p99)
