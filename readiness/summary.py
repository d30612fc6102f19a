"""The first lines of a report: what was measured, how much of each model that covers, what is not proven.

    head(report, model, language)       titles and paragraphs
    lines(report, model, language)      the same, a line each

In Korean or English. Everything else of the report is detail.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from readiness.flags import Words
from readiness.words import DASH, dimension, level, name, next_pieces, percent, reason, reasons, scale, task, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contract.report import Band, Chance, Omitted, Report
    from readiness.model import Model
    from readiness.words import Language

TITLES = {
    "measured": Words("What was measured", "측정한 것"),
    "covers": Words("How much of each model that covers", "모델별 측정 범위"),
    "open": Words("What is not proven", "증명되지 않은 것"),
    "level": Words("Evidence level", "근거수준"),
    "next": Words("What would settle it", "수준을 확정하려면"),
}
WINDOW = Words(
    "{first} to {last}: {days} days, {production} of them production days.",
    "{first} ~ {last}: {days}일 중 생산일 {production}일.",
)
MACHINES = Words(
    "{reached} of {machines} machines, {signals} signals.", "설비 {machines}대 중 {reached}대, 태그 {signals}개."
)
PLANNED = Words(
    "Of {hours} h of planned time {known} are known; machines that are not connected and our own outages are not.",
    "계획 가동시간 {hours}시간 중 {known} 파악(미연결 설비와 수집기 중단은 미파악으로 계산).",
)
UNPLANNED = Words("No planned time is declared.", "계획 가동시간이 입력되지 않음.")
SIMULATED = Words("{share} of the evidence is a simulated history.", "근거의 {share}는 시뮬레이션 이력임.")
AWAY = Words("Evidence of {agent} is missing for {days} days.", "{agent} 근거 {days}일분 없음.")
OMITTED = Words(
    "Left out of this report for its size (report.get has it): {parts}.",
    "크기 제한으로 이 보고서에서 뺀 것(report.get으로 확인): {parts}.",
)
PARTS: Mapping[Omitted, Words] = {
    "contradictions": Words("contradicting answers", "측정과 다른 응답"),
    "trend.machines": Words("new and gone machines", "늘고 준 설비"),
    "missing.machines": Words("machines where evidence is missing", "근거가 없는 설비 이름"),
    "machines": Words("the machines' levels and gates", "설비별 수준과 조건"),
    "settle.machines": Words("machines where the level would settle", "수준을 확정할 설비 이름"),
}
INDICATORS = Words("Of {all} indicators {assessed} are assessed.", "지표 {all}개 중 {assessed}개 평가.")
PART = Words("{name} {parts} of {of}", "{name} {of}개 중 {parts}개")
NOW = Words(" (touched now: {now})", "(이번 근거 {now}개)")
PEOPLE = Words("The rest has to be asked of people.", "나머지는 사람에게 물어야 함.")
BANDS = Words("Of these the evidence supports at most: {bands}; no rating by these models.",
              "근거가 뒷받침하는 상한: {bands}. 해당 모델의 판정이 아님.")  # fmt: skip
BAND = Words("{name} {level}/{of}", "{name} {level}/{of}")
MISSING = Words("Not assessed: {number} indicators ({reasons}).", "지표 {number}개 미평가: {reasons}.")
APART = Words("Not applicable: {number}.", "{number}개는 해당 없음.")
AREAS = Words("Dimensions without a score: {names}.", "점수를 낼 수 없는 영역: {names}.")
NOTE = Words("Anchors are design values, not calibrated.", "점수 기준은 설계값이며 보정되지 않음.")
KOSMO = Words("No level of the Korean programme: this is no KOSMO assessment.", "KOSMO 수준확인 아님.")
BROKEN = Words(
    "Days before {date} were measured by another release and are not compared.",
    "{date} 이전은 다른 버전이 측정한 기록이라 비교하지 않음(추이가 끊김).",
)
CHANCE = Words("Probability of {level} or above: {chance}.", "{level} 이상일 확률 {chance}.")
SINCE = Words("The same since the window that began on {date}.", "{date}에 시작한 기간부터 유지.")
WAITING = Words(
    "This window alone says {level}: it counts when a window without common days says so too.",
    "이번 기간만 보면 {level}. 겹치지 않는 다음 기간에도 같으면 바뀜.",
)
TASK = Words("{task} ({name}: {reason}{where})", "{task} ({name}: {reason}{where})")
THEN = Words(
    "With the rest of the gates {number} pieces: {names}.", "이를 포함해 모두 {number}가지가 필요함: {names}."
)


def head(
    report: Report, model: Model, language: Language, names: Mapping[str, str] | None = None
) -> dict[str, list[str]]:
    """Return the paragraphs of each title, of a report of a plant or of one machine.

    Of a report that consent has cut, what is not in it is left out.

    Args:
        report: As it came.
        model: With which it was made.
        language: Of the words.
        names: Machine -> how the factory calls it; others are told by their id.
    """
    found = {
        "measured": list(_measured(report, language)),
        "covers": list(_covers(report, model, language)),
        "open": list(_open(report, model, language)),
    }
    if report.level is not None:
        found["level"] = list(_level(report, language))
        if pieces := list(_next(report, model, language, names or {})):
            found["next"] = pieces
    return found


def lines(report: Report, model: Model, language: Language, names: Mapping[str, str] | None = None) -> list[str]:
    """Return the first lines, one a title."""
    return [
        f"{told(TITLES[key], language)}: {('; ' if key == 'next' else ' ').join(paragraphs)}"
        for key, paragraphs in head(report, model, language, names).items()
    ]


def _measured(report: Report, language: Language) -> Iterator[str]:
    window, there = report.window, report.measured
    days = (date.fromisoformat(window.last) - date.fromisoformat(window.first)).days + 1
    yield told(WINDOW, language, first=window.first, last=window.last, days=days, production=window.production_days)
    if there is not None:
        yield told(MACHINES, language, reached=there.reached, machines=there.machines, signals=there.signals)
        if there.planned_s:
            yield told(PLANNED, language, hours=f"{there.planned_s / 3600:,.0f}", known=percent(there.known))
        else:
            yield told(UNPLANNED, language)
    for one in report.absent:
        yield told(AWAY, language, agent=one.agent, days=one.days)
    if report.values:
        assessed = sum(v.value is not None for v in report.values)
        yield told(INDICATORS, language, all=len(report.values), assessed=assessed)
    if report.simulated:
        yield told(SIMULATED, language, share=percent(report.simulated))


def _covers(report: Report, model: Model, language: Language) -> Iterator[str]:
    informs = model.crosswalk.indicators
    siri = {s for v in report.values if v.value is not None and v.metric in informs for s in informs[v.metric].siri}
    models = []
    for one in model.crosswalk.models:
        models.append(told(PART, language, name=getattr(one, language), parts=one.parts, of=one.of))
        if one.id == "siri" and report.values:
            models[-1] += told(NOW, language, now=len(siri & {scale_.id for scale_ in model.siri.scales}))
    yield ", ".join(models) + "."
    yield told(PEOPLE, language)
    bands = [*report.siri, *([report.acatech] if report.acatech else [])]
    if bands:
        yield told(BANDS, language, bands=", ".join(_band(one, model, language) for one in bands))


def _band(one: Band, model: Model, language: Language) -> str:
    reach = f"{one.low}" if one.low == one.high else f"{one.low}{DASH}{one.high}"
    called = scale(model, one.id, language)
    return told(
        BAND,
        language,
        name=called if one.id.lower() in called.lower() else f"{one.id} {called}",
        level=reach,
        of=one.of,
    )


def _open(report: Report, model: Model, language: Language) -> Iterator[str]:
    lacking = [v for v in report.values if v.value is None and v.reason != "NOT_APPLICABLE"]
    apart = sum(v.reason == "NOT_APPLICABLE" for v in report.values)
    if lacking:
        yield told(MISSING, language, number=len(lacking), reasons=reasons(lacking, language))
    if apart:
        yield told(APART, language, number=apart)
    areas = [dimension(model, d.id, language) for d in report.dimensions if d.reason in {"coverage", "gate"}]
    if areas:
        yield told(AREAS, language, names=", ".join(areas))
    yield told(NOTE, language)
    yield told(KOSMO, language)
    if report.broken:
        yield told(BROKEN, language, date=report.broken)
    if report.omitted:
        yield told(OMITTED, language, parts=", ".join(told(PARTS[part], language) for part in report.omitted))


def _level(report: Report, language: Language) -> Iterator[str]:
    assert report.level is not None
    stands = report.standing
    yield level(report.level if stands is None else stands.level, language) + "; " + told(KOSMO, language)
    if stands is not None and stands.waiting is not None:
        yield told(WAITING, language, level=level(stands.waiting, language))
    elif stands is not None and stands.windows > 1:
        yield told(SINCE, language, date=stands.since)
    next_ = next((c for c in report.chances if c.level == report.level.low + 1), None)
    if next_ is not None:
        yield told(CHANCE, language, level=f"EL{next_.level}", chance=chance(next_))


def chance(one: Chance) -> str:
    """Return a probability that is an interval where evidence is missing."""
    low, high = f"{one.low:.2f}", f"{one.high:.2f}"
    return low if low == high else f"{low}{DASH}{high}"


def _next(report: Report, model: Model, language: Language, names: Mapping[str, str]) -> Iterator[str]:
    """Yield what to do first, and what is needed altogether."""
    first = next_pieces(report, model)
    if not first:
        return
    for metric in first:
        piece = next(one for one in report.settle if one.metric in metric.split("|"))
        where = f"; {', '.join(names.get(m, m) for m in piece.machines)}" if piece.machines else ""
        yield told(
            TASK, language, task=task(metric, language), name=name(metric, language),
            reason=reason(piece.reason, language, piece.metric), where=where,
        )  # fmt: skip
    every = list(dict.fromkeys(one.metric for one in report.settle))
    if len(every) > len(first):
        named = ", ".join(one if one[:1].isupper() else name(one, language) for one in every)
        yield told(THEN, language, number=len(every), names=named)
