"""Whether order, product and recipe that a machine shows fit together.

An order is for one product with one recipe: the first that it showed for a quarter of an hour. When another one
comes and the order stays, nobody has closed it, and it is stale until it changes. An order that is the only one in
the window, through set-ups or lots, was never closed at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.identity import GRACE_NS
from readiness.seen import names_something
from readiness.spans import EMPTY, Spans, difference, intersection, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from readiness.records import Label
    from readiness.seen import Labelled
    from readiness.view import View


def said(view: View, machine: str, role: str) -> Labelled | None:
    """Return what the first signal of a role with evidence said."""
    tracks = [track for name in view.signals(machine, role) if (track := view.seen.track(name)) is not None]
    return tracks[0] if tracks else None


def named(track: Labelled) -> Spans:
    """Return when a signal named anything."""
    return track.where(names_something)


def episodes(track: Labelled) -> list[tuple[Label, Spans]]:
    """Return each order from when it was first shown in a row to when another one was, holes left out."""
    rows: list[tuple[Label, list[tuple[int, int]]]] = []
    for start, end, label in zip(track.start.tolist(), track.end.tolist(), track.label, strict=True):
        if not names_something(label):
            continue
        if rows and rows[-1][0] == label:
            rows[-1][1].append((start, end))
        else:
            rows.append((label, [(start, end)]))
    return [(label, Spans.of(pieces)) for label, pieces in rows]


def first_shown(track: Labelled, during: Spans) -> Label | None:
    """Return what a signal named first for a while during an order, or for the longest time if nothing lasted."""
    here = track.known.clip(int(during.start[0]), int(during.end[-1]))
    if not len(here):
        return None
    from_ns, to_ns = int(during.start[0]), int(during.end[-1])
    best: tuple[int, Label] | None = None
    for start, end, label in zip(track.start.tolist(), track.end.tolist(), track.label, strict=True):
        length = min(end, to_ns) - max(start, from_ns)
        if length <= 0 or not names_something(label):
            continue
        if length >= GRACE_NS:
            return label
        if best is None or length > best[0]:
            best = length, label
    return None if best is None else best[1]


def consistent(order: Labelled, others: Sequence[Labelled]) -> Spans:
    """Return when an order was shown together with what it was for."""
    good = [EMPTY]
    for _, during in episodes(order):
        fits = during
        for track in others:
            first = first_shown(track, during)
            same = track.where(lambda label, first=first: label == first)  # type: ignore[misc]
            fits = intersection(fits, same)
            since = difference(named(track), same).clip(int(during.start[0]) + GRACE_NS, int(during.end[-1]))
            lasting = since.start[since.end - since.start >= GRACE_NS]
            if len(lasting):  # another one came for good: whatever follows, this order was left open
                fits = fits.clip(0, int(lasting[0]))
        good.append(fits)
    return union(*good)
