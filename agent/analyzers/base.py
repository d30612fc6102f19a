"""The contract between the pipeline and the analyzers.

The pipeline feeds committed entries, in order, each exactly once; after a restart it restores the last
checkpoint and feeds what was committed after it. So the state must be a pure function of the items fed: the
same items give the same bytes, however they were cut into blocks and entries and however often the process
was killed between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.frame import Item


class Evidence(Protocol):
    """All analyzers together, as the pipeline sees them. Synchronous, no I/O, no clock, no logging."""

    def feed(self, items: Sequence[Item]) -> None:
        """Take the items of one or more committed entries, in order."""

    def state(self) -> bytes:
        """Return everything it would need to go on, as canonical bytes."""

    def take_closed(self) -> Mapping[str, bytes]:
        """Return the days (ISO date of the production day -> canonical evidence) closed since the last call."""
