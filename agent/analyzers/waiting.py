"""Readings that wait for each other, packed: 8 bytes a value or less, where Python's own objects take forty.

A source is read the same way each time: the same signals, in the same order, of the same types. That is the form of
a reading; as long as it does not change, a reading is its time and the bytes of its values. One of another form
begins a new stack. What no form can hold (a number beyond its declared type) waits as it came.

What comes out is what went in, to the last bit and to Python's types; only the server's times, which no analyzer
looks at, and round trips, which are counted when they come, are left behind.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from agent.frame import DataType, FrameBlock, concat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.frame import Source, Value

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Key = tuple[tuple[type, ...], bytes, bytes, bool, bool]

FEW: Final = 100
"""Rows of a block up to which it is worth packing: larger ones are few."""
WHOLE: Final = {
    DataType.INT16: "h",
    DataType.UINT16: "H",
    DataType.INT32: "i",
    DataType.UINT32: "I",
    DataType.UINT64: "Q",
}
KINDS: Final = {
    "d": "<f8", "?": "?", "h": "<i2", "H": "<u2", "i": "<i4", "I": "<u4", "q": "<i8", "Q": "<u8",
    "s": "<u2",
}  # fmt: skip
"""By code: type of the column. `s` is a text, by its number among those that wait."""
TEXTS: Final = 1 << 16


class Form:
    """How the values of a reading are packed.

    Args:
        block: A reading of this form.
        key: What makes readings alike: types, states, signals, whether there are source times, and whether all its
            rows have one time.
    """

    __slots__ = ("codes", "key", "none", "pack", "text")

    def __init__(self, block: FrameBlock, key: Key) -> None:
        self.key = key
        defined = [block.source.signals[i].dtype for i in block.signal.tolist()]
        self.codes = "".join(_code(kind, dtype) for kind, dtype in zip(key[0], defined, strict=True))
        self.pack = struct.Struct(self._layout()).pack
        self.text = bytes(i for i, code in enumerate(self.codes) if code == "s")
        self.none = "n" in self.codes

    def _layout(self) -> str:
        codes = self.codes.replace("s", "H").replace("n", "")
        return "<" + "".join(f"{len(list(same))}{code}" for code, same in groupby(codes))

    def columns(self, data: bytes | bytearray, number: int) -> list[tuple[str, int, NDArray[Any] | None]]:
        """Return (code, place of the first, columns of neighbours of one code), None for those without values."""
        groups = [(code, len(list(same))) for code, same in groupby(self.codes)]
        size = struct.calcsize(self._layout())
        found: list[tuple[str, int, NDArray[Any] | None]] = []
        place = offset = 0
        for code, width in groups:
            if code == "n":
                found.append((code, place, None))
            else:
                kind = np.dtype(KINDS[code])
                found.append((code, place, np.ndarray((number, width), kind, data, offset, (size, kind.itemsize))))
                offset += width * kind.itemsize
            place += width
        return found

    def packed(self, values: Sequence[Value], texts: dict[str, int]) -> bytes | None:
        """Return the bytes of a reading, None where they could not say it exactly."""
        said: Sequence[Any] = values
        if self.text:
            said = list(said)
            for i in self.text:
                said[i] = texts.setdefault(said[i], len(texts))
        if self.none:
            said = [v for v in said if v is not None]
        try:
            return self.pack(*said)
        except struct.error:
            return None


def _code(kind: type, dtype: DataType) -> str:
    if kind is float:
        return "d"
    if kind is int:
        return WHOLE.get(dtype, "q")
    if kind is bool:
        return "?"
    return {str: "s", type(None): "n"}[kind]


class Readings(Sequence["Value"]):
    """Values of readings of one form, as `FrameBlock.value` holds them.

    Args:
        form: Of all of them.
        data: Of one reading after the other.
        number: Of readings.
        texts: By number.
    """

    def __init__(self, form: Form, data: bytearray, number: int, texts: list[str]) -> None:
        self._width, self._number = len(form.codes), number
        self._parts = form.columns(data, number)
        self._texts = texts
        self._columns: dict[int, list[Any]] = {}

    def __len__(self) -> int:
        return self._number * self._width

    @overload
    def __getitem__(self, index: int) -> Value: ...
    @overload
    def __getitem__(self, index: slice) -> list[Value]: ...
    def __getitem__(self, index: int | slice) -> Value | list[Value]:
        if isinstance(index, slice):
            return self.raw(range(*index.indices(len(self))))
        return self.raw([range(len(self))[index]])[0]

    def __iter__(self) -> Iterator[Value]:
        return chain.from_iterable(zip(*map(self._column, range(self._width)), strict=True))

    def raw(self, rows: Sequence[int]) -> list[Value]:
        """Return the Python values of some rows."""
        columns, width = self._columns, self._width
        found: list[Value] = []
        for row in rows:
            at, place = divmod(row, width)
            if place not in columns:
                columns[place] = self._column(place)
            found.append(columns[place][at])
        return found

    def _column(self, place: int) -> list[Any]:
        code, first, part = next(p for p in reversed(self._parts) if p[1] <= place)
        if part is None:
            return [None] * self._number
        column: list[Any] = part[:, place - first].tolist()
        return [self._texts[i] for i in column] if code == "s" else column

    @cached_property
    def number(self) -> Floats:
        """float64[n], NaN where there is no number."""
        found = np.empty((self._number, self._width))
        found.fill(np.nan)
        for code, first, part in self._parts:
            if part is not None and code != "s":
                found[:, first : first + part.shape[1]] = part
        return found.ravel()


class Stack:
    """Readings of one source and form.

    Args:
        source: Of all of them, or one whose signals are the same.
        form: Of all of them.
    """

    __slots__ = ("bytes", "form", "source", "source_ns", "times")

    def __init__(self, source: Source, form: Form) -> None:
        self.source, self.form = source, form
        self.times = array("q")  # of each reading, or of each row where they differ
        self.bytes = bytearray()
        self.source_ns = bytearray()

    def block(self, texts: list[str]) -> FrameBlock:
        """Return all of them."""
        form = self.form
        width = len(form.codes)
        alone = form.key[4]
        time = np.array(self.times, np.int64)
        number = len(time) if alone else len(time) // width
        signal, status = np.frombuffer(form.key[2], np.int32), np.frombuffer(form.key[1], np.uint32)
        return FrameBlock(
            source=self.source,
            signal=np.tile(signal, number),
            time_ns=np.repeat(time, width) if alone else time,
            value=Readings(form, self.bytes, number, texts),
            status=np.tile(status, number),
            source_ns=np.frombuffer(self.source_ns, np.int64) if form.key[3] else None,
        )


class Waiting:
    """What waits of one source, in order."""

    __slots__ = ("_form", "_parts", "_texts", "blocks", "high_ns", "low_ns", "rows")

    def __init__(self) -> None:
        self._form: Form | None = None  # the last one: the next reading nearly always has it as well
        self._clear()

    def _clear(self) -> None:
        self._parts: list[FrameBlock | Stack] = []
        self._texts: dict[str, int] = {}
        self.rows = self.blocks = 0
        self.low_ns, self.high_ns = 2**62, 0

    @property
    def source(self) -> Source:
        """Return the source of what came first."""
        return self._parts[0].source

    def append(self, block: FrameBlock) -> int:
        """Take a block and return its earliest time, 0 of one without rows."""
        self.blocks += 1
        n = len(block.value)
        if not n:
            return 0
        self.rows += n
        if n > FEW:
            low, high = int(block.time_ns.min()), int(block.time_ns.max())
            self._parts.append(block)
        else:
            times = block.time_ns.tolist()
            low = high = times[0]
            if times.count(low) == n:
                del times[1:]
            else:
                low, high = min(times), max(times)
            if not self._packed(block, times, len(times) < n or n == 1):
                self._parts.append(block)
        self.low_ns = min(self.low_ns, low)
        self.high_ns = max(self.high_ns, high)
        return low

    def _packed(self, block: FrameBlock, times: list[int], alone: bool) -> bool:  # noqa: FBT001 - called for each reading
        value, stated = block.value, block.source_ns
        key = (tuple(map(type, value)), block.status.tobytes(), block.signal.tobytes(), stated is not None, alone)
        form = self._form
        if form is None or form.key != key:
            form = self._form = Form(block, key)
        packed = form.packed(value, self._texts)
        if packed is None or len(self._texts) > TEXTS:
            return False
        last = self._parts[-1] if self._parts else None
        if not isinstance(last, Stack) or last.form is not form:
            last = Stack(block.source, form)
            self._parts.append(last)
        last.bytes += packed
        last.times.extend(times)
        if stated is not None:
            last.source_ns += stated.tobytes()
        return True

    def take(self) -> FrameBlock | None:
        """Return all that waits as one block, None where there are no rows; nothing waits any more."""
        texts = list(self._texts)
        parts = [part.block(texts) if isinstance(part, Stack) else part for part in self._parts]
        self._clear()
        return concat(parts) if parts else None
