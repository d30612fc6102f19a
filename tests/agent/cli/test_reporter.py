"""`tsq-agent reporter show` in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.cli.reporter import said

if TYPE_CHECKING:
    from settings.language import Language


def shown(language: Language, **more: object) -> list[str]:
    answer: dict[str, object] = {
        "key": "7751cda99a595122", "chain": None, "scopes": [], "trouble": "", "reporter": "edge-1", "agents": [],
        "outbox": None, "contested": {},
    }  # fmt: skip
    return [line(language) for line in said(answer | more)]


def test_four_hundred_refused_days_are_one_line_that_says_what_to_do() -> None:
    days = {f"2026-{month:02}-{day:02}": "version" for month in range(1, 13) for day in range(1, 29)}
    refused = days | {"2026-12-29": "calendar"}
    here = {"agent": "edge-2", "awaited": True, "days": 3, "last": "2026-12-30", "refused": refused}
    lines = shown("en", agents=[here])[1:-1]
    assert lines[0] == "edge-2: 3 days, the last 2026-12-30"
    assert lines[1].startswith("edge-2: 2026-01-01…2026-12-28 (336) not taken: it was packed by another release")
    assert lines[2].startswith("edge-2: 2026-12-29 not taken: its production day begins or ends at another time")
    assert len(lines) == 3
    there = {"waiting": 337, "oldest": "2026-01-01", "refused": refused, "given_up": {"2025-12-30": "other"}}
    lines = shown("ko", outbox=there)[1:-1]
    assert lines[1].startswith("2026-01-01…2026-12-28 (336) 전송하지 못함. 대표 에이전트와 다른 버전에서 만든 날")
    assert lines[3] == "2025-12-30 전송하지 못함. 대표 에이전트에 이날의 다른 기록이 이미 있습니다"


def test_a_reason_of_a_later_release_is_shown_as_it_is() -> None:
    here = {"agent": "edge-2", "awaited": True, "days": 0, "last": None, "refused": {"2026-01-05": "from_later"}}
    assert "edge-2: 2026-01-05 not taken: from_later" in shown("en", agents=[here])
