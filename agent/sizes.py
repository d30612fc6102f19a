"""How large a message a broker takes, learned from what it says and what it does.

MQTT 5 has three ways to say it: a limit when the connection begins, a refusal of one message, and an end of the
connection. Under 3.1.1 a broker drops what is too large (mosquitto), or closes the connection (most others). So
three connections in a row that end over something larger than all that was acknowledged on them mean a limit, too.

What was refused is tried again on the next connection, which costs one refusal; what ends connections is not.

Pure; sizes are bytes of payloads.
"""

from __future__ import annotations

from dataclasses import dataclass

PACKET_OVERHEAD = 512  # of a packet beside its payload: topic and properties
SMALLEST = 4096  # that a broker must take
CUTS = 3


@dataclass(slots=True)
class Sizes:
    """What is known of one broker. Not thread-safe."""

    _told: int | None = None  # on this connection: the limit that was named, or half of what was refused
    _feared: int | None = None  # half of what has ended connections
    _open: int = 0  # the largest that is not acknowledged
    _taken: int = 0  # the largest that was acknowledged on this connection
    _cuts: int = 0

    @property
    def largest(self) -> int | None:
        """The largest payload that may be sent, None while no limit is known."""
        return min((size for size in (self._told, self._feared) if size is not None), default=None)

    def connected(self, packet: int | None) -> None:
        """Begin a connection; `packet` is the limit that the broker names, with all that surrounds a payload."""
        self._open = self._taken = 0
        self._told = None if packet is None else max(SMALLEST, packet - PACKET_OVERHEAD)

    def sent(self, size: int) -> None:
        """Note a message."""
        self._open = max(self._open, size)

    def acknowledged(self) -> None:
        """Note that everything sent is acknowledged."""
        self._taken = max(self._taken, self._open)
        self._open = 0

    def refused(self) -> int | None:
        """Note that a message was refused as too large, of those that are open the largest.

        Returns:
            The size that is suspected, None when that was known before.
        """
        if self._open <= SMALLEST:
            return None
        size, self._open = self._open, 0
        self._told = _half(size, self._told)
        return size

    def ended(self, *, sure: bool) -> int | None:
        """Note that the connection was lost.

        Args:
            sure: The broker has answered a message with something that cannot be read, as mosquitto 2.0 does.

        Returns:
            The size that is suspected for it, if any.
        """
        self._cuts = self._cuts + 1 if self._open > max(SMALLEST, self._taken) else 0
        if not self._cuts or (self._cuts < CUTS and not sure):
            return None
        self._cuts = 0
        self._feared = _half(self._open, self._feared)
        return self._open


def _half(size: int, before: int | None) -> int:
    return max(SMALLEST, min(before or size, size // 2))
