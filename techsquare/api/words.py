"""Every problem that the API tells: status, title and what to do, in Korean and English.

Pure. The codes of services are `services.refused.Code`; a test holds the two lists against each other.
"""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """A problem: its HTTP status, and what is said of it."""

    status: int
    ko: str
    en: str


OF_HTTP: dict[str, Words] = {
    "unauthorized": Words(
        401, "로그인이 필요하거나 토큰이 유효하지 않습니다.", "Log in: there is no token, or it is no longer valid."
    ),
    "scope": Words(403, "이 토큰으로는 할 수 없는 일입니다.", "This token is not for that."),
    "no_membership": Words(
        403,
        "소속이 없습니다. 초대한 담당자에게 문의하십시오.",
        "You are not a member of any party: ask whoever invited you.",
    ),
    "no_route": Words(404, "없는 주소입니다.", "There is no such address."),
    "method": Words(405, "이 주소에서는 쓸 수 없는 방식입니다.", "This address does not do that."),
    "conflict": Words(
        409, "이미 있는 것과 겹치거나 규칙에 어긋납니다.", "It exists already, or breaks a rule that always holds."
    ),
    "too_large": Words(413, "보낸 내용이 너무 큽니다.", "What you sent is too large."),
    "media_type": Words(415, "JSON으로 보내십시오.", "Send JSON."),
    "invalid": Words(422, "입력한 값을 확인하십시오.", "Look at what you sent."),
    "bad_request": Words(400, "요청을 이해할 수 없습니다.", "The request cannot be understood."),
    "too_many": Words(
        429, "요청이 너무 많습니다. 잠시 뒤에 다시 시도하십시오.", "Too many requests: try again in a moment."
    ),
    "internal": Words(
        500,
        "서버에 문제가 생겼습니다. 다시 시도하고, 계속되면 운영기관에 알려 주십시오.",
        "Something went wrong here: try again, and tell us if it goes on.",
    ),
    "busy": Words(503, "지금은 처리할 수 없습니다. 잠시 뒤에 다시 시도하십시오.", "Busy at the moment: try again."),
    "not_ready": Words(503, "아직 준비되지 않았습니다.", "Not ready."),
}
OF_SERVICES: dict[str, Words] = {
    "not_there": Words(404, "없거나 볼 수 없는 것입니다.", "There is no such thing, or it is not yours to see."),
    "not_yours": Words(403, "이것으로는 할 수 없는 일입니다.", "That cannot be done with this."),
    "address_taken": Words(
        409,
        "이 주소로는 초대할 수 없습니다. 운영기관에 문의하십시오.",
        "This address cannot be invited here: ask the operator.",
    ),
    "bad_invitation": Words(
        403,
        "유효하지 않은 초대입니다. 이미 계정이 있으면 쓰던 비밀번호를 입력하고, 없으면 초대를 다시 요청하십시오.",
        "The invitation is not valid: who has an account gives the password of it, others ask for another one.",
    ),
    "bad_password": Words(422, "비밀번호는 10자 이상이어야 합니다.", "A password has at least ten characters."),
    "wrong_password": Words(403, "지금 쓰는 비밀번호와 다릅니다.", "That is not the password that you have."),
    "wrong_role": Words(403, "맡은 역할로는 할 수 없는 일입니다.", "Your role does not do that."),
    "bad_scope": Words(
        422, "이 범위나 이름으로는 토큰을 만들 수 없습니다.", "No token can be made with this scope or name."
    ),
    "not_confirmed": Words(
        409,
        "확인란에 삭제할 대상의 아이디를 그대로 입력하십시오.",
        "Write the id of what is deleted as confirmation.",
    ),
    "no_diagnosis": Words(
        409,
        "아직 진단이 없습니다. 먼저 진단을 받거나 질문에 답하십시오.",
        "There is no diagnosis yet: let the factory be measured, or answer the questions.",
    ),
    "nothing_known": Words(
        409,
        "아직 자료가 없습니다. 질문에 답하거나 하루치를 수기로 집계해 주십시오.",
        "Nothing is known yet: answer the questions, or count a day by hand.",
    ),
    "off_scale": Words(
        422, "질문지에 없는 질문이나 단계입니다.", "The questionnaire has no such question or step."
    ),
    "in_future": Words(422, "아직 오지 않은 날짜입니다.", "That day has not come."),
    "twice": Words(
        422,
        "같은 설비·날짜·항목을 한 번에 두 번 적었습니다.",
        "One machine, day and kind stands there twice.",
    ),
    "no_price": Words(
        409,
        "손실 금액을 계산할 수 없습니다. 단가를 먼저 입력하십시오.",
        "No loss is known in won: say your rates first.",
    ),
    "no_budget": Words(409, "예산을 먼저 입력하십시오.", "Say your budget first."),
    "no_measure": Words(
        409,
        "과제 목록이 바뀌었습니다. 운영기관에 알려 주십시오.",
        "The catalogue is not up to date: tell the operator.",
    ),
    "outdated": Words(
        409,
        "그사이 자료가 바뀌었습니다. 로드맵을 다시 만드십시오.",
        "The data has changed since: make the roadmap anew.",
    ),
    "no_family": Words(422, "과제 목록에 없는 분야입니다.", "The catalogue has no such family."),
    "no_capability": Words(422, "과제 목록에 없는 기능입니다.", "The catalogue has no such capability."),
    "not_draft": Words(
        409, "작성 중인 버전이 아닙니다. 새 버전을 만드십시오.", "It is no draft any more: make another version."
    ),
    "incomplete": Words(409, "빠진 것이 있습니다.", "Something is missing."),
    "slots_used": Words(409, "이번 분기에 남은 자리가 없습니다.", "No slot is left in this quarter."),
    "not_open": Words(409, "지금은 열려 있지 않습니다.", "It is not open now."),
    "not_wanted": Words(
        409, "공장이 연락을 요청한 제안이 아닙니다.", "The factory has not asked you to get in touch."
    ),
    "answered": Words(
        409, "이미 답한 제안이 있습니다.", "It has been answered already, or another one of this item is wanted."
    ),
    "no_candidates": Words(
        404,
        "이 과제에 등록된 솔루션이 없는 공급기업입니다.",
        "This supplier has no registered solution for this item.",
    ),
    "mentor_full": Words(
        409, "맡을 수 있는 공장 수가 찬 멘토입니다.", "This mentor has as many factories as he can look after."
    ),
    "mentor_away": Words(409, "지금은 맡을 수 없는 멘토입니다.", "This mentor is away."),
    "conflict_of_interest": Words(
        409, "이해관계가 있는 멘토입니다.", "This mentor has a conflict of interest here."
    ),
    "mentor_region": Words(409, "이 지역은 담당하지 않는 멘토입니다.", "This mentor does not go to this region."),
    "still_so": Words(
        409,
        "아직 해소되지 않은 항목입니다. 상태가 바뀌면 목록에서 저절로 빠집니다.",
        "It is still so: it leaves the queue by itself when that has changed.",
    ),
    "messages_used": Words(
        429,
        "오늘 보낼 수 있는 메시지를 모두 보냈습니다. 급하면 전화해 주십시오.",
        "You have sent as many messages as a day has room for: call if it is urgent.",
    ),
    "visit_state": Words(409, "이 단계의 방문이 아닙니다.", "The visit is not at this point."),
    "payer": Words(
        409,
        "진단 비용은 공장이 부담하지 않습니다.",
        "A diagnosis is never the factory's to pay.",
    ),
    "no_contact": Words(
        422,
        "안내문에는 설비와 문의처가 있어야 합니다.",
        "A notice names the machines, and whom to ask.",
    ),
    "consent_first": Words(
        409,
        "먼저 데이터 제공 동의를 철회하십시오. 그대로 두면 삭제한 자료가 다시 들어옵니다.",
        "Take your consent back first: what is deleted would come again.",
    ),
    "fit_month": Words(
        409,
        "이번 달 적합 시험 횟수를 모두 썼습니다.",
        "All fit tests of this month are used.",
    ),
    "fit_consent": Words(
        409,
        "적합 시험에 동의한 공장이 아닙니다.",
        "The owner has not agreed to fit tests.",
    ),
    "no_needs": Words(
        409, "적합 조건이 등록되지 않은 버전입니다.", "This version has registered no needs that could be tested."
    ),
    "bad_needs": Words(422, "적합 조건을 확인하십시오.", "Look at what the solution needs."),
    "same_mentor": Words(409, "이미 이 멘토가 맡고 있습니다.", "This is the mentor already."),
    "round_state": Words(
        409, "매칭 회차가 아직 이 단계가 아니거나 이미 지났습니다.", "The round is not at this point."
    ),
    "plan_refused": Words(409, "이 측정 계획으로는 확정할 수 없습니다.", "This plan cannot be frozen."),
    "no_promise": Words(
        409,
        "이 계획으로 확인할 수 있는 최소 변화량을 아직 계산하지 않았습니다. 계산이 끝난 뒤 동의하십시오.",
        "Nobody could read yet what this plan can show: wait for its promise, then agree.",
    ),
    "not_agreed": Words(409, "양쪽이 모두 동의해야 합니다.", "Both parties have to agree first."),
    "frozen": Words(409, "이미 확정된 계획은 바꿀 수 없습니다.", "A frozen plan is not changed."),
    "no_days": Words(409, "측정된 날이 모자랍니다.", "There are too few measured days."),
    "too_early": Words(409, "아직 판정일이 되지 않았습니다.", "The day of the verdict has not come."),
    "not_installed": Words(409, "설치일을 먼저 기록하십시오.", "Say first on which day it was installed."),
    "baseline_changed": Words(
        409,
        "도입 전 기준값의 기록이 확정 당시와 다릅니다. 운영기관에 문의하십시오.",
        "A day of the frozen baseline is not what it was: ask the operator.",
    ),
    "objection_open": Words(409, "이의 신청을 먼저 처리해야 합니다.", "An objection has to be decided first."),
    "decided": Words(409, "이미 결정되었습니다.", "It has been decided already."),
    "objection_refused": Words(409, "이의 신청을 접수할 수 없습니다.", "The objection cannot be taken."),
    "job_over": Words(409, "이미 끝난 작업입니다.", "The job is over."),
    "step_refused": Words(
        409,
        "지금은 이 단계를 처리할 수 없습니다. 빠진 것을 확인하십시오.",
        "This step cannot be taken now: look at what is lacking.",
    ),
    "contract_refused": Words(
        409, "이 내용으로는 계약서를 작성할 수 없습니다.", "The contract cannot be drawn up like this."
    ),
    "not_reached": Words(409, "아직 이 단계에 이르지 않았습니다.", "It has not come that far."),
    "ticket_refused": Words(
        409, "이 접수 건은 지금 처리할 수 없습니다.", "That cannot be done with this ticket now."
    ),
    "takeover_refused": Words(409, "지금은 승계할 수 없습니다.", "The takeover cannot go on like this."),
    "bad_key": Words(
        422,
        "공개키가 아닙니다. 수집 장치에 표시된 그대로 입력하십시오.",
        "That is no public key: copy it as the box shows it.",
    ),
    "key_pinned": Words(
        409,
        "이 수집 장치에는 다른 키가 등록되어 있습니다. 수집 장치가 새 키를 보내오면 대표가 확인합니다.",
        "This agent has another key; a new one is the owner's to confirm when the box sends it.",
    ),
    "no_key": Words(
        409, "확인을 기다리는 키가 아닙니다. 목록을 다시 보십시오.", "No such key waits for an answer: look again."
    ),
    "not_taken": Words(
        422,
        "수집 장치의 보고서, 서명된 일별 기록, 매니페스트, day.get 응답, assess 파일만 받습니다.",
        "Only a report, signed days, a manifest, an answer of day.get or a file of assess is taken in.",
    ),
    "engine_refused": Words(422, "이 값으로는 계산할 수 없습니다.", "Nothing can be computed from this."),
}
WORDS: dict[str, Words] = {**OF_HTTP, **OF_SERVICES}


def language(accept: str | None) -> str:
    """Return `ko` or `en` by an Accept-Language header (RFC 9110, 12.5.4); Korean where it names neither."""
    best, quality = "ko", 0.0
    for part in (accept or "").lower().split(","):
        tag, _, words = part.strip().partition(";")
        name = tag.strip().split("-")[0]
        share = 1.0
        if words.strip().startswith("q="):
            try:
                share = float(words.strip()[2:])
            except ValueError:
                continue
        if name in {"ko", "en"} and share > quality:
            best, quality = name, share
    return best
