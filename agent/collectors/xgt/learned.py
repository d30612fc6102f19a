"""What was learned of one PLC's communication module: limits, and bytes that no block may touch.

    holes      no block touches them: refused values, and gaps whose two sides are served alone and refused together
    borders    where a search has cut; perhaps there is a hole, perhaps the cut was made on the way to another one

Blocks respect both. A few borders are tried in each reading, by asking across them once: served, and the border is
gone; refused, and it is a hole. So a search that has cut a block into many is undone step by step, and no reading
loses values to it. Holes become borders again after an hour, then two, up to a day: the only way to see whether one
has gone is to ask.

It is shared by all groups of a device and kept in the box's memory under the topic `xgt`, with the device's place:
another PLC, after an edit of the configuration, does not inherit it. Losing it costs some refused requests. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agent.collectors.planning import touches

if TYPE_CHECKING:
    from agent.collectors.planning import Span
    from agent.collectors.xgt.plan import Limits
    from agent.frame import Json

TOPIC = "xgt"
FIRST_NS, MOST_NS = 3600 * 10**9, 24 * 3600 * 10**9
MOST_HOLES = 1000
"""More than that is no map of holes; the oldest ones go."""


class Learned:
    """Limits and holes.

    Args:
        remembered: What `body` gave, at this place; anything else is ignored.
        place: Names the PLC: host, port, base and slot.

    Attributes:
        holes: By area, spans of bytes.
        borders: Likewise, not proved.
        version: Counts what may change a plan.
        news: Whether there is something to remember.
    """

    def __init__(self, remembered: Json = None, place: str = "") -> None:
        self.place = place
        self.version = 0
        self.news = False
        self._clear()
        if isinstance(remembered, dict) and remembered.get("place") == place:
            self._recall(remembered)

    def _clear(self) -> None:
        self.holes: dict[str, list[Span]] = {}
        self.borders: dict[str, list[Span]] = {}
        self._bytes: int | None = None
        self._blocks: int | None = None
        self._continuous = True
        self._wait = FIRST_NS
        self._forget_at: int | None = None

    def _recall(self, body: dict[str, Json]) -> None:
        """Take what an earlier process remembered, as far as it has the form that we write."""
        self._bytes = _count(body.get("max_bytes"), 2)
        self._blocks = _count(body.get("max_blocks"), 1)
        self._continuous = body.get("continuous") is not False
        for key, known in (("holes", self.holes), ("borders", self.borders)):
            areas = body.get(key)
            for area, spans in areas.items() if isinstance(areas, dict) else ():
                for span in spans if isinstance(spans, list) else ():
                    if isinstance(span, list) and len(span) == 2:
                        start, end = _count(span[0], 0), _count(span[1], 0)
                        if start is not None and end is not None and start <= end:
                            known.setdefault(area, []).append((start, end))

    def body(self) -> dict[str, Json]:
        """Return what to remember."""
        return {"place": self.place, **self.words()}

    def words(self) -> dict[str, Json]:
        """Return what to show."""
        found: dict[str, Json] = {}
        for key, known in (("holes", self.holes), ("borders", self.borders)):
            if known:
                found[key] = {
                    a: [[start, end] for start, end in sorted(spans)] for a, spans in sorted(known.items())
                }
        if self._bytes is not None:
            found["max_bytes"] = self._bytes
        if self._blocks is not None:
            found["max_blocks"] = self._blocks
        if not self._continuous:
            found["continuous"] = False
        return found

    @property
    def barriers(self) -> dict[str, list[Span]]:
        """Spans that no block may touch: holes and borders."""
        areas = self.holes.keys() | self.borders.keys()
        return {area: [*self.holes.get(area, ()), *self.borders.get(area, ())] for area in areas}

    def of(self, limits: Limits) -> Limits:
        """Return what the module really serves."""
        return replace(
            limits,
            bytes=limits.bytes if self._bytes is None else min(limits.bytes, self._bytes),
            blocks=limits.blocks if self._blocks is None else min(limits.blocks, self._blocks),
            continuous=limits.continuous and self._continuous,
        )

    def changed(self) -> None:
        """Have every group plan anew."""
        self.version += 1

    def most_bytes(self, count: int) -> None:
        """Take a lower limit of a continuous read."""
        self._bytes = count
        self._told()

    def most_blocks(self, count: int) -> None:
        """Take a lower limit of an individual read."""
        self._blocks = count
        self._told()

    def no_continuous(self) -> None:
        """Use individual reads from now on."""
        self._continuous = False
        self._told()

    def hole(self, area: str, start: int, end: int, now: int) -> None:
        """Take a span that blocks must not touch; an empty one is a border."""
        spans = self.holes.setdefault(area, [])
        if start > end or (start, end) in spans:
            return
        spans.append((start, end))
        del spans[:-MOST_HOLES]
        if self._forget_at is None:
            self._forget_at = now + self._wait
        self._told()

    def border(self, area: str, start: int, end: int) -> None:
        """Take where a search has cut, unless a hole lies there that explains it."""
        if start > end or any(touches((start, max(end, start + 1)), hole) for hole in self.holes.get(area, ())):
            return
        spans = self.borders.setdefault(area, [])
        if (start, end) not in spans:
            spans.append((start, end))
            del spans[:-MOST_HOLES]
            self._told()

    def try_some(self, most: int) -> list[tuple[str, Span]]:
        """Take some borders away and return them: the next plan asks across them. No two are neighbours."""
        tried: list[tuple[str, Span]] = []
        for area in sorted(self.borders):
            spans = sorted(self.borders[area])
            chosen = spans[:: 2 if len(spans) > 2 else 1][: max(most - len(tried), 0)]
            if len(spans) == 2:
                chosen = chosen[:1]
            tried += [(area, span) for span in chosen]
            self.borders[area] = [span for span in spans if span not in chosen]
            if not self.borders[area]:
                del self.borders[area]
        if tried:
            self._told()
        return tried

    def open_up(self, area: str, span: Span) -> None:
        """A value that was refused is served: holes over it are gone."""
        kept = [hole for hole in self.holes.get(area, []) if not touches(span, hole)]
        if len(kept) != len(self.holes.get(area, [])):
            self.holes[area] = kept
            if not kept:
                del self.holes[area]
            self._told()

    def retest(self, now: int) -> None:
        """Make the holes borders, to be tried, when it is time to see whether they are still there."""
        if not self.holes:
            return
        if self._forget_at is None:  # remembered by an earlier process
            self._forget_at = now + self._wait
        if now >= self._forget_at:
            self._wait = min(self._wait * 2, MOST_NS)
            self._forget_at = None
            for area, spans in self.holes.items():
                self.borders[area] = sorted({*spans, *self.borders.get(area, ())})
            self.holes = {}
            self._told()

    def forget(self) -> None:
        """Begin anew: a person has asked for it."""
        self._clear()
        self._told()

    def _told(self) -> None:
        self.version += 1
        self.news = True


def _count(value: Json, least: int) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= least else None
