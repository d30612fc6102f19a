"""Makes numbers and pieces of the bytes that a fuzzer hands over; when they run out, it gives zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Supply:
    """A cursor over bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next bytes, filled up with zeros."""
        part = self._data[self._at : self._at + count]
        self._at += count
        return part.ljust(count, b"\0")

    def number(self, low: int, high: int) -> int:
        """Return an integer of a range, both ends included."""
        span = high - low + 1
        return low + int.from_bytes(self.take((span.bit_length() + 7) // 8)) % span

    def choice(self, of: Sequence[T]) -> T:
        """Return one of several."""
        return of[self.number(0, len(of) - 1)]

    def rest(self) -> bytes:
        """Return what is left."""
        part = self._data[self._at :]
        self._at = len(self._data)
        return part

    def cut(self, data: bytes) -> list[bytes]:
        """Return `data` in pieces, as a network may deliver it."""
        pieces = []
        while data:
            size = self.number(1, 40)
            pieces.append(data[:size])
            data = data[size:]
        return pieces
