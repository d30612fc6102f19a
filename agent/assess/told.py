"""What a person reads of an assessment beside its report: what it rests on, and what it cannot say. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.base import written
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.assess.run import Part, Result
    from settings.language import Language

_SHOWN = 8
_MANY = 0.1
"""Doubles of one export are fewer; a spreadsheet that shows minutes leaves many values at one time."""


def basis(result: Result, language: Language) -> Iterator[str]:
    """Yield what an assessment of stored data rests on and what it cannot prove; the report stands above."""
    yield Text("## What it rests on", "## 사용한 자료")(language)
    for part in result.parts:
        yield from _part(part, language)
    yield from _notes(result, language)
    why: dict[str, list[str]] = {}
    for metric, text in sorted({m: t for found in result.unprovable.values() for m, t in found.items()}.items()):
        why.setdefault(text(language), []).append(f"{metric}{_where(result, metric)}")
    yield ""
    yield Text("## What stored data cannot prove", "## 저장된 자료로 확인할 수 없는 것")(language)
    for reason, metrics in why.items():
        yield f"- {', '.join(metrics)}: {reason}"


def _where(result: Result, metric: str) -> str:
    """Return at which machines an indicator cannot be proved, where it can be at others."""
    named = [m.name for m in result.plant.machines if metric in result.unprovable.get(m.id, ())]
    return "" if len(named) == len(result.plant.machines) else f" ({', '.join(named)})"


def _part(part: Part, language: Language) -> Iterator[str]:
    seen, source = part.seen, part.source
    kind = {
        "sampled": Text("stored at an interval of", "저장 주기"),
        "changes": Text("stored on change, silent at most", "변화 시 저장, 최대 무변화"),
    }[part.config.stored](language)
    guess = Text(", estimated from the data", ", 자료에서 추정")(language) if part.estimated else ""
    plural = "" if len(part.files) == 1 else "s"
    files = Text(f"{len(part.files)} file{plural}", f"파일 {len(part.files)}개")
    origin = files(language) if part.files else source.protocol
    yield "- " + Text(
        f"{part.config.id} ({origin}): {len(source.signals)} signals, {seen.rows:,} values, "
        f"{kind} {written(source.interval_ns)}{guess}",
        f"{part.config.id} ({origin}): 태그 {len(source.signals)}개, 값 {seen.rows:,}개, "
        f"{kind} {written(source.interval_ns)}{guess}",
    )(language)
    for index, first in sorted(seen.first.items()):
        count, column = int(seen.unreadable[index]), part.config.signals[index].column
        yield "  - " + Text(
            f"{column}: {count:,} cells are no value and count as bad, first {first.text!r} at {first.place}",
            f"{column}: 값이 아닌 칸 {count:,}개(불량 처리), 처음 {first.place}: {first.text!r}",
        )(language)
    if part.config.stored == "sampled":
        yield from _paces(part, language)
    if seen.unlisted:
        words = ", ".join(repr(text) for text, _ in seen.unlisted.most_common(_SHOWN))
        yield "  - " + Text(
            f"{seen.unlisted.total():,} rows have a status that is not listed and count as bad: {words}",
            f"quality에 없는 상태 {seen.unlisted.total():,}행(불량 처리): {words}",
        )(language)
    if seen.unused:
        names = ", ".join(str(name) for name in sorted(seen.unused)[:_SHOWN])
        more = len(seen.unused) - _SHOWN
        yield "  - " + Text(
            f"tags that no signal reads: {names}" + (f" and {more} more" if more > 0 else ""),
            f"사용하지 않은 태그: {names}" + (f" 외 {more}개" if more > 0 else ""),
        )(language)


def _paces(part: Part, language: Language) -> Iterator[str]:
    """Yield which columns keep to another interval than their source, and what that does to the report."""
    own_ns = part.source.interval_ns
    found: dict[int, list[tuple[str, float]]] = {}
    for pace in part.seen.paces.others():
        found.setdefault(pace.interval_ns, []).append((part.config.signals[pace.signal].column, pace.share))
    for interval_ns, columns in sorted(found.items()):
        names = ", ".join(name for name, _ in columns[:_SHOWN])
        more = len(columns) - _SHOWN
        least, most = (f"{edge(share for _, share in columns):.0%}" for edge in (min, max))
        shares = least if least == most else f"{least}-{most}"
        own, other = written(own_ns), written(interval_ns)
        if interval_ns > own_ns:
            en = f"what lies between counts as lost. If it was meant so, write every: {other}"
            ko = f"그 사이는 수집 공백으로 계산됨. 원래 그렇다면 every: {other}로 쓰십시오"
        else:
            en = f"gaps shorter than {own} are not seen. If it was meant so, write every: {other}"
            ko = f"{own}보다 짧은 공백은 찾지 못함. 원래 그렇다면 every: {other}로 쓰십시오"
        yield "  - " + Text(
            f"{names}{f' and {more} more' if more > 0 else ''}: {shares} of the time at {other} and not at {own}; "
            f"{en}, in a source of its own (over the same files) if other columns keep {own}",
            f"{names}{f' 외 {more}개' if more > 0 else ''}: 저장 주기가 {own}가 아니라 {other}인 시간이 {shares}. "
            f"{ko}({own} 주기인 열도 있으면 같은 파일을 읽는 source를 따로 만드십시오)",
        )(language)


def _notes(result: Result, language: Language) -> Iterator[str]:
    if result.left_out is not None:
        yield "- " + Text(
            f"the data ends within the planned time of {result.left_out}: that day is left out",
            f"{result.left_out} 근무시간 중에 자료가 끝나 그날은 제외",
        )(language)
    if result.empty:
        days = ", ".join(result.empty[:_SHOWN]) + (" ..." if len(result.empty) > _SHOWN else "")
        yield "- " + Text(
            f"no data at all on {days}, which counts as lost: is a file missing?",
            f"{days}: 자료가 전혀 없어 누락으로 계산됨. 빠진 파일이 있는지 확인하십시오",
        )(language)
    if result.late:
        rows = sum(part.seen.rows for part in result.parts)
        coarse = Text("; do the times lack seconds?", ". 시각에 초가 빠졌는지 확인하십시오")
        asked = coarse(language) if result.late > _MANY * rows else ""
        yield "- " + Text(
            f"{result.late:,} of {rows:,} values came twice or out of order and were left out{asked}",
            f"값 {rows:,}개 가운데 중복되거나 순서가 뒤바뀐 {result.late:,}개 제외{asked}",
        )(language)
