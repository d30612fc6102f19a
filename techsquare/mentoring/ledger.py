"""The sponsor's ledger: what was spent on a factory, and who pays. Whole won, and every sum comes out.

A cost is one line a payer. What a diagnosis costs is everything up to the first measure that is bought: the visits,
the sensors that were lent, the work on the report; a programme or the sponsor pays it, never the factory. Of a
measure a programme pays its share of what is eligible up to its cap, the sponsor what he has agreed to, and the
factory the rest. Nothing is rounded away: shares are rounded down, and the rest is the last payer's.

A sum of nothing is 0: nothing was spent. A cost that nobody has told yet is no line, and is counted as `untold`, so
that a sum with something missing says so.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

Kind = Literal["diagnosis", "visit", "measure", "verification", "other"]
Payer = Literal["sponsor", "programme", "factory"]
OF_DIAGNOSIS: frozenset[Kind] = frozenset({"diagnosis", "visit"})
"""Kinds that the factory never pays."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: won of one payer. `won` None: it was spent, and nobody has told how much."""

    factory: str
    kind: Kind
    won: int | None
    payer: Payer
    on: date
    programme: str | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme as a bill meets it: share of what is eligible, and what it can still give this factory."""

    id: str
    share: Fraction
    left: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of a ledger. `total` is the sum of each mapping; `untold` lines are in none of them."""

    total: int
    by_factory: Mapping[str, int]
    by_kind: Mapping[Kind, int]
    by_payer: Mapping[Payer, int]
    by_programme: Mapping[str, int]
    untold: int
    diagnosis: int
    factories: int
    a_diagnosis: int | None


def bill(
    factory: str,
    kind: Kind,
    won: int,
    on: date,
    *,
    programme: Programme | None = None,
    eligible: int | None = None,
    sponsor: Fraction = Fraction(0),
) -> Sequence[Entry]:
    """Return a cost as lines, one a payer, that add up to it.

    Args:
        factory: For whom.
        kind: What for.
        won: All of it.
        on: The day of the bill.
        programme: Who pays a share, if anybody.
        eligible: Won of it that the programme counts; all of it when not said.
        sponsor: Share of what the programme leaves that the sponsor pays; a diagnosis he pays wholly.

    Raises:
        ValueError: below 0 won, a share outside 0 to 1, or more eligible than there is.
    """
    counted = won if eligible is None else eligible
    shares = [sponsor, Fraction(0) if programme is None else programme.share]
    if won < 0 or not 0 <= counted <= won or any(not 0 <= share <= 1 for share in shares):
        raise ValueError("a bill is 0 won or more, eligible is a part of it, and shares lie between 0 and 1")
    paid = 0 if programme is None else min(int(counted * programme.share), max(0, programme.left))
    rest = won - paid
    given = rest if kind in OF_DIAGNOSIS else int(rest * sponsor)
    lines: list[Entry] = []
    if programme is not None and paid:
        lines.append(Entry(factory, kind, paid, "programme", on, programme.id))
    if given:
        lines.append(Entry(factory, kind, given, "sponsor", on))
    if rest - given or not lines:
        payer: Payer = "sponsor" if kind in OF_DIAGNOSIS else "factory"
        lines.append(Entry(factory, kind, rest - given, payer, on))
    return tuple(lines)


def sums(entries: Iterable[Entry]) -> Sums:
    """Return the sums of a ledger, in any order of its lines.

    `a_diagnosis` is won a factory that had one, rounded; None where there is none, or where something of one was
    not told.

    Raises:
        ValueError: a line below 0 won, or a diagnosis that a factory is asked to pay.
    """
    factories: defaultdict[str, int] = defaultdict(int)
    kinds: defaultdict[Kind, int] = defaultdict(int)
    payers: defaultdict[Payer, int] = defaultdict(int)
    programmes: defaultdict[str, int] = defaultdict(int)
    untold = hidden = 0
    diagnosed: set[str] = set()
    for one in entries:
        if one.kind in OF_DIAGNOSIS:
            if one.payer == "factory" and one.won != 0:
                raise ValueError(f"factory {one.factory}: a diagnosis is never the factory's to pay")
            diagnosed.add(one.factory)
        if one.won is None:
            untold += 1
            hidden += one.kind in OF_DIAGNOSIS
            continue
        if one.won < 0:
            raise ValueError(f"factory {one.factory}: a line of {one.won} won; money comes back as a smaller bill")
        factories[one.factory] += one.won
        kinds[one.kind] += one.won
        payers[one.payer] += one.won
        if one.programme is not None:
            programmes[one.programme] += one.won
    diagnosis = sum(kinds[kind] for kind in OF_DIAGNOSIS if kind in kinds)
    mean = None if hidden or not diagnosed else (2 * diagnosis + len(diagnosed)) // (2 * len(diagnosed))
    return Sums(
        total=sum(factories.values()),
        by_factory=dict(sorted(factories.items())),
        by_kind=dict(sorted(kinds.items())),
        by_payer=dict(sorted(payers.items())),
        by_programme=dict(sorted(programmes.items())),
        untold=untold,
        diagnosis=diagnosis,
        factories=len(factories),
        a_diagnosis=mean,
    )
