"""A list of any length on the screen: only the lines that are seen are made.

Textual's own table makes a cell for each value; 10,000 signals that change each second would keep a core busy. Here
a line is asked for when it is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.style import Style
    from rich.text import Text
    from textual import events
    from textual.geometry import Size


class Rows(Widget, can_focus=True):
    """Lines under a title, with a cursor.

    Attributes:
        count: Lines there are.
        cursor: The chosen one.
        first: The topmost that is seen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home,g", "move(-1000000)", show=False),
        Binding("end,G", "move(1000000)", show=False),
        Binding("enter", "choose", show=False),
    ]

    class Chosen(Message):
        """Somebody pressed Enter on a line."""

        def __init__(self, rows: Rows, index: int) -> None:
            super().__init__()
            self.rows = rows
            self.index = index

    class Moved(Message):
        """The cursor stands on another line."""

    def __init__(
        self,
        title: Callable[[int], Text],
        line: Callable[[int, int], Text],
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._title = title
        self._line = line
        self.count = 0
        self.cursor = 0
        self.first = 0

    def show(self, count: int) -> None:
        """Draw again; the lines may be others."""
        self.count = count
        self.cursor = max(0, min(self.cursor, count - 1))
        self._follow()
        self.refresh()

    @property
    def seen(self) -> int:
        """Lines that fit."""
        return max(1, self.size.height - 1)

    def _follow(self) -> None:
        self.first = max(0, min(self.first, self.cursor, max(0, self.count - self.seen)))
        self.first = max(self.first, self.cursor - self.seen + 1)

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        width = self.size.width
        index = self.first + y - 1
        if y == 0:
            return self._strip(self._title(width), width, self.rich_style)
        if index >= self.count:
            return Strip.blank(width, self.rich_style)
        text = self._line(index, width)
        if index == self.cursor and self.has_focus:
            text.stylize("reverse")
        return self._strip(text, width, self.rich_style)

    def _strip(self, text: Text, width: int, style: Style) -> Strip:
        segments = list(text.render(self.app.console, end=""))
        return Strip(Segment.apply_style(segments, style)).adjust_cell_length(width, style)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the lines wanted, the title among them."""
        del container, viewport, width
        return self.count + 1

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self.cursor = max(0, min(self.count - 1, self.cursor + by))
        self._follow()
        self.refresh()
        self.post_message(self.Moved())

    def action_page(self, by: int) -> None:
        """Move by a screen."""
        self.action_move(by * max(1, self.seen - 1))

    def action_choose(self) -> None:
        """Tell which line was chosen."""
        if self.count:
            self.post_message(self.Chosen(self, self.cursor))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move down."""
        event.stop()
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move up."""
        event.stop()
        self.action_move(-3)

    def on_click(self, event: events.Click) -> None:
        """Choose the line under the pointer."""
        if event.y:
            self.action_move(self.first + event.y - 1 - self.cursor)
