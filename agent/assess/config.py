"""The file of an assessment: whose machines they are, when they work, and which column holds what."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from agent.assess.times import EPOCHS, EXCEL, directives
from agent.config.base import SignalBase, Zone
from agent.config.model import MachineEntry
from agent.frame import Source
from readiness.inventory import Machine
from readiness.schedule import Calendar
from settings import load as loading
from settings.base import Duration, Id, Model, Name, TopicId, Word, form
from settings.language import Complaint, Text
from settings.path import FullPath
from settings.schedule import Date, Schedule
from settings.tree import Map, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any


LEAST, MOST = 50 * 10**6, 24 * 3600 * 10**9
_BEGIN = Text("begin with `version: 1`, see docs/assess.md", "`version: 1`부터 쓰십시오(docs/assess.ko.md 참고)")


def _every(value: int) -> int:
    if not LEAST <= value <= MOST:
        raise Complaint("write an interval from 50ms to 1d", "주기는 50ms 이상 1d 이하로 쓰십시오")
    return value


def _format(value: str) -> str:
    if value not in {"auto", EXCEL} and value not in EPOCHS and not directives(value):
        known = ", ".join(["auto", EXCEL, *sorted(EPOCHS)])
        raise Complaint(
            f"write {known} or a pattern like %d.%m.%Y %H:%M:%S",
            f"{known} 또는 %Y-%m-%d %p %I:%M:%S 같은 형식을 쓰십시오",
        )
    return value


def _url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise Complaint("begin with http:// or https://", "http:// 또는 https://로 시작해야 합니다")
    return value.rstrip("/")


Interval = Annotated[Duration, AfterValidator(_every)]
Format = Annotated[
    str, AfterValidator(_format), form("`auto`, `unix_ms`, `excel` or a pattern like `%d.%m.%Y %H:%M:%S`")
]
Url = Annotated[str, AfterValidator(_url), form("URL, `http://192.168.0.20:8086`")]


class TimeColumn(Model):
    """Where the time of a row stands, and how it is written."""

    column: Word = Field(description="heading of the time, or of the time of day where `date` has another column")
    date: Word | None = Field(None, description="heading of the date, where it has a column of its own")
    format: Format = Field(
        "auto",
        description="how it is written; `auto` reads year first, and 오전/오후; `excel` a number of days (46348.5)",
    )
    zone: Zone | None = Field(
        None,
        description="zone of times without an offset; that of the site when absent. `Etc/GMT-9` is fixed +09:00",
    )


class QualityColumn(Model):
    """Where the status of a value stands; whatever is not listed is bad."""

    column: Word = Field(description="heading")
    good: tuple[Word, ...] = Field(min_length=1, description="what it says of a good value, `[Good, '192']`")
    uncertain: tuple[Word, ...] = Field((), description="what it says of an uncertain one")
    lost: tuple[Word, ...] = Field((), description="what it says when the device could not be reached at all")

    @model_validator(mode="after")
    def _exclusive(self) -> Self:
        said = [*self.good, *self.uncertain, *self.lost]
        if doubles := sorted({word for word in said if said.count(word) > 1}):
            raise Complaint(
                f"{doubles[0]} stands in two of good, uncertain and lost",
                f"good, uncertain, lost 중 한 곳에만 쓰십시오({doubles[0]})",
            )
        return self


class Influx(Model):
    """A query to an InfluxDB of one measurement; a signal's `column` is its field."""

    version: Literal[1, 2] = Field(description="1 (also 1.8) or 2")
    url: Url = Field(description="where it answers")
    database: Word | None = Field(None, description="of version 1")
    org: Word | None = Field(None, description="of version 2")
    bucket: Word | None = Field(None, description="of version 2")
    user: Word | None = Field(None, description="of version 1, with `password_file`")
    password_file: FullPath | None = Field(None, description="file with the password, version 1")
    token_file: FullPath | None = Field(None, description="file with the token, version 2")
    measurement: Word = Field(description="its name")
    tags: dict[str, Word] = Field({}, description="only points with these tags, `line: A`")
    from_: Date = Field(alias="from", description="first day, local date")
    to: Date = Field(description="last day, local date")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wanted = {1: ("database",), 2: ("org", "bucket", "token_file")}[self.version]
        if missing := [name for name in wanted if getattr(self, name) is None]:
            raise Complaint(
                f"version {self.version} needs {', '.join(missing)}",
                f"버전 {self.version}에는 {', '.join(missing)} 항목이 필요합니다",
            )
        if not dt.timedelta(0) <= self.to - self.from_ <= dt.timedelta(days=400):
            raise Complaint("write from before to, at most 400 days", "from은 to보다 앞, 최대 400일로 쓰십시오")
        return self


class DataSignal(SignalBase):
    """One signal, and the column that holds it."""

    column: Word = Field(description="heading of its column, its name in the tag column, or its field")

    def where(self) -> str:
        """Return the column."""
        return self.column


class DataSource(Model):
    """Signals that are stored together, at one interval."""

    id: Id = Field(description="unique; never change it")
    machine: Id = Field(description="machine that its signals belong to unless they say otherwise")
    files: Name = Field("*", description="names of its files among those given, `press*.csv`")
    influx: Influx | None = Field(None, description="a query instead of files")
    stored: Literal["sampled", "changes"] = Field(
        "sampled", description="`sampled`: at an interval; `changes`: only when a value changed"
    )
    every: Interval | None = Field(
        None,
        description="expected interval, estimated from the data when absent; with `changes`, the longest silence "
        "of the whole source while all is well",
    )
    time: TimeColumn | None = Field(None, description="the time of a row; not with `influx`")
    tag: Word | None = Field(None, description="one value a row: heading of the column with the signal's name")
    value: Word | None = Field(None, description="one value a row: heading of the value")
    decimal: Literal[".", ","] | None = Field(
        None, description="decimal sign; the other one parts thousands. Needed where the file does not tell"
    )
    quality: QualityColumn | None = Field(None, description="the status of the values of a row, where it is stored")
    signals: tuple[DataSignal, ...] = Field(min_length=1, description="what is stored")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.tag is None) != (self.value is None):
            raise Complaint("write both tag and value, or neither", "tag와 value는 함께 쓰거나 함께 빼십시오")
        if (self.influx is None) == (self.time is None):
            raise Complaint(
                "files need time, a query of InfluxDB has none", "파일에는 time이 필요하고 influx에는 쓰지 않습니다"
            )
        if self.influx is not None and (self.tag is not None or self.quality is not None):
            raise Complaint(
                "with influx, each column is a field: leave out tag, value and quality",
                "influx에서는 column이 필드 이름입니다. tag, value, quality를 빼십시오",
            )
        if self.stored == "changes" and self.every is None:
            raise Complaint(
                "stored: changes needs every: the longest silence of the whole source while all is well",
                "stored: changes에는 every(정상일 때 가장 긴 무변화 시간)가 필요합니다",
            )
        names = [signal.column for signal in self.signals]
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise Complaint(
                f"{doubles[0]} is the column of two signals", f"두 태그의 column이 같습니다({doubles[0]})"
            )
        return self

    def source(self, interval_ns: int) -> Source:
        """Return the runtime source; `interval_ns` stands where no interval is written."""
        return Source(
            id=f"{self.id}.data",
            device=self.id,
            protocol="influx" if self.influx is not None else "file",
            mode="poll" if self.stored == "sampled" else "subscription",
            interval_ns=self.every or interval_ns,
            signals=tuple(signal.signal(self.machine) for signal in self.signals),
        )


class AssessConfig(Model):
    """The whole file."""

    version: Literal[1] = Field(description="version of this format")
    factory: TopicId = Field(description="id of the company")
    site: TopicId = Field("main", description="id of this address of the factory")
    name: Name = Field(description="name of the factory, as people call it")
    zone: Zone = Field(description="time zone of the site")
    schedule: Schedule = Field(default_factory=Schedule, description="when the site plans to work")
    machines: tuple[MachineEntry, ...] = Field(
        min_length=1, description="inventory of all machines, also those of which nothing is stored"
    )
    sources: tuple[DataSource, ...] = Field(min_length=1, description="where the data is")

    def calendar(self) -> Calendar:
        """Return production day, planned spans and days off."""
        return Calendar(
            zone=self.zone,
            day_start=self.schedule.production_day_start,
            planned=self.schedule.by_weekday(),
            holidays=self.schedule.holidays.dates(),
        )

    def inventory(self) -> tuple[Machine, ...]:
        """Return the declared machines, in the order of the file."""
        return tuple(Machine(id=m.id, name=m.name or m.id, weight=m.weight, path=m.path) for m in self.machines)


def load(path: str | Path, lang: str | None = None) -> AssessConfig:
    """Read and check the file of an assessment.

    Raises:
        ConfigError: it cannot be read or used; the text holds every complaint, one a line, with file and line.
    """
    return loading.load(path, read, lang)


def read(raw: bytes) -> tuple[AssessConfig | None, Sequence[Problem]]:
    """Return the configuration that a file's content means, or None and what is wrong with it, sorted by line."""
    return loading.read(raw, AssessConfig, _BEGIN, _check)


def _check(root: Map) -> Iterator[Problem]:
    """Find what lies between the parts: machines that are not declared, ids given twice."""
    declared: set[object] = set()
    for item in _items(root, "machines"):
        if item.get("id") in declared:
            yield _problem(
                item, "id", "machines", f"{item['id']} stands twice", f"id가 두 번 있습니다({item['id']})"
            )
        declared.add(item.get("id"))
    sources: set[object] = set()
    signals: set[tuple[object, object]] = set()
    for source in _items(root, "sources"):
        if source.get("id") in sources:
            yield _problem(
                source, "id", "sources", f"{source['id']} stands twice", f"id가 두 번 있습니다({source['id']})"
            )
        sources.add(source.get("id"))
        yield from _declared(source, "sources", declared)
        for signal in _items(source, "signals"):
            yield from _declared(signal, "sources.signals", declared)
            name = (signal.get("machine", source.get("machine")), signal.get("id"))
            if name in signals:
                en, ko = f"{name[0]}/{name[1]} stands twice", f"{name[0]}/{name[1]}이(가) 두 번 있습니다"
                yield _problem(signal, "id", "sources.signals", en, ko)
            signals.add(name)


def _declared(item: Map, path: str, declared: set[object]) -> Iterator[Problem]:
    name = item.get("machine")
    if isinstance(name, str) and name not in declared:
        yield _problem(
            item, "machine", path, f"machine {name} is not declared: add it under machines",
            f"machines에 없는 설비입니다({name}). machines에 추가하십시오",
        )  # fmt: skip


def _items(holder: Map, name: str) -> list[Map]:
    found: Any = holder.get(name)
    return [item for item in found if isinstance(item, Map)] if isinstance(found, list) else []


def _problem(item: Map, key: str, path: str, en: str, ko: str) -> Problem:
    return Problem(item.lines.get(key, 1), Text(en, ko), f"{path}.{key}")
