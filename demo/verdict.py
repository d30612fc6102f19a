"""The readiness report in the room that the demo's screen has: first lines, dimensions, a value of each indicator.

The whole report is `agent.cli.reportview`. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text as Styled

from agent.cli.reportview import bar
from readiness import words
from readiness.summary import chance
from readiness.words import percent, reason
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from contract.report import Dimension, Report, Value
    from readiness.model import Model
    from settings.language import Language

MODELS = {"korean_portal": Text("Korean portal", "스마트공장 포털"), "siri": Text("SIRI", "SIRI"),
          "acatech": Text("acatech", "acatech")}  # fmt: skip
NARROW = 19  # columns of one indicator


class Words:
    """Fixed texts."""

    level = Text("Evidence level {}, no KOSMO level", "근거수준 {}, KOSMO 수준확인 아님")
    chance = Text("{} or more: {}", "{} 이상일 확률 {}")
    measured = Text("measured", "측정")
    machines = Text("{} of {} machines", "설비 {}대 중 {}대")
    signals = Text("{} signals", "태그 {}개")
    days = Text("{} production days", "생산일 {}일")
    known = Text("{} of planned time known", "계획시간 {} 파악")
    covers = Text("covers", "모델")
    open = Text("not proven", "미평가")
    number = Text("{} of {}", "지표 {}개 중 {}개")
    design = Text("anchors uncalibrated", "점수 기준 미보정")
    next = Text("needed next", "다음 근거")


def lines(report: Report, model: Model, language: Language) -> list[Styled]:
    """Return the first lines of a report, each of one line of a terminal that cuts what is too long."""
    w, found = Words, []
    if report.level is not None:
        stands = report.level if report.standing is None else report.standing.level
        text = Styled(" ").append(w.level(language).format(words.level(stands, language)), "bold")
        later = next((c for c in report.chances if c.level == report.level.low + 1), None)
        if later is not None:
            text.append(f" · {w.chance(language).format(f'EL{later.level}', chance(later))}")
        found.append(text)
    if (there := report.measured) is not None:
        reached = (there.reached, there.machines) if language == "en" else (there.machines, there.reached)
        parts = [w.machines(language).format(*reached), w.signals(language).format(there.signals),
                 w.days(language).format(report.window.production_days),
                 w.known(language).format(percent(there.known))]  # fmt: skip
        found.append(_line(w.measured(language), parts))
    covers = [f"{MODELS[m.id](language)} {m.parts}/{m.of}" for m in model.crosswalk.models if m.id in MODELS]
    found.append(_line(w.covers(language), [*covers, w.design(language)]))
    lacking = [v for v in report.values if v.value is None and v.reason != "NOT_APPLICABLE"]
    counted = words.reasons(lacking, language)
    missing = len(lacking), len(report.values)
    number = w.number(language).format(*(missing if language == "en" else reversed(missing)))
    found.append(_line(w.open(language), [f"{number}: {counted}" if counted else number]))
    if pieces := words.next_pieces(report, model):
        found.append(_line(w.next(language), [words.name(one, language) for one in pieces]))
    for text in found:
        text.no_wrap, text.overflow = True, "ellipsis"
    return found


def _line(title: str, parts: Sequence[str]) -> Styled:
    return Styled.assemble((f" {title}  ", "blue"), " · ".join(parts))


def areas(report: Report, model: Model, language: Language) -> RenderableType:
    """Return the dimensions in two columns, half as many lines as there are."""
    table = Table.grid(padding=(0, 1), expand=True)
    for _ in range(2):
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
    half = (len(report.dimensions) + 1) // 2
    for at in range(half):
        row: list[RenderableType] = []
        for one in report.dimensions[at::half]:
            row += [f" {words.dimension(model, one.id, language)}", _score(one, language)]
        table.add_row(*row)
    return table


def _score(one: Dimension, language: Language) -> Styled:
    """Return a score with its interval, or that there is none and of how much it would be made."""
    if one.score is None or one.lo is None or one.hi is None:
        text = Words.open(language) if one.reason != "not_applicable" else reason("NOT_APPLICABLE", language)
        return Styled.assemble((text, "yellow"), (f" {one.assessed}/{one.applicable}", "dim"))
    ends = f" ({one.lo:.0f}{words.DASH}{one.hi:.0f})" if round(one.lo) != round(one.hi) else ""
    return Styled.assemble(bar(one.score), (ends, "dim"))


def values(report: Report, language: Language, width: int) -> tuple[RenderableType, int]:
    """Return id and value of each indicator in as many columns as there is room for, and their lines."""
    columns = max(1, width // NARROW)
    lines_ = -(-len(report.values) // columns)
    table = Table.grid(padding=(0, 0), expand=True)
    for _ in range(columns):
        table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
    for at in range(lines_):
        table.add_row(*(_value(one, language) for one in report.values[at::lines_]))
    return table, lines_


def _value(one: Value, language: Language) -> Styled:
    if one.value is None:
        text = Words.open(language) if one.reason != "NOT_APPLICABLE" else reason("NOT_APPLICABLE", language)
        return Styled.assemble((f" {one.metric} ", "bold"), (text, "yellow"))
    return Styled.assemble((f" {one.metric} ", "bold"), words.amount(one.value, one.unit, language))
