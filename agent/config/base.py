"""What every device, group and signal of the technician's file has.

Each protocol's own part of the file stands in `agent/collectors/<protocol>/config.py`, made of these.
"""

from __future__ import annotations

import re
import zoneinfo
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, model_validator

from agent.frame import Alarm, DataType, Found, Priority, Role, Signal
from settings.base import Duration, Flag, Id, IpAddress, Model, Name, ProfileName, Range, SignalName, form
from settings.language import Complaint
from settings.schedule import Date
from settings.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.collectors.base import Memory
    from agent.collectors.planning import DevicePlan

EVERY_LEAST, EVERY_MOST = 50 * 10**6, 3600 * 10**9
TIMEOUT_LEAST, TIMEOUT_MOST = 10 * 10**6, 60 * 10**9


def _every(value: int) -> int:
    if not EVERY_LEAST <= value <= EVERY_MOST:
        raise Complaint("write an interval from 50ms to 1h", "수집 주기는 50ms 이상 1h 이하로 쓰십시오")
    return value


Every = Annotated[Duration, AfterValidator(_every)]
"""A poll or publishing interval in nanoseconds."""


def _timeout(value: int) -> int:
    if not TIMEOUT_LEAST <= value <= TIMEOUT_MOST:
        raise Complaint("write a timeout of 10ms to 1m", "timeout은 10ms 이상 1m 이하로 쓰십시오")
    return value


Timeout = Annotated[Duration, AfterValidator(_timeout)]
"""The longest wait for an answer in nanoseconds."""


def zone(value: str) -> str:
    """Return a time zone that exists.

    Raises:
        Complaint: it does not; names one that is written alike.
    """
    try:
        zoneinfo.ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # a folder such as "Asia" is an OSError, "../x" a ValueError
        regions = [name for name in zoneinfo.available_timezones() if "/" in name]
        example = nearest(value, regions) or "Asia/Seoul"
        raise Complaint(
            f"{value} is no time zone: write one like {example}", f"없는 시간대입니다({value}). 예: {example}"
        ) from None
    return value


Zone = Annotated[str, AfterValidator(zone), form("time zone, `Asia/Seoul`")]
"""A time zone of the IANA database."""


def _whole(key: Any) -> Any:
    """Keys of a YAML mapping arrive as they are written."""
    return int(key) if isinstance(key, str) and re.fullmatch(r"-?(0|[1-9][0-9]{0,18})", key) else key


Number = Annotated[int, BeforeValidator(_whole), Field(strict=True)]
"""A whole number that is the key of a mapping."""


class AlarmText(Model):
    """What an alarm bit means."""

    text: Name = Field(description="what a person reads while the bit is set")
    priority: Priority = Field("medium", description="low, medium, high or urgent (ISA-18.2)")


class Budget(Model):
    """What the device is asked at most, whatever the groups want: its owner's interest comes first."""

    requests_per_second: Annotated[FiniteFloat, Field(gt=0, le=10_000)] = Field(
        50, description="requests to the device, at most, on average over a second"
    )
    busy: Annotated[FiniteFloat, Field(gt=0, le=1)] = Field(
        0.8, description="share of the time that requests may be under way, at most"
    )


class Burst(Model):
    """A window of fast reading, agreed with the owner of the machine."""

    length: Duration = Field(description="how long one window is, at most 10m")
    per: Duration = Field(description="one window in each such span, `1h`; the first begins with the connection")
    agreed_by: Name = Field(description="who has agreed to it")
    agreed_on: Date = Field(description="when")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not 0 < self.length <= 600 * 10**9 or self.per < 2 * self.length:
            raise Complaint(
                "write a length of at most 10m, and a per of at least twice the length",
                "length는 10m 이하, per는 length의 2배 이상으로 쓰십시오",
            )
        return self


class SignalBase(Model):
    """What every protocol's signal has."""

    id: Id = Field(description="unique on its machine; never change it")
    name: Name | None = Field(None, description="shown everywhere; the id when absent")
    machine: Id | None = Field(None, description="machine it belongs to, when not the device's")
    type: DataType = Field(
        description="type of the value in the device; a `uint64` above 2^63-1 is good only if a range declares it"
    )
    unit: Name | None = Field(None, description="unit of the value, `A`, `degC`, `kWh`")
    description: Name | None = Field(None, description="what it is, for people")
    role: Role | None = Field(None, description="what the signal means for the machine")
    guess: Flag = Field(default=False, description="the role is not confirmed and never enters a score")
    instrument_range: Range | None = Field(None, description="values the instrument can return")
    eu_range: Range | None = Field(None, description="values likely in normal operation")
    path: Name | None = Field(None, description="ISA-95 equipment path")
    labels: dict[Number, Name] = Field(
        {}, description="of an enumeration: what each number means, `0: stop`; the number is stored"
    )
    alarm: AlarmText | None = Field(None, description="of a bool: the alarm that it is while true")
    canary: Flag = Field(
        default=False, description="its value never changes unless somebody changes the program of the PLC"
    )
    found: Found = Field("manual", description="how its address was found; the tools write it")
    burst_of: Id | None = Field(
        None, description="in a group with burst: the signal of the same machine that this one reads fast"
    )
    unsure: Name | None = Field(None, description="what about it is not confirmed; `check` shows it")

    @model_validator(mode="after")
    def _labels_are_of_numbers(self) -> Self:
        if self.labels and self.type in {
            DataType.FLOAT32, DataType.FLOAT64, DataType.STRING, DataType.TIMESTAMP,
        }:  # fmt: skip
            raise Complaint(
                f"labels belong to whole numbers and bools, not to {self.type}",
                f"labels는 정수와 bool에만 쓸 수 있습니다(지금 type: {self.type})",
            )
        return self

    @model_validator(mode="after")
    def _alarm_is_a_bool(self) -> Self:
        if self.alarm is not None and (self.type is not DataType.BOOL or self.role not in {None, "alarm"}):
            raise Complaint(
                "alarm belongs to type: bool, and to no role but alarm",
                "alarm은 type: bool에만, role은 alarm이거나 없을 때만 쓸 수 있습니다",
            )
        return self

    def where(self) -> str:
        """Return the address or node, as people write it."""
        raise NotImplementedError

    def signal(self, machine: str) -> Signal:
        """Return the runtime signal; `machine` is the device's machine."""
        return Signal(
            id=self.id,
            machine=self.machine or machine,
            name=self.name or self.id,
            dtype=self.type,
            unit=self.unit,
            description=self.description,
            role="alarm" if self.alarm is not None else self.role,
            role_confirmed=(self.role is not None or self.alarm is not None) and not self.guess,
            instrument_range=self.instrument_range,
            eu_range=self.eu_range,
            path=self.path,
            labels=tuple(sorted(self.labels.items())),
            alarm=None if self.alarm is None else Alarm(self.alarm.text, self.alarm.priority),
            canary=self.canary,
            found=self.found,
            burst_of=self.burst_of,
        )


class GroupBase(Model):
    """Signals that are read together."""

    id: Id = Field("main", description="unique in its device; needed when there are several")
    every: Every = Field(description="poll interval, or publishing interval of a subscription")
    burst: Burst | None = Field(None, description="reads in short windows only, fast, by agreement")


class DeviceBase(Model):
    """What every protocol's device has. `type` discriminates and stands in the subclass."""

    id: Id = Field(description="unique; never change it")
    name: Name | None = Field(None, description="what people call it")
    machine: Id = Field(description="machine that its signals belong to unless they say otherwise")
    extends: ProfileName | None = Field(
        None, description="device profile that it is made from, `ls/xgb-modbus`; what stands here goes before"
    )
    unsure: tuple[Name, ...] = Field((), description="what about its profile is not confirmed; `check` shows it")
    source_address: IpAddress | None = Field(
        None, description="local address to connect from, with two network cards"
    )
    power_signal: SignalName | None = Field(
        None,
        description="`machine/signal` of another device that is false or 0 while this one has no power: its outage"
        " is then `device_off` and not `link_down`",
    )

    budget: Budget = Field(default_factory=Budget, description="what the device is asked at most")

    def requests(self) -> Mapping[str, int]:
        """Return by source id how many requests one reading takes, where that is known before connecting."""
        return {}

    def explained(self, memory: Memory) -> DevicePlan | None:  # noqa: ARG002 - for those who override it
        """Return how the device is read, for `tsq-agent explain`; None where only `requests` is known.

        Works without the device. Each polled protocol makes it with the same functions as its collector, so that
        what is told is what is done.

        Args:
            memory: What the running agent has learned; `Forgetful` when there is none.
        """
        return None
