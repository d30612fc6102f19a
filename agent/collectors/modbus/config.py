"""What a technician writes about a Modbus TCP device. Importing this does not import pymodbus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from agent.collectors.modbus.decode import Order
from agent.collectors.modbus.plan import Limits, plan
from agent.collectors.modbus.signal import ModbusSignal
from agent.config.base import DeviceBase, GroupBase, Timeout
from agent.frame import Source
from settings.base import Duration, Host, Port
from settings.language import Complaint

if TYPE_CHECKING:
    from collections.abc import Mapping


class ModbusGroup(GroupBase):
    """Values that are read at one pace."""

    signals: Annotated[tuple[ModbusSignal, ...], Field(min_length=1)] = Field(description="what is read together")


class ModbusDevice(DeviceBase):
    """One Modbus TCP device, or one unit behind a gateway."""

    type: Literal["modbus"] = Field(description="`modbus`: Modbus TCP")
    host: Host = Field(description="IP address or host name")
    port: Port = Field(502, description="TCP port")
    unit: Annotated[int, Field(ge=0, le=255)] = Field(
        1, description="unit id (station number); matters behind a gateway"
    )
    timeout: Timeout = Field(1_500_000_000, description="longest wait for a connection and for each answer")
    word_order: Order = Field(
        "ABCD", description="where the bytes of 0xAABBCCDD appear on the wire: ABCD, CDAB, BADC or DCBA"
    )
    max_registers: Annotated[int, Field(ge=1, le=125)] = Field(
        125, description="registers that the device serves in one request"
    )
    max_bits: Annotated[int, Field(ge=1, le=2000)] = Field(
        2000, description="coils or discrete inputs that the device serves in one request"
    )
    max_gap: Annotated[int, Field(ge=0, le=124)] = Field(
        16, description="registers that may be read though nobody asked, to save a request; 0 switches it off"
    )
    request_gap: Duration = Field(0, description="pause before each request, for slow devices and gateways")
    groups: Annotated[tuple[ModbusGroup, ...], Field(min_length=1)] = Field(description="what is read, by pace")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for signal in (signal for group in self.groups for signal in group.signals):
            need = signal.span().count
            if not signal.span().table.bits and need > self.max_registers:
                raise Complaint(
                    f"signal {signal.id} takes {need} registers, more than max_registers: {self.max_registers}",
                    f"태그 {signal.id}의 레지스터 수({need}개)가 max_registers: {self.max_registers}보다 많습니다",
                )
        return self

    @property
    def limits(self) -> Limits:
        """What one request may read."""
        return Limits(self.max_registers, self.max_bits, self.max_gap)

    def requests(self) -> Mapping[str, int]:
        """Return by source id how many requests one reading takes while the device refuses nothing."""
        return {
            f"{self.id}.{group.id}": len(plan([signal.span() for signal in group.signals], self.limits))
            for group in self.groups
        }

    def sources(self) -> tuple[Source, ...]:
        """Return one Source per group."""
        return tuple(
            Source(
                id=f"{self.id}.{group.id}",
                device=self.id,
                protocol="modbus",
                mode="poll",
                interval_ns=group.every,
                signals=tuple(signal.signal(self.machine) for signal in group.signals),
            )
            for group in self.groups
        )
