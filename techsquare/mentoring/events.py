"""What people are told of steps of a project, beside what stands in the queue (`notifications`).

Words are filled in by `{factory}`, `{subject}`, `{on}`, `{due}`. A supplier's text never names the factory: what it
may know of it, it sees at the project. Whoever has something to do has so many planned days of the factory for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from techsquare.mentoring.notifications import Reader

Event = Literal[
    "mentor",  # somebody else looks after the factory now
    "visit_asked",
    "visit",
    "message",
    "diagnosis",
    "offer",  # there is a list for an open item
    "asked",  # a factory wants a supplier to get in touch
    "contract",  # waits for a signature
    "plan",  # waits for both parties
    "sign_due",
    "install_due",
    "accept_due",
    "outcome",  # a verdict was told
    "milestone",  # a part of the price: pay, or not yet
    "care",  # maintenance: once a quarter
    "ticket",
    "ticket_answered",
    "takeover",
    "ended",
    "fit",  # an agent has answered what is missing for a solution
    "notice",  # the people in the factory are to be told before anything leaves it
]
EVENTS: tuple[Event, ...] = get_args(Event)
TITLES: Mapping[str, Text] = {
    "mentor": Text("Your mentor", "담당 멘토 안내"),
    "visit_asked": Text("A visit is asked for", "방문 요청"),
    "visit": Text("A visit", "방문 일정"),
    "message": Text("A message", "새 메시지"),
    "diagnosis": Text("A diagnosis is ready", "진단 완료"),
    "offer": Text("Offers are there", "제안 도착"),
    "asked": Text("A factory asks you to get in touch", "공장의 연락 요청"),
    "contract": Text("A contract waits for its signature", "계약 서명 대기"),
    "plan": Text("A measurement plan waits for your agreement", "측정 계획 동의 대기"),
    "sign_due": Text("Not signed yet", "계약 서명 지연"),
    "install_due": Text("Not installed yet", "설치 확인"),
    "accept_due": Text("Not accepted yet", "검수 확인"),
    "outcome": Text("The verdict", "판정 결과"),
    "milestone": Text("A part of the price", "대금 지급 안내"),
    "care": Text("Once a quarter: does it still work?", "분기 점검"),
    "ticket": Text("Something does not work", "유지보수 접수"),
    "ticket_answered": Text("The supplier has answered", "유지보수 답변"),
    "takeover": Text("Another supplier has to go on", "사업 승계"),
    "ended": Text("A project has ended", "사업 종료"),
    "fit": Text("Fit test", "적합 시험 결과"),
    "notice": Text("Tell the people who work there", "임직원 안내문 게시"),
}
TEXTS: Mapping[tuple[str, Reader], Text] = {
    ("mentor", "owner"): Text(
        "{subject} is your mentor from {on} and will call you by {due}. You may ask for another one at any time.",
        "{on}부터 {subject} 멘토가 담당합니다. {due}까지 연락드립니다. 언제든지 다른 멘토를 요청하실 수 있습니다.",
    ),
    ("mentor", "mentor"): Text(
        "{factory} is yours from {on}. Read the hand-over and call the owner by {due}.",
        "{on}부터 {factory}을(를) 담당합니다. {due}까지 인수인계서를 읽고 대표에게 연락하십시오.",
    ),
    ("visit_asked", "mentor"): Text(
        "{factory} asks for a visit ({subject}). Agree on a day by {due}.",
        "{factory}에서 방문을 요청했습니다({subject}). {due}까지 날짜를 정하십시오.",
    ),
    ("visit", "owner"): Text(
        "Your mentor comes on {on}: {subject}. Please tell him if another day is better.",
        "{on}에 멘토가 방문합니다({subject}). 날짜가 맞지 않으면 알려 주십시오.",
    ),
    ("visit", "mentor"): Text(
        "{factory}: visit on {on} ({subject}). The sheet is ready.",
        "{factory}: {on} 방문({subject}). 방문 점검표가 준비되어 있습니다.",
    ),
    ("message", "owner"): Text("There is a message for you: {subject}.", "새 메시지가 있습니다: {subject}."),
    ("message", "mentor"): Text("{factory}: a message ({subject}).", "{factory}: 새 메시지({subject})."),
    ("message", "supplier"): Text(
        "There is a message about your project {subject}.", "귀사의 사업 {subject}에 새 메시지가 있습니다."
    ),
    ("diagnosis", "owner"): Text(
        "The diagnosis of {on} is ready. Your mentor will go through it with you.",
        "{on} 진단이 완료되었습니다. 멘토가 함께 설명해 드립니다.",
    ),
    ("diagnosis", "mentor"): Text(
        "{factory}: a new diagnosis. Go through it with the owner by {due}.",
        "{factory}: 새 진단이 나왔습니다. {due}까지 대표와 함께 확인하십시오.",
    ),
    ("offer", "owner"): Text(
        "There are offers for {subject}. You need not take any of them.",
        "{subject} 제안이 도착했습니다. 반드시 선택하실 필요는 없습니다.",
    ),
    ("offer", "mentor"): Text(
        "{factory}: offers for {subject}. Look at them with the owner by {due}.",
        "{factory}: {subject} 제안이 도착했습니다. {due}까지 대표와 함께 검토하십시오.",
    ),
    ("asked", "supplier"): Text(
        "A factory is interested in your offer for {subject}. Please answer by {due}.",
        "공장에서 귀사의 {subject} 제안에 관심이 있습니다. {due}까지 답해 주십시오.",
    ),
    ("contract", "owner"): Text(
        "The contract on {subject} waits for your signature. Look at it with your mentor.",
        "{subject} 계약이 서명을 기다리고 있습니다. 멘토와 함께 확인해 주십시오.",
    ),
    ("contract", "mentor"): Text(
        "{factory}: the contract on {subject} is to be signed. Look at its conditions with the owner by {due}.",
        "{factory}: {subject} 계약 서명 전입니다. {due}까지 대표와 함께 계약 조건을 확인하십시오.",
    ),
    ("contract", "supplier"): Text(
        "The contract on {subject} waits for your signature.", "{subject} 계약이 귀사의 서명을 기다리고 있습니다."
    ),
    ("plan", "owner"): Text(
        "The measurement plan for {subject} waits for your agreement. Your mentor will explain it.",
        "{subject} 측정 계획에 동의가 필요합니다. 멘토가 설명해 드립니다.",
    ),
    ("plan", "mentor"): Text(
        "{factory}: a measurement plan for {subject}. Go through it with the owner by {due}.",
        "{factory}: {subject} 측정 계획이 작성되었습니다. {due}까지 대표와 함께 확인하십시오.",
    ),
    ("plan", "supplier"): Text(
        "The measurement plan of your project {subject} waits for your agreement, by {due}.",
        "귀사의 사업 {subject} 측정 계획에 {due}까지 동의해 주십시오.",
    ),
    ("sign_due", "mentor"): Text(
        "{factory}: {subject} was agreed on {on} and is not signed. Ask by {due} what is in the way.",
        "{factory}: {on}에 합의한 {subject} 계약이 아직 서명되지 않았습니다. {due}까지 이유를 알아보십시오.",
    ),
    ("install_due", "mentor"): Text(
        "{factory}: {subject} was signed on {on} and is not installed. Ask by {due} how far it is.",
        "{factory}: {on}에 계약한 {subject} 설치가 아직 끝나지 않았습니다. {due}까지 진행 상황을 확인하십시오.",
    ),
    ("install_due", "supplier"): Text(
        "Your project {subject} was signed on {on}. Please tell by {due} when it will be installed.",
        "{on}에 계약한 귀사의 사업 {subject}의 설치 예정일을 {due}까지 알려 주십시오.",
    ),
    ("accept_due", "owner"): Text(
        "{subject} was installed on {on}. Please try it out and say whether you accept it.",
        "{on}에 {subject}을(를) 설치했습니다. 사용해 보시고 검수 여부를 알려 주십시오.",
    ),
    ("accept_due", "mentor"): Text(
        "{factory}: {subject} was installed on {on} and is not accepted. Look at it with the owner by {due}.",
        "{factory}: {on}에 설치한 {subject} 검수가 끝나지 않았습니다. {due}까지 대표와 함께 확인하십시오.",
    ),
    ("outcome", "owner"): Text(
        "There is a verdict on {subject}. If you do not agree, say so within ten days.",
        "{subject} 판정 결과가 나왔습니다. 동의하지 않으시면 10일 안에 이의를 신청하실 수 있습니다.",
    ),
    ("outcome", "mentor"): Text(
        "{factory}: a verdict on {subject}. Go through it with the owner by {due}.",
        "{factory}: {subject} 판정 결과가 나왔습니다. {due}까지 대표에게 설명하십시오.",
    ),
    ("outcome", "supplier"): Text(
        "There is a verdict on your project {subject}. If you do not agree, say so within ten days.",
        "귀사의 사업 {subject} 판정 결과가 나왔습니다. 동의하지 않으시면 10일 안에 이의를 신청하실 수 있습니다.",
    ),
    ("milestone", "owner"): Text(
        "There is advice on a part of the price of {subject}: please look before you pay.",
        "{subject} 대금 지급에 관한 안내가 있습니다. 지급하시기 전에 확인해 주십시오.",
    ),
    ("milestone", "supplier"): Text(
        "There is news about a part of the price of your project {subject}.",
        "귀사의 사업 {subject}의 대금 지급에 관한 안내가 있습니다.",
    ),
    ("care", "owner"): Text(
        "{subject} has been in use for a while. Does it still do what you need? Your mentor will ask.",
        "{subject}의 분기 점검 시기입니다. 불편한 점이 없는지 멘토가 여쭙겠습니다.",
    ),
    ("care", "mentor"): Text(
        "{factory}: ask by {due} whether {subject} is in use, maintained, and its data still exported.",
        "{factory}: {due}까지 {subject}의 활용, 유지보수, 데이터 반출 상태를 확인하십시오.",
    ),
    ("ticket", "owner"): Text(
        "Your request about {subject} is with the supplier.", "{subject} 유지보수 요청이 공급기업에 전달되었습니다."
    ),
    ("ticket", "mentor"): Text(
        "{factory}: something of {subject} does not work. Look by {due} whether the supplier has answered.",
        "{factory}: {subject} 유지보수가 접수되었습니다. {due}까지 공급기업이 답했는지 확인하십시오.",
    ),
    ("ticket", "supplier"): Text(
        "Something of your project {subject} does not work. Please answer by {due}.",
        "귀사의 사업 {subject}의 유지보수가 접수되었습니다. {due}까지 답해 주십시오.",
    ),
    ("ticket_answered", "owner"): Text(
        "The supplier of {subject} has answered. Close the request when it works again.",
        "{subject} 공급기업이 답했습니다. 문제가 해결되면 접수를 종료해 주십시오.",
    ),
    ("takeover", "owner"): Text(
        "{subject}: another supplier will go on. Your data stays with you; your mentor will call by {due}.",
        "{subject} 사업을 다른 공급기업이 이어받습니다. 데이터는 공장에 남으며, {due}까지 멘토가 연락드립니다.",
    ),
    ("takeover", "mentor"): Text(
        "{factory}: {subject} needs another supplier. Go through the list of the takeover by {due}.",
        "{factory}: {subject} 사업을 승계할 공급기업이 필요합니다. {due}까지 승계 점검표를 확인하십시오.",
    ),
    ("takeover", "supplier"): Text(
        "You are asked to go on with the project {subject}. Please answer by {due}.",
        "{subject} 사업의 승계를 요청드립니다. {due}까지 답해 주십시오.",
    ),
    ("ended", "owner"): Text("The project {subject} has ended.", "{subject} 사업이 종료되었습니다."),
    ("ended", "mentor"): Text(
        "{factory}: the project {subject} has ended. Look by {due} whether its data is with the factory.",
        "{factory}: {subject} 사업이 종료되었습니다. {due}까지 데이터가 공장에 남아 있는지 확인하십시오.",
    ),
    ("ended", "supplier"): Text("Your project {subject} has ended.", "귀사의 사업 {subject}이(가) 종료되었습니다."),
    ("fit", "owner"): Text(
        "It is known what is missing for {subject} at your machines.",
        "{subject}을(를) 쓰는 데 공장에 부족한 항목을 확인했습니다.",
    ),
    ("fit", "mentor"): Text(
        "{factory}: it is known what is missing for {subject}. Look at it with the owner by {due}.",
        "{factory}: {subject}에 부족한 항목을 확인했습니다. {due}까지 대표와 함께 확인하십시오.",
    ),
    ("notice", "owner"): Text(
        "Before anything leaves your factory, tell the people who work there what is measured: put the notice up "
        "that is ready here, and record it.",
        "자료가 공장 밖으로 나가기 전에 임직원에게 측정 내용을 알려야 합니다. 안내문을 게시하고 기록해 주십시오.",
    ),
    ("notice", "mentor"): Text(
        "{factory}: the notice to the people who work there is not recorded. Help the owner with it by {due}.",
        "{factory}: 임직원 안내문 게시가 기록되지 않았습니다. {due}까지 대표를 도와주십시오.",
    ),
}
DAYS: Mapping[tuple[str, Reader], int] = {
    ("mentor", "mentor"): 3,
    ("visit_asked", "mentor"): 3,
    ("diagnosis", "mentor"): 5,
    ("offer", "mentor"): 5,
    ("asked", "supplier"): 5,
    ("contract", "mentor"): 5,
    ("contract", "owner"): 5,
    ("contract", "supplier"): 5,
    ("plan", "owner"): 5,
    ("plan", "mentor"): 5,
    ("plan", "supplier"): 5,
    ("sign_due", "mentor"): 3,
    ("install_due", "mentor"): 5,
    ("install_due", "supplier"): 5,
    ("accept_due", "owner"): 5,
    ("accept_due", "mentor"): 5,
    ("outcome", "mentor"): 5,
    ("care", "mentor"): 10,
    ("ticket", "mentor"): 2,
    ("ticket", "supplier"): 2,
    ("takeover", "mentor"): 2,
    ("takeover", "supplier"): 5,
    ("ended", "mentor"): 10,
    ("fit", "mentor"): 5,
    ("notice", "owner"): 5,
    ("notice", "mentor"): 5,
}
"""Planned days until whoever has something to do has done it; who is not here has nothing to do."""
