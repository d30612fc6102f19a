"""The notice to the people who work at the machines: what is measured, what is not, who sees it, whom to ask.

The owner gives it; we supply the words, in Korean and English, from what the factory has agreed to: a notice that
says less than what is released is void. Before anything leaves the factory for the first time the owner is asked to
record that it was given; without that nothing is released. When scopes are added that it does not name, it has to
be given again. It is a template, not legal advice; where a works council or a union exists it goes there first.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from settings.language import Language

Scope = Literal["levels", "indicators", "machines", "days", "fit", "fit_missing", "raw_hosted"]
Refusal = Literal["no_notice", "other_scopes", "not_yet"]
SCOPES: Mapping[Scope, Text] = {
    "levels": Text(
        "How well machines are connected (evidence level), and what is missing for it",
        "설비가 얼마나 연결되어 있는지(근거수준)와 부족한 근거",
    ),
    "indicators": Text("Indicators of the whole plant", "공장 전체의 지표"),
    "machines": Text("Indicators of single machines", "설비별 지표"),
    "days": Text(
        "Sums of a day: running, set-up, faults, standstill, pieces, energy",
        "하루 합계: 가동, 준비교체, 고장, 정지, 생산량, 전력량",
    ),
    "fit": Text("Whether a solution fits the plant: yes, no, not known", "솔루션 적합 여부(적합·부적합·미확인)"),
    "fit_missing": Text(
        "What is missing for a solution, to the owner and the mentor",
        "솔루션에 부족한 항목(대표와 멘토에게만)",
    ),
    "raw_hosted": Text(
        "Machine values, on their way through the platform's message server",
        "플랫폼의 중계 서버를 거쳐 전달되는 설비 값",
    ),
}
_TITLE = Text(
    "To everybody who works at {factory}: what is measured at our machines",
    "{factory} 임직원께 알립니다: 설비 데이터 측정 안내",
)
_WHY = Text(
    "From {begins} values are read from our machines, to find out where time, material and energy are lost.",
    "{begins}부터 시간, 자재, 에너지가 어디에서 손실되는지 알아보기 위해 설비의 값을 읽습니다.",
)
_MEASURED = Text("What is measured", "측정하는 것")
_RELEASED = Text("What leaves the factory", "공장 밖으로 나가는 것")
_NOT = Text("What is not measured, and not released", "측정하지 않고, 내보내지 않는 것")
_NOTS = (
    Text("No person: no names, no staff numbers", "개인: 이름과 사번을 수집하지 않습니다"),
    Text("No pictures, no sound, no places of people", "영상, 음성, 사람의 위치를 수집하지 않습니다"),
    Text(
        "Nothing finer than a day leaves the factory, and no figures of a shift that fewer than five people share",
        "하루보다 짧은 단위의 값과, 다섯 명 미만이 일하는 근무조의 값은 공장 밖으로 나가지 않습니다",
    ),
    Text(
        "The figures are of machines. They are not there to judge, compare or pay single people",
        "이 수치는 설비에 관한 것이며, 개인을 평가하거나 비교하거나 임금을 정하는 데 쓰지 않습니다",
    ),
)
_WHO = Text(
    "The owner and the factory's mentor see figures of the factory. Suppliers see only what belongs to their own "
    "project.",
    "공장의 수치는 대표와 담당 멘토가 봅니다. 공급기업은 자기 사업에 해당하는 내용만 봅니다.",
)
_ASK = Text(
    "Questions, objections, and a look at what is released: {contact}. Agreement can be taken back at any time.",
    "문의, 이의 제기, 제공 내역 열람: {contact}. 데이터 제공 동의는 언제든지 철회할 수 있습니다.",
)
_MACHINES = Text("Machines: {machines}", "설비: {machines}")
_VALUES = Text(
    "Whether a machine runs, its speed, pieces, alarms, settings and energy, as its controller shows them",
    "제어기에 표시되는 가동 여부, 속도, 생산량, 알람, 설정값, 전력량",
)
_TOLD = Text("Told on {on}", "게시일: {on}")
_NOTHING = Text("Nothing", "없음")


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice is made of. `machines` as people call them; `contact`: a function in the house, or a person."""

    factory: str
    machines: Sequence[str]
    scopes: frozenset[Scope]
    contact: str
    begins: date


@dataclass(frozen=True, slots=True)
class Recorded:
    """That the owner has recorded a notice: when it was given, for which scopes, and the hash of both texts."""

    given_on: date
    scopes: frozenset[Scope]
    hash: str


def text(notice: Notice, on: date, language: Language) -> list[str]:
    """Return a notice as lines, for a board and a screen.

    Raises:
        ValueError: no machine, or nobody whom to ask.
    """
    if not notice.machines or not notice.contact.strip():
        raise ValueError("a notice names the machines, and whom to ask")
    scopes = [SCOPES[name](language) for name in SCOPES if name in notice.scopes]
    return [
        _TITLE(language).format(factory=notice.factory),
        _WHY(language).format(begins=notice.begins.isoformat()),
        _MEASURED(language),
        f"- {_MACHINES(language).format(machines=', '.join(notice.machines))}",
        f"- {_VALUES(language)}",
        _RELEASED(language),
        *(f"- {line}" for line in scopes or [_NOTHING(language)]),
        _NOT(language),
        *(f"- {line(language)}" for line in _NOTS),
        _WHO(language),
        _ASK(language).format(contact=notice.contact),
        _TOLD(language).format(on=on.isoformat()),
    ]


def recorded(notice: Notice, on: date) -> Recorded:
    """Return what is recorded when the owner says that a notice was given on a day."""
    both: tuple[Language, Language] = ("ko", "en")
    lines = [line for language in both for line in text(notice, on, language)]
    return Recorded(on, notice.scopes, sha256("\n".join(lines).encode()).hexdigest())


def refuse_release(scopes: frozenset[Scope], given: Recorded | None, today: date) -> Refusal | None:
    """Return why nothing is released yet, or None. Nothing is asked of a factory that releases nothing.

    Args:
        scopes: What is to be released.
        given: The latest notice on record.
        today: The day.
    """
    if not scopes:
        return None
    if given is None:
        return "no_notice"
    if given.given_on > today:
        return "not_yet"
    return "other_scopes" if scopes - given.scopes else None
