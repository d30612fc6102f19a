"""Records by name in little memory: their bytes in one piece, and each made anew when it is asked for.

As it is decoded, a day of 1,000 signals takes 13 MB, nearly all of it integers that stand one by one in lists; its
bytes take a tenth. A report asks for each record a few times, and a report is made when something has changed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, KeysView, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from msgspec.msgpack import Decoder

T = TypeVar("T")
_ENCODER = msgspec.msgpack.Encoder()


class Packed(Mapping[str, T], Generic[T]):
    """Records of one kind of one source on one day; reads like a dict.

    Args:
        at: Name -> number of the record; the same for many days.
        records: In order of these numbers.
        decoder: Makes a record of its bytes.

    Raises:
        OverflowError: an integer of a record has more than 64 bits.
    """

    __slots__ = ("_at", "_bytes", "_decoder", "_ends")

    def __init__(self, at: dict[str, int], records: Iterable[T], decoder: Decoder[T]) -> None:
        parts = [_ENCODER.encode(record) for record in records]
        self._at = at
        self._decoder = decoder
        self._bytes = b"".join(parts)
        self._ends = array("H" if len(self._bytes) < 1 << 16 else "L", accumulate(map(len, parts)))

    def __getitem__(self, name: str) -> T:
        """Return a record; each time it is another object.

        Raises:
            KeyError: there is none of that name.
        """
        number = self._at[name]
        begin = self._ends[number - 1] if number else 0
        return self._decoder.decode(memoryview(self._bytes)[begin : self._ends[number]])

    def __contains__(self, name: object) -> bool:
        """Return whether there is a record of a name, without making it."""
        return name in self._at

    def keys(self) -> KeysView[str]:
        """Return the names, as a dict's: formulas put them together for many days."""
        return self._at.keys()

    def __iter__(self) -> Iterator[str]:
        """Yield the names in order."""
        return iter(self._at)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._at)
