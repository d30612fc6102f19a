"""A readiness report on a terminal: its first lines, then level, dimensions, machines, indicators, and what is odd.

    page(report, model, language, names, width)     everything
    areas(report, model, language, columns)         the dimensions alone, for a screen with little room

Pure. Nothing is only said by a colour; a value that is not assessed has a reason in the place of its number.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text as Styled

from readiness import words
from readiness.contradictions import CODES
from readiness.dimensions import names as dimension_of
from readiness.flags import FLAGS
from readiness.indicators import REGISTRY
from readiness.model import FORMULAS
from readiness.reference import QUALITIES
from readiness.subjects import about
from readiness.subjects import value as value_of
from readiness.summary import TITLES, chance, head
from readiness.words import DASH, told
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from contract.report import Change, Contradiction, Dimension, Report, Value
    from readiness.model import Model
    from settings.language import Language

WIDE = 100
_NUMBER = re.compile(r"(?<![0-9.])-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?")
"""One of the numbers of a claim, `0.48-0.65`: a minus before the first end, or after a dash."""
CALLED = {"better": Text("better", "개선"), "worse": Text("worse", "악화"), "none": Text("no change", "변화 없음")}
WHY = {
    "coverage": Text("too few", "지표 부족"),
    "gate": Text("required missing", "필수 지표 없음"),
    "not_applicable": Text("not applicable", "해당 없음"),
}


class Words:
    """Fixed texts."""

    title = Text("Digital readiness", "디지털화 준비도")
    chances = Text("level", "수준")
    probability = Text("this or above", "이 수준 이상일 확률")
    meaning = Text("meaning", "뜻")
    dimensions = Text("Dimensions", "영역")
    dimension = Text("dimension", "영역")
    score = Text("score", "점수")
    sampling = Text("90 % interval", "90 % 신뢰구간")
    weights = Text("other weights", "가중치 변화 시")
    assessed = Text("assessed", "평가")
    change = Text("change", "변화")
    machines = Text("Machines and gates", "설비별 통과 조건")
    machine = Text("machine", "설비")
    level = Text("level", "수준")
    passed = Text("passed", "통과")
    failed = Text("not met", "미달")
    open = Text("open", "미확인")
    apart = Text(
        "{} machine{} without production, so not asked for a level", "생산하지 않는 설비 {}대는 수준을 따지지 않음"
    )
    indicators = Text("Indicators", "지표")
    indicator = Text("indicator", "지표")
    value = Text("value", "값")
    coverage = Text("coverage", "평가 범위")
    not_assessed = Text("not assessed", "미평가")
    notes = Text("To be known about values", "값을 볼 때 알아 둘 것")
    odd = Text("Answers that do not fit", "측정과 응답이 다름")
    said = Text("said {}, seen {} ({})", "응답 {}, 확인 {}({})")
    trend = Text("Changes since {} to {}", "변화: {} ~ {} 대비")
    panel = Text("{} machines that both windows know", "두 기간에 모두 있는 설비 {}대 기준")
    added = Text("new, not compared: {}", "새로 추가되어 비교하지 않음: {}")
    gone = Text("gone, not compared: {}", "없어져 비교하지 않음: {}")
    total = Text("all machines {:+.1f}", "전체 설비 {:+.1f}")
    still = Text(
        "no change of five points or more is sure",
        "확실한 변화 없음(90 % 신뢰구간이 0을 벗어나고 5점 이상일 때만 표시)",
    )
    index = Text(
        "Trend index {} (with what is missing {}), for this plant over time only",
        "추세지수 {}(미평가 영역에 따라 {}), 같은 공장의 변화를 볼 때만 사용",
    )
    foot = Text(
        "formulas {}, model {}, evidence {}, confidence {:.0%}", "지표식 {}, 모델 {}, 근거 {}, 신뢰수준 {:.0%}"
    )
    other = Text(
        "made with other formulas or another model than this command knows",
        "이 명령과 다른 지표식이나 모델로 만든 보고서임",
    )


def page(
    report: Report, model: Model, language: Language, names: Mapping[str, str], title: str, width: int
) -> RenderableType:
    """Return the whole report.

    Args:
        report: Of a plant or of a machine, as far as consent goes.
        model: That this release knows.
        language: Of all words.
        names: Machine -> how the factory calls it.
        title: Whose report it is.
        width: Columns of the terminal; below `WIDE` tables lose what matters less.
    """
    wide = width >= WIDE
    parts: list[RenderableType] = [_title(report, language, names, title)]
    parts += _head(report, model, language, names)
    if report.dimensions:
        parts += [_rule(Words.dimensions(language)), areas(report, model, language, wide=wide)]
        if report.index is not None and report.index.value is not None:
            low, high = report.index.low, report.index.high
            text = Words.index(language).format(report.index.value, f"{low}{DASH}{high}")
            parts.append(Padding(Styled(text, "dim"), (0, 1, 0, 2)))
    if report.trend is not None:
        parts += [_rule(Words.trend(language).format(report.trend.first, report.trend.last))]
        parts += _trend(report, model, language, names)
    apart = list(_apart(report, language, names))
    if report.machines or apart:
        parts.append(_rule(Words.machines(language)))
        parts += [_machines(report, model, language, names), *apart] if report.machines else apart
    if report.values:
        parts += [_rule(Words.indicators(language)), _indicators(report, model, language, wide=wide)]
    for heading, rows in (
        (Words.notes, _notes(report.values, language)),
        (Words.odd, _odd(report, language, names)),
    ):
        if found := list(rows):
            parts += [_rule(heading(language)), *found]
    return Group(*parts, Styled(""), *_foot(report, model, language))


def _head(report: Report, model: Model, language: Language, names: Mapping[str, str]) -> Iterator[RenderableType]:
    for key, paragraphs in head(report, model, language, names).items():
        yield _heading(told(TITLES[key], language))
        if key == "next":
            yield from (_bullet(one) for one in paragraphs)
            continue
        yield Padding(Styled(" ".join(paragraphs)), (0, 1, 0, 2))
        if key == "level" and report.chances:
            yield _chances(report, language)


def _title(report: Report, language: Language, names: Mapping[str, str], title: str) -> RenderableType:
    whose = title if report.machine is None else f"{title} · {names.get(report.machine, report.machine)}"
    return Styled.assemble((f" {Words.title(language)} ", "bold white on blue"), "  ", (whose, "bold"))


def _heading(text: str) -> RenderableType:
    return Styled(f"\n {text}", "bold blue")


def _rule(text: str) -> RenderableType:
    return Group(Styled(""), Rule(Styled(text, "bold blue"), align="left", style="blue", characters="─"))


def _bullet(text: str, style: str = "") -> RenderableType:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=3, justify="right")
    table.add_column(overflow="fold")
    table.add_row("-", Styled(text, style))
    return table


def _table() -> Table:
    return Table(box=None, expand=True, header_style="dim", padding=(0, 1))


def bar(score: float | None, width: int = 10) -> Styled:
    """Return a score as a bar and a number; nothing without one."""
    if score is None:
        return Styled("")
    full = round(score / 100 * width)
    style = "green" if score >= 80 else "yellow" if score >= 50 else "red"
    return Styled.assemble(("█" * full, style), ("·" * (width - full), "dim"), f" {score:3.0f}")


def _chances(report: Report, language: Language) -> RenderableType:
    table = Table(box=None, header_style="dim", padding=(0, 1), pad_edge=True)
    for text in (Words.chances, Words.probability, Words.meaning):
        table.add_column(text(language), no_wrap=True)
    for one in report.chances:
        table.add_row(f" EL{one.level}", chance(one), told(words.OFFICIAL[one.level], language))
    return Padding(table, (0, 0, 0, 1))


def areas(report: Report, model: Model, language: Language, *, wide: bool) -> RenderableType:
    """Return the dimensions as a table."""
    changed = {c.id: c for c in report.trend.changes} if report.trend is not None else {}
    table = _table()
    table.add_column(Words.dimension(language), no_wrap=True)
    table.add_column(Words.score(language), no_wrap=True)
    table.add_column(Words.sampling(language), overflow="fold", ratio=1)
    if wide:
        table.add_column(Words.weights(language), no_wrap=True)
    table.add_column(Words.assessed(language), justify="right", no_wrap=True)
    if changed:
        table.add_column(Words.change(language), no_wrap=True)
    for one in report.dimensions:
        row: list[RenderableType] = [words.dimension(model, one.id, language)]
        row += _scored(one, language, wide=wide)
        row.append(f"{one.assessed}/{one.applicable}")
        if changed:
            row.append(_changed(changed.get(one.id), language))
        table.add_row(*row)
    return table


def _scored(one: Dimension, language: Language, *, wide: bool) -> list[RenderableType]:
    if one.score is None:
        why = WHY[one.reason or "coverage"](language)
        needed = ", ".join(one.missing) if one.reason in {"gate", "coverage"} else ""
        text = Styled(f"{why}", "yellow")
        return [text, Styled(needed, "dim"), *([""] if wide else [])]
    row: list[RenderableType] = [bar(one.score), _ends(one.lo, one.hi)]
    return [*row, _ends(one.least, one.most)] if wide else row


def _ends(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return DASH
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f}{DASH}{high:.0f}"


def _changed(one: Change | None, language: Language) -> Styled:
    if one is None:
        return Styled("")
    style = {"better": "green", "worse": "bold red", "none": "dim"}[one.called]
    text = f"{one.d:+.1f}" if one.called == "none" else f"{one.d:+.1f} {CALLED[one.called](language)}"
    return Styled(text, style)


def _trend(report: Report, model: Model, language: Language, names: Mapping[str, str]) -> Iterator[RenderableType]:
    found = report.trend
    assert found is not None
    yield Styled(f"  {Words.panel(language).format(found.panel)}", "dim")
    for text, machines in ((Words.added, found.added), (Words.gone, found.gone)):
        if machines:
            yield _bullet(text(language).format(", ".join(names.get(m, m) for m in machines)))
    sure = [one for one in found.changes if one.called != "none"]
    for one in sure:
        called = (
            words.dimension(model, one.id, language) if one.id.startswith("D") else words.name(one.id, language)
        )
        total = "" if one.total is None else f", {Words.total(language).format(one.total)}"
        line = Styled(f"{called} {one.before:.1f} → {one.after:.1f}: ")
        line.append_text(Styled.assemble(_changed(one, language), f" [{one.lo:+.1f}, {one.hi:+.1f}]{total}"))
        yield Padding(line, (0, 1, 0, 4))
    if not sure:
        yield Styled(f"  {Words.still(language)}")


def _machines(report: Report, model: Model, language: Language, names: Mapping[str, str]) -> RenderableType:
    """Return per machine its level and, level by level, which conditions it fails and which are open."""
    table = _table()
    table.add_column(Words.machine(language), max_width=20)
    table.add_column(Words.level(language), no_wrap=True)
    for step in model.gates.levels:
        table.add_column(f"EL{step.level}", ratio=len(step.all), overflow="fold")
    for one in report.machines:
        level = f"EL{one.level.low}" + ("" if one.level.low == one.level.high else f"{DASH}{one.level.high}")
        row: list[RenderableType] = [Styled(names.get(one.id, one.id), "bold"), level]
        at = 0
        for step in model.gates.levels:
            states = zip(report.conditions[at : at + len(step.all)], one.gates[at:], strict=False)
            row.append(_step(list(states), language))
            at += len(step.all)
        table.add_row(*row)
    return table


def _apart(report: Report, language: Language, names: Mapping[str, str]) -> Iterator[RenderableType]:
    """Yield which machines the levels leave out, by name where it is clear which they are."""
    if (
        report.machine is not None
        or report.measured is None
        or not report.conditions
        or "machines" in report.omitted
    ):
        return
    judged = {one.id for one in report.machines}
    if number := report.measured.machines - len(judged):
        rest = [name for machine, name in names.items() if machine not in judged]
        text = Words.apart(language).format(number, "" if number == 1 else "s")
        yield Styled(f"  {text}" + (f": {', '.join(rest)}" if len(rest) == number else ""), "dim")


def _step(states: Sequence[tuple[str, str]], language: Language) -> RenderableType:
    """Return what a level asks for and the machine does not show."""
    found = Styled()
    for letter, text, style in (("F", Words.failed, "red"), ("U", Words.open, "yellow")):
        if named := [words.short(name, language) for name, state in states if state == letter]:
            found.append(f"{' ' if found else ''}{text(language)} {', '.join(named)}", style)
    return found or Styled(Words.passed(language), "green")


def _indicators(report: Report, model: Model, language: Language, *, wide: bool) -> RenderableType:
    table = _table()
    table.add_column("", no_wrap=True)
    table.add_column(Words.indicator(language), ratio=1)
    table.add_column(Words.value(language), justify="right", no_wrap=True)
    table.add_column(Words.sampling(language), overflow="fold", max_width=20)
    table.add_column(Words.coverage(language), justify="right", no_wrap=True)
    if wide:
        table.add_column(Words.score(language), no_wrap=True)
    of = dimension_of(model.dimensions)
    for identity, values in groupby(report.values, key=lambda value: of.get(value.metric, "")):
        table.add_row("", Styled(words.dimension(model, identity, language), "bold blue"))
        for value in values:
            table.add_row(*_indicator(value, language, wide=wide))
    return table


def _indicator(value: Value, language: Language, *, wide: bool) -> list[RenderableType]:
    name = words.name(value.metric, language).partition(" ")[2]
    row: list[RenderableType] = [Styled(value.metric, "bold"), name or value.metric]
    if value.value is None:
        applies = value.reason != "NOT_APPLICABLE"
        why = words.reason(value.reason or "NA_NO_EVIDENCE", language, value.metric)
        state = Words.not_assessed(language) if applies else DASH
        style = "yellow" if applies else "dim"
        return [*row, Styled(state, style), Styled(why, style), "", *([""] * wide)]
    row += [
        Styled(words.amount(value.value, value.unit, language), "bold"),
        words.interval(value, language),
        words.percent(value.coverage),
    ]
    return [*row, bar(value.score)] if wide else row


def _notes(values: Sequence[Value], language: Language) -> Iterator[RenderableType]:
    """Yield what flags and origins say, each with the indicators that it concerns."""
    found: dict[str, list[str]] = {}
    for value in values:
        for flag in value.flags:
            text = told(FLAGS[flag], language) if flag in FLAGS else flag
            found.setdefault(text, []).append(value.metric)
        if value.quality in {"edge-only", "partial", "derived"}:
            found.setdefault(told(QUALITIES[value.quality], language), []).append(value.metric)
    for text, metrics in found.items():
        yield _bullet(f"{', '.join(metrics)}: {text}")


def _odd(report: Report, language: Language, names: Mapping[str, str]) -> Iterator[RenderableType]:
    for one in report.contradictions:
        english, korean = CODES.get(one.code, (one.code, one.code))
        line = f"{_what(one, language, names)}: {Text(english, korean)(language)}"
        if one.said or one.seen:  # without consent they stay in the factory
            shown = [_said(one, text, language) or DASH for text in (one.said, one.seen)]
            line += f". {Words.said(language).format(*shown, one.when)}"
        yield _bullet(line)


def _said(one: Contradiction, text: str, language: Language) -> str:
    """Return what was said or seen; the numbers of an indicator in its unit, as the rest of the report has them."""
    if one.code != "claim" or one.subject not in REGISTRY:
        return value_of(text, language)
    unit = REGISTRY[one.subject].unit
    ends = [float(end) for end in _NUMBER.findall(text)]
    if len(ends) == 2:
        return words.span(ends[0], ends[1], unit)
    sign = "≥ " if text.endswith("-") else ""
    return f"{sign}{words.amount(ends[0], unit, language)}" if ends else text


def _what(one: Contradiction, language: Language, names: Mapping[str, str]) -> str:
    """Return what an answer is about, with its machine in front."""
    told_ = about(one.subject, language, names)
    if one.machine is None or (language == "ko" and " " in one.subject):
        return told_
    return f"{names.get(one.machine, one.machine)} {told_.removeprefix(f'machine {one.machine} ')}"


def _foot(report: Report, model: Model, language: Language) -> Iterator[RenderableType]:
    text = Words.foot(language).format(report.formulas, report.model, report.evidence, report.confidence)
    yield Padding(Styled(text, "dim"), (0, 1))
    if report.formulas != FORMULAS or report.model != model.hash:
        yield Padding(Styled(Words.other(language), "yellow"), (0, 1))
