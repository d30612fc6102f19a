"""Values as a person reads them: dates as dates, counters in full, and no number cut off at its end. Pure."""

from __future__ import annotations

import datetime as dt
import math
import struct
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from agent.cli.table import clean
from agent.frame import DataType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.frame import Value

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_COUNTER = 1e5
_LONGEST = 40
_PLAIN_BELOW = 1e15


def words(
    value: Value, dtype: DataType, zone: str, *, labels: Sequence[tuple[int, str]] = (), short: bool = False
) -> str:
    """Return a value in one line.

    Args:
        value: As it was read; None is an empty text.
        dtype: What the configuration says of it.
        zone: Time zone of dates.
        labels: What the numbers of an enumeration mean; the one of this value stands behind it.
        short: Dates without year and seconds.
    """
    if value is None:
        return ""
    if dtype is DataType.TIMESTAMP and isinstance(value, int):
        return _moment(value, zone, short=short)
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float):
        text = _float(value, dtype)
    else:
        text = clean(str(value))
    label = dict(labels).get(int(value)) if isinstance(value, int) else None
    return text if label is None else f"{text} {label}"


def of_node(value: Value, dtype: DataType | None) -> str:
    """Return what a server says of a node, where no configuration names a time zone."""
    text = words(value, dtype or DataType.STRING, "UTC")
    text += " UTC" if dtype is DataType.TIMESTAMP and text else ""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"


def within(text: str, value: Value, columns: int) -> str:
    """Return a number's text in so many columns: rounded, with an exponent, rather than without its last digits."""
    if len(text) <= columns or isinstance(value, bool) or not isinstance(value, int | float):
        return text
    if not math.isfinite(value) or abs(value) >= 1e300:
        return text
    for digits in range(12, 0, -1):
        rounded = f"{float(value):.{digits}g}"
        if len(rounded) <= columns:
            return rounded
    return text


def _float(value: float, dtype: DataType) -> str:
    """Return an analog value with the digits that a display has, and a counter with all of its own."""
    if abs(value) < _COUNTER:
        return f"{value:.6g}" if dtype is DataType.FLOAT32 else f"{value:.8g}"
    text = f"{value:.12g}"
    if dtype is DataType.FLOAT32 and abs(value) < 3e38:
        sent = struct.pack("f", value)
        found = (f"{value:.{digits}g}" for digits in (6, 7, 8, 9))
        text = next((t for t in found if struct.pack("f", float(t)) == sent), f"{value:.7g}")
    return f"{float(text):.0f}" if "e+" in text and abs(value) < _PLAIN_BELOW else text


def _moment(value: int, zone: str, *, short: bool) -> str:
    try:
        moment = (_EPOCH + dt.timedelta(microseconds=value // 1000)).astimezone(ZoneInfo(zone))
    except (OverflowError, ValueError):
        return str(value)
    return moment.strftime("%m-%d %H:%M") if short else moment.strftime("%Y-%m-%d %H:%M:%S")
