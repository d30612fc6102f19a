"""What is left to do with a number or a text after `struct` has found it. Pure."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from agent.frame import Status

if TYPE_CHECKING:
    from collections.abc import Callable

Encoding = Literal["ascii", "utf-8", "cp949"]

_DATA_VALUE, _LOW, _HIGH = 0x0400, 0x0100, 0x0200  # info type and limit bits of a status code, OPC UA Part 4
TOO_LOW = Status.UNCERTAIN_ENGINEERING_UNITS_EXCEEDED | _DATA_VALUE | _LOW
TOO_HIGH = Status.UNCERTAIN_ENGINEERING_UNITS_EXCEEDED | _DATA_VALUE | _HIGH


def text(raw: bytes, length: int, encoding: Encoding) -> str | None:
    """Return text up to the first NUL, without the blanks that pad it; None when it is not of its encoding."""
    try:
        return raw[:length].split(b"\0", 1)[0].decode(encoding).rstrip(" ")
    except UnicodeDecodeError:
        return None


def digits(raw: int) -> int | None:
    """Return packed BCD as a number: 0x1234 is 1234; None when a digit is above 9."""
    written = f"{raw:x}"
    return int(written) if written.isdecimal() else None


def field_of(first: int, last: int, *, signed: bool) -> Callable[[int], int]:
    """Return a function that cuts the bits `first` to `last` out of an unsigned integer."""
    width = last - first + 1
    mask, sign = (1 << width) - 1, 1 << (width - 1)
    if signed:
        return lambda raw: ((raw >> first & mask) ^ sign) - sign
    return lambda raw: raw >> first & mask


def scaled(scale: float, offset: float, *, whole: bool) -> Callable[[Any], float]:
    """Return a function that gives raw x scale + offset as the nearest float64.

    A scale of 0.1 is meant as a tenth, not as the binary number next to it: 3 x 0.1 is 0.3. Whole numbers are
    therefore counted in whole numbers and divided once, which Python rounds correctly; floats are divided where
    the scale is one over a whole number.

    Args:
        scale: Factor.
        offset: Added afterwards.
        whole: Whether raw values are integers.
    """
    factor, more = Fraction(repr(scale)), Fraction(repr(offset))
    if whole:
        under = math.lcm(factor.denominator, more.denominator)
        times, plus = int(factor * under), int(more * under)
        if max(abs(times), abs(plus)) > 2**900:  # may exceed a float
            return partial(_ratio, times=times, plus=plus, under=under)
        if times == 1 and plus == 0:
            return lambda raw: raw / under
        return lambda raw: (raw * times + plus) / under
    if factor.numerator == 1 and 1 < factor.denominator <= 2**53:
        divisor = float(factor.denominator)
        return lambda raw: raw / divisor + offset
    return lambda raw: raw * scale + offset


def _ratio(raw: int, times: int, plus: int, under: int) -> float:
    found = raw * times + plus
    try:
        return found / under
    except OverflowError:  # an infinity, like a product of floats that is too large
        return math.inf if found > 0 else -math.inf


def clamped(low: float, high: float, *, mark: Callable[[Any, int], Any], whole: bool) -> Callable[[Any], Any]:
    """Return a function that cuts a number to limits and says so.

    NaN and infinities pass: they are no measurements, and become bad values later.

    Args:
        low: Lower limit.
        high: Upper limit.
        mark: Makes the result of a value and a status.
        whole: Whether values are integers, and must stay so.
    """
    least, most = (math.ceil(low), math.floor(high)) if whole else (float(low), float(high))

    def cut(value: Any) -> Any:
        if least <= value <= most or not math.isfinite(value):
            return value
        return mark(least, TOO_LOW) if value < least else mark(most, TOO_HIGH)

    return cut
