"""What every reading passes on its way to the spool, and nobody waits.

collector --supervise--> is it still the same device? --> last values --> spool
                                                                      --> copies (Sparkplug)
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.fingerprint import Fingerprints
    from agent.frame import Event, Item
    from agent.latest import Latest
    from agent.supervise import Sink

logger = logging.getLogger(__name__)


class Intake:
    """A sink in front of the spool.

    Args:
        spool: Where everything goes.
        fingerprints: Make values of a device that has changed uncertain.
        latest: Sees what is stored.
    """

    def __init__(self, spool: Sink, fingerprints: Fingerprints, latest: Latest) -> None:
        self._spool = spool
        self._fingerprints = fingerprints
        self._latest = latest
        self.copies: list[Sink] = []
        """Outputs beside the record; each returns at once."""
        self.passed = 0
        """Items so far, failed readings among them: it stands still when nothing is read any more."""

    def put(self, item: Item) -> None:
        """Take one item."""
        self.passed += 1
        item, changed = self._fingerprints.look(item)
        if changed is not None:
            self._say(changed)
            self._spool.put(changed)
        self._latest.put(item)
        self._spool.put(item)
        for copy in self.copies:
            copy.put(item)

    @staticmethod
    def _say(event: Event) -> None:
        logger.error(
            "%s is not what it was: %s: its values are uncertain until `tsq-agent confirm %s`",
            event.body["device"],
            event.body["changes"],
            event.body["device"],
        )
