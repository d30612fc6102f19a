"""The state of a host application (Sparkplug 3.0, 6.4.26): retained JSON, and which word of it counts. Pure.

An offline older than the latest online is a will that comes late, and counts nothing. An online always counts: the
reference host (Tahu 1.0) goes online again under the time of its connection, which is older than its offline, and
a host whose clock was set back must not lose its nodes for ever.
"""

from __future__ import annotations

import msgspec

from agent.errors import WireError
from agent.sparkplug.payload import NAMESPACE


def topic(host: str) -> str:
    """Return where a host says whether it is there."""
    return f"{NAMESPACE}/STATE/{host}"


class _State(msgspec.Struct, frozen=True):
    online: bool
    timestamp: int


class Host:
    """What is known of the primary host.

    Attributes:
        online: Whether it is there.
    """

    def __init__(self) -> None:
        self.online = False
        self._since = 0  # of its latest online, ms UTC of the host

    def heard(self, raw: bytes) -> bool:
        """Take its word.

        Returns:
            Whether `online` has changed.

        Raises:
            WireError: not what a host of version 3 says.
        """
        try:
            state = msgspec.json.decode(raw, type=_State)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise WireError(f"not the state of a Sparkplug 3 host: {exc}") from exc
        if state.online:
            self._since = state.timestamp
        elif state.timestamp < self._since:
            return False
        changed = state.online is not self.online
        self.online = state.online
        return changed
