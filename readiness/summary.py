"""The first lines of a report: what was measured, how much of each model that covers, what is not proven.

One paragraph a line, in Korean or English. Everything else of the report is detail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from readiness.flags import Words
from readiness.indicators import REGISTRY
from readiness.reference import REASONS

if TYPE_CHECKING:
    from contract.report import Levels, Report
    from readiness.model import Model

Language = Literal["en", "ko"]
FACTS = {
    "live_pv": Words("live process values", "변하는 현재값(3개 이상)"),
    "model_acts": Words("that a model or optimiser acts", "모델·최적화가 설정값을 쓰는지 여부"),
}
MEASURED = Words(
    "Measured: {first} to {last}, {days} production days; {reached} of {machines} machines assessed; of {all} "
    "indicators {assessed} are assessed, {missing} are not for want of evidence, {apart} do not apply.",
    "측정 범위: {first}–{last}, 생산일 {days}일, 설비 {machines}대 중 {reached}대 평가. "
    "지표 {all}개 중 {assessed}개 평가, {missing}개 미평가(근거 부족), {apart}개 해당 없음.",
)
SIMULATED = Words("{share} of the evidence is simulated.", "근거의 {share}는 시뮬레이션 이력임.")
LEVEL = Words("Evidence level {level}; not a KOSMO level.", "근거수준 {level}; KOSMO 수준확인 아님.")
RANGE = Words("{low} (range {low} to {high})", "{low} (범위 {low}–{high})")
CHANCE = Words("{level} or above: probability {chance}.", "{level} 이상일 확률 {chance}.")
COVERS = Words("What machines can speak of: {models}.", "모델별 측정 가능 범위: {models}.")
PART = Words("{name} {parts} of {of}", "{name} {of} 중 {parts}")
BANDS = Words(
    "Supported at most: {bands}; no rating by these models.",
    "근거가 뒷받침하는 상한: {bands}. 해당 모델의 판정 아님.",
)
SETTLE = Words("The level would settle with: {pieces}.", "수준을 확정하려면 필요한 근거: {pieces}.")
OPEN = Words("Not assessed: {names}.", "미평가 영역: {names}.")
NOTE = Words("Anchors are design values, not calibrated.", "점수 기준은 설계값이며 보정되지 않음.")


def lines(report: Report, model: Model, language: Language) -> list[str]:
    """Return the first lines of the report of a plant, or of one machine."""

    def say(words: Words, **fields: object) -> str:
        return str(getattr(words, language)).format(**fields)

    apart = sum(v.reason == "NOT_APPLICABLE" for v in report.values)
    assessed = sum(v.value is not None for v in report.values)
    found = [
        say(
            MEASURED,
            first=report.window.first,
            last=report.window.last,
            days=report.window.production_days,
            machines=len(report.machines),
            reached=sum(set(m.gates) != {"U"} for m in report.machines),
            all=len(report.values),
            assessed=assessed,
            missing=len(report.values) - assessed - apart,
            apart=apart,
        )
    ]
    if report.simulated:
        found[0] += " " + say(SIMULATED, share=f"{report.simulated:.0%}")
    if report.level is not None:
        found.append(say(LEVEL, level=_level(report.level, language)))
        next_ = next((c for c in report.chances if c.level == report.level.low + 1), None)
        if next_ is not None:
            found[-1] += " " + say(CHANCE, level=f"EL{next_.level}", chance=_range(next_.low, next_.high))
    models = [say(PART, name=getattr(m, language), parts=m.parts, of=m.of) for m in model.crosswalk.models]
    found.append(say(COVERS, models="; ".join(models)))
    bands = [*report.siri, *([report.acatech] if report.acatech else [])]
    if bands:
        found.append(say(BANDS, bands=", ".join(f"{b.id} {_span(b.low, b.high)}/{b.of}" for b in bands)))
    if report.settle:
        pieces = [
            f"{_name(m.metric, language)} ({getattr(REASONS[m.reason], language)}"
            + (f"; {', '.join(m.machines)})" if m.machines else ")")
            for m in report.settle
        ]
        found.append(say(SETTLE, pieces="; ".join(pieces)))
    names = {d.id: getattr(d, language) for d in model.dimensions.dimensions}
    open_ = [names[d.id] for d in report.dimensions if d.reason in {"coverage", "gate"}]
    if open_:
        found.append(say(OPEN, names=", ".join(open_)))
    return [*found, say(NOTE)]


def _name(metric: str, language: Language) -> str:
    if metric in FACTS:
        return str(getattr(FACTS[metric], language))
    return f"{metric} {getattr(REGISTRY[metric], language)}"


def _level(level: Levels, language: Language) -> str:
    low, high = f"EL{level.low}", f"EL{level.high}"
    return low if low == high else str(getattr(RANGE, language)).format(low=low, high=high)


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low}–{high}"


def _range(low: float, high: float) -> str:
    return f"{low:.2f}" if low == high else f"{low:.2f}–{high:.2f}"
