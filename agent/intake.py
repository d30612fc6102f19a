"""What every reading passes on its way to the spool: the last values are noted, and nobody waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.frame import Item
    from agent.latest import Latest
    from agent.supervise import Sink


class Intake:
    """A sink in front of the spool.

    Args:
        spool: Where everything goes.
        latest: Sees it first.
    """

    def __init__(self, spool: Sink, latest: Latest) -> None:
        self._spool = spool
        self._latest = latest

    def put(self, item: Item) -> None:
        """Take one item."""
        self._latest.put(item)
        self._spool.put(item)
