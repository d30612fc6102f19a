"""A factory of several agents behind one broker: the real parts of each, on evidence of a known plant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agent.config.load import load
from agent.platform.office import opened
from agent.platform.team import gathered, team
from agent.reporter import Reporter
from agent.spool import Limits, Spool
from agent.uplink import Uplink
from contract.payload import Status
from contract.topics import AgentTopics
from settings.broker import Broker
from tests.agent.test_uplink import eventually
from tests.readiness.plant import Plant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from agent.config.model import AgentConfig
    from tests.support.clocks import FakeClock

FACTORY = "hanil"
HOUR = 3600


def config_of(folder: Path, port: int, agent: str, machines: Sequence[str], **readiness: Any) -> AgentConfig:
    """Return the configuration of an agent that reads two signals of each of its machines once a minute."""
    folder.mkdir(parents=True, exist_ok=True)
    devices = [
        {
            "id": "plc", "type": "modbus", "machine": machine, "host": "127.0.0.1",
            "port": 502, "unit": number + 1, "timeout": "1s",
            "groups": [{
                "id": "main", "every": "60s",
                "signals": [
                    {"id": f"s{n}", "address": f"holding:{n}", "type": "uint16", "role": "pv"} for n in range(2)
                ],
            }],
        } | ({"id": f"plc-{machine}"} if number else {})
        for number, machine in enumerate(machines)
    ]  # fmt: skip
    path = folder / "agent.yaml"
    consent = folder / "consent.yaml"
    scopes = "[levels, indicators, machines, days, fit, fit_missing]"
    consent.write_text(f"version: 1\nserial: 1\nscopes: {scopes}\n", "utf-8")
    file = {
        "version": 1, "factory": FACTORY, "agent": agent, "name": "한일정밀",
        "time": {"zone": "Asia/Seoul", "trust_local_clock": True},
        "schedule": {
            "production_day_start": "08:00", "planned": [{"days": "mon-fri", "from": "08:00", "to": "20:00"}],
        },
        "machines": [{"id": machine} for machine in machines],
        "storage": {"directory": str(folder / "state"), "min_free": "1MB"},
        "uplink": {"site": {"host": "127.0.0.1", "port": port}},
        "readiness": {"consent": str(consent), **readiness},
        "devices": devices,
    }  # fmt: skip
    path.write_text(json.dumps(file, ensure_ascii=False), "utf-8")
    return load(path)


def evidence_of(config: AgentConfig, days: int = 28) -> dict[str, bytes]:
    """Return what an agent with this configuration saw on days from a Monday on."""
    return Plant(config.sources(), config.inventory(), days=days).evidence()


class Member:
    """One agent: its spool, uplink, reporter, office, and its inbox or outbox."""

    def __init__(self, config: AgentConfig, evidence: dict[str, bytes], clock: FakeClock) -> None:
        self.config = config
        self.evidence = evidence
        self.clock = clock
        self.folder = config.storage.directory
        self.folder.mkdir(parents=True, exist_ok=True)
        self.topics = AgentTopics(config.factory, config.agent)
        self.spool = Spool(
            self.folder, birth=config.birth(), sources=config.sources(), limits=Limits(min_free_bytes=0),
            fingerprint=lambda: "box",
        )  # fmt: skip
        broker = Broker(host="127.0.0.1", port=config.uplink.site.port)
        status = lambda online: Status(online=online, boot=config.agent, time="0", version="0")  # noqa: E731
        self.uplink = Uplink(broker, self.topics, status, reporter=bool(config.readiness.agents))
        past, inbox = gathered(config, self.spool, self.uplink, self.topics, clock)
        self.past = past
        self.reporter = Reporter(config, past, self.uplink, self.topics, clock)
        self.team = team(
            config, lambda: self.reporter.config, past, inbox, self.spool, tuple, self.uplink, self.topics, clock
        )
        self.office = opened(config, self.folder, self.reporter, self.uplink, self.topics, clock, self.team)
        self.book = self.office._book
        self.under_way = False

    def close(self, dates: Iterable[str]) -> None:
        """Let days close: from now on they are in the spool."""
        self.spool._journal.checkpoint(b"", {date: self.evidence[date] for date in dates})

    def start(self) -> None:
        """Connect."""
        self.under_way = True
        self.uplink.start()
        eventually(lambda: self.uplink.up)
        eventually(self._began, 30)
        self.team.start()

    def _began(self) -> bool:
        self.clock.advance(6)
        self.office.turn()
        return self.office._heard

    def turn(self) -> None:
        """Do what the reporter's thread does each minute."""
        self.office.turn()
        if self.team.outbox is not None:
            self.team.outbox.turn()

    def stop(self) -> None:
        """End."""
        self.under_way = False
        self.team.stop()
        self.uplink.stop()
        self.spool.stop()

    @property
    def waiting(self) -> int:
        """How many days wait for the reporter."""
        assert self.team.outbox is not None
        return len(self.team.outbox._shelf.days())

    def taken(self, agent: str) -> list[str]:
        """Return the dates that this reporter has of another agent."""
        assert self.team.inbox is not None
        return [day.date for day in self.team.inbox.shelves[agent].days()]
