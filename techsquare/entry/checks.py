"""What must hold in a form of entry: each of the twenty stands there once, together they take fifteen minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from settings.language import Text
from settings.tree import Map, Problem, locate
from techsquare.catalogue.finding import entries, told, twice
from techsquare.entry.model import MINUTES, QuestionId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from techsquare.catalogue.finding import Finding

TWENTY: tuple[str, ...] = get_args(QuestionId)
CHOSEN = frozenset({"process", "connection", "orders", "limits"})
"""Questions with choices, the others ask for a number."""
TIMES = (
    "hours_day", "days_week", "fault_minutes", "changeovers", "setup_minutes", "waiting_minutes", "pace_percent",
    "rejects_percent",
)  # fmt: skip
"""Questions without which there is no account: each needs a prior for who does not know."""
TELL = ("yes", "no")
"""Choices of `orders` and `limits`; that nobody knows is no choice."""


def form(root: Map) -> Iterator[Problem]:
    """Yield what is wrong between the parts of a form."""
    yield from told(root, twice(root, ("questions",)))
    yield from told(root, twice(root, ("checks",)))
    yield from told(root, _kinds(root))
    yield from told(root, _narrowed(root))
    there = {entry.get("id") for _, entry in entries(root, "questions")}
    if missing := [name for name in TWENTY if name not in there]:
        line, path = locate(root, ("questions",))
        names = ", ".join(missing)
        yield Problem(line, Text(f"these are missing: {names}", f"빠진 질문이 있습니다: {names}"), path)
    seconds = [_number(entry.get("seconds")) for _, entry in entries(root, "questions")]
    if sum(seconds) > MINUTES * 60:
        line, path = locate(root, ("questions",))
        yield Problem(
            line,
            Text(
                f"together they take {sum(seconds):.0f} s: at most {MINUTES} minutes",
                f"모두 {sum(seconds):.0f}초 걸립니다. {MINUTES}분 이내로 줄이십시오",
            ),
            path,
        )


def _number(value: object) -> float:
    """Return a number as it stands in plain data, which may hold words; 0 for anything else."""
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _kinds(root: Map) -> Iterator[Finding]:
    for index, entry in entries(root, "questions"):
        name = entry.get("id")
        choices = {choice.get("id") for _, choice in entries(entry, "choices")}
        if name in TWENTY and (name in CHOSEN) != bool(choices):
            yield (
                ("questions", index, "id"),
                Text(f"{name} asks for a number", f"{name}은(는) 숫자로 묻는 질문입니다")
                if choices
                else Text(f"{name} asks for a choice", f"{name}은(는) 고르는 질문입니다"),
            )
        elif name in TIMES and not isinstance(entry.get("prior"), Map):
            yield (
                ("questions", index, "id"),
                Text(
                    f"{name} needs a prior: nobody may have to know", f"{name}에는 prior가 있어야 합니다(모름 허용)"
                ),
            )
        elif name in {"orders", "limits"} and choices != set(TELL):
            yield (
                ("questions", index, "choices"),
                Text("its choices are yes and no", "선택지는 yes와 no입니다"),
            )


def _narrowed(root: Map) -> Iterator[Finding]:
    for index, entry in entries(root, "checks"):
        for number, narrows in entries(entry, "narrows"):
            if narrows.get("question") in CHOSEN:
                yield (
                    ("checks", index, "narrows", number, "question"),
                    Text("a choice cannot be narrowed", "고르는 질문은 좁힐 수 없습니다"),
                )
