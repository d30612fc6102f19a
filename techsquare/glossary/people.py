"""Words of people, parties, their rights, what happens to them, and of work that runs by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLE: Mapping[str, Text] = {
    "owner": Text("owner", "대표"),
    "mentor": Text("mentor", "멘토"),
    "supplier": Text("supplier", "공급기업"),
    "operator": Text("operator", "운영기관"),
    "risk": Text("reviewer of accounts", "재무 심사 담당"),
    "service": Text("program of the operator", "운영기관 프로그램"),
}
PARTY: Mapping[str, Text] = {
    "factory": Text("factory", "도입기업(공장)"),
    "supplier": Text("supplier", "공급기업"),
    "mentor": Text("mentor", "멘토"),
    "operator": Text("operator", "운영기관"),
}
SIZE: Mapping[str, Text] = {
    "micro": Text("micro", "소상공인"),
    "small": Text("small", "소기업"),
    "medium": Text("medium", "중기업"),
    "large": Text("large", "중견·대기업"),
}
TOKEN_SCOPE: Mapping[str, Text] = {
    "read": Text("read", "조회"),
    "write": Text("write", "입력·변경"),
    "intake": Text("hand in reports and records", "보고서·기록 제출"),
    "compute": Text("have engines compute", "엔진 계산"),
    "match": Text("matching and roadmaps", "매칭·로드맵 실행"),
    "admin": Text("users, rights, retention", "사용자·권한·보관 관리"),
}
CONSENT_SOURCE: Mapping[str, Text] = {
    "manifest": Text("said at the agent", "수집 장치에서 설정"),
    "platform": Text("said in the platform", "플랫폼에서 설정"),
}
SUPPLIER_STATE: Mapping[str, Text] = {
    "applied": Text("applied", "등록 신청"),
    "active": Text("active", "활동 중"),
    "suspended": Text("suspended", "활동 정지"),
    "closed": Text("closed", "폐업"),
}
MENTOR_STATE: Mapping[str, Text] = {
    "active": Text("active", "활동 중"),
    "away": Text("away", "휴무"),
    "left": Text("has left", "활동 종료"),
}
ZONE: Mapping[str, Text] = {
    "safe": Text("safe", "안정"),
    "grey": Text("grey", "판단 보류"),
    "distress": Text("distress", "위험"),
}
TASK_STATE: Mapping[str, Text] = {
    "open": Text("open", "처리 전"),
    "done": Text("done", "완료"),
    "dropped": Text("dropped", "취소"),
}
JOB_STATE: Mapping[str, Text] = {
    "waiting": Text("waiting", "대기"),
    "running": Text("running", "진행 중"),
    "done": Text("done", "완료"),
    "failed": Text("failed", "실패"),
    "stopped": Text("stopped", "중지"),
}
JOB: Mapping[str, Text] = {
    "reasons": Text("why measures are not in the roadmap", "지금은 보류하는 이유 계산"),
    "matching": Text("matching of all items", "전체 매칭"),
    "mentors": Text("mentors for waiting factories", "멘토 배정"),
    "night": Text("the night's work", "야간 작업"),
    "promise": Text("what a plan can show", "측정 계획으로 확인할 수 있는 변화량 계산"),
    "provable": Text("what could be shown", "확인할 수 있는 변화량 미리 계산"),
    "programme": Text("effect of the programme", "사업 전체 효과 분석"),
}
ACTION: Mapping[str, Text] = {
    "insert": Text("added", "추가"),
    "update": Text("changed", "변경"),
    "delete": Text("deleted", "삭제"),
    "export": Text("exported", "반출"),
    "erase": Text("erased", "파기"),
}
LANGUAGE: Mapping[str, Text] = {"ko": Text("Korean", "한국어"), "en": Text("English", "영어")}
QUESTIONS: Mapping[str, Text] = {
    "key_first": Text("Is this your box?", "귀사의 수집 장치인지 확인"),
    "key_changed": Text("The box has another key", "수집 장치의 키가 바뀜"),
    "reporter_changed": Text("Another box reports now", "보고하는 수집 장치가 바뀜"),
    "chain_forked": Text("Two records follow the same one", "일별 기록이 둘로 갈라짐"),
    "record_differs": Text("Another record of the same day has come", "같은 날의 기록이 서로 다름"),
    "records_missing": Text("Records that the box has not got any more", "수집 장치에 남아 있지 않은 기록"),
    "consent_withdrawn": Text("Consent was taken back", "데이터 제공 동의 철회"),
}
"""What intake asks an owner; the other kinds of tasks are those of the queue and of events."""
FATE: Mapping[str, Text] = {
    "stored": Text("stored", "저장"),
    "same": Text("was there already", "이미 저장됨"),
    "empty": Text("says nothing", "내용 없음"),
    "older": Text("a newer one is known", "더 새 것이 있음"),
    "unknown": Text("of nobody who is registered", "등록되지 않은 공장·수집 장치"),
    "unpinned": Text("its key waits for the owner", "대표의 키 확인 대기"),
    "no_consent": Text("not agreed to", "동의하지 않은 자료"),
    "wrong": Text("not as the contract says, or not signed so", "형식이나 서명이 맞지 않음"),
    "forked": Text("continues another chain", "다른 기록에 이어짐"),
    "other": Text("another one is there", "다른 기록이 이미 있음"),
    "unfit": Text("the database refuses it", "저장할 수 없는 값"),
}
