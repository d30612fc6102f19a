"""Steps back of a counter, each with what it is: explained by what people have declared, or not.

A step back is one of

    wrap        a modulus is declared, and what was counted across it fits the counter's own pace
    reset       to zero or near it, at a declared time or with the change of a signal that is declared to set it
                back (a lot), 5 minutes more or less, or unseen around one
    suspected   to zero or near it, at the same quarter hour of the day on three days or more: probably a reset that
                nobody has declared; a person decides
    fault       anything else

"Near zero" and "fits" mean: no more than the counter can have counted since it was last seen and a minute, at
twice the fastest pace of any quarter hour of the window, or four of its usual steps.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np

from readiness.records import MILLI_NS, QUARTER_NS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import time

    from numpy.typing import NDArray

    from readiness.plant import Meaning
    from readiness.spans import Spans
    from readiness.view import View

    Ints = NDArray[np.int64]

SECOND = 1_000_000_000
NEAR_NS = 300 * SECOND
"""A reset comes this much before or after its declared time."""
HABIT = 3
"""On as many days a step back at the same quarter hour looks like a habit."""
PACE, STEPS, MARGIN_NS = 2.0, 4.0, 60 * SECOND
Kind = Literal["wrap", "reset", "suspected", "fault"]
Raw = tuple[int, int, int, int, float]
"""Day of the window, instant, what the counter said before and after, and the unit of both."""


@dataclass(frozen=True, slots=True)
class Back:
    """One step back: what the counter said before and after, and the counts that were gained across it.

    `blind`: it came over a time in which nothing was known, and so did what was gained.
    """

    at_ns: int
    before: int
    after: int
    kind: Kind
    gained: int
    blind: bool = False


def explained(
    view: View, name: str, meaning: Meaning, raw: Sequence[Raw], usual: tuple[float, float]
) -> list[Back]:
    """Return each step back with what it is.

    Args:
        view: Of the window.
        name: The counter, `{machine}/{signal}`.
        meaning: What people say of it.
        raw: Its steps back.
        usual: The most that it counts in a quarter hour, and its usual step, in its own counts.
    """
    known = view.spans(name)
    zone = ZoneInfo(view.calendar.zone)
    changes = _changes(view, name, meaning.resets_with)
    found: list[Back] = []
    open_: dict[int, set[str]] = defaultdict(set)  # quarter of the local day -> dates with an unexplained step
    near_zero: list[bool] = []
    for _, at, before, after, unit in raw:
        last = _last_seen(known, at)
        limit = max(PACE * usual[0] * (at - last + MARGIN_NS) / QUARTER_NS, STEPS * usual[1])
        modulus = None if meaning.modulus is None else round(meaning.modulus / unit)
        across = 0 if modulus is None else after + modulus - before
        near = 0 <= after <= limit
        near_zero.append(near)
        if modulus is not None and before < modulus and after >= 0 and across <= limit:
            found.append(Back(at, before, after, "wrap", across, blind=last < at))
        elif near and (
            any(_struck(reset, last - NEAR_NS, at + NEAR_NS, zone) for reset in meaning.resets)
            or bool(((changes >= last - NEAR_NS) & (changes <= at + NEAR_NS)).any())
        ):
            found.append(Back(at, before, after, "reset", after, blind=last < at))
        else:
            found.append(Back(at, before, after, "fault", 0))
            if near:
                open_[_local_quarter(at, zone)].add(_local(at, zone).date().isoformat())
    return [
        Back(back.at_ns, back.before, back.after, "suspected", 0)
        if back.kind == "fault" and near and len(open_[_local_quarter(back.at_ns, zone)]) >= HABIT
        else back
        for back, near in zip(found, near_zero, strict=True)
    ]


def _changes(view: View, name: str, other: str | None) -> Ints:
    """Return when the signal that sets a counter back said something else than before."""
    track = None if other is None else view.seen.track(f"{name.partition('/')[0]}/{other}")
    if track is None:
        return np.zeros(0, np.int64)
    begun = [
        at for at, one, last in zip(track.start[1:], track.label[1:], track.label, strict=False) if one != last
    ]
    return np.array(begun, np.int64)


def _last_seen(known: Spans, at: int) -> int:
    """Return until when the value before a reading at `at` was known."""
    index = int(np.searchsorted(known.start, at + MILLI_NS, side="right")) - 1
    if index < 0 or at - known.start[index] > MILLI_NS:
        return at  # known right up to this reading
    return int(known.end[index - 1]) if index else at


def _local(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at // SECOND, UTC).astimezone(zone)


def _local_quarter(at: int, zone: ZoneInfo) -> int:
    """Return the quarter hour of the local day that lies nearest to an instant, 0-95."""
    local = _local(at, zone)
    return round((local.hour * 60 + local.minute + local.second / 60) / 15) % 96


def _struck(reset: time, from_ns: int, to_ns: int, zone: ZoneInfo) -> bool:
    """Return whether a local time of day lies between two instants."""
    day = _local(from_ns, zone).date()
    last = _local(to_ns, zone).date()
    while day <= last:
        at = int(datetime.combine(day, reset, zone).timestamp()) * SECOND
        if from_ns <= at <= to_ns:
            return True
        day += timedelta(days=1)
    return False
