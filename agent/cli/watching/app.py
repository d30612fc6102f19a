"""The screen of `tsq-agent watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text as Styled
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static

from agent.cli.table import clean
from agent.cli.watching import lines
from agent.cli.watching.model import SORTS, Model, fit, languages
from agent.cli.watching.rows import Rows
from agent.errors import AgentError
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events

    from agent.cli.watching.model import DeviceRow, SignalRow, Sort
    from agent.cli.watching.source import Values
    from settings.language import Language

KEYS = Text(
    "q quit  / filter  s sort  b bad  p pause  Enter device  r retry  a ascii  l 한국어",
    "q 종료  / 검색  s 정렬  b 이상만  p 멈춤  Enter 장치  r 재접속  a 문자  l Eng",
)


class Watch(App[None]):
    """Devices above, signals below."""

    CSS = """
    Screen { layout: vertical; }
    #top, #detail, #keys { height: 1; }
    #top { text-style: bold; }
    #keys, #detail { color: $text-muted; }
    #devices { height: auto; max-height: 40%; }
    #signals { height: 1fr; }
    #filter { height: 1; border: none; padding: 0; display: none; }
    #filter.open { display: block; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c", "quit", priority=False),
        Binding("slash", "filter"),
        Binding("s", "sort"),
        Binding("b", "bad"),
        Binding("p", "pause"),
        Binding("l", "language"),
        Binding("a", "plain"),
        Binding("r", "retry"),
        Binding("escape", "clear", priority=True),
    ]

    def __init__(
        self,
        model: Model,
        source: Values,
        addresses: Mapping[tuple[str, str], str],
        language: Language,
        every_s: float = 1.0,
    ) -> None:
        super().__init__()
        self.model = model
        self.language: Language = language
        self.paused = False
        self.trouble: Text | None = None
        self.sort: Sort = "file"
        self.words = ""
        self.only_bad = False
        self.plain = False
        self.device = ""
        self.shown: list[SignalRow] = []
        self._source = source
        self._addresses = addresses
        self._every_s = every_s
        self._asking = False

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Static(id="top")
        yield Rows(lambda w: lines.device_title(self.language, w), self._device_line, id="devices")
        yield Rows(lambda w: lines.signal_title(self.language, w), self._signal_line, id="signals")
        yield Static(id="detail")
        yield Input(id="filter", compact=True, select_on_focus=False)
        yield Static(id="keys")

    async def on_mount(self) -> None:
        """Begin."""
        self.set_interval(self._every_s, self._poll)
        self.query_one("#signals", Rows).focus()
        self.redraw()
        await self._poll()

    async def _poll(self) -> None:
        if self.paused or self._asking:
            return
        self._asking = True
        try:
            self.model.take(await self._source.snapshot(history=not self.model.heard))
            self.trouble = None
        except AgentError as exc:
            self.trouble = exc.text
        finally:
            self._asking = False
        self.redraw()

    @property
    def listed(self) -> list[DeviceRow]:
        """The devices in the order of the file."""
        return list(self.model.devices.values())

    def redraw(self) -> None:
        """Draw all with what is known."""
        self.shown = self.model.chosen(words=self.words, sort=self.sort, device=self.device, bad=self.only_bad)
        self.query_one("#devices", Rows).show(len(self.model.devices))
        self.query_one("#signals", Rows).show(len(self.shown))
        columns = max(20, self.size.width)
        self.query_one("#top", Static).update(Styled(self._top(columns)))
        self.query_one("#keys", Static).update(Styled(fit(KEYS(self.language), columns)))
        self._detail()

    def _top(self, columns: int) -> str:
        good, doubtful, bad = self.model.counts()
        said = [clean(self.model.name), self.model.agent]
        totals = Text(f"good {good} uncertain {doubtful} bad {bad}", f"정상 {good} 주의 {doubtful} 불량 {bad}")
        said.append(totals(self.language))
        rows = self.query_one("#signals", Rows)
        last = min(rows.count, rows.first + rows.seen)
        said.append(f"{SORTS[self.sort](self.language)} {min(rows.count, rows.first + 1)}-{last}/{rows.count}")
        if self.paused:
            said.append(Text("[PAUSED]", "[멈춤]")(self.language))
        if self.only_bad:
            said.append(Text("[not good only]", "[이상만]")(self.language))
        if self.device:
            said.append(f"[{self.device}]")
        if self.words:
            said.append(f"[/{self.words}]")
        if self.model.unknown:
            others = Text(f"[another file: {self.model.unknown}]", f"[설정 다름: {self.model.unknown}개]")
            said.append(others(self.language))
        if self.trouble is not None:
            said.insert(0, "! " + clean(self.trouble(self.language)))
        return fit("  ".join(said), columns)

    def _detail(self) -> None:
        columns = max(20, self.size.width)
        devices = self.query_one("#devices", Rows)
        text = Styled("")
        if devices.has_focus and self.listed:
            text = lines.device_detail(self.listed[devices.cursor], self.language, columns)
        elif self.shown:
            row = self.shown[self.query_one("#signals", Rows).cursor]
            text = lines.detail(row, self._addresses.get((row.machine, row.id), ""), self.language, columns)
        self.query_one("#detail", Static).update(text)

    def _device_line(self, index: int, columns: int) -> Styled:
        return lines.device_line(self.listed[index], self.language, self.model.now_ns, columns)

    def _signal_line(self, index: int, columns: int) -> Styled:
        return lines.signal_line(self.shown[index], self.language, self.model.now_ns, columns, plain=self.plain)

    def on_rows_moved(self) -> None:
        """Show what belongs to the line under the cursor."""
        self.redraw()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The other list has the cursor."""
        del event
        self._detail()

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        """Enter on a device shows its signals only; once more, all."""
        if event.rows.id == "devices":
            chosen = self.listed[event.index].id
            self.device = "" if self.device == chosen else chosen
            self.redraw()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while somebody types."""
        self.words = event.value
        self.redraw()

    def on_input_submitted(self) -> None:
        """Keep the filter and go back to the list."""
        self.query_one("#filter").remove_class("open")
        self.query_one("#signals", Rows).focus()

    def action_filter(self) -> None:
        """Open the line that filters."""
        line = self.query_one("#filter", Input)
        line.placeholder = Text("name, id, machine or unit", "이름, id, 설비, 단위")(self.language)
        line.add_class("open")
        line.focus()

    def action_clear(self) -> None:
        """Show all again."""
        line = self.query_one("#filter", Input)
        line.value = self.words = self.device = ""
        self.only_bad = False
        line.remove_class("open")
        self.query_one("#signals", Rows).focus()
        self.redraw()

    def action_sort(self) -> None:
        """Take the next order."""
        names = list(SORTS)
        self.sort = names[(names.index(self.sort) + 1) % len(names)]
        self.redraw()

    def action_bad(self) -> None:
        """Show only what is not good, or all."""
        self.only_bad = not self.only_bad
        self.redraw()

    def action_pause(self) -> None:
        """Hold the picture, or go on."""
        self.paused = not self.paused
        self.redraw()

    def action_language(self) -> None:
        """Speak the other language."""
        self.language = languages(self.language)
        self.redraw()

    def action_plain(self) -> None:
        """Draw the bars with ASCII, or with blocks."""
        self.plain = not self.plain
        self.redraw()

    async def action_retry(self) -> None:
        """Try the device under the cursor at once."""
        devices = self.query_one("#devices", Rows)
        if not self.listed:
            return
        chosen = self.listed[devices.cursor].id
        if not devices.has_focus and self.shown:
            chosen = self.shown[self.query_one("#signals", Rows).cursor].device
        try:
            await self._source.retry(chosen)
        except AgentError as exc:
            self.trouble = exc.text
        self.redraw()

    def on_resize(self) -> None:
        """Fit the new size."""
        self.call_after_refresh(self.redraw)
