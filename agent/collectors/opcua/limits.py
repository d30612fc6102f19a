"""How many nodes one request to a server may name: stated by the server, learned when that lies. Pure.

A server's OperationLimits are a ceiling, not advice: some controllers state 1,000 and take fifty times as long for
a node above 200. So each service begins with a modest batch and doubles it while the time per node does not grow;
an answer that says "too much" halves it, and the size that was too much is not asked for again.

What was learned outlives the connection and, by `agent.collectors.base.Memory`, the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.frame import Json

FIRST: Final = 100
"""Nodes in a request to a server that nothing is known about."""
MOST: Final = 1000
"""Nodes in a request, whatever a server states: a larger one would fill too large a message."""
SLOWER: Final = 1.5
"""Times the time per node by which a larger batch counts as slower."""
ENOUGH: Final = 3
"""Full batches that are timed before the next size is tried; the fastest counts: one slow answer tells nothing."""


class Batch:
    """The size of one service's requests.

    Attributes:
        size: Nodes to name in the next request.
        ceiling: What the server states or has refused to exceed.
        stated: What the server states, None for nothing.
    """

    def __init__(self, first: int = FIRST) -> None:
        self.size = first
        self.ceiling = MOST
        self.stated: int | None = None
        self.refused = 0
        self._settled = False
        self._best: list[float] = []  # ns per node of full batches of this size
        self._before: tuple[int, float] | None = None  # the last smaller size and its time per node

    def state(self, stated: object) -> None:
        """Take what the server states; 0 and None mean that it states nothing. What was learned stays."""
        self.stated = stated if isinstance(stated, int) and stated > 0 else None
        if self.stated is not None:
            self.ceiling = min(self.ceiling, self.stated)
            self.size = min(self.size, self.ceiling)

    def too_much(self, count: int) -> bool:
        """Take that `count` nodes were too many; return whether fewer can be tried."""
        if count <= 1:
            return False
        self.refused += 1
        self.size = self.ceiling = count // 2
        self._settled = True
        self._best.clear()
        return True

    def took(self, count: int, duration_ns: int) -> bool:
        """Take how long a request of `count` nodes took; return whether something was learned by it."""
        if self._settled or count != self.size or count < 1:
            return False
        self._best.append(duration_ns / count)
        if len(self._best) < ENOUGH:
            return False
        best = min(self._best)
        self._best.clear()
        if self._before is not None and best > SLOWER * self._before[1]:
            self.size = self.ceiling = self._before[0]
            self._settled = True
            return True
        self._before = (self.size, best)
        if self.size >= self.ceiling:
            self._settled = True
        self.size = min(self.size * 2, self.ceiling)
        return True

    def learned(self) -> Json:
        """Return what a later process should know."""
        return {"size": self.size, "ceiling": self.ceiling, "settled": self._settled}

    def recall(self, known: Json) -> None:
        """Take what `learned` returned; anything else is passed over."""
        if not isinstance(known, dict):
            return
        size, ceiling, settled = known.get("size"), known.get("ceiling"), known.get("settled")
        if isinstance(size, int) and isinstance(ceiling, int) and 1 <= size <= ceiling <= MOST:
            self.size, self.ceiling, self._settled = size, ceiling, settled is True


class Limits:
    """The batches of the services that name nodes, and of what else was learned.

    Attributes:
        read: Of Read.
        items: Of CreateMonitoredItems and DeleteMonitoredItems.
        browse: Of Browse, BrowseNext and TranslateBrowsePathsToNodeIds.
        changed: Something was learned since somebody set it back.
    """

    def __init__(self) -> None:
        self.read = Batch()
        self.items = Batch()
        self.browse = Batch(50)
        self.changed = False

    def _batches(self) -> dict[str, Batch]:
        return {"read": self.read, "items": self.items, "browse": self.browse}

    def stated(self, read: object, items: object, browse: object = None) -> None:
        """Take the server's OperationLimits."""
        self.read.state(read)
        self.items.state(items)
        self.browse.state(browse)

    def learned(self) -> dict[str, Json]:
        """Return what a later process should know, and facts show."""
        return {name: batch.learned() for name, batch in self._batches().items()}

    def recall(self, known: Mapping[str, Json]) -> None:
        """Take what `learned` returned."""
        for name, batch in self._batches().items():
            batch.recall(known.get(name))
