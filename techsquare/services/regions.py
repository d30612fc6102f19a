"""How far a supplier is from a factory: kilometres between the seats of government of Korea's provinces and cities.

As the crow flies (haversine, mean radius of the earth 6371.0088 km, IUGG) between city or province halls, by their
coordinates to a hundredth of a degree: about a kilometre, and the published rule counts in steps of fifty. Where
a hall stands anybody can look up on a map; Gyeongbuk's is in Andong, Chungnam's in Hongseong, Jeonnam's in Muan,
since the offices moved there (2016, 2013, 2005). Names are the provinces' short ones (ISO 3166-2:KR without -do).

A region that is not in the table is as far as two regions can be: who does not say where he is, is not near.
"""

from __future__ import annotations

from functools import cache
from math import asin, cos, radians, sin, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

RADIUS_KM = 6371.0088
SEATS: dict[str, tuple[float, float]] = {
    "seoul": (37.57, 126.98),
    "busan": (35.18, 129.08),
    "daegu": (35.87, 128.60),
    "incheon": (37.46, 126.71),
    "gwangju": (35.16, 126.85),
    "daejeon": (36.35, 127.38),
    "ulsan": (35.54, 129.31),
    "sejong": (36.48, 127.29),
    "gyeonggi": (37.29, 127.05),
    "gangwon": (37.89, 127.73),
    "chungbuk": (36.64, 127.49),
    "chungnam": (36.66, 126.67),
    "jeonbuk": (35.82, 127.11),
    "jeonnam": (34.82, 126.46),
    "gyeongbuk": (36.58, 128.51),
    "gyeongnam": (35.24, 128.69),
    "jeju": (33.49, 126.50),
}
"""Latitude and longitude in degrees (WGS 84)."""
_KOREAN = "서울 부산 대구 인천 광주 대전 울산 세종 경기 강원 충북 충남 전북 전남 경북 경남 제주"
_SHORT = dict(zip(_KOREAN.split(), SEATS, strict=True))
_LONG = {
    "충청북도": "chungbuk", "충청남도": "chungnam", "전라북도": "jeonbuk", "전라남도": "jeonnam",
    "경상북도": "gyeongbuk", "경상남도": "gyeongnam",
}  # fmt: skip

_CODES = {
    "11": "seoul", "26": "busan", "27": "daegu", "28": "incheon", "29": "gwangju", "30": "daejeon", "31": "ulsan",
    "41": "gyeonggi", "42": "gangwon", "43": "chungbuk", "44": "chungnam", "45": "jeonbuk", "46": "jeonnam",
    "47": "gyeongbuk", "48": "gyeongnam", "49": "jeju", "50": "sejong",
}  # fmt: skip
"""Of ISO 3166-2:KR."""


def place(region: str) -> str | None:
    """Return the name of a region in the table; None where it is not there."""
    name, _, more = region.strip().lower().partition("-")
    if name == "kr":
        return _CODES.get(more)
    return name if name in SEATS else _LONG.get(name[:4]) or _SHORT.get(name[:2])


def kilometres(region: str, others: Iterable[str]) -> float:
    """Return the distance from a region to the nearest of others; the farthest there is where nobody can tell."""
    here = place(region)
    if here is None:
        return farthest()
    return min((_between(here, there) for one in others if (there := place(one)) is not None), default=farthest())


@cache
def farthest() -> float:
    """Return the greatest distance of two regions."""
    return max(_between(one, other) for one in SEATS for other in SEATS)


@cache
def _between(one: str, other: str) -> float:
    (lat1, lon1), (lat2, lon2) = ((radians(a), radians(b)) for a, b in (SEATS[one], SEATS[other]))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * RADIUS_KM * asin(sqrt(half))
