"""What a technician writes about a Modbus TCP device. Importing this does not import pymodbus.

An address is written in one of exactly two ways, because the third one in use, `40009`, means different
registers to different people: `holding:8` is the offset on the wire, counted from 0; `400009` is the six-digit
number of many manuals, counted from 1. Both name the same register.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, model_validator

from agent.collectors.modbus.decode import Encoding, Kind, Order
from agent.collectors.modbus.plan import ADDRESSES, Limits, Span, Table
from agent.config.base import DeviceBase, Duration, GroupBase, SignalBase
from agent.frame import DataType, Signal, Source
from agent.language import Complaint

if TYPE_CHECKING:
    from agent.clock import Clock
    from agent.collectors.base import Collector

_TABLES = {table.word: table for table in Table}
_LEADING = {"0": Table.COIL, "1": Table.DISCRETE, "3": Table.INPUT, "4": Table.HOLDING}
_OFFSET = re.compile(r"(coil|discrete|input|holding):(\d{1,5})", re.ASCII)
_SIX_DIGITS = re.compile(r"([0134])(\d{5})", re.ASCII)
_FIVE_DIGITS = re.compile(r"([0134])(\d{4})", re.ASCII)


def place(address: str) -> tuple[Table, int]:
    """Return table and wire offset of an address.

    Raises:
        Complaint: it is written in neither of the two ways, or there is no such address.
    """
    if match := _OFFSET.fullmatch(address):
        table, offset = _TABLES[match[1]], int(match[2])
    elif match := _SIX_DIGITS.fullmatch(address):
        table, offset = _LEADING[match[1]], int(match[2]) - 1
    elif match := _FIVE_DIGITS.fullmatch(address):
        word, number = _LEADING[match[1]].word, int(match[2])
        one, zero = f"{word}:{max(number - 1, 0)}", f"{word}:{number}"
        raise Complaint(
            f"{address} is ambiguous: write {one} if the manual counts from 1, {zero} if it counts from 0",
            f"{address} 표기는 모호함: 매뉴얼이 1부터 세면 {one}, 0부터 세면 {zero}로 작성",
        )
    else:
        raise Complaint(
            "write the address as holding:8, input:3, coil:0 or discrete:7 (counted from 0), or with six digits "
            "as 400009 (counted from 1; in quotes when it begins with 0)",
            "주소는 holding:8, input:3, coil:0, discrete:7 형식(0부터) 또는 400009 같은 6자리 형식(1부터, "
            "0으로 시작하면 따옴표 사용)으로 작성",
        )
    if not 0 <= offset < ADDRESSES:
        raise Complaint(
            f"there is no such address: offsets run from 0 to {ADDRESSES - 1}",
            f"없는 주소: 오프셋 범위는 0~{ADDRESSES - 1}",
        )
    return table, offset


def both_notations(address: str) -> str:
    """Return an address as people and as manuals write it: `holding:8 (400009)`."""
    table, offset = place(address)
    digit = next(d for d, t in _LEADING.items() if t is table)
    return f"{table.word}:{offset} ({digit}{offset + 1:05d})"


def _address(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # YAML reads 400009 as a number
    if not isinstance(value, str):
        raise Complaint("write an address such as holding:8 or 400009", "holding:8 또는 400009 형식의 주소를 작성")
    place(value)
    return value


def _host(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if not re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})", value, re.ASCII):
            raise Complaint(
                "write an IP address or a host name alone; the port stands under port",
                "IP 주소나 호스트 이름만 작성하고, 포트는 port 항목에 작성",
            ) from None
    return value


class ModbusSignal(SignalBase):
    """One value of the device."""

    address: Annotated[str, BeforeValidator(_address)] = Field(
        description="holding:8, input:3, coil:0 or discrete:7 (wire offset, from 0), or six digits such as 400009"
    )
    length: Annotated[int, Field(ge=1, le=250)] | None = Field(
        None, description="of a string: characters of one byte, two in a register"
    )
    encoding: Encoding | None = Field(None, description="of a string: ascii (default), utf-8 or cp949")
    bit: Annotated[int, Field(ge=0, le=15)] | None = Field(
        None, description="of a bool in a register: which bit, 0 is the least significant"
    )
    word_order: Order | None = Field(None, description="order of bytes and words when not the device's")
    scale: FiniteFloat | None = Field(None, description="value = raw x scale + offset; the result is a float64")
    offset: FiniteFloat | None = Field(None, description="see scale")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        table, start = place(self.address)
        text = self.type is DataType.STRING
        if text and self.length is None:
            raise Complaint("a string needs a length, in characters", "문자열에는 length(문자 수)가 필요함")
        if not text and (self.length is not None or self.encoding is not None):
            raise Complaint("length and encoding belong to type: string", "length와 encoding은 type: string 전용임")
        if table.bits and (self.type is not DataType.BOOL or self.bit is not None):
            raise Complaint(
                f"a {table.word} is one bit: write type: bool and no bit",
                f"{table.word}은(는) 1비트임: type: bool만 작성하고 bit는 삭제",
            )
        if not table.bits and (self.bit is None) == (self.type is DataType.BOOL):
            raise Complaint(
                "a bit of a register needs both type: bool and bit: 0 to 15",
                "레지스터의 비트에는 type: bool과 bit: 0~15가 모두 필요함",
            )
        scaled = self.scale is not None or self.offset is not None
        if scaled and self.type in {DataType.BOOL, DataType.STRING}:
            raise Complaint(
                f"scale and offset belong to numbers, not to {self.type}",
                f"scale과 offset은 숫자형 전용이며 {self.type}에는 쓸 수 없음",
            )
        if self.scale == 0:
            raise Complaint("a scale of 0 makes every value the same", "scale이 0이면 모든 값이 같아짐")
        if table.bits and self.word_order is not None:
            raise Complaint(f"a {table.word} has no word_order", f"{table.word}에는 word_order가 없음")
        if start + self.kind("ABCD").registers > ADDRESSES:
            raise Complaint(
                f"the value needs {self.kind('ABCD').registers} registers and runs past the last one, 65535",
                f"값이 레지스터 {self.kind('ABCD').registers}개를 차지하여 마지막 주소 65535를 넘음",
            )
        return self

    def kind(self, order: Order) -> Kind:
        """Return how it is decoded; `order` is the device's."""
        return Kind(
            dtype=self.type,
            order=self.word_order or order,
            bit=self.bit,
            length=self.length or 0,
            encoding=self.encoding or "ascii",
            scale=self.scale,
            offset=self.offset,
        )

    def span(self) -> Span:
        """Return the addresses that it takes."""
        table, start = place(self.address)
        return Span(table, start, self.kind("ABCD").registers)

    def signal(self, machine: str) -> Signal:
        """Return the runtime signal, with the type that the value has after scaling."""
        return dataclasses.replace(super().signal(machine), dtype=self.kind("ABCD").result)


class ModbusGroup(GroupBase):
    """Values that are read at one pace."""

    signals: Annotated[tuple[ModbusSignal, ...], Field(min_length=1)]


class ModbusDevice(DeviceBase):
    """One Modbus TCP device, or one unit behind a gateway."""

    type: Literal["modbus"]
    host: Annotated[str, AfterValidator(_host)] = Field(description="IP address or host name")
    port: Annotated[int, Field(ge=1, le=65535)] = 502
    unit: Annotated[int, Field(ge=0, le=255)] = Field(
        1, description="unit id (station number); matters behind a gateway"
    )
    timeout: Duration = Field(1_500_000_000, description="longest wait for a connection and for each answer")
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
    groups: Annotated[tuple[ModbusGroup, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.timeout < 10_000_000:
            raise Complaint("write a timeout of at least 10ms", "timeout은 10ms 이상으로 작성")
        for signal in (signal for group in self.groups for signal in group.signals):
            need = signal.span().count
            if not signal.span().table.bits and need > self.max_registers:
                raise Complaint(
                    f"signal {signal.id} takes {need} registers, more than max_registers: {self.max_registers}",
                    f"신호 {signal.id}: 레지스터 {need}개가 필요하여 max_registers: {self.max_registers} 초과",
                )
        return self

    @property
    def limits(self) -> Limits:
        """What one request may read."""
        return Limits(self.max_registers, self.max_bits, self.max_gap)

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

    def collector(self, clock: Clock) -> Collector:
        """Return what reads it."""
        from agent.collectors.modbus.collector import ModbusCollector  # noqa: PLC0415 - pymodbus costs 20 MB

        return ModbusCollector(self, clock)
