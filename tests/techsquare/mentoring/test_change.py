"""What the next mentor is handed."""

from __future__ import annotations

from datetime import date

from techsquare.mentoring.change import Entry, handover, told

TODAY = date(2026, 11, 20)  # a Friday


def test_the_sheet_has_everything_once_by_date_and_says_what_is_not_in_it() -> None:
    entries = [
        Entry("task", "t2", "call about the box"),
        Entry("project", "e1", "MES: measuring", date(2026, 12, 1)),
        Entry("task", "t1", "ask about moulds", date(2026, 11, 30)),
        Entry("task", "t1", "ask about moulds", date(2026, 11, 27)),
        Entry("wish", "x1", "no supplier S7"),
    ]
    page = handover("f1", TODAY, entries)
    assert page == handover("f1", TODAY, entries[::-1])
    assert [one.id for one in page.entries] == ["e1", "t1", "t2", "x1"]
    assert page.entries[1].due == date(2026, 11, 27)
    for language, none in (("ko", "없음"), ("en", "none")):
        lines = told(page, language)  # type: ignore[arg-type]
        assert sum(line.startswith("- ") for line in lines) == 4 + 3
        assert lines.count(f"- {none}") == 3
        assert "- 2026-11-27 ask about moulds" in lines
