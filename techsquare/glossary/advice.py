"""Words of roadmap, fit test and matching: what is proposed, and why something is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

RESOURCE: Mapping[str, Text] = {
    "excluded": Text("ruled out", "제외"),
    "measures": Text("measures in a phase", "단계별 과제 수"),
    "staff_days": Text("days of own people", "자체 인력(일)"),
    "cash": Text("own cash", "자부담"),
    "support": Text("support money", "지원금"),
    "cap": Text("cap of the programme", "지원 한도"),
    "price": Text("price", "가격"),
    "needs": Text("measure that comes first", "먼저 해야 할 과제"),
    "gain": Text("gain", "절감액"),
}
ITEM_STATE: Mapping[str, Text] = {
    "open": Text("open", "추진 전"),
    "offered": Text("offers are there", "제안 도착"),
    "taken": Text("taken", "추진 중"),
    "done": Text("done", "완료"),
    "dropped": Text("dropped", "취소"),
}
ADVICE: Mapping[str, Text] = {
    "offers": Text("there are offers", "제안 있음"),
    "not_now": Text("we advise not to buy now", "지금은 구매하지 않으시는 것이 좋습니다"),
    "not_known": Text("nobody can tell what it gains", "효과를 알 수 없음"),
    "nobody": Text("no supplier comes into question", "해당하는 공급기업 없음"),
}
VERSION_STATE: Mapping[str, Text] = {
    "draft": Text("draft", "작성 중"),
    "registered": Text("registered", "등록"),
    "withdrawn": Text("withdrawn", "등록 취소"),
}
FIT: Mapping[str, Text] = {
    "pass": Text("fits", "적합"),
    "fail": Text("does not fit", "부적합"),
    "unknown": Text("not known", "미확인"),
}
FIT_BY: Mapping[str, Text] = {"platform": Text("platform", "플랫폼"), "owner": Text("owner", "대표")}
FIT_BECAUSE: Mapping[str, Text] = {
    "once": Text("this version was tested before", "이미 시험한 버전"),
    "implied": Text("follows from what was tested", "앞선 시험 결과로 알 수 있음"),
    "family": Text("the family was tested", "같은 분야를 이미 시험함"),
    "month": Text("all tests of this month are used", "이번 달 시험 횟수를 모두 씀"),
    "consent": Text("the owner has not agreed", "적합 시험에 동의하지 않음"),
}
FIT_NEEDS: Mapping[str, Text] = {
    "unknown_metric": Text("no such indicator", "없는 지표"),
    "foreign_metric": Text("no indicator of this family", "이 분야에서 쓰지 않는 지표"),
    "no_limit": Text("neither least nor most", "최솟값과 최댓값이 모두 없음"),
    "empty_range": Text("nothing lies between its limits", "최솟값이 최댓값보다 큼"),
    "same_name": Text("two needs of one name", "이름이 같은 조건이 있음"),
    "changed": Text("registered with other needs", "다른 조건으로 등록된 버전"),
}
CONSTRAINT: Mapping[str, Text] = {
    "active": Text("supplier is not active", "공급기업이 활동 중이 아님"),
    "excluded": Text("ruled out by the owner", "대표가 제외함"),
    "conflict": Text("conflict of interest", "이해관계 있음"),
    "capability": Text("a needed capability is missing", "필요한 기능이 없음"),
    "process": Text("not for this process", "해당 공정용이 아님"),
    "interface": Text("does not read these machines", "설비 통신 방식을 지원하지 않음"),
    "fit": Text("the fit test has failed", "적합 시험 부적합"),
    "region": Text("does not come to this region", "지역을 담당하지 않음"),
    "price": Text("above what can be paid", "예산 초과"),
    "prerequisite": Text("a measure has to come first", "먼저 해야 할 과제가 남음"),
    "consent": Text("needs data that is not given", "필요한 데이터 제공에 동의하지 않음"),
    "continuity": Text("continuity minimum is not met", "사업 지속 최소 조건 미달"),
    "capacity": Text("no slot in this quarter", "이번 분기에 남은 자리 없음"),
}
SUMMARY: Mapping[str, Text] = {
    **{k: CONSTRAINT[k] for k in (
        "active", "continuity", "capacity", "capability", "process", "interface", "fit", "region",
    )},
    "owner": Text("the factory's own reasons", "공장 쪽 사유"),
    "merit": Text("others were better", "더 나은 제안이 있었음"),
    "other": Text("other", "기타"),
}  # fmt: skip
"""Reasons as a supplier is told them, summed over factories."""
SHOWN_BY: Mapping[str, Text] = {
    "merit": Text("by merit", "평가 순"),
    "exposure": Text("fair exposure", "신규·기회 노출"),
    "round": Text("by a round", "매칭 회차"),
}
OFFER_ANSWER: Mapping[str, Text] = {
    "wanted": Text("wanted", "연락 요청"),
    "declined": Text("declined", "거절"),
    "expired": Text("expired", "기한 지남"),
}
ROUND_STATE: Mapping[str, Text] = {
    "planned": Text("announced", "예정"),
    "open": Text("open", "접수 중"),
    "closed": Text("closed", "마감"),
    "published": Text("published", "결과 발표"),
}
PLACED_BY: Mapping[str, Text] = {
    "acceptance": Text("by acceptance", "회차 배정"),
    "leftover": Text("from what was left", "잔여 자리 배정"),
}
CONDITION: Mapping[str, Text] = {
    "store": Text("data in the factory's own store", "데이터를 공장 자체 저장소에 보관"),
    "tags": Text("tag list and register map handed over", "태그 목록·레지스터 맵 인도"),
    "interface": Text("an open interface to read by", "공개 읽기 인터페이스 제공"),
    "export": Text("history can be exported", "이력 데이터 반출 가능"),
    "milestones": Text("paid by milestones", "단계별 대금 지급"),
    "escrow_deposited": Text("source code deposited", "소스코드 임치"),
    "escrow_verified": Text("deposit was built by somebody", "임치물 빌드 확인"),
    "second_supplier": Text("a second supplier is trained", "승계 가능한 공급기업 확보"),
}
ESCROW: Mapping[str, Text] = {
    "none": Text("none", "임치 없음"),
    "deposited": Text("deposited", "임치"),
    "verified": Text("built by somebody", "임치물 빌드 확인"),
}
