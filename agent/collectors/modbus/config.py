"""What a technician writes about a Modbus device. Importing this does not import pymodbus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from agent.collectors.binary import Order
from agent.collectors.modbus.cost import assumed
from agent.collectors.modbus.explained import explained
from agent.collectors.modbus.lsmap import LsMap, settle
from agent.collectors.modbus.plan import Limits, plan
from agent.collectors.modbus.signal import AlarmedModbusGroup, ModbusSignal
from agent.config.base import DeviceBase, Timeout
from agent.frame import Source
from settings.base import Duration, Host, Model, Port
from settings.language import Complaint
from settings.path import FullPath
from settings.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.collectors.base import Memory
    from agent.collectors.planning import DevicePlan

PAUSE_MOST = 30 * 10**9

Transport = Literal["tcp", "tls", "rtu", "rtu-over-tcp"]


def _short(value: int) -> int:
    if value > PAUSE_MOST:
        raise Complaint("write a pause of at most 30s", "대기 시간은 30s 이하로 쓰십시오")
    return value


class ModbusGroup(AlarmedModbusGroup):
    """Values that are read at one pace."""

    signals: tuple[ModbusSignal, ...] = Field((), description="what is read together")


class SerialLine(Model):
    """A serial line with RTU frames of 8 data bits."""

    port: FullPath = Field(description="device file; one under /dev/serial/by-id keeps its meaning after a restart")
    baudrate: Annotated[int, Field(ge=300, le=921_600)] = Field(9600, description="bits a second")
    parity: Literal["none", "even", "odd"] = Field("none", description="parity bit")
    stop_bits: Literal[1, 2] = Field(1, description="stop bits")


class ModbusTls(Model):
    """How a device with Modbus/TCP Security is known, and how we prove who we are."""

    ca: FullPath = Field(description="PEM file with the certificate that signed the device's, or the device's own")
    certificate: FullPath | None = Field(None, description="PEM file with our certificate, when the device asks")
    key: FullPath | None = Field(None, description="PEM file with its key, readable by the service alone")
    key_password: Secret | None = Field(None, description="where the key's password stands: env:NAME or file:/path")
    server_name: Host | None = Field(None, description="name in the device's certificate; host when absent")

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise Complaint("certificate and key belong together", "certificate와 key는 함께 쓰십시오")
        if self.key_password is not None and self.key is None:
            raise Complaint("key_password belongs to a key", "key_password는 key와 함께 쓰십시오")
        return self


class ModbusDevice(DeviceBase):
    """One Modbus device, or one unit behind a gateway or on a serial line."""

    type: Literal["modbus"] = Field(description="`modbus`: Modbus TCP, TLS or RTU")
    transport: Transport = Field(
        "tcp",
        description="how requests travel; rtu-over-tcp: a serial server that passes RTU frames through as they are",
    )
    host: Host | None = Field(None, validate_default=True, description="IP address or host name; not with rtu")
    port: Port = Field(None, validate_default=True, description="TCP port; 502 when absent, with tls 802")
    serial: SerialLine | None = Field(None, description="the serial line, with rtu")
    tls: ModbusTls | None = Field(None, description="certificates, with tls")
    unit: Annotated[int, Field(ge=0, le=255)] = Field(
        1, description="unit id (station number); matters behind a gateway and on a serial line"
    )
    timeout: Timeout = Field(1_500_000_000, description="longest wait for a connection and for each answer")
    connection: Literal["persistent", "per_cycle"] = Field(
        "persistent", description="per_cycle: closed after each reading, so that another master may get in"
    )
    warmup: Annotated[Duration, AfterValidator(_short)] = Field(
        0, description="pause between connecting and the first request"
    )
    request_gap: Annotated[Duration, AfterValidator(_short)] = Field(
        0, description="pause before each request, for slow devices; the largest on a shared connection counts"
    )
    word_order: Order = Field(
        "ABCD", description="where the bytes of 0xAABBCCDD appear on the wire: ABCD, CDAB, BADC or DCBA"
    )
    ls_map: LsMap | None = Field(
        None, description="base addresses of an LS PLC, so that addresses may be written as D00120 or M0012F"
    )
    max_registers: Annotated[int, Field(ge=1, le=125)] = Field(
        125, description="registers that the device serves in one request"
    )
    max_bits: Annotated[int, Field(ge=1, le=2000)] = Field(
        2000, description="coils or discrete inputs that the device serves in one request"
    )
    max_gap: Annotated[int, Field(ge=0, le=124)] | None = Field(
        None,
        description="registers in a row that may be read though nobody asked, at most; when absent, as long as "
        "that is cheaper than another request; 0 never reads what nobody asked for",
    )
    groups: Annotated[tuple[ModbusGroup, ...], Field(min_length=1)] = Field(description="what is read, by pace")

    @field_validator("port", mode="before")
    @classmethod
    def _usual_port(cls, port: Any, info: ValidationInfo) -> Any:
        if port is None:
            return 802 if info.data.get("transport") == "tls" else 502
        return port

    @field_validator("host")
    @classmethod
    def _host_of_a_network(cls, host: str | None, info: ValidationInfo) -> str | None:
        if host is None and info.data.get("transport", "rtu") != "rtu":
            raise Complaint("is missing: write the device's IP address", "없습니다. 장치의 IP 주소를 쓰십시오")
        return host

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        rtu = self.transport == "rtu"
        if rtu and (self.host is not None or "port" in self.model_fields_set):
            raise Complaint(
                "host and port belong to a network: with transport: rtu write serial, or write rtu-over-tcp",
                "host와 port는 네트워크용입니다. transport: rtu에는 serial을 쓰거나 rtu-over-tcp로 바꾸십시오",
            )
        if rtu != (self.serial is not None):
            raise Complaint(
                "transport: rtu needs a section serial with a port, and no other transport has one",
                "transport: rtu에는 serial 항목(port)이 필요합니다. 다른 transport에는 쓸 수 없습니다",
            )
        if (self.transport == "tls") != (self.tls is not None):
            raise Complaint(
                "transport: tls needs a section tls with a ca, and no other transport has one",
                "transport: tls에는 tls 항목(ca)이 필요합니다. 다른 transport에는 쓸 수 없습니다",
            )
        if rtu and self.source_address is not None:
            raise Complaint(
                "source_address belongs to a network, not to a serial line",
                "source_address는 네트워크 접속에만 쓸 수 있습니다(시리얼에는 지우십시오)",
            )
        if self.transport in {"rtu", "rtu-over-tcp"} and not 1 <= self.unit <= 247:
            raise Complaint(
                f"unit {self.unit} cannot be read on a serial line: write the station number, 1 to 247",
                f"시리얼 통신의 국번은 1~247입니다(지금 unit: {self.unit})",
            )
        return self

    @model_validator(mode="after")
    def _settled(self) -> Self:
        settle(self.groups, self.ls_map)
        return self

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
    def place(self) -> str:
        """What is shared with the other units there: `192.168.0.10:502`, or the serial line's device file."""
        if self.serial is not None:
            return str(self.serial.port)
        return f"[{self.host}]:{self.port}" if ":" in str(self.host) else f"{self.host}:{self.port}"

    @property
    def limits(self) -> Limits:
        """What one request may read."""
        return Limits(self.max_registers, self.max_bits, self.max_gap)

    def requests(self) -> Mapping[str, int]:
        """Return by source id how many requests one reading takes while the device refuses nothing."""
        return {
            f"{self.id}.{group.id}": len(plan([s.span() for s in group.signals], self.limits, assumed(self)))
            for group in self.groups
        }

    def explained(self, memory: Memory) -> DevicePlan:
        """Return how the device is read, for `tsq-agent explain`."""
        return explained(self, memory)

    def sources(self) -> tuple[Source, ...]:
        """Return one Source per group."""
        return tuple(
            Source(
                id=f"{self.id}.{group.id}",
                device=self.id,
                protocol="modbus",
                mode="burst" if group.burst is not None else "poll",
                interval_ns=group.every,
                signals=tuple(signal.signal(self.machine) for signal in group.signals),
            )
            for group in self.groups
        )
