"""What error codes of the PLC mean: as status codes, in words, and for the search for a value to blame.

The texts stand in `errors.json`, with the table and the source of each: two tables circulate, and what a CPU really
sends is known only from the CPU. So every text ends with the raw bytes 26 to 29 of the frame.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agent.frame import Status
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.collectors.xgt.frame import Refusal

Means = Literal["address", "area", "type", "blocks", "size", "header", "unknown"]
"""What is wrong: an address, a whole area, the request's type, too many variables, too many bytes, the header."""

NAMED = 3
_STATUS: Mapping[Means, int] = {
    "address": Status.BAD_NODE_ID_UNKNOWN,
    "area": Status.BAD_NODE_ID_UNKNOWN,
    "type": Status.BAD_NOT_SUPPORTED,
    "blocks": Status.BAD_OUT_OF_RANGE,
    "size": Status.BAD_OUT_OF_RANGE,
    "header": Status.BAD_CONFIGURATION_ERROR,
    "unknown": Status.BAD_COMMUNICATION_ERROR,
}
_ADVICE: Mapping[Means, Text] = {
    "address": Text(
        "check the address against the CPU's memory size", "주소가 CPU 메모리 범위 안인지 확인하십시오"
    ),
    "area": Text("check the area's letter against the CPU's series", "CPU 시리즈에 있는 디바이스인지 확인하십시오"),
    "type": Text("try read: blocks", "read: blocks로 바꿔 보십시오"),
    "blocks": Text("try read: blocks", "read: blocks로 바꿔 보십시오"),
    "size": Text("lower max_bytes", "max_bytes를 줄이십시오"),
    "header": Text("check company, cpu, base and slot", "company, cpu, base, slot 설정을 확인하십시오"),
    "unknown": Text("look the code up in the module's manual", "통신 모듈 매뉴얼에서 코드를 확인하십시오"),
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means, and according to whom."""

    means: Means
    text: Text
    table: str


@functools.cache
def _tables() -> Mapping[int, Meaning]:
    found: dict[int, Meaning] = {}
    written = importlib.resources.files("agent.collectors.xgt").joinpath("errors.json").read_text("utf-8")
    for table in json.loads(written)["tables"]:
        for code, entry in table["codes"].items():
            meaning = Meaning(entry["means"], Text(entry["en"], entry["ko"]), table["name"])
            found.setdefault(int(code, 16), meaning)
    return found


_UNKNOWN = Meaning("unknown", Text("a code that no manual lists", "매뉴얼에 없는 코드"), "-")


def explain(code: int) -> Meaning:
    """Return what a code means."""
    return _tables().get(code, _UNKNOWN)


def status_of(code: int) -> int:
    """Return the status of a value refused with this code; its low byte stays in the lowest byte."""
    return _STATUS[explain(code).means] | code & 0xFF


def describe(refusal: Refusal, where: str, signals: Sequence[str]) -> Text:
    """Say which signals are refused, where, why, and what to do."""
    meaning = explain(refusal.code)
    shown, raw = f"{refusal.code:04X}h", refusal.raw.hex(" ")
    names, more = ", ".join(signals[:NAMED]), len(signals) - NAMED
    en = names + (f" and {more} more" if more > 0 else "")
    ko = names + (f" 외 {more}개" if more > 0 else "")
    advice = _ADVICE[meaning.means]
    return Text(
        f"signal{'s' if len(signals) > 1 else ''} {en} ({where}): {meaning.text.en} (code {shown}, table "
        f"{meaning.table}, bytes 26-29: {raw}): {advice.en}",
        f"태그 {ko} ({where}): {meaning.text.ko} (코드 {shown}, 표 {meaning.table}, 26-29번째 바이트: {raw}). "
        f"{advice.ko}",
    )
