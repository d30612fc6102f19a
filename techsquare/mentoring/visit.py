"""The sheet of one visit: what to look at, what to measure first, what to ask. One page, for a phone or on paper.

    differences   an answer and a measurement that do not fit: a question, never a judgement
    missing       what is not assessed and why, what opens the most first
    measure       the three cheapest things to measure that would tell something which nobody knows yet
    questions     what signals cannot show (organisation, skills, plans), unanswered first, then the oldest answers

A part that does not fit onto the page says how many more there are. A thing whose price nobody has told is not
cheap: it comes after all that have one. Of several things that tell the same, the cheapest is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from settings.language import Language

DIFFERENCES, MISSING, MEASURE, QUESTIONS = 8, 8, 3, 10
"""Lines of each part that fit onto the page."""
OLD_DAYS = 365
"""An answer that is older is asked again."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Difference:
    """As the report tells it (`contract.report.Contradiction`), and since when."""

    code: str
    subject: str
    said: str
    seen: str
    machine: str | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """Evidence that is missing: metric, reason, the machines, and how many things it would open."""

    metric: str
    reason: str
    machines: Sequence[str] = ()
    opens: int = 1


@dataclass(frozen=True, slots=True)
class Measurable:
    """Something that could be measured: what it tells, won (None: not told), minutes of work on the floor."""

    id: str
    tells: frozenset[str]
    won: int | None
    minutes: int
    title: Text


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the questionnaire, and when it was answered last."""

    id: str
    text: Text
    answered: date | None = None


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Lines of the page, and how many more there are."""

    lines: Sequence[T]
    more: int


@dataclass(frozen=True, slots=True)
class VisitSheet:
    """The page."""

    factory: str
    on: date
    differences: Part[Difference]
    missing: Part[Missing]
    measure: Part[Measurable]
    questions: Part[Question]


def sheet(
    factory: str,
    on: date,
    *,
    differences: Iterable[Difference] = (),
    missing: Iterable[Missing] = (),
    measurable: Iterable[Measurable] = (),
    known: frozenset[str] = frozenset(),
    questions: Iterable[Question] = (),
) -> VisitSheet:
    """Return the sheet of a visit; everything may come in any order.

    Args:
        factory: Whose.
        on: The day of the visit.
        differences: All that are open.
        missing: All evidence that is missing.
        measurable: What could be measured at this factory.
        known: What is measured or counted already, in the words of `Measurable.tells`.
        questions: What signals cannot show.
    """
    asked = [one for one in questions if one.answered is None or (on - one.answered).days >= OLD_DAYS]
    return VisitSheet(
        factory=factory,
        on=on,
        differences=_part(sorted(set(differences), key=_age), DIFFERENCES),
        missing=_part(_joined(missing), MISSING),
        measure=_part(cheapest(measurable, known), MEASURE),
        questions=_part(
            sorted(asked, key=lambda one: (one.answered is not None, one.answered or on, one.id)), QUESTIONS
        ),
    )


def cheapest(measurable: Iterable[Measurable], known: frozenset[str]) -> list[Measurable]:
    """Return what is worth measuring, cheapest first: each tells something that nothing cheaper tells already."""
    told = set(known)
    found: list[Measurable] = []
    for one in sorted(measurable, key=lambda one: (one.won is None, one.won or 0, one.minutes, one.id)):
        if one.tells - told:
            found.append(one)
            told |= one.tells
    return found


_PARTS = (
    Text("Look at: answers and measurements that differ", "확인할 것: 측정과 응답이 다른 항목"),
    Text("Missing evidence", "부족한 근거"),
    Text("Measure first (the three cheapest)", "먼저 측정할 것(비용이 가장 적은 세 가지)"),
    Text("Ask: what signals cannot show", "물어볼 것: 신호로 알 수 없는 내용"),
)
_MORE = Text("{n} more in the factory's file", "그 밖에 {n}건은 공장 자료에 있음")
_NONE = Text("none", "없음")
_LINE = Text("said {said}, measured {seen}", "응답 {said}, 측정 {seen}")
_PRICE = Text("{won:,} won, {minutes} min", "{won:,}원, {minutes}분")
_UNPRICED = Text("price not known, {minutes} min", "비용 미확인, {minutes}분")


def told(page: VisitSheet, language: Language) -> list[str]:
    """Return the page as lines."""
    parts: tuple[tuple[list[str], int], ...] = (
        ([_difference(one, language) for one in page.differences.lines], page.differences.more),
        (
            [f"{one.metric} {one.reason}{_machines(one.machines)}" for one in page.missing.lines],
            page.missing.more,
        ),
        ([_measure(one, language) for one in page.measure.lines], page.measure.more),
        ([one.text(language) for one in page.questions.lines], page.questions.more),
    )
    lines = [f"{page.factory} {page.on.isoformat()}"]
    for name, (rows, more) in zip(_PARTS, parts, strict=True):
        lines.append(name(language))
        lines += [f"[ ] {row}" for row in rows] or [f"- {_NONE(language)}"]
        if more:
            lines.append(f"- {_MORE(language).format(n=more)}")
    return lines


def _difference(one: Difference, language: Language) -> str:
    where = f"{one.machine} " if one.machine else ""
    return f"{where}{one.subject}: {_LINE(language).format(said=one.said, seen=one.seen)}"


def _measure(one: Measurable, language: Language) -> str:
    price = _UNPRICED if one.won is None else _PRICE
    return f"{one.title(language)} ({price(language).format(won=one.won, minutes=one.minutes)})"


def _machines(names: Sequence[str]) -> str:
    return f" ({', '.join(names)})" if names else ""


def _age(one: Difference) -> tuple[bool, str, str, str, str, str]:
    since = "" if one.since is None else one.since.isoformat()
    return one.since is None, since, one.code, one.machine or "", one.subject, f"{one.said}\x1f{one.seen}"


def _joined(missing: Iterable[Missing]) -> list[Missing]:
    """Return one line a metric and reason with all its machines, what opens the most first."""
    machines: dict[tuple[str, str], set[str]] = {}
    opens: dict[tuple[str, str], int] = {}
    for one in missing:
        key = (one.metric, one.reason)
        machines.setdefault(key, set()).update(one.machines)
        opens[key] = max(opens.get(key, 0), one.opens)
    found = [Missing(*key, tuple(sorted(names)), opens[key]) for key, names in machines.items()]
    return sorted(found, key=lambda one: (-one.opens, one.metric, one.reason))


def _part(lines: Sequence[T], most: int) -> Part[T]:
    return Part(tuple(lines[:most]), max(0, len(lines) - most))
