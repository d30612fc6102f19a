"""Patterns over browse paths: `Objects/*/Axes/**/ActualPosition`. Pure.

A search goes down a tree, so a pattern is applied step by step: what it could still match below a node is known
at that node, and branches in which nothing can match are never asked for.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

State = frozenset[int]
"""Positions in the pattern that are reached; empty where nothing can match any more."""


class Glob:
    """A pattern over the names of a path, joined by `/`.

    Args:
        pattern: `*`, `?` and `[..]` within one name, `**` for any number of names; upper and lower case alike.
            Without a `/` it is the last name of any path; None matches every path.
    """

    def __init__(self, pattern: str | None) -> None:
        text = "**" if pattern is None else pattern.strip("/")
        if "/" not in text and text != "**":
            text = f"**/{text}"
        self._parts = [part.replace("%2F", "/").casefold() for part in text.split("/")]

    def begin(self, names: Iterable[str]) -> State:
        """Return the state behind the names that a search begins at."""
        state = self._closed({0})
        for name in names:
            state = self.step(state, name)
        return state

    def step(self, state: State, name: str) -> State:
        """Return the state behind one more name."""
        name = name.casefold()
        after: set[int] = set()
        for at in state:
            if at == len(self._parts):
                continue
            if self._parts[at] == "**":
                after.add(at)
            elif fnmatch.fnmatchcase(name, self._parts[at]):
                after.add(at + 1)
        return self._closed(after)

    def accepts(self, state: State) -> bool:
        """Whether the names so far match."""
        return len(self._parts) in state

    def _closed(self, state: set[int]) -> State:
        closed = set(state)
        for at in sorted(state):
            here = at
            while here < len(self._parts) and self._parts[here] == "**":
                here += 1
                closed.add(here)
        return frozenset(closed)
