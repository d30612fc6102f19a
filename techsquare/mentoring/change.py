"""What the next mentor is handed.

What the hand-over sheet holds is what the next mentor needs tomorrow: what is open, with its date. What the owner
has told the former mentor alone is in no table, so it is not here; the sheet says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from settings.language import Language

HANDOVER_DAYS = 3
"""Planned days until the next mentor has read the sheet and has called."""
Part = Literal["project", "task", "visit", "message", "contradiction", "wish"]
PARTS: dict[Part, Text] = {
    "project": Text("Projects", "진행 중인 사업"),
    "task": Text("Tasks", "할 일"),
    "visit": Text("Visits", "방문"),
    "message": Text("Messages without an answer", "답하지 않은 메시지"),
    "contradiction": Text("Answers and measurements that differ", "측정과 응답이 다름"),
    "wish": Text("What the owner does not want", "대표가 원하지 않는 것"),
}
"""In the order of the sheet."""
_HEAD = Text("Hand-over", "인수인계서")
_NOTHING = Text("none", "없음")
_UNTOLD = Text(
    "What was said and not written down is not here. Ask the owner what matters to him before anything else.",
    "말로만 나눈 내용은 여기에 없습니다. 먼저 대표에게 무엇이 중요한지 물어보십시오.",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the sheet, as ids and texts that stand in the registry."""

    part: Part
    id: str
    text: str
    due: date | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is handed over, in the order of `PARTS`, by date within a part."""

    factory: str
    made_on: date
    entries: Sequence[Entry] = field(default_factory=tuple)


def handover(factory: str, made_on: date, entries: Sequence[Entry]) -> Sheet:
    """Return the sheet; each id once in its part, the earliest date of it."""
    first: dict[tuple[Part, str], Entry] = {}
    for one in entries:
        has = first.get((one.part, one.id))
        if has is None or _when(one) < _when(has):
            first[one.part, one.id] = one
    order = list(PARTS)
    kept = sorted(first.values(), key=lambda one: (order.index(one.part), _when(one), one.id))
    return Sheet(factory, made_on, tuple(kept))


def told(sheet: Sheet, language: Language) -> list[str]:
    """Return the sheet as lines for a screen or paper; an empty part says that it is."""
    lines = [f"{_HEAD(language)} {sheet.factory} {sheet.made_on.isoformat()}"]
    for part, name in PARTS.items():
        lines.append(name(language))
        rows = [one for one in sheet.entries if one.part == part]
        lines += [f"- {one.due.isoformat() + ' ' if one.due else ''}{one.text}" for one in rows]
        if not rows:
            lines.append(f"- {_NOTHING(language)}")
    lines.append(_UNTOLD(language))
    return lines


def _when(entry: Entry) -> tuple[bool, str, str]:
    return entry.due is None, "" if entry.due is None else entry.due.isoformat(), entry.text
