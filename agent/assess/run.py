"""From files and queries to an assessment: reads all of it once, in order of time, and keeps days of evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import numpy as np

from agent.analyzers.evidence import SILENT_NS, make
from agent.analyzers.ledger import Ranges
from agent.assess.estimate import interval_ns
from agent.assess.influx import Query, as_rows
from agent.assess.merge import merged
from agent.assess.provable import unprovable
from agent.assess.stream import Seen, Stream
from agent.assess.table import Table, Wanted
from agent.frame import DataType, FrameBlock, Status, Watermark, gap_event
from answers.plant import join
from readiness.evidence import load
from readiness.indicators.base import Missing
from readiness.outcomes import withhold
from readiness.report import Site, assess
from settings.errors import ConfigError
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from agent.analyzers.evidence import DayLedger
    from agent.assess.config import AssessConfig, DataSource
    from agent.assess.provable import Kind
    from agent.frame import Source
    from answers.load import Given
    from readiness.model import Model
    from readiness.plant import Plant
    from readiness.report import Assessment
    from readiness.schedule import Calendar
    from settings.language import Language

    Progress = Callable[[int], None]

LIMIT = 1.2
"""Intervals that may be missing at the end of the last day, as in A01."""
AGENT = "assess"


@dataclass(frozen=True, slots=True)
class Part:
    """One source: how it was read, and what was found.

    Attributes:
        config: As in the file.
        source: As it flows.
        estimated: Whether the interval was estimated from the data.
        files: That were read, empty for a query.
        seen: What was found.
        kinds: For `provable`.
    """

    config: DataSource
    source: Source
    estimated: bool
    files: tuple[Path, ...]
    seen: Seen
    kinds: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class Result:
    """An assessment and where it comes from.

    Attributes:
        assessment: The report.
        plant: What was said.
        calendar: When the site works.
        parts: The sources.
        days: ISO date -> evidence.
        unprovable: Machine -> indicator -> why it is not assessed.
        left_out: ISO date of the last day, where the data ends within its planned time.
        empty: Planned days of the window of which no source holds anything: is a file missing?
        late: Rows that were no later than one before of the same signal: doubles, or out of order.
    """

    assessment: Assessment
    plant: Plant
    calendar: Calendar
    parts: tuple[Part, ...]
    days: Mapping[str, bytes]
    unprovable: Mapping[str, Mapping[str, Text]]
    left_out: str | None
    empty: tuple[str, ...]
    late: int


class Reading:
    """Everything that is read for one assessment.

    Args:
        config: The file of the assessment.
        name: Its name, for complaints.
        paths: Files with data.
        answers: What people say.
        language: Of complaints.
        progress: Is told of each number of bytes read.
    """

    def __init__(
        self,
        config: AssessConfig,
        name: str,
        paths: Sequence[Path],
        answers: Sequence[Given],
        language: Language,
        progress: Progress,
    ) -> None:
        self._config = config
        self._name = name
        self._language: Language = language
        self._progress = progress
        self._calendar = config.calendar()
        self._bounds = (0, 0)
        self.parts = tuple(self._part(source, files) for source, files in self._matched(paths))
        catalog = [part.source for part in self.parts]
        self._joined = join(catalog, config.inventory(), self._calendar, answers)

    def assess(self, model: Model) -> Result:
        """Read the data and assess it.

        Raises:
            ConfigError: it cannot be used, with file and line.
        """
        ranges = {name: Ranges(m.limits, m.usual) for name, m in self._joined.ranges().items()}
        evidence = make([p.source for p in self.parts], self._calendar, None, self._joined.plant.loops, ranges)
        days = dict(self._days(evidence))
        self._check()
        now_ns, left_out = self._now()
        calendar = self._joined.calendar
        limits = self._unprovable()
        site = Site(self._config.factory, self._config.site, AGENT)
        catalog = [part.source for part in self.parts]
        assessment = assess(days, {}, catalog, self._joined.plant, calendar, now_ns, model, site)
        for machine, found in limits.items():
            for metric in found:
                withhold(assessment.view, metric, machine, Missing("NA_NOT_IN_SOURCE"))
        records = [load(raw) for raw in days.values()]
        window = assessment.plant().window
        planned = [
            day.isoformat()
            for day in _dates(calendar, min(p.seen.first_ns for p in self.parts), now_ns)
            if window.first <= day.isoformat() <= window.last and calendar.planned_spans(day).length()
        ]
        told = {r.day for r in records if any(s.known >= 0 for part in r.sources for s in part.signals.values())}
        return Result(
            assessment=assessment,
            plant=self._joined.plant,
            calendar=calendar,
            parts=self.parts,
            days=days,
            unprovable=limits,
            left_out=left_out,
            empty=tuple(day for day in planned if day not in told),
            late=sum(part.late for record in records for part in record.sources),
        )

    def _days(self, evidence: DayLedger) -> Iterator[tuple[str, bytes]]:
        """Feed the analyzers; yield days as they close."""
        parts = {part.source.id: part for part in self.parts}
        openers = {
            part.source.id: [self._opener(part, file) for file in part.files or (None,)] for part in self.parts
        }
        for item in merged(openers):
            if isinstance(item, str):  # its data ends here: what comes after it, nobody has looked at
                part = parts[item]
                end = part.seen.last_ns + part.source.interval_ns
                evidence.feed([gap_event(f"end {item}", "agent_off", item, end, end, None)])
                continue
            seen = parts[item.source.id].seen
            evidence.feed(list(self._silent(item, seen.last_ns)))
            seen.first_ns = min(seen.first_ns or int(item.time_ns.min()), int(item.time_ns.min()))
            seen.last_ns = max(seen.last_ns, int(item.time_ns.max()))
            seen.rows += len(item)
            evidence.feed([item])
            yield from evidence.take_closed().items()
        if (last := max((part.seen.last_ns for part in self.parts), default=0)) == 0:
            raise self._wrong("there are no rows in the data", "데이터에 행이 없습니다")
        over = self._day(last)[1] + SILENT_NS
        evidence.feed([Watermark(part.source.id, over) for part in self.parts])
        yield from evidence.take_closed().items()

    def _silent(self, block: FrameBlock, last_ns: int) -> Iterator[FrameBlock]:
        """Yield a lost reading of each whole day of which a source has no row, as an agent would have noted it.

        Otherwise whoever leaves bad days out of his export would get a better report.
        """
        day_ns = self._day(last_ns)[1] if last_ns else 0
        until = self._day(int(block.time_ns.min()))[0]
        while last_ns and day_ns < until:
            n = len(block.source.signals)
            yield FrameBlock(
                source=block.source,
                signal=np.arange(n, dtype=np.int32),
                time_ns=np.full(n, day_ns, np.int64),
                value=[None] * n,
                status=np.full(n, Status.BAD_NO_COMMUNICATION, np.uint32),
            )
            day_ns = self._day(day_ns)[1]

    def _now(self) -> tuple[int, str | None]:
        """Return the moment of the report, and the last day where the data ends within its planned time."""
        ends = [(part.seen.last_ns, part.source.interval_ns) for part in self.parts if part.seen.last_ns]
        until = max(last + round(LIMIT * interval) for last, interval in ends)
        last = max(last for last, _ in ends)
        start, end = self._day(last)
        calendar = self._joined.calendar
        day = calendar.day_of(last)
        rest = calendar.planned_spans(day).clip(until, end).length() if until < end else 0
        whole = until >= end if not calendar.has_schedule() else rest == 0
        return (end, None) if whole else (start, day.isoformat())

    def _check(self) -> None:
        """Refuse data that does not fit the file: a column that is nowhere, a type that reads nothing."""
        wrong = []
        for part in self.parts:
            if part.config.quality is not None and part.seen.unlisted and not part.seen.graded:
                there = ", ".join(text or "''" for text, _ in part.seen.unlisted.most_common(5))
                text = Text(
                    f"no row has a status that is listed; in column {part.config.quality.column} stands: {there}",
                    f"적어 둔 상태인 행이 없습니다. {part.config.quality.column} 열의 값: {there}",
                )
                wrong.append(f"{self._name}: sources.{part.config.id}.quality: {text(self._language)}")
            for index, signal in enumerate(part.config.signals):
                where = f"{self._name}: sources.{part.config.id}.{signal.id}"
                if not part.seen.present[index] and part.config.influx is None:
                    text = Text(
                        f"no file has anything of {signal.column}", f"어느 파일에도 없습니다({signal.column})"
                    )
                    wrong.append(f"{where}: {text(self._language)}")
                elif part.seen.unreadable[index] and not part.seen.read[index]:
                    first = part.seen.first[index]
                    en, ko = "", ""
                    if signal.type is DataType.BOOL:
                        en, ko = "; a word is of type string", ". 글자라면 type: string으로 쓰십시오"
                    text = Text(
                        f"nothing in column {signal.column} is {signal.type}: {first.text!r} at {first.place}{en}",
                        f"{signal.column} 열에 {signal.type} 값이 없습니다. {first.place}: {first.text!r}{ko}",
                    )
                    wrong.append(f"{where}: {text(self._language)}")
        if wrong:
            raise ConfigError("\n".join(wrong))

    def _unprovable(self) -> dict[str, dict[str, Text]]:
        kinds: dict[str, set[Kind]] = {machine.id: set() for machine in self._joined.plant.machines}
        for part in self.parts:
            for machine in part.source.machines():
                kinds[machine] |= part.kinds
        return {machine: unprovable(found) for machine, found in kinds.items()}

    def _matched(self, paths: Sequence[Path]) -> Iterator[tuple[DataSource, tuple[Path, ...]]]:
        """Yield each source with its files; no file may be left over, and no source without one."""
        left = dict.fromkeys(paths)
        for source in self._config.sources:
            files = tuple(path for path in paths if source.influx is None and fnmatch(path.name, source.files))
            if not files and source.influx is None:
                raise self._wrong(
                    f"source {source.id}: none of the files is called {source.files}",
                    f"sources.{source.id}: {source.files}에 맞는 파일이 없습니다",
                )
            for path in files:
                left.pop(path, None)
            yield source, files
        if left:
            path = next(iter(left))
            raise self._wrong(
                f"{path} belongs to no source: its name fits no `files`",
                f"{path}: 어느 source의 files에도 맞지 않습니다",
            )

    def _part(self, config: DataSource, files: tuple[Path, ...]) -> Part:
        kinds: set[Kind] = {"stored"}
        if config.stored == "changes":
            kinds.add("changes")
        if config.quality is None:
            kinds.add("ungraded")
        rows = config if config.influx is None else as_rows(config)
        interval = config.every
        for path in files or (None,):
            if interval is None:
                look = Stream(
                    rows, config.source(1), self._table(config, path, _nothing), self._config.zone, self._day
                )
                interval = interval_ns(look.instants())
        if interval is None:
            raise self._wrong(
                f"source {config.id}: too few rows, or not at one interval: write every, or `stored: changes`",
                f"sources.{config.id}: 행이 적거나 주기가 일정하지 않습니다. every나 stored: changes를 쓰십시오",
            )
        source = config.source(interval)
        return Part(rows, source, config.every is None, files, Seen(source), frozenset(kinds))

    def _opener(self, part: Part, path: Path | None) -> Callable[[bool], Iterator[FrameBlock]]:
        def begin(look: bool) -> Iterator[FrameBlock]:  # noqa: FBT001 - see `merged`
            table = self._table(part.config, path, _nothing if look else self._progress)
            seen = Seen(part.source) if look else part.seen
            return Stream(part.config, part.source, table, self._config.zone, self._day, seen).blocks()

        return begin

    def _table(self, config: DataSource, path: Path | None, advance: Progress) -> Table:
        if path is None:
            return Query(config, self._calendar, self._language, advance)
        assert config.time is not None
        named = (config.time.column, config.time.date, config.tag, config.value)
        every = [name for name in named if name is not None]
        if config.quality is not None:
            every.append(config.quality.column)
        some = frozenset(signal.column for signal in config.signals) if config.tag is None else frozenset[str]()
        return Table(path, Wanted(tuple(every), some), self._language, advance)

    def _day(self, time_ns: int) -> tuple[int, int]:
        if not self._bounds[0] <= time_ns < self._bounds[1]:
            self._bounds = self._calendar.bounds(self._calendar.day_of(time_ns))
        return self._bounds

    def _wrong(self, en: str, ko: str) -> ConfigError:
        return ConfigError(f"{self._name}: {Text(en, ko)(self._language)}")


def _nothing(_: int) -> None:
    """Tell nobody."""


def _dates(calendar: Calendar, first_ns: int, end_ns: int) -> Iterator[date]:
    """Yield the production days from one instant to another."""
    day = calendar.day_of(first_ns)
    while calendar.bounds(day)[0] < end_ns:
        yield day
        day += timedelta(days=1)
