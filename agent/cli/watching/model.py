"""What `watch` knows: the rows of signals and devices, in the order and with the filter that somebody chose.

A snapshot is what the control verb `values` answers, see `agent.latest`. The past of a signal is asked for once and
kept here from then on, so that the running agent sends each number only once. Pure.
"""

from __future__ import annotations

import math
import unicodedata
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agent.cli.table import width
from agent.cli.values import within, words
from agent.frame import Quality, quality
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agent.config.model import AgentConfig, Device
    from agent.frame import DataType, Value
    from settings.language import Language

HISTORY = 60
STALE = 3
"""Intervals after which a polled value is called old."""
SECOND = 10**9
_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN = "_.-=+*#@"

Sort = Literal["file", "name", "quality", "age"]
SORTS: Mapping[Sort, Text] = {
    "file": Text("file", "설정 순서"),
    "name": Text("name", "이름"),
    "quality": Text("quality", "품질"),
    "age": Text("age", "경과 시간"),
}


@dataclass(slots=True)
class SignalRow:
    """One signal, as it is now."""

    machine: str
    id: str
    name: str
    unit: str
    source: str
    device: str
    interval_ns: int
    polled: bool
    number: int  # in the order of the file
    dtype: DataType
    zone: str
    labels: Sequence[tuple[int, str]] = ()
    value: Value = None
    status: int | None = None
    time_ns: int | None = None
    history: deque[float | None] = field(default_factory=lambda: deque(maxlen=HISTORY))

    def age_ns(self, now_ns: int) -> int | None:
        """Return how long ago the value was read; None when there was none."""
        return None if self.time_ns is None else max(0, now_ns - self.time_ns)

    def stale(self, now_ns: int) -> bool:
        """Whether a polled value is older than it should be; a subscribed one may rest."""
        age = self.age_ns(now_ns)
        return self.polled and age is not None and age > STALE * self.interval_ns + SECOND

    @property
    def quality(self) -> Quality | None:
        """Quality of the last value; None before the first."""
        return None if self.status is None else quality(self.status)


SILENT = Text("", "")


@dataclass(slots=True)
class DeviceRow:
    """One device, as it is now."""

    id: str
    name: str
    place: str
    most_per_second: float
    most_busy: float
    state: str = "starting"
    since_ns: int = 0
    text: Text = SILENT
    stats: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 0
    bad_rows: int = 0
    outages: int = 0
    refused: Sequence[Text] = ()


class Model:
    """All rows of one configuration.

    Args:
        config: The technician's file.
    """

    def __init__(self, config: AgentConfig) -> None:
        self.name = config.name
        self.agent = config.agent
        self.now_ns = 0
        self.devices = {d.id: _device(d) for d in config.devices}
        self.signals: dict[tuple[str, str], SignalRow] = {}
        for source in config.sources():
            for signal in source.signals:
                self.signals[signal.machine, signal.id] = SignalRow(
                    machine=signal.machine,
                    id=signal.id,
                    name=signal.name,
                    unit=signal.unit or "",
                    source=source.id,
                    device=source.device,
                    interval_ns=source.interval_ns,
                    polled=source.mode == "poll",
                    number=len(self.signals),
                    dtype=signal.dtype,
                    zone=config.time.zone,
                    labels=signal.labels,
                )
        self.unknown = 0  # signals of the running agent that are not in this file

    @property
    def heard(self) -> bool:
        """Whether there was a snapshot: from then on the past needs no asking."""
        return bool(self.now_ns)

    def take(self, snapshot: Mapping[str, Any]) -> None:
        """Take what the agent answers."""
        first = not self.heard
        self.now_ns = int(snapshot["time"])
        for name, said in snapshot["devices"].items():
            if (device := self.devices.get(name)) is not None:
                device.state, device.since_ns = said["state"], int(said["since"])
                device.text = Text(said["text"], said.get("text_ko") or said["text"])
                device.stats = said.get("stats") or {}
                device.rows, device.bad_rows, device.outages = said["rows"], said["bad_rows"], said["outages"]
                refused_ko = said.get("refused_ko") or said["refused"]
                device.refused = [Text(e, k) for e, k in zip(said["refused"], refused_ko, strict=False)]
        self.unknown = 0
        for said in snapshot["signals"]:
            row = self.signals.get((said["machine"], said["id"]))
            if row is None:
                self.unknown += 1
                continue
            time = None if said["time"] is None else int(said["time"])
            if first and "history" in said:
                row.history.extend(said["history"])
            elif time != row.time_ns:
                value = said["value"]
                row.history.append(float(value) if isinstance(value, (bool, int, float)) else None)
            row.value, row.status, row.time_ns = said["value"], said["status"], time

    def chosen(
        self, *, words: str = "", sort: Sort = "file", device: str = "", bad: bool = False
    ) -> list[SignalRow]:
        """Return the signals that are shown.

        Args:
            words: Each must stand in name, id, machine, source or unit.
            sort: Order.
            device: Only of this one; of all when empty.
            bad: Only those that are not good, or old.
        """
        wanted = _form(words).split()
        found = [
            row
            for row in self.signals.values()
            if (not device or row.device == device)
            and (not bad or row.quality is not Quality.GOOD or row.stale(self.now_ns))
            and all(w in _form(f"{row.name} {row.id} {row.machine} {row.source} {row.unit}") for w in wanted)
        ]
        match sort:
            case "name":
                found.sort(key=lambda row: (_form(row.name), row.number))
            case "quality":
                found.sort(key=lambda row: (-3 if row.quality is None else -row.quality, row.number))
            case "age":
                found.sort(key=lambda row: (row.time_ns or 0, row.number))
            case "file":
                pass
        return found

    def counts(self) -> tuple[int, int, int]:
        """Return how many signals are good, uncertain, and bad or never heard."""
        good = sum(row.quality is Quality.GOOD for row in self.signals.values())
        doubtful = sum(row.quality is Quality.UNCERTAIN for row in self.signals.values())
        return good, doubtful, len(self.signals) - good - doubtful


def _device(device: Device) -> DeviceRow:
    place = getattr(device, "place", None) or getattr(device, "endpoint", None) or getattr(device, "host", "")
    return DeviceRow(
        id=device.id,
        name=device.name or device.id,
        place=str(place),
        most_per_second=device.budget.requests_per_second,
        most_busy=device.budget.busy,
    )


def _form(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def spark(history: Iterable[float | None], columns: int, *, plain: bool = False) -> str:
    """Return the last values as a line of bars from their lowest to their highest; a blank where there was none.

    Args:
        history: Oldest first.
        columns: Longest line.
        plain: With characters of ASCII, for terminals that show blocks two columns wide.
    """
    marks = _PLAIN if plain else _BLOCKS
    last = list(history)[-columns:] if columns > 0 else []
    numbers = [n for n in last if n is not None and math.isfinite(n)]
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    span = high - low

    def mark(number: float | None) -> str:
        if number is None or not math.isfinite(number):
            return " "
        if span <= 0 or not math.isfinite(span):
            return marks[3]
        return marks[min(len(marks) - 1, int((number - low) / span * len(marks)))]

    return "".join(mark(n) for n in last)


def span_words(ns: int | None) -> str:
    """Return a duration in at most 5 columns: `0.4s`, `12s`, `3m`, `26h`, `12d`."""
    if ns is None:
        return "-"
    seconds = ns / SECOND
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    for most, unit, size in ((100, "s", 1), (6000, "m", 60), (360_000, "h", 3600)):
        if seconds < most:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds / 86_400:.0f}d"


def value_words(row: SignalRow, columns: int) -> str:
    """Return a signal's value in so many columns."""
    if row.value is None:
        return "-"
    if isinstance(row.value, bool) and not row.labels:
        return "1" if row.value else "0"
    text = words(row.value, row.dtype, row.zone, labels=row.labels, short=True)
    return fit(within(text, row.value, columns) if not row.labels else text, columns)


def fit(text: str, columns: int) -> str:
    """Cut a text to so many columns of a terminal; what was cut shows by a dot at its end."""
    if width(text) <= columns:
        return text
    kept = ""
    for char in unicodedata.normalize("NFC", text):
        if width(kept + char) > columns - 1:
            break
        kept += char
    return kept + "." if columns > 0 else ""


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Return a text in exactly so many columns."""
    text = fit(text, columns)
    gap = " " * (columns - width(text))
    return gap + text if right else text + gap


def milliseconds(ns: float | None) -> str:
    """Return a round trip in at most 5 columns."""
    if ns is None:
        return "-"
    ms = ns / 1e6
    return f"{ms:.1f}" if ms < 99.95 else f"{ms:.0f}"


def error_rate(stats: Mapping[str, Any]) -> float | None:
    """Return the share of requests without a good answer, 0 to 1; None before the first."""
    requests = stats.get("requests") or 0
    if not requests:
        return None
    return min(1.0, float(stats.get("timeouts", 0) + stats.get("exceptions", 0)) / requests)


def languages(language: Language) -> Language:
    """Return the other one."""
    return "en" if language == "ko" else "ko"
