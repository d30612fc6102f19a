"""Which versions items are matched with: three of an owner group in a family, each for ninety days at least.

Every version that is matched with an item gives an answer: it is shown, or it is not. With a new version, which
is how a price changes, every night a supplier would get a new answer every night, about protocols of machines,
consents, exclusions, capacity to pay. So an owner group has three places in a family, for all items alike. A
version takes a free one in the order of registration and stays while it is registered; one that is withdrawn keeps
its place until its ninety days are over, so that giving up one buys no look through another.

A place changes hands once in ninety days at most: in so many days an item has answered about 3 * (1 + days // 90)
versions of a group at most, whatever it registers and withdraws. Three is more than suppliers have in a family.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

MOST = 3
HOLDS_DAYS = 90


@dataclass(frozen=True, slots=True)
class Offered:
    """A registered version as it can be matched. It never changes: another price is another version."""

    group: str
    family: str
    version: str
    registered: date


@dataclass(frozen=True, slots=True)
class Seen:
    """A version that has a place, since when."""

    version: str
    group: str
    family: str
    since: date


def matched(seen: Iterable[Seen], offered: Iterable[Offered], today: date) -> Sequence[Seen]:
    """Return the versions that have a place on a day; what is returned is `seen` of a later one.

    Args:
        seen: Who had one before, in any order.
        offered: All versions that are registered now, in any order.
        today: The day.

    A version that is withdrawn and still holds its place is among them: it is for services not to show it.
    """
    there = sorted(offered, key=lambda one: (one.registered, one.version))
    names = {one.version for one in there}
    kept = [one for one in seen if one.version in names or today - one.since < timedelta(days=HOLDS_DAYS)]
    kept.sort(key=lambda one: (one.since, one.version))
    taken: dict[tuple[str, str], int] = {}
    for one in kept:
        taken[one.group, one.family] = taken.get((one.group, one.family), 0) + 1
    placed = {one.version for one in kept}
    for version in there:
        key = (version.group, version.family)
        if version.version not in placed and taken.get(key, 0) < MOST:
            taken[key] = taken.get(key, 0) + 1
            kept.append(Seen(version.version, version.group, version.family, today))
    return tuple(kept)
