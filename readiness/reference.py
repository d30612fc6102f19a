"""The reference of all indicators, made from registry and model: `python -m tests.readiness` writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from readiness.dimensions import names
from readiness.flags import FLAGS, Words
from readiness.indicators import REGISTRY
from readiness.inputs import INPUTS
from readiness.korean import KOREAN
from readiness.model import FORMULAS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.report import Quality, Reason
    from readiness.indicators.base import Indicator
    from readiness.model import Condition, Ladder, Model, Step

Language = Literal["en", "ko"]

REASONS: dict[Reason, Words] = {
    "NA_NO_EVIDENCE": Words("there is no evidence for it", "근거 없음"),
    "NA_SHORT_WINDOW": Words("fewer days than it needs", "기간 부족"),
    "NA_NO_SCHEDULE": Words("no planned time is declared", "가동계획 없음"),
    "NA_NO_INVENTORY": Words("no machine is declared", "설비 목록 없음"),
    "NA_ROLE_UNCONFIRMED": Words("nobody stands for what a signal means", "역할 미확인"),
    "NA_NO_BURST": Words("no fast samples were taken", "고속 수집 없음"),
    "NA_SELF_FAULT": Words("our own outages leave too little", "수집기 중단"),
    "NA_CLOCK": Words("a clock is not to be trusted", "시각 미확인"),
    "NA_FEW_EVENTS": Words("what is counted has happened too seldom", "건수 부족"),
    "NA_ASSUME_EXPOSED": Words("the protocol has no rights to ask for: assume exposure", "권한 미확인(노출 간주)"),
    "NA_METERS_DISAGREE": Words("sub-meters count more than the main meter", "계측값 불일치"),
    "NA_NO_VARIATION": Words("what should explain it hardly varied", "변동 없음"),
    "NA_NOT_IN_SOURCE": Words("files or a database cannot tell", "자료로 확인 불가"),
    "NA_UNDERSAMPLED": Words("reading is too slow to tell", "수집 주기 부족"),
    "NOT_APPLICABLE": Words("does not apply by nature, and leaves the denominator", "해당 없음(분모에서 제외)"),
}
QUALITIES: dict[Quality, Words] = {
    "measured": Words("measured, with status codes", "기기 상태 코드와 함께 측정"),
    "derived": Words("the protocol has no status codes", "상태 코드가 없는 프로토콜에서 도출"),
    "edge-only": Words("the device has no clock of its own: our times", "기기 시각이 없어 수집기 시각으로 측정"),
    "partial": Words("only a part of the definition could be looked at", "정의의 일부만 확인"),
    "mixed": Words("machines differ in this", "설비마다 다름"),
    "census": Words("everything was looked at: no interval", "전수 확인(신뢰구간 없음)"),
}
HEAD = Words(
    """# The 45 indicators

<!-- Made from registry and model by `python -m tests.readiness`; a test compares. -->

Every value stands with its interval (90 %), its coverage and its origin, or is not assessed with a reason. Missing
is never zero. Scores are linear between anchors and flat beyond them; **anchors are design values, not
calibrated**. Formulas {formulas}, model {model}.

Levels, bands and stages below are what evidence supports. They are no rating by the models they are named after,
and never a KOSMO level.
""",
    """# 지표 45개

<!-- 지표 등록부와 모델에서 `python -m tests.readiness`로 만들어집니다. 시험이 비교합니다. -->

모든 값은 90 % 신뢰구간, 평가 범위, 출처와 함께 표시되며, 근거가 없으면 사유와 함께 미평가로 남습니다.
없는 값을 0으로 두지 않습니다. 점수는 기준점 사이를 직선으로 잇습니다.
**점수 기준은 설계값이며 보정되지 않았습니다.** 지표식 {formulas}, 모델 {model}.

아래의 수준·밴드·단계는 근거가 뒷받침하는 범위일 뿐, 해당 모델의 판정이 아니며 KOSMO 수준확인도 아닙니다.
""",
)


def text(model: Model, language: Language) -> str:
    """Return the whole page."""
    parts = [getattr(HEAD, language).format(formulas=FORMULAS, model=model.hash)]
    of = names(model.dimensions)
    for dimension in model.dimensions.dimensions:
        title = dimension.en if language == "en" else dimension.ko
        parts.append(f"## {dimension.id} {title}\n")
        if language == "en":
            needs = "; ".join(" or ".join(one) for one in dimension.needs)
            parts.append(
                f"{dimension.why[:1].upper()}{dimension.why[1:]}." + (f" Needs {needs}." if needs else "") + "\n"
            )
        else:
            needs = "; ".join(" 또는 ".join(one) for one in dimension.needs)
            parts.append(f"반드시 필요한 지표: {needs}.\n" if needs else "")
        parts += [
            _indicator(model, REGISTRY[metric], language) for metric in REGISTRY if of[metric] == dimension.id
        ]
    parts += [_levels(model, language), _words(language)]
    return "\n".join(part for part in parts if part).rstrip("\n") + "\n"


def number(value: float) -> str:
    """Return a number without digits that say nothing."""
    return f"{value:g}"


def _indicator(model: Model, indicator: Indicator, language: Language) -> str:
    anchors = ", ".join(f"{number(x)} → {number(s)}" for x, s in model.anchors[indicator.id])
    informs = model.crosswalk.indicators[indicator.id]
    models = [*informs.korean, *informs.siri, *(f"acatech {stage}" for stage in informs.acatech), *informs.other]
    reasons = ", ".join(f"`{reason}`" for reason in indicator.reasons)
    inputs = ", ".join(f"`{name}`" for name in indicator.inputs)
    if language == "en":
        rows = [
            ("Korean", indicator.ko), ("Formula", indicator.formula), ("Unit", f"`{indicator.unit}`"),
            ("Scope", indicator.scope), ("Anchors", f"{anchors} ({model.why[indicator.id]})"), ("Inputs", inputs),
            ("Not assessed", reasons), ("Guard", indicator.guard), ("Informs", ", ".join(models)),
            ("Source", indicator.source),
        ]  # fmt: skip
        name = indicator.en
    else:
        words = KOREAN[indicator.id]
        rows = [
            ("영문", indicator.en), ("정의", words.formula), ("단위", f"`{indicator.unit}`"),
            ("대상", "공장 전체" if indicator.scope == "plant" else "설비별"),
            ("점수 기준", anchors), ("근거 자료", inputs),
            ("미평가 사유", reasons), ("오해 방지", words.guard), ("연관 모델", ", ".join(models)),
            ("출처", indicator.source),
        ]  # fmt: skip
        name = indicator.ko
    lines = [f"### {indicator.id} {name}", "", "| | |", "|---|---|"]
    lines += [f"| {head} | {_cell(body)} |" for head, body in rows if body]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _condition(condition: Condition, language: Language) -> str:
    if condition.any:
        return (" or " if language == "en" else " 또는 ").join(_condition(part, language) for part in condition.any)
    sign, limit = next(
        (sign, limit)
        for sign, limit in (("≥", condition.min), ("≤", condition.max), (">", condition.above))
        if limit is not None
    )
    return f"{condition.name} {sign} {number(limit)}"


def _steps(steps: Sequence[Step], prefix: str, language: Language) -> list[str]:
    rows = []
    for step in steps:
        asked = "; ".join(_condition(c, language) for c in step.all)
        why = f" | {_cell(step.why)}" if language == "en" else ""
        rows.append(f"| {prefix}{step.level} | {_cell(asked)}{why} |")
    head = ["| | conditions | why |", "|---|---|---|"] if language == "en" else ["| | 조건 |", "|---|---|"]
    return [*head, *rows]


def _levels(model: Model, language: Language) -> str:
    gates, english = model.gates, language == "en"
    quorum, slack = f"{gates.quorum:.0%}", f"{gates.tolerance:.0%}"
    lines = [f"## {'Evidence level' if english else '근거수준'}", ""]
    if english:
        lines += [
            "A machine needs all conditions of a level and of those below; the plant needs machines with",
            f"{quorum} of the declared weight. The near end of an interval may lie up to {slack} behind a limit.",
            "What is missing makes the level an interval. Level 4 is a candidate that a person has to confirm.",
        ]
    else:
        lines += [
            "설비는 해당 수준과 그 아래 수준의 조건을 모두 충족해야 하며,",
            f"공장은 가중치 {quorum} 이상의 설비가 이를 충족해야 합니다.",
            f"신뢰구간의 가까운 끝은 기준에서 {slack}까지 벗어나도 됩니다.",
            "빠진 근거가 있으면 수준은 범위로 표시됩니다. EL4는 후보일 뿐이며 사람이 확인해야 합니다.",
        ]
    lines += ["", *_steps(gates.levels, "EL", language), ""]
    scales: list[Ladder] = [*model.siri.scales, *model.acatech.scales]
    for scale in scales:
        lines += [f"## {scale.en if english else scale.ko} ({scale.id}, 0–{scale.of})", ""]
        lines += [*_steps(scale.steps, "", language), ""]
    lines += [f"## {'What machines can speak of' if english else '기계 자료로 볼 수 있는 범위'}", ""]
    lines += [
        f"- {m.en}: {m.parts} of {m.of}; {m.why}." if english else f"- {m.ko}: {m.of} 중 {m.parts}"
        for m in model.crosswalk.models
    ]
    return "\n".join(lines) + "\n"


def _words(language: Language) -> str:
    english = language == "en"
    titles = Words(
        "Why something is not assessed|How a value came about|Flags|Inputs", "미평가 사유|값의 출처|표시|근거 자료"
    )
    reasons, qualities, flags, inputs = getattr(titles, language).split("|")
    lines: list[str] = []
    tables = ((reasons, REASONS), (qualities, QUALITIES), (flags, FLAGS))
    for title, table in tables:
        lines += [f"## {title}", "", "| | |", "|---|---|"]
        lines += [f"| `{code}` | {_cell(getattr(words, language))} |" for code, words in table.items()]
        lines.append("")
    lines += [f"## {inputs}", "", "| | |", "|---|---|"]
    made_of = "made of" if english else "원천:"
    lines += [f"| `{name}` | {kind.where}; {made_of} {', '.join(kind.flows)} |" for name, kind in INPUTS.items()]
    return "\n".join(lines) + "\n"
