"""Sources that seem alive and only repeat themselves: a gateway that serves the last values of a link it has lost.

No single value that rests is suspicious. But when all signals of a source that otherwise change in most quarter
hours rest at the same time for minutes, while the machine is said to be executing, then what arrives is no news.
Where the source states times of its own and these go on, the device says that its values are new, and is believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from readiness.catalog import key
from readiness.production import production
from readiness.records import QUARTER_NS
from readiness.spans import Spans, intersection, union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from readiness.evidence import DayEvidence, SourceDay
    from readiness.view import View

    Part = tuple[int, DayEvidence, SourceDay]

LIVELY = 0.5
"""Share of executing quarter hours in which a signal changes that may be expected to change at all times."""
ENOUGH = 3
"""So many of them are needed: two may rest together for a reason."""
LONG_NS = 300_000_000_000


def _changed(parts: Sequence[Part], name: str) -> set[int]:
    """Return the starts of the quarter hours in which a signal changed."""
    found: set[int] = set()
    for _, record, part in parts:
        rows = [t.changed for t in [part.tracks.get(name)] if t is not None]
        rows += [v.changed for v in [part.values.get(name)] if v is not None]
        rows += [c.counted for c in [part.counts.get(name)] if c is not None]
        found.update(record.start_ns + quarter * QUARTER_NS for row in rows for quarter in row[0::2])
    return found


def _still(view: View, name: str) -> Spans:
    """Return the long stretches in which a signal said one and the same."""
    track = view.seen.track(name)
    if track is None:
        return view.seen.still(name)
    keep = track.end - track.start >= LONG_NS
    return union(Spans(track.start[keep], track.end[keep] - 1))  # neighbours say different things


def _long(spans: Spans) -> Spans:
    keep = spans.end - spans.start >= LONG_NS
    return Spans(spans.start[keep], spans.end[keep])


def _quarters(parts: Sequence[Part], executing: Spans) -> NDArray[np.int64]:
    """Return the starts of the quarter hours in which the machine executed for the most part."""
    starts = [np.arange(record.start_ns, record.end_ns, QUARTER_NS) for _, record, _ in parts]
    every = np.concatenate(starts) if starts else np.empty(0, np.int64)
    return np.asarray(every[executing.within(Spans(every, every + QUARTER_NS)) > QUARTER_NS // 2])


def repeating(view: View, machine: str, source: str) -> float:
    """Return the share of a source's executing time that counts in which it only repeated itself.

    Args:
        view: Of the window.
        machine: Whose states tell when it executed.
        source: Id of one of its sources.
    """
    parts = view.seen.order(source)
    executing = intersection(production(view, machine).executing, view.domain(source))
    whole = executing.length()
    if not parts or not whole:
        return 0.0
    quarters = _quarters(parts, executing)
    busy = set(quarters.tolist())
    names = sorted({key(tag) for link, tag in view.tags.get(machine, ()) if link.id == source})
    lively = [name for name in names if len(_changed(parts, name) & busy) > LIVELY * len(busy)]
    if len(lively) < ENOUGH:
        return 0.0
    together = executing
    for name in lively:
        together = intersection(together, _still(view, name))
    share = _long(together).length() / whole
    rows, stated, repeated = (
        sum(getattr(p, field) for _, _, p in parts) for field in ("rows", "with_source_time", "repeated")
    )
    moves_on = parts[-1][2].mode == "poll" and 2 * stated > rows and repeated < share * rows / 2
    return 0.0 if moves_on else share
