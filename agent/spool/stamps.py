"""Times of a clock that was not trusted: which items carry them, and what they become when its error is known.

The last three digits of a stamp are those of its clock epoch, so every single stamp can be told apart, also within
one reading. A device's own times (source and server time) are nobody's to correct.

Pure: no clock, file, socket or logger.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, cast

import numpy as np

from agent.frame import Event, Facts, FrameBlock, RoundTrip, Watermark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from agent.frame import Item, Json


def part(items: Iterable[Item], epochs: Mapping[int, int], other: int | None) -> dict[int | None, list[Item]]:
    """Part items by the epochs of their stamps.

    Args:
        items: In their order, which is kept within each part.
        epochs: Number of an epoch by its last three digits.
        other: Where everything else belongs.

    Returns:
        The items of each epoch; a block with stamps of several is cut.
    """
    parts: dict[int | None, list[Item]] = {}
    for item in items:
        if not isinstance(item, FrameBlock):
            parts.setdefault(epochs.get(item.time_ns % 1000, other), []).append(item)
            continue
        digits = item.time_ns % 1000
        trips = [trip.time_ns % 1000 for trip in item.round_trips]
        found = sorted({*digits.tolist(), *trips})
        if len({epochs.get(one, other) for one in found}) == 1:
            parts.setdefault(epochs.get(found[0], other), []).append(item)
            continue
        for epoch in sorted({epochs.get(one, other) for one in found}, key=lambda e: (e is None, e)):
            mine = [one for one in found if epochs.get(one, other) == epoch]
            rows = np.flatnonzero(np.isin(digits, mine))
            parts.setdefault(epoch, []).append(
                FrameBlock(
                    source=item.source,
                    signal=item.signal[rows],
                    time_ns=item.time_ns[rows],
                    value=[item.value[row] for row in rows.tolist()],
                    status=item.status[rows],
                    source_ns=None if item.source_ns is None else item.source_ns[rows],
                    server_ns=None if item.server_ns is None else item.server_ns[rows],
                    round_trips=tuple(
                        trip for trip, one in zip(item.round_trips, trips, strict=True) if one in mine
                    ),
                )
            )
    return parts


def shifted(item: Item, epoch: int, offset_ns: int) -> Item:
    """Return an item with `offset_ns` added to its stamps of this epoch."""

    def moved(time_ns: int) -> int:
        return time_ns + offset_ns if (time_ns - epoch) % 1000 == 0 else time_ns

    if isinstance(item, FrameBlock):
        mine = (item.time_ns - epoch) % 1000 == 0
        return dataclasses.replace(
            item,
            time_ns=item.time_ns + np.where(mine, np.int64(offset_ns), np.int64(0)),
            round_trips=tuple(RoundTrip(moved(t.time_ns), t.rtt_ns, t.status) for t in item.round_trips),
        )
    if isinstance(item, Watermark):
        return Watermark(item.source, moved(item.time_ns))
    if isinstance(item, Facts):
        return dataclasses.replace(item, time_ns=moved(item.time_ns))
    start, end = (None if time_ns is None else moved(time_ns) for time_ns in (item.from_ns, item.to_ns))
    body = item.body
    if item.kind == "gap" and "sources" in body:
        body = _lost(item, moved)
    elif item.kind == "gap" and body.get("clock") == "behind" and start is not None:
        began = moved(int(cast("str", body["started"])))
        if began >= start:  # now it is known how long the agent was off
            end, body = began, {key: value for key, value in body.items() if key not in {"clock", "started"}}
        else:  # the clock before it was ahead
            body = {**body, "started": str(began)}
    return dataclasses.replace(item, time_ns=moved(item.time_ns), from_ns=start, to_ns=end, body=body)


def _lost(event: Event, moved: Callable[[int], int]) -> Mapping[str, Json]:
    """Return the body of a gap that names rows, with the times of these rows moved."""
    sources = cast("Mapping[str, Mapping[str, Json]]", event.body["sources"])
    return {
        **event.body,
        "sources": {
            source: {
                **rows,
                "first": str(moved(int(cast("str", rows["first"])))),
                "last": str(moved(int(cast("str", rows["last"])))),
            }
            for source, rows in sources.items()
        },
    }
