"""The values of a block of columns, typed: what JSON says of each, in the fewest bytes that give it back exactly.

Rows come sorted by signal and time, so that the value before a row is mostly the same signal's. Each row has a
kind (null, false, true, integer, float, text, integer as text). Within the floats each signal has a form: the
decimals that a PLC's scaled registers and a formula's rounding give (23.1 is 231 tenths), the same read through a
float32, any float32, any float64. Integers and decimals are kept as differences, other floats XORed with the one
before, texts as places in a table.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from agent.errors import WireError
from contract.codec import SAFE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agent.frame import Value
    from agent.spool.columns_streams import Reader, Writer

    Ints = NDArray[np.int64]
    Keys = NDArray[np.integer[Any]]
    Mask = NDArray[np.bool_]

NULL, FALSE, TRUE, INTEGER, FLOAT, TEXT, DIGITS = range(7)
_KINDS = {type(None): NULL, bool: FALSE, int: INTEGER, float: FLOAT, str: TEXT}
DECIMALS = 7  # forms 0..6: decimals of so many places; 8..14: likewise, through a float32
THROUGH_FLOAT32 = 8
FLOAT32, FLOAT64 = 16, 17
LARGEST = 2**53  # up to here whole numbers are exact as float64
DIGITS_LENGTH = 20  # of -2^63
_KIND_NUMBER = np.full(DIGITS + 1, np.nan)
_KIND_NUMBER[[FALSE, TRUE]] = 0, 1


def write_values(out: Writer, values: Sequence[Value], signal: Keys) -> None:
    """Write values sorted by signal.

    Args:
        out: Where to.
        values: n of them.
        signal: integers[n], ascending: which rows belong to one signal.

    Raises:
        OverflowError: an integer has more than 64 bits.
        KeyError: not a value of JSON.
    """
    n = len(values)
    kinds = np.fromiter(map(_KINDS.__getitem__, map(type, values)), np.uint8, n)
    column = np.empty(n, object)
    column[:] = values
    kinds[kinds == FALSE] += column[kinds == FALSE].astype(np.uint8)
    numbers = np.zeros(n, np.int64)
    whole = kinds == INTEGER
    numbers[whole] = column[whole].astype(np.int64)
    for row in np.flatnonzero(kinds == TEXT).tolist():
        number = _digits(column[row])
        if number is not None:
            kinds[row], numbers[row] = DIGITS, number
    whole |= kinds == DIGITS
    out.raw(kinds.tobytes())
    rows = np.flatnonzero(kinds == FLOAT)
    floats = column[rows].astype(np.float64)
    begins = _begins(signal[rows])
    forms = _forms(floats, begins)
    out.raw(forms.tobytes())
    form = forms[np.cumsum(begins) - 1] if len(rows) else forms
    decimal = form < FLOAT32
    numbers[rows[decimal]] = _scaled(floats[decimal], form[decimal])
    whole[rows[decimal]] = True
    out.differences(numbers[whole])
    short = floats[form == FLOAT32].astype(np.float32).view(np.uint32)
    out.planes(_xored(short))
    out.planes(_xored(floats[form == FLOAT64].view(np.uint64)))
    texts = column[kinds == TEXT].tolist()
    table = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    out.numbers([len(table)])
    out.texts([text.encode() for text in table])
    out.differences(np.array([table[text] for text in texts], np.int64))


class Typed(NamedTuple):
    """Values sorted by signal, as they travel.

    Attributes:
        kinds: uint8[n], `NULL` to `DIGITS`.
        number: float64[n], NaN where there is none; a bool is 0 or 1.
        whole: int64[n], of `INTEGER` and `DIGITS`; of `TEXT`, which of `table`; else 0.
        table: The texts.
    """

    kinds: NDArray[np.uint8]
    number: NDArray[np.float64]
    whole: Ints
    table: list[str]

    def objects(self) -> NDArray[Any]:
        """object[n]: the values as Python has them."""
        column = np.empty(len(self.kinds), object)  # of None
        rows = np.flatnonzero(self.kinds == FLOAT)
        column[rows] = self.number[rows].astype(object)  # not a list, which would be looked through
        rows = np.flatnonzero((self.kinds == FALSE) | (self.kinds == TRUE))
        column[rows] = (self.kinds[rows] == TRUE).astype(object)
        rows = np.flatnonzero(self.kinds == INTEGER)
        column[rows] = self.whole[rows].astype(object)
        rows = np.flatnonzero(self.kinds == DIGITS)
        column[rows] = [str(number) for number in self.whole[rows].tolist()]
        rows = np.flatnonzero(self.kinds == TEXT)
        column[rows] = [self.table[place] for place in self.whole[rows].tolist()]
        return column


def read_values(source: Reader, signal: Keys, most: int) -> Typed:
    """Read values sorted by signal, as they were written.

    Args:
        source: Where from.
        signal: integers[n], ascending, as it was given to the writer.
        most: Bytes that all texts may take together.

    Raises:
        WireError: damaged.
    """
    n = len(signal)
    kinds = np.frombuffer(source.raw(n), np.uint8)
    if n and int(kinds.max()) > DIGITS:
        raise WireError("a value of no known kind")
    rows = np.flatnonzero(kinds == FLOAT)
    begins = _begins(signal[rows])
    forms = np.frombuffer(source.raw(int(begins.sum())), np.uint8)
    form = forms[np.cumsum(begins) - 1] if len(rows) else forms
    known = (forms % THROUGH_FLOAT32 < DECIMALS) & (forms < FLOAT32) | (forms == FLOAT32) | (forms == FLOAT64)
    if not known.all():
        raise WireError("a float of no known form")
    decimal = form < FLOAT32
    integer = (kinds == INTEGER) | (kinds == DIGITS)
    held = integer.copy()
    held[rows[decimal]] = True
    whole = np.zeros(n, np.int64)
    whole[held] = source.sums(int(held.sum()))
    floats = np.empty(len(rows), np.float64)
    floats[decimal] = _unscaled(whole[rows[decimal]], form[decimal])
    whole[rows] = 0
    short = form == FLOAT32
    bits = source.planes(int(short.sum()), 4).reshape(-1).view(np.uint32)
    floats[short] = np.bitwise_xor.accumulate(bits).view(np.float32)
    long = form == FLOAT64
    floats[long] = np.bitwise_xor.accumulate(source.planes(int(long.sum()), 8).reshape(-1).view(np.uint64)).view(
        np.float64
    )
    if not np.isfinite(floats).all():
        raise WireError("a float that JSON does not have")
    number = _KIND_NUMBER[kinds]
    number[rows] = floats
    number[integer] = whole[integer]
    text = np.flatnonzero(kinds == TEXT)
    table, places = _read_texts(source, len(text), most)
    whole[text] = places
    return Typed(kinds, number, whole, table)


def _read_texts(source: Reader, n: int, most: int) -> tuple[list[str], Ints]:
    (count,) = source.sizes(1, most)
    raw = source.texts(count, most)
    places = source.sums(n)
    if n and not 0 <= int(places.min()) <= int(places.max()) < count:
        raise WireError("a text that is not in the table")
    if n and int(np.array([len(text) for text in raw], np.int64)[places].sum()) > most:
        raise WireError("more text than fits")
    try:
        table = [text.decode() for text in raw]
    except UnicodeDecodeError as exc:
        raise WireError(f"a text that is not UTF-8: {exc}") from exc
    return table, places


def _digits(text: str) -> int | None:
    """Return the integer that travels as this text, None when it is any other text."""
    if len(text) > DIGITS_LENGTH or not text.lstrip("-").isdecimal() or not text.isascii():
        return None
    number = int(text) if text.count("-") == text.startswith("-") else 0
    return number if SAFE < abs(number) < 2**63 and str(number) == text else None


def _begins(signal: Keys) -> Mask:
    """bool[n]: where the first row of a signal stands."""
    return np.append(np.ones(min(1, len(signal)), np.bool_), signal[1:] != signal[:-1])


def _xored(bits: NDArray[Any]) -> NDArray[Any]:
    out = bits.copy()
    out[1:] ^= bits[:-1]
    return out


def _scaled(floats: NDArray[np.float64], form: NDArray[np.uint8]) -> Ints:
    return np.rint(floats * 10.0 ** (form % THROUGH_FLOAT32)).astype(np.int64)


def _unscaled(numbers: Ints, form: NDArray[np.uint8]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = numbers / 10.0 ** (form % THROUGH_FLOAT32)
    through = form >= THROUGH_FLOAT32
    found[through] = found[through].astype(np.float32)
    return found


def _forms(floats: NDArray[np.float64], begins: Mask) -> NDArray[np.uint8]:
    """uint8[signals]: the shortest form that gives back every float of a signal, bit for bit."""
    starts = np.flatnonzero(begins)
    forms = np.full(len(starts), FLOAT64, np.uint8)
    if not len(floats):
        return forms
    bits = floats.view(np.int64)

    def settles(form: int, found: NDArray[np.float64]) -> None:
        same = np.logical_and.reduceat(found.view(np.int64) == bits, starts)
        forms[same & (forms > form)] = form

    with np.errstate(over="ignore", invalid="ignore"):
        settles(FLOAT32, floats.astype(np.float32).astype(np.float64))
        for places in reversed(range(DECIMALS)):
            scaled = np.rint(floats * 10.0**places) + 0.0  # an integer has no -0.0
            scaled[np.abs(scaled) > LARGEST] = 0.5  # no decimal gives this back, and nothing overflows
            found = scaled / 10.0**places
            settles(THROUGH_FLOAT32 + places, found.astype(np.float32).astype(np.float64))
            settles(places, found)
    return forms
