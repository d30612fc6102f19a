"""What a technician writes about a Modbus TCP device. Importing this does not import pymodbus.

An address is written in one of exactly two ways, because the third one in use, `40009`, means different
registers to different people: `holding:8` is the offset on the wire, counted from 0; `400009` is the six-digit
number of many manuals, counted from 1. Both name the same register.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, FiniteFloat, model_validator

from agent.collectors.modbus.decode import Encoding, Kind, Order
from agent.collectors.modbus.plan import ADDRESSES, Limits, Span, Table, plan
from agent.config.base import DeviceBase, GroupBase, SignalBase, Timeout
from agent.frame import DataType, Signal, Source
from settings.base import Duration, Host, Port
from settings.language import Complaint

if TYPE_CHECKING:
    from collections.abc import Mapping


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
            f"뜻이 두 가지인 표기입니다({address}). 매뉴얼이 1부터 세면 {one}, 0부터 세면 {zero} 형식으로 쓰십시오",
        )
    else:
        raise Complaint(
            "write the address as holding:8, input:3, coil:0 or discrete:7 (counted from 0), or with six digits "
            "as 400009 (counted from 1)",
            "주소는 holding:8, input:3, coil:0, discrete:7(0부터 셈) 또는 400009 같은 6자리(1부터 셈)로 쓰십시오",
        )
    if not 0 <= offset < ADDRESSES:
        raise Complaint(
            f"there is no such address: offsets run from 0 to {ADDRESSES - 1}",
            f"없는 주소입니다. 주소 범위는 0~{ADDRESSES - 1}입니다",
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
        raise Complaint("write an address such as holding:8 or 400009", "주소는 holding:8 또는 400009처럼 쓰십시오")
    place(value)
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
    offset: FiniteFloat | None = Field(None, description="see `scale`")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        table, start = place(self.address)
        text = self.type is DataType.STRING
        if text and self.length is None:
            raise Complaint("a string needs a length, in characters", "문자열에는 length(문자 수)도 쓰십시오")
        if not text and (self.length is not None or self.encoding is not None):
            raise Complaint(
                "length and encoding belong to type: string", "length와 encoding은 type: string에만 쓸 수 있습니다"
            )
        if table.bits and (self.type is not DataType.BOOL or self.bit is not None):
            raise Complaint(
                f"a {table.word} is one bit: write type: bool and no bit",
                f"1비트 주소입니다({table.word}). type: bool로 쓰고 bit는 지우십시오",
            )
        if not table.bits and (self.bit is None) == (self.type is DataType.BOOL):
            raise Complaint(
                "a bit of a register needs both type: bool and bit: 0 to 15",
                "레지스터의 비트는 type: bool과 bit: 0~15를 함께 쓰십시오",
            )
        scaled = self.scale is not None or self.offset is not None
        if scaled and self.type in {DataType.BOOL, DataType.STRING}:
            raise Complaint(
                f"scale and offset belong to numbers, not to {self.type}",
                f"scale과 offset은 숫자에만 쓸 수 있습니다(지금 type: {self.type})",
            )
        if self.scale == 0:
            raise Complaint(
                "a scale of 0 makes every value the same",
                "scale이 0이면 모든 값이 같아집니다. 0이 아닌 배율을 쓰십시오",
            )
        if table.bits and self.word_order is not None:
            raise Complaint(
                f"a {table.word} has no word_order", f"비트 주소({table.word})에는 word_order를 쓸 수 없습니다"
            )
        if start + self.kind("ABCD").registers > ADDRESSES:
            raise Complaint(
                f"the value needs {self.kind('ABCD').registers} registers and runs past the last one, 65535",
                f"레지스터 {self.kind('ABCD').registers}개짜리 값이 마지막 주소 65535를 넘습니다",
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

    def where(self) -> str:
        """Return the address in both notations."""
        return both_notations(self.address)

    def signal(self, machine: str) -> Signal:
        """Return the runtime signal, with the type that the value has after scaling."""
        return dataclasses.replace(super().signal(machine), dtype=self.kind("ABCD").result)


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
