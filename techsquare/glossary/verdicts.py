"""Words of verification: the five verdicts, why they were told, plans, objections, use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

VERDICT: Mapping[str, Text] = {
    "improved": Text("improved", "개선 확인"),
    "worse": Text("worse", "악화"),
    "no_change": Text("no change larger than was looked for", "기준 이상 변화 없음"),
    "cannot_tell": Text("cannot tell yet", "아직 판단 불가"),
    "cause_not_shown": Text("changed, cause not shown", "변화는 있으나 원인 미확인"),
}
VERDICT_WHY: Mapping[str, Text] = {
    "no_controls": Text("no comparison machines", "비교 설비 없음"),
    "controls_lost": Text("too few comparison machines are left", "남은 비교 설비가 모자람"),
    "few_days": Text("too few days", "측정된 날이 모자람"),
    "still": Text("comparison machines did not move at all", "비교 설비의 값에 변동이 없음"),
    "below_least": Text("less than the plan calls worth it", "계획에 정한 최소 변화량 미만"),
    "dropped_days": Text("too many days with little data", "데이터가 부족한 날이 많음"),
    "late": Text("installed on another day than planned", "설치일이 계획과 다름"),
}
PLAN_REFUSED: Mapping[str, Text] = {
    "no_machine": Text("no machine, or one twice", "대상 설비가 없거나 두 번 적음"),
    "treated_is_control": Text("a machine is compared with itself", "대상 설비가 비교 설비에도 있음"),
    "baseline_before_application": Text(
        "the baseline begins before the application", "기준 기간이 신청일보다 앞섬"
    ),
    "baseline_short": Text("the baseline is too short", "기준 기간이 짧음"),
    "after_short": Text("too few days after the installation", "설치 뒤 측정 기간이 짧음"),
    "extension_before_verdict": Text("the extension ends before the verdict", "연장일이 판정일보다 앞섬"),
    "frozen_late": Text("frozen too late", "확정이 늦음(설치일 이후이거나 기준 기간 중)"),
    "too_long": Text("longer than a year", "1년보다 김"),
    "no_least": Text("nobody said what is worth it", "최소 변화량을 정하지 않음"),
    "bad_rhythm": Text("no rhythm of use", "활용 주기가 잘못됨"),
    "wrong_hash": Text("not the plan that was agreed", "합의한 계획과 내용이 다름"),
}
PART: Mapping[str, Text] = {
    "treated": Text("treated machine", "대상 설비"),
    "control": Text("comparison machine", "비교 설비"),
}
OVER: Mapping[str, Text] = {
    "site": Text("on the same site", "같은 사업장"),
    "sites": Text("on other sites", "다른 사업장"),
    "none": Text("not enough", "비교 설비 없음"),
}
UNFIT: Mapping[str, Text] = {
    "treated": Text("treated itself", "대상 설비"),
    "touched": Text("changed by another project", "다른 사업으로 바뀌는 설비"),
    "process": Text("another process", "공정이 다름"),
    "coverage": Text("too few days", "측정된 날이 모자람"),
    "level": Text("its level is too far away", "수준 차이가 큼"),
    "restless": Text("it moves otherwise", "변동 폭이 다름"),
    "not_needed": Text("others are closer", "더 비슷한 설비가 있음"),
}
OBJECTION_ABOUT: Mapping[str, Text] = {
    "days": Text("machine-days", "설비별 일일 값"),
    "controls": Text("comparison machines", "비교 설비"),
    "installation": Text("day of the installation", "설치일"),
    "product": Text("another mix of products", "품목 구성 변화"),
    "other": Text("other", "기타"),
}
OBJECTION_DECISION: Mapping[str, Text] = {
    "upheld": Text("upheld", "인용"),
    "rejected": Text("rejected", "기각"),
    "stands": Text("the verdict stands", "판정 유지"),
    "replaced": Text("another verdict takes its place", "재판정"),
    "withdrawn": Text("the verdict is withdrawn", "판정 취소"),
    "again": Text("judged again", "다시 판정"),
}
OBJECTION_REFUSED: Mapping[str, Text] = {
    "too_early": Text("there is no verdict yet", "판정 전"),
    "too_late": Text("later than ten days", "10일이 지남"),
    "no_party": Text("by nobody of the project", "사업 당사자가 아님"),
    "no_text": Text("nothing is said", "내용이 없음"),
    "already": Text("objected already", "이미 신청함"),
}
USE: Mapping[str, Text] = {
    "used": Text("used", "활용 중"),
    "late": Text("used less than agreed", "활용 지연"),
    "not_used": Text("installed but not used", "설치 후 미활용"),
    "not_assessed": Text("use not assessed", "활용 여부 미평가"),
}
USE_REASON: Mapping[str, Text] = {
    "no_signal": Text("no signal was agreed", "합의한 활용 신호 없음"),
    "few_days": Text("too few days", "관측한 날이 모자람"),
}
WATCH: Mapping[str, Text] = {
    "watching": Text("watched", "감시 중"),
    "decay": Text("the gain goes away", "효과 감소"),
    "ended": Text("over", "감시 종료"),
}
