"""Plain text tables whose columns stand under each other, Korean included."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def width(text: str) -> int:
    """Return how many terminal columns a text takes: Hangul and other wide characters take two."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in unicodedata.normalize("NFC", text)
    )


def clean(text: str) -> str:
    """Return a text in one line without control characters: what a device sends must not steer the terminal."""
    return "".join(c if c.isprintable() else "\N{MIDDLE DOT}" for c in unicodedata.normalize("NFC", text))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> Iterator[str]:
    """Yield the lines of a table.

    Args:
        head: Titles of the columns.
        rows: Cells, as many in each row as there are titles.
        right: Columns that are aligned to the right.
    """
    lines = [head, *([clean(cell) for cell in row] for row in rows)]
    widths = [max(width(line[i]) for line in lines) for i in range(len(head))]

    def shown(line: Sequence[str]) -> str:
        cells = []
        for i, (cell, wide) in enumerate(zip(line, widths, strict=True)):
            gap = " " * (wide - width(cell))
            cells.append(gap + cell if i in right else cell + gap)
        return "  ".join(cells).rstrip()

    yield shown(head)
    yield "  ".join("-" * wide for wide in widths)
    for line in lines[1:]:
        yield shown(line)
