"""Where the screen's figures come from: the agent's control socket, the wire, and the store itself.

Values, ages and states of machines are read back from the embedded store, opened read-only, so what the screen
shows has made the whole way. Counters of what was read are the agent's own.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from agent import control
from contract import codec
from contract.report import Report
from demo.snapshot import Link, MachineState, Snapshot
from gateway.stores.base import StoreUnavailable
from gateway.stores.embedded import EmbeddedStore

if TYPE_CHECKING:
    from pathlib import Path

    from agent.config.model import AgentConfig
    from agent.frame import Signal
    from demo.wire import Wire
    from settings.language import Language

SECOND = 1_000_000_000
SHOWN = {
    "press-1": "motor-current",
    "cnc-1": "spindle-load",
    "mold-1": "injection-pressure",
    "conveyor-1": "belt-speed",
    "meter-1": "power",
}
PROTOCOLS = {"modbus": "Modbus", "opcua": "OPC UA"}
WINDOW_S = 8  # of the rates
BEHIND_S = 5  # how far back the store is read again for what came late
SAID = {
    "down": ("link down", "통신 끊김"),
    "refused": ("refused", "접속 거부"),
    "faulty": ("fault in the collector", "수집기 오류"),
}


class Observer:
    """Makes a `Snapshot` whenever it is asked; the live phase begins when it is made.

    Args:
        config: Of the agent.
        store: File of the embedded store; it need not be there yet.
        wire: Started.
        broker: Name of the broker, shown only.
        pull: Command that pulls the report, shown only.
        replayed: Samples of the history, and seconds that they took.
        language: Of the event texts.
    """

    def __init__(
        self,
        config: AgentConfig,
        store: Path,
        wire: Wire,
        broker: str,
        pull: str,
        replayed: tuple[int, float],
        language: Language,
    ) -> None:
        self._config = config
        self._path = store
        self._wire = wire
        self._broker = broker
        self._pull = pull
        self._replayed = replayed
        self._language = language
        self._store: EmbeddedStore | None = None
        self._begun = time.time_ns()
        self._read_until: dict[str, int] = {}
        self._latest: dict[str, dict[str, Any]] = {}
        self._newest: dict[str, int] = {}
        self._trend: dict[str, deque[float]] = {m: deque(maxlen=60) for m in SHOWN}
        self._counts: deque[tuple[float, int, int]] = deque()  # monotonic s, read, stored
        self._links: dict[str, tuple[str, float]] = {}
        self._log: deque[tuple[float, str, str]] = deque(maxlen=50)
        self.first_value_s: float | None = None
        """Seconds from the beginning to the first live value in the store."""

    def close(self) -> None:
        """Close the store."""
        if self._store is not None:
            self._store.close()

    def look(self) -> bool:
        """Read what is new in the store; return whether there is any live value in it."""
        if self._store is None:
            try:
                self._store = EmbeddedStore(self._path, read_only=True)
            except StoreUnavailable:
                return False
        now = time.time_ns()
        with contextlib.suppress(StoreUnavailable):
            for entry in self._config.machines:
                self._read(entry.id, now)
        if self._newest and self.first_value_s is None:
            self.first_value_s = (time.time_ns() - self._begun) / SECOND
        return bool(self._newest)

    def _read(self, machine: str, now: int) -> None:
        assert self._store is not None
        seen = self._newest.get(machine, 0)
        for point in self._store.read(machine, self._read_until.get(machine, self._begun), now + SECOND):
            latest = self._latest.setdefault(machine, {})
            for name, found in point.fields.items():
                signal, _, kind = name.rpartition("_")
                if kind in {"q", "src"}:
                    continue
                if signal == SHOWN.get(machine) and point.time_ns > seen:
                    self._trend[machine].append(float(found))
                latest[signal] = found
            if any(not name.endswith(("_q", "_src")) for name in point.fields):
                self._newest[machine] = max(self._newest.get(machine, 0), point.time_ns)
        self._read_until[machine] = max(self._begun, self._newest.get(machine, 0) - BEHIND_S * SECOND)

    def snapshot(self) -> Snapshot:
        """Look everywhere and say what there is now."""
        self.look()
        status = self._status()
        spool = status.get("spool", {})
        devices: dict[str, dict[str, Any]] = status.get("devices", {})
        read = sum(d["rows"] for d in devices.values())
        bad = sum(d["bad_rows"] for d in devices.values())
        read_rate, stored_rate = self._rate(read, self._wire.rows)
        latency = self._wire.recent()
        raw = self._wire.report
        return Snapshot(
            site=self._config.name,
            broker=self._broker,
            seconds=(time.time_ns() - self._begun) / SECOND,
            replayed=self._replayed,
            read=read,
            stored=self._wire.rows,
            read_rate=read_rate,
            stored_rate=stored_rate,
            p50_s=latency and latency[0],
            p99_s=latency and latency[1],
            waiting=spool.get("entries", 0),
            waiting_bytes=spool.get("bytes", 0),
            confirmed=self._wire.entries,
            resent=self._wire.resent,
            bad=bad,
            machines=tuple(
                self._machine(entry.id, entry.name or entry.id, devices) for entry in self._config.machines
            ),
            report=None if raw is None else codec.decode(raw, Report, codec.REPORT_LIMIT),
            pull=self._pull,
            log=tuple(self._log),
        )

    def _status(self) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", control.ask(self._config.storage.directory, "status"))
        except control.NotRunning:
            return {}

    def _rate(self, read: int, stored: int) -> tuple[float, float]:
        now = time.monotonic()
        if not self._counts or now - self._counts[-1][0] >= 1:
            self._counts.append((now, read, stored))
        while now - self._counts[0][0] > WINDOW_S:
            self._counts.popleft()
        first = self._counts[0]
        span = now - first[0]
        return ((read - first[1]) / span, (stored - first[2]) / span) if span >= 1 else (0.0, 0.0)

    def _machine(self, machine: str, name: str, devices: dict[str, dict[str, Any]]) -> MachineState:
        device = next((d for d in self._config.devices if d.machine == machine), None)
        if device is None:
            return MachineState(id=machine, name=name)
        health = devices.get(device.id, {})
        link: Link = health.get("state", "starting")
        since = int(health.get("since", 0))
        now = time.time_ns()
        self._note(name, link, since)
        latest = self._latest.get(machine, {})
        rows = health.get("rows", 0)
        count = latest.get("cycle-count", latest.get("part-count"))
        shown = self._signal(machine, SHOWN.get(machine, ""))
        number = latest.get(shown.id) if shown else None
        return MachineState(
            id=machine,
            name=name,
            protocol=PROTOCOLS[device.type],
            link=link,
            link_s=max(0.0, (now - since) / SECOND) if since else 0.0,
            state=latest.get("state"),
            count=count,
            shown=None if shown is None or number is None else (shown.name, shown.unit or "", float(number)),
            trend=tuple(self._trend.get(machine, ())),
            age_s=max(0.0, (now - self._newest[machine]) / SECOND) if machine in self._newest else None,
            good=1 - health.get("bad_rows", 0) / rows if rows else None,
        )

    def _signal(self, machine: str, signal: str) -> Signal | None:
        found = (s for source in self._config.sources() for s in source.signals)
        return next((s for s in found if (s.machine, s.id) == (machine, signal)), None)

    def _note(self, name: str, link: Link, since: int) -> None:
        """Keep a line about a link that has changed."""
        old, when = self._links.get(name, ("starting", 0.0))
        if link == old:
            return
        at = max(0.0, (since - self._begun) / SECOND)
        korean = self._language == "ko"
        if link in SAID:
            self._log.append((at, name, SAID[link][korean]))
        elif old in SAID:
            self._log.append((at, name, f"{('link back', '통신 복구')[korean]} ({at - when:.0f} s)"))
        self._links[name] = (link, at)
