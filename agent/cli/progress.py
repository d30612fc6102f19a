"""How far a long reading is: a bar on a terminal, now and then a line in a log."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent.clock import SystemClock
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from settings.language import Language

WIDTH = 30
SECOND = 1_000_000_000
SHOWN_NS = SECOND // 5
LOGGED_NS = 30 * SECOND
SURE_NS = 2 * SECOND
"""Before that, nobody knows how long the rest will take."""


class Progress:
    """A bar with what is done and how long the rest will take, redrawn in place; where no terminal is, plain lines.

    Args:
        total: Bytes that will be read, 0 when nobody knows.
        language: Of the line.
        stream: Where to; None: the standard error stream.
        now: Monotonic nanoseconds.
    """

    def __init__(
        self, total: int, language: Language, stream: TextIO | None = None, now: Callable[[], int] | None = None
    ) -> None:
        self._total = total
        self._language: Language = language
        self._stream = sys.stderr if stream is None else stream
        self._now = SystemClock().monotonic if now is None else now
        self._watched = self._stream.isatty()
        self._begun = self._shown_ns = self._now()
        self._done = 0
        self._drawn = False

    def advance(self, size: int) -> None:
        """Add bytes that were read."""
        self._done += size
        now = self._now()
        if now - self._shown_ns < (SHOWN_NS if self._watched else LOGGED_NS):
            return
        self._shown_ns = now
        if self._watched:
            print(f"\r\033[K{self._line(now)}", end="", file=self._stream, flush=True)
            self._drawn = True
        else:
            print(self._line(now), file=self._stream, flush=True)

    def end(self) -> None:
        """Take the bar away."""
        if self._drawn:
            print("\r\033[K", end="", file=self._stream, flush=True)
            self._drawn = False

    def _line(self, now: int) -> str:
        reading = Text("reading", "읽는 중")(self._language)
        if not self._total:
            return f"{reading} {self._done / 1e6:,.0f} MB"
        share = min(self._done / self._total, 1.0)
        full = int(share * WIDTH)
        bar = f"[{'#' * full}{'.' * (WIDTH - full)}] " if self._watched else ""
        return f"{reading} {bar}{min(int(100 * share), 99):3d} %{self._left(now, share)}"

    def _left(self, now: int, share: float) -> str:
        took = now - self._begun
        if took < SURE_NS or not share:
            return ""
        left = round(took * (1 - share) / share / SECOND)
        minutes, seconds = divmod(left, 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return Text(f", {hours} h {minutes} min left", f", 남은 시간 {hours}시간 {minutes}분")(self._language)
        if minutes:
            return Text(f", {minutes} min {seconds} s left", f", 남은 시간 {minutes}분 {seconds}초")(self._language)
        return Text(f", {seconds} s left", f", 남은 시간 {seconds}초")(self._language)
