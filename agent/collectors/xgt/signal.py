"""What a technician writes about one value of an LS PLC."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, model_validator

from agent.collectors.binary import SIZES, Kind
from agent.collectors.xgt.address import Place, place, wire_name
from agent.collectors.xgt.plan import Value
from agent.config.alarms import AlarmedGroup
from agent.config.base import SignalBase
from agent.config.binary import BinarySignal
from agent.frame import DataType
from settings.base import form
from settings.language import Complaint

if TYPE_CHECKING:
    from agent.collectors.binary import Order

STATE, ERROR = "plc:state", "plc:error"
TOLD = {STATE: DataType.UINT16, ERROR: DataType.BOOL}
"""What the header of every answer says, and its type."""


def _written(value: Any) -> str:
    if not isinstance(value, str):
        raise Complaint(
            "write an address such as D00120 or %MW100, in quotes when it begins with a percent sign",
            '주소는 D00120 또는 "%MW100"처럼 쓰십시오. %로 시작하면 따옴표로 묶으십시오',
        )
    return value


class XgtSignal(BinarySignal):
    """One value of the PLC."""

    address: Annotated[str, BeforeValidator(_written), form("address, `D00120`")] = Field(
        description='D00120, M0012F, D00100.5, T0037 (XGK, XGB) or "%MW100", "%MX1603", "%IX0.2.5" (XGI); '
        "plc:state is RUN (1), STOP (2), ERROR (4) or DEBUG (8), plc:error whether the CPU reports an error"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.address in TOLD:
            self._check_told()
            return self
        at = self.at
        if self.bit is not None and self.type is not DataType.BOOL:
            raise Complaint("bit belongs to type: bool", "bit는 type: bool에만 쓸 수 있습니다")
        size = SIZES.get(self.type)
        if at.unit > 2 and size is not None and size < at.unit:
            raise Complaint(
                f"{self.address} has {at.unit * 8} bits, {self.type} has {size * 8}: write the address of the word",
                f"{self.address}: {at.unit * 8}비트, {self.type}: {size * 8}비트. 워드 주소로 쓰십시오",
            )
        if at.bit is not None and self.word_order is not None:
            raise Complaint("a bit has no word_order", "비트에는 word_order를 쓸 수 없습니다")
        if self._in_a_byte and self.bits is not None and self.bits[1] > 7:
            raise Complaint(
                f"{self.address} is a byte with bits 0 to 7", f"{self.address}은(는) 바이트입니다. 비트는 0~7입니다"
            )
        return self

    def _check_told(self) -> None:
        want = TOLD[self.address]
        fields = XgtSignal.model_fields
        more = fields.keys() - SignalBase.model_fields.keys() - {"address"}
        if self.type is not want or any(getattr(self, name) != fields[name].default for name in more):
            raise Complaint(
                f"{self.address} needs type: {want} and nothing about bits, orders or scales",
                f"{self.address}에는 type: {want}만 쓰고 비트, 순서, 배율은 쓰지 마십시오",
            )

    @property
    def at(self) -> Place:
        """Where it begins."""
        is_bit = self.type is DataType.BOOL
        found = place(self.address, bit=is_bit and self.bit is None)
        if not is_bit or self.bit is None:
            return found
        if self.bit >= 8 * found.unit:
            raise Complaint(
                f"{self.address} is a byte with bits 0 to 7", f"{self.address}은(는) 바이트입니다. 비트는 0~7입니다"
            )
        return dataclasses.replace(found, byte=found.byte + self.bit // 8, bit=self.bit % 8, unit=0)

    @property
    def _in_a_byte(self) -> bool:
        """Whether it is a BYTE, USINT or SINT: a number of 16 bits written with the address of a byte."""
        return self.at.unit == 1 and self.type in {DataType.INT16, DataType.UINT16}

    def value(self) -> Value | None:
        """Return the memory that it takes; None for what the header says."""
        if self.address in TOLD:
            return None
        at = self.at
        if at.contact is not None:
            return Value(at.area, at.contact, 1, contact=True)
        return Value(at.area, at.byte, self.kind("DCBA").size)

    def kind(self, order: Order) -> Kind:
        """Return how it is decoded; `order` is the device's.

        The memory of an LS PLC is little-endian throughout, and text stands in it byte after byte.
        """
        if self.address in TOLD:
            return Kind(self.type, bit=0, byte=True)
        at = self.at
        if at.bit is not None:
            return Kind(DataType.BOOL, byte=True, bit=0 if at.contact is not None else at.bit)
        kind = super().kind(order)
        if self.type is DataType.STRING and self.word_order is None:
            kind = dataclasses.replace(kind, order="ABCD")
        return dataclasses.replace(kind, byte=self._in_a_byte)

    def where(self) -> str:
        """Return the address as it is written, and its name on the wire."""
        if self.address in TOLD:
            return self.address
        return f"{self.address} = {wire_name(self.at)}"


class AlarmedXgtGroup(AlarmedGroup):
    """What an XGT group has for alarm words."""

    signal_model: ClassVar[type[XgtSignal]] = XgtSignal

    @classmethod
    def bit(cls, address: str, number: int) -> dict[str, Any]:
        """Return the keys that say where bit `number`, counted from an address on, lies."""
        try:
            at = place(address, bit=True)
        except Complaint:
            at = place(address, bit=False)
        if at.contact is not None:
            return {"address": f"%{at.area}X{at.contact + number}"}
        return {"address": f"%{at.area}X{at.byte * 8 + (at.bit or 0) + number}"}
