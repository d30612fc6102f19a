"""What is written about a value that lies as plain bytes in a device, for every such protocol."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Self

from pydantic import AfterValidator, Field, FiniteFloat, field_validator, model_validator

from agent.collectors.binary import SIZES, WIDE, AnyOrder, Kind, Order
from agent.collectors.convert import Encoding
from agent.collectors.moments import FORMATS, Format, offset_of
from agent.config.base import SignalBase, zone
from agent.frame import DataType, Signal
from settings.base import Flag, Range, form
from settings.language import Complaint

INTEGERS = frozenset(t for t in SIZES if "int" in t)
UNSIGNED = frozenset(t for t in SIZES if t.startswith("uint"))


def _local(value: str) -> str:
    return value if offset_of(value) else zone(value)


def _field(value: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= value[0] <= value[1] <= 63:
        raise Complaint(
            "write the first and the last bit, the least significant is 0: [4, 7]",
            "첫 비트와 마지막 비트를 쓰십시오. 최하위 비트가 0입니다. 예: [4, 7]",
        )
    return value


LocalZone = Annotated[str, AfterValidator(_local), form("time zone `Asia/Seoul`, or `+09:00`")]
"""Where a device's clock stands."""
Bits = Annotated[tuple[int, int], AfterValidator(_field), form("`[first, last]`")]
"""A field of bits in a number."""


class BinarySignal(SignalBase):
    """A value that lies as bytes in the memory of a device."""

    length: Annotated[int, Field(ge=1, le=250)] | None = Field(
        None, description="of a string: characters of one byte, two in a register"
    )
    encoding: Encoding | None = Field(None, description="of a string: ascii (default), utf-8 or cp949")
    bit: Annotated[int, Field(ge=0, le=15)] | None = Field(
        None, description="of a bool in a register: which bit, 0 is the least significant"
    )
    bits: Bits | None = Field(None, description="of a whole number: first and last bit of a field inside it")
    bcd: Flag = Field(default=False, description="of an unsigned number: each digit stands in four bits (BCD)")
    format: Format | None = Field(
        None,
        description="of a timestamp: unix_s and unix_ms (UTC), the others in local time; see docs/profiles.md",
    )
    zone: LocalZone | None = Field(
        None, description="of a timestamp in local time: where the device's clock is set"
    )
    word_order: AnyOrder | None = Field(
        None,
        description="order of bytes and words when not the device's; of strings and times that are made of bytes, "
        "BADC swaps the two bytes of each register; 64 bits have further ones, such as CDABGHEF",
    )
    scale: FiniteFloat | None = Field(None, description="value = raw x scale + offset; the result is a float64")
    offset: FiniteFloat | None = Field(None, description="see `scale`")
    clamp: Range | None = Field(
        None, description="a value outside is cut to the limit and becomes uncertain; after scaling"
    )

    @field_validator("scale")
    @classmethod
    def _some_scale(cls, scale: float | None) -> float | None:
        if scale == 0:
            raise Complaint(
                "a scale of 0 makes every value the same",
                "scale이 0이면 모든 값이 같아집니다. 0이 아닌 배율을 쓰십시오",
            )
        return scale

    @model_validator(mode="after")
    def _of_a_string(self) -> Self:
        text = self.type is DataType.STRING
        if text and self.length is None:
            raise Complaint("a string needs a length, in characters", "문자열에는 length(문자 수)도 쓰십시오")
        if not text and (self.length is not None or self.encoding is not None):
            raise Complaint(
                "length and encoding belong to type: string", "length와 encoding은 type: string에만 쓸 수 있습니다"
            )
        return self

    @model_validator(mode="after")
    def _of_a_timestamp(self) -> Self:
        if self.type is not DataType.TIMESTAMP:
            if self.format is not None or self.zone is not None:
                raise Complaint(
                    "format and zone belong to type: timestamp",
                    "format과 zone은 type: timestamp에만 쓸 수 있습니다",
                )
            return self
        if self.format is None:
            listed = ", ".join(FORMATS)
            raise Complaint(
                f"a timestamp needs its format, one of {listed}", f"timestamp에는 format도 쓰십시오: {listed}"
            )
        local = FORMATS[self.format].local
        if local and self.zone is None:
            raise Complaint(
                f"{self.format} is in local time: write where the device's clock is set, zone: Asia/Seoul",
                f"{self.format}은(는) 현지 시각입니다. 장치 시계의 시간대를 쓰십시오. 예: zone: Asia/Seoul",
            )
        if not local and self.zone is not None:
            raise Complaint(
                f"{self.format} is in UTC: remove zone, or write iec61131_dt if the device counts local time",
                f"{self.format}은(는) UTC입니다. zone을 지우거나, 현지 시각이면 iec61131_dt로 쓰십시오",
            )
        return self

    @model_validator(mode="after")
    def _of_a_number(self) -> Self:
        scaled = self.scale is not None or self.offset is not None
        if scaled and self.type not in SIZES:
            raise Complaint(
                f"scale and offset belong to numbers, not to {self.type}",
                f"scale과 offset은 숫자에만 쓸 수 있습니다(지금 type: {self.type})",
            )
        if self.clamp is not None and self.type not in SIZES:
            raise Complaint(
                f"clamp belongs to numbers, not to {self.type}",
                f"clamp는 숫자에만 쓸 수 있습니다(지금 type: {self.type})",
            )
        if self.bcd and self.type not in UNSIGNED:
            raise Complaint(
                f"bcd belongs to uint16, uint32 and uint64, not to {self.type}",
                f"bcd는 uint16, uint32, uint64에만 쓸 수 있습니다(지금 type: {self.type})",
            )
        if self.bits is not None:
            most = 8 * SIZES[self.type] - 1 if self.type in INTEGERS else -1
            if self.bits[1] > most or self.bcd:
                raise Complaint(
                    "bits belong to whole numbers without bcd, and lie inside them: 0 to 15 of uint16",
                    "bits는 bcd가 아닌 정수에만, 그 크기 안에서 쓸 수 있습니다. uint16이면 0~15입니다",
                )
        if self.clamp is not None and not scaled and self.type in INTEGERS:
            low, high = self.clamp
            if math.ceil(low) > math.floor(high):
                raise Complaint("no whole number lies in clamp", "clamp 범위 안에 정수가 없습니다")
        if self.word_order in WIDE and SIZES.get(self.type) != 8:
            raise Complaint(
                f"{self.word_order} is an order of 64 bits: write ABCD, CDAB, BADC or DCBA",
                f"{self.word_order}는 64비트용 순서입니다. ABCD, CDAB, BADC, DCBA 중에서 쓰십시오",
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
            bits=self.bits,
            bcd=self.bcd,
            moment=self.format,
            zone=self.zone or "UTC",
            clamp=self.clamp,
        )

    def signal(self, machine: str) -> Signal:
        """Return the runtime signal, with the type that the value has after scaling."""
        scaled = self.scale is not None or self.offset is not None
        return dataclasses.replace(super().signal(machine), dtype=DataType.FLOAT64 if scaled else self.type)
