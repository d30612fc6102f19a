"""The demo's screen: a `Snapshot` as a page for a terminal, in Korean or English. Pure.

What the readiness report says is in `demo.verdict`. Colours only repeat what the words say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text as Styled

from demo import verdict
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from demo.snapshot import MachineState, Snapshot
    from readiness.model import Model
    from settings.language import Language

WIDE = 96
EVENTS = 6  # lines of them
ENDLESS = 1000
FRAMED = 30  # lines from which the figures get their frame
BARS = "▁▂▃▄▅▆▇█"

STATES = {
    0: (Text("off", "정지"), "dim"),
    1: (Text("running", "운전"), "bold green"),
    2: (Text("waiting", "대기"), "yellow"),
    3: (Text("ALARM", "알람"), "bold red"),
    4: (Text("changeover", "준비교체"), "cyan"),
}
LINKS = {
    "none": (Text("not connected", "미연결"), "dim"),
    "starting": (Text("connecting", "접속 중"), "yellow"),
    "up": (Text("connected", "정상"), "green"),
    "down": (Text("link down", "통신 끊김"), "bold red"),
    "refused": (Text("refused", "접속 거부"), "bold red"),
    "faulty": (Text("fault", "수집기 오류"), "bold red"),
}


class Words:
    """All fixed texts of the screen."""

    title = Text("Tech Square Edge", "Tech Square Edge")
    demo = Text("simulated factory", "시뮬레이션 공장")
    read = Text("read", "수집")
    stored = Text("stored", "저장")
    latency = Text("to the store", "저장까지 지연")
    waiting = Text("waiting", "저장 대기 데이터")
    confirmed = Text("batches confirmed", "저장 확인된 묶음")
    quality = Text("data quality", "데이터 품질")
    per_s = Text("/s", "건/s")
    total = Text("{:,} in all", "누계 {:,}건")
    bad = Text("{:,} bad", "불량 {:,}건")
    resent = Text("{} sent twice", "재전송 {}건")
    batches = Text("{} batches", "{}묶음")
    disk = Text("disk {:,.0f} kB", "디스크 {:,.0f} kB")
    machines = Text("Machines", "설비")
    machine = Text("machine", "설비")
    link = Text("link", "통신")
    state = Text("state", "상태")
    count = Text("produced", "생산량")
    latest = Text("latest value", "현재값")
    age = Text("age", "경과")
    good = Text("good", "정상")
    readiness = Text("Digital readiness", "디지털화 준비도")
    simulated = Text("{:.0%} simulated history", "시뮬레이션 이력 {:.0%}")
    no_report = Text("the first report is being made", "첫 보고서를 만드는 중")
    indicators = Text("Indicators", "지표")
    events = Text("Events", "통신 기록")
    nothing = Text("nothing to report", "특이사항 없음")
    history = Text("history {:,} in {:.1f} s", "이력 {:,}건 {:.1f}초")
    stop = Text("Ctrl-C ends", "Ctrl-C 종료")


def page(shot: Snapshot, model: Model, language: Language, width: int, height: int = 0) -> RenderableType:
    """Return the screen.

    Args:
        shot: What to show.
        model: With which reports are made.
        language: Of the words.
        width: Columns of the terminal; below `WIDE` the tables lose their less important columns.
        height: Lines of the terminal; 0 for as many as it takes.
    """
    wide = width >= WIDE
    boxed = not height or height >= FRAMED
    parts = [
        _header(shot, language, width),
        _figures(shot, language, width, boxed=boxed),
        _title(Words.machines(language)),
        _machines(shot.machines, language, wide=wide),
        _title(_readiness(shot, language)),
    ]
    left = (height or ENDLESS) - 5 - (5 if boxed else 3) - len(shot.machines)
    if shot.report is None:
        parts.append(Styled(f" {Words.no_report(language)}", "dim"))
        left -= 1
    else:
        first = verdict.lines(shot.report, model, language)
        parts += [*first, verdict.areas(shot.report, model, language)]
        left -= len(first) + (len(shot.report.dimensions) + 1) // 2
        values, lines = verdict.values(shot.report, language, width)
        if left - lines - 1 > EVENTS:
            parts += [_title(Words.indicators(language)), values]
            left -= lines + 1
    if (room := min(left - 1, EVENTS)) > 0:
        parts += [_title(Words.events(language)), _events(shot, language, room)]
    parts.append(_footer(shot, language, width))
    return Group(*parts)


def line(shot: Snapshot, language: Language) -> str:
    """Return the figures as one line, for output that is no terminal."""
    w = Words
    down = ", ".join(m.name for m in shot.machines if m.link not in {"up", "none"})
    parts = [
        f"{_clock(shot.seconds)}",
        f"{w.read(language)} {shot.read_rate:.0f}{w.per_s(language)} ({shot.read:,})",
        f"{w.stored(language)} {shot.stored_rate:.0f}{w.per_s(language)} ({shot.stored:,})",
        f"{w.latency(language)} p50 {_seconds(shot.p50_s)} p99 {_seconds(shot.p99_s)}",
        f"{w.waiting(language)} {shot.waiting}",
        f"{w.confirmed(language)} {shot.confirmed}",
    ]
    if down:
        parts.append(f"{LINKS['down'][0](language)}: {down}")
    return " · ".join(parts)


def _header(shot: Snapshot, language: Language, width: int) -> RenderableType:
    left = Styled.assemble((f" {Words.title(language)} ", "bold white on blue"), "  ", (shot.site, "bold"))
    right = Styled(f"{shot.broker} · {_clock(shot.seconds)} ", "dim")
    left.append(" " * max(1, width - left.cell_len - right.cell_len))
    left.append_text(right)
    left.truncate(width, overflow="ellipsis")
    return left


def _title(text: str) -> RenderableType:
    return Rule(Styled(text, "bold blue"), align="left", style="blue", characters="─")


def _readiness(shot: Snapshot, language: Language) -> str:
    w, report = Words, shot.report
    if report is None:
        return w.readiness(language)
    title = f"{w.readiness(language)} · {report.window.first} ~ {report.window.last}"
    return f"{title} · {w.simulated(language).format(report.simulated)}" if report.simulated else title


def _table() -> Table:
    return Table(box=None, expand=True, header_style="dim", padding=(0, 1))


def _figures(shot: Snapshot, language: Language, width: int, *, boxed: bool) -> RenderableType:
    w = Words
    unit = w.per_s(language)
    good = 1 - shot.bad / shot.read if shot.read else None
    tiles = [
        (w.read(language), f"{shot.read_rate:.0f} {unit}", w.total(language).format(shot.read)),
        (w.stored(language), f"{shot.stored_rate:.0f} {unit}", w.total(language).format(shot.stored)),
        (w.latency(language), f"p50 {_seconds(shot.p50_s)}", f"p99 {_seconds(shot.p99_s)}"),
        (
            w.waiting(language),
            w.batches(language).format(shot.waiting),
            w.disk(language).format(shot.waiting_bytes / 1024),
        ),
        (w.confirmed(language), f"{shot.confirmed:,}", w.resent(language).format(shot.resent)),
        (w.quality(language), _percent(good), w.bad(language).format(shot.bad)),
    ]
    tiles = tiles if width >= WIDE else tiles[:4]
    frame = box.ROUNDED if boxed else None
    table = Table(box=frame, expand=True, show_header=False, border_style="blue", padding=(0, 1))
    for _ in tiles:
        table.add_column(justify="center", no_wrap=True)
    table.add_row(
        *(
            Group(Styled(title, "dim", justify="center"), Styled(value, "bold", justify="center"),
                  Styled(small, "dim", justify="center"))
            for title, value, small in tiles
        )
    )  # fmt: skip
    return table


def _machines(machines: Sequence[MachineState], language: Language, *, wide: bool) -> RenderableType:
    w = Words
    table = _table()
    table.add_column(w.machine(language), no_wrap=True)
    table.add_column(w.link(language), no_wrap=True)
    table.add_column(w.state(language), no_wrap=True)
    table.add_column(w.count(language), justify="right", no_wrap=True)
    table.add_column(w.latest(language), no_wrap=True, ratio=1)
    if wide:
        table.add_column("", no_wrap=True)
        table.add_column(w.good(language), justify="right", no_wrap=True)
    table.add_column(w.age(language), justify="right", no_wrap=True)
    for m in machines:
        word, style = LINKS[m.link]
        text = Styled(word(language), style)
        if m.link in {"down", "refused", "faulty"}:
            text.append(f" {m.link_s:.0f} s")
        elif m.protocol and wide:
            text.append(f" {m.protocol}", "dim")
        state = STATES.get(m.state if m.state is not None else -1)
        # the name last: what a narrow terminal cuts off must not leave half a number
        shown = "" if m.shown is None else f"{m.shown[2]:,.1f} {m.shown[1]} {m.shown[0]}"
        row: list[RenderableType] = [
            Styled(m.name, "bold" if m.protocol else "dim"),
            text,
            Styled(state[0](language), state[1] if m.link == "up" else "dim") if state else "",
            "" if m.count is None else f"{m.count:,}",
            Styled(shown, "" if m.link == "up" else "dim"),
        ]
        if wide:
            row += [Styled(spark(m.trend, 16), "blue"), _percent(m.good) if m.good is not None else ""]
        row.append("" if m.age_s is None else f"{m.age_s:.0f} s")
        table.add_row(*row)
    return table


def _events(shot: Snapshot, language: Language, room: int) -> RenderableType:
    w = Words
    lines = [
        Styled.assemble((f" {_clock(at)}  ", "dim"), (machine, "bold"), "  ", what)
        for at, machine, what in shot.log[-room:]
    ]
    return Group(*lines) if lines else Styled(f" {w.nothing(language)}", "dim")


def _footer(shot: Snapshot, language: Language, width: int) -> RenderableType:
    w = Words
    words = [w.stop(language)]
    if shot.pull:
        words.append(shot.pull)
    if shot.replayed[0]:
        words.append(w.history(language).format(*shot.replayed))
    text = Styled(" " + "  ·  ".join(words), "dim")
    text.truncate(width, overflow="ellipsis")
    return text


def spark(values: Sequence[float], width: int) -> str:
    """Return the last values as a line of bars, the lowest and the highest of them at its ends."""
    last = list(values[-width:])
    if len(last) < 2:
        return ""
    low, high = min(last), max(last)
    if high == low:
        return BARS[0] * len(last)
    return "".join(BARS[round((v - low) / (high - low) * (len(BARS) - 1))] for v in last)


def _percent(share: float | None) -> str:
    return "–" if share is None else "100 %" if share == 1 else f"{share * 100:.1f} %"


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f} s"


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
