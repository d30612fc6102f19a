"""Entries of a step function, (time, code), packed: six bytes each instead of ten as columns of a machine's words.

Times of one clock differ by whole microseconds, and those that are kept lie within days: 40 bits hold twelve. Where
that does not hold, and where there are more than a hundred labels, all entries of the signal take ten bytes.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

MICRO = 1_000
NARROW, WIDE = struct.Struct("<IBb"), struct.Struct("<qh")
KINDS = {
    NARROW.size: np.dtype([("low", "<u4"), ("high", "u1"), ("code", "i1")]),
    WIDE.size: np.dtype([("time", "<i8"), ("code", "<i2")]),
}


class Entries:
    """Of one signal, in order of time.

    Args:
        time: UTC nanoseconds.
        code: Of each.
    """

    __slots__ = ("_base", "_data", "_size", "code")

    def __init__(self, time: Ints, code: Ints) -> None:
        self._base = int(time[0])
        self.code = int(code[-1])
        """The last one."""
        off, rest = np.divmod(time - self._base, MICRO)
        narrow = not rest.any() and int(off[-1]) < 1 << 40 and int(code.max()) < 1 << 7
        self._size = NARROW.size if narrow else WIDE.size
        packed = np.empty(len(time), KINDS[self._size])
        packed["code"] = code
        if narrow:
            packed["low"], packed["high"] = off & 0xFFFFFFFF, off >> 32
        else:
            packed["time"] = time
        self._data = bytearray(packed.tobytes())

    @classmethod
    def begun(cls, time: int, code: int) -> Entries:
        """Return the first entry."""
        first = cls.__new__(cls)
        first._base, first.code, first._size = time, code, NARROW.size  # noqa: SLF001 - of this class
        first._data = bytearray()  # noqa: SLF001 - likewise
        first.append(time, code)
        return first

    def __len__(self) -> int:
        return len(self._data) // self._size

    def append(self, time: int, code: int) -> None:
        """Take the next entry."""
        if self._size == NARROW.size:
            off, rest = divmod(time - self._base, MICRO)
            if rest or off >> 40 or code >> 7 > 0:
                times, codes = self.columns()
                self.__init__(np.append(times, time), np.append(codes, code))  # type: ignore[misc]
                return
            self._data += NARROW.pack(off & 0xFFFFFFFF, off >> 32, code)
        else:
            self._data += WIDE.pack(time, code)
        self.code = code

    def second(self) -> int:
        """Return the time of the second entry, of at least two."""
        if self._size == WIDE.size:
            return int(WIDE.unpack_from(self._data, WIDE.size)[0])
        low, high, _ = NARROW.unpack_from(self._data, NARROW.size)
        return self._base + (int(low) + (int(high) << 32)) * MICRO

    def columns(self) -> tuple[Ints, Ints]:
        """Return times and codes."""
        packed = np.frombuffer(bytes(self._data), KINDS[self._size])
        code = packed["code"].astype(np.int64)
        if self._size == WIDE.size:
            return packed["time"].astype(np.int64), code
        time = packed["high"].astype(np.int64) << 32
        time += packed["low"]
        time *= MICRO
        time += self._base
        return time, code
