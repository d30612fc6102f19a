"""How long what is kept, by scope, and why. The registry's tables declare the days; a test holds both together.

A scope that the owner takes back ends what came under it at once, whatever stands here. When a party leaves, all
that is only its own goes. `longest`: days after which the oldest kind of row goes; None: as long as the party is
here. Shorter kinds are named in `what`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from settings.language import Text

if TYPE_CHECKING:
    from settings.language import Language

Scope = Literal[
    "levels", "indicators", "machines", "days", "fit", "fit_missing", "entry", "advice", "project", "offering",
    "account", "common",
]  # fmt: skip
YEAR = 365


@dataclass(frozen=True, slots=True)
class Kept:
    """A scope: what comes under it, how long it is kept, and why so long and no longer."""

    scope: Scope
    longest: int | None
    what: Text
    why: Text


RETENTION: tuple[Kept, ...] = (
    Kept(
        "levels",
        5 * YEAR,
        Text("Readiness reports", "준비도 보고서"),
        Text("Progress is looked at over a roadmap of three years and the watch after it.",
             "3년 로드맵과 그 이후의 효과 감시 기간 동안 변화를 확인하기 위해 보관합니다."),
    ),
    Kept(
        "indicators",
        5 * YEAR,
        Text("Indicators of the plant; events 3 years", "공장 지표(이벤트는 3년)"),
        Text("As reports, which hold them.", "보고서에 포함되므로 같은 기간 보관합니다."),
    ),
    Kept(
        "machines",
        7 * YEAR,
        Text("Signed records of days and the machine-days in them; events 3 years",
             "서명된 일별 기록과 설비별 일일 값(이벤트는 3년)"),
        Text("A verdict can be checked again as long as contracts can be argued about.",
             "계약 분쟁이 가능한 기간 동안 판정을 다시 확인할 수 있도록 보관합니다."),
    ),
    Kept(
        "days",
        7 * YEAR,
        Text("Signed records of days and the machine-days in them", "서명된 일별 기록과 설비별 일일 값"),
        Text("As machines: days that a measurement plan counts stay as long as the plan.",
             "설비별 값과 같습니다. 측정 계획에 쓰인 날은 계획이 있는 동안 보관합니다."),
    ),
    Kept(
        "fit",
        None,
        Text("Words of fit tests", "적합 시험 결과"),
        Text("A factory is asked once: who forgot the answer could ask again.",
             "한 번만 시험하기 위해 보관합니다. 기록을 지우면 다시 시험할 수 있게 됩니다."),
    ),
    Kept(
        "fit_missing",
        None,
        Text("Tags that machines offer", "설비가 제공하는 태그"),
        Text("The owner needs them in every talk with a supplier; nobody else sees them.",
             "대표가 공급기업과 협의할 때 필요하며, 다른 사람은 볼 수 없습니다."),
    ),
    Kept(
        "entry",
        None,
        Text("Answers, rates, budgets, exclusions; hand counts 5 years",
             "응답, 단가, 예산, 제외 대상(수기 집계는 5년)"),
        Text("They are the owner's own words, and are valid until he says something else.",
             "대표가 직접 알려 준 내용이며, 바꾸기 전까지 유효합니다."),
    ),
    Kept(
        "advice",
        None,
        Text("Diagnoses, roadmaps, offers; visits and messages 5 years, tasks 3 years, failed matches 1 year",
             "진단, 로드맵, 제안(방문·메시지 5년, 할 일 3년, 매칭 제외 사유 1년)"),
        Text("The owner can see what he was advised and when; notes of talks are not needed as long.",
             "언제 어떤 조언을 받았는지 확인할 수 있도록 보관합니다. 대화 기록은 더 짧게 보관합니다."),
    ),
    Kept(
        "project",
        None,
        Text("Contracts, plans, verdicts, costs; tickets 5 years",
             "계약, 측정 계획, 판정, 비용(유지보수 접수는 5년)"),
        Text("A supplier is judged by them: they stay, under a pseudonym when the factory leaves.",
             "공급기업 평가의 근거이므로 남습니다. 공장이 탈퇴하면 가명으로 보관합니다."),
    ),
    Kept(
        "offering",
        None,
        Text("What suppliers and mentors offer; filed accounts 5 years, sums of reasons 3 years",
             "공급기업과 멘토의 제공 내용(재무제표 5년, 사유 합계 3년)"),
        Text("A version that was sold is referred to by its contracts.", "판매된 버전은 계약에서 참조됩니다."),
    ),
    Kept(
        "account",
        None,
        Text("Parties, people, rights, consents; notifications 1 year, jobs 90 days",
             "회원, 사용자, 권한, 동의 이력(알림 1년, 작업 90일)"),
        Text("Who may see what, and since when, has to be known as long as there is something to see.",
             "볼 수 있는 자료가 있는 동안 누가 언제부터 볼 수 있었는지 확인할 수 있어야 합니다."),
    ),
    Kept(
        "common",
        None,
        Text("Catalogue, programmes, rounds, quartiles", "과제 목록, 지원사업, 매칭 회차, 사분위 값"),
        Text("Nobody's data.", "누구의 자료도 아닙니다."),
    ),
)  # fmt: skip
_FOREVER = Text("as long as you are here", "이용하는 동안")
_DAYS = Text("{years} years", "{years}년")


def told(language: Language) -> list[str]:
    """Return the table as lines: what, how long, why."""
    return [
        f"{one.what(language)}: "
        + (_FOREVER(language) if one.longest is None else _DAYS(language).format(years=one.longest // YEAR))
        + f". {one.why(language)}"
        for one in RETENTION
    ]
