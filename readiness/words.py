"""How a report is told to people: numbers with their units, names of indicators and facts, what would be evidence.

Units are UCUM on the wire, whose annotations ({class}) are no words; here they become words, and nowhere else.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Literal

from readiness.flags import Words
from readiness.indicators import REGISTRY
from readiness.reference import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.report import Levels, Reason, Report, Value
    from readiness.model import Model

Language = Literal["en", "ko"]
DASH = "–"

SHARE = "1"
UNITS = {
    "s": Words("{} s", "{}초"),
    "d": Words("{} days", "{}일"),
    "10*-4": Words("{} /10,000", "{}건/1만 건"),
    "{#}": Words("{} /100 cycles", "{}회/100사이클"),
    "{class}": Words("class {}", "등급 {}"),
    "{level}": Words("{} steps", "{}단계"),
    "{ratio}": Words("{} times", "{}배"),
}
"""Unit of an indicator -> words around its number; a share is written in percent."""
FACTS = {
    "live_pv": Words("process values that change (three or more)", "변하는 현재값(3개 이상)"),
    "model_acts": Words("that a model or optimiser acts", "모델·최적화가 설정값을 쓰는지 여부"),
    "executing": Words("a program that executes", "설비 프로그램의 실행"),
    "alarms": Words("alarms that work", "동작하는 알람"),
    "hands": Words("actions of people per cycle", "사이클당 사람의 조작"),
    "automatic_reasons": Words("stop reasons that machines give", "설비가 알려 주는 비가동 사유"),
    "order_systems": Words("an installed system that knows orders", "작업지시를 아는 시스템"),
    "onboardings": Words("a protocol of added machines", "설비 추가 기록"),
}
"""What conditions ask for beside indicators (`readiness.facts`)."""
SHORT = {"live_pv": Words("values", "현재값"), "model_acts": Words("optimiser", "최적화")}
TASKS = {
    "V02": Words("count the pieces of one shift by hand (answers: hand_counts)",
                 "한 근무조의 생산수량을 손으로 세어 입력(응답 hand_counts)"),
    "Q07": Words("tell at what number counters start again (answers: signals, modulus and resets)",
                 "카운터가 0으로 돌아가는 값과 초기화 시각을 입력(응답 signals: modulus, resets)"),
    "T01": Words("read the lot number (role lot)", "로트 번호 태그를 수집(role: lot)"),
    "C03": Words("declare planned time (schedule), and let it run 10 production days",
                 "계획 가동시간을 입력하고(schedule) 생산일 10일 이상 수집"),
    "A01": Words("declare planned time (schedule), and let it run 10 production days",
                 "계획 가동시간을 입력하고(schedule) 생산일 10일 이상 수집"),
    "V01": Words("tell what each value of the state means (answers: signals, states)",
                 "상태값이 각각 무엇을 뜻하는지 입력(응답 signals: states)"),
    "Q01": Words("let it run 10 production days", "생산일 10일 이상 수집"),
    "A04": Words("let agent and gateway run with a trusted clock for 10 production days",
                 "시각이 맞는 상태로 게이트웨이까지 생산일 10일 이상 운영"),
    "live_pv": Words("read three process values with a confirmed role (role pv)",
                     "현재값 태그를 3개 이상 수집하고 역할을 확인(role: pv)"),
    "V03": Words("tell the ideal cycle time of each product (answers: products, ideal)",
                 "품목별 기준 사이클타임을 입력(응답 products: ideal)"),
    "U01": Words("read the mode and tell which values mean automatic (answers: signals, automatic)",
                 "운전 모드 태그를 수집하고 자동에 해당하는 값을 입력(응답 signals: automatic)"),
    "U03": Words("tell which set point and value belong together (answers: loops)",
                 "설정값과 현재값의 짝을 입력(응답 loops)"),
    "U04": Words("read set points and product, so that changeovers show (roles sp, product)",
                 "설정값과 품목 태그를 수집(role: sp, product)"),
    "V05": Words("give stops a reason: alarms that name one, or stop_reasons (answers)",
                 "비가동 사유를 입력(응답 stop_reasons 또는 signals: specific)"),
    "L02": Words("tell which set point and value belong together (answers: loops)",
                 "설정값과 현재값의 짝을 입력(응답 loops)"),
    "R01": Words("keep collecting: a year of usable days", "수집을 이어가 1년치 유효 이력 확보"),
    "R02": Words("read state, count, three process values and product together",
                 "가동상태·생산량·현재값 3개·품목을 함께 수집"),
    "L03": Words("tell which alarms ask for action (answers: signals, action)",
                 "조치가 필요한 알람을 입력(응답 signals: action)"),
    "model_acts": Words("see on site whether a model writes set points (answers: machines, model_acts)",
                        "모델·최적화가 설정값을 쓰는지 현장에서 확인(응답 machines: model_acts)"),
}  # fmt: skip
"""What a gate asks for -> what a person can do so that it becomes evidence."""
BRIEF = {
    "NA_NO_EVIDENCE": "no evidence", "NA_SHORT_WINDOW": "too few days", "NA_NO_SCHEDULE": "no schedule",
    "NA_NO_INVENTORY": "no inventory", "NA_ROLE_UNCONFIRMED": "role not confirmed",
    "NA_NO_BURST": "no fast samples", "NA_SELF_FAULT": "our own outage", "NA_CLOCK": "clock not confirmed",
    "NA_FEW_EVENTS": "too few events", "NA_ASSUME_EXPOSED": "rights unknown, assume exposed",
    "NA_UNDERSAMPLED": "read too slowly to tell", "NA_METERS_DISAGREE": "meters disagree",
    "NA_NO_VARIATION": "nothing varied", "NA_NOT_IN_SOURCE": "the source cannot tell",
    "NOT_APPLICABLE": "not applicable",
}  # fmt: skip
"""Reason -> English in the room of a table; the Korean of `readiness.reference.REASONS` is short."""
OWN = {
    ("V03", "NA_NO_SCHEDULE"): Words("no schedule or no ideal cycle", "가동계획 또는 기준 사이클타임 없음"),
}
"""Indicator and reason -> what is missing, where one code stands for more than it says elsewhere."""
OFFICIAL = {
    1: Words("evidence for the first step", "기초에 해당하는 근거"),
    2: Words("evidence for the lower middle step", "중간1에 해당하는 근거"),
    3: Words("evidence for the upper middle step", "중간2에 해당하는 근거"),
    4: Words("candidate, a person has to confirm", "고도 후보, 사람의 확인 필요"),
}
"""Evidence level -> to which step of the Korean programme its evidence belongs; never a rating by it."""


def told(words: Words, language: Language, **fields: object) -> str:
    """Return one of the two texts, filled in."""
    return str(getattr(words, language)).format(**fields)


def percent(share: float) -> str:
    """Return a share as people read it; near the ends with a digit more, and never rounded up to all or nothing."""
    if share in {0, 1}:
        return f"{share:.0%}"
    if 0.005 <= share < 0.995:
        return f"{share:.1%}"
    if 0 < share < 0.00005:
        return "<0.01%"
    return ">99.99%" if 0.99995 <= share < 1 else f"{share:.2%}"


def number(value: float) -> str:
    """Return a number with three digits that say something, thousands apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def amount(value: float, unit: str, language: Language) -> str:
    """Return a value of an indicator with its unit in words."""
    if unit == SHARE:
        return percent(value)
    if unit in UNITS:
        return str(getattr(UNITS[unit], language)).format(number(value))
    return f"{number(value)} {re.sub(r'[{}]', '', unit)}".rstrip()


def span(low: float, high: float, unit: str) -> str:
    """Return two ends, in the unit of the value that they belong to."""
    one = percent if unit == SHARE else number
    return one(low) if one(low) == one(high) else f"{one(low)}{DASH}{one(high)}"


def interval(value: Value, language: Language) -> str:
    """Return the interval of an assessed value; what was looked at completely has none."""
    if value.lo is None and value.hi is None:
        return _counted(value, language) if value.quality == "census" else DASH
    if value.lo is None or value.hi is None:
        sign, end = ("≥", value.lo) if value.hi is None else ("≤", value.hi)
        return f"{sign} {amount(end or 0.0, value.unit, language)}"
    return span(value.lo, value.hi, value.unit)


def _counted(value: Value, language: Language) -> str:
    """Return of how many things a census tells: of how many machines it is true, and how many are not assessed."""
    met, assessed, machines = (value.shown.get(name) for name in ("met", "assessed", "machines"))
    if assessed is None or machines is None:
        return told(Words("all counted", "전수 확인"), language)
    if met is None:
        words = Words("{assessed} of {machines} counted", "{machines}대 중 {assessed}대 확인")
    elif assessed == machines:
        words = Words("{met} of {assessed}", "{assessed}대 중 {met}대")
    else:
        words = Words("{met} of {assessed} ({rest} unknown)", "{assessed}대 중 {met}대(미평가 {rest})")
    rest = int(machines) - int(assessed)
    return told(words, language, met=met, assessed=assessed, machines=machines, rest=rest)


def reason(code: Reason, language: Language, metric: str = "") -> str:
    """Return why something is not assessed, in few words; some codes say more of a certain indicator."""
    if (own := OWN.get((metric, code))) is not None:
        return told(own, language)
    return BRIEF[code] if language == "en" else REASONS[code].ko.partition("(분모")[0]


def reasons(values: Iterable[Value], language: Language) -> str:
    """Return why values are not assessed, each reason with its number, the most frequent first."""
    found = Counter(reason(v.reason or "NA_NO_EVIDENCE", language, v.metric) for v in values if v.value is None)
    return ", ".join(f"{text} {number}" for text, number in found.most_common())


def name(metric: str, language: Language) -> str:
    """Return an indicator's id and name, or the words of a fact; of alternatives all of them."""
    if "|" in metric:
        return told(Words(" or ", " 또는 "), language).join(name(one, language) for one in metric.split("|"))
    if metric in FACTS:
        return told(FACTS[metric], language)
    return f"{metric} {getattr(REGISTRY[metric], language)}" if metric in REGISTRY else metric


def short(metric: str, language: Language) -> str:
    """Return the id of an indicator, or a word for a fact, where there is little room."""
    return told(SHORT[metric], language) if metric in SHORT else metric.replace("|", "/")


def task(metric: str, language: Language) -> str:
    """Return what a person can do about missing evidence of a gate."""
    first = metric.split("|", maxsplit=1)[0]
    return told(TASKS[first], language) if first in TASKS else name(metric, language)


def level(levels: Levels, language: Language) -> str:
    """Return an evidence level with its range: `EL1 (범위 EL1-EL2)`."""
    low, high = f"EL{levels.low}", f"EL{levels.high}"
    words = Words("{low} (range {low}{dash}{high})", "{low} (범위 {low}{dash}{high})")
    return low if low == high else told(words, language, low=low, high=high, dash=DASH)


def dimension(model: Model, identity: str, language: Language) -> str:
    """Return the name of a dimension."""
    found = [one for one in model.dimensions.dimensions if one.id == identity]
    return str(getattr(found[0], language)) if found else identity


def scale(model: Model, identity: str, language: Language) -> str:
    """Return the name of a scale of another model."""
    found = [one for one in (*model.siri.scales, *model.acatech.scales) if one.id == identity]
    return str(getattr(found[0], language)) if found else identity


def next_pieces(report: Report, model: Model) -> list[str]:
    """Return the missing evidence of the lowest level that is open, in the order of its conditions.

    That is where work begins: what lies above counts for nothing without it.
    """
    if report.level is None or report.level.low == report.level.high:
        return []
    missing = {one.metric for one in report.settle}
    for step in model.gates.levels:
        if step.level > report.level.low:
            asked = [c.name for c in step.all if missing & set(c.name.split("|"))]
            if asked:
                return asked
    return []
