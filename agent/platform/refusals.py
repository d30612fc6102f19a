"""Why a day does not get to the reporter, in words for logs and `tsq-agent reporter show`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORDS: Mapping[str, Text] = {
    "unknown_agent": Text(
        "the reporter does not wait for this agent: name it there in readiness.agents",
        "대표 에이전트 설정의 readiness.agents에 이 에이전트가 없습니다",
    ),
    "branch": Text(
        "it says that it is of another agent or factory: give each box an id of its own",
        "다른 에이전트나 기업의 것으로 되어 있습니다. 장비마다 다른 id를 쓰십시오",
    ),
    "content": Text("it cannot be read", "내용을 읽을 수 없습니다"),
    "version": Text(
        "it was packed by another release than the reporter's: update the agent that is behind; what an older "
        "release has packed is not taken by a later one and goes when it is 400 days old",
        "대표 에이전트와 다른 버전에서 만든 날입니다. 뒤처진 쪽을 업데이트하십시오. "
        "예전 버전에서 이미 만든 날은 받지 않으며 400일이 지나면 지워집니다",
    ),
    "date": Text(
        "its date lies ahead, or more than 400 days back: look at both clocks",
        "날짜가 미래이거나 400일이 넘었습니다. 두 장비의 시각을 확인하십시오",
    ),
    "calendar": Text(
        "its production day begins or ends at another time than the reporter's: give both the same "
        "production_day_start and zone",
        "생산일이 시작하거나 끝나는 시각이 대표 에이전트와 다릅니다. production_day_start와 시간대를 같게 하십시오",
    ),
    "other": Text(
        "the reporter has another evidence of this day", "대표 에이전트에 이날의 다른 기록이 이미 있습니다"
    ),
    "waited": Text("too many days wait", "너무 많은 날이 쌓여 버렸습니다"),
}


def words(why: str) -> Text:
    """Return what a reason means; one that this release does not know as it is."""
    return WORDS.get(why, Text(why, why))


def grouped(days: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each reason behind its days: one line for 400 of them, `2026-01-05…2027-02-08 (400)`.

    Args:
        days: ISO date -> reason.
    """
    reasons: dict[str, list[str]] = {}
    for date, why in sorted(days.items()):
        reasons.setdefault(why, []).append(date)
    for why, dates in reasons.items():
        yield (dates[0] if len(dates) == 1 else f"{dates[0]}…{dates[-1]} ({len(dates)})"), why
