"""From when to when a certificate is valid, read from its DER bytes.

The gateway has no library that parses certificates, and `ssl` tells the dates of the peer's own certificate only.
Dates stand at a fixed place of the structure (RFC 5280, 4.1): five elements into the first element of the whole.
"""

from __future__ import annotations

import calendar
import re
from typing import NamedTuple

from settings.errors import ConfigError

_SEQUENCE, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_LONG = 0x80
_BEFORE_VALIDITY = 3  # serial number, signature algorithm, issuer
_TIME = re.compile(rb"([0-9]{2,4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z")


class Validity(NamedTuple):
    """First and last moment, nanoseconds UTC."""

    begin_ns: int
    end_ns: int


def validity(der: bytes) -> Validity:
    """Return when a certificate is valid.

    Raises:
        ConfigError: the bytes are no certificate.
    """
    try:
        certificate = _element(der, 0, _SEQUENCE)
        at = _element(der, certificate[0], _SEQUENCE)[0]
        if der[at] == _VERSION:
            at = _element(der, at, _VERSION)[1]
        for _ in range(_BEFORE_VALIDITY):
            at = _element(der, at, der[at])[1]
        begin_at, _ = _element(der, at, _SEQUENCE)
        begin = _element(der, begin_at, der[begin_at])
        end = _element(der, begin[1], der[begin[1]])
    except IndexError:
        raise ConfigError("not a certificate") from None
    return Validity(_time(der, begin_at, begin), _time(der, begin[1], end))


def _element(der: bytes, at: int, tag: int) -> tuple[int, int]:
    """Return where the content of the element at `at` begins and where it ends."""
    if der[at] != tag:
        raise ConfigError("not a certificate")
    length, begin = der[at + 1], at + 2
    if length >= _LONG:
        octets = length - _LONG
        length, begin = int.from_bytes(der[begin : begin + octets], "big"), begin + octets
    if begin + length > len(der):
        raise ConfigError("a certificate that is cut off")
    return begin, begin + length


def _time(der: bytes, tag_at: int, content: tuple[int, int]) -> int:
    match = _TIME.fullmatch(der[content[0] : content[1]])
    if match is None or der[tag_at] not in {_UTC_TIME, _GENERALIZED_TIME}:
        raise ConfigError("a certificate without dates")
    year, month, day, hour, minute, second = (int(part) for part in match.groups())
    if der[tag_at] == _UTC_TIME:
        year += 1900 if year >= 50 else 2000  # RFC 5280, 4.1.2.5.1
    try:
        return calendar.timegm((year, month, day, hour, minute, second)) * 10**9
    except ValueError:
        raise ConfigError("a certificate with a date that is none") from None
