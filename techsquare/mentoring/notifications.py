"""What people are told of each kind of the queue. Plain words, one thing to do, and no blame.

To the owner: what has happened and who looks at it. To the mentor: what is due, until when. To a supplier only what
is about its own project, never a factory's numbers. No text names a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settings.language import Language
    from techsquare.mentoring.terms import Kind, Line

Reader = Literal["owner", "mentor", "supplier"]


@dataclass(frozen=True, slots=True)
class Told:
    """A notification: title, and text."""

    title: str
    text: str


TITLES: Mapping[Kind, Text] = {
    "bankruptcy": Text("A supplier has closed", "공급기업 폐업"),
    "objection": Text("Objection against a verdict", "판정에 대한 이의 신청"),
    "verdict": Text("A verdict is due", "판정일이 다가옴"),
    "silence": Text("No report from the factory", "공장 데이터 끊김"),
    "unused": Text("Installed but not used", "설치 후 미활용"),
    "decay": Text("A gain is going away", "개선 효과 감소"),
    "disagreement": Text("Answer and measurement differ", "측정과 응답이 다름"),
    "stale": Text("Nothing known of a machine", "설비 값이 들어오지 않음"),
}
TEXTS: Mapping[tuple[Kind, Reader], Text] = {
    ("bankruptcy", "owner"): Text(
        "The supplier of {subject} has closed. Your data stays with you. Your mentor will call you by {due}.",
        "{subject}의 공급기업이 폐업했습니다. 데이터는 공장에 그대로 남습니다. {due}까지 멘토가 연락드립니다.",
    ),
    ("bankruptcy", "mentor"): Text(
        "{factory}: the supplier of {subject} has closed. Ask for the deposit and start the takeover by {due}.",
        "{factory}: {subject}의 공급기업이 폐업했습니다. {due}까지 임치물을 청구하고 승계 절차를 시작하십시오.",
    ),
    ("objection", "owner"): Text(
        "Somebody does not agree with the verdict on {subject}. It stands, marked, until that is decided.",
        "{subject} 판정에 이의가 신청되었습니다. 처리될 때까지 판정은 '이의 있음'으로 표시됩니다.",
    ),
    ("objection", "mentor"): Text(
        "{factory}: objection against the verdict on {subject}. Collect what speaks for and against it by {due}.",
        "{factory}: {subject} 판정에 이의가 신청되었습니다. {due}까지 관련 자료를 모으십시오.",
    ),
    ("objection", "supplier"): Text(
        "There is an objection against the verdict on your project {subject}. You will hear what was decided.",
        "귀사의 사업 {subject} 판정에 이의가 신청되었습니다. 처리 결과를 알려드립니다.",
    ),
    ("verdict", "owner"): Text(
        "The verdict on {subject} will be told soon. There is nothing that you have to do.",
        "{subject}의 판정일이 다가옵니다. 따로 하실 일은 없습니다.",
    ),
    ("verdict", "mentor"): Text(
        "{factory}: the verdict on {subject} is due. Look by {due} whether its machines have their days.",
        "{factory}: {subject}의 판정일이 다가옵니다. {due}까지 대상 설비의 측정일이 충분한지 확인하십시오.",
    ),
    ("verdict", "supplier"): Text(
        "The verdict on your project {subject} will be told soon.",
        "귀사의 사업 {subject}의 판정일이 다가옵니다.",
    ),
    ("silence", "owner"): Text(
        "Nothing has come from your factory since {on}. Please look whether the box has power and network.",
        "{on}부터 공장의 데이터가 들어오지 않습니다. 수집 장치의 전원과 네트워크를 확인해 주십시오.",
    ),
    ("silence", "mentor"): Text(
        "{factory}: no report since {on} ({subject}). Call by {due}: every day without one is missing later.",
        "{factory}: {on}부터 데이터가 없습니다({subject}). {due}까지 연락하십시오. 빠진 날은 채울 수 없습니다.",
    ),
    ("unused", "owner"): Text(
        "{subject} is installed and was not used since {on}. Your mentor will ask what stands in the way.",
        "{subject}을(를) 설치했으나 {on} 이후 사용하지 않았습니다. 어떤 점이 불편한지 멘토가 여쭙겠습니다.",
    ),
    ("unused", "mentor"): Text(
        "{factory}: {subject} not used since {on}. Ask by {due} what is in the way; the part for use is not due.",
        "{factory}: {on} 이후 {subject} 미활용. {due}까지 원인을 알아보십시오. 활용 조건의 대금 지급은 보류됩니다.",
    ),
    ("unused", "supplier"): Text(
        "Your project {subject} is installed and not used. The part of the price for agreed use is not due yet.",
        "귀사의 사업 {subject}이(가) 설치 후 활용되지 않고 있습니다. 활용 조건의 대금은 아직 지급되지 않습니다.",
    ),
    ("decay", "owner"): Text(
        "What {subject} had gained is going away since {on}. Your mentor will look at it with you.",
        "{on}부터 {subject}의 개선 효과가 줄고 있습니다. 멘토가 함께 살펴보겠습니다.",
    ),
    ("decay", "mentor"): Text(
        "{factory}: the gain of {subject} is going away since {on}. Find out by {due} what has changed.",
        "{factory}: {on}부터 {subject}의 개선 효과가 줄고 있습니다. {due}까지 무엇이 달라졌는지 확인하십시오.",
    ),
    ("decay", "supplier"): Text(
        "The gain of your project {subject} is going away. The factory's mentor will get in touch.",
        "귀사의 사업 {subject}의 개선 효과가 줄고 있습니다. 담당 멘토가 연락드립니다.",
    ),
    ("disagreement", "owner"): Text(
        "Your answer on {subject} and what was measured differ. Both are kept; we will look at it together.",
        "{subject}에 대한 응답과 측정값이 다릅니다. 둘 다 그대로 두고 함께 확인하겠습니다.",
    ),
    ("disagreement", "mentor"): Text(
        "{factory}: answer and measurement differ on {subject}. Ask about it by {due}; neither is changed.",
        "{factory}: {subject}의 측정과 응답이 다릅니다. {due}까지 확인하십시오. 어느 쪽도 고치지 않습니다.",
    ),
    ("stale", "owner"): Text(
        "No value has come from {subject} since {on}. Please look whether it is on and connected.",
        "{on}부터 {subject}의 값이 들어오지 않습니다. 설비 전원과 통신을 확인해 주십시오.",
    ),
    ("stale", "mentor"): Text(
        "{factory}: no value from {subject} since {on}. Find out by {due} whether it is off, moved or unplugged.",
        "{factory}: {on}부터 {subject}의 값이 없습니다. {due}까지 정지, 이설, 통신 끊김 여부를 확인하십시오.",
    ),
}
"""A supplier is told nothing of silence, differences, stale machines, nor that it has closed."""


def told(line: Line, reader: Reader, language: Language) -> Told | None:
    """Return what somebody is told of a line; None where he is told nothing."""
    text = TEXTS.get((line.kind, reader))
    if text is None:
        return None
    words = {
        "factory": line.factory,
        "subject": line.subject,
        "on": line.on.isoformat(),
        "due": line.due.isoformat(),
    }
    return Told(TITLES[line.kind](language), text(language).format(**words))
