"""Device names of an LS PLC (`D00120`, `M0012F`) to Modbus tables and offsets.

An LS PLC has no fixed Modbus map: in XG5000 the engineer writes four base addresses, and offset 0 of each Modbus
table is that address (manual of the XBL-C41A, table 6.1.2; XGL-EFMTB likewise):

    bit_read     discrete inputs, FC 2     base is a bit address      M00000
    bit_write    coils, FC 1               base is a bit address      P00000
    word_read    input registers, FC 4     base is a word address     D00000
    word_write   holding registers, FC 3   base is a word address     D00000

Names are XG5000's: a word by its decimal number, `D00120`; a bit of P, M, K, F and L with the bit as one
hexadecimal digit behind the word, `M0012F`; a bit of any word as `D00120.5`; on XGI and XGR `%MW100`, `%MX1603`,
`%MW100.3`. So whether `M00120` is word 120 or bit 0 of word 12 is told by the signal's type, as in XG5000; what was
understood is always echoed with the Modbus address. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from agent.collectors.modbus.plan import ADDRESSES, Table
from settings.base import Model, form
from settings.language import Complaint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic_core import InitErrorDetails

    from agent.collectors.modbus.config import ModbusGroup

BIT_AREAS = frozenset("PMKFL")
_MK = re.compile(r"(ZR|[A-Z])(\d{1,7}[0-9A-F]?)(?:\.([0-9A-F]))?", re.ASCII)
_IEC = re.compile(r"%([A-Z])([XW])(\d{1,7})(?:\.(\d|1[0-5]))?", re.ASCII)
_ALARM_BIT = re.compile(r"-\d+$")


@dataclass(frozen=True, slots=True)
class Name:
    """What a device name means: bit `bit` of word `word`, or the word when `bit` is None."""

    area: str
    word: int
    bit: int | None

    @property
    def position(self) -> int:
        """Number of the bit, counted from bit 0 of word 0."""
        return self.word * 16 + (self.bit or 0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value begins: wire offset in a table; of a bit in a register, which bit."""

    table: Table
    start: int
    bit: int | None = None


def is_name(address: str) -> bool:
    """Return whether an address is written as a device name."""
    return bool(_MK.fullmatch(address) or _IEC.fullmatch(address))


def meant(written: str) -> str:
    """Return a device name in the letters that it is meant in, as XG5000 takes it; anything else as it is."""
    text = unicodedata.normalize("NFKC", written).strip().upper()
    return text if is_name(text) else written


def name(address: str, *, bit: bool) -> Name:
    """Return what a device name means.

    Args:
        address: As it is written.
        bit: Whether a bit is wanted; a word otherwise.

    Raises:
        Complaint: it names the other, or is no device name.
    """
    if match := _IEC.fullmatch(address):
        area, unit, digits, dot = match.groups()
        if unit == "X" and dot is None:
            found = Name(area, int(digits) // 16, int(digits) % 16)
        elif unit == "W":
            found = Name(area, int(digits), None if dot is None else int(dot))
        else:
            raise Complaint(f"write {address} without the dot", f"점 없이 쓰십시오({address})")
    elif match := _MK.fullmatch(address):
        area, digits, dot = match.groups()
        if dot is None and bit and area in BIT_AREAS:
            found = Name(area, int(digits[:-1] or "0"), int(digits[-1], 16))
        elif digits.isdecimal():
            found = Name(area, int(digits), None if dot is None else int(dot, 16))
        else:
            raise Complaint(
                f"{address} names a bit: write type: bool, or the word as {area}{digits[:-1] or 0}",
                f"비트 주소입니다({address}). type: bool로 쓰거나 워드 주소({area}{digits[:-1] or 0})로 쓰십시오",
            )
    else:
        raise Complaint("write a device name such as D00120 or M0012F", "D00120, M0012F 형식으로 쓰십시오")
    if bit and found.bit is None:
        raise Complaint(
            f"{address} names a word: write its bit as {address}.0 to {address}.F",
            f"워드 주소입니다({address}). 비트는 {address}.0~{address}.F 형식으로 쓰십시오",
        )
    if not bit and found.bit is not None:
        raise Complaint(
            f"{address} names a bit: write type: bool", f"비트 주소입니다({address}). type: bool로 쓰십시오"
        )
    return found


def _bit_base(written: str) -> str:
    address = meant(written)
    name(address, bit=True)
    return address


def _word_base(written: str) -> str:
    address = meant(written)
    name(address, bit=False)
    return address


BitBase = Annotated[str, AfterValidator(_bit_base), form("bit address, `M00000`")]
WordBase = Annotated[str, AfterValidator(_word_base), form("word address, `D00000`")]


class LsMap(Model):
    """The four base addresses of XG5000's Modbus settings."""

    bit_read: BitBase | None = Field(None, description="bit read area (FC 2), as XG5000 shows it")
    bit_write: BitBase | None = Field(None, description="bit write area (FC 1); it is only read")
    word_read: WordBase | None = Field(None, description="word read area (FC 4)")
    word_write: WordBase | None = Field(None, description="word write area (FC 3); it is only read")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not any(self._bases()):
            raise Complaint(
                "write at least one of bit_read, bit_write, word_read, word_write",
                "bit_read, bit_write, word_read, word_write 중 하나 이상 쓰십시오",
            )
        return self

    def _bases(self) -> tuple[str | None, ...]:
        return self.bit_read, self.bit_write, self.word_read, self.word_write

    def _areas(self) -> Iterator[tuple[Table, str, Name]]:
        for table, base in zip(
            (Table.DISCRETE, Table.COIL, Table.INPUT, Table.HOLDING), self._bases(), strict=True
        ):
            if base is not None:
                yield table, base, name(base, bit=table.bits)

    def place(self, address: str, *, bit: bool) -> Place:
        """Return where Modbus serves what a device name means; a bit area before a word area.

        Raises:
            Complaint: no area holds it.
        """
        wanted = name(address, bit=bit)
        same = [(table, base, start) for table, base, start in self._areas() if start.area == wanted.area]
        for table, _, start in same:
            if table.bits and not bit:
                continue
            offset = wanted.position - start.position if table.bits else wanted.word - start.word
            if 0 <= offset < ADDRESSES:
                return Place(table, offset, None if table.bits else wanted.bit)
        mapped = ", ".join(base for _, base, _ in self._areas())
        if same and (bit or not all(table.bits for table, _, _ in same)):
            bases = ", ".join(base for _, base, _ in same)
            raise Complaint(
                f"{address} lies outside the area that begins at {bases} (65536 addresses)",
                f"{bases}(으)로 시작하는 영역 밖의 주소입니다({address}, 영역 크기 65536)",
            )
        raise Complaint(
            f"ls_map maps no area for {address}, only from {mapped}: read XG5000's Modbus settings",
            f"ls_map에 {address}의 영역이 없습니다(있는 영역: {mapped}). XG5000의 모드버스 설정을 확인하십시오",
        )


def settle(groups: Iterable[ModbusGroup], ls_map: LsMap | None) -> None:
    """Tell each signal that is written as a device name where it lies.

    Raises:
        ValidationError: for each signal that lies nowhere, at its address.
    """
    wrong: dict[tuple[int | str, ...], InitErrorDetails] = {}  # an alarm word is one mistake, not one a bit
    for g, group in enumerate(groups):
        for s, signal in enumerate(group.signals):
            if not is_name(signal.address):
                continue
            try:
                signal.settle(ls_map)
            except Complaint as exc:
                loc: tuple[int | str, ...] = ("groups", g, "signals", s, "address")
                if signal.alarm is not None and _ALARM_BIT.search(signal.id):  # written as a word under `alarms`
                    loc = ("groups", g, "alarms")
                error: InitErrorDetails = {
                    "type": "value_error", "loc": loc, "input": signal.address, "ctx": {"error": exc},
                }  # fmt: skip
                wrong.setdefault((*loc, signal.address), error)
    if wrong:
        raise ValidationError.from_exception_data("ls_map", [*wrong.values()])
