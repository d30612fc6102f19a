"""The supplier is gone: what stays with the factory, who can go on, whether the deposit is free, what is unpaid.

What stays was decided when the contract was signed, and tried out since (the exit drill); here it is only told. Who
goes on is the owner's choice out of all who can. They are ordered by continuity, not by merit: how much of what
there is can go on.

    1  trained     named in the contract as second supplier, for this software
    2  rebuilds    works in the family, and the deposit of the software is verified: it can be built from it
    3  reads       works in the family, and the system has an open interface and its tag list
    4  replaces    works in the family, and begins anew; the data stays

Within a step: the machines' protocols that it reads, then free places, then the hash of seed, factory and supplier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from settings.language import Text
from techsquare.ties import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from techsquare.mentoring.calendar import Calendar

Step = Literal["trained", "rebuilds", "reads", "replaces"]
Keeps = Literal["store", "tags", "interface", "export"]
Level = Literal["none", "deposited", "verified"]
Why = Literal["closed", "out_of_reach", "agreed", "unwanted"]
Held = Literal["no_deposit", "not_contracted", "supplier_there", "waiting"]
STEPS: tuple[Step, ...] = ("trained", "rebuilds", "reads", "replaces")
KEEPS: tuple[Keeps, ...] = ("store", "tags", "interface", "export")
RELEASE_DAYS = 10
"""Planned days in which a supplier out of reach can still say that it is there, before a deposit is free."""
STAYS: Mapping[Keeps, Text] = {
    "store": Text("All measured data, in the factory's own store", "측정 데이터 전체(공장 자체 저장소)"),
    "tags": Text("Tag list and register map", "태그 목록과 레지스터 맵"),
    "interface": Text("An open interface to read by", "공개 읽기 인터페이스"),
    "export": Text("History, exported in one command", "이력 데이터 반출"),
}


@dataclass(frozen=True, slots=True)
class System:
    """What was installed. `kept`: the minimum as agreed; `proved`: what the last exit drill has shown."""

    solution: str
    family: str
    kept: frozenset[Keeps]
    proved: frozenset[Keeps]
    escrow: Level
    second: frozenset[str]  # suppliers that the contract names
    interfaces: frozenset[str]  # protocols of the machines


@dataclass(frozen=True, slots=True)
class Possible:
    """A supplier that might go on. `places`: engagements that it may begin now."""

    supplier: str
    active: bool
    families: frozenset[str]
    interfaces: frozenset[str]
    places: int
    excluded: bool = False
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One who can go on, and by what. `unread`: protocols that it does not read."""

    supplier: str
    step: Step
    unread: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stays:
    """What the factory has without its supplier: shown by a drill, only promised, or missing."""

    proved: Sequence[Keeps]
    promised: Sequence[Keeps]
    missing: Sequence[Keeps]


@dataclass(frozen=True, slots=True)
class Release:
    """Whether a deposit is handed out, or what it waits for until when."""

    free: bool
    held: Held | None
    until: date | None = None


def stays(system: System) -> Stays:
    """Return what stays with the factory, in the order of the minimum."""
    return Stays(
        proved=tuple(one for one in KEEPS if one in system.proved),
        promised=tuple(one for one in KEEPS if one in system.kept - system.proved),
        missing=tuple(one for one in KEEPS if one not in system.kept | system.proved),
    )


def candidates(
    system: System, others: Iterable[Possible], *, factory: str, gone: str, seed: str
) -> Sequence[Candidate]:
    """Return all who can go on, best first.

    Args:
        system: What was installed.
        others: All suppliers, in any order.
        factory: Whose it is.
        gone: The supplier that is gone.
        seed: For ties.
    """
    found: list[tuple[tuple[int, int, int, int, str], Candidate]] = []
    for one in others:
        step = _step(system, one)
        if step is None or one.supplier == gone:
            continue
        unread = system.interfaces - one.interfaces
        tie = digest(seed, factory, one.supplier)
        key = (STEPS.index(step), len(unread), -one.places, tie, one.supplier)
        found.append((key, Candidate(one.supplier, step, unread)))
    return tuple(one for _, one in sorted(found, key=lambda pair: pair[0]))


def _step(system: System, one: Possible) -> Step | None:
    """Return by what a supplier could go on; None where it cannot."""
    if not one.active or one.excluded or one.conflict or one.places < 1:
        return None
    if one.supplier in system.second:
        return "trained"
    if system.family not in one.families:
        return None
    if system.escrow == "verified":
        return "rebuilds"
    usable = system.kept | system.proved
    if {"tags", "interface"} <= usable and one.interfaces & system.interfaces:
        return "reads"
    return "replaces"


def release(level: Level, *, contracted: bool, why: Why, since: date, today: date, calendar: Calendar) -> Release:
    """Return whether a deposit is handed out to the factory and its successor.

    Closed (bankruptcy, out of business) frees it at once, and so does the supplier's own word. Out of reach frees
    it after ten planned days, in which the supplier is asked. That the owner wants another supplier frees nothing:
    the software is still served by who made it.

    Args:
        level: What was laid down.
        contracted: The contract names this factory as one to which it is handed out.
        why: What has happened.
        since: When.
        today: The day.
        calendar: The factory's.
    """
    if level == "none":
        return Release(free=False, held="no_deposit")
    if not contracted:
        return Release(free=False, held="not_contracted")
    if why == "unwanted":
        return Release(free=False, held="supplier_there")
    if why == "out_of_reach":
        until = calendar.after(since, RELEASE_DAYS)
        if today <= until:
            return Release(free=False, held="waiting", until=until)
    return Release(free=True, held=None)


def unpaid(price: int, paid: Iterable[int]) -> int:
    """Return won of a price that are not paid, and so are there for a successor.

    Raises:
        ValueError: more was paid than the price.
    """
    left = price - sum(paid)
    if left < 0:
        raise ValueError(f"{-left} won more were paid than the price")
    return left
