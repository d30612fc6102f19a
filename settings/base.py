"""Building blocks of every configuration model: the strict base, ids, names, hosts, durations and sizes.

Nothing here connects or touches a file, and nothing that somebody wrote is corrected behind his back.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from settings.language import Complaint


def form(written: str, format_: str = "") -> WithJsonSchema:
    """Return how a value is written, for `docs/configuration.md` and for editors."""
    return WithJsonSchema({"type": "string", "form": written} | ({"format": format_} if format_ else {}))


TopicId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$"), form("id: `a-z`, `0-9`, `-`, at most 32")]
"""Id of a factory, site or agent: it stands in topics."""
Id = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9_-]{1,48}$"), form("id: `a-z`, `0-9`, `-`, `_`, at most 48")
]
"""Id of a machine, device, group or signal."""

SignalName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9_-]{1,48}/[a-z0-9_-]{1,48}$"),
    form("`machine/signal`"),
]
"""A signal, as the machine and the id under which it is read."""

PROFILE = r"^[a-z0-9][a-z0-9_-]{0,47}(/[a-z0-9][a-z0-9_-]{0,47}){0,3}$"
ProfileName = Annotated[str, StringConstraints(pattern=PROFILE), form("profile: `folder/name`")]
"""Name of a device profile: a file without `.yaml`, in at most three folders; it leads out of none."""

_UNITS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,9})?)\s*(ms|s|min|m|h|d)")


def _duration(value: Any) -> int:
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return round(float(match[1]) * _UNITS[match[2]])
    raise Complaint(
        "write a time with its unit, for example 500ms, 2s or 1m",
        "시간은 단위를 붙여 쓰십시오. 예: 500ms, 2s, 1m",
    )


def written(duration_ns: int) -> str:
    """Return a duration as it is written in the file, in the largest unit that needs no fraction."""
    for unit in ("d", "h", "m", "s"):
        if duration_ns and duration_ns % _UNITS[unit] == 0:
            return f"{duration_ns // _UNITS[unit]}{unit}"
    return f"{duration_ns / 10**6:g}ms"


Duration = Annotated[int, PlainValidator(_duration), form("time, `500ms`", "duration")]
"""A duration in nanoseconds, written with its unit; a bare number is refused."""


_SIZES = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*(kB|MB|GB|TB)")


def _size(value: Any) -> int:
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        return round(float(match[1]) * _SIZES[match[2]])
    raise Complaint(
        "write a size with its unit, for example 500MB or 2GB", "크기는 단위를 붙여 쓰십시오. 예: 500MB, 2GB"
    )


def written_size(size: int) -> str:
    """Return a size as it is written in the file, in the largest unit that needs no fraction."""
    unit = next((unit for unit in ("TB", "GB", "MB") if size and size % _SIZES[unit] == 0), "kB")
    return f"{size / _SIZES[unit]:g}{unit}"


Size = Annotated[int, PlainValidator(_size), form("size, `500MB`", "size")]
"""A number of bytes, written with its unit (kB, MB, GB, TB; powers of ten)."""


def at_least(size: int) -> AfterValidator:
    """Return a validator that refuses smaller sizes."""

    def check(value: int) -> int:
        if value < size:
            raise Complaint(f"write at least {written_size(size)}", f"{written_size(size)} 이상으로 쓰십시오")
        return value

    return AfterValidator(check)


def _host(value: str) -> str:
    looks_numeric = value.replace(".", "").isdecimal()
    if not looks_numeric and _HOST_NAME.fullmatch(value):
        return value
    try:
        return _address(value)
    except Complaint:
        raise Complaint(
            "write an IP address like 192.168.0.10 or a host name alone; the port stands under port",
            "192.168.0.10 같은 IP 주소나 호스트 이름만 쓰고, 포트는 port 항목에 쓰십시오",
        ) from None


def _address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise Complaint(
            f"{value} is not an address: write it like 192.168.0.10",
            f"주소 형식이 아닙니다({value}). 예: 192.168.0.10",
        ) from None
    return value


_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
Host = Annotated[str, AfterValidator(_host), form("address or host name")]
"""An IPv4 or IPv6 address, or a host name; nothing is looked up."""
IpAddress = Annotated[str, AfterValidator(_address), form("IP address")]
"""An IPv4 or IPv6 address."""
Port = Annotated[int, Field(ge=1, le=65535)]
Flag = Annotated[bool, Field(strict=True)]
"""`true` or `false` and nothing else: what `no` or `0` means is not guessed."""


def _name(value: str) -> str:
    text = unicodedata.normalize("NFC", value).strip()
    if not text or not text.isprintable():
        raise Complaint("write a name of printable characters", "보이는 문자로 된 이름을 쓰십시오")
    return text


Name = Annotated[str, StringConstraints(max_length=200), AfterValidator(_name), form("text")]
"""Any Unicode; compared and shown in NFC."""


_LEVEL = re.compile(r"[^+/#\x00-\x1f\x7f]{1,64}")


def _level(value: str) -> str:
    if not _LEVEL.fullmatch(value):
        raise Complaint(
            "write one level of a topic, at most 64 characters: no `/`, `+`, `#`",
            "토픽의 한 단계만 64자 이내로 쓰십시오. `/`, `+`, `#`는 쓸 수 없습니다",
        )
    return value


TopicLevel = Annotated[str, AfterValidator(_level), form("one topic level: no `/`, `+`, `#`")]
"""One level of somebody else's topics, any Unicode that may stand there."""


def _range(pair: tuple[float, float]) -> tuple[float, float]:
    if not pair[0] < pair[1]:
        raise Complaint("write the lower limit first: [low, high]", "하한값을 먼저 쓰십시오: [하한, 상한]")
    return pair


Range = Annotated[tuple[float, float], AfterValidator(_range), form("`[low, high]`")]


Word = Annotated[str, StringConstraints(min_length=1, max_length=200), form("text")]
"""A name in somebody else's system, a user or a database, exactly as it is written there."""


class Model(BaseModel):
    """Base of all configuration models: unknown keys are errors, values are frozen and finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
