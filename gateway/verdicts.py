"""What the start-up probe has found, in words: one line for each ability of a broker, with a reason.

Pure.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contract.codec import DATA_LIMIT
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from settings.language import Language

NEEDED = ("branch", "will")
"""Without these, not even one worker works well; what else is missing costs time or a second worker."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One ability.

    Attributes:
        name: Of `_NAMES`.
        able: Whether the broker has it; None where that is no question.
        values: What stands in the reason.
    """

    name: str
    able: bool | None
    values: tuple[str, ...] = ()

    @property
    def title(self) -> Text:
        """What it is about."""
        return _NAMES[self.name]

    @property
    def reason(self) -> Text:
        """What was seen, and what follows from it."""
        return _reason(self)


@dataclass(slots=True)
class Table:
    """Everything that was found, in the order of asking."""

    findings: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Add a line."""
        self.findings.append(finding)

    def able(self, name: str) -> bool:
        """Return whether the broker has been seen to have an ability."""
        return any(finding.name == name and finding.able for finding in self.findings)

    @property
    def shares(self) -> bool:
        """Whether several workers can work."""
        return self.able("shared")

    @property
    def works(self) -> bool:
        """Whether one worker can."""
        return all(self.able(name) for name in NEEDED)

    def lines(self, language: Language) -> Iterator[str]:
        """Yield the table as text in Korean or English."""
        answer = {True: Text("yes", "가능"), False: Text("no", "불가"), None: Text("-", "-")}
        rows = [
            (finding.title(language), answer[finding.able](language), finding.reason(language))
            for finding in self.findings
        ]
        widths = [max((_width(row[i]) for row in rows), default=0) for i in (0, 1)]
        for title, able, reason in rows:
            yield f"{_padded(title, widths[0])}  {_padded(able, widths[1])}  {reason}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


_NAMES = {
    "version": Text("MQTT 5", "MQTT 5"),
    "branch": Text("our own branch", "게이트웨이 전용 토픽"),
    "properties": Text("message properties", "메시지 속성"),
    "receive": Text("receive maximum", "동시 전송 한도"),
    "retained": Text("retained messages", "보관(retain) 메시지"),
    "will": Text("will", "비정상 종료 알림(will)"),
    "expiry": Text("sessions end", "세션 종료"),
    "heirs": Text("a dead worker", "중단된 게이트웨이"),
    "in hand": Text("what it had in hand", "처리 중이던 메시지"),
    "shared": Text("several workers", "게이트웨이 여러 대"),
    "large": Text("large messages", "큰 메시지"),
    "rights": Text("access rules", "접근 규칙"),
}

_SHARED: Mapping[str, Callable[[Sequence[str]], Text]] = {
    "none": lambda _: Text(
        "the broker has no shared subscriptions: one worker only",
        "공유 구독을 지원하지 않습니다. 게이트웨이는 하나만 실행하십시오",
    ),
    "refused": lambda v: Text(
        f"the shared subscription is refused ({v[0]}): one worker only; see its access rules",
        f"공유 구독이 거부되었습니다({v[0]}). 하나만 실행하거나 접근 규칙을 고치십시오",
    ),
    "silent": lambda v: Text(
        f"granted, but only {v[0]} of {v[1]} messages came: one worker only",
        f"공유 구독은 허용되지만 {v[1]}건 중 {v[0]}건만 왔습니다. 하나만 실행하십시오",
    ),
    "doubled": lambda v: Text(
        f"granted, but {v[1]} messages came {v[0]} times: one worker only",
        f"공유 구독은 허용되지만 {v[1]}건이 {v[0]}번 왔습니다. 하나만 실행하십시오",
    ),
    "shares": lambda v: Text(
        f"messages are shared out ({v[0]} and {v[1]} of them)",
        f"메시지를 나누어 받습니다({v[0]}건, {v[1]}건)",
    ),
}


def _reason(finding: Finding) -> Text:  # noqa: C901, PLR0911, PLR0912 - a table of words
    able, values = finding.able, finding.values
    match finding.name:
        case "version":
            return (
                Text("spoken", "지원합니다")
                if able
                else Text(
                    f"MQTT {values[0]} is spoken: requests and answers travel in the body",
                    f"MQTT {values[0]}로 접속합니다. 요청과 응답은 본문에 담아 보냅니다",
                )
            )
        case "branch" if able:
            return Text(f"{values[0]} can be written and read", f"{values[0]} 읽기와 쓰기가 됩니다")
        case "branch":
            return Text(
                f"{values[0]} cannot be written and read ({values[1]}): give this user the rights of a gateway "
                "(`tsq-gateway access`); nothing else was tried",
                f"{values[0]}을(를) 쓰고 읽을 수 없습니다({values[1]}). 이 사용자에게 게이트웨이 권한을 "
                "주십시오(`tsq-gateway access`). 나머지는 확인하지 못했습니다",
            )
        case "properties" if able is None:
            return Text("none in MQTT 3.1.1", "MQTT 3.1.1에는 없습니다")
        case "properties" if able:
            return Text(
                "content type, response topic and correlation arrive", "콘텐츠 형식, 응답 토픽이 전달됩니다"
            )
        case "properties":
            return Text("they get lost", "전달되지 않습니다")
        case "receive":
            return Text(f"{values[0]} unacknowledged messages", f"확인 대기 메시지 {values[0]}건까지")
        case "retained" if able:
            return Text("kept, and delivered to who comes later", "나중에 구독해도 받습니다")
        case "retained" if values[0] == "exact":
            return Text(
                "kept, and delivered only to who names the topic: births are asked for instead",
                "토픽 이름을 그대로 구독할 때만 받습니다. 태그 목록은 따로 요청합니다",
            )
        case "retained":
            return Text(
                "not kept: after each start births are asked for",
                "보관되지 않아 시작할 때마다 태그 목록을 요청합니다",
            )
        case "will" if able:
            return Text("published at an abrupt end", "갑자기 끊기면 발행됩니다")
        case "will":
            return Text(
                "not published: agents do not see that a worker has died",
                "발행되지 않아 중단을 바로 알 수 없습니다",
            )
        case "expiry" if able is None:
            return Text("by a clean session", "clean session으로 종료됩니다")
        case "expiry" if able:
            return Text("with their connection", "연결과 함께 끝납니다")
        case "expiry":
            return Text(
                "the broker keeps a session that was to end; we begin each one anew",
                "끝난 세션을 계속 보관합니다. 접속할 때마다 새로 시작합니다",
            )
        case "heirs":
            return Text(
                f"after its end {values[0]} of {values[1]} messages came to the other",
                f"중단된 뒤 메시지 {values[1]}건 중 {values[0]}건이 다른 쪽에 왔습니다",
            )
        case "in hand":
            return Text(
                f"{values[0]} of {values[1]} unacknowledged ones went to the other; agents send the rest again",
                f"확인 전 메시지 {values[1]}건 중 {values[0]}건이 다른 쪽으로 갔습니다. 나머지는 다시 보냅니다",
            )
        case "shared":
            return _SHARED[values[0]](values[1:])
        case "large" if able:
            return Text(f"{values[0]} bytes pass", f"{values[0]}바이트까지 통과합니다")
        case "large":
            return Text(
                f"{values[0]} bytes pass (named limit: {values[1]}), {DATA_LIMIT} would be good: agents send "
                "smaller messages, at a lower rate",
                f"{values[0]}바이트까지만 통과합니다(표시된 한도: {values[1]}). {DATA_LIMIT} 이상을 권합니다. "
                "메시지를 작게 나누어 천천히 보냅니다",
            )
        case "rights" if able:
            return Text("they keep us in our branch", "전용 토픽 밖에는 쓸 수 없습니다")
        case _:
            return Text(
                "we can write outside of our branch, and so can others: `tsq-gateway access` writes rules",
                "누구나 모든 토픽에 쓸 수 있습니다. `tsq-gateway access`로 접근 규칙을 만드십시오",
            )
