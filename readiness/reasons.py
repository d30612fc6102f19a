"""How much the reasons that are given for stops are worth: whether they tell stops apart at all."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from readiness.stops import Stop

FEW = 5
OTHER, ONE = 0.3, 0.6
VAGUE, SAME = "OTHER_TOO_OFTEN", "ONE_REASON_TOO_OFTEN"


def codes(stops: Sequence[Stop]) -> Mapping[str, int]:
    """Return reason -> time, nanoseconds."""
    found: dict[str, int] = defaultdict(int)
    for stop in stops:
        if stop.reason is not None:
            found[stop.reason] += stop.length_ns
    return found


def entropy(times: Mapping[str, int]) -> float:
    """Return Shannon's entropy of reasons by time, in bits."""
    total = sum(times.values())
    return 0.0 - sum(t / total * math.log2(t / total) for t in times.values() if t) if total else 0.0


def guards(stops: Sequence[Stop]) -> list[str]:
    """Return which guards strike: of the time with a reason, too much "other", or too much of one reason.

    One reason of fewer than five stops says nothing about how reasons are chosen.
    """
    times, other = codes(stops), sum(s.length_ns for s in stops if s.reason is None and s.other)
    given = sum(times.values()) + other
    found = [VAGUE] if given and other > OTHER * given else []
    enough = sum(s.reason is not None for s in stops) >= FEW
    return [*found, SAME] if enough and max(times.values()) > ONE * given else found
