"""The state of a host application, Sparkplug 3.0, 6.4.26: retained JSON, and which of two words counts. Pure."""

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
        self._since = 0  # of the latest word that counted, ms UTC of the host

    def heard(self, raw: bytes) -> bool:
        """Take its word; one that is older than the latest counts nothing: it is a will that comes late.

        Returns:
            Whether `online` has changed.

        Raises:
            WireError: not what a host of version 3 says.
        """
        try:
            state = msgspec.json.decode(raw, type=_State)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise WireError(f"not the state of a Sparkplug 3 host: {exc}") from exc
        if state.timestamp < self._since:
            return False
        self._since = state.timestamp
        changed = state.online is not self.online
        self.online = state.online
        return changed
