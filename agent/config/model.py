"""The technician's file: one site, its machines, how it works, and what is read from where.

`agent.config.load.load` is the way to one of these: it also makes the checks that lie across sections
(`agent.config.checks`), and says what is wrong at which line.
"""

from __future__ import annotations

import base64
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator

from agent.collectors.modbus.config import ModbusDevice
from agent.collectors.opcua.config import OpcUaDevice
from agent.collectors.xgt.config import XgtDevice
from agent.config.base import Zone
from agent.sparkplug.config import SparkplugSettings
from contract import codec
from contract.payload import EVENTS, Birth, BirthAlarm, BirthSignal, BirthSource
from readiness.inventory import Machine
from readiness.schedule import Calendar
from service.metrics import MetricsSettings
from settings.base import Duration, Flag, Id, Model, Name, Size, TopicId, at_least, form
from settings.broker import Broker
from settings.language import Complaint, Text
from settings.path import FullPath
from settings.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agent.frame import Source

DAY_NS = 86_400 * 10**9
KEY_BYTES = 32


def _machine(value: str) -> str:
    if value == EVENTS:
        raise Complaint(
            f"{EVENTS} is where the store keeps events: choose another id",
            f"{EVENTS}은(는) 저장소의 이벤트용 이름입니다. 다른 id를 쓰십시오",
        )
    return value


def _report_interval(value: int) -> int:
    if not 10**10 <= value <= DAY_NS:
        raise Complaint("write an interval from 10s to 1d", "10s에서 1d 사이로 쓰십시오")
    return value


class Time(Model):
    """The clock of the box."""

    zone: Zone = Field(description="time zone of the site, `Asia/Seoul`")
    trust_local_clock: Flag = Field(
        default=False, description="believe the box's clock where neither the system nor the gateway knows the time"
    )


class MachineEntry(Model):
    """One machine of the inventory, connected or not."""

    id: Annotated[Id, AfterValidator(_machine)] = Field(
        description="also the measurement in the store; never change it"
    )
    name: Name | None = Field(None, description="shown everywhere; the id when absent")
    weight: float = Field(1.0, gt=0, le=1000, description="its share in the plant's values")
    path: Name | None = Field(None, description="ISA-95 equipment path")


class Storage(Model):
    """Where and how much the box keeps until the gateway has confirmed it."""

    directory: FullPath = Field(Path("/var/lib/tsq-agent"), description="folder of all that the agent keeps")
    max_size: Annotated[Size, at_least(10**7)] = Field(2 * 10**9, description="data that waits, at most")
    max_age: Duration = Field(30 * DAY_NS, description="the oldest data that waits")
    min_free: Size = Field(5 * 10**8, description="free space that is left to others on the disk")


def written_out(text: str) -> bool:
    """Return whether this is the base64 of a public key; one in 64 of them begins with a slash like a path."""
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except ValueError:
        return False


def _answers_key(value: Any) -> str:
    """Return where the key stands, or the key itself; of a key that is written out, see that it can be one."""
    text = value.strip() if isinstance(value, str) else ""
    if not (text.startswith("/") or written_out(text)):
        raise Complaint(
            "write the full path of the platform's public key, or the base64 of its 32 bytes",
            "운영기관 공개키 파일의 전체 경로나 32바이트 공개키의 base64를 쓰십시오",
        )
    return text


class PlatformBroker(Broker):
    """The platform's broker."""

    answers_key: Annotated[str, PlainValidator(_answers_key), form("full path, or base64")] | None = Field(
        None,
        description="public key (Ed25519) that signs the mentor's answers; without it none are taken from there",
    )


class Uplink(Model):
    """Where the agent sends to."""

    site: Broker = Field(description="the factory's own broker: all data goes there")
    platform: PlatformBroker | None = Field(
        None, description="the platform's broker: reports only; when absent, the site's broker answers requests"
    )
    backlog_rate: Annotated[Size, at_least(10_000)] = Field(
        4_000_000,
        description="bytes a second of the line to the site that data may take which has waited, such as after an "
        "outage; new data goes first and is not limited",
    )


class Readiness(Model):
    """The readiness report."""

    report_every: Annotated[Duration, AfterValidator(_report_interval)] = Field(
        60 * 10**9, description="how often the report is renewed"
    )
    answers: FullPath | None = Field(
        None, description="file of the mentor's answers, see docs/answers.md; changes are taken up while running"
    )
    consent: FullPath | None = Field(
        None,
        description="file of the owner's consent, see docs/wire.md: what the platform may see; changes are taken "
        "up while running",
    )
    reporter: TopicId | None = Field(
        None,
        description="where a factory has several agents, the one that makes its report and signs its days; this "
        "one when absent",
    )
    agents: tuple[TopicId, ...] = Field(
        (), description="at the reporter: the other agents of the factory, whose evidence it waits for"
    )


Device = Annotated[ModbusDevice | OpcUaDevice | XgtDevice, Field(discriminator="type")]


class AgentConfig(Model):
    """The whole file."""

    version: Literal[1] = Field(description="version of this format")
    factory: TopicId = Field(description="id of the company at the platform; stands in topics")
    site: TopicId = Field("main", description="id of this address of the factory")
    agent: TopicId = Field(description="id of this box, unique in the factory")
    name: Name = Field(description="name of the factory or site, as people call it")
    time: Time = Field(description="clock and time zone")
    schedule: Schedule = Field(default_factory=Schedule, description="when the site plans to work")
    machines: tuple[MachineEntry, ...] = Field(
        min_length=1, description="inventory of all machines, also those that are not connected"
    )
    storage: Storage = Field(default_factory=Storage, description="what the box keeps")
    uplink: Uplink = Field(description="where the agent sends to")
    readiness: Readiness = Field(default_factory=Readiness, description="the readiness report")
    sparkplug: SparkplugSettings | None = Field(None, description="a copy for a SCADA system; off when absent")
    metrics: MetricsSettings | None = Field(None, description="counters for Prometheus; off when absent")
    devices: tuple[Device, ...] = Field((), description="what is read from where")

    @functools.cached_property
    def _sources(self) -> tuple[Source, ...]:
        return tuple(source for device in self.devices for source in device.sources())

    def sources(self) -> tuple[Source, ...]:
        """Return the sources of all devices, in the order of the file."""
        return self._sources

    def addresses(self) -> Mapping[tuple[str, str], str]:
        """Return the address of each signal as people write it, by machine and signal id."""
        return {
            (signal.machine or device.machine, signal.id): signal.where()
            for device in self.devices
            for group in device.groups
            for signal in group.signals
        }

    def calendar(self) -> Calendar:
        """Return production day, planned spans and days off."""
        return Calendar(
            zone=self.time.zone,
            day_start=self.schedule.production_day_start,
            planned=self.schedule.by_weekday(),
            holidays=self.schedule.holidays.dates(),
        )

    def inventory(self) -> tuple[Machine, ...]:
        """Return the declared machines, in the order of the file."""
        return tuple(Machine(id=m.id, name=m.name or m.id, weight=m.weight, path=m.path) for m in self.machines)

    def birth(self) -> Birth:
        """Return the tag dictionary; the same devices and signals give the same one."""
        return Birth(
            factory=self.factory,
            site=self.site,
            agent=self.agent,
            sources=[
                BirthSource(
                    id=source.id,
                    device=source.device,
                    protocol=source.protocol,
                    mode=source.mode,
                    interval_ns=source.interval_ns,
                    signals=[
                        BirthSignal(
                            id=s.id,
                            machine=s.machine,
                            name=s.name,
                            dtype=s.dtype,
                            unit=s.unit,
                            description=s.description,
                            role=s.role,
                            role_confirmed=s.role_confirmed,
                            wide=s.wide,
                            labels={str(number): label for number, label in s.labels},
                            alarm=None if s.alarm is None else BirthAlarm(s.alarm.text, s.alarm.priority),
                        )
                        for s in source.signals
                    ],
                )
                for source in self.sources()
            ],
        )

    def brokers(self) -> Iterator[tuple[str, Broker]]:
        """Yield what the agent connects to, and what the file calls it."""
        yield "uplink.site", self.uplink.site
        if self.uplink.platform is not None:
            yield "uplink.platform", self.uplink.platform
        if self.sparkplug is not None and self.sparkplug.broker is not None:
            yield "sparkplug.broker", self.sparkplug.broker

    def notes(self) -> Iterator[Text]:
        """Yield what a person should know before the agent runs; nothing is refused for it."""
        for name, broker in self.brokers():
            yield from broker.notes(name)

    def config_hash(self) -> str:
        """Return the identity of what this file means (comments and order of keys aside), without any secret."""
        return codec.digest(codec.encode(self.model_dump(mode="json")))
