"""Which lot or serial numbers identify something, and when they did.

An id binds pieces to a lot if it says something (not empty, no placeholder, matching the declared pattern), if it
belongs to one lot only, and if it changes when the lot does:

    reused     it came back more than once after others, or after more than three days: numbers that begin anew.
               Once within three days is a lot that was interrupted
    stale      the product changed while it was shown, and it stayed: from then on it says nothing
    constant   it is the only one in the whole window

Of serial numbers, too many a day for a track, a sample is known one by one (`readiness.serials`).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from readiness.naming import bare
from readiness.production import production
from readiness.seen import text
from readiness.serials import EVERY, Serials, reach, serials
from readiness.spans import EMPTY, Spans, intersection, union
from readiness.stops import Lot
from readiness.view import NEEDED_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from readiness.plant import Meaning
    from readiness.seen import Labelled
    from readiness.stops import Changeover
    from readiness.view import View

MINUTE_NS = 60_000_000_000
GRACE_NS = 15 * MINUTE_NS
"""An id and a product that change within this time of each other change together."""
BACK_NS = 3 * 24 * 60 * MINUTE_NS
LOOK_BACK_DAYS = 56
"""A lot that comes in the window was at the step before in it, or within as long before it."""
SAME = 4
"""An id of so many equal characters is a placeholder."""
DEFAULTS = frozenset({"default", "lot", "serial", "sn", "batch", "nolot", "로트", "기본"})


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One id from its first to its last appearance in a row, and when it bound what was made."""

    id: str
    from_ns: int
    to_ns: int
    binds: Spans
    sampled: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Identities:
    """The ids of a machine over a window, in order of time.

    Attributes:
        shown: All that were shown, also those that bind nothing; of days with serial numbers the sample.
        binds: When a valid id was shown; on days with serial numbers only those of the sample are known.
        flags: REUSED_ID, STALE_ID, CONSTANT_ID, INVALID_ID: what has struck.
        serials: What else is known of the days with serial numbers; None where there are none.
        unique: Share of the valid serial numbers of the sample, as often as they were shown, that were used once.
    """

    shown: tuple[Shown, ...]
    binds: Spans
    flags: tuple[str, ...]
    serials: Serials | None = None
    unique: float = 1.0

    def entropy(self) -> float:
        """Return the entropy of the time that ids were bound, in bits: 0 when it was one only."""
        times: Counter[str] = Counter()
        for one in self.shown:
            if one.sampled:
                continue
            times[one.id] += one.binds.length()
        total = sum(times.values())
        return -sum(t / total * math.log2(t / total) for t in times.values() if t) if total else 0.0


def valid(name: str, meaning: Meaning, placeholders: frozenset[str]) -> bool:
    """Return whether an id can identify anything."""
    plain = name.strip()
    if not plain.strip("0-_. ") or (len(plain) >= SAME and len(set(plain)) == 1):
        return False
    if meaning.pattern is not None:
        return re.fullmatch(meaning.pattern, plain) is not None
    return any(letter.isdigit() for letter in plain) or bare(plain) not in placeholders | DEFAULTS


def reused(row: Sequence[Lot]) -> set[str]:
    """Return the ids that were used for more than one lot."""
    last: dict[str, int] = {}
    back: Counter[str] = Counter()
    late: set[str] = set()
    for lot in row:
        if lot.id in last:
            back[lot.id] += 1
            if lot.from_ns - last[lot.id] > BACK_NS:
                late.add(lot.id)
        last[lot.id] = lot.to_ns
    return late | {name for name, times in back.items() if times > 1}


def stale_from(lot: Lot, changes: Sequence[Changeover]) -> int | None:
    """Return when a product changed while an id stayed, well within the time that it was shown."""
    inside = [c.to_ns for c in changes if lot.from_ns + GRACE_NS < c.from_ns and c.to_ns < lot.to_ns - GRACE_NS]
    return min(inside, default=None)


def told_by(view: View, machine: str) -> str | None:
    """Return a machine's first lot signal that left evidence of what it said, None if none did."""
    names = view.signals(machine, "lot")
    return next((n for n in names if view.seen.track(n) is not None or view.seen.ids(n)), None)


def checker(view: View, name: str) -> Callable[[str], bool]:
    """Return what says whether an id of a signal can identify anything."""
    meaning, placeholders = view.plant.meaning(name), frozenset(bare(p) for p in view.model.semantics.placeholders)
    return lambda one: valid(one, meaning, placeholders)


def identities(view: View, machine: str) -> Identities | None:
    """Return the ids of a machine's lot signal, None if it left no evidence."""
    facts = production(view, machine)
    name = told_by(view, machine)
    if name is None:
        return None
    track, can = view.seen.track(name), checker(view, name)
    many = serials(view, name, can)
    row = sorted([*facts.lots, *_sample(many)], key=lambda lot: lot.from_ns)
    good = {lot.id for lot in row if can(lot.id)}
    again = reused(row) & good
    worked = (
        view.machine_by_day(machine, intersection(facts.executing, EMPTY if track is None else track.known)) > 0
    )
    constant = len({lot.id for lot in row}) == 1 and int(worked.sum()) >= NEEDED_DAYS
    told = facts.changeover_signal is not None and view.plant.meaning(facts.changeover_signal).role != "order"
    changes = facts.changeovers if told and facts.changeovers is not None else ()
    shown, stale, of_track = [], False, {id(lot) for lot in facts.lots}
    for lot in row:
        until = stale_from(lot, changes)
        stale |= until is not None
        binds, sampled = EMPTY, id(lot) not in of_track
        if lot.id in good - again and not constant:
            said = Spans.between(lot.from_ns, lot.to_ns) if sampled or track is None else _said(track, lot)
            binds = said.clip(lot.from_ns, lot.to_ns if until is None else until)
        shown.append(Shown(lot.id, lot.from_ns, lot.to_ns, binds, sampled))
    flags = ("REUSED_ID",) * bool(again) + ("STALE_ID",) * stale + ("CONSTANT_ID",) * constant
    flags += ("INVALID_ID",) * (any(lot.id not in good for lot in row) or (many is not None and many.invalid))
    once = [one.id not in again for one in shown if one.sampled and one.id in good]
    unique = sum(once) / len(once) if once else 1.0
    return Identities(tuple(shown), union(EMPTY, *(one.binds for one in shown)), flags, many, unique)


def _sample(many: Serials | None) -> list[Lot]:
    return [] if many is None else [Lot(one.id, one.from_ns, one.to_ns, None) for one in many.sample]


def _said(track: Labelled, lot: Lot) -> Spans:
    return track.where(lambda label: text(label) == lot.id)


def is_first(view: View, machine: str) -> bool:
    """Return whether a machine is the first step: others follow it, or there is no other."""
    return len(view.inventory) == 1 or any(view.plant.of(m.id).previous == machine for m in view.inventory)


def seen_before(view: View, machine: str) -> Mapping[str, int]:
    """Return when each id was first shown at a machine."""
    first: dict[str, int] = {}
    over = view.over(LOOK_BACK_DAYS)
    for name in view.signals(machine, "lot"):
        track, many = over.seen.track(name), serials(over, name, bool)
        said = (
            [] if track is None else [(text(w), t) for t, w in zip(track.start.tolist(), track.label, strict=True)]
        )
        said += [] if many is None else [(one.id, one.from_ns) for one in many.sample]
        for one, start in said:
            first[one] = min(start, first.get(one, start))
    return first


def told_up_to(view: View, machine: str) -> int:
    """Return the rank below which every id that a machine showed is known: all, but for serial numbers."""
    return min((reach(view.over(LOOK_BACK_DAYS), name) for name in view.signals(machine, "lot")), default=EVERY)
