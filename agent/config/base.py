"""What every device, group and signal of the technician's file has.

Each protocol's own part of the file stands in `agent/collectors/<protocol>/config.py`, made of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from agent.frame import DataType, Role, Signal
from settings.base import Duration, Flag, Id, IpAddress, Model, Name, Range
from settings.language import Complaint

if TYPE_CHECKING:
    from collections.abc import Mapping

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
            role=self.role,
            role_confirmed=self.role is not None and not self.guess,
            instrument_range=self.instrument_range,
            eu_range=self.eu_range,
            path=self.path,
        )


class GroupBase(Model):
    """Signals that are read together."""

    id: Id = Field("main", description="unique in its device; needed when there are several")
    every: Every = Field(description="poll interval, or publishing interval of a subscription")


class DeviceBase(Model):
    """What every protocol's device has. `type` discriminates and stands in the subclass."""

    id: Id = Field(description="unique; never change it")
    name: Name | None = Field(None, description="what people call it")
    machine: Id = Field(description="machine that its signals belong to unless they say otherwise")
    source_address: IpAddress | None = Field(
        None, description="local address to connect from, with two network cards"
    )

    def requests(self) -> Mapping[str, int]:
        """Return by source id how many requests one reading takes, where that is known before connecting."""
        return {}
