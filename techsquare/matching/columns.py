"""The constraints of `constraints`, for all items and solutions at once.

Most constraints see little of an item and little of a solution: which capabilities, which process. Items that look
the same to a constraint share a code, solutions likewise, and the scalar predicate is asked once for each two
codes; that table is all that a million pairs need. Items whose codes are all the same share a profile, and a
profile's solutions are found once. Three constraints name single parties (excluded, conflict, fit) and are kept as
sorted keys item * solutions + solution; the price is compared as a number.

Rows are in the seed's order (`ties`), whatever order they came in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from techsquare.matching.constraints import CONSTRAINTS, CONTINUITY, lacking, places, reaches, reads
from techsquare.ties import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from techsquare.matching.terms import Constraint, Item, Solution, Supplier

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

BLOCK = 200_000
"""Pairs that are looked at together: arrays of so many stay in a processor's cache."""
TABLED: tuple[Constraint, ...] = ("capability", "process", "interface", "region", "consent")
NAMED: tuple[Constraint, ...] = ("excluded", "conflict", "fit")
BIT = {name: 1 << place for place, name in enumerate(CONSTRAINTS)}
_REMOTE = "remote"  # whatever its regions
Row = TypeVar("Row", "Item", "Solution", "Supplier")


class Columns:
    """Items, solutions and suppliers as arrays.

    Args:
        items: Open items; ids differ.
        solutions: Registered versions; ids differ; each of a known supplier.
        suppliers: Their suppliers.
        seed: Of the night or the round; it decides the order of rows.

    Raises:
        KeyError: A solution's supplier is not among the suppliers.
        ValueError: Two rows have one id.
    """

    def __init__(
        self, items: Sequence[Item], solutions: Sequence[Solution], suppliers: Sequence[Supplier], *, seed: str
    ) -> None:
        self.seed = seed
        self.items = _ordered(items, seed)
        self.solutions = _ordered(solutions, seed)
        self.suppliers = _ordered(suppliers, seed)
        self.item_at = {row.id: at for at, row in enumerate(self.items)}
        self.solution_at = {row.id: at for at, row in enumerate(self.solutions)}
        self.supplier_at = {row.id: at for at, row in enumerate(self.suppliers)}
        for rows, at in (
            (items, self.item_at), (solutions, self.solution_at), (suppliers, self.supplier_at),
        ):  # fmt: skip
            if len(rows) != len(at):
                raise ValueError(f"two of {len(rows)} rows have one id, so answers about it would mean either")
        self.supplier_of = np.array([self.supplier_at[row.supplier] for row in self.solutions], np.int64)
        self.most_won = np.array([row.most_won for row in self.items], np.float64)
        self.price_low = np.array([row.price.low for row in self.solutions], np.float64)
        self.waits = np.array([bool(row.missing_prerequisites) for row in self.items], np.bool_)
        owners = [self.suppliers[at] for at in self.supplier_of]
        self.alone: dict[Constraint, Bools] = {
            "active": np.array([owner.active for owner in owners], np.bool_),
            "continuity": np.array([row.continuity >= CONTINUITY for row in self.solutions], np.bool_),
            "capacity": np.array([places(owner) > 0 for owner in owners], np.bool_),
        }
        self._tables = {name: _table(name, self.items, self.solutions) for name in TABLED}
        self._named = {name: self._keys(name) for name in NAMED}
        every = np.unique(np.concatenate([self._named[name] for name in NAMED]))
        self._any_named: Ints = every
        self._profiles()

    def failed(self, items: Ints, solutions: Ints) -> NDArray[np.uint16]:
        """Return the failed constraints of pairs of rows as bits in the order of `CONSTRAINTS`."""
        found = np.zeros(len(items), np.uint16)
        for name in CONSTRAINTS:
            found |= np.where(self._fails(name, items, solutions), np.uint16(BIT[name]), np.uint16(0))
        return found

    def candidates(self) -> Iterator[tuple[Ints, Ints]]:
        """Yield the pairs of rows of which none fails, a block of whole items at a time, in their order."""
        counts = np.array([len(rows) for rows in self._rows], np.int64)[self._profile]
        ends = np.cumsum(counts)
        start = 0
        while start < len(counts):
            before = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + BLOCK, "right")))
            yield self._block(start, stop, counts)
            start = stop

    def _block(self, start: int, stop: int, counts: Ints) -> tuple[Ints, Ints]:
        size = counts[start:stop]
        items = np.repeat(np.arange(start, stop, dtype=np.int64), size)
        within = np.arange(len(items), dtype=np.int64) - np.repeat(np.cumsum(size) - size, size)
        offsets = self._offsets[self._profile[start:stop]]
        solutions = self._flat[np.repeat(offsets, size) + within]
        fine = self.price_low[solutions] <= self.most_won[items]
        items, solutions = items[fine], solutions[fine]
        if len(self._any_named):
            free = ~_among(items * len(self.solutions) + solutions, self._any_named)
            items, solutions = items[free], solutions[free]
        return items, solutions

    def _profiles(self) -> None:
        """Find the solutions of each profile: all codes of an item, in order, so that neighbours share work."""
        key = self.waits.astype(np.int64)
        for name in TABLED:
            code, _, table = self._tables[name]
            key = key * len(table) + code
        _, first, profile = np.unique(key, return_index=True, return_inverse=True)
        self._profile: Ints = profile.reshape(-1)
        ready = np.flatnonzero(np.logical_and.reduce(list(self.alone.values())))
        narrowed = [ready] * (len(TABLED) + 1)
        last = [-1] * len(TABLED)
        self._rows: list[Ints] = []
        for item in first:
            if self.waits[item]:
                self._rows.append(ready[:0])
                continue
            fresh = False
            for place, name in enumerate(TABLED):
                needs, offers, table = self._tables[name]
                one = int(needs[item])
                if fresh or one != last[place]:
                    fresh, last[place] = True, one
                    rows = narrowed[place]
                    narrowed[place + 1] = rows[table[one][offers[rows]]]
            self._rows.append(narrowed[-1])
        lengths = np.array([len(rows) for rows in self._rows], np.int64)
        self._offsets: Ints = np.cumsum(lengths) - lengths
        self._flat: Ints = np.concatenate([*self._rows, ready[:0]])

    def _fails(self, name: Constraint, items: Ints, solutions: Ints) -> Bools:
        if name in self._tables:
            needs, offers, table = self._tables[name]
            return ~table[needs[items], offers[solutions]]
        if name in self._named:
            return _among(items * len(self.solutions) + solutions, self._named[name])
        if name in self.alone:
            return ~self.alone[name][solutions]
        if name == "price":
            return self.price_low[solutions] > self.most_won[items]
        return self.waits[items]

    def _keys(self, name: Constraint) -> Ints:
        rows: defaultdict[str, list[int]] = defaultdict(list)
        for at, solution in enumerate(self.solutions):
            if name == "conflict":
                for party in self.suppliers[self.supplier_of[at]].parties:
                    rows[party].append(at)
            else:
                rows[solution.id].append(at)
                if name == "excluded" and solution.supplier != solution.id:
                    rows[solution.supplier].append(at)
        found: list[int] = []
        for at, item in enumerate(self.items):
            if name == "excluded":
                names: Sequence[str] = tuple(item.excluded)
            elif name == "conflict":
                names = (item.factory, *item.related)
            else:
                names = tuple(one for one, result in item.fit.items() if result == "fail")
            for one in names:
                found += [at * len(self.solutions) + row for row in rows.get(one, ())]
        return np.unique(np.array(found, np.int64))


def _ordered(rows: Sequence[Row], seed: str) -> list[Row]:
    return sorted(rows, key=lambda row: (digest(seed, row.id), row.id))


def _among(keys: Ints, known: Ints) -> Bools:
    if not len(known):
        return np.zeros(len(keys), np.bool_)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.asarray(known[at] == keys)


def _table(name: Constraint, items: Sequence[Item], solutions: Sequence[Solution]) -> tuple[Ints, Ints, Bools]:
    """Return codes of the items, codes of the solutions, and which two codes go together."""
    needs, asked = _coded(items, _NEED[name])
    offers, given = _coded(solutions, _OFFER[name])
    table = np.zeros((len(asked), len(given)), np.bool_)
    holds = _HOLDS[name]
    for row, item in enumerate(asked):
        for column, solution in enumerate(given):
            table[row, column] = holds(item, solution)
    return needs, offers, table


def _coded(rows: Sequence[Row], look: Callable[[Row], object]) -> tuple[Ints, list[Row]]:
    """Return the code of what a constraint sees of each row, and a row of each code.

    Most rows share the very object that is seen: it is frozen and hashed once. Rows keep it alive, so its id is
    its own.
    """
    codes: dict[Hashable, int] = {}
    same: dict[int, int] = {}
    first: list[Row] = []
    found = np.empty(len(rows), np.int64)
    for at, row in enumerate(rows):
        seen = look(row)
        code = same.get(id(seen))
        if code is None:
            code = codes.setdefault(_frozen(seen), len(first))
            same[id(seen)] = code
            if code == len(first):
                first.append(row)
        found[at] = code
    return found, first


def _frozen(seen: object) -> Hashable:
    if isinstance(seen, Mapping):
        return frozenset((name, _frozen(has)) for name, has in seen.items())
    assert isinstance(seen, Hashable)
    return seen


def _capable(item: Item, solution: Solution) -> bool:
    # Names first: most pairs differ in them, and the ranges need not be looked at.
    offered = solution.capabilities
    return all(name in offered for name in item.capabilities) and not lacking(offered, item.capabilities)


_NEED: Mapping[Constraint, Callable[[Item], object]] = {
    "capability": attrgetter("capabilities"),
    "process": attrgetter("process"),
    "interface": attrgetter("interfaces"),
    "region": attrgetter("region"),
    "consent": attrgetter("consents"),
}
_OFFER: Mapping[Constraint, Callable[[Solution], object]] = {
    "capability": attrgetter("capabilities"),
    "process": attrgetter("processes"),
    "interface": attrgetter("interfaces"),
    "region": lambda solution: _REMOTE if solution.remote else solution.regions,
    "consent": attrgetter("needs_consent"),
}
_HOLDS: Mapping[Constraint, Callable[[Item, Solution], bool]] = {
    "capability": _capable,
    "process": lambda item, solution: item.process in solution.processes,
    "interface": lambda item, solution: reads(item.interfaces, solution),
    "region": lambda item, solution: reaches(item.region, solution),
    "consent": lambda item, solution: solution.needs_consent <= item.consents,
}
