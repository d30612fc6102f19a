"""What a technician writes about one value of a Modbus device. Importing this does not import pymodbus."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, FiniteFloat, model_validator

from agent.collectors.binary import Kind, Order
from agent.collectors.convert import Encoding
from agent.collectors.modbus.address import both_notations, place, written_address
from agent.collectors.modbus.plan import ADDRESSES, Span
from agent.config.base import SignalBase
from agent.frame import DataType, Signal
from settings.language import Complaint


class ModbusSignal(SignalBase):
    """One value of the device."""

    address: Annotated[str, BeforeValidator(written_address)] = Field(
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
