"""What the agent runs with now, and how it goes over to another configuration without stopping.

    remove changed devices -> the spool commits and goes on under the new birth -> everybody else is told -> add

Only devices that differ are closed and opened; the others keep their connections and lose no slot. Between a
device's last word and its next there is a gap `config` per source. When the disk does not take the change, all goes
on as it was.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from agent.changes import compare
from agent.errors import AgentError
from agent.frame import Event, Facts
from agent.spool.ring import rows_for
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from agent.analyzers.evidence import DayLedger
    from agent.clock import Clock
    from agent.config.model import AgentConfig, Device
    from agent.fingerprint import Fingerprints
    from agent.fleet import Fleet
    from agent.frame import Json
    from agent.latest import Latest
    from agent.maintenance import Maintenance
    from agent.reporter import Reporter
    from agent.sender import Sender
    from agent.spool import Spool

FOUND_LISTED = 2000
DAY_S = 86_400.0


class NotTaken(AgentError):  # noqa: N818 - reads as what happened
    """The disk did not take the change: everything goes on as before."""


class Running:
    """All that knows the configuration in force.

    Args:
        config: In force at the start.
        raw: The file that it was read from.
        folder: Where that stands, for device profiles.
        clock: Stamps events.
        spool: Writes under a birth.
        evidence: Knows the sources.
        fleet: Runs the collectors.
        latest: Holds a place for each signal.
        fingerprints: Watches canaries.
        maintenance: Has a gap for each source.
        reporter: Assesses the inventory.
        sender: Announces births.
    """

    def __init__(
        self,
        config: AgentConfig,
        raw: bytes,
        folder: Path | None,
        clock: Clock,
        *,
        spool: Spool,
        evidence: DayLedger,
        fleet: Fleet,
        latest: Latest,
        fingerprints: Fingerprints,
        maintenance: Maintenance,
        reporter: Reporter,
        sender: Sender,
    ) -> None:
        self.config = config
        self.raw = raw
        self.folder = folder
        self._clock = clock
        self._spool = spool
        self._evidence = evidence
        self._fleet = fleet
        self._latest = latest
        self._fingerprints = fingerprints
        self._maintenance = maintenance
        self._reporter = reporter
        self._sender = sender

    async def go_over(self, config: AgentConfig, raw: bytes, author: str) -> None:
        """Run with another configuration from now on; only devices that differ notice.

        Raises:
            ConfigError: a secret of a changed device cannot be read; nothing has changed.
            NotTaken: the disk takes nothing; nothing has changed.
        """
        old, changes = self.config, compare(self.config, config)
        begun = [device for device in config.devices if device.id in changes.of("added", "changed")]
        ended = [device for device in old.devices if device.id in changes.of("removed", "changed")]
        collectors = self._fleet.make(begun)
        since = await self._fleet.remove(device.id for device in ended)
        sources = config.sources()
        taken = await asyncio.to_thread(
            self._spool.change,
            config.birth(),
            sources,
            lambda: self._evidence.begin(sources),
            ring_rows=rows_for(sources),
        )
        if not taken:
            self._fleet.add(self._fleet.make(ended), since)
            raise NotTaken(
                Text(
                    "the disk takes no data, so the change is not taken over: look at `tsq-agent status`",
                    "디스크에 기록되지 않아 변경을 적용하지 못했습니다. tsq-agent status를 확인하십시오",
                )
            )
        self._fleet.drop(changes.of("removed"))
        self._latest.begin(sources, anew={device.id for device in begun})
        self._fingerprints.begin(sources, config.addresses())
        self._maintenance.begin(sources)
        self._reporter.change(config)
        self._sender.introduce()
        self.config, self.raw = config, raw
        body: dict[str, Json] = {
            "old": old.config_hash(),
            "new": config.config_hash(),
            "author": author,
            "added": list(changes.of("added")),
            "removed": list(changes.of("removed")),
            "changed": list(changes.of("changed")),
        }
        self._spool.put(Event(kind="config_change", time_ns=self._clock.now(), body=body))
        self.tell_inventory(begun)
        self._fleet.add(collectors, since)

    def tell_inventory(self, devices: Iterable[Device]) -> None:
        """Record how the addresses of these devices were found."""
        for device in devices:
            signals = [signal for source in device.sources() for signal in source.signals]
            found = Counter(signal.found for signal in signals)
            listed = [s for s in signals if s.found != "manual"][:FOUND_LISTED]
            body: dict[str, Json] = {
                "signals": len(signals),
                "found": {how: found[how] for how in sorted(found)},
                "by": {f"{s.machine}/{s.id}": s.found for s in listed},
            }
            facts = Facts(kind="inventory", time_ns=self._clock.now(), subject=device.id, body=body)
            self._spool.put(facts)

    async def tell_daily(self) -> None:
        """Record it now and every day, for ever."""
        while True:
            self.tell_inventory(self.config.devices)
            await self._clock.sleep(DAY_S)
