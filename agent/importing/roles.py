"""What a signal means for the machine, guessed from the words of its name and comment. Pure.

A guess is written as a guess (`guess: true`) and never enters a score. The words are those of Korean and English
programs on shop floors; the first rule that fits the type of the value wins, special before general: a target of
production is a set point, not a count, and an emergency stop is an alarm, not a state.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.frame import DataType

if TYPE_CHECKING:
    from agent.frame import Role

_BOOL = frozenset({DataType.BOOL})
_NUMBER = frozenset(DataType) - {DataType.BOOL, DataType.STRING, DataType.TIMESTAMP}
_WHOLE = frozenset(t for t in DataType if "int" in t)
_TEXT = frozenset({DataType.STRING}) | _WHOLE


@dataclass(frozen=True, slots=True)
class _Rule:
    """A role, the types that it may have, parts of Korean words, and whole English ones."""

    role: Role
    types: frozenset[DataType]
    korean: tuple[str, ...]
    english: tuple[str, ...]


_RULES = (
    _Rule(
        "alarm", _BOOL, ("비상정지", "알람", "경보", "이상", "고장", "에러", "과부하", "과열", "트립", "부족"),
        ("alarm", "alm", "fault", "flt", "error", "err", "trip", "emg", "estop", "emergency", "overload"),
    ),
    _Rule(
        "sp", _NUMBER, ("설정", "목표", "셋팅", "세팅", "계획수량", "지시수량"),
        ("sp", "sv", "setpoint", "set", "target", "preset", "setting"),
    ),
    _Rule(
        "count_reject", _NUMBER, ("불량", "폐기", "스크랩", "엔지수량"),
        ("ng", "reject", "rej", "defect", "scrap", "bad", "ngcnt", "ngcount"),
    ),
    _Rule(
        "count_good", _NUMBER,
        ("양품", "합격", "정품수량"), ("good", "ok", "okcnt", "goodcnt", "goodcount", "pass"),
    ),
    _Rule(
        "energy", _NUMBER, ("전력량", "적산전력", "에너지", "사용전력"), ("kwh", "wh", "mwh", "energy"),
    ),
    _Rule(
        "cycle", _NUMBER, ("사이클", "싸이클", "택타임", "택트"), ("cycle", "ct", "cycletime", "tact", "takt"),
    ),
    _Rule(
        "count_total", _NUMBER,
        ("생산수량", "생산량", "생산수", "총생산", "생산카운트", "타수", "생산실적", "누적수량"),
        ("production", "prod", "prodcnt", "shot", "shots", "count", "cnt", "total", "qty", "quantity", "counter"),
    ),
    _Rule("lot", _TEXT, ("로트",), ("lot", "lotno", "lotid")),
    _Rule("order", _TEXT, ("작업지시", "지시번호", "오더"), ("order", "workorder", "wo", "orderno")),
    _Rule("recipe", _TEXT, ("레시피", "조건표", "패턴번호"), ("recipe", "rcp", "pattern")),
    _Rule(
        "product", _TEXT, ("품목", "품번", "품명", "제품", "모델", "기종"), ("product", "model", "item", "partno"),
    ),
    _Rule("mode", _BOOL | _WHOLE, ("자동모드", "수동모드", "모드", "자동/수동"), ("mode", "auto", "manual")),
    _Rule(
        "state", _BOOL | _WHOLE, ("운전", "가동", "정지", "기동", "동작중", "작업중", "상태"),
        ("run", "running", "state", "status", "operation", "operating", "stop", "stopped", "ready"),
    ),
    _Rule("op", _NUMBER, ("개도", "출력값", "출력량", "조작량"), ("mv", "op", "output", "opening")),
    _Rule(
        "pv", _NUMBER,
        ("현재", "측정", "온도", "압력", "전류", "전압", "속도", "유량", "습도", "위치", "무게", "중량"),
        ("pv", "actual", "act", "present", "temp", "temperature", "pressure", "current", "speed", "flow", "volt"),
    ),
)  # fmt: skip
_BUTTONS = ("버튼", "스위치", "푸시", "리셋", "지령", "명령")
_BUTTON_WORDS = frozenset({"pb", "btn", "button", "sw", "switch", "cmd", "reset", "rst", "req"})
_OPPOSITE = ("정지", "stop", "stopped")


@dataclass(frozen=True, slots=True)
class Guess:
    """A role, and the word that it was guessed from."""

    role: Role
    word: str

    @property
    def opposite(self) -> bool:
        """Whether the word says that the machine stands: true then means the opposite of running."""
        return self.role == "state" and self.word in _OPPOSITE


def guess(name: str, comment: str, dtype: DataType) -> Guess | None:
    """Return what a signal probably means, or None."""
    for text in (name, comment):
        if found := _of(text, dtype):
            return found
    return None


def _of(text: str, dtype: DataType) -> Guess | None:
    spelled = unicodedata.normalize("NFKC", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text))
    lower = spelled.casefold()
    words = set(re.findall(r"[a-z]+", lower))
    hangul = re.sub(r"[^가-힣/]", "", lower)
    if dtype is DataType.BOOL and (words & _BUTTON_WORDS or any(word in hangul for word in _BUTTONS)):
        return None  # what somebody presses is no state of the machine
    for rule in _RULES:
        if dtype not in rule.types:
            continue
        word = next((w for w in rule.korean if w in hangul), None) or next(
            (w for w in rule.english if w in words), None
        )
        if word is not None:
            return Guess(rule.role, word)
    return None
