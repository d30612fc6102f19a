"""What a technician writes about one value of a Modbus device. Importing this does not import pymodbus."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from agent.collectors.modbus.address import both_notations, place, spelled, written_address
from agent.collectors.modbus.lsmap import LsMap, Place, is_name, meant
from agent.collectors.modbus.plan import ADDRESSES, Span
from agent.config.alarms import AlarmedGroup
from agent.config.binary import BinarySignal
from agent.frame import DataType
from settings.base import form
from settings.language import Complaint

if TYPE_CHECKING:
    from agent.collectors.binary import Kind, Order


class ModbusSignal(BinarySignal):
    """One value of the device."""

    address: Annotated[str, BeforeValidator(written_address), form("address, `holding:8`")] = Field(
        description="holding:8, input:3, coil:0 or discrete:7 (wire offset, from 0), or six digits such as 400009; "
        "with ls_map also D00120, M0012F"
    )
    _at: Place | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not is_name(self.address):
            self._settled(Place(*place(self.address)))
        elif self.bit is not None and "." in self.address:
            raise Complaint(
                "write the bit once: in the address or under bit", "비트는 주소나 bit 중 한 곳에만 쓰십시오"
            )
        return self

    def settle(self, ls_map: LsMap | None) -> None:
        """Find the place of a device name (`D00120`) by the device's map.

        Raises:
            Complaint: there is no map, or the map has no place for it.
        """
        if ls_map is None:
            raise Complaint(
                f"{self.address} is a name of the PLC: write the device's ls_map, the four base addresses that "
                "XG5000 shows in the Modbus settings, such as {word_read: D00000}",
                f"PLC 디바이스 이름입니다({self.address}). XG5000 모드버스 설정의 시작 주소를 ls_map에 쓰십시오. "
                "예: ls_map: {word_read: D00000}",
            )
        self._settled(ls_map.place(self.address, bit=self.type is DataType.BOOL and self.bit is None))

    def _settled(self, at: Place) -> None:
        """Take a place, once what is written fits it."""
        word = at.table.word
        bit = self.bit if at.bit is None else at.bit
        if at.table.bits and (self.type is not DataType.BOOL or bit is not None):
            raise Complaint(
                f"a {word} is one bit: write type: bool and no bit",
                f"1비트 주소입니다({word}). type: bool로 쓰고 bit는 지우십시오",
            )
        if not at.table.bits and (bit is None) == (self.type is DataType.BOOL):
            raise Complaint(
                "a bit of a register needs both type: bool and bit: 0 to 15",
                "레지스터의 비트는 type: bool과 bit: 0~15를 함께 쓰십시오",
            )
        if at.table.bits and self.word_order is not None:
            raise Complaint(f"a {word} has no word_order", f"비트 주소({word})에는 word_order를 쓸 수 없습니다")
        count = 1 if at.table.bits else self.kind("ABCD").registers
        if at.start + count > ADDRESSES:
            raise Complaint(
                f"the value needs {count} registers and runs past the last one, 65535",
                f"레지스터 {count}개짜리 값이 마지막 주소 65535를 넘습니다",
            )
        self._at = at

    @property
    def at(self) -> Place:
        """Where it begins."""
        assert self._at is not None, "a device name is settled by its device"
        return self._at

    def kind(self, order: Order) -> Kind:
        """Return how it is decoded; `order` is the device's."""
        kind = super().kind(order)
        if self._at is not None and self._at.bit is not None:
            kind = dataclasses.replace(kind, bit=self._at.bit)
        return kind

    def span(self) -> Span:
        """Return the addresses that it takes."""
        return Span(self.at.table, self.at.start, 1 if self.at.table.bits else self.kind("ABCD").registers)

    def where(self) -> str:
        """Return the address in every notation."""
        if not is_name(self.address):
            return both_notations(self.address)
        bit = "" if self.at.bit is None else f".{self.at.bit}"
        return f"{self.address} = {spelled(self.at.table, self.at.start)}{bit}"


class AlarmedModbusGroup(AlarmedGroup):
    """What a Modbus group has for alarm words."""

    signal_model: ClassVar[type[ModbusSignal]] = ModbusSignal

    @classmethod
    def bit(cls, address: str, number: int) -> dict[str, Any]:
        """Return the keys that say where bit `number` of an address lies."""
        address = meant(address)
        if not is_name(address):
            try:
                table, start = place(address)
            except Complaint:
                return {"address": address}  # which the signal complains about
            if table.bits:
                return {"address": f"{table.word}:{start + number}"}
        if number > 15:
            raise Complaint(
                "a register has bits 0 to 15: write another alarm word for the next register",
                "레지스터의 비트는 0~15입니다. 다음 레지스터는 항목을 따로 쓰십시오",
            )
        return {"address": address, "bit": number}
