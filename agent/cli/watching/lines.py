"""The lines of `watch`: titles and rows in columns, for 80 columns and more. A colour never says anything alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.text import Text as Styled

from agent.cli.table import clean
from agent.cli.values import words
from agent.cli.watching.model import (
    HISTORY,
    error_rate,
    fit,
    milliseconds,
    pad,
    span_words,
    spark,
    value_words,
)
from agent.cli.words import QUALITY, STATES, status_text
from agent.frame import Quality
from settings.language import Text

if TYPE_CHECKING:
    from agent.cli.watching.model import DeviceRow, SignalRow
    from settings.language import Language

TITLE = "bold underline"
_COLOURS = {Quality.GOOD: "", Quality.UNCERTAIN: "yellow", Quality.BAD: "red"}
_STATE_COLOURS = {"up": "green", "starting": "", "down": "red", "refused": "red", "faulty": "magenta"}
_PLACE = re.compile(r"^\s*\([^)]*\)?:?\s*")
"""What a text about a device begins with: its address, which stands in the line below."""
NO_VALUE = Text("no value", "값 없음")
OLD = Text("old", "오래됨")


def device_title(language: Language, columns: int) -> Styled:
    """Return the title over the devices."""
    titles = Text(
        "device,state,rtt,p95 ms,errors,req/s,busy,slow,wait,",
        "장치,상태,응답,95% ms,오류율,요청/초,점유율,감속,대기,",
    )(language).split(",")
    wide = _device_widths(columns)
    cells = [pad(t, w, right=2 <= i < 9) for i, (t, w) in enumerate(zip(titles, wide, strict=True))]
    return Styled(" ".join(cells), TITLE)


def device_line(row: DeviceRow, language: Language, now_ns: int, columns: int) -> Styled:
    """Return one device: how it answers, and how much we ask of it against its budget."""
    wide = _device_widths(columns)
    stats = row.stats
    errors, slow = error_rate(stats), stats.get("slowdown") or 1.0
    per_second, busy = stats.get("per_second") or 0.0, stats.get("busy") or 0.0
    state = STATES[row.state](language) if row.state in STATES else row.state
    cells = [
        pad(row.name, wide[0]),
        pad(state, wide[1]),
        pad(milliseconds(stats.get("rtt_ns")), wide[2], right=True),
        pad(milliseconds(stats.get("rtt_p95_ns")), wide[3], right=True),
        pad("-" if errors is None else f"{100 * errors:.1f}%", wide[4], right=True),
        pad(f"{per_second:.1f}/{row.most_per_second:g}", wide[5], right=True),
        pad(f"{100 * busy:.0f}/{100 * row.most_busy:.0f}%", wide[6], right=True),
        pad(f"x{slow:.1f}" if slow > 1.05 else "-", wide[7], right=True),
        pad(span_words(stats.get("backoff_ns") or None), wide[8], right=True),
        pad(_said(row, language, now_ns), wide[9]),
    ]
    out = Styled(" ".join(cells))
    start = len(cells[0]) + 1  # in characters, of which some are two columns wide
    out.stylize(_STATE_COLOURS.get(row.state, ""), start, start + len(state))
    return out


def _device_widths(columns: int) -> list[int]:
    fixed = [9, 5, 6, 6, 9, 8, 5, 5]
    rest = columns - sum(fixed) - 9
    name = max(8, min(24, rest))
    return [name, *fixed, max(0, rest - name)]


def _said(row: DeviceRow, language: Language, now_ns: int) -> str:
    """Return what else there is to say: why it is away, or how many rows were read."""
    if row.state in {"down", "refused", "faulty"}:
        since = span_words(now_ns - row.since_ns) if row.since_ns else ""
        why = _PLACE.sub("", row.text(language).removeprefix(row.id))
        return clean(f"{since} {why}")
    refused = len(row.refused)
    if refused:
        return Text(f"{refused} refused", f"거부 {refused}개")(language)
    return Text(f"{row.rows} rows, {row.outages} outages", f"수집 {row.rows}건, 끊김 {row.outages}회")(language)


def signal_title(language: Language, columns: int) -> Styled:
    """Return the title over the signals."""
    titles = Text("signal,value,unit,quality,age,last values", "태그,값,단위,품질,경과,최근 값")(language).split(
        ","
    )
    wide = _signal_widths(columns)
    cells = [pad(t, w, right=i in {1, 4}) for i, (t, w) in enumerate(zip(titles, wide, strict=True))]
    return Styled(" ".join(cells), TITLE)


def signal_line(row: SignalRow, language: Language, now_ns: int, columns: int, *, plain: bool) -> Styled:
    """Return one signal. The bars come last: a terminal that shows them twice as wide moves nothing else."""
    wide = _signal_widths(columns)
    level = row.quality
    old = row.stale(now_ns)
    said = NO_VALUE if level is None else OLD if old and level is Quality.GOOD else QUALITY[level]
    label = row.name if columns < 100 else f"{row.name}  {row.machine}/{row.id}"
    before = " ".join(
        [
            pad(label, wide[0]),
            pad(value_words(row, wide[1]), wide[1], right=True),
            pad(row.unit, wide[2]),
            pad(said(language), wide[3]),
            pad(span_words(row.age_ns(now_ns)), wide[4], right=True),
        ]
    )
    out = Styled(before)
    colour = "dim" if level is None else "yellow" if old else _COLOURS[level]
    out.stylize(colour)
    out.append(" ")
    out.append(spark(row.history, wide[5], plain=plain), "cyan")
    return out


def _signal_widths(columns: int) -> list[int]:
    fixed = [12, 6, 8, 5]
    rest = columns - sum(fixed) - 5
    history = max(8, min(HISTORY, rest // 2))
    return [rest - history, *fixed, history]


def detail(row: SignalRow, address: str, language: Language, columns: int) -> Styled:
    """Return what does not fit into the line of a signal."""
    why = "" if row.status is None else status_text(row.status)(language)
    value = "-" if row.value is None else words(row.value, row.dtype, row.zone, labels=row.labels)
    said = [f"{row.machine}/{row.id}", row.source, address, f"= {value} {row.unit}".rstrip(), why]
    return Styled(fit("  ".join(w for w in said if w), columns))


def device_detail(row: DeviceRow, language: Language, columns: int) -> Styled:
    """Return what a device has to say at length."""
    parts = [row.id, row.place, row.text(language) if row.state != "up" else ""]
    parts += [t(language) for t in row.refused[:2]]
    learned = row.stats.get("learned") or {}
    parts += [clean(f"{k}: {v}") for k, v in learned.items()]
    return Styled(fit("  ".join(clean(w) for w in parts if w), columns))
