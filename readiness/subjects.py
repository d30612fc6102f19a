"""What a contradiction is about, as people say it: the machine by its name, the field by its word.

    about(subject, language, names)

Subjects are made where answers are heard (`answers.plant`) and compared (`readiness.contradictions`): a kind, an
id, a field. On the wire they stay as they are; a Korean reader gets the words, and behind a field its key, because
that is what stands in the file of answers. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from readiness.words import name as indicator

if TYPE_CHECKING:
    from collections.abc import Mapping

Language = Literal["en", "ko"]

FIELDS: Mapping[str, Mapping[str, str]] = {
    "machine": {
        "name": "설비 이름", "weight": "가중치", "path": "설비 경로", "kind": "생산 방식",
        "retrofit": "수집용 개조", "isolated": "망 분리", "elsewhere": "다른 시스템의 수집",
        "single_product": "단일 품목", "previous": "이전 공정 설비", "has_alarms": "알람 유무",
        "has_schedule": "계획·기준 사이클타임 유무", "ids_elsewhere": "다른 시스템의 번호 관리",
        "model_acts": "모델·최적화의 설정값 쓰기",
    },
    "signal": {
        "role": "역할", "states": "상태값의 뜻", "automatic": "자동 모드 값", "reasons": "사유 값의 뜻",
        "specific": "비가동 사유 여부", "action": "조치 필요 여부", "advice": "권고 여부",
        "planned": "계획된 조작 여부",
        "modulus": "순환값", "resets": "초기화 시각", "resets_with": "초기화 기준 태그", "factor": "환산 계수",
        "meter": "계량 대상", "pattern": "번호 형식", "limits": "물리적 한계", "usual": "정상 범위",
        "critical": "중요 공정값 여부", "used": "사용 여부",
    },
    "product": {"name": "품목 이름", "ideal": "기준 사이클타임", "per_count": "카운터 1회당 개수"},
    "system": {"name": "시스템 이름", "kind": "시스템 종류", "live": "가동 개시일", "points": "포인트 목록"},
    "calendar": {
        "country": "공휴일 국가", "date": "날짜", "extra": "특근", "weekday": "요일별 계획",
        "planned": "요일별 계획",
    },
    "inventory": {"signed": "설비 목록 확인"},
}  # fmt: skip
"""Kind of a subject -> field -> Korean; keys as in docs/answers.md."""
RECORDS = {
    "loop": "제어 루프", "hand_count": "수기 계수", "stop_reason": "비가동 사유", "use": "사용 기록",
    "bill": "요금 고지서", "claim": "자체 응답값", "onboarding": "설비 추가 기록",
}  # fmt: skip
"""Kinds whose entries are answered as a whole."""
OF_MACHINE = frozenset({"loop", "hand_count", "stop_reason", "onboarding"})
WEEKDAYS = "월화수목금토일"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
VALUES = {"yes": "예", "no": "아니요", "unknown": "모름", "off": "휴무", "work": "근무"}
_PRODUCT = re.compile(r"(?P<id>.*?)(?: (?P<field>ideal|per_count) (?P<of>\S+)| (?P<plain>name))?")


def about(subject: str, language: Language, names: Mapping[str, str] | None = None) -> str:
    """Return a subject in words.

    Args:
        subject: As in `contract.report.Contradiction`.
        language: Of the words.
        names: Machine -> how the factory calls it; others are told by their id.
    """
    kind, _, rest = subject.partition(" ")
    if not rest or (kind not in FIELDS and kind not in RECORDS):
        return indicator(subject, language)
    if language == "en":
        return subject
    called = names or {}
    if kind in RECORDS:
        return f"{RECORDS[kind]} {_record(kind, rest, called)}"
    of = {"product": _product, "system": _system, "calendar": _calendar}.get(kind)
    return _field(kind, rest, called) if of is None else of(rest, called)


def value(text: str, language: Language) -> str:
    """Return a value that was said, where it is a word of the file, with or without the date behind it."""
    word, space, rest = text.partition(" ")
    whole = word in VALUES and (not space or rest.startswith("("))
    return f"{VALUES[word]}{space}{rest}" if language == "ko" and whole else text


def _key(kind: str, field: str) -> str:
    found = FIELDS[kind].get(field)
    return field if found is None else f"{found}({field})"


def _field(kind: str, rest: str, names: Mapping[str, str]) -> str:
    if kind == "inventory":
        return _key(kind, rest)
    one, _, field = rest.partition(" ") if kind == "machine" else rest.rpartition(" ")  # ids have no spaces
    if kind == "signal" and field not in FIELDS[kind]:  # an alarm that a server reports may
        one, field = rest, ""
    return f"{_place(one, names)} {_key(kind, field)}".rstrip()


def _system(rest: str, names: Mapping[str, str]) -> str:  # noqa: ARG001 - as of the others
    one, _, field = rest.partition(" ")
    return f"시스템 {one} {_key('system', field)}".rstrip()


def _calendar(rest: str, names: Mapping[str, str]) -> str:  # noqa: ARG001 - as of the others
    field, _, of = rest.partition(" ")
    return f"달력 {_key('calendar', field)} {_weekday(of)}".rstrip()


def _product(rest: str, names: Mapping[str, str]) -> str:
    found = _PRODUCT.fullmatch(rest)
    assert found is not None
    field, of = found["field"] or found["plain"] or "", found["of"] or ""
    return " ".join(part for part in (f"품목 {found['id']}", _key("product", field), _place(of, names)) if part)


def _place(text: str, names: Mapping[str, str]) -> str:
    """Return a machine, or a signal of one."""
    machine, _, signal = text.partition("/")
    return f"{names.get(machine, machine)} 태그 {signal}" if signal else names.get(machine, machine)


def _record(kind: str, rest: str, names: Mapping[str, str]) -> str:
    if kind == "claim":
        metric, _, machine = rest.partition(" ")
        return f"{indicator(metric, 'ko')} {names.get(machine.strip(), machine.strip())}".rstrip()
    text = re.sub(r"(\d\d:\d\d):00\b", r"\1", rest)  # quarter hours and minutes have no seconds
    if kind not in OF_MACHINE:
        return text
    machine = re.split("[ /]", text, maxsplit=1)[0]
    return names.get(machine, machine) + text[len(machine) :]


def _weekday(text: str) -> str:
    if text.isdecimal() and int(text) < len(WEEKDAYS):
        return WEEKDAYS[int(text)]
    return WEEKDAYS[DAYS.index(text)] if text in DAYS else text
