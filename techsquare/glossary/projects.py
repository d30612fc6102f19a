"""Words of mentoring and projects: visits, life of a project, maintenance, takeover, costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

BARRIER: Mapping[str, Text] = {
    "inactive": Text("away, or has left", "활동하지 않음"),
    "refused": Text("the owner does not want him", "대표가 원하지 않음"),
    "conflict": Text("conflict of interest", "이해관계 있음"),
    "region": Text("does not go to this region", "지역을 담당하지 않음"),
    "full": Text("has as many factories as he can look after", "맡을 수 있는 공장 수가 참"),
}
VISIT: Mapping[str, Text] = {
    "first": Text("first visit", "첫 방문"),
    "diagnosis": Text("diagnosis", "진단"),
    "installation": Text("installation", "설치"),
    "follow_up": Text("follow-up", "후속 점검"),
    "verdict": Text("verdict", "판정"),
    "takeover": Text("takeover", "승계"),
}
VISIT_STATE: Mapping[str, Text] = {
    "asked": Text("asked for", "요청"),
    "planned": Text("planned", "일정 확정"),
    "done": Text("done", "완료"),
    "missed": Text("did not take place", "방문하지 못함"),
    "dropped": Text("dropped", "취소"),
}
PROJECT_STATE: Mapping[str, Text] = {
    "agreed": Text("chosen, not signed", "계약 전"),
    "signed": Text("signed", "계약"),
    "installed": Text("installed", "설치"),
    "accepted": Text("accepted", "검수 완료"),
    "decided": Text("verdict told", "판정 완료"),
    "ended": Text("ended", "종료"),
}
LIFE: Mapping[str, Text] = {
    "offered": Text("offered", "제안"),
    "chosen": Text("chosen", "선정"),
    "contracted": Text("contracted", "계약"),
    "installing": Text("being installed", "설치 중"),
    "commissioning": Text("being accepted", "시운전·검수"),
    "measuring": Text("being measured", "효과 측정 중"),
    "verdict": Text("verdict", "판정"),
    "watching": Text("watched", "효과 감시 중"),
    "ended": Text("ended", "종료"),
    "taken_over": Text("taken over", "승계됨"),
}
STEP: Mapping[str, Text] = {
    "choose": Text("chosen by the owner", "공급기업 선정"),
    "decline": Text("declined", "거절"),
    "expire": Text("expired", "제안 기한 지남"),
    "refuse": Text("refused by the supplier", "공급기업 거절"),
    "lapse": Text("not answered in time", "공급기업 응답 기한 지남"),
    "sign": Text("signed", "계약 서명"),
    "begin": Text("installation begins", "설치 시작"),
    "deliver": Text("delivered", "납품"),
    "accept": Text("accepted", "검수"),
    "tell": Text("verdict told", "판정 통지"),
    "extend": Text("measured for longer", "측정 연장"),
    "settle": Text("verdict stands", "판정 확정"),
    "alarm": Text("the gain goes away", "효과 감소 알림"),
    "finish": Text("finished", "사업 완료"),
    "part": Text("parted from the supplier", "공급기업과 분리"),
    "take_over": Text("taken over", "승계"),
    "end": Text("ended by the owner", "대표의 사업 종료"),
}
MILESTONE: Mapping[str, Text] = {
    "delivery": Text("delivery", "납품"),
    "acceptance": Text("functional acceptance", "기능 검수"),
    "verdict": Text("verdict", "효과 판정"),
}
MILESTONE_STATUS: Mapping[str, Text] = {
    "due": Text("due", "지급 시점"),
    "waiting": Text("not yet due", "지급 전"),
    "held": Text("held", "보류"),
    "lapsed": Text("not due any more", "지급 대상 아님"),
}
MILESTONE_BECAUSE: Mapping[str, Text] = {
    "not_delivered": Text("not delivered", "납품 전"),
    "not_accepted": Text("not accepted", "기능 검수 전"),
    "not_used": Text("not used as agreed", "합의한 활용 미확인"),
    "before_verdict": Text("before the verdict's date", "판정일 전"),
    "objection": Text("an objection is open", "이의 신청 처리 중"),
    "worse": Text("the verdict says worse", "판정: 악화"),
    "no_change": Text("the verdict says no change", "판정: 변화 없음"),
}
SEVERITY: Mapping[str, Text] = {
    "low": Text("low", "낮음(사용 가능)"),
    "high": Text("high", "높음(사용에 지장)"),
    "stopped": Text("nothing works", "정지(사용 불가)"),
}
TICKET_STATE: Mapping[str, Text] = {
    "open": Text("open", "접수"),
    "answered": Text("answered", "답변 완료"),
    "closed": Text("closed", "종료"),
}
TAKEOVER_STATE: Mapping[str, Text] = {
    "needed": Text("a successor is looked for", "승계 기업 찾는 중"),
    "offered": Text("a successor was asked", "승계 요청"),
    "agreed": Text("a successor has agreed", "승계 동의"),
    "done": Text("done", "승계 완료"),
    "dropped": Text("dropped", "취소"),
}
TAKEOVER_WHY: Mapping[str, Text] = {
    "gone": Text("the supplier is gone", "공급기업이 없어짐"),
    "unwanted": Text("the owner wants another one", "대표의 교체 요청"),
    "closed": Text("the supplier has closed", "공급기업 폐업"),
    "out_of_reach": Text("the supplier cannot be reached", "공급기업 연락 두절"),
    "agreed": Text("both have agreed", "양쪽 합의"),
}
TAKEOVER_DONE: Mapping[str, Text] = {
    "data": Text("history exported to the factory's own store", "이력 데이터를 공장 자체 저장소로 반출"),
    "access": Text("accounts and passwords of the former supplier closed", "이전 공급기업의 계정·비밀번호 차단"),
    "drill": Text("exit drill done once more", "데이터 반출 점검 다시 실시"),
    "deposit": Text("deposit asked for, where it is free", "임치물 청구(청구할 수 있는 경우)"),
    "training": Text("people know whom to call", "사용자에게 새 연락처 안내"),
}
TAKEOVER_WAY: Mapping[str, Text] = {
    "trained": Text("trained by the former supplier", "이전 공급기업의 교육을 받음"),
    "rebuilds": Text("builds it from the deposit", "임치물로 다시 구축"),
    "reads": Text("reads the same machines", "같은 설비의 데이터를 읽음"),
    "replaces": Text("replaces it by its own", "자사 솔루션으로 교체"),
}
DEPOSIT_HELD: Mapping[str, Text] = {
    "no_deposit": Text("there is none", "임치물이 없음"),
    "not_contracted": Text("the contract has none", "계약에 임치 조건이 없음"),
    "supplier_there": Text("the supplier is there", "공급기업이 사업을 맡고 있음"),
    "waiting": Text("the supplier may still answer", "공급기업 응답 기한 전"),
}
COST: Mapping[str, Text] = {
    "diagnosis": Text("diagnosis", "진단"),
    "visit": Text("visit", "멘토 방문"),
    "measure": Text("measuring", "계측"),
    "verification": Text("verification", "효과 검증"),
    "other": Text("other", "기타"),
}
PAYER: Mapping[str, Text] = {
    "sponsor": Text("sponsor", "후원기관"),
    "programme": Text("programme", "지원사업"),
    "factory": Text("factory", "공장"),
}
