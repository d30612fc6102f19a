"""Identifiers of our own: UUIDv7 (RFC 9562) as text, so that keys grow with time and say nothing of a count.

    48 bits  milliseconds since 1970
    12 bits  how many were made before in this millisecond by this maker, so that its ids grow strictly
    62 bits  random

What has an id on the wire (factory, agent, machine) keeps it.
"""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST = 0xFFF


class Ids:
    """Makes ids. Thread-safe.

    Args:
        clock: Returns nanoseconds since 1970, UTC.
        bits: Returns so many random bits; a seeded generator's `getrandbits` makes ids that can be made again.
    """

    def __init__(
        self, clock: Callable[[], int] = time.time_ns, bits: Callable[[int], int] = secrets.randbits
    ) -> None:
        self._clock, self._bits = clock, bits
        self._lock = threading.Lock()
        self._last = -1
        self._count = 0

    def __call__(self) -> str:
        """Return the next id; it is greater than any that this maker gave before, also when the clock goes back."""
        with self._lock:
            now = self._clock() // 1_000_000
            if now > self._last:
                self._last, self._count = now, 0
            elif self._count == _MOST:
                self._last, self._count = self._last + 1, 0
            else:
                self._count += 1
            number = (self._last << 80) | (0x7 << 76) | (self._count << 64) | (0b10 << 62) | self._bits(62)
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def now(self) -> int:
        """Return the maker's moment, ns since 1970: what is written down of itself is written at it."""
        return self._clock()

    def bits(self, count: int) -> int:
        """Return so many of the maker's random bits: for whoever makes many ids fast by a generator of his own."""
        return self._bits(count)

    @contextmanager
    def made_again(self, clock: Callable[[], int], bits: Callable[[int], int]) -> Iterator[None]:
        """Give the same ids for the same clock and bits, until the end: for a simulated world, in one thread."""
        before = self._clock, self._bits, self._last, self._count
        self._clock, self._bits, self._last, self._count = clock, bits, -1, 0
        try:
            yield
        finally:
            self._clock, self._bits, self._last, self._count = before


new_id = Ids()
