"""Signals from variables: each with everything that its row says, or the reason why it is left out. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from agent.collectors.modbus.address import place as modbus_place
from agent.collectors.modbus.lsmap import is_name
from agent.collectors.modbus.signal import ModbusSignal
from agent.collectors.xgt.address import place as xgt_place
from agent.collectors.xgt.config import areas
from agent.collectors.xgt.signal import XgtSignal
from agent.frame import DataType
from agent.importing.ids import ids
from agent.importing.roles import guess
from agent.importing.types import BYTES, data_type
from settings.language import Complaint, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent.collectors.xgt.config import Cpu
    from agent.importing.table import Table, Variable

Protocol = Literal["xgt", "modbus"]

_NAME = 200
_SERIES: dict[str, Cpu] = {
    "XGI": "XGI", "XGR": "XGR", "XGK": "XGK", "XBC": "XGB-MK", "XBM": "XGB-MK", "XEC": "XGB-IEC", "XEM": "XGB-IEC",
}  # fmt: skip
_SIX = re.compile(r"[0134]\d{5}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})([eE][-+]?\d{1,3})?", re.ASCII)
_NO_ADDRESS = Text(
    "no address: give it one in XG5000 (memory allocation), FEnet reads addresses only",
    "주소 없음. XG5000에서 메모리 할당을 하십시오. FEnet은 주소로만 읽습니다",
)
_TWICE = Text("the same name and address stand above", "위에 같은 이름과 주소가 있습니다")
_EXTERNAL = Text("a reference to a global variable, which has a row of its own", "글로벌 변수 참조(VAR_EXTERNAL)")
_NO_TAG = Text("no tag", "태그가 아닙니다")


@dataclass(frozen=True, slots=True)
class Imported:
    """One signal.

    Attributes:
        line: Of the file.
        entry: Keys and values for the configuration, in the order in which they shall stand.
        reasons: What was guessed or assumed, and why.
        chosen: Whether it was marked for an HMI or OPC UA, or nothing was.
    """

    line: int
    entry: dict[str, Any]
    reasons: tuple[Text, ...]
    chosen: bool


@dataclass(frozen=True, slots=True)
class Skipped:
    """A variable that is left out."""

    line: int
    name: str
    reason: Text


@dataclass(slots=True)
class Import:
    """What a tag list gives.

    Attributes:
        protocol: By the form of the addresses.
        cpu: Series of the CPU, for XGT.
        cpu_told: Whether the file says so; else it is assumed from the addresses.
        signals: In the order of the file.
        skipped: Likewise.
    """

    protocol: Protocol
    cpu: Cpu = "XGK"
    cpu_told: bool = False
    signals: list[Imported] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A variable that can be read, before it has an id."""

    variable: Variable
    body: dict[str, Any]
    reasons: tuple[Text, ...]


def signals(table: Table, *, taken: Iterable[str] = (), protocol: Protocol | None = None) -> Import:
    """Return the signals of a tag list.

    Args:
        table: The list.
        taken: Ids that others of the machine have.
        protocol: Of the addresses; told from them when absent.
    """
    protocol = protocol or _protocol(table.variables)
    result = Import(protocol)
    drafts: list[_Draft] = []
    seen: set[tuple[str, str]] = set()
    for variable in table.variables:
        try:
            key = (variable.name, variable.address.upper())
            if key in seen and variable.address:
                raise Complaint(_TWICE.en, _TWICE.ko)  # noqa: TRY301 - one way out for every reason
            drafts.append(_draft(variable, protocol))
            seen.add(key)
        except Complaint as exc:
            result.skipped.append(Skipped(variable.line, variable.name or variable.address, exc.text))
    result.cpu, result.cpu_told = _cpu(table, [draft.body["address"] for draft in drafts])
    some_exposed = any(draft.variable.exposed for draft in drafts)
    made = ids([(draft.variable.name, draft.variable.address) for draft in drafts], taken)
    for made_id, draft in zip(made, drafts, strict=True):
        entry = {"id": made_id, **draft.body, "found": "import"}
        try:
            _check(entry, result)
        except Complaint as exc:
            result.skipped.append(Skipped(draft.variable.line, draft.variable.name, exc.text))
            continue
        chosen = bool(draft.variable.exposed) or not some_exposed
        result.signals.append(Imported(draft.variable.line, entry, draft.reasons, chosen))
    result.skipped.sort(key=lambda skipped: skipped.line)
    return result


def _cpu(table: Table, addresses: Sequence[str]) -> tuple[Cpu, bool]:
    """Return the series of the CPU, and whether the file says so."""
    said = table.properties.get("cpu type", "").upper()
    for prefix, series in _SERIES.items():
        if prefix in said:
            return series, True
    percent = sum(address.startswith("%") for address in addresses)
    return ("XGI" if percent * 2 > len(addresses) else "XGK"), False


def _protocol(variables: Sequence[Variable]) -> Protocol:
    """Return which protocol's addresses these are, by the majority."""
    found: Counter[Protocol] = Counter()
    for variable in variables:
        for protocol in ("xgt", "modbus"):
            if variable.address and _is_of(variable.address, protocol):
                found[protocol] += 1
    return "modbus" if found["modbus"] > found["xgt"] else "xgt"


def _is_of(address: str, protocol: Protocol) -> bool:
    if protocol == "modbus":
        return bool(_SIX.fullmatch(address)) or ":" in address
    for bit in (True, False):
        try:
            xgt_place(address, bit=bit)
        except Complaint:
            continue
        return True
    return False


def _check_row(variable: Variable) -> None:
    """Raise why a row is no variable that can be read, if it is none."""
    if variable.kind == "varexternal":
        raise Complaint(_EXTERNAL.en, _EXTERNAL.ko)
    if not variable.address and not variable.name:
        raise Complaint(_NO_TAG.en, _NO_TAG.ko)
    if not variable.address:
        raise Complaint(_NO_ADDRESS.en, _NO_ADDRESS.ko)


def _draft(variable: Variable, protocol: Protocol) -> _Draft:
    _check_row(variable)
    reasons: list[Text] = []
    address = variable.address.lower() if protocol == "modbus" else variable.address.upper()
    dtype, length = _type(variable, address, protocol, reasons)
    name = _printable(variable.name)
    body: dict[str, Any] = {"name": name} if name else {}
    body |= {"address": address, "type": str(dtype)}
    if length is not None:
        body |= {"length": length, "encoding": "cp949"}
    if unit := _printable(variable.unit) or ("ms" if variable.type == "TIME" else ""):
        body["unit"] = unit
    if dtype not in {DataType.BOOL, DataType.STRING}:
        body |= _scale(variable)
    if (comment := _printable(variable.comment)) and comment != body.get("name"):
        body["description"] = comment
    if found := guess(variable.name, variable.comment, dtype):
        body |= {"role": found.role, "guess": True}
        reasons.append(Text(f'role guessed from "{found.word}"', f'역할 추정: "{found.word}"'))
        if found.opposite:
            reasons.append(Text("true when the machine stands", "정지일 때 true"))
    return _Draft(variable, body, tuple(reasons))


def _type(variable: Variable, address: str, protocol: Protocol, reasons: list[Text]) -> tuple[DataType, int | None]:
    if variable.type:
        dtype, length = data_type(variable.type, variable.length)
        if variable.type in BYTES and protocol == "xgt" and not re.match(r"%\w+B", address):
            reasons.append(
                Text(f"{variable.type} at a word: the whole word is read", f"{variable.type}이지만 워드로 읽음")
            )
        return dtype, length
    bit = _only_a_bit(address, protocol)
    dtype = DataType.BOOL if bit else DataType.UINT16
    reasons.append(Text(f"no type given, taken as {dtype}", f"타입이 없어 {dtype}로 가정"))
    return dtype, None


def _only_a_bit(address: str, protocol: Protocol) -> bool:
    if protocol == "modbus":
        try:
            return modbus_place(address)[0].bits
        except Complaint:
            return False
    try:
        xgt_place(address, bit=False)
    except Complaint:
        return True
    return False


def _scale(variable: Variable) -> dict[str, float]:
    """Return scale and offset, where they change anything."""
    found: dict[str, float] = {}
    for key, written, idle in (("scale", variable.scale, 1.0), ("offset", variable.offset, 0.0)):
        if not written:
            continue
        if not _NUMBER.fullmatch(written) or (key == "scale" and float(written) == 0):
            raise Complaint(f"{key} {written} is no number", f"{key} 값이 숫자가 아닙니다({written})")
        if float(written) != idle:
            found[key] = float(written)
    return found


def _printable(text: str) -> str:
    """Return a text as a name may be: printable, in NFC, not too long."""
    kept = "".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text))
    return " ".join(kept.split())[:_NAME]


def _check(entry: dict[str, Any], result: Import) -> None:
    """Raise why the configuration would refuse the entry, if it would.

    Raises:
        Complaint: in its words.
    """
    model = XgtSignal if result.protocol == "xgt" else ModbusSignal
    try:
        made = model.model_validate(entry)
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        complaint = error.get("ctx", {}).get("error")
        if isinstance(complaint, Complaint):
            raise Complaint(complaint.text.en, complaint.text.ko) from exc
        raise Complaint(error["msg"], error["msg"]) from exc
    if isinstance(made, ModbusSignal) and is_name(made.address):
        raise Complaint(
            f"{made.address} is a name of the PLC in a list of Modbus addresses: import those by themselves",
            f"모드버스 주소 목록에 PLC 디바이스 이름이 섞여 있습니다({made.address}). 따로 가져오십시오",
        )
    if isinstance(made, XgtSignal) and (value := made.value()) is not None and value.area not in areas(result.cpu):
        raise Complaint(
            f"{result.cpu} has no area {value.area} ({made.address})",
            f"{result.cpu}에는 {value.area} 영역이 없습니다({made.address})",
        )
